"""What is believed of providers, on every store: one verdict, whoever brings it, in whatever order."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import permutations
from typing import NoReturn

import pytest

from tests.contracts.conftest import Another
from tests.fakes import NOON, Clock, FakeProvider, outside, wish
from tests.reliability import Proof
from verification.attempts import Attempt, AttemptId, Method, Outcome, Passed, Reason, Rejected, Status
from verification.core import Core
from verification.dialogue_store import DialogueStore
from verification.errors import ProviderUnavailable
from verification.ports import News, Store
from verification.provider_polling import SPACING, Asking

A1 = AttemptId("a1")
NO = Rejected(Reason.MISMATCH)
OTHER_NO = Rejected(Reason.FACE_DIFFERS)
TTL = timedelta(minutes=10)


@dataclass
class Remote(FakeProvider):
    """Says what it is told to; `together` waits until so many ask at once."""

    says: Status | Outcome = Status.WAITING
    away: bool = False
    questions: list[AttemptId] = field(default_factory=list)
    together: asyncio.Barrier | None = None
    simulated: bool = False

    async def ask(self, attempt: AttemptId) -> Status | Outcome:
        self.questions.append(attempt)
        if self.together is not None:
            await self.together.wait()
        if self.away:
            raise ProviderUnavailable("away")
        return self.says


@dataclass
class Program:
    """One program: its core, and what it asks."""

    store: Store
    core: Core
    asking: Asking
    counted: Counter[str]

    async def hears(self, says: Status | Outcome, remote: Remote) -> None:
        remote.says = says
        await self.asking.look(A1)

    async def attempt(self) -> Attempt:
        async with self.store.unit("look") as unit:
            found = await unit.attempt(A1)
        assert found is not None
        return found

    async def verdicts(self) -> list[Status]:
        """The verdicts that are told."""
        told = []
        while notices := await self.store.claim(NOON, NOON + timedelta(days=1), 100):
            for notice in notices:
                told += [notice.status] if notice.news is News.ENDED else []
                await self.store.settle(notice)
        return told


def program(store: Store, remote: Remote, clock: Clock) -> Program:
    core = Core(store, {Method.WECHAT: remote}, outside(clock), ttl=TTL)
    counted = Counter[str]()
    asking = Asking(store, core, {Method.WECHAT: remote}, clock, lambda outcome: counted.update([outcome]))
    return Program(store, core, asking, counted)


@pytest.fixture
def remote() -> Remote:
    return Remote()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def ours(store: DialogueStore, remote: Remote, clock: Clock) -> Program:
    """A program with an attempt whose person is on the provider's page."""
    made = program(store, remote, clock)
    await made.core.begin(wish())
    await made.core.progress(A1, Status.OPENED, "page")
    return made


async def test_news_take_an_attempt_further_and_never_back(ours: Program, remote: Remote) -> None:
    for says, stands in (
        (Status.WAITING, Status.OPENED),
        (Status.OPENED, Status.OPENED),
        (Status.CONFIRMING, Status.CONFIRMING),
        (Status.OPENED, Status.CONFIRMING),
        (Status.WAITING, Status.CONFIRMING),
    ):
        await ours.hears(says, remote)
        assert (await ours.attempt()).status is stands


@pytest.mark.parametrize(("verdict", "status"), [(Passed(), Status.SUCCEEDED), (NO, Status.FAILED)])
async def test_a_verdict_is_recorded_and_told_once(
    ours: Program, remote: Remote, verdict: Outcome, status: Status
) -> None:
    await ours.hears(verdict, remote)
    await ours.hears(verdict, remote)

    assert await ours.verdicts() == [status]


async def test_inv18_an_unknown_session_is_nobodys_news(ours: Program, remote: Remote) -> None:
    await ours.asking.look(AttemptId("unknown"))

    assert (remote.questions, ours.counted) == ([], {"ignored": 1})


@pytest.mark.parametrize("verdict", [Passed(), NO])
async def test_inv19_nothing_counts_before_the_person_pressed_on(
    store: DialogueStore, remote: Remote, clock: Clock, verdict: Outcome
) -> None:
    ours = program(store, remote, clock)
    await ours.core.begin(wish())
    await ours.hears(verdict, remote)
    assert ((await ours.attempt()).status, remote.questions) == (Status.WAITING, [])

    await ours.core.progress(A1, Status.OPENED, "page")
    await ours.hears(verdict, remote)

    assert len(await ours.verdicts()) == 1


async def test_inv19_a_callback_while_the_session_is_being_opened_is_not_lost(
    store: DialogueStore, remote: Remote, clock: Clock
) -> None:
    ours = program(store, remote, clock)
    remote.meanwhile = lambda: ours.hears(Passed(), remote)
    await ours.core.begin(wish())
    await ours.core.progress(A1, Status.OPENED, "page")

    assert await ours.asking.round() == 1


@pytest.mark.parametrize("order", list(permutations([Passed(), NO, OTHER_NO])))
async def test_inv19_the_first_verdict_stands_and_others_are_counted(
    ours: Program, remote: Remote, order: tuple[Outcome, ...], caplog: pytest.LogCaptureFixture
) -> None:
    for verdict in order:
        await ours.hears(verdict, remote)

    assert (await ours.attempt()).has_outcome(order[0])
    assert len(await ours.verdicts()) == 1
    assert ours.counted == {"verdict": 1, "contradicted": 2}
    assert "a1" in caplog.text


