"""Which chat and which message a call means, and whether the bot may touch them."""

from __future__ import annotations

import re

from playground.botapi.fields import CallFields
from playground.world.api_errors import bad_request, forbidden
from playground.world.records import Chat, ChatType, Message
from playground.world.world import World


def chat_of(world: World, fields: CallFields) -> Chat:
    """Return the chat that a call names, if there is one and the bot is in it."""
    named = fields.text("chat_id").strip()
    if not named:
        raise bad_request("chat_id is empty")
    chat = world.chats.get(int(named)) if re.fullmatch(r"-?[0-9]{1,20}", named) else None
    if chat is None:
        raise bad_request("chat not found")
    if not chat.bot_inside:
        raise forbidden(f"bot is not a member of the {chat.type} chat")
    return chat


def chat_to_write(world: World, fields: CallFields) -> Chat:
    """Return the chat that a call names, if the bot may write there."""
    chat = chat_of(world, fields)
    if chat.type is ChatType.PRIVATE:
        person = world.people[chat.id]
        if person.blocked:
            raise forbidden("bot was blocked by the user")
        if not person.started:
            raise forbidden("bot can't initiate conversation with a user")
    return chat


def by_inline_id(fields: CallFields) -> bool:
    """Whether a call means a message that somebody sent via the bot."""
    return "inline_message_id" in fields and "chat_id" not in fields


def message_of(world: World, fields: CallFields, what: str) -> Message:
    """Return the message that a call names; `what` words the refusal when it is not there."""
    if by_inline_id(fields):
        message = world.inline_message(fields.text("inline_message_id"))
        if message is None:
            raise bad_request("MESSAGE_ID_INVALID")
        return message
    chat = chat_of(world, fields)
    if "message_id" not in fields:
        raise bad_request("message identifier is not specified")
    message = world.message(chat.id, fields.integer("message_id"))
    if message is None:
        raise bad_request(f"{what} not found")
    return message
