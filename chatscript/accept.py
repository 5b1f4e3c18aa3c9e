"""Rewrites failing scripts so that they describe what the bot does now.

It runs a case again and notes how its lines must change. It changes only the lines that expect something of the bot.
The person's steps stay; when one of them is no longer possible, the case fails.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

from chatscript.language import steps
from chatscript.language.directive_parser import ANY_ORDER
from chatscript.language.linter import text_keys_of
from chatscript.language.steps import Script
from chatscript.match.chat_view import ChatEvent
from chatscript.record.expectation_writer import rewrite_expectation, write_new_expectation
from chatscript.report import console
from chatscript.results import CaseResult
from chatscript.runner.assertions import compare_event, expect_event, expect_nothing_more, is_optional
from chatscript.runner.case_runner import RunConfig, run_case
from chatscript.runner.context import RunContext, StepFailed

NewLines = tuple[str, ...]


@dataclass(slots=True)
class ScriptChanges:
    """New lines by the number of a step: those that replace it, and those inserted before it."""

    replacements: dict[int, NewLines] = field(default_factory=dict)
    insertions: dict[int, NewLines] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.replacements or self.insertions)


@dataclass(slots=True)
class AcceptingReader:
    """Accepts what the bot does and notes how the script must change."""

    script: steps.Script
    changes: ScriptChanges = field(default_factory=ScriptChanges)

    async def expect_step(self, context: RunContext, number: int, step: steps.Expectation) -> None:
        """Read the event that belongs to the step, and note what differs."""
        if isinstance(step, steps.ExpectInAnyOrder):
            await self._expect_in_any_order(context, number, step)
            return
        while True:
            event = await context.listener.wait_for(
                lambda: next(iter(context.chat.unread_events()), None), stop_when_idle=context.expects_prompt_reply
            )
            if event is None and is_optional(step):
                return
            if event is None:
                self.changes.replacements[number] = ()
                return
            comparison = await compare_event(context, step, event)
            if not comparison.differences:
                context.scope.values.update(comparison.captures)
                context.lenient_chats.discard(context.chat.id)
                context.chat.read_up_to(event)
                return
            if is_optional(step):
                return
            if context.chat.id in context.lenient_chats:
                context.chat.read_up_to(event)
            elif await self._resolve_difference(context, number, step, event, same_kind=comparison.same_kind):
                return

    async def _expect_in_any_order(self, context: RunContext, number: int, step: steps.ExpectInAnyOrder) -> None:
        try:
            await expect_event(context, step)
        except StepFailed:
            await context.listener.wait_idle()
            events = context.chat.unread_events()[: len(step.expected)]
            lines = self._new_lines(context, events)
            self.changes.replacements[number] = (ANY_ORDER, *(f"    {line}" for line in lines)) if lines else ()
            if events:
                context.chat.read_up_to(events[-1])

    async def before_step(self, context: RunContext, number: int) -> None:
        """Insert lines for events that no step expects before the person goes on."""
        if context.chat.id in context.lenient_chats or not isinstance(self.script.steps[number], steps.UserStep):
            return
        await context.listener.wait_idle()
        unread = context.chat.unread_events()
        later = next((step for step in self.script.steps[number:] if isinstance(step, steps.Expectation)), None)
        if unread and (later is None or (await compare_event(context, later, unread[0])).differences):
            self._insert(context, number, unread)

    async def finish(self, context: RunContext) -> None:
        """Insert lines for the last events of the current chat. Raises `StepFailed` for events in other chats."""
        await context.listener.wait_idle()
        if context.chat.id not in context.lenient_chats:
            self._insert(context, len(self.script.steps), context.chat.unread_events())
        await expect_nothing_more(context)

    async def _resolve_difference(
        self, context: RunContext, number: int, step: steps.Expectation, event: ChatEvent, *, same_kind: bool
    ) -> bool:
        """Decide how an event that differs changes the script. Return whether the step is finished."""
        await context.listener.wait_idle()
        unread = context.chat.unread_events()
        for index, other in enumerate(unread[1:], 1):
            if not (await compare_event(context, step, other)).differences:
                self._insert(context, number, unread[:index])
                return False
        following = self._following(number)
        for other_step in following:
            if not (await compare_event(context, other_step, event)).differences:
                self.changes.replacements[number] = ()
                return True
        if same_kind:
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
        following: list[steps.Expectation] = []
        for step in self.script.steps[number + 1 :]:
            if not isinstance(step, steps.Expectation):
                break
            following.append(step)
        return following

    def _insert(self, context: RunContext, number: int, events: Sequence[ChatEvent]) -> None:
        if events:
            before = self.changes.insertions.get(number, ())
            self.changes.insertions[number] = before + self._new_lines(context, events)
            context.chat.read_up_to(events[-1])

    def _new_lines(self, context: RunContext, events: Sequence[ChatEvent]) -> NewLines:
        keys = text_keys_of(self.script)
        return tuple(line for event in events for line in write_new_expectation(event, context.scope, keys))


class CasesDiffer(Exception):
    """The cases of one script need different lines at the same place."""


def merge_changes(by_case: Sequence[ScriptChanges]) -> ScriptChanges:
    """Return the changes, which must be the same for all cases. Raises `CasesDiffer`."""
    first, *others = by_case
    if any(other != first for other in others):
        raise CasesDiffer(
            "its cases or languages need different lines; change the script by hand, or play one case with -k"
        )
    return first


def apply_changes(source: str, script: Script, changes: ScriptChanges) -> str:
    """Return the text of a script with the changes; comments and all other lines stay."""
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
    """Return the number of the line after a step and its indented lines."""
    stop = start + 1
    for number in range(start + 1, len(lines)):
        line = lines[number]
        if line.strip() and not line.lstrip().startswith("#"):
            if not line[0].isspace():
                break
            stop = number + 1
    return stop


async def accept(results: Sequence[CaseResult], config: RunConfig, out: Callable[[str], object]) -> list[CaseResult]:
    """Run the cases of failing scripts again and write what the bot does into them. Return the new results."""
    accepted: list[CaseResult] = []
    for file, group in groupby(results, key=lambda result: result.case.script.file):
        group_results = list(group)
        accepted.extend(
            await _accept_script(Path(file), group_results, config, out)
            if any(result.failure for result in group_results)
            else group_results
        )
    return accepted


async def _accept_script(
    path: Path, results: list[CaseResult], config: RunConfig, out: Callable[[str], object]
) -> list[CaseResult]:
    script = results[0].case.script
    if any(step.location.file != script.file for step in script.steps):
        out(f"not accepted: {console.short_path(str(path))}: it includes another script; change the lines by hand")
        return results
    new_results, by_case = [], []
    for result in results:
        reader = AcceptingReader(script)
        new_results.append(await run_case(result.case, config, reader))
        by_case.append(reader.changes)
    if any(result.failure for result in new_results):
        return new_results
    try:
        changes = merge_changes(by_case)
    except CasesDiffer as error:
        out(f"not accepted: {console.short_path(str(path))}: {error}")
        return results
    with path.open(encoding="utf-8-sig", newline="") as file:
        source = file.read()
    ending = "\r\n" if "\r\n" in source else "\n"
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(apply_changes(source.replace("\r\n", "\n"), script, changes).replace("\n", ending))
    out(
        f"accepted: {console.short_path(str(path))}, {len({*changes.replacements, *changes.insertions})} places changed"
    )
    return new_results
