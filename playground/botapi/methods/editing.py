"""The edit methods. An edit without reply_markup removes the keyboard; an edit that changes nothing is an error."""

from __future__ import annotations

from typing import Any, Literal

from playground.botapi.fields import CallFields
from playground.botapi.keyboards import keep_forced_reply, reply_markup
from playground.botapi.methods.chats import by_inline_id, message_of
from playground.botapi.methods.contents import checklist, place
from playground.botapi.methods.sending import MEDIA_FIELDS, PREVIEW_FIELDS, caption, message_text, read_media
from playground.world.errors import NOT_MODIFIED, bad_request
from playground.world.records import Json, Message
from playground.world.world import World

Edited = Json | Literal[True]  # for a message sent via the bot, Telegram returns only True
_CAPTIONED = frozenset({*MEDIA_FIELDS, "voice", "paid_media"})


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
    """Replace the file of a message, or add one to a text message."""
    given = fields.json("media", "input media")
    if not isinstance(given, dict):
        raise bad_request("input media is not specified")
    markup = reply_markup(fields, only_inline=True)
    _own(world, fields)
    facts = await read_media(world, fields, given, "InputMedia")
    # The message may have been deleted while the picture was compressed.
    message = _own(world, fields)
    above = bool(given.get("show_caption_above_media"))
    return _edit(world, message, **{**facts, "markup": markup, "caption_above": above})


async def edit_message_live_location(world: World, fields: CallFields) -> Edited:
    """Move a live location."""
    markup = reply_markup(fields, only_inline=True)
    message = _own(world, fields)
    shown = message.media.get("location")
    if shown is None or "live_period" not in shown:
        raise bad_request("message can't be edited")
    moved = {"live_period": shown["live_period"], **place(fields)}
    return _edit(world, message, media={"location": moved}, markup=markup)


async def stop_message_live_location(world: World, fields: CallFields) -> Edited:
    """End a live location: it becomes a place."""
    markup = reply_markup(fields, only_inline=True)
    message = _own(world, fields)
    if "live_period" not in message.media.get("location", ()):
        raise bad_request("message can't be edited")
    place_only = {name: message.media["location"][name] for name in ("latitude", "longitude")}
    return _edit(world, message, media={"location": place_only}, markup=markup)


async def edit_message_checklist(world: World, fields: CallFields) -> Edited:
    """Change a checklist."""
    markup = reply_markup(fields, only_inline=True)
    facts = await checklist(world, fields)
    message = _own(world, fields)
    if message.kind != "checklist":
        raise bad_request("there is no checklist in the message to edit")
    return _edit(world, message, media=facts["media"], markup=markup)


async def stop_poll(world: World, fields: CallFields) -> Json:
    """Close a poll and return its result."""
    markup = reply_markup(fields, only_inline=True)
    message = _own(world, fields)
    if message.kind != "poll":
        raise bad_request("message with poll to stop not found")
    if message.media["poll"]["is_closed"]:
        raise bad_request("poll has already been closed")
    closed = {**message.media["poll"], "is_closed": True}
    world.edit_message(message, media={"poll": closed}, markup=markup)
    return closed


def _own(world: World, fields: CallFields) -> Message:
    message = message_of(world, fields, "message to edit")
    if by_inline_id(fields):
        return message
    someone_elses = message.sender != world.profile.id or message.forwarded
    if someone_elses or (message.markup is not None and not message.markup.inline):
        raise bad_request("message can't be edited")
    return message


def _edit(world: World, message: Message, **facts: Any) -> Edited:
    facts["markup"] = keep_forced_reply(facts["markup"], message.markup)
    if all(getattr(message, name) == value for name, value in facts.items()):
        raise bad_request(NOT_MODIFIED)
    revised = world.edit_message(message, edited=int(world.clock()), **facts)
    return True if message.via else world.bot_api_message(revised)
