"""Runs one case of a script from its first step to its last, with a simulator and a bot process of its own."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Protocol

from chatscript.language import steps
from chatscript.language.bot_texts import BotTexts
from chatscript.language.patterns import SourceLocation
from chatscript.match.transcript import format_events
from chatscript.results import Capture, Case, CaseFailure, CaseResult, StepNote
from chatscript.runner.assertions import expect_absent, expect_event, expect_nothing_more, expect_state
from chatscript.runner.bot_process import BotLauncher
from chatscript.runner.capture import add_note, collect
from chatscript.runner.context import RunContext, StepFailed, open_context
from chatscript.runner.directive_steps import run_directive
from chatscript.runner.environment import BotStartFailed, case_environment
from chatscript.runner.event_waiter import Timing
from chatscript.runner.phone_steps import run_phone_step
from chatscript.runner.simulator_client import SimulatorRefused
from chatscript.runner.user_steps import run_user_step


@dataclass(frozen=True, slots=True)
class RunConfig:
    """The settings of a run: how to start the bot, its texts, the timeouts, and further variables for the bot.

    `with_capture` collects what an HTML report needs, `with_calls` the bot's calls and their answers.
    """

    launcher: BotLauncher
    bot_texts: BotTexts
    timing: Timing = field(default_factory=Timing)
    extra_environment: Mapping[str, str] = field(default_factory=dict)
    with_capture: bool = False
    with_calls: bool = False


class ExpectationReader(Protocol):
    """Decides what an event of the bot means for the script."""

    async def before_step(self, context: RunContext, number: int) -> None:
        """Prepare for the step with that number, which is not an expectation."""

    async def expect_step(self, context: RunContext, number: int, step: steps.Expectation) -> None:
        """Wait for the event that the step expects. Raises `StepFailed`."""

    async def finish(self, context: RunContext) -> None:
        """Check at the end that the script mentions every event. Raises `StepFailed`."""


class StrictReader:
    """Fails at the first difference."""

    async def before_step(self, context: RunContext, number: int) -> None:
        """Do nothing: the next expectation reads every event that came."""

    async def expect_step(self, context: RunContext, number: int, step: steps.Expectation) -> None:
        """Wait for the event. Raises `StepFailed` for a different one or none."""
        await expect_event(context, step)

    async def finish(self, context: RunContext) -> None:
        """Raise `StepFailed` for an event that the script does not mention."""
        await expect_nothing_more(context)


async def run_case(case: Case, config: RunConfig, reader: ExpectationReader | None = None) -> CaseResult:
    """Run a case. A failure is a part of the result, not an exception."""
    started = time.monotonic()
    capture = Capture()
    has_states = any(isinstance(step, steps.ExpectState) for step in case.script.steps)
    async with (
        case_environment(
            config.launcher,
            config.timing,
            config.extra_environment,
            record_states=has_states,
            keep_answers=config.with_calls,
        ) as environment,
        AsyncExitStack() as closing,
    ):
        context = await open_context(
            environment,
            config.bot_texts,
            people=case.script.people,
            language=case.language,
            values=dict(case.values),
            exit_stack=closing,
        )
        failure = await _run_steps(case, context, reader or StrictReader(), capture)
        if config.with_capture:
            await collect(capture, context)
        calls = await context.client.calls() if config.with_calls else ()
        remarks, refused = tuple(dict.fromkeys(environment.listener.remarks)), tuple(environment.listener.refusals)
    seconds, kept = time.monotonic() - started, capture if config.with_capture else None
    return CaseResult(case, seconds, failure, kept, remarks, refused, calls)


async def _run_steps(
    case: Case, context: RunContext, reader: ExpectationReader, capture: Capture
) -> CaseFailure | None:
    location = SourceLocation(case.script.file, 1)
    source = ""
    try:
        await context.environment.start(
            {setting.name: context.scope.render(setting.value) for setting in case.script.settings}
        )
        for number, step in enumerate(case.script.steps):
            location, source = step.location, step.source
            await add_note(capture, context, step)
            if isinstance(step, steps.Expectation):
                await reader.expect_step(context, number, step)
            else:
                await reader.before_step(context, number)
                await run_step(context, step)
        source = ""
        await reader.finish(context)
    except StepFailed as problem:
        return await build_failure(context, location, source, problem, capture.notes)
    except (BotStartFailed, SimulatorRefused) as error:
        return await build_failure(context, location, source, StepFailed(str(error)), capture.notes)
    return None


async def run_step(
    context: RunContext,
    step: steps.UserStep
    | steps.ForbidMessage
    | steps.AllowAnything
    | steps.ExpectState
    | steps.Directive
    | steps.PhoneStep,
) -> None:
    """Run a step that is not an expectation. Raises `StepFailed`."""
    match step:
        case steps.AllowAnything():
            context.lenient_chats.add(context.chat.id)
        case steps.ExpectState():
            await expect_state(context, step)
        case steps.ForbidMessage():
            await expect_absent(context, step)
        case (
            steps.WriteText()
            | steps.SendAttachment()
            | steps.React()
            | steps.TapButton()
            | steps.ForgedPress()
            | steps.TypeInlineQuery()
            | steps.ChooseInlineResult()
        ):
            await run_user_step(context, step)
        case (
            steps.OpenInApp()
            | steps.PhoneGesture()
            | steps.ExpectPageText()
            | steps.ExpectPageStatus()
            | steps.ReloadPage()
        ):
            await run_phone_step(context, step)
        case _:
            await run_directive(context, step)


async def build_failure(
    context: RunContext, location: SourceLocation, source: str, problem: StepFailed, notes: Sequence[StepNote] = ()
) -> CaseFailure:
    """Collect everything that a report of the failure shows."""
    await context.listener.poll()  # a refused call may have been the last one
    chat = format_events(context.listener.events, context.chat_lines(), notes)
    return CaseFailure(
        location,
        source,
        problem.headline,
        problem.got,
        (*problem.notes, *_clock_hint(context)),
        tuple(chat),
        tuple(context.environment.log_lines()),
        tuple(context.environment.refusals()),
    )


def _clock_hint(context: RunContext) -> list[str]:
    if context.clock_moved and context.environment.clock.seems_unread():
        return ["the bot has not read CLOCK_OFFSET_FILE since @wait: its own clock stands still"]
    return []
