"""Rewrites an expectation so that it describes what the bot does now, and keeps the parts that still match.

It keeps keys, values, captures and wildcards at both ends of a text; the new text stands between them. A new text that
is one of the bot's texts becomes its key, if the old line used keys.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from chatscript.language import steps
from chatscript.language.patterns import (
    BotTextKey,
    ButtonPattern,
    ExpectedText,
    KeyboardPattern,
    LiteralText,
    MessagePattern,
    PatternPart,
    PersonId,
    SourceLocation,
    TextPattern,
    Variable,
)
from chatscript.match import transcript
from chatscript.match.chat_view import ButtonRows, ButtonView, ChatEvent, MessageView
from chatscript.match.matcher import MatchContext, collapse_spaces, strip_emoji
from chatscript.match.message_diff import match_keyboard

_NEEDS_ESCAPE = re.compile(r"[{\\]|(?<!\S)\[|\.{3}|^[(/]")
VARYING_TEXT = re.compile(
    r"https?://(?:127\.0\.0\.1|localhost|\[::1\])[^\s\]]*"
    r"|\d{4}[-/.年]\d{1,2}[-/.月]\d{1,2}日?|\d{1,2}-\d{1,2}(?=\s+\d\d?:)|\d{1,2}:\d\d(?::\d\d)?"
    r"|[\w:]*\*{2,}\w*|[A-Za-z0-9_-]{20,}"
)
"""Texts that differ from run to run: addresses of this machine, dates and times, masked numbers, tokens."""
_MIDDLE = Variable("_", SourceLocation("", 0))
_MAX_LINE = 110
_MIN_VALUE = 2  # characters


def rewrite_expectation(
    step: steps.Expectation, event: ChatEvent, scope: MatchContext, qr: str | None = None
) -> list[str]:
    """Return the lines of a step, rewritten for the event that came instead; `qr` is the text of its QR code."""
    match step, event:
        case steps.ExpectMessage(content=content), ChatEvent(kind="message" | "edit", message=MessageView() as message):
            mark = "<" if event.kind == "message" else "~"
            lines = format_marked(mark, message.kind, rewrite_text(content.text, message.text, scope))
            return [
                *_with_keyboard(lines, content.keyboard, message.rows, scope),
                *_details(content, message, scope, qr),
            ]
        case steps.ExpectDeleted(content=MessagePattern(text=expected)), ChatEvent(before=MessageView() as deleted):
            return format_marked(
                "x >" if deleted.own else "x", deleted.kind, rewrite_text(expected, deleted.text, scope)
            )
        case steps.ExpectInlineResults(results=results), ChatEvent(kind="results", rows=rows):
            return [f"<< {_rewrite_keyboard(results, rows, scope)}".rstrip()]
        case steps.ExpectToast(text=expected), ChatEvent(kind="toast"):
            return format_marked("!!" if event.alert else "!", "text", rewrite_text(expected, event.text, scope))
        case _:
            return transcript.format_event(event) or []


def write_new_expectation(event: ChatEvent, scope: MatchContext, like: Sequence[str]) -> list[str]:
    """Return the lines for an event that no step expects, with keys if the script uses keys (`like`)."""
    keyed = TextPattern("", tuple(BotTextKey(name, _MIDDLE.location) for name in like))
    match event:
        case ChatEvent(kind="message" | "edit", own=False, message=MessageView() as message) if like:
            mark = "<" if event.kind == "message" else "~"
            lines = format_marked(mark, message.kind, _write_new_text(message.text, keyed, scope))
            return _with_keyboard(lines, KeyboardPattern(((ButtonPattern(keyed),),)), message.rows, scope)
        case ChatEvent(kind="delete", before=MessageView(own=False) as deleted) if like:
            return format_marked("x", deleted.kind, _write_new_text(deleted.text, keyed, scope))
        case ChatEvent(kind="toast") if like:
            return format_marked("!!" if event.alert else "!", "text", _write_new_text(event.text, keyed, scope))
        case _:
            return [VARYING_TEXT.sub("...", line) for line in transcript.format_event(event) or []]


def rewrite_text(expected: ExpectedText, actual: str, scope: MatchContext) -> str:
    """Return a text as the script has it, rewritten where it no longer matches."""
    if scope.match(expected, actual) is not None:
        return expected.source
    if isinstance(expected, TextPattern):
        for before, after in _keepable_ends(expected.parts):
            found = scope.match(TextPattern("", (*before, _MIDDLE, *after)), actual)
            if found is not None:
                middle = found[_MIDDLE.name]
                gap = " " if middle[0].isspace() else ""
                end = " " if middle[-1].isspace() else ""
                return (
                    f"{_format_parts(before)}{gap}{_write_new_text(middle, expected, scope)}{end}{_format_parts(after)}"
                )
    return _write_new_text(actual, expected, scope)


def _keepable_ends(parts: Sequence[PatternPart]) -> Iterator[tuple[Sequence[PatternPart], Sequence[PatternPart]]]:
    """Yield the parts that may stay at both ends, the longest first; a variable stays only next to kept text."""
    is_text = [isinstance(part, LiteralText | BotTextKey) for part in parts]
    ends = [(i, j) for i in range(len(parts)) for j in range(i, len(parts) + 1) if i or j < len(parts)]
    for i, j in sorted(ends, key=lambda end: end[1] - end[0]):
        if (not i or is_text[i - 1]) and (j == len(parts) or is_text[j]) and j > i:
            yield parts[:i], parts[j:]


def _write_new_text(actual: str, expected: ExpectedText, scope: MatchContext) -> str:
    """Return a new text: a key if the line had keys, otherwise the text with the line's values in it."""
    known = [part.name for part in expected.parts if isinstance(part, BotTextKey)]
    if known and (keys := find_text_keys(actual, known, scope)):
        return keys
    lines = (escape_text(collapse_spaces(line)) for line in actual.split("\n") if line.strip())
    text = VARYING_TEXT.sub("...", "\n".join(lines))
    for part in expected.parts:
        value = scope.values.get(part.name, "") if isinstance(part, Variable) else ""
        if isinstance(part, Variable) and len(value) >= _MIN_VALUE:
            text = text.replace(value, f"{{{part.name}}}")
    return text


