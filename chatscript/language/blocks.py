"""The lines of a script, grouped: a marked line and the indented lines that belong to it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from difflib import get_close_matches

from chatscript.language.lexer import Snippet


@dataclass(frozen=True, slots=True)
class Block:
    """A marked line and the indented lines below it; a header line has no mark."""

    mark: str
    line: Snippet
    body: Snippet
    below: tuple[Snippet, ...] = ()

    @property
    def source(self) -> str:
        """The lines as the script has them."""
        return "\n".join([self.line.text, *(f"    {line.text}" for line in self.below)])

    def continuation(self) -> list[Snippet]:
        """Return the further lines of a text; nothing else may stand below it."""
        for line in self.below:
            if not line.text.startswith("|"):
                raise line.wrong("expected | and more text")
        return [line.cut(1) for line in self.below]

    def nothing_below(self) -> None:
        """Insist that no indented line follows."""
        if self.below:
            raise self.below[0].wrong(f"expected no indented line below {self.mark}")

    def needs(self, what: str) -> Snippet:
        """Return what follows the mark; there must be something."""
        if not self.body.text:
            raise self.body.wrong(f"expected {what} after {self.mark}")
        return self.body


def did_you_mean(word: str, known: Collection[str]) -> str:
    """Suggest the nearest known word, as the end of a sentence."""
    near = get_close_matches(word, sorted(known), 1, 0.5)
    return f"; did you mean {near[0]}?" if near else ""
