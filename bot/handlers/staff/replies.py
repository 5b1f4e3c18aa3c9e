"""The replies to support staff, as values that `delivery` sends."""

from typing import ClassVar

from telegram import InlineKeyboardButton

from bot.content.catalogue import Catalogue
from bot.flow.effects import Values
from bot.handlers.side_messages import MessageContent
from bot.handlers.staff.command_parser import ButtonData
from verification.record import Record


class TextReply(Record):
    """A text, as a new message or in place of the message whose button was pressed."""

    content: MessageContent
    in_place: bool = False


class PhotoReply(Record):
    """A photo with a caption."""

    hidden: ClassVar[frozenset[str]] = frozenset({"picture"})

    picture: bytes
    content: MessageContent


class FileReply(Record, kw_only=True):
    """A file, which Telegram sends unchanged, unlike a photo."""

    hidden: ClassVar[frozenset[str]] = frozenset({"content"})

    content: bytes
    name: str
    caption: str = ""


class ToastReply(Record):
    """A short notification at the top of the chat, in answer to a pressed button."""

    text: str


StaffReply = TextReply | PhotoReply | FileReply | ToastReply


class StaffTexts(Record):
    """The staff texts of the catalogue in one language."""

    catalogue: Catalogue
    language: str

    def text(self, key: str, values: Values | None = None) -> str:
        """The text under `staff.` of a key."""
        return self.catalogue.text(self.language, f"staff.{key}", values)

    def button(self, key: str, button: ButtonData, style: str | None = None) -> InlineKeyboardButton:
        """A staff button, labelled by the text `button.` of a key."""
        return InlineKeyboardButton(self.text(f"button.{key}"), callback_data=button.callback_data, style=style)
