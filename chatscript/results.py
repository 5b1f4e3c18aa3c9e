"""What came of playing a case of a script."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from chatscript.language.patterns import Place
from chatscript.language.steps import Script
from chatscript.runner.capture import Film


@dataclass(frozen=True, slots=True)
class Take:
    """One case of a script in one language."""

    script: Script
    values: Mapping[str, str]
    language: str
    name: str


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a take failed, with all that is needed to understand it without running it again."""

    place: Place
    source: str
    headline: str
    got: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    chat: tuple[str, ...] = ()
    log: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Result:
    """How a take went, and what of the bot's calls Telegram ignores."""

    take: Take
    seconds: float
    failure: Failure | None
    film: Film | None = None
    remarks: tuple[str, ...] = ()
