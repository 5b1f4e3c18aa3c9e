"""Compares a message, its keyboard, QR code and file with what a script expects."""

from __future__ import annotations

import re
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
    """The result of a comparison: descriptions of the differences, and the captures."""

    differences: tuple[str, ...]
    captures: Captures


def compare_message(
    content: MessagePattern, message: MessageView, scope: MatchContext, *, qr: str | None = None, buttons: bool = True
) -> MessageComparison:
    """Compare a message. `qr` is the text of its QR code; `buttons` says whether the keyboard counts."""
    captures: Captures = {}
    differences = [] if content.kind == message.kind else [f"it is a {message.kind}, not a {content.kind}"]
    for expected, actual, part in (
        (content.text, message.text, "the text"),
        (content.qr, qr, "the QR code"),
        (content.file, message.file, "the file's name"),
    ):
        if expected is not None:
            found = None if actual is None else scope.match(expected, actual, known=captures)
            captures |= found or {}
            differences += [describe_text_difference(part, expected, actual, scope)] if found is None else []
    if buttons:
        found = match_keyboard(content.keyboard, message.rows, scope)
        captures |= found or {}
        differences += [_describe_keyboard_difference(content.keyboard, message.rows, scope)] if found is None else []
    return MessageComparison(tuple(differences), captures)


def describe_text_difference(part: str, expected: ExpectedText, actual: str | None, scope: MatchContext) -> str:
    """Describe how a text differs; `part` names it."""
    if actual is None:
        return f"{part} cannot be read"
    if isinstance(expected, RegexPattern):
        return f"{part} does not match {expected.source}"
    hint = _REGEX_HINT if _REGEX_INSIDE.search(expected.source) else ""
    return f"{part} differs: {scope.describe_difference(expected, actual)}{hint}"


_REGEX_INSIDE = re.compile(r"(?<![\w/])/[^/\s]+/(?![\w/])")
_REGEX_HINT = "; a /regex/ works only when it is the whole text: inside a text write ... or {name}"


def _describe_keyboard_difference(keyboard: KeyboardPattern, rows: ButtonRows, scope: MatchContext) -> str:
    if not keyboard.rows:
        return "it has buttons that the script does not mention ([*] matches any)"
    if not rows:
        return "it has no buttons"
    expected = [button for row in keyboard.rows for button in row]
    actual = [button for row in rows for button in row]
    in_one_row = KeyboardPattern((tuple(expected),))
    if match_keyboard(in_one_row, (tuple(actual),), scope) is not None:
        return f"the rows of the buttons differ: expected {_row_sizes(keyboard.rows)}, got {_row_sizes(rows)}"
    missing = [
        button.label.source
        for button in expected
        if isinstance(button, ButtonPattern) and not any(scope.label_matches(button.label, key.label) for key in actual)
    ]
    named = [button.label for button in expected if isinstance(button, ButtonPattern)]
    surplus = [key.label for key in actual if not any(scope.label_matches(label, key.label) for label in named)]
    return f"the labels of the buttons differ: {_list_labels(missing, surplus)}"


def _row_sizes(rows: Sequence[Sequence[object]]) -> str:
    return " / ".join(str(len(row)) for row in rows)


def _list_labels(missing: Sequence[str], surplus: Sequence[str]) -> str:
    if not missing and not surplus:
        return "the same labels in another order, another number, or with another target"
    parts = [("missing", missing), ("not mentioned", surplus)]
    return ", ".join(f"{word} {' '.join(f'[{label}]' for label in labels)}" for word, labels in parts if labels)


ExpectedButton = ButtonPattern | AnyButtons | None
ActualButton = ButtonView | None


def match_keyboard(keyboard: KeyboardPattern, rows: ButtonRows, scope: MatchContext) -> Captures | None:
    """Return what the targets of a keyboard capture, or None when the keyboard differs."""
    expected: list[ExpectedButton] = [item for row in keyboard.rows for item in (*row, None)]
    actual: list[ActualButton] = [item for row in rows for item in (*row, None)]
    return _match_buttons(expected, actual, scope)


def _match_buttons(
    expected: Sequence[ExpectedButton], actual: Sequence[ActualButton], scope: MatchContext
) -> Captures | None:
    """Match buttons one by one; None marks the end of a row."""
    if not expected or not actual:
        return {} if not expected and not actual else None
    first, rest = expected[0], expected[1:]
    if isinstance(first, AnyButtons):
        tails = (_match_buttons(rest, actual[taken:], scope) for taken in range(1, len(actual)) if actual[taken - 1])
        return next((tail for tail in tails if tail is not None), None)
    if first is None or actual[0] is None:
        ended_together = first is None and actual[0] is None
        return _match_buttons(rest, actual[1:], scope) if ended_together else None
    captured = _match_button(first, actual[0], scope)
    tail = None if captured is None else _match_buttons(rest, actual[1:], scope)
    return None if captured is None or tail is None else captured | tail


def _match_button(button: ButtonPattern, key: ButtonView, scope: MatchContext) -> Captures | None:
    if not scope.label_matches(button.label, key.label):
        return None
    return {} if button.target is None else scope.match(button.target, key.target)
