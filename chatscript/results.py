"""The cases of scripts and the results of running them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from chatscript.language.patterns import SourceLocation
from chatscript.language.steps import Script
from playground.world.records import Json


@dataclass(frozen=True, slots=True)
class Case:
    """One case of a script in one language."""

    script: Script
    values: Mapping[str, str]
    language: str
    name: str


@dataclass(frozen=True, slots=True)
class CaseFailure:
    """Why a case failed, with everything that is needed to understand it without another run."""

    location: SourceLocation
    source: str
    headline: str
    got: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    chat: tuple[str, ...] = ()
    log: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()


StepNote = tuple[int, int, str]
"""A step that leaves no event in a chat: the number of the event before it, the chat, the step's text."""


@dataclass(slots=True)
class Capture:
    """What an HTML report of a case shows.

    `people` are names by id, `events` the simulator's events, `pictures` data URLs by file_id.
    """

    people: Mapping[int, str] = field(default_factory=dict)
    events: Sequence[Json] = ()
    notes: list[StepNote] = field(default_factory=list)
    pictures: dict[str, str] = field(default_factory=dict)

    def final_messages(self) -> Mapping[tuple[int, int], Json]:
        """Return every message in its last form, by its chat and its own id."""
        versions = (event for event in self.events if event["kind"] in ("message", "edit"))
        return {(event["chat"], event["message"]["id"]): event["message"] for event in versions}


@dataclass(frozen=True, slots=True)
class CaseResult:
    """The result of running a case.

    `remarks` say what Telegram ignores in the bot's calls and what the simulator does not model; `refused` are the
    calls that were refused, and `calls` all calls with their answers, where they were asked for.
    """

    case: Case
    seconds: float
    failure: CaseFailure | None
    capture: Capture | None = None
    remarks: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    calls: Sequence[Json] = ()
