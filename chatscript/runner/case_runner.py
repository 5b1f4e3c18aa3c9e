"""Plays one case of a script from its first line to its last, on a stage of its own."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Protocol

from chatscript.language import steps
from chatscript.language.bot_texts import Catalogue
from chatscript.language.patterns import Place
from chatscript.match.transcript import lines
from chatscript.results import Failure, Result, Take
from chatscript.runner.assertions import expect, expect_nothing_more, expect_state
from chatscript.runner.bot_process import Launch
from chatscript.runner.capture import Film
from chatscript.runner.context import Scene, Unmet, open_scene
from chatscript.runner.directive_steps import direct
from chatscript.runner.environment import DidNotStart, stage
from chatscript.runner.event_waiter import Timing
from chatscript.runner.phone_steps import browse
from chatscript.runner.simulator_client import SimRefused
from chatscript.runner.user_steps import act


@dataclass(frozen=True, slots=True)
class Company:
    """What every take needs: how to start the bot, its sentences, the player's patience, what more it is told.

    `filmed` keeps everything that a picture of the conversation needs.
    """

    launch: Launch
    catalogue: Catalogue
    timing: Timing = field(default_factory=Timing)
    extra: Mapping[str, str] = field(default_factory=dict)
    filmed: bool = False


class Reader(Protocol):
    """Holds what the bot does against the script."""

    async def before(self, scene: Scene, number: int) -> None:
        """Look around before a step of that number that is no expectation."""

    async def expect(self, scene: Scene, number: int, step: steps.Expectation) -> None:
        """Wait for what the step says; raises `Unmet`."""

    async def end(self, scene: Scene) -> None:
        """Look for what the script does not mention; raises `Unmet`."""


class Strict:
    """The reader whose first difference is a failure."""

    async def before(self, scene: Scene, number: int) -> None:
        """Nothing: whatever came is held against the next expectation."""

    async def expect(self, scene: Scene, number: int, step: steps.Expectation) -> None:
        """Insist on the step."""
        await expect(scene, step)

    async def end(self, scene: Scene) -> None:
        """Insist on silence."""
        await expect_nothing_more(scene)


async def perform(take: Take, company: Company, reader: Reader | None = None) -> Result:
    """Play a take; never raises for what a bot does."""
    began = time.monotonic()
    film = Film()
    noting = any(isinstance(step, steps.State) for step in take.script.steps)
    async with (
        stage(company.launch, company.timing, company.extra, noting=noting) as built,
        AsyncExitStack() as closing,
    ):
        scene = await open_scene(
            built,
            company.catalogue,
            people=take.script.people,
            language=take.language,
            values=dict(take.values),
            closing=closing,
        )
        failure = await _perform(take, scene, reader or Strict(), film)
        if company.filmed:
            await film.develop(scene)
        remarks = tuple(dict.fromkeys(built.listener.remarks))
    return Result(take, time.monotonic() - began, failure, film if company.filmed else None, remarks)


async def _perform(take: Take, scene: Scene, reader: Reader, film: Film) -> Failure | None:
    here = Place(take.script.file, 1)
    source = ""
    try:
        await scene.stage.start({it.name: scene.scope.fill(it.value) for it in take.script.settings})
        for number, step in enumerate(take.script.steps):
            here, source = step.place, step.source
            film.note(scene, step)
            if isinstance(step, steps.Expectation):
                await reader.expect(scene, number, step)
            else:
                await reader.before(scene, number)
                await play_step(scene, step)
        source = ""
        await reader.end(scene)
    except Unmet as unmet:
        return failure_of(scene, here, source, unmet)
    except (DidNotStart, SimRefused) as error:
        return failure_of(scene, here, source, Unmet(str(error)))
    return None


async def play_step(
    scene: Scene, step: steps.Action | steps.Anything | steps.State | steps.Directive | steps.PhoneStep
) -> None:
    """Play a step that is no expectation; raises `Unmet`."""
    match step:
        case steps.Anything():
            scene.skipping.add(scene.chat.id)
        case steps.State():
            await expect_state(scene, step)
        case steps.Write() | steps.Send() | steps.Tap() | steps.Forge() | steps.Ask() | steps.Choose():
            await act(scene, step)
        case steps.Scan() | steps.Touch() | steps.Page() | steps.Status() | steps.Reload():
            await browse(scene, step)
        case _:
            await direct(scene, step)


def failure_of(scene: Scene, place: Place, source: str, unmet: Unmet) -> Failure:
    """Gather all that a report tells."""
    names = {id: name for name, id in scene.scope.people.items()}
    chat = lines(scene.listener.events, names)
    return Failure(place, source, unmet.headline, unmet.got, unmet.notes, tuple(chat), tuple(scene.stage.log_lines()))
