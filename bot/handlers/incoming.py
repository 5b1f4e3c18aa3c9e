"""What an update means: an envelope, or nothing for us. It judges by the update alone, and never raises."""

from telegram import CallbackQuery, ChatMemberUpdated, Message, Update
from telegram.constants import ChatMemberStatus, ChatType, MessageEntityType

from bot import links
from bot.content.catalogue import language_of
from bot.engine.messages import Envelope, Origin
from bot.flow.effects import LANGUAGES
from bot.flow.events import (
    Browsed,
    Command,
    Commanded,
    Event,
    Kind,
    Linked,
    Resumed,
    Said,
    Sent,
    Side,
    Suggested,
    Tapped,
)
from verification.attempts import Method
from verification.dialogue_store import Person

FRONT_END = "telegram"
QUESTION = "q"

_KINDS: tuple[tuple[str, Kind], ...] = (
    ("photo", Kind.PHOTO),
    ("sticker", Kind.STICKER),
    ("voice", Kind.VOICE),
    ("contact", Kind.CONTACT),
    ("location", Kind.LOCATION),
    ("venue", Kind.LOCATION),
    ("animation", Kind.FILE),
    ("document", Kind.FILE),
    ("video", Kind.FILE),
    ("video_note", Kind.FILE),
    ("audio", Kind.FILE),
    ("poll", Kind.OTHER),
    ("dice", Kind.OTHER),
    ("game", Kind.OTHER),
    ("story", Kind.OTHER),
    ("paid_media", Kind.FILE),
    ("checklist", Kind.OTHER),
)


def person_of(chat_id: int) -> Person:
    """The dialogue's key of a private chat."""
    return Person(f"{FRONT_END}:{chat_id}")


def chat_of(person: Person) -> int:
    """The private chat of a dialogue."""
    return int(person.partition(":")[2])


def read(update: object) -> Envelope | None:
    """The envelope of a private message, edit, pressed button or return; None for anything else."""
    if not isinstance(update, Update):
        return None
    if update.callback_query is not None:
        return _of_query(update.update_id, update.callback_query)
    if update.my_chat_member is not None:
        return _of_return(update.update_id, update.my_chat_member)
    message = update.message or update.edited_message
    return None if message is None else _of_words(update.update_id, message, edited=update.edited_message is not None)


def _of_words(update_id: int, message: Message, *, edited: bool) -> Envelope | None:
    if message.chat.type != ChatType.PRIVATE or message.from_user is None or message.from_user.is_bot:
        return None
    event: Event | Linked | None = Sent(Kind.EDITED) if edited else _of_message(message)
    if event is None:
        return None
    return Envelope(
        person_of(message.chat.id),
        event,
        f"{FRONT_END}:{update_id}",
        Origin(message_id=message.message_id),
        language_of(message.from_user.language_code),
    )


def _of_query(update_id: int, query: CallbackQuery) -> Envelope | None:
    message = query.message
    if message is None or message.chat.type != ChatType.PRIVATE:
        return None
    return Envelope(
        person_of(message.chat.id),
        _of_data(query.data or ""),
        f"{FRONT_END}:{update_id}",
        Origin(message_id=message.message_id, query_id=query.id),
        language_of(query.from_user.language_code),
    )


def _of_return(update_id: int, change: ChatMemberUpdated) -> Envelope | None:
    """Somebody who had blocked the bot lets it write again."""
    # The library lets an update pass that lacks any of these.
    chat, user, now = change.chat, change.from_user, change.new_chat_member
    if not (chat and user and now) or chat.type != ChatType.PRIVATE or now.status != ChatMemberStatus.MEMBER:
        return None
    return Envelope(person_of(chat.id), Resumed(), f"{FRONT_END}:{update_id}", language=language_of(user.language_code))


def _of_data(data: str) -> Event:
    kind, _, rest = data.partition(":")
    choice, _, mark = rest.partition(":")
    if kind in set(Side):
        return Browsed(Side(kind), choice, mark)
    return Tapped(choice, mark) if kind == QUESTION else Tapped("", "")


def _of_message(message: Message) -> Event | Linked | None:
    if message.forward_origin is not None:
        return Sent(Kind.FORWARDED)
    if message.text is not None:
        return _of_command(message) or _of_text(message.text)
    return next((Sent(kind) for name, kind in _KINDS if getattr(message, name, None)), None)


def _of_text(text: str) -> Event | Linked:
    payload = links.written(text)
    return Said(text) if payload is None else _of_payload(payload)


def _of_command(message: Message) -> Event | Linked | None:
    text = message.text or ""
    first = message.entities[0] if message.entities else None
    if first is None or first.type != MessageEntityType.BOT_COMMAND or first.offset != 0:
        return None
    name = text[1 : first.length].partition("@")[0].lower()
    words = text[first.length :].strip()
    if name == Command.START:
        return _of_payload(words)
    known = name in set(Command) and name != Command.UNKNOWN
    return Commanded(Command(name) if known else Command.UNKNOWN, words)


def _of_payload(payload: str) -> Event | Linked:
    """What stands behind `start`: whatever is no link of another kind is the token of one, good or bad."""
    if not payload:
        return Commanded(Command.START)
    if payload.startswith(links.FAQ):
        return Commanded(Command.FAQ, payload.removeprefix(links.FAQ))
    if payload in {links.WAY + way for way in Method}:
        return Suggested(Method(payload.removeprefix(links.WAY)))
    if payload in {links.LANGUAGE + language for language in LANGUAGES}:
        return Commanded(Command.LANGUAGE, payload.removeprefix(links.LANGUAGE))
    return Linked(payload)
