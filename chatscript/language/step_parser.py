"""Turns one block of a script, a marked line with its indented lines, into a step.

Marks: `>` the person, `<` a message, `~` an edit, `x` a deletion, `!` a toast, `!!` an alert, `>>` an inline query,
`<<` its results, `...` anything, `@word` a directive or the phone.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from chatscript.language import steps
from chatscript.language.blocks import Block, did_you_mean
from chatscript.language.directive_parser import directive
from chatscript.language.lexer import Snippet, is_keyboard, joined, keyboard, text, wanted, wanted_with_keyboard
from chatscript.language.patterns import Content, Keyboard, Text, Wild
from chatscript.language.steps import AnyStep, Heard, Setting

SENT_KINDS = frozenset({"photo", "document", "sticker", "voice", "contact", "location", "poll", "video_note"})
HEARD_KINDS = SENT_KINDS | {"text", "video", "animation", "audio", "via"}

_KIND = re.compile(r"\((?P<kind>[a-z_]+)\)(?:\s+|$)")
_TAP = re.compile(r"\[(?P<label>(?:\\.|[^\[\]\\])*)\](?:@(?P<nth>[1-9]\d*)(?:\.(?P<column>[1-9]\d*))?)?")


def step(block: Block) -> AnyStep | Setting:
    """Read a block; raises `Wrong`."""
    if block.mark.startswith("@"):
        return directive(block)
    return _MARKS[block.mark](block)


# The person's lines.


def _said(block: Block) -> AnyStep:
    body = block.body
    if body.text.startswith("["):
        return _tap(block, body, old=False)
    kind = _KIND.match(body.text)
    if kind is None:
        return steps.Write(block.line.place, block.source, _typed(block, body))
    return _special(block, kind["kind"], body.cut(kind.end()))


def _special(block: Block, kind: str, rest: Snippet) -> AnyStep:
    place, source = block.line.place, block.source
    match kind:
        case "old":
            return _tap(block, rest, old=True)
        case "tap":
            return steps.Forge(place, source, _typed(block, rest))
        case "forward" | "edit":
            return steps.Write(place, source, _typed(block, rest), kind == "forward", kind == "edit")
        case _ if kind in SENT_KINDS:
            block.nothing_below()
            return steps.Send(place, source, kind, text(rest, wild=False))
        case _:
            hint = did_you_mean(kind, SENT_KINDS | {"old", "tap", "forward", "edit"})
            message = f"({kind}) is nothing a person can send{hint} (as a text: \\({kind}) ...)"
            raise block.body.wrong(message)


def _typed(block: Block, first: Snippet) -> Text:
    if not first.text and not block.below:
        raise first.wrong("expected a text after the mark")
    return joined([text(line, wild=False) for line in [first, *block.continuation()]])


def _tap(block: Block, label: Snippet, *, old: bool) -> AnyStep:
    block.nothing_below()
    wanted_label, number, column = _label(label)
    nth = int(number) if number and not column else None
    cell = (int(number), int(column)) if number and column else None
    return steps.Tap(block.line.place, block.source, wanted_label, nth, cell, old)


def _label(label: Snippet) -> tuple[Text, str | None, str | None]:
    """Read a label with the number, or the row and column, behind it."""
    found = _TAP.fullmatch(label.text)
    if found is None:
        raise label.wrong("expected one [Label], perhaps with @2 or @row.column (a text may begin with \\[)")
    inside = label.cut(found.start("label"), found.end("label"))
    if not inside.text:
        raise inside.wrong("expected a label between [ and ]")
    wanted_label = Text("*", (Wild(),)) if inside.text == "*" else text(inside)
    return wanted_label, found["nth"], found["column"]


def _asked(block: Block) -> AnyStep:
    place, source, body = block.line.place, block.source, block.body
    block.nothing_below()
    if not body.text.startswith("["):
        return steps.Ask(place, source, text(body, wild=False))
    title, number, column = _label(body)
    if column:
        raise body.wrong("expected one [Title], perhaps with @2")
    return steps.Choose(place, source, title, int(number) if number else None)


# The bot's lines.


def _heard(block: Block) -> AnyStep:
    if not block.body.text and not block.below:
        raise block.body.wrong("expected what the message says; ... stands for any text")
    return steps.Hear(block.line.place, block.source, Heard(block.mark), _content(block, buttons=True))


def _content(block: Block, *, buttons: bool) -> Content:
    kind, body = "text", block.body
    if found := _KIND.match(body.text):
        kind, body = found["kind"], body.cut(found.end())
        if kind not in HEARD_KINDS:
            hint = did_you_mean(kind, HEARD_KINDS)
            raise block.body.wrong(f"({kind}) is no kind of message{hint} (as a text: \\({kind}) ...)")
    lines, rows = [body], Keyboard()
    details: dict[str, Text] = {}
    for below in block.below:
        if below.text.startswith("|"):
            lines.append(below.cut(1))
        elif buttons and is_keyboard(below.text):
            rows = Keyboard(rows.rows + keyboard(below).rows)
        else:
            name, value = _detail(below, kind)
            details[name] = value
    if not buttons:
        words = wanted(lines[0]) if len(lines) == 1 else joined([text(line) for line in lines])
        return Content(kind, words, Keyboard(), **details)
    words, behind = wanted_with_keyboard(lines)
    return Content(kind, words, Keyboard(behind.rows + rows.rows), **details)


def _detail(line: Snippet, kind: str) -> tuple[str, Text]:
    name, colon, _ = line.text.partition(":")
    allowed = {"photo": "qr", "document": "file"}.get(kind)
    if not colon or name != allowed:
        hint = f", or {allowed}: ..." if allowed else ""
        raise line.wrong(f"expected | and more text, or [Buttons]{hint}")
    value = line.cut(len(name) + 1)
    if not value.text:
        raise value.wrong(f"expected a text after {name}:")
    return name, text(value)


def _vanished(block: Block) -> AnyStep:
    place, source, body = block.line.place, block.source, block.body
    if not body.text:
        block.nothing_below()
        return steps.Vanish(place, source, None, None)
    if not body.text.startswith(">"):
        return steps.Vanish(place, source, own=False, content=_content(block, buttons=False))
    rest = body.cut(1)
    inner = Block(block.mark, block.line, rest, block.below)
    return steps.Vanish(place, source, own=True, content=_content(inner, buttons=False) if rest.text else None)


def _toast(block: Block) -> AnyStep:
    if not block.body.text:
        raise block.body.wrong("expected what the toast says; ... stands for any text")
    more = block.continuation()
    words = joined([text(line) for line in [block.body, *more]]) if more else wanted(block.body)
    return steps.Toast(block.line.place, block.source, block.mark == "!!", words)


def _offered(block: Block) -> AnyStep:
    if block.body.text and not is_keyboard(block.body.text):
        raise block.body.wrong("expected the titles of the results: [A] [B]; nothing when there are none")
    block.nothing_below()
    results = keyboard(block.body) if block.body.text else Keyboard()
    return steps.Offer(block.line.place, block.source, results)


def _anything(block: Block) -> AnyStep:
    if block.body.text:
        raise block.body.wrong("expected nothing after ... alone; a message with any text is < ...")
    block.nothing_below()
    return steps.Anything(block.line.place, block.source)


_MARKS: dict[str, Callable[[Block], AnyStep]] = {
    ">": _said,
    "<": _heard,
    "~": _heard,
    "x": _vanished,
    "!": _toast,
    "!!": _toast,
    ">>": _asked,
    "<<": _offered,
    "...": _anything,
}
