"""Texts and captions: their markup read, their ends trimmed, their length checked."""

from __future__ import annotations

from typing import Any

from playground.botapi.fields import CallFields
from playground.botapi.html import read_html
from playground.botapi.markdown import read_markdown
from playground.botapi.markup import InvalidMarkup, date_time_entity, emoji_entity, link_entity
from playground.world.api_errors import bad_request
from playground.world.entities import add_found_entities, sort_entities, utf16_length
from playground.world.records import Json

LONGEST_TEXT = 4096
LONGEST_CAPTION = 1024

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
_FOUND_ANYWAY = frozenset(
    ["mention", "hashtag", "cashtag", "bot_command", "url", "email", "phone_number", "bank_card_number"]
)

FormattedText = tuple[str, tuple[Json, ...]]


def message_text(fields: CallFields) -> FormattedText:
    """Return the text of a message; it must say something."""
    return check_text(fields.text("text"), read_formatted(fields, "text", "entities"))


def check_text(raw: str, read: FormattedText) -> FormattedText:
    """Refuse a text that is empty or too long."""
    if not raw:
        raise bad_request("message text is empty")
    text, entities = read
    if not text:
        raise bad_request("text must be non-empty")
    if len(text) > LONGEST_TEXT:
        raise bad_request("message is too long")
    return text, entities


def caption(fields: CallFields) -> FormattedText:
    """Return the caption of a picture or file; it may be empty."""
    return check_caption(read_formatted(fields, "caption", "caption_entities"))


def check_caption(read: FormattedText) -> FormattedText:
    """Refuse a caption that is too long."""
    if len(read[0]) > LONGEST_CAPTION:
        raise bad_request("message caption is too long")
    return read


def read_formatted(fields: CallFields, name: str, entities_name: str) -> FormattedText:
    """Read a text with its markup or its list of entities."""
    mode = fields.text("parse_mode")
    return read_markup(fields.text(name), mode, fields.json(entities_name, "entities"))


def read_markup(raw: str, mode: str, entities: Any) -> FormattedText:
    """Read a text by the rules of its parse mode."""
    raw = _clean(raw)
    try:
        match mode.lower():
            case "":
                text, given = raw, _given(raw, entities)
            case "html":
                text, given = read_html(raw)
            case "markdownv2":
                text, given = read_markdown(raw)
            case "none":
                text, given = raw, ()
            case _:
                raise bad_request("unsupported parse_mode")
    except InvalidMarkup as error:
        raise bad_request(f"can't parse entities: {error}") from None
    text, given = _trimmed(text, given)
    return text, add_found_entities(text, given)


def _clean(raw: str) -> str:
    kept = raw.replace("\r", "").translate(_BLANKS)
    return kept.encode("utf-8", "replace").decode("utf-8")


_BLANKS = {code: " " for code in range(32) if code != 10} | {0x2028: "\n", 0x2029: "\n", 0x202E: None}


def _given(text: str, entities: Any) -> tuple[Json, ...]:
    if entities is None:
        return ()
    if not isinstance(entities, list):
        raise bad_request("expected an Array of MessageEntity")
    longest = utf16_length(text)
    read = [_entity(entity, longest) for entity in entities]
    return sort_entities(entity for entity in read if entity is not None and entity["length"])


def _entity(given: Any, longest: int) -> Json | None:
    if not isinstance(given, dict):
        raise bad_request("can't parse MessageEntity: expected an Object")
    place = given.get("offset"), given.get("length")
    if not all(isinstance(number, int) for number in place):
        raise bad_request('can\'t parse MessageEntity: Can\'t find field "offset" or "length"')
    if str(given.get("type")) not in _TYPES | _FOUND_ANYWAY:
        raise bad_request("can't parse MessageEntity: Unsupported type specified")
    if given["offset"] < 0 or given["length"] < 0 or given["offset"] + given["length"] > longest:
        raise bad_request(f"entity beginning at UTF-16 offset {given['offset']} ends after the end of the text")
    return _with_argument(given)


def _with_argument(given: Json) -> Json | None:
    place = {"offset": given["offset"], "length": given["length"]}
    match given["type"]:
        case "text_link":
            argument = link_entity(str(given.get("url", "")), "")
        case "custom_emoji":
            argument = emoji_entity(str(given.get("custom_emoji_id", "")))
        case "date_time":
            unix = given.get("unix_time")
            argument = date_time_entity(unix if isinstance(unix, int) else 0, str(given.get("date_time_format", "")))
        case kind:
            # Commands, links and the like are found anyway; naming them changes nothing.
            return None if kind in _FOUND_ANYWAY else given
    return {**argument, **place} if argument else None


def _trimmed(text: str, entities: tuple[Json, ...]) -> FormattedText:
    bare = text.lstrip()
    shift = utf16_length(text) - utf16_length(bare)
    bare = bare.rstrip()
    end = utf16_length(bare)
    kept = []
    for entity in entities:
        first = max(entity["offset"] - shift, 0)
        last = min(entity["offset"] + entity["length"] - shift, end)
        if last > first:
            kept.append({**entity, "offset": first, "length": last - first})
    return bare, sort_entities(kept)
