"""Groups the lines of a script into blocks: a line with a mark, and the indented lines that belong to it."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from difflib import get_close_matches

from chatscript.language.lexer import SourceSpan

MARK = re.compile(r"(?P<mark>@[a-z-]+!?|!!|>>|<<|\.\.\.|[<~][?!]|[><~x!])(?P<gap>\s+|$)")


@dataclass(frozen=True, slots=True)
class ScriptBlock:
    """A marked line and the indented lines below it; a header line has no mark."""

    mark: str
    line: SourceSpan
    body: SourceSpan
    indented: tuple[SourceSpan, ...] = ()

    @property
    def source(self) -> str:
        """The lines as the script has them."""
        return "\n".join([self.line.text, *(f"    {line.text}" for line in self.indented)])

    def text_lines(self) -> list[SourceSpan]:
        """Return the indented lines as lines of a text. Raises `SyntaxProblem` for any other indented line."""
        for line in self.indented:
            if not line.text.startswith("|"):
                raise line.problem("expected | and more text")
        return [line.subspan(1) for line in self.indented]

    def require_no_indented(self) -> None:
        """Raise `SyntaxProblem` when there is an indented line."""
        if self.indented:
            raise self.indented[0].problem(f"expected no indented line below {self.mark}")

    def require_body(self, description: str) -> SourceSpan:
        """Return what follows the mark. Raises `SyntaxProblem` when nothing follows it."""
        if not self.body.text:
            raise self.body.problem(f"expected {description} after {self.mark}")
        return self.body

    def inner_blocks(self) -> list[ScriptBlock]:
        """Return the indented lines as blocks of their own. Raises `SyntaxProblem` when the first has no mark."""
        blocks: list[ScriptBlock] = []
        for line in self.indented:
            if found := MARK.match(line.text):
                blocks.append(ScriptBlock(found["mark"], line, line.subspan(found.end())))
            elif blocks:
                blocks[-1] = replace(blocks[-1], indented=(*blocks[-1].indented, line))
            else:
                raise line.problem("expected a line with a mark, such as < Hello")
        return blocks


def nearest_hint(word: str, known: Collection[str]) -> str:
    """Return the nearest known word as the end of a sentence, or ""."""
    near = get_close_matches(word, sorted(known), 1, 0.5)
    return f"; did you mean {near[0]}?" if near else ""
