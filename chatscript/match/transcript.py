"""Writes what happened in chats the way a script writes it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from chatscript.match.chat_view import ButtonRows, ChatEvent, MessageView
from chatscript.match.matcher import collapse_spaces

# What would read as something else than the words themselves.
_TYPED = re.compile(r"^[\[(]|[{\\]")
_LABEL = re.compile(r"[\[\]{\\]|\.{3}")
_ESCAPED = r"\\\g<0>"
_TOLD = re.compile(r"^\(|^/(?=.*/)|(?<!\S)\[|[{\\]|\.{3}")


def format_events(events: Iterable[ChatEvent], names: Mapping[int, str]) -> list[str]:
    """Write down events of several chats in the order in which they happened."""
    written: list[str] = []
    chat: int | None = None
    for event in events:
        told = format_event(event)
        if told is None:
            continue
        if event.chat != chat and (chat is not None or event.chat < 0):
            written.append(f"@user {names.get(event.chat, event.chat)}" if event.chat > 0 else "@group")
        chat = event.chat
        written.extend(told)
    return written


def format_event(event: ChatEvent) -> list[str] | None:
    """Write down one event; None for what a script does not speak of."""
    written: list[str] | None = None
    match event:
        case ChatEvent(kind="message", own=own, message=MessageView() as message):
            written = format_message(">" if own else "<", message)
        case ChatEvent(kind="press", text=label, data=data):
            written = [f"> [{_LABEL.sub(_ESCAPED, label)}]" if label else f"> (tap) {_escape_text(data, own=True)}"]
        case ChatEvent(kind="edit", own=True, message=MessageView() as message):
            written = format_message("> (edit)", message)
        case ChatEvent(kind="edit", message=MessageView() as message):
            written = format_message("~", message)
        case ChatEvent(kind="delete", before=MessageView() as was):
            written = [f"x {'> ' if was.own else ''}{_format_kind(was)}{_escape_text(was.text)}".rstrip()]
        case ChatEvent(kind="toast", text=text, alert=alert) if text:
            written = [f"{'!!' if alert else '!'} {_escape_text(text)}"]
        case ChatEvent(kind="left"):
            written = ["@left"]
        case _:
            written = _format_inline_event(event)
    return written


def _format_inline_event(event: ChatEvent) -> list[str] | None:
    match event.kind:
        case "inline":
            return [f">> {_escape_text(event.text, own=True)}".rstrip()]
        case "chose":
            return [f">> [{_LABEL.sub(_ESCAPED, event.text)}]"]
        case "results":
            return [f"<< {format_keyboard(event.rows)}".rstrip()]
        case _:
            return None


def format_message(mark: str, message: MessageView) -> list[str]:
    """Write down a message; long ones take several lines."""
    parts = [part for part in message.text.split("\n") if part.strip()] or [""]
    first, *rest = [_escape_text(part, own=message.own) for part in parts]
    kind = "(forward) " if message.forwarded and mark == ">" else _format_kind(message)
    written = [f"{mark} {kind}{first}".rstrip(), *(f"    | {part}" for part in rest)]
    if message.rows:
        written[-1] += f"   {format_keyboard(message.rows)}"
    if message.file and not message.own:
        written.append(f"    file: {message.file}")
    return written


def format_keyboard(rows: ButtonRows) -> str:
    """Write down the buttons of a message."""
    return " / ".join(
        " ".join(f"[{key.label} -> {key.target}]" if key.target else f"[{key.label}]" for key in row) for row in rows
    )


def _format_kind(message: MessageView) -> str:
    return "" if message.kind == "text" else f"({message.kind}) "


def _escape_text(text: str, *, own: bool = False) -> str:
    return _TYPED.sub(_ESCAPED, text.strip()) if own else _TOLD.sub(_ESCAPED, collapse_spaces(text))
