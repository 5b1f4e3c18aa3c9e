"""What people do in chats: write, edit, press, send attachments, block the bot. Each action becomes an update."""

from __future__ import annotations

from typing import Any

from playground.world import serializers
from playground.world.entities import add_found_entities, utf16_cut
from playground.world.errors import ActionRefused
from playground.world.records import Chat, ChatType, InlineButton, Json, Message
from playground.world.world import World

LONGEST_TEXT = 4096
_RIGHTS = tuple(
    f"can_{right}"
    for right in (
        "manage_chat",
        "delete_messages",
        "manage_video_chats",
        "restrict_members",
        "promote_members",
        "change_info",
        "invite_users",
        "post_stories",
        "edit_stories",
        "delete_stories",
        "post_messages",
        "edit_messages",
    )
)
CHAT_INSTANCE = "-3141592653589793238"


def write_text(world: World, chat: Chat, user: int, text: str, **facts: Any) -> Message:
    """Write a text. A text over 4096 characters becomes several messages, as in Telegram's clients."""
    text = text.strip()
    parts = [text[at : at + LONGEST_TEXT] for at in range(0, len(text), LONGEST_TEXT)]
    if not parts:
        raise ActionRefused("the text is empty")
    for part in parts:
        message = send_message(world, chat, user, text=part, entities=add_found_entities(part, ()), **facts)
    return message


def send_message(world: World, chat: Chat, user: int, **facts: Any) -> Message:
    """Add a person's message to a chat and queue the update.

    Raises `ActionRefused` when the person cannot write there.
    """
    require_can_write(world, chat, user)
    if chat.type is ChatType.PRIVATE and not world.people[user].started:
        world.change_person(user, started=True)
    message = world.add_message(chat.id, user, **facts)
    if _reaches_bot(world, chat, message):
        kind = "channel_post" if chat.type is ChatType.CHANNEL else "message"
        world.updates.add(kind, world.bot_api_message(message), f"chat:{chat.id}")
    return message


def edit_message(world: World, chat: Chat, user: int, message: Message, text: str) -> Message:
    """Edit a text of the person's own; raises `ActionRefused` for any other message."""
    require_can_write(world, chat, user)
    if message.sender != user or message.kind != "text":
        raise ActionRefused("a person can edit only a text of their own")
    text = text.strip()
    facts = {"text": text, "entities": add_found_entities(text, ()), "edited": int(world.clock())}
    message = world.edit_message(message, **facts)
    if _reaches_bot(world, chat, message):
        kind = "edited_channel_post" if chat.type is ChatType.CHANNEL else "edited_message"
        world.updates.add(kind, world.bot_api_message(message), f"chat:{chat.id}")
    return message


def press_button(world: World, chat: Chat, user: int, message_id: int, data: str, **button: Any) -> str:
    """Send a button press with this data, whether or not the button exists. Return the query's id.

    `button` is logged: the label, row and column. Raises `ActionRefused` for a message that never existed.
    """
    require_can_write(world, chat, user)
    message = world.message(chat.id, message_id)
    if message is None and not world.was_deleted(chat.id, message_id):
        raise ActionRefused(f"there is no message {message_id} in this chat")
    query = world.add_query(user, chat.id)
    pressed = {"from": "user", "user": user, "message_id": message_id, "data": data, **button}
    world.log.add("press", chat.id, **pressed)
    gone = {"chat": world.bot_api_chat(chat.id), "message_id": message_id, "date": 0}
    pressed_message = world.bot_api_message(message) if message else gone
    inline_id = message.inline_id if message else None
    body = {
        "id": query.id,
        "from": serializers.bot_api_person(world.people[user]),
        **({"inline_message_id": inline_id} if inline_id else {"message": pressed_message}),
        "chat_instance": CHAT_INSTANCE,
        "data": data,
    }
    world.updates.add("callback_query", body, f"presses:{user}")
    return query.id


def set_blocked(world: World, user: int, *, blocked: bool) -> None:
    """Block or unblock the bot."""
    before = "kicked" if world.people[user].blocked else "member"
    after = "kicked" if blocked else "member"
    if before != after:
        world.change_person(user, blocked=blocked)
        _queue_membership_update(
            world, world.chats[user], serializers.bot_api_person(world.people[user]), before, after
        )


def add_bot(world: World, chat: Chat, user: int) -> None:
    """Add the bot to a group, or to a channel as an administrator, the only role that a bot can have there."""
    channel = chat.type is ChatType.CHANNEL
    _queue_membership_update(
        world, chat, serializers.bot_api_person(world.people[user]), "left", "administrator" if channel else "member"
    )
    if not channel:
        body = {**world.bot_api_service_message(chat.id, user), "new_chat_members": [world.profile.user()]}
        world.updates.add("message", body, f"chat:{chat.id}")