def escape_text(text: str) -> str:
    """Put a backslash before everything in a text of the bot that a script would read as a mark."""
    return _NEEDS_ESCAPE.sub(r"\\\g<0>", text)


def find_text_keys(actual: str, like: Sequence[str], scope: MatchContext) -> str | None:
    """Return the key of a text, or the keys of two texts one below the other, as `{t:key}`; None without a match."""
    if key := _find_text_key(actual, like, scope):
        return key
    lines = actual.split("\n")
    for number in range(1, len(lines)):
        if (above := _find_text_key("\n".join(lines[:number]), like, scope)) and (
            below := _find_text_key("\n".join(lines[number:]), like, scope)
        ):
            return f"{above} {below}"
    return None


def _find_text_key(actual: str, like: Sequence[str], scope: MatchContext) -> str | None:
    """Return the key of a text. Of several, take the longest text, then a key from the groups of `like`."""
    groups = {name.rpartition(".")[0] for name in like}
    collapsed = collapse_spaces(actual)
    found = [
        (
            -sum(len(part.text) for part in parts if isinstance(part, LiteralText)),
            name.rpartition(".")[0] not in groups,
            name,
        )
        for name, parts in scope.bot_texts.languages.get(scope.language, {}).items()
        if _can_match(parts, collapsed) and scope.match(TextPattern("", parts), actual) is not None
    ]
    return f"{{t:{min(found)[2]}}}" if found else None


