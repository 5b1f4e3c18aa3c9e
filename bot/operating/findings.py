"""What a check has found, and how it is told."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

Say = Callable[[str], None]


class Impossible(Exception):
    """A command cannot do what it was asked for; the message is one line that says why."""


class Grade(StrEnum):
    """How bad it is; a problem makes the command fail."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line; never a secret, at most a fingerprint."""

    grade: Grade
    text: str


def ok(text: str) -> Finding:
    """What is as it should be."""
    return Finding(Grade.OK, text)


def warning(text: str) -> Finding:
    """What may be meant so."""
    return Finding(Grade.WARNING, text)


def problem(text: str) -> Finding:
    """What must be mended."""
    return Finding(Grade.PROBLEM, text)


def told(findings: Iterable[Finding], say: Say) -> int:
    """Tell them, and say the exit status."""
    status = 0
    for finding in findings:
        say(f"{finding.grade}: {finding.text}")
        status = max(status, int(finding.grade is Grade.PROBLEM))
    return status
