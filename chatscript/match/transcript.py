"""Formats the events of chats as the lines of a script."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from chatscript.match.chat_view import ButtonRows, ChatEvent, MessageView
from chatscript.match.matcher import collapse_spaces

# Characters that need a backslash: in what a person types, in a label, and in what a bot says.
_TYPED = re.compile(r"^[\[(]|[{\\]")
_LABEL = re.compile(r"[\[\]{\\]|\.{3}")
_ESCAPED = r"\\\g<0>"
_SAID_BY_BOT = re.compile(r"^\(|^/(?=.*/)|(?<!\S)\[|[{\\]|\.{3}")


def format_events(
    events: Iterable[ChatEvent], names: Mapping[int, str], notes: Sequence[tuple[int, int, str]] = ()
) -> list[str]:
    """Format the events of several chats in their order; `names` are the lines that go to each chat, by its id.

    `notes` are steps that leave no event, such as `@crash`: the number of the event before, the chat, the text.
    """
    lines: list[str] = []
    chat: int | None = None
    shown = [(event.seq, 0, event.chat, format_event(event)) for event in events]
    shown += [(seq, 1 + at, where, [text]) for at, (seq, where, text) in enumerate(notes)]
    for _, _, where, event_lines in sorted(shown, key=lambda item: item[:2]):
        if event_lines is None:
            continue
        if where != chat and (chat is not None or where < 0):
            lines.append(names.get(where) or (f"@user {where}" if where > 0 else "@group"))
        chat = where
        lines.extend(event_lines)
    return lines


def format_event(event: ChatEvent) -> list[str] | None:
    """Format one event; None for an event that scripts do not contain."""
    lines: list[str] | None = None
    match event:
        case ChatEvent(kind="message", own=own, message=MessageView() as message):
            lines = format_message(">" if own else "<", message)
        case ChatEvent(kind="press", text=label, data=data):
            lines = [f"> [{escape_label(label)}]" if label else f"> (tap) {_escape_text(data, own=True)}"]
        case ChatEvent(kind="edit", own=True, message=MessageView() as message):
            lines = format_message("> (edit)", message)
        case ChatEvent(kind="edit", message=MessageView() as message):
            lines = format_message("~", message)
        case ChatEvent(kind="delete", before=MessageView() as deleted):
            lines = [f"x {'> ' if deleted.own else ''}{_format_kind(deleted)}{_escape_text(deleted.text)}".rstrip()]
        case ChatEvent(kind="toast", text=text, alert=alert) if text:
            lines = [f"{'!!' if alert else '!'} {_escape_text(text)}"]
        case ChatEvent(kind="left"):
            lines = ["@left"]
        case _:
            lines = _format_other_event(event)
    return lines


def _format_other_event(event: ChatEvent) -> list[str] | None:
    match event.kind:
        case "inline":
            return [f">> {_escape_text(event.text, own=True)}".rstrip()]
        case "chose":
            return [f">> [{escape_label(event.text)}]"]
        case "reaction":
            return [f"> (react) {event.text}".rstrip() if event.own else f"@reacted {event.text}".rstrip()]
        case "pin" | "unpin":
            return [f"@{event.kind}ned"]
        case "results":
            return [f"<< {format_keyboard(event.rows)}".rstrip()]
        case _:
            return None


def format_message(mark: str, message: MessageView) -> list[str]:
    """Format a message; each line of its text takes one line."""
    parts = [part for part in message.text.split("\n") if part.strip()] or [""]
    first, *rest = [_escape_text(part, own=message.own) for part in parts]
    kind = "(forward) " if message.forwarded and mark == ">" else _format_kind(message)
    lines = [f"{mark} {kind}{first}".rstrip(), *(f"    | {part}" for part in rest)]
    if message.rows:
        lines[-1] += f"   {format_keyboard(message.rows)}"
    if message.file and not message.own:
        lines.append(f"    file: {message.file}")
    return lines


def format_keyboard(rows: ButtonRows) -> str:
    """Format the buttons of a message."""
    return " / ".join(
        " ".join(f"[{key.label} -> {key.target}]" if key.target else f"[{key.label}]" for key in row) for row in rows
    )


def escape_typed(text: str) -> str:
    """Put a backslash before everything in a person's text that a script would read as a mark."""
    return _TYPED.sub(_ESCAPED, text.strip())


def escape_label(label: str) -> str:
    """Put a backslash before everything in a label that a script would read as a mark."""
    return _LABEL.sub(_ESCAPED, label)


def _format_kind(message: MessageView) -> str:
    return "" if message.kind == "text" else f"({message.kind}) "


def _escape_text(text: str, *, own: bool = False) -> str:
    return escape_typed(text) if own else _SAID_BY_BOT.sub(_ESCAPED, collapse_spaces(text))
