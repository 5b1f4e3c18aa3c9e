"""Parses one block of a script into a step.

Marks: `>` the person, `<` a message, `~` an edit (`<?` and `~?` may be missing, `<!` and `~!` must be), `x` a deletion,
`!` a toast, `!!` an alert, `>>` an inline query, `<<` its results, `...` anything, `@word` a directive or the phone.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from chatscript.language import steps
from chatscript.language.blocks import ScriptBlock, nearest_hint
from chatscript.language.directive_parser import ANY_ORDER, parse_directive
from chatscript.language.lexer import (
    SourceSpan,
    is_keyboard,
    join_lines,
    parse_expected_text,
    parse_keyboard,
    parse_text,
    parse_text_and_keyboard,
)
from chatscript.language.patterns import KeyboardPattern, MessagePattern, TextPattern, Wildcard
from chatscript.language.steps import AnyStep, BotSetting, MessageMark

FILE_KINDS = frozenset({"photo", "document", "voice", "video_note", "video", "animation", "audio"})
SENDABLE_KINDS = FILE_KINDS | {"sticker", "contact", "location", "poll", "web_app_data"}
PERSON_WORDS = frozenset({"old", "tap", "forward", "edit", "reply", "react"})  # that may stand in place of a kind
EXPECTED_KINDS = frozenset(
    [
        *(SENDABLE_KINDS - {"web_app_data"}),
        *["text", "via", "dice", "venue", "checklist", "invoice", "game", "paid_media", "live_photo", "rich_message"],
    ]
)

_KIND = re.compile(r"\((?P<kind>[a-z_]+)\)(?:\s+|$)")
_TAP = re.compile(r"\[(?P<label>(?:\\.|[^\[\]\\])*)\](?:@(?P<nth>[1-9]\d*)(?:\.(?P<column>[1-9]\d*))?)?")


def parse_step(block: ScriptBlock) -> AnyStep | BotSetting:
    """Parse a block. Raises `SyntaxProblem`."""
    if block.mark == ANY_ORDER:
        return _parse_any_order(block)
    if block.mark.startswith("@"):
        return parse_directive(block)
    return _PARSERS[block.mark](block)


# The person's lines.


def _parse_user_line(block: ScriptBlock) -> AnyStep:
    body = block.body
    if body.text.startswith("["):
        return _parse_tap(block, body, old=False)
    kind = _KIND.match(body.text)
    if kind is None:
        return steps.WriteText(block.line.location, block.source, _parse_typed_text(block, body))
    return _parse_user_kind(block, kind["kind"], body.subspan(kind.end()))


def _parse_user_kind(block: ScriptBlock, kind: str, rest: SourceSpan) -> AnyStep:
    location, source = block.line.location, block.source
    match kind:
        case "old":
            return _parse_tap(block, rest, old=True)
        case "tap":
            return steps.ForgedPress(location, source, _parse_typed_text(block, rest))
        case "forward" | "edit" | "reply":
            return steps.WriteText(location, source, _parse_typed_text(block, rest), **{kind: True})
        case "react":
            block.require_no_indented()
            return steps.React(location, source, parse_text(rest, wild=False))
        case _ if kind in SENDABLE_KINDS:
            file = _parse_own_file(block, kind)
            return steps.SendAttachment(location, source, kind, parse_text(rest, wild=False), file)
        case _:
            hint = nearest_hint(kind, SENDABLE_KINDS | PERSON_WORDS)
            message = f"({kind}) cannot be sent by a person{hint} (as a text: \\({kind}) ...)"
            raise block.body.problem(message)


def _parse_own_file(block: ScriptBlock, kind: str) -> TextPattern | None:
    """Parse the line `file: picture.png` below an attachment."""
    if not block.indented or kind not in FILE_KINDS:
        block.require_no_indented()
        return None
    line, *more = block.indented
    name, colon, _ = line.text.partition(":")
    if name != "file" or not colon or more:
        raise line.problem("expected one line: file: and a name, relative to the script's folder")
    return parse_text(line.subspan(len("file:")), wild=False)


def _parse_typed_text(block: ScriptBlock, first: SourceSpan) -> TextPattern:
    if not first.text and not block.indented:
        raise first.problem("expected a text after the mark")
    return join_lines([parse_text(line, wild=False) for line in [first, *block.text_lines()]])


def _parse_tap(block: ScriptBlock, label: SourceSpan, *, old: bool) -> AnyStep:
    block.require_no_indented()
    pattern, number, column = _parse_label(label)
    nth = int(number) if number and not column else None
    cell = (int(number), int(column)) if number and column else None
    return steps.TapButton(block.line.location, block.source, pattern, nth, cell, old)


def _parse_label(label: SourceSpan) -> tuple[TextPattern, str | None, str | None]:
    """Parse a label and the number, or the row and column, that follows it."""
    found = _TAP.fullmatch(label.text)
    if found is None:
        raise label.problem("expected one [Label], optionally with @2 or @row.column (a text may begin with \\[)")
    inside = label.subspan(found.start("label"), found.end("label"))
    if not inside.text:
        raise inside.problem("expected a label between [ and ]")
    pattern = TextPattern("*", (Wildcard(),)) if inside.text == "*" else parse_text(inside)
    return pattern, found["nth"], found["column"]


def _parse_inline_line(block: ScriptBlock) -> AnyStep:
    location, source, body = block.line.location, block.source, block.body
    block.require_no_indented()
    if not body.text.startswith("["):
        return steps.TypeInlineQuery(location, source, parse_text(body, wild=False))
    title, number, column = _parse_label(body)
    if column:
        raise body.problem("expected one [Title], optionally with @2")
    return steps.ChooseInlineResult(location, source, title, int(number) if number else None)


# The bot's lines.


def _parse_message(block: ScriptBlock) -> AnyStep:
    if not block.body.text and not block.indented:
        raise block.body.problem("expected what the message says; ... stands for any text")
    return steps.ExpectMessage(
        block.line.location,
        block.source,
        MessageMark(block.mark[0]),
        _parse_message_pattern(block, buttons=True),
        optional=block.mark.endswith("?"),
    )


def _parse_forbidden_message(block: ScriptBlock) -> AnyStep:
    if not block.body.text and not block.indented:
        raise block.body.problem("expected what no message may say")
    pattern = _parse_message_pattern(block, buttons=True)
    return steps.ForbidMessage(block.line.location, block.source, MessageMark(block.mark[0]), pattern)


def _parse_any_order(block: ScriptBlock) -> AnyStep:
    if block.body.text or not block.indented:
        raise block.body.problem(f"expected nothing after {ANY_ORDER}, and lines of the bot below it, indented")
    expected: list[steps.OneExpectation] = []
    for inner in block.inner_blocks():
        step = parse_step(inner)
        if not isinstance(step, steps.OneExpectation) or (isinstance(step, steps.ExpectMessage) and step.optional):
            raise inner.line.problem(f"expected lines of the bot below {ANY_ORDER}, none of which may be missing")
        expected.append(step)
    return steps.ExpectInAnyOrder(block.line.location, block.source, tuple(expected))


def _parse_message_pattern(block: ScriptBlock, *, buttons: bool) -> MessagePattern:
    kind, body = "text", block.body
    if found := _KIND.match(body.text):
        kind, body = found["kind"], body.subspan(found.end())
        if kind not in EXPECTED_KINDS:
            hint = nearest_hint(kind, EXPECTED_KINDS)
            raise block.body.problem(f"({kind}) is not a kind of message{hint} (as a text: \\({kind}) ...)")
    lines, keyboard = [body], KeyboardPattern()
    details: dict[str, TextPattern] = {}
    for below in block.indented:
        if below.text.startswith("|"):
            lines.append(below.subspan(1))
        elif buttons and is_keyboard(below.text):
            keyboard = KeyboardPattern(keyboard.rows + parse_keyboard(below).rows)
        else:
            name, value = _parse_detail(below, kind)
            details[name] = value
    if not buttons:
        text = parse_expected_text(lines[0]) if len(lines) == 1 else join_lines([parse_text(line) for line in lines])
        return MessagePattern(kind, text, KeyboardPattern(), **details)
    text, first_rows = parse_text_and_keyboard(lines)
    return MessagePattern(kind, text, KeyboardPattern(first_rows.rows + keyboard.rows), **details)


def _parse_detail(line: SourceSpan, kind: str) -> tuple[str, TextPattern]:
    name, colon, _ = line.text.partition(":")
    allowed = {"photo": "qr", "document": "file"}.get(kind)
    if not colon or name != allowed:
        hint = f", or {allowed}: ..." if allowed else ""
        raise line.problem(f"expected | and more text, or [Buttons]{hint}")
    value = line.subspan(len(name) + 1)
    if not value.text:
        raise value.problem(f"expected a text after {name}:")
    return name, parse_text(value)


def _parse_deletion(block: ScriptBlock) -> AnyStep:
    location, source, body = block.line.location, block.source, block.body
    if not body.text:
        block.require_no_indented()
        return steps.ExpectDeleted(location, source, None, None)
    if not body.text.startswith(">"):
        return steps.ExpectDeleted(location, source, own=False, content=_parse_message_pattern(block, buttons=False))
    rest = body.subspan(1)
    inner = ScriptBlock(block.mark, block.line, rest, block.indented)
    return steps.ExpectDeleted(
        location, source, own=True, content=_parse_message_pattern(inner, buttons=False) if rest.text else None
    )


def _parse_toast(block: ScriptBlock) -> AnyStep:
    if not block.body.text:
        raise block.body.problem("expected what the toast says; ... stands for any text")
    more = block.text_lines()
    text = join_lines([parse_text(line) for line in [block.body, *more]]) if more else parse_expected_text(block.body)
    return steps.ExpectToast(block.line.location, block.source, block.mark == "!!", text)


def _parse_inline_results(block: ScriptBlock) -> AnyStep:
    if block.body.text and not is_keyboard(block.body.text):
        raise block.body.problem("expected the titles of the results: [A] [B], or nothing when there are none")
    block.require_no_indented()
    results = parse_keyboard(block.body) if block.body.text else KeyboardPattern()
    return steps.ExpectInlineResults(block.line.location, block.source, results)


def _parse_anything(block: ScriptBlock) -> AnyStep:
    if block.body.text:
        raise block.body.problem("expected nothing after ... alone; a message with any text is < ...")
    block.require_no_indented()
    return steps.AllowAnything(block.line.location, block.source)


_PARSERS: dict[str, Callable[[ScriptBlock], AnyStep]] = {
    ">": _parse_user_line,
    "<": _parse_message,
    "~": _parse_message,
    "<?": _parse_message,
    "~?": _parse_message,
    "<!": _parse_forbidden_message,
    "~!": _parse_forbidden_message,
    "x": _parse_deletion,
    "!": _parse_toast,
    "!!": _parse_toast,
    ">>": _parse_inline_line,
    "<<": _parse_inline_results,
    "...": _parse_anything,
}
MARKS = frozenset(_PARSERS)
