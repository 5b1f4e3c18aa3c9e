"""The methods sendMessage, sendPhoto, sendDocument and sendChatAction, and the texts and files that editing shares."""

from __future__ import annotations

import asyncio
from typing import Any

from playground.botapi.fields import CallFields, Upload
from playground.botapi.formatting.formatted_text import FormattedText, check_caption, check_text, read_markup
from playground.botapi.keyboards import reply_markup
from playground.botapi.methods.chats import chat_to_write
from playground.world.api_errors import bad_request
from playground.world.files import InvalidPhoto, file_fields, recompress_photo
from playground.world.records import Json
from playground.world.world import World

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


async def send_message(world: World, fields: CallFields) -> Json:
    """Send a text."""
    text, entities = message_text(fields)
    return _send(world, fields, kind="text", text=text, entities=entities)


async def send_photo(world: World, fields: CallFields) -> Json:
    """Send a photo, recompressed as Telegram does."""
    text, entities = caption(fields)
    media = await photo(world, fields.text("photo"), fields.upload("photo"))
    spoiler, above = fields.flag("has_spoiler"), fields.flag("show_caption_above_media")
    facts = {"text": text, "entities": entities, "media": media, "spoiler": spoiler, "caption_above": above}
    return _send(world, fields, kind="photo", **facts)


async def send_document(world: World, fields: CallFields) -> Json:
    """Send a file unchanged."""
    text, entities = caption(fields)
    media = document(world, fields.text("document"), fields.upload("document"))
    return _send(world, fields, kind="document", text=text, entities=entities, media=media)


async def send_chat_action(world: World, fields: CallFields) -> bool:
    """Show in the chat what the bot is busy with."""
    chat = chat_to_write(world, fields)
    if fields.text("action").lower() not in ACTIONS:
        raise bad_request("wrong parameter action in request")
    world.log.add("action", chat.id, action=fields.text("action").lower())
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


async def photo(world: World, reference: str, upload: Upload | None) -> Json:
    """Return a photo's sizes, from an upload or from a file_id. Raises `ApiError`."""
    if upload is None:
        return {"photo": _known_file(world, reference, "photo")}
    if not upload.content:
        raise bad_request("file must be non-empty")
    try:
        # Compressing takes long enough to delay other calls, so it runs in a thread.
        sizes = await asyncio.to_thread(recompress_photo, upload.content)
    except InvalidPhoto as error:
        raise bad_request(str(error)) from None
    return {"photo": world.files.store_photo(sizes)}


def document(world: World, reference: str, upload: Upload | None) -> Json:
    """Return a document, from an upload or from a file_id. Raises `ApiError`."""
    if upload is None:
        return {"document": _known_file(world, reference, "document")}
    if not upload.content:
        raise bad_request("file must be non-empty")
    return {"document": world.files.store_document(upload.content, name=upload.name, type=upload.type)}


def _known_file(world: World, reference: str, kind: str) -> Any:
    if not reference:
        raise bad_request(f"there is no {kind} in the request")
    if reference.startswith(("http://", "https://")):
        raise bad_request("failed to get HTTP URL content")
    if reference.startswith("attach://"):
        raise bad_request("file not found in the request")
    sizes, stored = world.files.photo(reference), world.files.get(reference)
    if stored is None:
        raise bad_request("wrong file identifier/HTTP URL specified")
    if kind == "photo" and sizes is not None:
        return sizes
    if kind == "photo":
        raise bad_request("can't use file of type Document as Photo")
    return {"file_name": stored.name, "mime_type": stored.type, **file_fields(stored)}


def _send(world: World, fields: CallFields, **facts: Any) -> Json:
    chat = chat_to_write(world, fields)
    markup = reply_markup(fields)
    reply_to = _reply_target(world, chat.id, fields)
    # The simulator fetches no links, so there are no previews; the options are only validated.
    fields.object("link_preview_options", "link preview options", PREVIEW_FIELDS)
    message = world.add_message(
        chat.id,
        world.profile.id,
        markup=markup,
        reply_to=reply_to,
        protect=fields.flag("protect_content"),
        **facts,
    )
    return world.bot_api_message(message)


def _reply_target(world: World, chat: int, fields: CallFields) -> int | None:
    given = fields.object("reply_parameters", "reply parameters", _REPLY_FIELDS)
    id = given.get("message_id")
    if not given or (isinstance(id, int) and world.message(chat, id) is not None):
        return id
    if given.get("allow_sending_without_reply"):
        return None
    raise bad_request("message to be replied not found")
