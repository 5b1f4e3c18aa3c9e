"""What both markups have in common: the entities that need an argument, and the error when one cannot be read."""

from __future__ import annotations

import re

from playground.botapi.links import normalize_url_or_empty

Entity = dict[str, object]
LAST_MOMENT = 2**31 - 1

_DATE_FORMAT = re.compile(r"[rR]|[tTdDwW]*")
_MENTION = re.compile(r"(?i)tg://user\?id=(\d{1,15})")


class InvalidMarkup(Exception):
    """A text whose markup cannot be read; the message is the server's."""


def link_entity(address: str, text: str) -> Entity | None:
    """Return a link or a mention; an address Telegram cannot use loses the link without a word."""
    mention = _MENTION.fullmatch(address)
    if mention:
        return {"type": "text_mention", "user": {"id": int(mention[1]), "is_bot": False, "first_name": text}}
    checked = normalize_url_or_empty(address)
    return {"type": "text_link", "url": checked} if checked else None


def emoji_entity(id: str) -> Entity:
    """Return a custom emoji."""
    if not re.fullmatch(r"-?\d{1,19}", id) or int(id) == 0:
        raise InvalidMarkup("Invalid custom emoji identifier specified")
    return {"type": "custom_emoji", "custom_emoji_id": id}


def date_time_entity(unix: int, form: str) -> Entity | None:
    """Return a moment that the reader's own client words; none without a date."""
    if not _DATE_FORMAT.fullmatch(form):
        raise InvalidMarkup("Invalid date format used")
    if not 0 < unix <= LAST_MOMENT:
        return None
    return {"type": "date_time", "unix_time": unix} | ({"date_time_format": form} if form else {})