@pytest.mark.parametrize("says", [Status.OPENED, Status.CONFIRMING])
async def test_inv19_progress_after_the_verdict_changes_nothing(ours: Program, remote: Remote, says: Status) -> None:
    await ours.hears(Passed(), remote)
    await ours.hears(says, remote)

    assert (await ours.attempt()).status is Status.SUCCEEDED


@pytest.mark.parametrize("swept", [False, True])
@pytest.mark.parametrize("says", [Passed(), NO, Status.CONFIRMING])
async def test_inv19_after_its_time_nothing_is_believed(
    ours: Program, remote: Remote, clock: Clock, says: Status | Outcome, swept: bool
) -> None:
    clock.now += TTL
    if swept:
        await ours.core.sweep()
    await ours.hears(says, remote)
    await ours.core.sweep()

    assert await ours.verdicts() == [Status.EXPIRED]
    assert await ours.core.verified("telegram:1") is None


async def test_inv19_a_verdict_for_a_cancelled_attempt_is_not_believed(ours: Program, remote: Remote) -> None:
    await ours.core.cancel(A1)
    await ours.hears(Passed(), remote)

    assert (await ours.attempt()).status is Status.CANCELLED
    assert await ours.core.verified("telegram:1") is None


async def test_inv19_whoever_declined_on_our_page_is_not_verified_by_the_provider(
    ours: Program, remote: Remote
) -> None:
    await ours.core.complete(A1, Rejected(Reason.DECLINED))
    await ours.hears(Passed(), remote)

    assert ours.counted == {"contradicted": 1}
    assert await ours.core.verified("telegram:1") is None


@asynccontextmanager
async def two_programs(
    store: DialogueStore, another: Another, remote: Remote, clock: Clock
) -> AsyncIterator[tuple[Program, Program]]:
    async with another() as other:
        yield program(store, remote, clock), program(other, remote, clock)


@pytest.mark.parametrize("verdict", [Passed(), NO])
async def test_inv20_polled_and_called_back_at_once_it_is_one_result(
    ours: Program,
    store: DialogueStore,
    another: Another,
    remote: Remote,
    clock: Clock,
    verdict: Outcome,
    proof: Proof,
) -> None:
    remote.says = verdict
    async with two_programs(store, another, remote, clock) as (one, two), asyncio.TaskGroup() as group:
        remote.together = asyncio.Barrier(8)
        for number in range(8):
            group.create_task((one, two)[number % 2].asking.look(A1))

    assert len(await ours.verdicts()) == 1
    assert one.counted + two.counted == {"verdict": 8}
    proof(cases=8)


async def test_inv20_where_two_answers_differ_one_of_them_is_the_result(
    ours: Program, store: DialogueStore, another: Another, clock: Clock
) -> None:
    yes, no = Remote(says=Passed()), Remote(says=NO)
    yes.together = no.together = asyncio.Barrier(2)
    async with another() as other:
        one, two = program(store, yes, clock), program(other, no, clock)
        async with asyncio.TaskGroup() as group:
            group.create_task(one.asking.look(A1))
            group.create_task(two.asking.look(A1))

    assert one.counted + two.counted == {"verdict": 1, "contradicted": 1}
    assert len(await ours.verdicts()) == 1


async def test_inv21_while_the_provider_is_away_the_attempt_lives_on(ours: Program, remote: Remote) -> None:
    remote.away = True
    await ours.hears(Passed(), remote)
    assert (await ours.attempt()).status is Status.OPENED

    remote.away = False
    await ours.hears(Passed(), remote)

    assert ours.counted == {"unavailable": 1, "verdict": 1}


async def test_inv21_questions_nobody_rang_for_are_spaced(ours: Program, clock: Clock) -> None:
    rounds = []
    for _ in range(11):
        rounds.append(await ours.asking.round())
        clock.now += SPACING / 5

    assert rounds == [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]


async def running(asking: Asking) -> NoReturn:
    await asking.run()
    raise AssertionError("it ended by itself")


@asynccontextmanager
async def at_work(asking: Asking) -> AsyncIterator[None]:
    async with asyncio.TaskGroup() as group:
        task = group.create_task(running(asking))
        yield
        task.cancel()


async def told(ours: Program) -> None:
    async with asyncio.timeout(20):
        while not ours.counted["verdict"]:  # noqa: ASYNC110 - a database rings no bell
            await asyncio.sleep(0)


async def test_a_verdict_whose_callback_was_lost_is_found(ours: Program, remote: Remote) -> None:
    remote.says = Passed()
    async with at_work(ours.asking):
        await told(ours)

    assert await ours.verdicts() == [Status.SUCCEEDED]


async def test_whoever_rings_is_asked_at_once(ours: Program, remote: Remote) -> None:
    async with ours.store.unit("asks") as unit:
        await unit.take_asks(Method.WECHAT, NOON, NOON, 9)
    remote.says = Passed()
    async with at_work(ours.asking):
        for _ in range(9):
            ours.asking.ring(A1)
        await told(ours)

    assert await ours.verdicts() == [Status.SUCCEEDED]


async def test_a_program_without_such_a_way_has_nothing_to_ask(store: DialogueStore, clock: Clock) -> None:
    core = Core(store, {}, outside(clock), ttl=TTL)

    await Asking(store, core, {}, clock).run()
