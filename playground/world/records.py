"""The records of the simulated Telegram, plain and immutable, and the cache of answers to inline queries."""

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
    """A person who chats with the bot."""

    id: int
    first_name: str
    language_code: str
    username: str | None = None
    last_name: str | None = None
    phone_number: str = "+8613800138000"
    started: bool = False
    blocked: bool = False


@dataclass(frozen=True, slots=True)
class Chat:
    """A private chat, whose id is the person's, or a group or channel."""

    id: int
    type: ChatType
    title: str = ""
    members: tuple[int, ...] = ()
    bot_inside: bool = True
    privacy: bool = True
    bot_admin: bool = False
    forum: bool = False
    admins: frozenset[int] = frozenset()
    banned: frozenset[int] = frozenset()
    facts: Json = field(default_factory=dict)  # what the bot set: the title apart, description, permissions, links


@dataclass(frozen=True, slots=True)
class InlineButton:
    """One inline button; `value` is its data, its address or the text it copies."""

    label: str
    kind: str
    value: str = ""
    style: str | None = None


@dataclass(frozen=True, slots=True)
class ReplyMarkup:
    """A validated reply_markup. Only an inline keyboard is a part of the message."""

    kind: str
    json: Json
    buttons: tuple[tuple[InlineButton, ...], ...] = ()
    keys: tuple[tuple[str, ...], ...] = ()
    placeholder: str | None = None

    @property
    def inline(self) -> bool:
        """Whether it is an inline keyboard."""
        return self.kind == "inline"

    @property
    def forces_reply(self) -> bool:
        """Whether apps open the input field for a reply to the message."""
        return bool(self.json.get("force_reply"))


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file and its file_id."""

    id: str
    unique_id: str
    path: str
    name: str
    content: bytes
    type: str


@dataclass(frozen=True, slots=True)
class Message:
    """One message in its current form; an edit makes a new record with the same id.

    `text` is the caption when the message has media. `media` holds the media fields under the Bot API's names, `origin`
    the message that was forwarded, `offer` what an invoice keeps for its payment, `reactions` emoji by who reacted.
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
    via: bool = False  # a chosen result of an inline query
    inline_id: str | None = None
    thread: int | None = None
    album: str | None = None
    origin: Json | None = None
    offer: Json = field(default_factory=dict)
    reactions: Mapping[int, Sequence[str]] = field(default_factory=dict)
    votes: Mapping[int, Sequence[int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class InlineResult:
    """One result of an inline query. `given` is the bot's JSON, `facts` its message; None cannot be sent here."""

    id: str
    kind: str
    given: Json
    facts: Json | None


@dataclass(frozen=True, slots=True)
class InlineAnswer:
    """The answer to an inline query: its results, and a button above them that leads to the bot's chat."""

    results: Sequence[InlineResult] = ()
    button: Json | None = None


@dataclass(frozen=True, slots=True)
class CachedAnswer:
    """An answer, and when it expires, in seconds since 1970."""

    answer: InlineAnswer
    expires: float


@dataclass(slots=True)
class InlineAnswers:
    """The answer that each person sees now, and the cached ones.

    As on the public server, an answer is cached for `cache_time` seconds and shown to everybody who types the same
    query. A personal answer is cached for one person. https://core.telegram.org/bots/api#answerinlinequery
    """

    shown: dict[int, tuple[str, InlineAnswer]] = field(default_factory=dict)
    _cached: dict[tuple[str, int | None], CachedAnswer] = field(default_factory=dict)

    def cache(self, query: str, user: int | None, cached: CachedAnswer) -> None:
        """Cache an answer for one person, or for everybody when `user` is None."""
        self._cached[query, user] = cached

    def find(self, query: str, user: int, now: float) -> InlineAnswer | None:
        """Return the cached answer to this person's query, unless it has expired."""
        for key in ((query, user), (query, None)):
            cached = self._cached.get(key)
            if cached is not None and cached.expires > now:
                return cached.answer
        return None
