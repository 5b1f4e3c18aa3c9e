"""What support's people are answered with, before anything of it is sent."""

from dataclasses import dataclass, field

from telegram import InlineKeyboardButton

from bot.content.catalogue import Catalogue
from bot.flow.effects import Values
from bot.handlers.side_messages import MessageContent
from bot.handlers.staff.command_parser import ButtonData


@dataclass(frozen=True, slots=True)
class TextReply:
    """A new message, or one in place of what was pressed."""

    content: MessageContent
    in_place: bool = False


@dataclass(frozen=True, slots=True)
class PhotoReply:
    """A picture with words under it."""

    picture: bytes = field(repr=False)
    content: MessageContent


@dataclass(frozen=True, slots=True, kw_only=True)
class FileReply:
    """A file, as it is: nothing makes it smaller on its way."""

    content: bytes = field(repr=False)
    name: str
    caption: str = ""


@dataclass(frozen=True, slots=True)
class ToastReply:
    """A word over the chat, for a pressed button."""

    text: str


StaffReply = TextReply | PhotoReply | FileReply | ToastReply


@dataclass(frozen=True, slots=True)
class StaffTexts:
    """The catalogue in one language, as it speaks to support's people."""

    catalogue: Catalogue
    language: str

    def text(self, key: str, values: Values | None = None) -> str:
        """A text of theirs."""
        return self.catalogue.text(self.language, f"staff.{key}", values)

    def button(self, key: str, button: ButtonData, style: str | None = None) -> InlineKeyboardButton:
        """A button of theirs, labelled by a text."""
        return InlineKeyboardButton(self.text(f"button.{key}"), callback_data=button.callback_data, style=style)
