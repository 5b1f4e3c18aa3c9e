"""The replies to support staff, as values that `delivery` sends."""

from dataclasses import dataclass, field

from telegram import InlineKeyboardButton

from bot.content.catalogue import Catalogue
from bot.flow.effects import Values
from bot.handlers.side_messages import MessageContent
from bot.handlers.staff.command_parser import ButtonData


@dataclass(frozen=True, slots=True)
class TextReply:
    """A text, as a new message or in place of the message whose button was pressed."""

    content: MessageContent
    in_place: bool = False


@dataclass(frozen=True, slots=True)
class PhotoReply:
    """A photo with a caption."""

    picture: bytes = field(repr=False)
    content: MessageContent


@dataclass(frozen=True, slots=True, kw_only=True)
class FileReply:
    """A file, which Telegram sends unchanged, unlike a photo."""

    content: bytes = field(repr=False)
    name: str
    caption: str = ""


@dataclass(frozen=True, slots=True)
class ToastReply:
    """A short notification at the top of the chat, in answer to a pressed button."""

    text: str


StaffReply = TextReply | PhotoReply | FileReply | ToastReply


@dataclass(frozen=True, slots=True)
class StaffTexts:
    """The staff texts of the catalogue in one language."""

    catalogue: Catalogue
    language: str

    def text(self, key: str, values: Values | None = None) -> str:
        """The text under `staff.` of a key."""
        return self.catalogue.text(self.language, f"staff.{key}", values)

    def button(self, key: str, button: ButtonData, style: str | None = None) -> InlineKeyboardButton:
        """A staff button, labelled by the text `button.` of a key."""
        return InlineKeyboardButton(self.text(f"button.{key}"), callback_data=button.callback_data, style=style)
