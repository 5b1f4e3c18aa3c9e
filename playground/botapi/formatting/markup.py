"""The parts that HTML and MarkdownV2 share: the scanner, entities that need an argument, and the error."""

from __future__ import annotations

import re

from playground.botapi.formatting.urls import normalize_url_or_empty
from playground.world.entities import sort_entities, utf16_length
from playground.world.records import Json

Entity = dict[str, object]
MAX_UNIX_TIME = 2**31 - 1

_DATE_FORMAT = re.compile(r"[rR]|[tTdDwW]*")
_MENTION = re.compile(r"(?i)tg://user\?id=(\d{1,15})")


class InvalidMarkup(Exception):
    """The markup of a text is wrong. The message is the public server's."""


class MarkupScanner:
    """A position in the source, with the plain text and the entities that were read before it."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._at = 0
        self._out: list[str] = []
        self._units = 0
        self._entities: list[Entity] = []

    def _write(self, text: str) -> None:
        self._out.append(text)
        self._units += utf16_length(text)

    def _peek(self) -> str:
        return self._source[self._at : self._at + 1]

    def _byte_offset(self, index: int) -> int:
        return len(self._source[:index].encode())

    def _result(self) -> tuple[str, tuple[Json, ...]]:
        return "".join(self._out), sort_entities(self._entities)


def link_entity(url: str, text: str) -> Entity | None:
    """Return a link or a mention. None for an invalid URL: Telegram then shows the plain text."""
    mention = _MENTION.fullmatch(url)
    if mention:
        return {"type": "text_mention", "user": {"id": int(mention[1]), "is_bot": False, "first_name": text}}
    normalized = normalize_url_or_empty(url)
    return {"type": "text_link", "url": normalized} if normalized else None


def emoji_entity(id: str) -> Entity:
    """Return a custom emoji. Raises `InvalidMarkup`."""
    if not re.fullmatch(r"-?\d{1,19}", id) or int(id) == 0:
        raise InvalidMarkup("Invalid custom emoji identifier specified")
    return {"type": "custom_emoji", "custom_emoji_id": id}


def date_time_entity(unix: int, format: str) -> Entity | None:
    """Return a time that each client shows in its own format; None for an invalid time. Raises `InvalidMarkup`."""
    if not _DATE_FORMAT.fullmatch(format):
        raise InvalidMarkup("Invalid date format used")
    if not 0 < unix <= MAX_UNIX_TIME:
        return None
    return {"type": "date_time", "unix_time": unix} | ({"date_time_format": format} if format else {})
