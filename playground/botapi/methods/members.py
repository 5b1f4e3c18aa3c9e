"""Methods about the members and the settings of groups and channels.

The first member of a group is its owner. The bot has the rights of an administrator when a test made it one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from playground.botapi.fields import CallFields
from playground.botapi.methods.chats import chat_of
from playground.botapi.methods.sending import MethodHandler
from playground.world import membership
from playground.world.errors import bad_request
from playground.world.records import Chat, ChatType, Json
from playground.world.world import World

MAX_TITLE = 128
MAX_ABOUT = 255


async def get_chat_member(world: World, fields: CallFields) -> Json:
    """Return a member and their status."""
    chat = chat_of(world, fields)
    return membership.chat_member(world, chat, _user(world, fields))


async def get_chat_administrators(world: World, fields: CallFields) -> list[Json]:
    """Return the owner and the administrators; other bots than this one are never among them."""
    chat = chat_of(world, fields)
    if chat.type is ChatType.PRIVATE:
        raise bad_request("there are no administrators in the private chat")
    members = [membership.chat_member(world, chat, id) for id in (*chat.members, world.profile.id)]
    return [member for member in members if member["status"] in {"creator", "administrator"}]


async def get_chat_member_count(world: World, fields: CallFields) -> int:
    """Return the number of members, the bot included."""
    chat = chat_of(world, fields)
    return 2 if chat.type is ChatType.PRIVATE else len(chat.members) + 1


async def ban_chat_member(world: World, fields: CallFields) -> bool:
    """Remove a member, who cannot come back."""
    chat, user = _managed_chat(world, fields, "restrict/unrestrict chat member"), _user(world, fields)
    _check_can_restrict(world, chat, user)
    members = tuple(member for member in chat.members if member != user)
    world.change_chat(chat.id, members=members, admins=chat.admins - {user}, banned=chat.banned | {user})
    if user in chat.members:
        membership.announce(world, chat, "left_chat_member", user)
    return True


async def unban_chat_member(world: World, fields: CallFields) -> bool:
    """Let a person come back; a member is removed unless `only_if_banned` is given."""
    chat, user = _managed_chat(world, fields, "restrict/unrestrict chat member"), _user(world, fields)
    if user in chat.members and not fields.flag("only_if_banned"):
        _check_can_restrict(world, chat, user)
        members = tuple(member for member in chat.members if member != user)
        chat = world.change_chat(chat.id, members=members, admins=chat.admins - {user})
    world.change_chat(chat.id, banned=chat.banned - {user})
    return True


async def restrict_chat_member(world: World, fields: CallFields) -> bool:
    """Check the restriction; the simulator lets the person write nevertheless."""
    chat, user = _managed_chat(world, fields, "restrict/unrestrict chat member"), _user(world, fields)
    if chat.type is not ChatType.SUPERGROUP:
        raise bad_request("method is available only for supergroups")
    fields.object("permissions", "chat permissions", _PERMISSIONS)
    _check_can_restrict(world, chat, user)
    fields.remark("the simulator does not enforce restrictions")
    return True


async def promote_chat_member(world: World, fields: CallFields) -> bool:
    """Make a member an administrator; without any right, an ordinary member again."""
    chat, user = _managed_chat(world, fields, "promote members"), _user(world, fields)
    if user == world.profile.id:
        raise bad_request("can't promote self")
    if user not in chat.members:
        raise bad_request("USER_NOT_PARTICIPANT")
    promoted = any(fields.flag(name) for name in fields.shown() if name.startswith("can_"))
    world.change_chat(chat.id, admins=chat.admins | {user} if promoted else chat.admins - {user})
    return True


async def set_chat_title(world: World, fields: CallFields) -> bool:
    """Rename a group or channel."""
    chat = _managed_chat(world, fields, "change chat title")
    title = fields.text("title").strip()
    if not title or len(title) > MAX_TITLE:
        raise bad_request("CHAT_TITLE_EMPTY" if not title else "chat title is too long")
    if title == chat.title:
        raise bad_request("chat title is not modified")
    world.change_chat(chat.id, title=title)
    world.log.add("title", chat.id, text=title)
    return True


async def set_chat_description(world: World, fields: CallFields) -> bool:
    """Describe a group or channel."""
    chat = _managed_chat(world, fields, "set chat description")
    about = fields.text("description").strip()
    if len(about) > MAX_ABOUT:
        raise bad_request("chat description is too long")
    if about == chat.facts.get("description", ""):
        raise bad_request("chat description is not modified")
    world.change_chat(chat.id, facts={**chat.facts, "description": about})
    return True


async def set_chat_permissions(world: World, fields: CallFields) -> bool:
    """Set what members may do; the simulator does not enforce it."""
    chat = _managed_chat(world, fields, "change chat permissions")
    permissions = fields.object("permissions", "chat permissions", _PERMISSIONS)
    world.change_chat(chat.id, facts={**chat.facts, "permissions": permissions})
    fields.remark("the simulator does not enforce permissions")
    return True


_PERMISSIONS = (
    "can_send_messages can_send_audios can_send_documents can_send_photos can_send_videos can_send_video_notes "
    "can_send_voice_notes can_send_polls can_send_other_messages can_add_web_page_previews can_change_info "
    "can_invite_users can_pin_messages can_manage_topics can_edit_tag can_send_media_messages can_react_to_messages"
)


async def export_chat_invite_link(world: World, fields: CallFields) -> str:
    """Return a new primary link."""
    return str(
        _new_link(world, _managed_chat(world, fields, "manage chat invite link"), is_primary=True)["invite_link"]
    )


async def create_chat_invite_link(world: World, fields: CallFields) -> Json:
    """Return a further link."""
    chat = _managed_chat(world, fields, "manage chat invite link")
    if fields.flag("creates_join_request") and fields.integer("member_limit"):
        raise bad_request("member limit can't be specified for links requiring administrator approval")
    return _new_link(world, chat, **_link_facts(fields))


async def edit_chat_invite_link(world: World, fields: CallFields) -> Json:
    """Change a link."""
    return _changed_link(world, fields, **_link_facts(fields))


async def revoke_chat_invite_link(world: World, fields: CallFields) -> Json:
    """End a link."""
    return _changed_link(world, fields, is_revoked=True)


def _link_facts(fields: CallFields) -> dict[str, Any]:
    facts: dict[str, Any] = {"creates_join_request": fields.flag("creates_join_request")}
    facts |= {name: fields.integer(name) for name in _LINK_NUMBERS if fields.integer(name)}
    return facts | ({"name": fields.text("name")} if fields.text("name") else {})


_LINK_NUMBERS = ("expire_date", "member_limit", "subscription_period", "subscription_price")


def _new_link(world: World, chat: Chat, **facts: Any) -> Json:
    link = {
        "invite_link": f"https://t.me/+sim{world.rng.randrange(16**12):012x}",
        "creator": world.profile.user(),
        "creates_join_request": False,
        "is_primary": False,
        "is_revoked": False,
        **facts,
    }
    links = {**chat.facts.get("links", {}), link["invite_link"]: link}
    world.change_chat(chat.id, facts={**chat.facts, "links": links})
    return link


def _changed_link(world: World, fields: CallFields, **facts: Any) -> Json:
    chat = _managed_chat(world, fields, "manage chat invite link")
    link = chat.facts.get("links", {}).get(fields.required("invite_link"))
    if link is None:
        raise bad_request("INVITE_HASH_EXPIRED")
    changed = {**link, **facts}
    links = {**chat.facts["links"], changed["invite_link"]: changed}
    world.change_chat(chat.id, facts={**chat.facts, "links": links})
    return changed


async def create_forum_topic(world: World, fields: CallFields) -> Json:
    """Create a topic."""
    chat, name = _forum(world, fields), _topic_name(fields)
    icon: dict[str, Any] = {"icon_color": fields.integer("icon_color", 0x6FB9F0)}
    if fields.text("icon_custom_emoji_id"):
        icon["icon_custom_emoji_id"] = fields.text("icon_custom_emoji_id")
    id = world.next_message_id()
    world.topics[chat.id, id] = {"name": name, **icon}
    world.log.add("topic", chat.id, text=name)
    return {"message_thread_id": id, "name": name, **icon}


def topic_changer(change: Callable[[World, CallFields, tuple[int, int]], None]) -> MethodHandler:
    """Return the method that changes one topic."""

    async def change_topic(world: World, fields: CallFields) -> bool:
        key = _forum(world, fields).id, fields.integer("message_thread_id")
        if key not in world.topics:
            raise bad_request("message thread not found")
        change(world, fields, key)
        return True

    return change_topic


def rename_topic(world: World, fields: CallFields, key: tuple[int, int]) -> None:
    """Rename a topic or change its icon."""
    world.topics[key] |= {"name": _topic_name(fields)} if fields.text("name") else {}


def close_topic(world: World, fields: CallFields, key: tuple[int, int]) -> None:
    """Close a topic: nothing can be sent there."""
    if world.topics[key].get("is_closed"):
        raise bad_request("TOPIC_NOT_MODIFIED")
    world.topics[key]["is_closed"] = True


def reopen_topic(world: World, fields: CallFields, key: tuple[int, int]) -> None:
    """Open a topic again."""
    if not world.topics[key].get("is_closed"):
        raise bad_request("TOPIC_NOT_MODIFIED")
    world.topics[key]["is_closed"] = False


def delete_topic(world: World, fields: CallFields, key: tuple[int, int]) -> None:
    """Delete a topic."""
    del world.topics[key]


def _topic_name(fields: CallFields) -> str:
    name = fields.text("name").strip()
    if not 0 < len(name) <= MAX_TITLE:
        raise bad_request("TOPIC_TITLE_EMPTY")
    return name


def _forum(world: World, fields: CallFields) -> Chat:
    chat = chat_of(world, fields)
    if not chat.forum:
        raise bad_request("the chat is not a forum")
    if not chat.bot_admin:
        raise bad_request("not enough rights to manage topics")
    return chat


def _user(world: World, fields: CallFields) -> int:
    id = fields.integer("user_id")
    if id <= 0:
        raise bad_request("invalid user_id specified")
    if id not in world.people and id != world.profile.id:
        raise bad_request("user not found")
    return id


def _managed_chat(world: World, fields: CallFields, right: str) -> Chat:
    chat = chat_of(world, fields)
    if chat.type is ChatType.PRIVATE:
        raise bad_request("method is available for supergroup and channel chats only")
    if not chat.bot_admin:
        raise bad_request(f"not enough rights to {right}")
    return chat


def _check_can_restrict(world: World, chat: Chat, user: int) -> None:
    if user == world.profile.id:
        raise bad_request("can't restrict self")
    if chat.members and user == chat.members[0]:
        raise bad_request("can't remove chat owner")
