"""The methods that send: texts, files, albums and everything that contents.py reads. Editing shares the texts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from playground.botapi.fields import CallFields
from playground.botapi.formatting.formatted_text import FormattedText, check_caption, check_text, read_markup
from playground.botapi.keyboards import reply_markup
from playground.botapi.methods.chats import chat_to_write
from playground.botapi.methods.media import find_media, media_of
from playground.world.errors import bad_request
from playground.world.records import Chat, ChatType, Json
from playground.world.world import World

ContentReader = Callable[[World, CallFields], Awaitable[Json]]
MethodHandler = Callable[[World, CallFields], Awaitable[Any]]

ACTIONS = frozenset(
    [
        "typing",
        "upload_photo",
        "record_video",
        "upload_video",
        "record_voice",
        "upload_voice",
        "upload_document",
        "choose_sticker",
        "find_location",
        "record_video_note",
        "upload_video_note",
    ]
)

PREVIEW_FIELDS = "is_disabled url prefer_small_media prefer_large_media show_above_text"
_REPLY_FIELDS = (
    "message_id chat_id allow_sending_without_reply quote quote_parse_mode quote_entities quote_position "
    "checklist_task_id poll_option_id"
)
_SPECIAL_BUTTONS = {"invoice": "pay", "game": "callback_game"}
_ALBUM = {"photo", "video", "live_photo"}
_ALBUM_SIZE = range(2, 11)
_ANY_MEDIA = "type media caption parse_mode caption_entities thumbnail thumb"
_SIZES = "width height duration"
MEDIA_FIELDS = {
    "photo": f"{_ANY_MEDIA} show_caption_above_media has_spoiler",
    "video": f"{_ANY_MEDIA} {_SIZES} show_caption_above_media has_spoiler cover start_timestamp supports_streaming",
    "animation": f"{_ANY_MEDIA} {_SIZES} show_caption_above_media has_spoiler",
    "audio": f"{_ANY_MEDIA} duration performer title",
    "document": f"{_ANY_MEDIA} disable_content_type_detection",
    "live_photo": f"{_ANY_MEDIA} {_SIZES} photo show_caption_above_media has_spoiler",
}


def sender(read: ContentReader) -> MethodHandler:
    """Return the method that sends what `read` finds in the fields."""

    async def send_content(world: World, fields: CallFields) -> Json:
        return send(world, fields, **await read(world, fields))

    return send_content


async def text_content(world: World, fields: CallFields) -> Json:
    """A text."""
    text, entities = message_text(fields)
    return {"kind": "text", "text": text, "entities": entities}


def file_content(kind: str) -> ContentReader:
    """Return the reader of a file of that kind, with a caption."""

    async def read(world: World, fields: CallFields) -> Json:
        text, entities = caption(fields)
        found, media = await media_of(world, fields, kind)
        spoiler, above = fields.flag("has_spoiler"), fields.flag("show_caption_above_media")
        shown = {"kind": found, "media": media, "spoiler": spoiler, "caption_above": above}
        return {"text": text, "entities": entities, **shown}

    return read


async def paid_media(world: World, fields: CallFields) -> Json:
    """Photos and videos that open when Stars are paid; the simulator shows their number and the price."""
    text, entities = caption(fields)
    given = fields.array("media", "input paid media", "InputPaidMedia")
    if not given or not fields.integer("star_count"):
        raise bad_request("there is no paid media in the request" if not given else "wrong number of stars specified")
    for item in given:
        await read_media(world, fields, item, "InputPaidMedia")
    preview = [{"type": "preview"} for _ in given]
    media = {"paid_media": {"star_count": fields.integer("star_count"), "paid_media": preview}}
    return {"kind": "paid_media", "media": media, "text": text, "entities": entities}


async def send_media_group(world: World, fields: CallFields) -> list[Json]:
    """Send an album: several messages that the person sees as one."""
    given = fields.array("media", "media", "InputMedia")
    if len(given) not in _ALBUM_SIZE:
        raise bad_request("media group must include 2-10 items")
    items = [await read_media(world, fields, item, "InputMedia") for item in given]
    kinds = {item["kind"] for item in items}
    if not (kinds <= _ALBUM or kinds in ({"audio"}, {"document"})):
        raise bad_request("can't use the media of the specified type in the album")
    album = str(world.rng.randrange(10**16, 10**17))
    return [send(world, fields, album=album, **item) for item in items]


async def read_media(world: World, fields: CallFields, given: Any, type_name: str) -> Json:
    """Return the facts of one InputMedia. Raises `ApiError`."""
    if not isinstance(given, dict):
        raise bad_request(f"can't parse {type_name}: expected an Object")
    kind, reference = str(given.get("type")), given.get("media")
    if kind not in MEDIA_FIELDS:
        raise bad_request(f'can\'t parse {type_name}: type "{kind}" is unsupported')
    given = fields.drop_unknown(given, MEDIA_FIELDS[kind].split(), f"{type_name} of type {kind}")
    if not isinstance(reference, str) or not reference:
        raise bad_request(f"can't parse {type_name}: media not found")
    text, entities = _caption_of(given, type_name)
    if reference.startswith("attach://") and fields.attached(reference) is None:
        raise bad_request(f"can't parse {type_name}: media not found")
    found, media = await find_media(world, fields, kind, reference, fields.attached(reference), given)
    shown = {"spoiler": bool(given.get("has_spoiler")), "caption_above": bool(given.get("show_caption_above_media"))}
    return {"kind": found, "media": media, "text": text, "entities": entities, **shown}


def _caption_of(given: Json, type_name: str) -> FormattedText:
    caption_text, mode = given.get("caption") or "", given.get("parse_mode") or ""
    if not isinstance(caption_text, str) or not isinstance(mode, str):
        raise bad_request(f'can\'t parse {type_name}: Field "caption" must be of type String')
    return check_caption(read_markup(caption_text, mode, given.get("caption_entities")))


async def send_chat_action(world: World, fields: CallFields) -> bool:
    """Show in the chat what the bot is busy with."""
    chat = chat_to_write(world, fields)
    if fields.text("action").lower() not in ACTIONS:
        raise bad_request("wrong parameter action in request")
    world.show_typing(chat.id, "action", action=fields.text("action").lower())
    return True


async def send_message_draft(world: World, fields: CallFields) -> bool:
    """Show a text that the bot still writes; it vanishes unless a message follows."""
    chat = chat_to_write(world, fields)
    if not fields.integer("draft_id"):
        raise bad_request("invalid draft_id specified")
    text, _ = _formatted(fields, "text", "entities")
    if chat.type is not ChatType.PRIVATE:
        raise bad_request("chat not found")
    world.show_typing(chat.id, "draft", text=text)
    return True


def message_text(fields: CallFields) -> FormattedText:
    """Return the text of a message. Raises `ApiError` when it is empty or too long."""
    return check_text(fields.text("text"), _formatted(fields, "text", "entities"))


def caption(fields: CallFields) -> FormattedText:
    """Return the caption of a photo or document; it may be empty. Raises `ApiError` when it is too long."""
    return check_caption(_formatted(fields, "caption", "caption_entities"))


def _formatted(fields: CallFields, text_field: str, entities_field: str) -> FormattedText:
    entities = fields.json(entities_field, "entities")
    return read_markup(fields.text(text_field), fields.text("parse_mode"), entities)


def send(world: World, fields: CallFields, **facts: Any) -> Json:
    """Send a message with these facts into the chat of the call. Raises `ApiError`."""
    chat = chat_to_write(world, fields)
    if fields.text("business_connection_id"):
        fields.remark("the simulator has no business connections: the bot itself sends the message")
    markup = reply_markup(fields, special=_SPECIAL_BUTTONS.get(facts["kind"], ""))
    reply_to = _reply_target(world, chat.id, fields)
    thread = _thread(world, chat, fields)
    # The simulator fetches no links, so there are no previews; the options are only validated.
    fields.object("link_preview_options", "link preview options", PREVIEW_FIELDS)
    message = world.add_message(
        chat.id,
        world.profile.id,
        markup=markup,
        reply_to=reply_to,
        protect=fields.flag("protect_content"),
        thread=thread,
        **facts,
    )
    return world.bot_api_message(message)


def _thread(world: World, chat: Chat, fields: CallFields) -> int | None:
    id = max(fields.integer("message_thread_id"), 0)
    if not id or not (chat.forum or chat.type is ChatType.PRIVATE):
        return None
    if (chat.id, id) not in world.topics:
        raise bad_request("message thread not found")
    if world.topics[chat.id, id].get("is_closed"):
        raise bad_request("TOPIC_CLOSED")
    return id


def _reply_target(world: World, chat: int, fields: CallFields) -> int | None:
    given = fields.object("reply_parameters", "reply parameters", _REPLY_FIELDS)
    if not given and fields.integer("reply_to_message_id"):
        given = {"message_id": fields.integer("reply_to_message_id")}
        given |= {"allow_sending_without_reply": fields.flag("allow_sending_without_reply")}
    id = given.get("message_id")
    if not given or (isinstance(id, int) and _can_be_replied_to(world, chat, given)):
        return id if given.get("chat_id") is None else None
    if given.get("allow_sending_without_reply"):
        return None
    raise bad_request("message to be replied not found")


def _can_be_replied_to(world: World, chat: int, given: Json) -> bool:
    origin = str(given.get("chat_id") or chat)
    if not origin.removeprefix("-").isdecimal():
        return False
    id = given["message_id"]
    return world.message(int(origin), id) is not None or world.is_service_message(int(origin), id)
