"""Parses `.chat` files into typed steps, or reports every mistake with file:line:column.

A header (`title:`, `cases:`) comes first, then one event per line; `#` begins a comment. docs/testers/scripts.md has
every kind of line. No script runs while any script has a mistake.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from itertools import dropwhile
from pathlib import Path

from chatscript.language.blocks import MARK, ScriptBlock
from chatscript.language.directive_parser import INCLUDE
from chatscript.language.lexer import SourceSpan, SyntaxProblem, display_width
from chatscript.language.linter import find_value_problems
from chatscript.language.patterns import SourceLocation
from chatscript.language.step_parser import parse_step
from chatscript.language.steps import AnyStep, BotSetting, Script


class ScriptErrors(Exception):
    """The mistakes of a script; the message has each one with its line and a pointer."""

    def __init__(self, problems: Sequence[SyntaxProblem], lines: Sequence[str], file: str) -> None:
        in_order = sorted(set(problems), key=lambda problem: (problem.location.line, problem.location.column))
        super().__init__("\n".join(_format_problem(problem, lines, file) for problem in in_order))


_CELL = re.compile(r'(?:"[^"]*"|[^|])+')
_HEADER = re.compile(r"(?P<key>[a-z]+)\s*:(?P<rest>.*)")
_PAIR = re.compile(r'(?P<name>[^\s=|"]+)=(?:"(?P<quoted>[^"]*)"|(?P<plain>[^\s|"]*))')
_FULL_WIDTH = str.maketrans("＞＜～！＠｜［］（）．", "><~!@|[]().")


def parse_file(path: Path, check: Callable[[Script], Sequence[SyntaxProblem]] = lambda _: ()) -> Script:
    """Parse a file and apply the further `check`. Raises `ScriptErrors`."""
    try:
        source = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ScriptErrors(
            [SyntaxProblem(SourceLocation(str(path), 1), f"expected UTF-8 text: {error.reason}")], [], str(path)
        ) from None
    return parse_script(source, str(path), check)


def parse_script(
    source: str,
    file: str,
    check: Callable[[Script], Sequence[SyntaxProblem]] = lambda _: (),
    *,
    known: Collection[str] = (),
    people: Collection[str] = (),
) -> Script:
    """Parse a script. `known` values and `people` are defined before it. Raises `ScriptErrors`."""
    lines = source.replace("\r\n", "\n").split("\n")
    builder = _ScriptBuilder(file)
    for block in _with_includes(_group_blocks(file, lines), builder.problems):
        try:
            builder.add(block)
        except SyntaxProblem as problem:
            builder.problems.append(problem)
    script = builder.build()
    if problems := builder.problems or [*find_value_problems(script, known, people), *check(script)]:
        raise ScriptErrors(problems, lines, file)
    return script


def _format_problem(problem: SyntaxProblem, lines: Sequence[str], file: str) -> str:
    if problem.location.file != file or problem.location.line > len(lines):
        return f"{problem.location}: {problem.message}"
    line = lines[problem.location.line - 1]
    before = line[: problem.location.column - 1]
    return f"{problem.location}: {problem.message}\n    {line}\n    {' ' * display_width(before)}^"


@dataclass(slots=True)
class _ScriptBuilder:
    """Collects the parts of a script."""

    file: str
    title: str = ""
    cases: list[tuple[SourceLocation, dict[str, str]]] = field(default_factory=list)
    settings: list[BotSetting] = field(default_factory=list)
    steps: list[AnyStep] = field(default_factory=list)
    problems: list[SyntaxProblem] = field(default_factory=list)

    def add(self, block: ScriptBlock) -> None:
        """Add a block. Raises `SyntaxProblem`."""
        if not block.mark:
            self._add_header(block)
            return
        parsed = parse_step(block)
        if not isinstance(parsed, BotSetting):
            self.steps.append(parsed)
        elif self.steps:
            raise block.line.problem("@set must come before the first step: the bot starts with it")
        else:
            self.settings.append(parsed)

    def _add_header(self, block: ScriptBlock) -> None:
        line = block.line
        found = _HEADER.fullmatch(line.text)
        if found is None or self.steps or self.settings:
            raise line.problem(_explain_unmarked(line.text))
        rest = line.subspan(found.start("rest"))
        match found["key"]:
            case "title" if rest.text and not self.title:
                self.title = rest.text
            case "title":
                raise rest.problem("expected one title")
            case "cases":
                self._add_cases(rest)
            case "case":
                self._add_case(rest)
            case key:
                near = get_close_matches(key, ("title", "cases", "case"), 1)
                hint = f"; did you mean {near[0]}:?" if near else ""
                raise line.problem(f"expected title:, cases: or case: in the header, not {key}:{hint}")

    def _add_cases(self, rest: SourceSpan) -> None:
        cells = list(_CELL.finditer(rest.text))
        if not cells:
            raise rest.problem("expected cases, such as doc=护照 id=E12345678 | doc=身份证 id=...")
        for cell in cells:
            self._add_case(rest.subspan(cell.start(), cell.end()))

    def _add_case(self, rest: SourceSpan) -> None:
        values: dict[str, str] = {}
        position = 0
        for pair in _PAIR.finditer(rest.text):
            if rest.text[position : pair.start()].strip():
                break
            if not pair["name"].isidentifier() or pair["name"] in values:
                raise rest.problem(f"expected a new name before =, not {pair['name']}", pair.start())
            values[pair["name"]] = pair["plain"] if pair["quoted"] is None else pair["quoted"]
            position = pair.end()
        if rest.text[position:].strip() or not values:
            raise rest.problem('expected name=value pairs, such as doc=护照 name="two words"', position)
        if self.cases and self.cases[0][1].keys() != values.keys():
            first = " ".join(self.cases[0][1])
            raise rest.problem(f"every case has the same names as the first one: {first}")
        self.cases.append((rest.location, values))

    def build(self) -> Script:
        """Return the script; note a problem when it has no steps."""
        if not self.steps and not self.problems:
            self.problems.append(
                SyntaxProblem(SourceLocation(self.file, 1), "expected at least one step, such as > /start")
            )
        cases = tuple(values for _, values in self.cases) or ({},)
        title = self.title or Path(self.file).stem
        return Script(self.file, title, cases, tuple(self.settings), tuple(self.steps))


def _with_includes(
    blocks: Iterable[ScriptBlock], problems: list[SyntaxProblem], outer: tuple[Path, ...] = ()
) -> Iterator[ScriptBlock]:
    """Yield the blocks with those of the scripts that `@include` names, whose headers do not count."""
    for block in blocks:
        if block.mark != INCLUDE:
            yield block
            continue
        path = Path(block.line.location.file).parent / block.body.text
        try:
            if path in outer:
                raise block.body.problem("a script cannot include itself")
            inner = _group_blocks(str(path), _read_lines(block.body, path))
        except SyntaxProblem as problem:
            problems.append(problem)
            continue
        yield from _with_includes(dropwhile(_is_header, inner), problems, (*outer, path))


def _is_header(block: ScriptBlock) -> bool:
    return not block.mark and _HEADER.fullmatch(block.line.text) is not None


def _read_lines(span: SourceSpan, path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8-sig").replace("\r\n", "\n").split("\n")
    except (OSError, UnicodeDecodeError):
        raise span.problem("expected the name of a script, relative to this one") from None


def _group_blocks(file: str, lines: Sequence[str]) -> list[ScriptBlock]:
    """Group the lines: a mark in the first column begins a block; indented lines belong to it."""
    blocks: list[ScriptBlock] = []
    for number, raw in enumerate(lines, 1):
        line = raw.rstrip()
        if line.lstrip()[:1] in ("", "#"):
            continue
        whole = SourceSpan(line, SourceLocation(file, number))
        if line[0].isspace() and blocks and blocks[-1].mark:
            blocks[-1] = replace(blocks[-1], indented=(*blocks[-1].indented, whole.subspan(0)))
        elif found := MARK.match(line):
            blocks.append(ScriptBlock(found["mark"], whole, whole.subspan(found.end())))
        else:
            blocks.append(ScriptBlock("", whole, whole))
    return blocks


def _explain_unmarked(line: str) -> str:
    plain = line.translate(_FULL_WIDTH)
    if plain != line and MARK.match(plain):
        return f"this mark is full-width; write {plain.split()[0]} and a space"
    if MARK.match(f"{line[:1]} "):
        mark = line[:2] if MARK.match(f"{line[:2]} ") else line[0]
        return f"expected a space after {mark}"
    if line[0].isspace():
        return "expected an indented line only below a step"
    return "expected a mark in the first column: > < ~ x ! !! >> << ... or @word; # begins a comment"
