"""Writes an expectation anew so that it says what the bot now does, and keeps of it what still holds.

Kept are keys, values, captures and wildcards at both ends of a text; between them the new words stand. New words that
are a sentence of the catalogue become its key where the old line used keys.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from chatscript.language import steps
from chatscript.language.patterns import (
    Button,
    Content,
    Key,
    Keyboard,
    Literal,
    Part,
    PersonId,
    Place,
    Text,
    Variable,
    Wanted,
)
from chatscript.match import transcript
from chatscript.match.chat_view import Event, Message, Rows
from chatscript.match.chat_view import Key as Actual
from chatscript.match.matcher import Scope, bare, fold
from chatscript.match.message_diff import keyboard_captures

SPECIAL = re.compile(r"[{\\]|(?<!\S)\[|\.{3}|^[(/]")
CHANGING = re.compile(
    r"https?://(?:127\.0\.0\.1|localhost|\[::1\])[^\s\]]*"
    r"|\d{4}[-/.年]\d{1,2}[-/.月]\d{1,2}日?|\d{1,2}-\d{1,2}(?=\s+\d\d?:)|\d{1,2}:\d\d(?::\d\d)?"
    r"|[\w:]*\*{2,}\w*|[A-Za-z0-9_-]{20,}"
)
"""What differs from one conversation to the next: addresses of this machine, dates and times, masks, tokens."""
_MIDDLE = Variable("_", Place("", 0))
_WIDE = 110
_SHORTEST_VALUE = 2


def rewritten(step: steps.Expectation, event: Event, scope: Scope, qr: str | None = None) -> list[str]:
    """Write a step anew for the event that came in its place."""
    match step, event:
        case steps.Hear(content=content), Event(kind="message" | "edit", message=Message() as message):
            mark = "<" if event.kind == "message" else "~"
            words = marked(mark, message.kind, text(content.text, message.text, scope))
            return [
                *_with_keyboard(words, content.keyboard, message.rows, scope),
                *_details(content, message, scope, qr),
            ]
        case steps.Vanish(content=Content(text=wanted)), Event(was=Message() as was):
            return marked("x >" if was.own else "x", was.kind, text(wanted, was.text, scope))
        case steps.Offer(results=results), Event(kind="results", rows=rows):
            return [f"<< {_buttons(results, rows, scope)}".rstrip()]
        case steps.Toast(text=wanted), Event(kind="toast"):
            return marked("!!" if event.alert else "!", "text", text(wanted, event.text, scope))
        case _:
            return transcript.line(event) or []


def told(event: Event, scope: Scope, like: Sequence[str]) -> list[str]:
    """Write down an event that no line meant; by keys where the script has some."""
    blank = Text("", tuple(Key(name, _MIDDLE.place) for name in like))
    match event:
        case Event(kind="message" | "edit", own=False, message=Message() as message) if like:
            mark = "<" if event.kind == "message" else "~"
            words = marked(mark, message.kind, _fresh(message.text, blank, scope))
            return _with_keyboard(words, Keyboard(((Button(blank),),)), message.rows, scope)
        case Event(kind="delete", was=Message(own=False) as was) if like:
            return marked("x", was.kind, _fresh(was.text, blank, scope))
        case Event(kind="toast") if like:
            return marked("!!" if event.alert else "!", "text", _fresh(event.text, blank, scope))
        case _:
            return [CHANGING.sub("...", line) for line in transcript.line(event) or []]


def text(wanted: Wanted, actual: str, scope: Scope) -> str:
    """Write a text anew, where it no longer fits."""
    if scope.match(wanted, actual) is not None:
        return wanted.source
    if isinstance(wanted, Text):
        for before, after in _kept(wanted.parts):
            found = scope.match(Text("", (*before, _MIDDLE, *after)), actual)
            if found is not None:
                middle = found[_MIDDLE.name]
                gap = " " if middle[0].isspace() else ""
                end = " " if middle[-1].isspace() else ""
                return f"{_joined(before)}{gap}{_fresh(middle, wanted, scope)}{end}{_joined(after)}"
    return _fresh(actual, wanted, scope)


def _kept(parts: Sequence[Part]) -> Iterator[tuple[Sequence[Part], Sequence[Part]]]:
    """List what may be kept at both ends, the most first; a hole is kept only beside words that are kept."""
    solid = [isinstance(part, Literal | Key) for part in parts]
    ends = [(i, j) for i in range(len(parts)) for j in range(i, len(parts) + 1) if i or j < len(parts)]
    for i, j in sorted(ends, key=lambda end: end[1] - end[0]):
        if (not i or solid[i - 1]) and (j == len(parts) or solid[j]) and j > i:
            yield parts[:i], parts[j:]


def _fresh(actual: str, wanted: Wanted, scope: Scope) -> str:
    """Write words that the line did not have: by a key if it had keys, with the values it had."""
    known = [part.name for part in wanted.parts if isinstance(part, Key)]
    if known and (keys := by_keys(actual, known, scope)):
        return keys
    lines = (SPECIAL.sub(r"\\\g<0>", fold(line)) for line in actual.split("\n") if line.strip())
    words = CHANGING.sub("...", "\n".join(lines))
    for part in wanted.parts:
        value = scope.values.get(part.name, "") if isinstance(part, Variable) else ""
        if isinstance(part, Variable) and len(value) >= _SHORTEST_VALUE:
            words = words.replace(value, f"{{{part.name}}}")
    return words


def by_keys(actual: str, like: Sequence[str], scope: Scope) -> str | None:
    """Find the key of a sentence, or of two that stand one below the other."""
    if key := _key(actual, like, scope):
        return key
    lines = actual.split("\n")
    for number in range(1, len(lines)):
        if (above := _key("\n".join(lines[:number]), like, scope)) and (
            below := _key("\n".join(lines[number:]), like, scope)
        ):
            return f"{above} {below}"
    return None


def _key(actual: str, like: Sequence[str], scope: Scope) -> str | None:
    """Find the key of a sentence; of several, the one with most words, then one like those that stood there."""
    rooms = {name.rpartition(".")[0] for name in like}
    folded = fold(actual)
    found = [
        (
            -sum(len(part.text) for part in parts if isinstance(part, Literal)),
            name.rpartition(".")[0] not in rooms,
            name,
        )
        for name, parts in scope.catalogue.languages.get(scope.language, {}).items()
        if _may_be(parts, folded) and scope.match(Text("", parts), actual) is not None
    ]
    return f"{{t:{min(found)[2]}}}" if found else None


def _may_be(parts: Sequence[Part], folded: str) -> bool:
    """Whether a sentence has words, and all of them stand there; most sentences are ruled out by that alone.

    One that is only values with dots between them could be anything.
    """
    words = [fold(part.text) for part in parts if isinstance(part, Literal)]
    return any(map(str.isalnum, "".join(words))) and all(word in folded for word in words)


def _joined(parts: Sequence[Part]) -> str:
    return "".join(map(_written, parts))


def _written(part: Part) -> str:
    match part:
        case Literal(text=words):
            return SPECIAL.sub(r"\\\g<0>", words)
        case Variable(name=name):
            return f"{{{name}}}"
        case Key(name=name):
            return f"{{t:{name}}}"
        case PersonId(person=person):
            return f"{{id:{person}}}"
        case _:
            return "..."


def marked(mark: str, kind: str, words: str) -> list[str]:
    """Put the mark before a text, and its further lines below it."""
    first, *rest = words.split("\n")
    shown = "" if kind == "text" else f"({kind}) "
    return [f"{mark} {shown}{first}".rstrip(), *(f"    | {line}" for line in rest)]


def _with_keyboard(lines: list[str], keyboard: Keyboard, rows: Rows, scope: Scope) -> list[str]:
    if not rows:
        return lines
    same = keyboard_captures(keyboard, rows, scope) is not None
    shown = _as_it_was(keyboard) if same else _buttons(keyboard, rows, scope)
    one_line = f"{lines[-1]}   {shown}"
    return [*lines[:-1], one_line] if len(one_line) <= _WIDE else [*lines, f"    {shown}"]


def _as_it_was(keyboard: Keyboard) -> str:
    return " / ".join(" ".join(_button(item) for item in row) for row in keyboard.rows)


def _button(item: object) -> str:
    if not isinstance(item, Button):
        return "[*]"
    return f"[{item.label.source} -> {item.target.source}]" if item.target else f"[{item.label.source}]"


def _buttons(keyboard: Keyboard, rows: Rows, scope: Scope) -> str:
    old = [item for row in keyboard.rows for item in row if isinstance(item, Button)]
    return " / ".join(" ".join(_new_button(key, old, scope) for key in row) for row in rows)


def _new_button(key: Actual, old: Sequence[Button], scope: Scope) -> str:
    for item in old:
        if scope.label_fits(item.label, key.label) and bool(item.target) == bool(key.target):
            target = text(item.target, key.target, scope) if item.target else ""
            return f"[{item.label.source} -> {target}]" if target else f"[{item.label.source}]"
    keys = [part.name for item in old for part in item.label.parts if isinstance(part, Key)]
    named = (_key(key.label, keys, scope) or _key(bare(key.label), keys, scope)) if keys else None
    label = named or re.sub(r"[\[\]{\\]", r"\\\g<0>", bare(key.label) or key.label)
    target = (_key(key.target, keys, scope) if keys and key.target else None) or CHANGING.sub("...", key.target)
    return f"[{label} -> {target}]" if target else f"[{label}]"


def _details(content: Content, message: Message, scope: Scope, qr: str | None) -> Iterator[str]:
    for name, wanted, actual in (("qr", content.qr, qr), ("file", content.file, message.file)):
        if wanted is not None and actual is not None:
            yield f"    {name}: {text(wanted, actual, scope)}"
