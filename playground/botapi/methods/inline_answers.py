"""The method answerInlineQuery: checks the results as the public server does and prepares their messages."""

from __future__ import annotations

import re
from typing import Any

from playground.botapi.fields import CallFields
from playground.botapi.formatting.formatted_text import check_caption, check_text, read_markup
from playground.botapi.formatting.urls import InvalidUrl, normalize_url
from playground.botapi.keyboards import inline_markup
from playground.botapi.methods.media import find_media
from playground.botapi.methods.sending import PREVIEW_FIELDS
from playground.world.errors import QUERY_TOO_OLD, ApiError, bad_request
from playground.world.inline_choice import show_results
from playground.world.records import CachedAnswer, InlineAnswer, InlineResult, Json
from playground.world.world import QueryPurpose, World

MAX_RESULTS = 50
MAX_ID = 64
MAX_OFFSET = 64
CACHE_TIME = 300  # seconds
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
# The fields that these kinds require besides type and id. The simulator cannot send them, unless they have a text.
_REQUIRED = {
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
    """Answer an inline query."""
    given = fields.json("results", "inline query results")
    if not isinstance(given, list):
        raise bad_request("expected an Array of inline query results")
    if len(given) > MAX_RESULTS:
        raise bad_request("too many inline query results specified")
    results = [await _result(world, fields, result) for result in given]
    if len({result.id for result in results}) != len(results):
        raise bad_request("RESULT_ID_DUPLICATE")
    answer = InlineAnswer(results, _button(fields))
    if len(fields.text("next_offset").encode()) > MAX_OFFSET:
        raise bad_request("NEXT_OFFSET_INVALID")
    query = world.take_query(fields.text("inline_query_id"), QueryPurpose.INLINE)
    if query is None:
        raise bad_request(QUERY_TOO_OLD)
    cached = CachedAnswer(answer, world.clock() + fields.integer("cache_time", CACHE_TIME))
    world.inline_answers.cache(query.text, query.user if fields.flag("is_personal") else None, cached)
    show_results(world, query.chat, query.user, query.text, answer)
    return True


async def _result(world: World, fields: CallFields, given: Any) -> InlineResult:
    try:
        if not isinstance(given, dict):
            raise bad_request("Inline query result must be an object")
        kind, id = _required_string(given, "type").lower(), _required_string(given, "id")
        if not 0 < len(id.encode()) <= MAX_ID:
            raise bad_request("RESULT_ID_INVALID")
        facts = await _message_facts(world, fields, kind, given)
    except ApiError as error:
        reason = error.description.removeprefix("Bad Request: ")
        raise bad_request(f"can't parse inline query result: {reason}") from None
    return InlineResult(id, kind, given, facts)


async def _message_facts(world: World, fields: CallFields, kind: str, given: Json) -> Json | None:
    if kind in _FIELDS:
        given = fields.drop_unknown(given, _FIELDS[kind].split(), f"InlineQueryResult of type {kind}")
    markup = inline_markup(fields, given.get("reply_markup"))
    text = _text(fields, given.get("input_message_content"))
    media: Json | None = None
    match kind:
        case "article":
            _required_string(given, "title")
            if text is None and given.get("input_message_content") is None:
                raise bad_request("Message content is not specified")
        case "photo" | "document":
            if kind == "document":
                _required_string(given, "title")
            kind, media = await find_media(world, fields, kind, _file_reference(given, kind), None, {})
        case _:
            _check_other(kind, given)
    if text is not None:
        return {**text, "kind": "text", "markup": markup}
    if media is None:
        return None
    raw, mode = _string(given, "caption"), _string(given, "parse_mode")
    caption, entities = check_caption(read_markup(raw, mode, given.get("caption_entities")))
    return {"kind": kind, "media": media, "text": caption, "entities": entities, "markup": markup}


def _text(fields: CallFields, given: Any) -> Json | None:
    if given is None:
        return None
    if not isinstance(given, dict):
        raise bad_request("Object expected as input message content")
    if "message_text" not in given:
        return None  # a location, a contact, an invoice
    given = fields.drop_unknown(given, _TEXT_FIELDS.split(), "InputTextMessageContent")
    preview = given.get("link_preview_options")
    if isinstance(preview, dict):
        fields.drop_unknown(preview, PREVIEW_FIELDS.split(), "link_preview_options")
    raw, mode = _string(given, "message_text"), _string(given, "parse_mode")
    text, entities = check_text(raw, read_markup(raw, mode, given.get("entities")))
    return {"text": text, "entities": entities}


def _file_reference(given: Json, kind: str) -> str:
    """Return the file_id or the URL of the file. Raises `ApiError` when there is neither."""
    reference = _string(given, f"{kind}_file_id") or _string(given, f"{kind}_url")
    if not reference:
        raise bad_request(f'Can\'t find field "{kind}_url"')
    return reference


def _check_other(kind: str, given: Json) -> None:
    if kind not in _REQUIRED:
        raise bad_request(f'Unsupported inline query result type "{kind}"')
    for names in _REQUIRED[kind]:
        if not any(name in given for name in names.split()):
            raise bad_request(f'Can\'t find field "{names.split()[0]}"')


def _required_string(given: Json, name: str) -> str:
    if name not in given:
        raise bad_request(f'Can\'t find field "{name}"')
    return _string(given, name)


def _string(given: Json, name: str) -> str:
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
    if not _required_string(given, "text"):
        raise bad_request("can't parse inline query results button: Button text must be non-empty")
    if isinstance(page := given.get("web_app"), dict):
        _check_web_app_url(_required_string(page, "url"))
    elif not _START.fullmatch(_string(given, "start_parameter")):
        raise bad_request("START_PARAM_INVALID")
    return given


def _check_web_app_url(url: str) -> None:
    try:
        normalize_url(url, https_only=True)
    except InvalidUrl as error:
        raise bad_request(f"inline query results button Web App URL '{url}' is invalid: {error}") from None
