"""The methods deleteMessage, deleteMessages and leaveChat."""

from __future__ import annotations

from playground.botapi.fields import CallFields
from playground.botapi.methods.chats import chat_of, message_ids, message_of
from playground.world import membership
from playground.world.errors import bad_request
from playground.world.records import ChatType, Message
from playground.world.world import World

DELETABLE_FOR = 48 * 3600  # seconds


async def delete_message(world: World, fields: CallFields) -> bool:
    """Delete one message: the bot's own, or, in a private chat, also the person's."""
    message = message_of(world, fields, "message to delete")
    if not _may_delete(world, message):
        raise bad_request("message can't be deleted")
    world.delete_message(message)
    return True


async def delete_messages(world: World, fields: CallFields) -> bool:
    """Delete several messages; skip those that do not exist or may not be deleted."""
    chat = chat_of(world, fields)
    for id in message_ids(fields):
        message = world.message(chat.id, id)
        if message is not None and _may_delete(world, message):
            world.delete_message(message)
    return True


async def leave_chat(world: World, fields: CallFields) -> bool:
    """Leave a group or channel."""
    chat = chat_of(world, fields)
    if chat.type is ChatType.PRIVATE:
        raise bad_request("chat not found")
    membership.remove_bot(world, chat)
    return True


def _may_delete(world: World, message: Message) -> bool:
    if world.clock() - message.date > DELETABLE_FOR:
        return False
    private = world.chats[message.chat].type is ChatType.PRIVATE
    return private or message.sender == world.profile.id
