"""What the scripts reached of everything that a bot knows: the file that bots write, a table, and a diagram.

A bot that reads DIALOGUE_COVERAGE_FILE appends lines to that file: `known` or `reached`, a kind, and a name, separated
by tabs. The names of the kind `way` are transitions of a Mermaid state diagram, `From --> To: what`. After a turn, the
bot may append `now`, `state`, and the name of its state.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

COVERAGE_VARIABLE = "DIALOGUE_COVERAGE_FILE"
"""The variable that names the file to the bot. Its name in 0.1, COVERAGE_FILE, is coverage.py's own."""
_TRANSITION = "way"
_NOW = "now\tstate\t"
_NOT_REACHED = "🚫 never"


@dataclass(frozen=True, slots=True)
class Coverage:
    """The known names by kind, and whether each was reached."""

    kinds: dict[str, dict[str, bool]] = field(default_factory=dict)

    @property
    def percent(self) -> float:
        """The share of all names that was reached; 0 when no name is known."""
        everything = [reached for names in self.kinds.values() for reached in names.values()]
        return 100 * sum(everything) / len(everything) if everything else 0.0


def read_coverage(path: Path) -> Coverage:
    """Read the file. A name that was reached but is not known does not count."""
    coverage = Coverage()
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    facts = dict.fromkeys(tuple(line.split("\t")) for line in text.splitlines() if line.count("\t") == 2)
    for word, kind, name in facts:
        if word == "known":
            coverage.kinds.setdefault(kind, {})[name] = ("reached", kind, name) in facts
    return coverage


def last_state(path: Path) -> str | None:
    """Return the state in the last line `now state NAME`, or None."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    states = [line.removeprefix(_NOW) for line in lines if line.startswith(_NOW)]
    return states[-1] if states else None


def append_notes(total: Path, notes: Path) -> None:
    """Append the notes of one case to those of all cases, in one write, because other processes append too."""
    if notes.exists():
        with total.open("ab", buffering=0) as file:
            file.write(notes.read_bytes())


def format_table(coverage: Coverage) -> Iterator[str]:
    """Yield the figures of each kind and every name that no script reached."""
    if not coverage.kinds:
        yield "coverage: the bot wrote nothing"
        return
    for kind, names in coverage.kinds.items():
        missing = [name for name, reached in names.items() if not reached]
        done = len(names) - len(missing)
        yield f"{kind + 's':<9}{done:>4} of {len(names):>4}  {_floor(100 * done / len(names)):>5} %"
        yield from (f"    never  {name}" for name in missing)
    yield f"{'coverage':<9}{'':>13}{_floor(coverage.percent):>6} %"


def format_diagram(coverage: Coverage) -> Iterator[str]:
    """Yield the transitions as a Mermaid diagram, with a mark on those that no script took."""
    transitions = coverage.kinds.get(_TRANSITION, {})
    if transitions:
        yield "stateDiagram-v2"
        yield from (f"    {name}{'' if reached else f' {_NOT_REACHED}'}" for name, reached in transitions.items())


def _floor(percent: float) -> str:
    """Round down, so that 100.0 means everything."""
    return f"{int(percent * 10) / 10:.1f}"
