"""The runner over a real store and a real core, without Telegram: what it shows is only noted."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from random import Random

from bot.engine.messages import Envelope, MessageRef, ReplyContext
from bot.engine.replicas import Replicas
from bot.engine.runner import Runner
from bot.engine.turns import RunnerConfig
from bot.flow.effects import AskQuestion, ReplaceCodeWithPicture, Reply, ShowCode
from bot.flow.events import Choice, Command, Commanded, Event, LinkOpened, Said, Tapped
from bot.flow.rows import RuleContext
from storage import SqlStore, StoreUnavailable, open_store
from storage.migrations import known_migrations, migrate
from tests.fakes import FakeClock, FakeProvider, make_deps, make_sealing
from tests.simulation.disk import SimulatedDatabase, SimulatedDisk
from tests.simulation.fault_schedule import FaultSchedule
from tests.simulation.process_life import ProcessLife
from tests.simulator_fixture import NAME, NUMBER
from tests.sqlite_file import sqlite_url
from verification.attempts import Method
from verification.core import Core
from verification.ids import PersonId

EVENTS = count(1)
ANNA, BERT = PersonId("telegram:200000001"), PersonId("telegram:200000002")


@dataclass
class FakeChat:
    """Where replies are shown; `troubles` happen to the next ones, one each, and a shut gate holds a person's up."""

    shown: list[tuple[PersonId, Reply]] = field(default_factory=list)
    views: list[ReplyContext] = field(default_factory=list)
    failures: list[Exception] = field(default_factory=list)
    gates: dict[PersonId, asyncio.Event] = field(default_factory=dict)
    reached: dict[PersonId, asyncio.Event] = field(default_factory=dict)
    panels: Callable[[], int] = field(default_factory=lambda: count(1).__next__)

    async def deliver(self, reply: Reply, view: ReplyContext) -> str:
        self.reached.setdefault(view.person, asyncio.Event()).set()
        if view.person in self.gates:
            await self.gates[view.person].wait()
        if self.failures:
            raise self.failures.pop(0)
        self.shown.append((view.person, reply))
        self.views.append(view)
        return f"panel {self.panels()}" if isinstance(reply, AskQuestion | ShowCode) else view.panel

    def questions(self, person: PersonId = ANNA) -> list[str]:
        """The questions a person was asked, by their texts' keys."""
        replies = [reply for to, reply in self.shown if to == person]
        return [reply.text for reply in replies if isinstance(reply, AskQuestion | ShowCode | ReplaceCodeWithPicture)]


@dataclass
class RunnerFixture:
    """A runner over a real store, and the chat it shows things in."""

    store: SqlStore
    core: Core
    provider: FakeProvider
    runner: Runner
    chat: FakeChat
    clock: FakeClock

    async def send_event(self, event: Event | LinkOpened, person: PersonId = ANNA, event_id: str | None = None) -> None:
        """Let something happen, and wait until it is shown."""
        await self.runner.handle(Envelope(person, event, event_id or f"test:{next(EVENTS)}", MessageRef(7)))
        assert await self.runner.wait_until_idle(10)

    async def taps(self, choice: Choice, person: PersonId = ANNA) -> None:
        replies = [reply for to, reply in self.chat.shown if to == person]
        question = [reply for reply in replies if isinstance(reply, AskQuestion | ShowCode | ReplaceCodeWithPicture)][
            -1
        ]
        await self.send_event(Tapped(choice=choice, question_id=question.question_id), person)

    async def until_method(self, person: PersonId = ANNA) -> None:
        await self.send_event(Commanded(Command.START), person)
        await self.taps(Choice.PERSONAL, person)
        await self.taps(Choice.AGREE, person)
        await self.send_event(Said(NAME), person)
        await self.send_event(Said(NUMBER), person)


class LoopClock(FakeClock):
    """A clock that goes with the time of the loop."""

    def __call__(self) -> datetime:
        return self.now + timedelta(seconds=asyncio.get_running_loop().time())


class NoDelays(FaultSchedule):
    """Nothing takes any time; only ordered faults happen."""

    def __init__(self) -> None:
        super().__init__(Random(0))

    def delay(self) -> float:
        return 0.0


def assemble(
    store: SqlStore,
    chat: FakeChat | None = None,
    replicas: Callable[[SqlStore], Replicas] | None = None,
    clock: FakeClock | None = None,
    runner_type: type[Runner] = Runner,
    count_question: Callable[[str], None] = lambda _: None,
) -> RunnerFixture:
    """A runner over a store, in no loop of its own."""
    clock, chat, provider, fresh = clock or FakeClock(), chat or FakeChat(), FakeProvider(), count(1)
    core = Core(store, dict.fromkeys(Method, provider), make_deps(clock), ttl=clock.now - clock.now.replace(hour=11))

    def moment() -> RuleContext:
        clock.advance(milliseconds=1)
        return RuleContext(clock(), f"{next(fresh):010x}".ljust(32, "0"))

    config = RunnerConfig(moment, lambda error: isinstance(error, StoreUnavailable), count_question=count_question)
    runner = runner_type(store, core, chat, config, replicas and replicas(store))
    return RunnerFixture(store, core, provider, runner, chat, clock)


@asynccontextmanager
async def runner_fixture(
    folder: Path,
    chat: FakeChat | None = None,
    *,
    showing: bool = True,
    replicas: Callable[[SqlStore], Replicas] | None = None,
) -> AsyncIterator[RunnerFixture]:
    """One program over the folder's database; one that shows nothing crashed right after its commits."""
    async with open_store(sqlite_url(folder), sealing=make_sealing()) as store:
        desk = assemble(store, chat, replicas)
        if not showing:
            yield desk
            return
        async with desk.runner.running():
            yield desk


@contextmanager
def virtual_disk() -> Iterator[SimulatedDisk]:
    """A database for the virtual loop."""
    disk = SimulatedDisk(lambda _: None)
    try:
        yield disk
    finally:
        disk.close()


async def virtual_store(disk: SimulatedDisk, faults: FaultSchedule | None = None) -> SqlStore:
    """A store on a virtual disk, whose statements take no time."""
    await migrate(SimulatedDatabase(disk, NoDelays(), ProcessLife()), known_migrations())
    return SqlStore(SimulatedDatabase(disk, faults or NoDelays(), ProcessLife()), make_sealing())
