"""Plays one case of a script from its first line to its last, on a stage of its own."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Protocol

from chatscript.language import steps
from chatscript.language.bot_texts import BotTexts
from chatscript.language.patterns import SourceLocation
from chatscript.match.transcript import format_events
from chatscript.results import Case, CaseFailure, CaseResult
from chatscript.runner.assertions import expect_event, expect_nothing_more, expect_state
from chatscript.runner.bot_process import BotLauncher
from chatscript.runner.capture import Capture
from chatscript.runner.context import RunContext, StepFailed, open_context
from chatscript.runner.directive_steps import run_directive
from chatscript.runner.environment import BotStartFailed, case_environment
from chatscript.runner.event_waiter import Timing
from chatscript.runner.phone_steps import run_phone_step
from chatscript.runner.simulator_client import SimulatorRefused
from chatscript.runner.user_steps import run_user_step


@dataclass(frozen=True, slots=True)
class RunConfig:
    """What every take needs: how to start the bot, its sentences, the player's patience, what more it is told.

    `filmed` keeps everything that a picture of the conversation needs.
    """

    launcher: BotLauncher
    bot_texts: BotTexts
    timing: Timing = field(default_factory=Timing)
    extra_environment: Mapping[str, str] = field(default_factory=dict)
    with_capture: bool = False


class ExpectationReader(Protocol):
    """Holds what the bot does against the script."""

    async def before_step(self, context: RunContext, number: int) -> None:
        """Look around before a step of that number that is no expectation."""

    async def expect_step(self, context: RunContext, number: int, step: steps.Expectation) -> None:
        """Wait for what the step says; raises `Unmet`."""

    async def finish(self, context: RunContext) -> None:
        """Look for what the script does not mention; raises `Unmet`."""


class StrictReader:
    """The reader whose first difference is a failure."""

    async def before_step(self, context: RunContext, number: int) -> None:
        """Nothing: whatever came is held against the next expectation."""

    async def expect_step(self, context: RunContext, number: int, step: steps.Expectation) -> None:
        """Insist on the step."""
        await expect_event(context, step)

    async def finish(self, context: RunContext) -> None:
        """Insist on silence."""
        await expect_nothing_more(context)


async def run_case(case: Case, config: RunConfig, reader: ExpectationReader | None = None) -> CaseResult:
    """Play a take; never raises for what a bot does."""
    began = time.monotonic()
    film = Capture()
    noting = any(isinstance(step, steps.ExpectState) for step in case.script.steps)
    async with (
        case_environment(config.launcher, config.timing, config.extra_environment, record_states=noting) as built,
        AsyncExitStack() as closing,
    ):
        scene = await open_context(
            built,
            config.bot_texts,
            people=case.script.people,
            language=case.language,
            values=dict(case.values),
            exit_stack=closing,
        )
        failure = await _run_steps(case, scene, reader or StrictReader(), film)
        if config.with_capture:
            await film.collect(scene)
        remarks = tuple(dict.fromkeys(built.listener.remarks))
    return CaseResult(case, time.monotonic() - began, failure, film if config.with_capture else None, remarks)


async def _run_steps(
    case: Case, context: RunContext, reader: ExpectationReader, capture: Capture
) -> CaseFailure | None:
    here = SourceLocation(case.script.file, 1)
    source = ""
    try:
        await context.environment.start({it.name: context.scope.render(it.value) for it in case.script.settings})
        for number, step in enumerate(case.script.steps):
            here, source = step.location, step.source
            capture.add_note(context, step)
            if isinstance(step, steps.Expectation):
                await reader.expect_step(context, number, step)
            else:
                await reader.before_step(context, number)
                await run_step(context, step)
        source = ""
        await reader.finish(context)
    except StepFailed as unmet:
        return build_failure(context, here, source, unmet)
    except (BotStartFailed, SimulatorRefused) as error:
        return build_failure(context, here, source, StepFailed(str(error)))
    return None


async def run_step(
    context: RunContext,
    step: steps.UserStep | steps.AllowAnything | steps.ExpectState | steps.Directive | steps.PhoneStep,
) -> None:
    """Play a step that is no expectation; raises `Unmet`."""
    match step:
        case steps.AllowAnything():
            context.lenient_chats.add(context.chat.id)
        case steps.ExpectState():
            await expect_state(context, step)
        case (
            steps.WriteText()
            | steps.SendAttachment()
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


def build_failure(context: RunContext, location: SourceLocation, source: str, problem: StepFailed) -> CaseFailure:
    """Gather all that a report tells."""
    names = {id: name for name, id in context.scope.people.items()}
    chat = format_events(context.listener.events, names)
    return CaseFailure(
        location,
        source,
        problem.headline,
        problem.got,
        problem.notes,
        tuple(chat),
        tuple(context.environment.log_lines()),
    )
