"""answerInlineQuery: the results are checked as the public server checks them, and made ready to become messages."""

from __future__ import annotations

import re
from typing import Any

from playground.botapi.fields import CallFields
from playground.botapi.keyboards import inline_markup
from playground.botapi.links import InvalidUrl, normalize_url
from playground.botapi.sending import PREVIEW_FIELDS, document, photo
from playground.botapi.texts import check_caption, check_text, read_markup
from playground.world.api_errors import QUERY_TOO_OLD, ApiError, bad_request
from playground.world.inline import CachedAnswer
from playground.world.inline_choice import show_results
from playground.world.records import InlineAnswer, InlineResult, Json
from playground.world.world import World

MOST_RESULTS = 50
LONGEST_ID = 64
LONGEST_OFFSET = 64
CACHE_TIME = 300
_START = re.compile(r"[A-Za-z0-9_-]{1,64}")
_TEXT_FIELDS = "message_text parse_mode entities link_preview_options"
_CAPTION = "caption parse_mode caption_entities"
_ANY = "type id reply_markup input_message_content"
_FIELDS = {
    "article": f"{_ANY} title url description thumbnail_url thumbnail_width thumbnail_height",
    "photo": (
        f"{_ANY} {_CAPTION} show_caption_above_media title description photo_url thumbnail_url photo_width "
        "photo_height photo_file_id"
    ),
    "document": (
        f"{_ANY} {_CAPTION} title description document_url document_file_id mime_type thumbnail_url thumbnail_width "
        "thumbnail_height"
    ),
}
# What one of these must have, beside type and id; none of them is shown here, unless it brings a text of its own.
_NEEDED = {
    "audio": ("audio_url audio_file_id", "title"),
    "contact": ("phone_number", "first_name"),
    "game": ("game_short_name",),
    "gif": ("gif_url gif_file_id",),
    "location": ("latitude", "longitude", "title"),
    "mpeg4_gif": ("mpeg4_url mpeg4_file_id",),
    "sticker": ("sticker_file_id",),
    "venue": ("latitude", "longitude", "title", "address"),
    "video": ("video_url video_file_id", "title"),
    "voice": ("voice_url voice_file_id", "title"),
}


async def answer_inline_query(world: World, fields: CallFields) -> bool:
    """Answer what somebody typed behind the bot's name in any chat."""
    given = fields.json("results", "inline query results")
    if not isinstance(given, list):
        raise bad_request("expected an Array of inline query results")
    if len(given) > MOST_RESULTS:
        raise bad_request("too many inline query results specified")
    offers = [await _offer(world, fields, result) for result in given]
    if len({offer.id for offer in offers}) != len(offers):
        raise bad_request("RESULT_ID_DUPLICATE")
    answer = InlineAnswer(offers, _button(fields))
    if len(fields.text("next_offset").encode()) > LONGEST_OFFSET:
        raise bad_request("NEXT_OFFSET_INVALID")
    query = world.take_query(fields.text("inline_query_id"), inline=True)
    if query is None or query.text is None:
        raise bad_request(QUERY_TOO_OLD)
    kept = CachedAnswer(answer, world.clock() + fields.integer("cache_time", CACHE_TIME))
    world.inline_answers.cache(query.text, query.user if fields.flag("is_personal") else None, kept)
    show_results(world, query.chat, query.user, query.text, answer)
    return True


async def _offer(world: World, fields: CallFields, given: Any) -> InlineResult:
    try:
        if not isinstance(given, dict):
            raise bad_request("Inline query result must be an object")
        kind, id = _needed(given, "type").lower(), _needed(given, "id")
        if not 0 < len(id.encode()) <= LONGEST_ID:
            raise bad_request("RESULT_ID_INVALID")
        facts = await _facts(world, fields, kind, given)
    except ApiError as refused:
        why = refused.description.removeprefix("Bad Request: ")
        raise bad_request(f"can't parse inline query result: {why}") from None
    return InlineResult(id, kind, given, facts)


async def _facts(world: World, fields: CallFields, kind: str, given: Json) -> Json | None:
    if kind in _FIELDS:
        given = fields.drop_unknown(given, _FIELDS[kind].split(), f"InlineQueryResult of type {kind}")
    markup = inline_markup(fields, given.get("reply_markup"))
    text = _text(fields, given.get("input_message_content"))
    media: Json | None = None
    match kind:
        case "article":
            _needed(given, "title")
            if text is None and given.get("input_message_content") is None:
                raise bad_request("Message content is not specified")
        case "photo":
            media = await photo(world, named, None) if (named := _named(given, "photo")) else None
        case "document":
            _needed(given, "title")
            media = document(world, named, None) if (named := _named(given, "document")) else None
        case _:
            _check_other(kind, given)
    if text is not None:
        return {**text, "kind": "text", "markup": markup}
    if media is None:
        return None
    words, mode = _word(given, "caption"), _word(given, "parse_mode")
    caption, entities = check_caption(read_markup(words, mode, given.get("caption_entities")))
    return {"kind": kind, "media": media, "text": caption, "entities": entities, "markup": markup}


def _text(fields: CallFields, given: Any) -> Json | None:
    if given is None:
        return None
    if not isinstance(given, dict):
        raise bad_request("Object expected as input message content")
    if "message_text" not in given:
        return None  # a place, a contact, an invoice
    given = fields.drop_unknown(given, _TEXT_FIELDS.split(), "InputTextMessageContent")
    preview = given.get("link_preview_options")
    if isinstance(preview, dict):
        fields.drop_unknown(preview, PREVIEW_FIELDS.split(), "link_preview_options")
    words, mode = _word(given, "message_text"), _word(given, "parse_mode")
    text, entities = check_text(words, read_markup(words, mode, given.get("entities")))
    return {"text": text, "entities": entities}


def _named(given: Json, kind: str) -> str | None:
    """Return the file_id; a picture of the web is fetched by nobody here."""
    if not (_word(given, f"{kind}_file_id") or _word(given, f"{kind}_url")):
        raise bad_request(f'Can\'t find field "{kind}_url"')
    return _word(given, f"{kind}_file_id") or None


def _check_other(kind: str, given: Json) -> None:
    if kind not in _NEEDED:
        raise bad_request(f'Unsupported inline query result type "{kind}"')
    for names in _NEEDED[kind]:
        if not any(name in given for name in names.split()):
            raise bad_request(f'Can\'t find field "{names.split()[0]}"')


def _needed(given: Json, name: str) -> str:
    if name not in given:
        raise bad_request(f'Can\'t find field "{name}"')
    return _word(given, name)


def _word(given: Json, name: str) -> str:
    value = given.get(name, "")
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        raise bad_request(f'Field "{name}" must be of type String')
    return value


def _button(fields: CallFields) -> Json | None:
    given = fields.object("button", "inline query results button", "text web_app start_parameter")
    if not given:
        return None
    if not _needed(given, "text"):
        raise bad_request("can't parse inline query results button: Button text must be non-empty")
    if isinstance(page := given.get("web_app"), dict):
        _check_page(_needed(page, "url"))
    elif not _START.fullmatch(_word(given, "start_parameter")):
        raise bad_request("START_PARAM_INVALID")
    return given


def _check_page(url: str) -> None:
    try:
        normalize_url(url, https_only=True)
    except InvalidUrl as error:
        raise bad_request(f"inline query results button Web App URL '{url}' is invalid: {error}") from None
