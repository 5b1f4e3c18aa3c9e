"""Reads `.chat` files: text in, typed steps out, or every mistake with file:line:column.

A header (`title:`, `cases:`), then one event a line; `#` begins a comment. docs/testers/scripts.md has every line type.
Nothing runs while any script has a mistake.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path

from playground.blocks import Block
from playground.checks import value_mistakes
from playground.grammar import step
from playground.steps import AnyStep, Script, Setting
from playground.wording import Snippet, Wrong, width
from playground.words import Place


class Unreadable(Exception):
    """A script with mistakes; says all of them, each with its line and a pointer."""

    def __init__(self, mistakes: Sequence[Wrong], lines: Sequence[str]) -> None:
        by_place = sorted(set(mistakes), key=lambda wrong: (wrong.place.line, wrong.place.column))
        super().__init__("\n".join(_shown(wrong, lines) for wrong in by_place))


_CELL = re.compile(r'(?:"[^"]*"|[^|])+')
_MARK = re.compile(r"(?P<mark>@[a-z-]+!?|!!|>>|<<|\.\.\.|[><~x!])(?P<gap>\s+|$)")
_HEADER = re.compile(r"(?P<key>[a-z]+)\s*:(?P<rest>.*)")
_PAIR = re.compile(r'(?P<name>[^\s=|"]+)=(?:"(?P<quoted>[^"]*)"|(?P<plain>[^\s|"]*))')
_FULL_WIDTH = str.maketrans("＞＜～！＠｜［］（）．", "><~!@|[]().")


def read(path: Path, check: Callable[[Script], Sequence[Wrong]] = lambda _: ()) -> Script:
    """Read one file, and let `check` look at it too; raises `Unreadable`."""
    try:
        source = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable([Wrong(Place(str(path), 1), f"expected UTF-8 text: {error.reason}")], []) from None
    return parse(source, str(path), check)


def parse(
    source: str,
    file: str,
    check: Callable[[Script], Sequence[Wrong]] = lambda _: (),
    *,
    known: Collection[str] = (),
    people: Collection[str] = (),
) -> Script:
    """Read the text of one script; raises `Unreadable`. Values and people may be `known` from before."""
    lines = source.replace("\r\n", "\n").split("\n")
    draft = _Draft(file)
    for block in _blocks(file, lines):
        try:
            draft.add(block)
        except Wrong as wrong:
            draft.mistakes.append(wrong)
    script = draft.finished()
    if mistakes := draft.mistakes or [*value_mistakes(script, known, people), *check(script)]:
        raise Unreadable(mistakes, lines)
    return script


def _shown(wrong: Wrong, lines: Sequence[str]) -> str:
    if wrong.place.line > len(lines):
        return f"{wrong.place}: {wrong.message}"
    line = lines[wrong.place.line - 1]
    before = line[: wrong.place.column - 1]
    return f"{wrong.place}: {wrong.message}\n    {line}\n    {' ' * width(before)}^"


@dataclass(slots=True)
class _Draft:
    """A script while it is being read."""

    file: str
    title: str = ""
    cases: list[tuple[Place, dict[str, str]]] = field(default_factory=list)
    settings: list[Setting] = field(default_factory=list)
    steps: list[AnyStep] = field(default_factory=list)
    mistakes: list[Wrong] = field(default_factory=list)

    def add(self, block: Block) -> None:
        """Take one block in; raises `Wrong`."""
        if not block.mark:
            self._header(block)
            return
        made = step(block)
        if not isinstance(made, Setting):
            self.steps.append(made)
        elif self.steps:
            raise block.line.wrong("@set stands before the first step: the bot starts with it")
        else:
            self.settings.append(made)

    def _header(self, block: Block) -> None:
        line = block.line
        found = _HEADER.fullmatch(line.text)
        if found is None or self.steps or self.settings:
            raise line.wrong(_unmarked(line.text))
        rest = line.cut(found.start("rest"))
        match found["key"]:
            case "title" if rest.text and not self.title:
                self.title = rest.text
            case "title":
                raise rest.wrong("expected one title")
            case "cases":
                self._table(rest)
            case "case":
                self._case(rest)
            case key:
                near = get_close_matches(key, ("title", "cases", "case"), 1)
                hint = f"; did you mean {near[0]}:?" if near else ""
                raise line.wrong(f"expected title:, cases: or case: in the header, not {key}:{hint}")

    def _table(self, rest: Snippet) -> None:
        cells = list(_CELL.finditer(rest.text))
        if not cells:
            raise rest.wrong("expected cases, such as doc=护照 id=E12345678 | doc=身份证 id=...")
        for cell in cells:
            self._case(rest.cut(cell.start(), cell.end()))

    def _case(self, rest: Snippet) -> None:
        values: dict[str, str] = {}
        position = 0
        for pair in _PAIR.finditer(rest.text):
            if rest.text[position : pair.start()].strip():
                break
            if not pair["name"].isidentifier() or pair["name"] in values:
                raise rest.wrong(f"expected a new name before =, not {pair['name']}", pair.start())
            values[pair["name"]] = pair["plain"] if pair["quoted"] is None else pair["quoted"]
            position = pair.end()
        if rest.text[position:].strip() or not values:
            raise rest.wrong('expected name=value pairs, such as doc=护照 name="two words"', position)
        if self.cases and self.cases[0][1].keys() != values.keys():
            first = " ".join(self.cases[0][1])
            raise rest.wrong(f"every case has the same names as the first one: {first}")
        self.cases.append((rest.place, values))

    def finished(self) -> Script:
        """Make the script of what was read."""
        if not self.steps and not self.mistakes:
            self.mistakes.append(Wrong(Place(self.file, 1), "expected at least one step, such as > /start"))
        cases = tuple(values for _, values in self.cases) or ({},)
        title = self.title or Path(self.file).stem
        return Script(self.file, title, cases, tuple(self.settings), tuple(self.steps))


def _blocks(file: str, lines: Sequence[str]) -> list[Block]:
    """Group the lines: a mark in the first column begins a block, indented lines belong to it."""
    blocks: list[Block] = []
    for number, raw in enumerate(lines, 1):
        line = raw.rstrip()
        if line.lstrip()[:1] in ("", "#"):
            continue
        whole = Snippet(line, Place(file, number))
        if line[0].isspace() and blocks and blocks[-1].mark:
            blocks[-1] = replace(blocks[-1], below=(*blocks[-1].below, whole.cut(0)))
        elif found := _MARK.match(line):
            blocks.append(Block(found["mark"], whole, whole.cut(found.end())))
        else:
            blocks.append(Block("", whole, whole))
    return blocks


def _unmarked(line: str) -> str:
    plain = line.translate(_FULL_WIDTH)
    if plain != line and _MARK.match(plain):
        return f"a full-width mark; write {plain.split()[0]} and a space"
    if _MARK.match(f"{line[:1]} "):
        mark = line[:2] if _MARK.match(f"{line[:2]} ") else line[0]
        return f"expected a space after {mark}"
    if line[0].isspace():
        return "expected an indented line only below a step"
    return "expected a mark in the first column: > < ~ x ! !! >> << ... or @word; # begins a comment"
