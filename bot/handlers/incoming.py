"""Parses an update, as Telegram sends it, into an envelope, or into nothing. It reads only the update and never raises.

Any JSON value may be in the place of a text or a number, or the field may be missing. So the type of every field is
checked before it is used. The library's objects are not made here: they cost more than the dialogue's rules.
"""

from collections.abc import Mapping
from typing import Any

from telegram.constants import ChatMemberStatus, ChatType, MessageEntityType

from bot import links
from bot.content.catalogue import language_of
from bot.engine.messages import FRONT_END, Envelope, MessageRef, TurnKind
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
from verification.attempts import TYPED_METHODS, Method
from verification.ids import PersonId

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


def person_of(chat_id: int) -> PersonId:
    """The dialogue's key of a private chat."""
    # `:d`, because JSON's true is an int too.
    return PersonId(f"{FRONT_END}:{chat_id:d}")


def chat_of(person: PersonId) -> int:
    """The private chat of a dialogue; raises `ValueError` for a person of another front end, who has none."""
    front_end, _, chat = person.partition(":")
    if front_end != FRONT_END:
        raise ValueError(f"a person of the front end {front_end!r} has no chat here")
    return int(chat)


def parse_update(update: object) -> Envelope | None:
    """The envelope of a private message, an edit, a pressed button or an unblocking; None for anything else."""
    match update:
        case {"update_id": int(number), "callback_query": {} as query}:
            return _from_query(number, query)
        case {"update_id": int(number), "my_chat_member": {} as change}:
            return _from_unblock(number, change)
        case {"update_id": int(number), "message": {} as message}:
            return _from_message(number, message, edited=False)
        case {"update_id": int(number), "edited_message": {} as message}:
            return _from_message(number, message, edited=True)
        case _:
            return None


def command_in(message: Mapping[str, Any]) -> tuple[str, str] | None:
    """The name of the command that a message begins with, and the text after it, if it begins with one."""
    match message:
        case {
            "text": str(text),
            "entities": [{"type": MessageEntityType.BOT_COMMAND, "offset": 0, "length": int(end)}, *_],
        }:
            return text[1:end].partition("@")[0].lower(), text[end:].strip()
        case _:
            return None


def _from_message(update_id: int, message: Mapping[str, Any], *, edited: bool) -> Envelope | None:
    match message:
        case {
            "message_id": int(message_id),
            "chat": {"id": int(chat_id), "type": ChatType.PRIVATE},
            "from": {"is_bot": False} as sender,
        } if _has_language(sender):
            event = Sent(MessageKind.EDITED) if edited else _event_of_message(message)
        case _:
            return None
    if event is None:
        return None
    return Envelope(
        person_of(chat_id),
        event,
        f"{FRONT_END}:{update_id}",
        MessageRef(message_id=message_id),
        language_of(sender.get("language_code")),
    )


def _from_query(update_id: int, query: Mapping[str, Any]) -> Envelope | None:
    match query:
        case {
            "id": str(query_id),
            "from": {} as sender,
            "message": {"message_id": int(message_id), "chat": {"id": int(chat_id), "type": ChatType.PRIVATE}},
        } if _has_language(sender):
            data = query.get("data")
            return Envelope(
                person_of(chat_id),
                _event_of_data(data if isinstance(data, str) else ""),
                f"{FRONT_END}:{update_id}",
                MessageRef(message_id=message_id, query_id=query_id),
                language_of(sender.get("language_code")),
            )
        case _:
            return None


def _from_unblock(update_id: int, change: Mapping[str, Any]) -> Envelope | None:
    """The envelope of a person who unblocks the bot."""
    match change:
        case {
            "chat": {"id": int(chat_id), "type": ChatType.PRIVATE},
            "from": {} as sender,
            "new_chat_member": {"status": ChatMemberStatus.MEMBER},
        } if _has_language(sender):
            return Envelope(
                person_of(chat_id),
                ReaskRequested(),
                f"{FRONT_END}:{update_id}",
                language=language_of(sender.get("language_code")),
                kind=TurnKind.RETURN,
            )
        case _:
            return None


def _has_language(sender: Mapping[str, Any]) -> bool:
    return isinstance(sender.get("language_code"), str | None)


def _event_of_data(data: str) -> Event:
    kind, _, rest = data.partition(":")
    choice, _, question_id = rest.partition(":")
    if kind in set(SideMessage):
        return SideTapped(side=SideMessage(kind), choice=choice, question_id=question_id)
    return (
        Tapped(choice=choice, question_id=question_id) if kind == QUESTION_PREFIX else Tapped(choice="", question_id="")
    )


def _event_of_message(message: Mapping[str, Any]) -> Event | LinkOpened | None:
    if message.get("forward_origin") is not None:
        return Sent(MessageKind.FORWARDED)
    text = message.get("text")
    match text:
        case None:
            return next((Sent(kind) for name, kind in _KINDS if message.get(name)), None)
        case str():
            return _event_of_command(message) or _event_of_text(text)
        case _:
            return None


def _event_of_text(text: str) -> Event | LinkOpened:
    payload = links.payload_in(text)
    return Said(text) if payload is None else _event_of_payload(payload)


def _event_of_command(message: Mapping[str, Any]) -> Event | LinkOpened | None:
    command = command_in(message)
    if command is None:
        return None
    name, arguments = command
    if name == Command.START:
        return _event_of_payload(arguments)
    is_known = name in set(Command) and name != Command.UNKNOWN
    return Commanded(Command(name) if is_known else Command.UNKNOWN, arguments)


def _event_of_payload(payload: str) -> Event | LinkOpened:
    """The event of a `/start` payload; a payload of no other kind is taken as a link's token, valid or not."""
    if not payload:
        return Commanded(Command.START)
    if payload.startswith(links.FAQ_PREFIX):
        return Commanded(Command.FAQ, payload.removeprefix(links.FAQ_PREFIX))
    if payload in {links.METHOD_PREFIX + method for method in TYPED_METHODS}:
        return MethodSuggested(Method(payload.removeprefix(links.METHOD_PREFIX)))
    if payload in {links.LANGUAGE_PREFIX + language for language in LANGUAGES}:
        return Commanded(Command.LANGUAGE, payload.removeprefix(links.LANGUAGE_PREFIX))
    return LinkOpened(payload)
