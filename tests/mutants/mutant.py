"""One planted fault, apart from what plants it: libcst takes half a second to be imported."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Mutant:
    """One fault: where it is, and the lines it changes; `lines` is the part of the file whose tests may see it."""

    path: str
    lines: range
    before: str
    after: str
    source: str = field(repr=False)


def changed_lines(before: str, after: str) -> tuple[str, str]:
    """What differs between two texts, without the lines they share at both ends and without indentation."""
    old, new = before.splitlines(), after.splitlines()
    start = next((at for at, (one, other) in enumerate(zip(old, new, strict=False)) if one != other), 0)
    ends = zip(reversed(old[start:]), reversed(new[start:]), strict=False)
    same = next((at for at, (one, other) in enumerate(ends) if one != other), min(len(old), len(new)) - start)
    removed, added = ([line.strip() for line in text[start : len(text) - same]] for text in (old, new))
    return "\n".join(removed), "\n".join(added)
