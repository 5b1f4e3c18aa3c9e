"""Formatted texts of messages and captions: reads the markup, trims the ends, finds entities, checks the length.

https://core.telegram.org/bots/api#formatting-options
"""

from __future__ import annotations

from typing import Any

from playground.botapi.formatting.html import read_html
from playground.botapi.formatting.legacy_markdown import read_legacy_markdown
from playground.botapi.formatting.markdown import read_markdown
from playground.botapi.formatting.markup import InvalidMarkup, date_time_entity, emoji_entity, link_entity
from playground.world.entities import add_found_entities, sort_entities, utf16_length
from playground.world.errors import bad_request
from playground.world.records import Json

MAX_TEXT = 4096
MAX_CAPTION = 1024

_TYPES = frozenset(
    [
        "bold",
        "italic",
        "underline",
        "strikethrough",
        "spoiler",
        "code",
        "pre",
        "blockquote",
        "expandable_blockquote",
        "text_link",
        "text_mention",
        "custom_emoji",
        "date_time",
    ]
)
_FOUND_BY_TELEGRAM = frozenset(
    ["mention", "hashtag", "cashtag", "bot_command", "url", "email", "phone_number", "bank_card_number"]
)

FormattedText = tuple[str, tuple[Json, ...]]


def check_text(raw: str, formatted: FormattedText) -> FormattedText:
    """Return the text. Raises `ApiError` when it is empty or too long; `raw` is the text before its markup was read."""
    if not raw:
        raise bad_request("message text is empty")
    text, entities = formatted
    if not text:
        raise bad_request("text must be non-empty")
    if len(text) > MAX_TEXT:
        raise bad_request("message is too long")
    return text, entities


def check_caption(formatted: FormattedText) -> FormattedText:
    """Return the caption. Raises `ApiError` when it is too long."""
    if len(formatted[0]) > MAX_CAPTION:
        raise bad_request("message caption is too long")
    return formatted


def read_markup(raw: str, mode: str, entities: Any) -> FormattedText:
    """Read a text by its parse mode, or with its list of entities. Raises `ApiError` for wrong markup."""
    raw = _clean(raw)
    try:
        match mode.lower():
            case "":
                text, found = raw, _explicit_entities(raw, entities)
            case "html":
                text, found = read_html(raw)
            case "markdownv2":
                text, found = read_markdown(raw)
            case "markdown":
                text, found = read_legacy_markdown(raw)
            case "none":
                text, found = raw, ()
            case _:
                raise bad_request("unsupported parse_mode")
    except InvalidMarkup as error:
        raise bad_request(f"can't parse entities: {error}") from None
    text, found = _trimmed(text, found)
    return text, add_found_entities(text, found)


def _clean(raw: str) -> str:
    cleaned = raw.replace("\r", "").translate(_BLANKS)
    return cleaned.encode("utf-8", "replace").decode("utf-8")


_BLANKS = {code: " " for code in range(32) if code != 10} | {0x2028: "\n", 0x2029: "\n", 0x202E: None}


def _explicit_entities(text: str, entities: Any) -> tuple[Json, ...]:
    if entities is None:
        return ()
    if not isinstance(entities, list):
        raise bad_request("expected an Array of MessageEntity")
    length = utf16_length(text)
    checked = [_entity(entity, length) for entity in entities]
    return sort_entities(entity for entity in checked if entity is not None and entity["length"])


def _entity(given: Any, text_length: int) -> Json | None:
    if not isinstance(given, dict):
        raise bad_request("can't parse MessageEntity: expected an Object")
    if not all(isinstance(given.get(name), int) for name in ("offset", "length")):
        raise bad_request('can\'t parse MessageEntity: Can\'t find field "offset" or "length"')
    if str(given.get("type")) not in _TYPES | _FOUND_BY_TELEGRAM:
        raise bad_request("can't parse MessageEntity: Unsupported type specified")
    if given["offset"] < 0 or given["length"] < 0 or given["offset"] + given["length"] > text_length:
        raise bad_request(f"entity beginning at UTF-16 offset {given['offset']} ends after the end of the text")
    return _with_argument(given)


def _with_argument(given: Json) -> Json | None:
    position = {"offset": given["offset"], "length": given["length"]}
    match given["type"]:
        case "text_link":
            argument = link_entity(str(given.get("url", "")), "")
        case "custom_emoji":
            argument = emoji_entity(str(given.get("custom_emoji_id", "")))
        case "date_time":
            unix = given.get("unix_time")
            argument = date_time_entity(unix if isinstance(unix, int) else 0, str(given.get("date_time_format", "")))
        case kind:
            # Telegram finds commands, links and the like by itself, so listing them changes nothing.
            return None if kind in _FOUND_BY_TELEGRAM else given
    return {**argument, **position} if argument else None


def _trimmed(text: str, entities: tuple[Json, ...]) -> FormattedText:
    trimmed = text.lstrip()
    shift = utf16_length(text) - utf16_length(trimmed)
    trimmed = trimmed.rstrip()
    end = utf16_length(trimmed)
    remaining = []
    for entity in entities:
        first = max(entity["offset"] - shift, 0)
        last = min(entity["offset"] + entity["length"] - shift, end)
        if last > first:
            remaining.append({**entity, "offset": first, "length": last - first})
    return trimmed, sort_entities(remaining)
