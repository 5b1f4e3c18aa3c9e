"""Marks on messages: reactions and pins."""

from __future__ import annotations

from typing import Any

from playground.botapi.fields import CallFields
from playground.botapi.methods.chats import chat_of, message_of
from playground.world.errors import bad_request
from playground.world.records import Chat, ChatType
from playground.world.world import World

# https://core.telegram.org/bots/api#reactiontypeemoji
EMOJI = frozenset(
    [
        *"❤👍👎🔥🥰👏😁🤔🤯😱🤬😢🎉🤩🤮💩🙏👌🕊🤡🥱🥴😍🐳🌚🌭💯🤣⚡🍌🏆💔🤨😐🍓🍾💋🖕😈😴😭🤓👻👀🎃🙈😇😨🤝✍🤗🫡🎅🎄☃💅🤪🗿",
        *"🆒💘🙉🦄😘💊🙊😎👾🤷😡",
        *("❤\u200d🔥", "👨\u200d💻", "🤷\u200d♂", "🤷\u200d♀"),
    ]
)


async def set_message_reaction(world: World, fields: CallFields) -> bool:
    """React to a message, or take the reaction back."""
    emoji = [_reaction(given) for given in fields.array("reaction", "reaction types", "ReactionType")]
    if len(emoji) > 1:
        raise bad_request("REACTIONS_TOO_MANY")
    message = message_of(world, fields, "message to react")
    changed = {**message.reactions, world.profile.id: tuple(emoji)}
    world.change_message(message, reactions={who: what for who, what in changed.items() if what})
    world.log.add("reaction", message.chat, message_id=message.id, text="".join(emoji))
    return True


def _reaction(given: Any) -> str:
    if not isinstance(given, dict):
        raise bad_request("can't parse reaction types: expected an Object")
    if given.get("type") != "emoji":
        raise bad_request("REACTION_INVALID" if str(given.get("type")) in _OTHER else "invalid reaction type specified")
    emoji = str(given.get("emoji", "")).replace("\ufe0f", "")
    if emoji not in EMOJI:
        raise bad_request("REACTION_INVALID")
    return emoji


_OTHER = frozenset({"custom_emoji", "paid"})  # bots cannot use them where nobody used them before


async def pin_chat_message(world: World, fields: CallFields) -> bool:
    """Pin a message: the person sees it at the top of the chat."""
    chat = _pinning_chat(world, fields)
    message = message_of(world, fields, "message to pin")
    others = [id for id in world.pinned.get(chat.id, ()) if id != message.id]
    world.pinned[chat.id] = [*others, message.id]
    world.log.add("pin", chat.id, message_id=message.id)
    return True


async def unpin_chat_message(world: World, fields: CallFields) -> bool:
    """Unpin a message, by default the one that was pinned last."""
    chat = _pinning_chat(world, fields)
    pinned = world.pinned.get(chat.id, [])
    id = fields.integer("message_id") or (pinned[-1] if pinned else 0)
    if id not in pinned:
        raise bad_request("message to unpin not found")
    pinned.remove(id)
    world.log.add("unpin", chat.id, message_id=id)
    return True


async def unpin_all_chat_messages(world: World, fields: CallFields) -> bool:
    """Unpin every message."""
    chat = _pinning_chat(world, fields)
    if world.pinned.pop(chat.id, []):
        world.log.add("unpin", chat.id)
    return True


def _pinning_chat(world: World, fields: CallFields) -> Chat:
    chat = chat_of(world, fields)
    if chat.type is not ChatType.PRIVATE and not chat.bot_admin:
        raise bad_request("not enough rights to manage pinned messages in the chat")
    return chat
