"""Compares a message, with its keyboard, QR code and file, with what a script says of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chatscript.language.patterns import AnyButtons, Button, Content, Keyboard, Regex, Wanted
from chatscript.match.chat_view import Key, Message, Rows
from chatscript.match.matcher import Captures, Scope


@dataclass(frozen=True, slots=True)
class Compared:
    """The outcome for a message: what differs, in words, and what was captured if nothing does."""

    differences: tuple[str, ...]
    captures: Captures


def compare(
    content: Content, message: Message, scope: Scope, *, qr: str | None = None, buttons: bool = True
) -> Compared:
    """Compare a message with what the script says of it."""
    captures: Captures = {}
    differences = [] if content.kind == message.kind else [f"it is a {message.kind}, not a {content.kind}"]
    for wanted, actual, what in (
        (content.text, message.text, "the text"),
        (content.qr, qr, "the QR code"),
        (content.file, message.file, "the file's name"),
    ):
        if wanted is not None:
            found = None if actual is None else scope.match(wanted, actual, known=captures)
            captures |= found or {}
            differences += [text_differs(what, wanted, actual, scope)] if found is None else []
    if buttons:
        found = keyboard_captures(content.keyboard, message.rows, scope)
        captures |= found or {}
        differences += [_keyboard_difference(content.keyboard, message.rows)] if found is None else []
    return Compared(tuple(differences), captures)


def text_differs(what: str, wanted: Wanted, actual: str | None, scope: Scope) -> str:
    """Tell in words how a text differs."""
    if actual is None:
        return f"{what} cannot be read"
    if isinstance(wanted, Regex):
        return f"{what} does not match {wanted.source}"
    return f"{what} differs: {scope.difference(wanted, actual)}"


def _keyboard_difference(keyboard: Keyboard, rows: Rows) -> str:
    if not keyboard.rows:
        return "it has buttons that the script does not mention ([*] stands for any)"
    return "the buttons differ" if rows else "it has no buttons"


Expected = Button | AnyButtons | None
Actual = Key | None


def keyboard_captures(keyboard: Keyboard, rows: Rows, scope: Scope) -> Captures | None:
    """Return what the addresses of a keyboard capture, or None when it differs."""
    expected: list[Expected] = [item for row in keyboard.rows for item in (*row, None)]
    actual: list[Actual] = [item for row in rows for item in (*row, None)]
    return _keys(expected, actual, scope)


def _keys(expected: Sequence[Expected], actual: Sequence[Actual], scope: Scope) -> Captures | None:
    """Match buttons one by one; None among them ends a row."""
    if not expected or not actual:
        return {} if not expected and not actual else None
    first, rest = expected[0], expected[1:]
    if isinstance(first, AnyButtons):
        tails = (_keys(rest, actual[taken:], scope) for taken in range(1, len(actual)) if actual[taken - 1])
        return next((tail for tail in tails if tail is not None), None)
    if first is None or actual[0] is None:
        ended_together = first is None and actual[0] is None
        return _keys(rest, actual[1:], scope) if ended_together else None
    here = _key(first, actual[0], scope)
    tail = None if here is None else _keys(rest, actual[1:], scope)
    return None if here is None or tail is None else here | tail


def _key(button: Button, key: Key, scope: Scope) -> Captures | None:
    if not scope.label_fits(button.label, key.label):
        return None
    return {} if button.target is None else scope.match(button.target, key.target)
