"""Finds the chat and the message that a call names, and checks that the bot may use them."""

from __future__ import annotations

import re

from playground.botapi.fields import CallFields
from playground.world.errors import bad_request, forbidden
from playground.world.records import Chat, ChatType, Message
from playground.world.world import World

MAX_MESSAGES = 100


def chat_of(world: World, fields: CallFields) -> Chat:
    """Return the chat that a call names. Raises `ApiError` when there is none or the bot is not in it."""
    chat_id = fields.text("chat_id").strip()
    if not chat_id:
        raise bad_request("chat_id is empty")
    return named_chat(world, chat_id)


def named_chat(world: World, chat_id: str) -> Chat:
    """Return a chat by its id as a text. Raises `ApiError` when there is none or the bot is not in it."""
    chat = world.chats.get(int(chat_id)) if re.fullmatch(r"-?[0-9]{1,20}", chat_id.strip()) else None
    if chat is None:
        raise bad_request("chat not found")
    if not chat.bot_inside:
        raise forbidden(f"bot is not a member of the {chat.type} chat")
    return chat


def chat_to_write(world: World, fields: CallFields) -> Chat:
    """Return the chat that a call names. Raises `ApiError` when the bot may not write there."""
    chat = chat_of(world, fields)
    if chat.type is ChatType.PRIVATE:
        person = world.people[chat.id]
        if person.blocked:
            raise forbidden("bot was blocked by the user")
        if not person.started:
            raise forbidden("bot can't initiate conversation with a user")
    return chat


def by_inline_id(fields: CallFields) -> bool:
    """Whether a call names a message that a person sent via the bot."""
    return "inline_message_id" in fields and "chat_id" not in fields


def message_of(world: World, fields: CallFields, description: str) -> Message:
    """Return the message that a call names. Raises `ApiError` "`description` not found" when there is none."""
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
        raise bad_request(f"{description} not found")
    return message


def message_ids(fields: CallFields) -> list[int]:
    """Return the `message_ids` of a call. Raises `ApiError`."""
    given = fields.json("message_ids", "message_ids")
    if given is None:
        raise bad_request("message identifiers are not specified")
    if not isinstance(given, list):
        raise bad_request("expected an Array of message identifiers")
    if len(given) > MAX_MESSAGES:
        raise bad_request("too many message identifiers specified")
    if not all(isinstance(id, int) and id > 0 for id in given):
        raise bad_request("invalid message identifier specified")
    return given
