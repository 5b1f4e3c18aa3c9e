"""What the scripts reached of all that a bot says it has, as a table and as a diagram.

A bot that heeds COVERAGE_FILE appends lines there: `known` or `reached`, a kind and a name, between tabs. The kind
`way` has names as a Mermaid state diagram writes them, `From --> To: what`. After a turn it may say
`now`, `state`, and the name of the state.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

COVERAGE_VARIABLE = "COVERAGE_FILE"
_TRANSITION = "way"
_NOW = "now\tstate\t"
_NOT_REACHED = "🚫 never"


@dataclass(frozen=True, slots=True)
class Coverage:
    """By kind, what there is, and whether it was reached."""

    kinds: dict[str, dict[str, bool]] = field(default_factory=dict)

    @property
    def percent(self) -> float:
        """How much was reached, of everything together; nothing known is nothing reached."""
        everything = [reached for names in self.kinds.values() for reached in names.values()]
        return 100 * sum(everything) / len(everything) if everything else 0.0


def read_coverage(path: Path) -> Coverage:
    """Read what bots noted; a name that was reached and is not known counts for nothing."""
    coverage = Coverage()
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    facts = dict.fromkeys(tuple(line.split("\t")) for line in text.splitlines() if line.count("\t") == 2)
    for word, kind, name in facts:
        if word == "known":
            coverage.kinds.setdefault(kind, {})[name] = ("reached", kind, name) in facts
    return coverage


def last_state(path: Path) -> str | None:
    """Return the state in the last line `now state NAME`, between tabs."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    noted = [line.removeprefix(_NOW) for line in lines if line.startswith(_NOW)]
    return noted[-1] if noted else None


def append_notes(together: Path, notes: Path) -> None:
    """Put the notes of one case to those of all, in one piece: other processes do so too."""
    if notes.exists():
        with together.open("ab", buffering=0) as file:
            file.write(notes.read_bytes())


def format_table(coverage: Coverage) -> Iterator[str]:
    """Tell the figures of each kind, and everything that no script reached."""
    if not coverage.kinds:
        yield "coverage: the bot noted nothing"
        return
    for kind, names in coverage.kinds.items():
        never = [name for name, reached in names.items() if not reached]
        done = len(names) - len(never)
        yield f"{kind + 's':<9}{done:>4} of {len(names):>4}  {_floor(100 * done / len(names)):>5} %"
        yield from (f"    never  {name}" for name in never)
    yield f"{'coverage':<9}{'':>13}{_floor(coverage.percent):>6} %"


def format_diagram(coverage: Coverage) -> Iterator[str]:
    """Draw the ways as a Mermaid diagram; those that no script went are marked."""
    ways = coverage.kinds.get(_TRANSITION, {})
    if ways:
        yield "stateDiagram-v2"
        yield from (f"    {way}{'' if reached else f' {_NOT_REACHED}'}" for way, reached in ways.items())


def _floor(percent: float) -> str:
    """Round down: 100.0 means all."""
    return f"{int(percent * 10) / 10:.1f}"
