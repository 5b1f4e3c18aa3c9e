"""Writes what happened in chats the way a script writes it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from chatscript.match.chat_view import Event, Message, Rows
from chatscript.match.matcher import fold

# What would read as something else than the words themselves.
_TYPED = re.compile(r"^[\[(]|[{\\]")
_LABEL = re.compile(r"[\[\]{\\]|\.{3}")
_ESCAPED = r"\\\g<0>"
_TOLD = re.compile(r"^\(|^/(?=.*/)|(?<!\S)\[|[{\\]|\.{3}")


def lines(events: Iterable[Event], names: Mapping[int, str]) -> list[str]:
    """Write down events of several chats in the order in which they happened."""
    written: list[str] = []
    chat: int | None = None
    for event in events:
        told = line(event)
        if told is None:
            continue
        if event.chat != chat and (chat is not None or event.chat < 0):
            written.append(f"@user {names.get(event.chat, event.chat)}" if event.chat > 0 else "@group")
        chat = event.chat
        written.extend(told)
    return written


def line(event: Event) -> list[str] | None:
    """Write down one event; None for what a script does not speak of."""
    written: list[str] | None = None
    match event:
        case Event(kind="message", own=own, message=Message() as message):
            written = content(">" if own else "<", message)
        case Event(kind="press", text=label, data=data):
            written = [f"> [{_LABEL.sub(_ESCAPED, label)}]" if label else f"> (tap) {_words(data, own=True)}"]
        case Event(kind="edit", own=True, message=Message() as message):
            written = content("> (edit)", message)
        case Event(kind="edit", message=Message() as message):
            written = content("~", message)
        case Event(kind="delete", was=Message() as was):
            written = [f"x {'> ' if was.own else ''}{_kind(was)}{_words(was.text)}".rstrip()]
        case Event(kind="toast", text=text, alert=alert) if text:
            written = [f"{'!!' if alert else '!'} {_words(text)}"]
        case Event(kind="left"):
            written = ["@left"]
        case _:
            written = _behind_the_name(event)
    return written


def _behind_the_name(event: Event) -> list[str] | None:
    match event.kind:
        case "inline":
            return [f">> {_words(event.text, own=True)}".rstrip()]
        case "chose":
            return [f">> [{_LABEL.sub(_ESCAPED, event.text)}]"]
        case "results":
            return [f"<< {keyboard(event.rows)}".rstrip()]
        case _:
            return None


def content(mark: str, message: Message) -> list[str]:
    """Write down a message; long ones take several lines."""
    parts = [part for part in message.text.split("\n") if part.strip()] or [""]
    first, *rest = [_words(part, own=message.own) for part in parts]
    kind = "(forward) " if message.forwarded and mark == ">" else _kind(message)
    written = [f"{mark} {kind}{first}".rstrip(), *(f"    | {part}" for part in rest)]
    if message.rows:
        written[-1] += f"   {keyboard(message.rows)}"
    if message.file and not message.own:
        written.append(f"    file: {message.file}")
    return written


def keyboard(rows: Rows) -> str:
    """Write down the buttons of a message."""
    return " / ".join(
        " ".join(f"[{key.label} -> {key.target}]" if key.target else f"[{key.label}]" for key in row) for row in rows
    )


def _kind(message: Message) -> str:
    return "" if message.kind == "text" else f"({message.kind}) "


def _words(text: str, *, own: bool = False) -> str:
    return _TYPED.sub(_ESCAPED, text.strip()) if own else _TOLD.sub(_ESCAPED, fold(text))
