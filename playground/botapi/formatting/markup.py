"""The parts that HTML and MarkdownV2 share: entities that need an argument, and the error."""

from __future__ import annotations

import re

from playground.botapi.formatting.urls import normalize_url_or_empty

Entity = dict[str, object]
MAX_UNIX_TIME = 2**31 - 1

_DATE_FORMAT = re.compile(r"[rR]|[tTdDwW]*")
_MENTION = re.compile(r"(?i)tg://user\?id=(\d{1,15})")


class InvalidMarkup(Exception):
    """The markup of a text is wrong. The message is the public server's."""


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
