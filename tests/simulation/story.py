"""One story: a world from a seed, what happens in it, and whether everything that must hold holds."""

import asyncio
import random
import re
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from playground.world.world import World
from tests.simulation import final_checks
from tests.simulation.fault_schedule import Weather
from tests.simulation.ledger import Ledger
from tests.simulation.log_leak_check import Watch, watching
from tests.simulation.machine import Machine, MakeStore, SeededClock, Time, honest_store
from tests.simulation.people import NAMES, NUMBERS, Guest, newcomer
from tests.simulation.telegram import Network
from tests.simulation.webhook_client import Hook
from tests.simulator_fixture import TOKEN
from tests.virtual_time_loop import VirtualLoop
from verification.support.service import Made

T = TypeVar("T")
Pick = Callable[[Sequence[T]], T]
"""Chooses one: by a seed, or as Hypothesis wants it."""

_REST = 200.0
_BY_WEBHOOK = 0.3
_ROUND = 2.0


class Broken(AssertionError):
    """Something that must hold does not."""


class Story:
    """A world with a bot in it, and everything that is known of both."""

    def __init__(self, seed: int, watch: Watch, make_store: MakeStore = honest_store) -> None:
        self.rng = random.Random(seed)
        self.loop = VirtualLoop()
        self.loop.set_exception_handler(self._unhandled)
        self.time = Time(self.loop.time)
        self.weather = Weather(random.Random(self.rng.random()))
        self.world = World(token=TOKEN, username="realname_demo_bot", rng=self.rng, clock=self.time.world)
        self.ledger = Ledger(self.world)
        self.watch = watch
        self.told: list[str] = []
        network = Network(self.world, self.weather, self.ledger)
        clock = SeededClock(self.time, random.Random(self.rng.random()))
        hook = Hook(self.world, self.weather, self.ledger)
        webhook = self.rng.random() < _BY_WEBHOOK
        self.machine = Machine(network, hook, webhook, self.ledger, self.weather, clock, make_store)
        self.guests: list[Guest] = []
        self.links: list[Made] = []
        self.run(self.machine.start())
        if webhook:
            self.tell("updates come by webhook")
            self.run(self.machine.deliver())

    def arrives(self, name: str, number: str, language: str) -> Guest:
        """Let somebody come."""
        guest = newcomer(self.world, name, number, language)
        self.guests.append(guest)
        return guest

    def has_link(self, made: Made) -> None:
        """Let support have a link to hand out."""
        self.links.append(made)
        self.watch.must_not_tell(made.token)

    def run(self, happening: Coroutine[Any, Any, T]) -> T:
        """Let something happen to its end."""
        return self.loop.run_until_complete(happening)

    def passes(self, seconds: float) -> None:
        """Let the program work for some seconds."""
        self.run(self.machine.work(seconds))
        for guest in self.guests:
            guest.look()

    def tell(self, what: str) -> None:
        """Write down what happens, for whoever reads a failure."""
        self.told.append(f"{self.loop.time():8.2f} {what}")

    def check(self) -> None:
        """Say what is wrong so far; raises `Broken`."""
        wrong = [*self.ledger.wrong, *self.watch.wrong, *map(repr, self.machine.problems)]
        if wrong:
            raise Broken(self.report(wrong))

    def ends(self) -> None:
        """Let all trouble end, time run, and everybody ask where they stand; then everything must be in order."""
        self.weather.clear()
        self.machine.provider_away = False
        self.time.skew = 0.0
        for guest in self.guests:
            guest.returns()
        self._comes_to_rest()
        for guest in self.guests:
            # Whoever deleted the code themselves asks for it anew.
            guest.says("/start" if guest.has_deleted else "/status")
        self._comes_to_rest()
        self._checked(final_checks.in_order(self))
        self.time.passed += 2 * 86400 + 3600
        self._comes_to_rest()
        self._checked(final_checks.over(self))

    @property
    def faults(self) -> int:
        """How often something went wrong on purpose."""
        return len(self.weather.came_true) + self.machine.starts - 1

    def trace(self) -> list[str]:
        """All that happened, to compare two tellings."""
        chats = [str(event) for event in self.world.log.after(0)]
        return [*self.told, *self.weather.came_true, *map(str, self.ledger.turns), *map(_without_files, chats)]

    def report(self, wrong: Sequence[str]) -> str:
        """What is wrong, and how it came to it."""
        lines = [*wrong, "", *self.told, "", "mishaps:", *self.weather.came_true, "", *self.watch.lines[-12:]]
        return "\n".join(lines)

    def close(self) -> None:
        """Leave nothing behind."""
        self.run(self.machine.scrap())
        self.ledger.disk.close()
        self.loop.close()

    def _comes_to_rest(self) -> None:
        until = self.loop.time() + _REST
        unrest = "it has not begun"
        while unrest:
            if self.loop.time() > until:
                raise Broken(self.report([f"no rest after {_REST} s: {unrest}"]))
            self.passes(_ROUND)
            self.check()
            unrest = final_checks.unrest(self)

    def _checked(self, wrong: Sequence[str]) -> None:
        self.check()
        if wrong:
            raise Broken(self.report(wrong))

    def _unhandled(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        if self.machine.up:
            self.ledger.wrong.append(f"the loop: {context.get('message')} {context.get('exception')!r}")


def _without_files(event: str) -> str:
    # The stand-in makes up the names of files by itself.
    return re.sub(r"'file_id': '[^']*'", "", event)


@contextmanager
def story(seed: int, make_store: MakeStore = honest_store) -> Iterator[Story]:
    """A story from its beginning; whoever leaves has checked what they want checked."""
    with watching([*NAMES, *NUMBERS]) as watch:
        opened = Story(seed, watch, make_store)
        try:
            yield opened
        finally:
            opened.close()


def seeded(seed: int) -> Pick[Any]:
    """Choose by a seed."""
    rng = random.Random(f"picks of {seed}")
    return rng.choice
