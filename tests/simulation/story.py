"""One story: a world from a seed, what happens in it, and the checks of every invariant."""

import asyncio
import random
import re
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, TypeVar

from playground.world.world import World
from tests.faceid_server import SECRET_ID, SECRET_KEY
from tests.simulation import final_checks
from tests.simulation.fault_schedule import FaultSchedule
from tests.simulation.ledger import CommitChecker
from tests.simulation.log_leak_check import LogLeakCheck, checking_logs
from tests.simulation.machine import VENDORS, Deployment, MakeStore, SeededClock, Supervisor, Time, real_store
from tests.simulation.people import NAMES, NUMBERS, SimulatedUser, newcomer
from tests.simulation.telegram import SimulatedNetwork
from tests.simulation.vendor_network import VendorNetwork
from tests.simulation.webhook_client import WebhookClient
from tests.simulator_fixture import TOKEN
from tests.virtual_time_loop import VirtualTimeLoop
from verification.support.service import CreatedLink

T = TypeVar("T")
Pick = Callable[[Sequence[T]], T]
"""Chooses one, by a seed or by Hypothesis."""

_REST = 200.0
_BY_WEBHOOK = 0.3
_FACE = ("simulated", "simulated", *VENDORS)
_NETID = ("simulated", "off")
_ROUND = 2.0


SECRETS = (SECRET_ID, SECRET_KEY, "simulated:telegram:")
"""Parts of secrets besides people's: of the account at a vendor, and of a simulated network identity."""


class InvariantBroken(AssertionError):
    """An invariant does not hold."""


class Story:
    """A world with a bot in it, and everything that the checks know of both."""

    def __init__(self, seed: int, log_check: LogLeakCheck, make_store: MakeStore = real_store) -> None:
        self.rng = random.Random(seed)
        self.loop = VirtualTimeLoop()
        self.loop.set_exception_handler(self._unhandled)
        self.time = Time(self.loop.time)
        self.fault_schedule = FaultSchedule(random.Random(self.rng.random()))
        self.world = World(token=TOKEN, username="demo_bot", rng=self.rng, clock=self.time.world)
        deployment = Deployment(
            webhook=self.rng.random() < _BY_WEBHOOK, face=self.rng.choice(_FACE), netid=self.rng.choice(_NETID)
        )
        self.vendor_network: VendorNetwork | None = None
        if deployment.face in VENDORS:
            vendor = VENDORS[deployment.face](lambda: datetime.fromtimestamp(self.time.world(), UTC))
            self.vendor_network = VendorNetwork(vendor, self.fault_schedule)
        self.ledger = CommitChecker(self.world, self.vendor_network)
        self.log_check = log_check
        self.told: list[str] = []
        network = SimulatedNetwork(self.world, self.fault_schedule, self.ledger)
        clock = SeededClock(self.time, random.Random(self.rng.random()))
        webhook_client = WebhookClient(self.world, self.fault_schedule, self.ledger)
        self.machine = Supervisor(
            network,
            self.vendor_network,
            webhook_client,
            deployment,
            self.ledger,
            self.fault_schedule,
            clock,
            make_store,
        )
        self.guests: list[SimulatedUser] = []
        self.links: list[CreatedLink] = []
        self.tell(str(deployment))
        self.run(self.machine.start())
        if deployment.webhook:
            self.run(self.machine.deliver())

    def arrives(self, name: str, number: str, language: str) -> SimulatedUser:
        """Add a user."""
        guest = newcomer(self.world, name, number, language)
        self.guests.append(guest)
        return guest

    def has_link(self, made: CreatedLink) -> None:
        """Add a link of support."""
        self.links.append(made)
        self.log_check.add_secret(made.token)

    def run(self, happening: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine to its end."""
        return self.loop.run_until_complete(happening)

    def passes(self, seconds: float) -> None:
        """Let the program work for some seconds."""
        self.run(self.machine.work(seconds))
        for guest in self.guests:
            guest.look()

    def calm_down(self) -> None:
        """Let nothing go wrong any more."""
        self.fault_schedule.clear()
        if self.vendor_network is not None:
            self.vendor_network.vendor.answer_rightly()

    def tell(self, what: str) -> None:
        """Record what happens, for the report of a failure."""
        self.told.append(f"{self.loop.time():8.2f} {what}")

    def check(self) -> None:
        """Raise `InvariantBroken` if something is wrong so far."""
        wrong = [*self.ledger.wrong, *self.log_check.wrong, *map(repr, self.machine.problems)]
        if wrong:
            raise InvariantBroken(self.report(wrong))

    def finish(self) -> None:
        """End all faults, let time pass and every user send /status; then everything must be in order."""
        self.calm_down()
        self.machine.provider_away = False
        self.time.skew = 0.0
        for guest in self.guests:
            guest.returns()
        self._comes_to_rest()
        for guest in self.guests:
            # A user who deleted the code asks for it again.
            guest.says("/start" if guest.has_deleted else "/status")
        self._comes_to_rest()
        self._checked(final_checks.check_chats(self))
        self.time.passed += 2 * 86400 + 3600
        self._comes_to_rest()
        self._checked(final_checks.check_final_state(self))

    @property
    def faults(self) -> int:
        """How many faults were injected."""
        return len(self.fault_schedule.injected) + self.machine.starts - 1

    def trace(self) -> list[str]:
        """Everything that happened, to compare two runs."""
        chats = [str(event) for event in self.world.log.after(0)]
        return [*self.told, *self.fault_schedule.injected, *map(str, self.ledger.turns), *map(_without_files, chats)]

    def report(self, wrong: Sequence[str]) -> str:
        """What is wrong, and what happened before."""
        lines = [*wrong, "", *self.told, "", "mishaps:", *self.fault_schedule.injected, "", *self.log_check.lines[-12:]]
        return "\n".join(lines)

    def close(self) -> None:
        """Leave nothing behind."""
        self.run(self.machine.shut_down())
        self.ledger.disk.close()
        self.loop.close()

    def _comes_to_rest(self) -> None:
        until = self.loop.time() + _REST
        unrest = "it has not begun"
        while unrest:
            if self.loop.time() > until:
                raise InvariantBroken(self.report([f"no rest after {_REST} s: {unrest}"]))
            self.passes(_ROUND)
            self.check()
            unrest = final_checks.pending_work(self)

    def _checked(self, wrong: Sequence[str]) -> None:
        self.check()
        if wrong:
            raise InvariantBroken(self.report(wrong))

    def _unhandled(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        if self.machine.up:
            self.ledger.wrong.append(f"the loop: {context.get('message')} {context.get('exception')!r}")


def _without_files(event: str) -> str:
    # The simulator chooses names of files by itself, and sealing chooses the address of a form.
    return re.sub(r"'file_id': '[^']*'|/f/[\w-]+", "", event)


@contextmanager
def story(seed: int, make_store: MakeStore = real_store) -> Iterator[Story]:
    """Start a story, and close it at the end; the caller does the checks."""
    with checking_logs([*NAMES, *NUMBERS, *SECRETS]) as log_check:
        opened = Story(seed, log_check, make_store)
        try:
            yield opened
        finally:
            opened.close()


def seeded(seed: int) -> Pick[Any]:
    """Choose by a seed."""
    rng = random.Random(f"picks of {seed}")
    return rng.choice
