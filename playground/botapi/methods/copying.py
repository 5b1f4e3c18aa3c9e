"""The methods copyMessage, copyMessages, forwardMessage and forwardMessages."""

from __future__ import annotations

from typing import Any

from playground.botapi.fields import CallFields
from playground.botapi.methods.chats import chat_of, message_ids, named_chat
from playground.botapi.methods.sending import caption, send
from playground.world.errors import bad_request
from playground.world.records import ChatType, Json, Message
from playground.world.world import World

_NEVER_COPIED = frozenset({"invoice", "paid_media", "successful_payment", "game"})
_COPIED = ("kind", "text", "entities", "media", "spoiler", "caption_above")


async def copy_message(world: World, fields: CallFields) -> Json:
    """Send the content of a message again, without a link to the original."""
    message = _source(world, fields, fields.integer("message_id"), "message to copy not found")
    if not _may_copy(message):
        raise bad_request("message can't be copied")
    facts = _facts(message)
    if "caption" in fields and message.kind != "text":
        text, entities = caption(fields)
        facts |= {"text": text, "entities": entities, "caption_above": fields.flag("show_caption_above_media")}
    sent = send(world, fields, **facts)
    return {"message_id": sent["message_id"]}


async def copy_messages(world: World, fields: CallFields) -> list[Json]:
    """Copy several messages; skip those that cannot be copied."""
    messages = [message for message in _sources(world, fields, "copy") if _may_copy(message)]
    bare = {"text": "", "entities": ()} if fields.flag("remove_caption") else {}
    sent = [send(world, fields, **_facts(message) | (bare if message.kind != "text" else {})) for message in messages]
    return [{"message_id": message["message_id"]} for message in sent]


async def forward_message(world: World, fields: CallFields) -> Json:
    """Forward a message with the name of its sender."""
    message = _source(world, fields, fields.integer("message_id"), "message to forward not found")
    if message.protect:
        raise bad_request("message can't be forwarded")
    return send(world, fields, **_facts(message), **_origin(world, message))


async def forward_messages(world: World, fields: CallFields) -> list[Json]:
    """Forward several messages; skip those that cannot be forwarded."""
    messages = [message for message in _sources(world, fields, "forward") if not message.protect]
    sent = [send(world, fields, **_facts(message), **_origin(world, message)) for message in messages]
    return [{"message_id": message["message_id"]} for message in sent]


def _source(world: World, fields: CallFields, id: int, missing: str) -> Message:
    fields.required("from_chat_id")
    chat = named_chat(world, fields.text("from_chat_id"))
    if not id:
        raise bad_request("message identifier is not specified")
    message = world.message(chat.id, id)
    if message is None:
        raise bad_request(missing)
    return message


def _sources(world: World, fields: CallFields, verb: str) -> list[Message]:
    chat_of(world, fields)
    chat = named_chat(world, fields.required("from_chat_id"))
    found = [world.message(chat.id, id) for id in message_ids(fields)]
    messages = [message for message in found if message is not None]
    if not messages:
        raise bad_request(f"there are no messages to {verb}")
    return messages


def _may_copy(message: Message) -> bool:
    return not message.protect and message.kind not in _NEVER_COPIED


def _facts(message: Message) -> dict[str, Any]:
    return {name: getattr(message, name) for name in _COPIED}


def _origin(world: World, message: Message) -> dict[str, Any]:
    if message.origin is not None:
        return {"forwarded": True, "origin": message.origin}
    shown = world.bot_api_message(message, with_reply=False)
    if world.chats[message.chat].type is ChatType.CHANNEL:
        by: Json = {"type": "channel", "chat": shown["chat"], "message_id": message.id}
    else:
        by = {"type": "user", "sender_user": shown["from"]}
    return {"forwarded": True, "origin": {**by, "date": message.date}}
