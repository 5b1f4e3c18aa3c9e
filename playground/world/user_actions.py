"""What people do in chats: write, edit, press, react, send attachments. Each action becomes an update."""

from __future__ import annotations

from typing import Any

from playground.world import serializers
from playground.world.entities import add_found_entities, utf16_cut
from playground.world.errors import ActionRefused
from playground.world.membership import is_bot_admin
from playground.world.records import Chat, ChatType, InlineButton, Json, Message
from playground.world.world import World

LONGEST_TEXT = 4096
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


def react(world: World, chat: Chat, user: int, message: Message, emoji: str) -> None:
    """React to a message, or take the reaction back. In a group, only an administrator gets the update."""
    require_can_write(world, chat, user)
    before = message.reactions.get(user, ())
    after = (emoji,) if emoji else ()
    changed = {who: what for who, what in {**message.reactions, user: after}.items() if what}
    world.change_message(message, reactions=changed)
    world.log.add("reaction", chat.id, **{"from": "user", "user": user, "message_id": message.id, "text": emoji})
    if chat.type is not ChatType.PRIVATE and not is_bot_admin(chat):
        return
    body = {
        "chat": world.bot_api_chat(chat.id),
        "message_id": message.id,
        "user": serializers.bot_api_person(world.people[user]),
        "date": int(world.clock()),
        "old_reaction": [{"type": "emoji", "emoji": old} for old in before],
        "new_reaction": [{"type": "emoji", "emoji": new} for new in after],
    }
    world.updates.add("message_reaction", body, f"chat:{chat.id}")


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
    if chat.type in {ChatType.PRIVATE, ChatType.CHANNEL} or message.via or not chat.privacy or chat.bot_admin:
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
