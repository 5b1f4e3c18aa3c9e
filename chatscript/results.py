"""What came of playing a case of a script."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from chatscript.language.patterns import SourceLocation
from chatscript.language.steps import Script
from chatscript.runner.capture import Capture


@dataclass(frozen=True, slots=True)
class Case:
    """One case of a script in one language."""

    script: Script
    values: Mapping[str, str]
    language: str
    name: str


@dataclass(frozen=True, slots=True)
class CaseFailure:
    """Why a take failed, with all that is needed to understand it without running it again."""

    location: SourceLocation
    source: str
    headline: str
    got: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    chat: tuple[str, ...] = ()
    log: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CaseResult:
    """How a take went, and what of the bot's calls Telegram ignores."""

    case: Case
    seconds: float
    failure: CaseFailure | None
    capture: Capture | None = None
    remarks: tuple[str, ...] = ()
