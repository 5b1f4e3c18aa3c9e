"""Plays a case and notes how its script must change so that it tells what the bot does now.

Only what the bot's lines expect is changed. What the person does stays: where it is no longer possible, the case fails.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

from chatscript.language import steps
from chatscript.language.linter import text_keys_of
from chatscript.language.steps import Script
from chatscript.match.chat_view import ChatEvent
from chatscript.record.expectation_writer import rewrite_expectation, write_new_expectation
from chatscript.report import console
from chatscript.results import CaseResult
from chatscript.runner.assertions import compare_event, expect_nothing_more
from chatscript.runner.case_runner import RunConfig, run_case
from chatscript.runner.context import RunContext

NewLines = tuple[str, ...]


@dataclass(slots=True)
class ScriptChanges:
    """New lines by the number of the step they belong to: instead of it, or in front of it."""

    replacements: dict[int, NewLines] = field(default_factory=dict)
    insertions: dict[int, NewLines] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.replacements or self.insertions)


@dataclass(slots=True)
class AcceptingReader:
    """The reader that takes what the bot does for what was wanted."""

    script: steps.Script
    changes: ScriptChanges = field(default_factory=ScriptChanges)

    async def expect_step(self, context: RunContext, number: int, step: steps.Expectation) -> None:
        """Read the event that the step means, and note what differs."""
        while True:
            event = await context.listener.wait_for(
                lambda: next(iter(context.chat.unread_events()), None), stop_when_idle=context.expects_prompt_reply
            )
            if event is None:
                self.changes.replacements[number] = ()
                return
            verdict = await compare_event(context, step, event)
            if not verdict.differences:
                context.scope.values.update(verdict.captures)
                context.lenient_chats.discard(context.chat.id)
                context.chat.read_up_to(event)
                return
            if context.chat.id in context.lenient_chats:
                context.chat.read_up_to(event)
            elif await self._resolve_difference(context, number, step, event, related=verdict.same_kind):
                return

    async def before_step(self, context: RunContext, number: int) -> None:
        """Write down what nothing mentions before the person goes on."""
        if context.chat.id in context.lenient_chats or not isinstance(self.script.steps[number], steps.UserStep):
            return
        await context.listener.wait_idle()
        unread = context.chat.unread_events()
        later = next((step for step in self.script.steps[number:] if isinstance(step, steps.Expectation)), None)
        if unread and (later is None or (await compare_event(context, later, unread[0])).differences):
            self._insert(context, number, unread)

    async def finish(self, context: RunContext) -> None:
        """Write down what comes at last; in other chats than the last one, it is a failure as always."""
        await context.listener.wait_idle()
        if context.chat.id not in context.lenient_chats:
            self._insert(context, len(self.script.steps), context.chat.unread_events())
        await expect_nothing_more(context)

    async def _resolve_difference(
        self, context: RunContext, number: int, step: steps.Expectation, event: ChatEvent, *, related: bool
    ) -> bool:
        """Decide what became of a step; tells whether it is done with."""
        await context.listener.wait_idle()
        unread = context.chat.unread_events()
        for place, other in enumerate(unread[1:], 1):
            if not (await compare_event(context, step, other)).differences:
                self._insert(context, number, unread[:place])
                return False
        following = self._following(number)
        for other_step in following:
            if not (await compare_event(context, other_step, event)).differences:
                self.changes.replacements[number] = ()
                return True
        if related:
            message = event.message
            qr = await context.client.read_qr(message.picture) if message and message.picture else None
            self.changes.replacements[number] = tuple(rewrite_expectation(step, event, context.scope, qr))
            context.chat.read_up_to(event)
            return True
        if len(unread) > len(following) + 1:
            self._insert(context, number, unread[:1])
            return False
        self.changes.replacements[number] = ()
        return True

    def _following(self, number: int) -> list[steps.Expectation]:
        found: list[steps.Expectation] = []
        for step in self.script.steps[number + 1 :]:
            if not isinstance(step, steps.Expectation):
                break
            found.append(step)
        return found

    def _insert(self, context: RunContext, number: int, events: Sequence[ChatEvent]) -> None:
        lines = tuple(
            line for event in events for line in write_new_expectation(event, context.scope, text_keys_of(self.script))
        )
        if events:
            self.changes.insertions[number] = self.changes.insertions.get(number, ()) + lines
            context.chat.read_up_to(events[-1])


class CasesDiffer(Exception):
    """The cases of one script want different lines in the same place."""


def merge_changes(found: Sequence[ScriptChanges]) -> ScriptChanges:
    """Put the changes of all cases together; raises `CasesDiffer`."""
    first, *others = found
    if any(other != first for other in others):
        raise CasesDiffer("its cases, or its languages, want different lines; change it by hand, or play one with -k")
    return first


def apply_changes(source: str, script: Script, changes: ScriptChanges) -> str:
    """Write the changes into the text of a script; all that they do not touch stays, comments too."""
    lines = source.split("\n")
    starts = {number: step.location.line - 1 for number, step in enumerate(script.steps)}
    for number in sorted({*changes.replacements, *changes.insertions}, reverse=True):
        start = starts.get(number, _script_end(lines))
        if number in changes.replacements:
            stop = _step_end(lines, start)
            comments = [line for line in lines[start:stop] if line.lstrip().startswith("#")]
            lines[start:stop] = [*comments, *changes.replacements[number]]
        lines[start:start] = changes.insertions.get(number, ())
    return "\n".join(lines)


def _script_end(lines: Sequence[str]) -> int:
    return max(number for number, line in enumerate(lines, 1) if line.strip())


def _step_end(lines: Sequence[str], start: int) -> int:
    """Find the end of a step: behind the last indented line that belongs to it."""
    stop = start + 1
    for number in range(start + 1, len(lines)):
        line = lines[number]
        if line.strip() and not line.lstrip().startswith("#"):
            if not line[0].isspace():
                break
            stop = number + 1
    return stop


async def accept(results: Sequence[CaseResult], config: RunConfig, out: Callable[[str], object]) -> list[CaseResult]:
    """Play the cases of every script that failed once more, and write what they do into it; gives the new results."""
    answered: list[CaseResult] = []
    for file, group in groupby(results, key=lambda result: result.case.script.file):
        cases = list(group)
        answered.extend(
            await _accept_script(Path(file), cases, config, out) if any(it.failure for it in cases) else cases
        )
    return answered


async def _accept_script(
    path: Path, cases: list[CaseResult], config: RunConfig, out: Callable[[str], object]
) -> list[CaseResult]:
    script = cases[0].case.script
    played, found = [], []
    for case in cases:
        reader = AcceptingReader(script)
        played.append(await run_case(case.case, config, reader))
        found.append(reader.changes)
    if any(result.failure for result in played):
        return played
    try:
        changes = merge_changes(found)
    except CasesDiffer as error:
        out(f"not accepted: {console.short_path(str(path))}: {error}")
        return cases
    with path.open(encoding="utf-8-sig", newline="") as file:
        source = file.read()
    ending = "\r\n" if "\r\n" in source else "\n"
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(apply_changes(source.replace("\r\n", "\n"), script, changes).replace("\n", ending))
    out(
        f"accepted: {console.short_path(str(path))}, {len({*changes.replacements, *changes.insertions})} places changed"
    )
    return played
