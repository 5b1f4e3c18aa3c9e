"""What an update means: an envelope, or nothing for us. It judges by the update alone, and never raises."""

from telegram import CallbackQuery, ChatMemberUpdated, Message, Update
from telegram.constants import ChatMemberStatus, ChatType, MessageEntityType

from bot import links
from bot.content.catalogue import language_of
from bot.engine.messages import Envelope, MessageRef, TurnKind
from bot.flow.effects import LANGUAGES
from bot.flow.events import (
    Command,
    Commanded,
    Event,
    LinkOpened,
    MessageKind,
    MethodSuggested,
    ReaskRequested,
    Said,
    Sent,
    SideMessage,
    SideTapped,
    Tapped,
)
from verification.attempts import Method
from verification.dialogue_store import Person

FRONT_END = "telegram"
QUESTION_PREFIX = "q"

_KINDS: tuple[tuple[str, MessageKind], ...] = (
    ("photo", MessageKind.PHOTO),
    ("sticker", MessageKind.STICKER),
    ("voice", MessageKind.VOICE),
    ("contact", MessageKind.CONTACT),
    ("location", MessageKind.LOCATION),
    ("venue", MessageKind.LOCATION),
    ("animation", MessageKind.FILE),
    ("document", MessageKind.FILE),
    ("video", MessageKind.FILE),
    ("video_note", MessageKind.FILE),
    ("audio", MessageKind.FILE),
    ("poll", MessageKind.OTHER),
    ("dice", MessageKind.OTHER),
    ("game", MessageKind.OTHER),
    ("story", MessageKind.OTHER),
    ("paid_media", MessageKind.FILE),
    ("checklist", MessageKind.OTHER),
)


def person_of(chat_id: int) -> Person:
    """The dialogue's key of a private chat."""
    return Person(f"{FRONT_END}:{chat_id}")


def chat_of(person: Person) -> int:
    """The private chat of a dialogue."""
    return int(person.partition(":")[2])


def parse_update(update: object) -> Envelope | None:
    """The envelope of a private message, edit, pressed button or return; None for anything else."""
    if not isinstance(update, Update):
        return None
    if update.callback_query is not None:
        return _from_query(update.update_id, update.callback_query)
    if update.my_chat_member is not None:
        return _from_unblock(update.update_id, update.my_chat_member)
    message = update.message or update.edited_message
    return (
        None if message is None else _from_message(update.update_id, message, edited=update.edited_message is not None)
    )


def _from_message(update_id: int, message: Message, *, edited: bool) -> Envelope | None:
    if message.chat.type != ChatType.PRIVATE or message.from_user is None or message.from_user.is_bot:
        return None
    event: Event | LinkOpened | None = Sent(MessageKind.EDITED) if edited else _event_of_message(message)
    if event is None:
        return None
    return Envelope(
        person_of(message.chat.id),
        event,
        f"{FRONT_END}:{update_id}",
        MessageRef(message_id=message.message_id),
        language_of(message.from_user.language_code),
    )


def _from_query(update_id: int, query: CallbackQuery) -> Envelope | None:
    message = query.message
    if message is None or message.chat.type != ChatType.PRIVATE:
        return None
    return Envelope(
        person_of(message.chat.id),
        _event_of_data(query.data or ""),
        f"{FRONT_END}:{update_id}",
        MessageRef(message_id=message.message_id, query_id=query.id),
        language_of(query.from_user.language_code),
    )


def _from_unblock(update_id: int, change: ChatMemberUpdated) -> Envelope | None:
    """Somebody who had blocked the bot lets it write again."""
    # The library lets an update pass that lacks any of these.
    chat, user, now = change.chat, change.from_user, change.new_chat_member
    if not (chat and user and now) or chat.type != ChatType.PRIVATE or now.status != ChatMemberStatus.MEMBER:
        return None
    return Envelope(
        person_of(chat.id),
        ReaskRequested(),
        f"{FRONT_END}:{update_id}",
        language=language_of(user.language_code),
        kind=TurnKind.RETURN,
    )


def _event_of_data(data: str) -> Event:
    kind, _, rest = data.partition(":")
    choice, _, mark = rest.partition(":")
    if kind in set(SideMessage):
        return SideTapped(SideMessage(kind), choice, mark)
    return Tapped(choice, mark) if kind == QUESTION_PREFIX else Tapped("", "")


def _event_of_message(message: Message) -> Event | LinkOpened | None:
    if message.forward_origin is not None:
        return Sent(MessageKind.FORWARDED)
    if message.text is not None:
        return _event_of_command(message) or _event_of_text(message.text)
    return next((Sent(kind) for name, kind in _KINDS if getattr(message, name, None)), None)


def _event_of_text(text: str) -> Event | LinkOpened:
    payload = links.payload_in(text)
    return Said(text) if payload is None else _event_of_payload(payload)


def _event_of_command(message: Message) -> Event | LinkOpened | None:
    text = message.text or ""
    first = message.entities[0] if message.entities else None
    if first is None or first.type != MessageEntityType.BOT_COMMAND or first.offset != 0:
        return None
    name = text[1 : first.length].partition("@")[0].lower()
    words = text[first.length :].strip()
    if name == Command.START:
        return _event_of_payload(words)
    known = name in set(Command) and name != Command.UNKNOWN
    return Commanded(Command(name) if known else Command.UNKNOWN, words)


def _event_of_payload(payload: str) -> Event | LinkOpened:
    """What stands behind `start`: whatever is no link of another kind is the token of one, good or bad."""
    if not payload:
        return Commanded(Command.START)
    if payload.startswith(links.FAQ_PREFIX):
        return Commanded(Command.FAQ, payload.removeprefix(links.FAQ_PREFIX))
    if payload in {links.METHOD_PREFIX + way for way in Method}:
        return MethodSuggested(Method(payload.removeprefix(links.METHOD_PREFIX)))
    if payload in {links.LANGUAGE_PREFIX + language for language in LANGUAGES}:
        return Commanded(Command.LANGUAGE, payload.removeprefix(links.LANGUAGE_PREFIX))
    return LinkOpened(payload)
