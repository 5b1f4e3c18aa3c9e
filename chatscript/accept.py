"""Plays a case and notes how its script must change so that it tells what the bot does now.

Only what the bot's lines expect is changed. What the person does stays: where it is no longer possible, the case fails.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

from chatscript.language import steps
from chatscript.language.linter import keys_of
from chatscript.language.steps import Script
from chatscript.match.chat_view import Event
from chatscript.record.expectation_writer import rewritten, told
from chatscript.report import console
from chatscript.results import Result
from chatscript.runner.assertions import expect_nothing_more, judge
from chatscript.runner.case_runner import Company, perform
from chatscript.runner.context import Scene

Change = tuple[str, ...]


@dataclass(slots=True)
class Changes:
    """New lines by the number of the step they belong to: instead of it, or in front of it."""

    instead: dict[int, Change] = field(default_factory=dict)
    before: dict[int, Change] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.instead or self.before)


@dataclass(slots=True)
class Accepting:
    """The reader that takes what the bot does for what was wanted."""

    script: steps.Script
    changes: Changes = field(default_factory=Changes)

    async def expect(self, scene: Scene, number: int, step: steps.Expectation) -> None:
        """Read the event that the step means, and note what differs."""
        while True:
            event = await scene.listener.until(lambda: next(iter(scene.chat.unread()), None), hurried=scene.hurried)
            if event is None:
                self.changes.instead[number] = ()
                return
            verdict = await judge(scene, step, event)
            if not verdict.differences:
                scene.scope.values.update(verdict.captures)
                scene.skipping.discard(scene.chat.id)
                scene.chat.read_up_to(event)
                return
            if scene.chat.id in scene.skipping:
                scene.chat.read_up_to(event)
            elif await self._differs(scene, number, step, event, related=verdict.related):
                return

    async def before(self, scene: Scene, number: int) -> None:
        """Write down what nothing mentions before the person goes on."""
        if scene.chat.id in scene.skipping or not isinstance(self.script.steps[number], steps.Action):
            return
        await scene.listener.quiet()
        unread = scene.chat.unread()
        later = next((step for step in self.script.steps[number:] if isinstance(step, steps.Expectation)), None)
        if unread and (later is None or (await judge(scene, later, unread[0])).differences):
            self._insert(scene, number, unread)

    async def end(self, scene: Scene) -> None:
        """Write down what comes at last; in other chats than the last one, it is a failure as always."""
        await scene.listener.quiet()
        if scene.chat.id not in scene.skipping:
            self._insert(scene, len(self.script.steps), scene.chat.unread())
        await expect_nothing_more(scene)

    async def _differs(
        self, scene: Scene, number: int, step: steps.Expectation, event: Event, *, related: bool
    ) -> bool:
        """Decide what became of a step; tells whether it is done with."""
        await scene.listener.quiet()
        unread = scene.chat.unread()
        for place, other in enumerate(unread[1:], 1):
            if not (await judge(scene, step, other)).differences:
                self._insert(scene, number, unread[:place])
                return False
        following = self._following(number)
        for other_step in following:
            if not (await judge(scene, other_step, event)).differences:
                self.changes.instead[number] = ()
                return True
        if related:
            message = event.message
            qr = await scene.client.qr(message.picture) if message and message.picture else None
            self.changes.instead[number] = tuple(rewritten(step, event, scene.scope, qr))
            scene.chat.read_up_to(event)
            return True
        if len(unread) > len(following) + 1:
            self._insert(scene, number, unread[:1])
            return False
        self.changes.instead[number] = ()
        return True

    def _following(self, number: int) -> list[steps.Expectation]:
        found: list[steps.Expectation] = []
        for step in self.script.steps[number + 1 :]:
            if not isinstance(step, steps.Expectation):
                break
            found.append(step)
        return found

    def _insert(self, scene: Scene, number: int, events: Sequence[Event]) -> None:
        lines = tuple(line for event in events for line in told(event, scene.scope, keys_of(self.script)))
        if events:
            self.changes.before[number] = self.changes.before.get(number, ()) + lines
            scene.chat.read_up_to(events[-1])


class CasesDiffer(Exception):
    """The cases of one script want different lines in the same place."""


def merged(found: Sequence[Changes]) -> Changes:
    """Put the changes of all cases together; raises `CasesDiffer`."""
    first, *others = found
    if any(other != first for other in others):
        raise CasesDiffer("its cases, or its languages, want different lines; change it by hand, or play one with -k")
    return first


def amended(source: str, script: Script, changes: Changes) -> str:
    """Write the changes into the text of a script; all that they do not touch stays, comments too."""
    lines = source.split("\n")
    starts = {number: step.place.line - 1 for number, step in enumerate(script.steps)}
    for number in sorted({*changes.instead, *changes.before}, reverse=True):
        start = starts.get(number, _end(lines))
        if number in changes.instead:
            stop = _stop(lines, start)
            comments = [line for line in lines[start:stop] if line.lstrip().startswith("#")]
            lines[start:stop] = [*comments, *changes.instead[number]]
        lines[start:start] = changes.before.get(number, ())
    return "\n".join(lines)


def _end(lines: Sequence[str]) -> int:
    return max(number for number, line in enumerate(lines, 1) if line.strip())


def _stop(lines: Sequence[str], start: int) -> int:
    """Find the end of a step: behind the last indented line that belongs to it."""
    stop = start + 1
    for number in range(start + 1, len(lines)):
        line = lines[number]
        if line.strip() and not line.lstrip().startswith("#"):
            if not line[0].isspace():
                break
            stop = number + 1
    return stop


async def accept(results: Sequence[Result], company: Company, out: Callable[[str], object]) -> list[Result]:
    """Play the cases of every script that failed once more, and write what they do into it; gives the new results."""
    answered: list[Result] = []
    for file, group in groupby(results, key=lambda result: result.take.script.file):
        cases = list(group)
        answered.extend(await _accept(Path(file), cases, company, out) if any(it.failure for it in cases) else cases)
    return answered


async def _accept(path: Path, cases: list[Result], company: Company, out: Callable[[str], object]) -> list[Result]:
    script = cases[0].take.script
    played, found = [], []
    for case in cases:
        reader = Accepting(script)
        played.append(await perform(case.take, company, reader))
        found.append(reader.changes)
    if any(result.failure for result in played):
        return played
    try:
        changes = merged(found)
    except CasesDiffer as error:
        out(f"not accepted: {console.shown_path(str(path))}: {error}")
        return cases
    with path.open(encoding="utf-8-sig", newline="") as file:
        source = file.read()
    ending = "\r\n" if "\r\n" in source else "\n"
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(amended(source.replace("\r\n", "\n"), script, changes).replace("\n", ending))
    out(f"accepted: {console.shown_path(str(path))}, {len({*changes.instead, *changes.before})} places changed")
    return played
