"""Who is in a chat, and with which role: the bot and people join, leave, and become administrators."""

from __future__ import annotations

from typing import Any

from playground.world import serializers
from playground.world.errors import ActionRefused
from playground.world.records import Chat, ChatType, Json
from playground.world.world import World

ROLES = ("administrator", "member", "left")
_RIGHTS = (
    "manage_chat delete_messages manage_video_chats restrict_members promote_members change_info invite_users "
    "post_stories edit_stories delete_stories post_messages edit_messages"
)
_ADMIN_FACTS: Json = {
    "can_be_edited": False,
    "is_anonymous": False,
    **{f"can_{right}": True for right in _RIGHTS.split()},
}


def set_blocked(world: World, user: int, *, blocked: bool) -> None:
    """Block or unblock the bot."""
    if world.people[user].blocked != blocked:
        world.change_person(user, blocked=blocked)
        roles = ("member", "kicked") if blocked else ("kicked", "member")
        _queue_bot_update(world, world.chats[user], serializers.bot_api_person(world.people[user]), *roles)


def add_bot(world: World, chat: Chat, user: int) -> None:
    """Add the bot to a group, or to a channel as an administrator, the only role that a bot can have there."""
    role = "administrator" if chat.type is ChatType.CHANNEL else "member"
    _welcome_bot(world, chat, user, role)


def remove_bot(world: World, chat: Chat) -> None:
    """Remove the bot from a group or channel. The bot gets an update of it, too."""
    before = "administrator" if is_bot_admin(chat) else "member"
    world.change_chat(chat.id, bot_inside=False)
    world.log.add("left", chat.id)
    _queue_bot_update(world, chat, world.profile.user(), before, "left")


def set_role(world: World, chat: Chat, user: int, role: str) -> None:
    """Let a person join, leave, or become an administrator or an ordinary member. Raises `ActionRefused`."""
    _require_group(chat)
    before = chat_member(world, chat, user)
    if before["status"] == "creator":
        raise ActionRefused("the first person of a group is its owner, and stays it")
    others = tuple(member for member in chat.members if member != user)
    members = others if role == "left" else chat.members if user in chat.members else (*others, user)
    admins = chat.admins | {user} if role == "administrator" else chat.admins - {user}
    chat = world.change_chat(chat.id, members=members, admins=admins, banned=chat.banned - {user})
    after = chat_member(world, chat, user)
    if before == after:
        return
    if role == "left":
        announce(world, chat, "left_chat_member", user)
    elif before["status"] in {"left", "kicked"}:
        announce(world, chat, "new_chat_members", user)
    if is_bot_admin(chat):
        by = serializers.bot_api_person(world.people[user])
        _queue_update(world, chat, "chat_member", by, before, after)


def set_bot_role(world: World, chat: Chat, user: int, role: str) -> None:
    """Let a person add the bot, remove it, or change its role. Raises `ActionRefused`."""
    _require_group(chat)
    if chat.type is ChatType.CHANNEL and role == "member":
        raise ActionRefused("in a channel a bot can only be an administrator")
    before = "left" if not chat.bot_inside else "administrator" if is_bot_admin(chat) else "member"
    if before == role:
        return
    chat = world.change_chat(chat.id, bot_inside=role != "left", bot_admin=role == "administrator")
    if before == "left":
        _welcome_bot(world, chat, user, role)
    else:
        by = serializers.bot_api_person(world.people[user])
        _queue_bot_update(world, chat, by, before, "kicked" if role == "left" else role)


def is_bot_admin(chat: Chat) -> bool:
    """Whether the bot is an administrator of a group or channel."""
    return chat.bot_admin or chat.type is ChatType.CHANNEL


def _require_group(chat: Chat) -> None:
    if chat.type is ChatType.PRIVATE:
        raise ActionRefused("a private chat has no roles: go to a group or channel first")


def _welcome_bot(world: World, chat: Chat, user: int, role: str) -> None:
    _queue_bot_update(world, chat, serializers.bot_api_person(world.people[user]), "left", role)
    if chat.type is not ChatType.CHANNEL:
        body = {**world.bot_api_service_message(chat.id, user), "new_chat_members": [world.profile.user()]}
        world.updates.add("message", body, f"chat:{chat.id}")


def _queue_bot_update(world: World, chat: Chat, by: Json, before: str, after: str) -> None:
    _queue_update(world, chat, "my_chat_member", by, _member(world, before), _member(world, after))


def _queue_update(world: World, chat: Chat, kind: str, by: Json, before: Json, after: Json) -> None:
    body = {
        "chat": world.bot_api_chat(chat.id),
        "from": by,
        "date": int(world.clock()),
        "old_chat_member": before,
        "new_chat_member": after,
    }
    world.updates.add(kind, body, f"chat:{chat.id}")


def chat_member(world: World, chat: Chat, user: int) -> Json:
    """Return a person or the bot as a ChatMember of the Bot API."""
    if user == world.profile.id:
        return _member(world, "administrator" if is_bot_admin(chat) else "member")
    shown = serializers.bot_api_person(world.people[user])
    if user in chat.banned:
        return {"user": shown, "status": "kicked", "until_date": 0}
    if chat.type is not ChatType.PRIVATE and chat.members[:1] == (user,):
        return {"user": shown, "status": "creator", "is_anonymous": False}
    if user in chat.admins:
        return {"user": shown, "status": "administrator", **_ADMIN_FACTS}
    inside = user in chat.members or chat.id == user
    return {"user": shown, "status": "member" if inside else "left"}


def announce(world: World, chat: Chat, event: str, user: int) -> None:
    """Show a service message about a person, and send it to the bot. A channel has none."""
    if chat.type is ChatType.CHANNEL:
        return
    shown = serializers.bot_api_person(world.people[user])
    body = {**world.bot_api_service_message(chat.id, user), event: [shown] if event == "new_chat_members" else shown}
    world.log.add("service", chat.id, event=event, user=user)
    world.updates.add("message", body, f"chat:{chat.id}")


def _member(world: World, status: str) -> dict[str, Any]:
    more = {"kicked": {"until_date": 0}, "administrator": _ADMIN_FACTS}
    return {"user": world.profile.user(), "status": status, **more.get(status, {})}
