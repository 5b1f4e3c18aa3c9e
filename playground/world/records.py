"""What the stand-in knows: people, chats, messages and their keyboards, as plain immutable records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

Json = Mapping[str, Any]


class ChatType(StrEnum):
    """The kinds of chat a bot can be in."""

    PRIVATE = "private"
    GROUP = "group"
    SUPERGROUP = "supergroup"
    CHANNEL = "channel"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who chats with the bot."""

    id: int
    first_name: str
    language_code: str
    username: str | None = None
    started: bool = False
    blocked: bool = False


@dataclass(frozen=True, slots=True)
class Chat:
    """A private chat (its id is the person's) or one with several members."""

    id: int
    type: ChatType
    title: str = ""
    members: tuple[int, ...] = ()
    bot_inside: bool = True
    privacy: bool = True


@dataclass(frozen=True, slots=True)
class InlineButton:
    """One inline button; `value` is its data, its address or the text it copies."""

    label: str
    kind: str
    value: str = ""
    style: str | None = None


@dataclass(frozen=True, slots=True)
class ReplyMarkup:
    """A checked reply_markup. Only inline keyboards are part of the message afterwards."""

    kind: str
    json: Json
    buttons: tuple[tuple[InlineButton, ...], ...] = ()
    keys: tuple[tuple[str, ...], ...] = ()
    placeholder: str | None = None

    @property
    def inline(self) -> bool:
        """Whether the buttons hang on the message itself."""
        return self.kind == "inline"


@dataclass(frozen=True, slots=True)
class StoredFile:
    """The bytes behind a file_id."""

    id: str
    unique_id: str
    path: str
    name: str
    content: bytes
    type: str


@dataclass(frozen=True, slots=True)
class Message:
    """One message as it stands now; an edit makes a new record under the same id.

    `text` is the caption when the message carries media. `media` holds what the Bot API tells of it,
    under the Bot API's own field names.
    """

    id: int
    chat: int
    sender: int
    date: int
    kind: str = "text"
    text: str = ""
    entities: Sequence[Json] = ()
    media: Json = field(default_factory=dict)
    markup: ReplyMarkup | None = None
    edited: int | None = None
    forwarded: bool = False
    reply_to: int | None = None
    protect: bool = False
    spoiler: bool = False
    caption_above: bool = False
    via: bool = False  # a result of an inline query that somebody chose
    inline_id: str | None = None


@dataclass(frozen=True, slots=True)
class InlineResult:
    """One result of an inline query as the bot gave it; `facts` are those of its message, if it can be sent here."""

    id: str
    kind: str
    given: Json
    facts: Json | None


@dataclass(frozen=True, slots=True)
class InlineAnswer:
    """The answer to an inline query: its results, and a button above them that leads to the bot's chat."""

    results: Sequence[InlineResult] = ()
    button: Json | None = None
