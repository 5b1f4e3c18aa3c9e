"""Compares a message, with its keyboard, QR code and file, with what a script says of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chatscript.language.patterns import (
    AnyButtons,
    ButtonPattern,
    ExpectedText,
    KeyboardPattern,
    MessagePattern,
    RegexPattern,
)
from chatscript.match.chat_view import ButtonRows, ButtonView, MessageView
from chatscript.match.matcher import Captures, MatchContext


@dataclass(frozen=True, slots=True)
class MessageComparison:
    """The outcome for a message: what differs, in words, and what was captured if nothing does."""

    differences: tuple[str, ...]
    captures: Captures


def compare_message(
    content: MessagePattern, message: MessageView, scope: MatchContext, *, qr: str | None = None, buttons: bool = True
) -> MessageComparison:
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
            differences += [describe_text_difference(what, wanted, actual, scope)] if found is None else []
    if buttons:
        found = match_keyboard(content.keyboard, message.rows, scope)
        captures |= found or {}
        differences += [_describe_keyboard_difference(content.keyboard, message.rows)] if found is None else []
    return MessageComparison(tuple(differences), captures)


def describe_text_difference(what: str, wanted: ExpectedText, actual: str | None, scope: MatchContext) -> str:
    """Tell in words how a text differs."""
    if actual is None:
        return f"{what} cannot be read"
    if isinstance(wanted, RegexPattern):
        return f"{what} does not match {wanted.source}"
    return f"{what} differs: {scope.describe_difference(wanted, actual)}"


def _describe_keyboard_difference(keyboard: KeyboardPattern, rows: ButtonRows) -> str:
    if not keyboard.rows:
        return "it has buttons that the script does not mention ([*] stands for any)"
    return "the buttons differ" if rows else "it has no buttons"


ExpectedButton = ButtonPattern | AnyButtons | None
ActualButton = ButtonView | None


def match_keyboard(keyboard: KeyboardPattern, rows: ButtonRows, scope: MatchContext) -> Captures | None:
    """Return what the addresses of a keyboard capture, or None when it differs."""
    expected: list[ExpectedButton] = [item for row in keyboard.rows for item in (*row, None)]
    actual: list[ActualButton] = [item for row in rows for item in (*row, None)]
    return _match_buttons(expected, actual, scope)


def _match_buttons(
    expected: Sequence[ExpectedButton], actual: Sequence[ActualButton], scope: MatchContext
) -> Captures | None:
    """Match buttons one by one; None among them ends a row."""
    if not expected or not actual:
        return {} if not expected and not actual else None
    first, rest = expected[0], expected[1:]
    if isinstance(first, AnyButtons):
        tails = (_match_buttons(rest, actual[taken:], scope) for taken in range(1, len(actual)) if actual[taken - 1])
        return next((tail for tail in tails if tail is not None), None)
    if first is None or actual[0] is None:
        ended_together = first is None and actual[0] is None
        return _match_buttons(rest, actual[1:], scope) if ended_together else None
    here = _match_button(first, actual[0], scope)
    tail = None if here is None else _match_buttons(rest, actual[1:], scope)
    return None if here is None or tail is None else here | tail


def _match_button(button: ButtonPattern, key: ButtonView, scope: MatchContext) -> Captures | None:
    if not scope.label_matches(button.label, key.label):
        return None
    return {} if button.target is None else scope.match(button.target, key.target)