def _can_match(parts: Sequence[PatternPart], collapsed: str) -> bool:
    """Whether all literal parts are in the text. This quick check excludes most texts.

    A text without letters (only values and punctuation) would match anything, so it never counts.
    """
    literals = [collapse_spaces(part.text) for part in parts if isinstance(part, LiteralText)]
    return any(map(str.isalnum, "".join(literals))) and all(literal in collapsed for literal in literals)


def _format_parts(parts: Sequence[PatternPart]) -> str:
    return "".join(map(_format_part, parts))


def _format_part(part: PatternPart) -> str:
    match part:
        case LiteralText(text=text):
            return escape_text(text)
        case Variable(name=name):
            return f"{{{name}}}"
        case BotTextKey(name=name):
            return f"{{t:{name}}}"
        case PersonId(person=person):
            return f"{{id:{person}}}"
        case _:
            return "..."


def format_marked(mark: str, kind: str, text: str) -> list[str]:
    """Return the lines of a step: the mark and the first line of the text, then its further lines."""
    first, *rest = text.split("\n")
    prefix = "" if kind == "text" else f"({kind}) "
    return [f"{mark} {prefix}{first}".rstrip(), *(f"    | {line}" for line in rest)]


def _with_keyboard(lines: list[str], keyboard: KeyboardPattern, rows: ButtonRows, scope: MatchContext) -> list[str]:
    if not rows:
        return lines
    same = match_keyboard(keyboard, rows, scope) is not None
    shown = _format_keyboard_pattern(keyboard) if same else _rewrite_keyboard(keyboard, rows, scope)
    return append_keyboard(lines, shown)


def append_keyboard(lines: Sequence[str], keyboard: str) -> list[str]:
    """Return the lines with the buttons after the last one, or on a line of their own when that gets too long."""
    one_line = f"{lines[-1]}   {keyboard}"
    return [*lines[:-1], one_line] if len(one_line) <= _MAX_LINE else [*lines, f"    {keyboard}"]


def _format_keyboard_pattern(keyboard: KeyboardPattern) -> str:
    return " / ".join(" ".join(_format_button(item) for item in row) for row in keyboard.rows)


def _format_button(item: object) -> str:
    if not isinstance(item, ButtonPattern):
        return "[*]"
    return f"[{item.label.source} -> {item.target.source}]" if item.target else f"[{item.label.source}]"


def _rewrite_keyboard(keyboard: KeyboardPattern, rows: ButtonRows, scope: MatchContext) -> str:
    old = [item for row in keyboard.rows for item in row if isinstance(item, ButtonPattern)]
    return " / ".join(" ".join(_rewrite_button(button, old, scope) for button in row) for row in rows)


def _rewrite_button(button: ButtonView, old: Sequence[ButtonPattern], scope: MatchContext) -> str:
    for item in old:
        if scope.label_matches(item.label, button.label) and bool(item.target) == bool(button.target):
            target = rewrite_text(item.target, button.target, scope) if item.target else ""
            return f"[{item.label.source} -> {target}]" if target else f"[{item.label.source}]"
    keys = [part.name for item in old for part in item.label.parts if isinstance(part, BotTextKey)]
    key = (
        (_find_text_key(button.label, keys, scope) or _find_text_key(strip_emoji(button.label), keys, scope))
        if keys
        else None
    )
    label = key or re.sub(r"[\[\]{\\]", r"\\\g<0>", strip_emoji(button.label) or button.label)
    target = (_find_text_key(button.target, keys, scope) if keys and button.target else None) or VARYING_TEXT.sub(
        "...", button.target
    )
    return f"[{label} -> {target}]" if target else f"[{label}]"


def _details(content: MessagePattern, message: MessageView, scope: MatchContext, qr: str | None) -> Iterator[str]:
    for name, expected, actual in (("qr", content.qr, qr), ("file", content.file, message.file)):
        if expected is not None and actual is not None:
            yield f"    {name}: {rewrite_text(expected, actual, scope)}"
