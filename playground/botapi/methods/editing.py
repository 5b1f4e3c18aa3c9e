"""The edit methods. An edit without reply_markup removes the keyboard; an edit that changes nothing is an error."""

from __future__ import annotations

from typing import Any, Literal

from playground.botapi.fields import CallFields
from playground.botapi.formatting.formatted_text import check_caption, read_markup
from playground.botapi.keyboards import reply_markup
from playground.botapi.methods.chats import by_inline_id, message_of
from playground.botapi.methods.sending import PREVIEW_FIELDS, caption, document, message_text, photo
from playground.world.api_errors import NOT_MODIFIED, bad_request
from playground.world.records import Json, Message
from playground.world.world import World

_ANY_MEDIA = "type media caption parse_mode caption_entities"
_MEDIA_FIELDS = {
    "photo": f"{_ANY_MEDIA} show_caption_above_media has_spoiler",
    "document": f"{_ANY_MEDIA} thumbnail disable_content_type_detection",
}
Edited = Json | Literal[True]  # for a message sent via the bot, Telegram returns only True
_CAPTIONED = frozenset({"photo", "document"})


async def edit_message_text(world: World, fields: CallFields) -> Edited:
    """Change the text of a message."""
    text, entities = message_text(fields)
    fields.object("link_preview_options", "link preview options", PREVIEW_FIELDS)
    markup = reply_markup(fields, only_inline=True)
    message = _own(world, fields)
    if message.kind != "text":
        raise bad_request("there is no text in the message to edit")
    return _edit(world, message, text=text, entities=entities, markup=markup)


async def edit_message_caption(world: World, fields: CallFields) -> Edited:
    """Change the caption of a message with media."""
    text, entities = caption(fields)
    markup = reply_markup(fields, only_inline=True)
    message = _own(world, fields)
    if message.kind not in _CAPTIONED:
        raise bad_request("there is no caption in the message to edit")
    above = fields.flag("show_caption_above_media")
    return _edit(world, message, text=text, entities=entities, markup=markup, caption_above=above)


async def edit_message_reply_markup(world: World, fields: CallFields) -> Edited:
    """Change the keyboard of a message."""
    markup = reply_markup(fields, only_inline=True)
    return _edit(world, _own(world, fields), markup=markup)


async def edit_message_media(world: World, fields: CallFields) -> Edited:
    """Replace the photo or document of a message, or add one to a text message."""
    given = fields.json("media", "input media")
    if not isinstance(given, dict):
        raise bad_request("input media is not specified")
    if (kind := str(given.get("type"))) in _MEDIA_FIELDS:
        given = fields.drop_unknown(given, _MEDIA_FIELDS[kind].split(), f"InputMedia of type {kind}")
    caption_text, mode = given.get("caption") or "", given.get("parse_mode") or ""
    if not isinstance(caption_text, str) or not isinstance(mode, str):
        raise bad_request('can\'t parse InputMedia: Field "caption" must be of type String')
    text, entities = check_caption(read_markup(caption_text, mode, given.get("caption_entities")))
    markup = reply_markup(fields, only_inline=True)
    _own(world, fields)
    kind, media = await _media(world, fields, given)
    # The message may have been deleted while the picture was compressed.
    message = _own(world, fields)
    facts = {"text": text, "entities": entities, "markup": markup, "kind": kind, "media": media}
    spoiler, above = bool(given.get("has_spoiler")), bool(given.get("show_caption_above_media"))
    return _edit(world, message, **facts, spoiler=spoiler, caption_above=above)


async def _media(world: World, fields: CallFields, given: dict[str, Any]) -> tuple[str, Json]:
    reference = given.get("media")
    if not isinstance(reference, str):
        raise bad_request("can't parse InputMedia: media not found")
    match given.get("type"):
        case "photo":
            return "photo", await photo(world, reference, fields.attached(reference))
        case "document":
            return "document", document(world, reference, fields.attached(reference))
        case kind:
            raise bad_request(f'can\'t parse InputMedia: type "{kind}" is unsupported')


def _own(world: World, fields: CallFields) -> Message:
    message = message_of(world, fields, "message to edit")
    if by_inline_id(fields):
        return message
    someone_elses = message.sender != world.profile.id or message.forwarded
    if someone_elses or (message.markup is not None and not message.markup.inline):
        raise bad_request("message can't be edited")
    return message


def _edit(world: World, message: Message, **facts: Any) -> Edited:
    if all(getattr(message, name) == value for name, value in facts.items()):
        raise bad_request(NOT_MODIFIED)
    revised = world.edit_message(message, edited=int(world.clock()), **facts)
    return True if message.via else world.bot_api_message(revised)