def remove_bot(world: World, chat: Chat) -> None:
    """Remove the bot from a group or channel. The bot gets an update of it, too."""
    before = "administrator" if chat.type is ChatType.CHANNEL else "member"
    world.change_chat(chat.id, bot_inside=False)
    world.log.add("left", chat.id)
    _queue_membership_update(world, chat, world.profile.user(), before, "left")


def _queue_membership_update(world: World, chat: Chat, by: Json, before: str, after: str) -> None:
    body = {
        "chat": world.bot_api_chat(chat.id),
        "from": by,
        "date": int(world.clock()),
        "old_chat_member": _member(world, before),
        "new_chat_member": _member(world, after),
    }
    world.updates.add("my_chat_member", body, f"chat:{chat.id}")


def find_button(message: Message, label: str) -> tuple[int, int]:
    """Return the row and the column of the button with that label; raises `ActionRefused`."""
    for row, buttons in enumerate(_rows(message)):
        for column, button in enumerate(buttons):
            if button.label == label:
                return row, column
    raise ActionRefused(f"the message has no button {label!r}; it has: {_labels(message)}")


def button_at(message: Message, row: int, column: int) -> InlineButton:
    """Return the button in that row and column, counted from 0; raises `ActionRefused`."""
    rows = _rows(message)
    if not (0 <= row < len(rows) and 0 <= column < len(rows[row])):
        raise ActionRefused(f"the message has no button in row {row}, column {column}; it has: {_labels(message)}")
    return rows[row][column]


def _rows(message: Message) -> tuple[tuple[InlineButton, ...], ...]:
    buttons = message.markup.buttons if message.markup is not None else ()
    return buttons + serializers.message_choices(message)


def _labels(message: Message) -> str:
    return " / ".join(" ".join(f"[{button.label}]" for button in row) for row in _rows(message)) or "none"


def require_can_write(world: World, chat: Chat, user: int) -> None:
    """Raise `ActionRefused` when a person cannot write in a chat."""
    if user not in world.people:
        raise ActionRefused(f"there is no person with the id {user}")
    inside = chat.id == user if chat.type is ChatType.PRIVATE else user in chat.members
    if not inside:
        raise ActionRefused(f"{world.people[user].first_name} is not in this chat")
    if chat.type is ChatType.PRIVATE and world.people[user].blocked:
        raise ActionRefused(f"{world.people[user].first_name} blocked the bot")


def _reaches_bot(world: World, chat: Chat, message: Message) -> bool:
    """Apply the privacy mode that bots have in groups by default.

    https://core.telegram.org/bots/features#privacy-mode
    """
    if not chat.bot_inside:
        return False
    if chat.type in {ChatType.PRIVATE, ChatType.CHANNEL} or message.via or not chat.privacy:
        return True
    answered = world.message(chat.id, message.reply_to) if message.reply_to else None
    if answered is not None and answered.sender == world.profile.id:
        return True
    return any(_addresses_bot(world, message.text, entity) for entity in message.entities)


def _addresses_bot(world: World, text: str, entity: Json) -> bool:
    word = utf16_cut(text, entity["offset"], entity["length"]).lower()
    name = f"@{world.profile.username.lower()}"
    if entity["type"] == "bot_command":
        return "@" not in word or word.endswith(name)
    return bool(entity["type"] == "mention" and word == name)


def chat_member(world: World, chat: Chat, user: int) -> Json:
    """Return a person or the bot as a ChatMember of the Bot API."""
    if user == world.profile.id:
        return _member(world, "administrator" if chat.bot_admin or chat.type is ChatType.CHANNEL else "member")
    shown = serializers.bot_api_person(world.people[user])
    if user in chat.banned:
        return {"user": shown, "status": "kicked", "until_date": 0}
    if chat.type is not ChatType.PRIVATE and chat.members[:1] == (user,):
        return {"user": shown, "status": "creator", "is_anonymous": False}
    inside = user in chat.members or chat.id == user
    return {"user": shown, "status": "member" if inside else "left"}


def announce(world: World, chat: Chat, event: str, user: int) -> None:
    """Show a service message about a person, and send it to the bot."""
    shown = serializers.bot_api_person(world.people[user])
    body = {**world.bot_api_service_message(chat.id, user), event: shown}
    world.log.add("service", chat.id, event=event, user=user)
    world.updates.add("message", body, f"chat:{chat.id}")


def _member(world: World, status: str) -> dict[str, Any]:
    member: dict[str, Any] = {"user": world.profile.user(), "status": status}
    match status:
        case "kicked":
            member["until_date"] = 0
        case "administrator":
            member |= {"can_be_edited": False, "is_anonymous": False} | dict.fromkeys(_RIGHTS, True)
    return member
