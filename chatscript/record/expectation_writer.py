"""Writes an expectation anew so that it says what the bot now does, and keeps of it what still holds.

Kept are keys, values, captures and wildcards at both ends of a text; between them the new words stand. New words that
are a sentence of the catalogue become its key where the old line used keys.
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
from chatscript.match.chat_view import ButtonRows, ChatEvent, MessageView
from chatscript.match.chat_view import ButtonView as Actual
from chatscript.match.matcher import MatchContext, collapse_spaces, strip_emoji
from chatscript.match.message_diff import match_keyboard

NEEDS_ESCAPE = re.compile(r"[{\\]|(?<!\S)\[|\.{3}|^[(/]")
VARYING_TEXT = re.compile(
    r"https?://(?:127\.0\.0\.1|localhost|\[::1\])[^\s\]]*"
    r"|\d{4}[-/.年]\d{1,2}[-/.月]\d{1,2}日?|\d{1,2}-\d{1,2}(?=\s+\d\d?:)|\d{1,2}:\d\d(?::\d\d)?"
    r"|[\w:]*\*{2,}\w*|[A-Za-z0-9_-]{20,}"
)
"""What differs from one conversation to the next: addresses of this machine, dates and times, masks, tokens."""
_MIDDLE = Variable("_", SourceLocation("", 0))
_WIDE = 110
_SHORTEST_VALUE = 2


def rewrite_expectation(
    step: steps.Expectation, event: ChatEvent, scope: MatchContext, qr: str | None = None
) -> list[str]:
    """Write a step anew for the event that came in its place."""
    match step, event:
        case steps.ExpectMessage(content=content), ChatEvent(kind="message" | "edit", message=MessageView() as message):
            mark = "<" if event.kind == "message" else "~"
            words = format_marked(mark, message.kind, rewrite_text(content.text, message.text, scope))
            return [
                *_with_keyboard(words, content.keyboard, message.rows, scope),
                *_details(content, message, scope, qr),
            ]
        case steps.ExpectDeleted(content=MessagePattern(text=wanted)), ChatEvent(before=MessageView() as was):
            return format_marked("x >" if was.own else "x", was.kind, rewrite_text(wanted, was.text, scope))
        case steps.ExpectInlineResults(results=results), ChatEvent(kind="results", rows=rows):
            return [f"<< {_rewrite_keyboard(results, rows, scope)}".rstrip()]
        case steps.ExpectToast(text=wanted), ChatEvent(kind="toast"):
            return format_marked("!!" if event.alert else "!", "text", rewrite_text(wanted, event.text, scope))
        case _:
            return transcript.format_event(event) or []


def write_new_expectation(event: ChatEvent, scope: MatchContext, like: Sequence[str]) -> list[str]:
    """Write down an event that no line meant; by keys where the script has some."""
    blank = TextPattern("", tuple(BotTextKey(name, _MIDDLE.location) for name in like))
    match event:
        case ChatEvent(kind="message" | "edit", own=False, message=MessageView() as message) if like:
            mark = "<" if event.kind == "message" else "~"
            words = format_marked(mark, message.kind, _write_new_text(message.text, blank, scope))
            return _with_keyboard(words, KeyboardPattern(((ButtonPattern(blank),),)), message.rows, scope)
        case ChatEvent(kind="delete", before=MessageView(own=False) as was) if like:
            return format_marked("x", was.kind, _write_new_text(was.text, blank, scope))
        case ChatEvent(kind="toast") if like:
            return format_marked("!!" if event.alert else "!", "text", _write_new_text(event.text, blank, scope))
        case _:
            return [VARYING_TEXT.sub("...", line) for line in transcript.format_event(event) or []]


def rewrite_text(wanted: ExpectedText, actual: str, scope: MatchContext) -> str:
    """Write a text anew, where it no longer fits."""
    if scope.match(wanted, actual) is not None:
        return wanted.source
    if isinstance(wanted, TextPattern):
        for before, after in _keepable_ends(wanted.parts):
            found = scope.match(TextPattern("", (*before, _MIDDLE, *after)), actual)
            if found is not None:
                middle = found[_MIDDLE.name]
                gap = " " if middle[0].isspace() else ""
                end = " " if middle[-1].isspace() else ""
                return (
                    f"{_format_parts(before)}{gap}{_write_new_text(middle, wanted, scope)}{end}{_format_parts(after)}"
                )
    return _write_new_text(actual, wanted, scope)


def _keepable_ends(parts: Sequence[PatternPart]) -> Iterator[tuple[Sequence[PatternPart], Sequence[PatternPart]]]:
    """List what may be kept at both ends, the most first; a hole is kept only beside words that are kept."""
    solid = [isinstance(part, LiteralText | BotTextKey) for part in parts]
    ends = [(i, j) for i in range(len(parts)) for j in range(i, len(parts) + 1) if i or j < len(parts)]
    for i, j in sorted(ends, key=lambda end: end[1] - end[0]):
        if (not i or solid[i - 1]) and (j == len(parts) or solid[j]) and j > i:
            yield parts[:i], parts[j:]


def _write_new_text(actual: str, wanted: ExpectedText, scope: MatchContext) -> str:
    """Write words that the line did not have: by a key if it had keys, with the values it had."""
    known = [part.name for part in wanted.parts if isinstance(part, BotTextKey)]
    if known and (keys := find_text_keys(actual, known, scope)):
        return keys
    lines = (NEEDS_ESCAPE.sub(r"\\\g<0>", collapse_spaces(line)) for line in actual.split("\n") if line.strip())
    words = VARYING_TEXT.sub("...", "\n".join(lines))
    for part in wanted.parts:
        value = scope.values.get(part.name, "") if isinstance(part, Variable) else ""
        if isinstance(part, Variable) and len(value) >= _SHORTEST_VALUE:
            words = words.replace(value, f"{{{part.name}}}")
    return words


def find_text_keys(actual: str, like: Sequence[str], scope: MatchContext) -> str | None:
    """Find the key of a sentence, or of two that stand one below the other."""
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
    """Find the key of a sentence; of several, the one with most words, then one like those that stood there."""
    rooms = {name.rpartition(".")[0] for name in like}
    folded = collapse_spaces(actual)
    found = [
        (
            -sum(len(part.text) for part in parts if isinstance(part, LiteralText)),
            name.rpartition(".")[0] not in rooms,
            name,
        )
        for name, parts in scope.bot_texts.languages.get(scope.language, {}).items()
        if _can_match(parts, folded) and scope.match(TextPattern("", parts), actual) is not None
    ]
    return f"{{t:{min(found)[2]}}}" if found else None


def _can_match(parts: Sequence[PatternPart], folded: str) -> bool:
    """Whether a sentence has words, and all of them stand there; most sentences are ruled out by that alone.

    One that is only values with dots between them could be anything.
    """
    words = [collapse_spaces(part.text) for part in parts if isinstance(part, LiteralText)]
    return any(map(str.isalnum, "".join(words))) and all(word in folded for word in words)


def _format_parts(parts: Sequence[PatternPart]) -> str:
    return "".join(map(_format_part, parts))


def _format_part(part: PatternPart) -> str:
    match part:
        case LiteralText(text=words):
            return NEEDS_ESCAPE.sub(r"\\\g<0>", words)
        case Variable(name=name):
            return f"{{{name}}}"
        case BotTextKey(name=name):
            return f"{{t:{name}}}"
        case PersonId(person=person):
            return f"{{id:{person}}}"
        case _:
            return "..."


def format_marked(mark: str, kind: str, words: str) -> list[str]:
    """Put the mark before a text, and its further lines below it."""
    first, *rest = words.split("\n")
    shown = "" if kind == "text" else f"({kind}) "
    return [f"{mark} {shown}{first}".rstrip(), *(f"    | {line}" for line in rest)]


def _with_keyboard(lines: list[str], keyboard: KeyboardPattern, rows: ButtonRows, scope: MatchContext) -> list[str]:
    if not rows:
        return lines
    same = match_keyboard(keyboard, rows, scope) is not None
    shown = _format_keyboard_pattern(keyboard) if same else _rewrite_keyboard(keyboard, rows, scope)
    one_line = f"{lines[-1]}   {shown}"
    return [*lines[:-1], one_line] if len(one_line) <= _WIDE else [*lines, f"    {shown}"]


def _format_keyboard_pattern(keyboard: KeyboardPattern) -> str:
    return " / ".join(" ".join(_format_button(item) for item in row) for row in keyboard.rows)


def _format_button(item: object) -> str:
    if not isinstance(item, ButtonPattern):
        return "[*]"
    return f"[{item.label.source} -> {item.target.source}]" if item.target else f"[{item.label.source}]"


def _rewrite_keyboard(keyboard: KeyboardPattern, rows: ButtonRows, scope: MatchContext) -> str:
    old = [item for row in keyboard.rows for item in row if isinstance(item, ButtonPattern)]
    return " / ".join(" ".join(_rewrite_button(key, old, scope) for key in row) for row in rows)


def _rewrite_button(key: Actual, old: Sequence[ButtonPattern], scope: MatchContext) -> str:
    for item in old:
        if scope.label_matches(item.label, key.label) and bool(item.target) == bool(key.target):
            target = rewrite_text(item.target, key.target, scope) if item.target else ""
            return f"[{item.label.source} -> {target}]" if target else f"[{item.label.source}]"
    keys = [part.name for item in old for part in item.label.parts if isinstance(part, BotTextKey)]
    named = (
        (_find_text_key(key.label, keys, scope) or _find_text_key(strip_emoji(key.label), keys, scope))
        if keys
        else None
    )
    label = named or re.sub(r"[\[\]{\\]", r"\\\g<0>", strip_emoji(key.label) or key.label)
    target = (_find_text_key(key.target, keys, scope) if keys and key.target else None) or VARYING_TEXT.sub(
        "...", key.target
    )
    return f"[{label} -> {target}]" if target else f"[{label}]"


def _details(content: MessagePattern, message: MessageView, scope: MatchContext, qr: str | None) -> Iterator[str]:
    for name, wanted, actual in (("qr", content.qr, qr), ("file", content.file, message.file)):
        if wanted is not None and actual is not None:
            yield f"    {name}: {rewrite_text(wanted, actual, scope)}"
