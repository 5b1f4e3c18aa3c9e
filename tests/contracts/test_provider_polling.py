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
from tests.fakes import NOON, FakeClock, FakeProvider, make_deps, make_request
from tests.reliability import Proof
from verification.attempts import Attempt, AttemptId, AttemptStatus, Method, Passed, Reason, Rejected, Verdict
from verification.core import Core
from verification.dialogue_store import DialogueStore
from verification.errors import ProviderUnavailable
from verification.ids import Account
from verification.ports import NoticeKind, Store
from verification.provider_polling import POLL_INTERVAL, ProviderPoller

A1 = AttemptId("a1")
NO = Rejected(Reason.MISMATCH)
OTHER_NO = Rejected(Reason.FACE_DIFFERS)
TTL = timedelta(minutes=10)


@dataclass
class FakeRemoteProvider(FakeProvider):
    """Says what it is told to; `together` waits until so many ask at once."""

    says: AttemptStatus | Verdict = AttemptStatus.WAITING
    away: bool = False
    questions: list[AttemptId] = field(default_factory=list)
    together: asyncio.Barrier | None = None
    simulated: bool = False

    async def poll(self, attempt: AttemptId) -> AttemptStatus | Verdict:
        self.questions.append(attempt)
        if self.together is not None:
            await self.together.wait()
        if self.away:
            raise ProviderUnavailable("away")
        return self.says


@dataclass
class PollingProgram:
    """One program: its core, and what it asks."""

    store: Store
    core: Core
    asking: ProviderPoller
    counted: Counter[str]

    async def hears(self, says: AttemptStatus | Verdict, remote: FakeRemoteProvider) -> None:
        remote.says = says
        await self.asking.poll_one(A1)

    async def attempt(self) -> Attempt:
        async with self.store.unit("look") as unit:
            found = await unit.attempt(A1)
        assert found is not None
        return found

    async def verdicts(self) -> list[AttemptStatus]:
        """The verdicts that are told."""
        told = []
        while notices := await self.store.claim_notices(NOON, until=NOON + timedelta(days=1), limit=100):
            for notice in notices:
                told += [notice.status] if notice.kind is NoticeKind.ENDED else []
                await self.store.settle_notice(notice)
        return told


def program(store: Store, remote: FakeRemoteProvider, clock: FakeClock) -> PollingProgram:
    core = Core(store, {Method.WECHAT: remote}, make_deps(clock), ttl=TTL)
    counted = Counter[str]()
    asking = ProviderPoller(store, core, {Method.WECHAT: remote}, clock, lambda outcome: counted.update([outcome]))
    return PollingProgram(store, core, asking, counted)


@pytest.fixture
def remote() -> FakeRemoteProvider:
    return FakeRemoteProvider()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def ours(store: DialogueStore, remote: FakeRemoteProvider, clock: FakeClock) -> PollingProgram:
    """A program with an attempt whose person is on the provider's page."""
    made = program(store, remote, clock)
    await made.core.begin(make_request())
    await made.core.progress(A1, AttemptStatus.OPENED, "page")
    return made


async def test_news_take_an_attempt_further_and_never_back(ours: PollingProgram, remote: FakeRemoteProvider) -> None:
    for says, stands in (
        (AttemptStatus.WAITING, AttemptStatus.OPENED),
        (AttemptStatus.OPENED, AttemptStatus.OPENED),
        (AttemptStatus.CONFIRMING, AttemptStatus.CONFIRMING),
        (AttemptStatus.OPENED, AttemptStatus.CONFIRMING),
        (AttemptStatus.WAITING, AttemptStatus.CONFIRMING),
    ):
        await ours.hears(says, remote)
        assert (await ours.attempt()).status is stands


@pytest.mark.parametrize(("verdict", "status"), [(Passed(), AttemptStatus.SUCCEEDED), (NO, AttemptStatus.FAILED)])
async def test_a_verdict_is_recorded_and_told_once(
    ours: PollingProgram, remote: FakeRemoteProvider, verdict: Verdict, status: AttemptStatus
) -> None:
    await ours.hears(verdict, remote)
    await ours.hears(verdict, remote)

    assert await ours.verdicts() == [status]


async def test_inv18_an_unknown_session_is_nobodys_news(ours: PollingProgram, remote: FakeRemoteProvider) -> None:
    await ours.asking.poll_one(AttemptId("unknown"))

    assert (remote.questions, ours.counted) == ([], {"ignored": 1})


@pytest.mark.parametrize("verdict", [Passed(), NO])
async def test_inv19_nothing_counts_before_the_person_pressed_on(
    store: DialogueStore, remote: FakeRemoteProvider, clock: FakeClock, verdict: Verdict
) -> None:
    ours = program(store, remote, clock)
    await ours.core.begin(make_request())
    await ours.hears(verdict, remote)
    assert ((await ours.attempt()).status, remote.questions) == (AttemptStatus.WAITING, [])

    await ours.core.progress(A1, AttemptStatus.OPENED, "page")
    await ours.hears(verdict, remote)

    assert len(await ours.verdicts()) == 1


async def test_inv19_a_callback_while_the_session_is_being_opened_is_not_lost(
    store: DialogueStore, remote: FakeRemoteProvider, clock: FakeClock
) -> None:
    ours = program(store, remote, clock)
    remote.meanwhile = lambda: ours.hears(Passed(), remote)
    await ours.core.begin(make_request())
    await ours.core.progress(A1, AttemptStatus.OPENED, "page")

    assert await ours.asking.poll_due() == 1


@pytest.mark.parametrize("order", list(permutations([Passed(), NO, OTHER_NO])))
async def test_inv19_the_first_verdict_stands_and_others_are_counted(
    ours: PollingProgram, remote: FakeRemoteProvider, order: tuple[Verdict, ...], caplog: pytest.LogCaptureFixture
) -> None:
    for verdict in order:
        await ours.hears(verdict, remote)

    assert (await ours.attempt()).has_verdict(order[0])
    assert len(await ours.verdicts()) == 1
    assert ours.counted == {"verdict": 1, "contradicted": 2}
    assert "a1" in caplog.text


@pytest.mark.parametrize("says", [AttemptStatus.OPENED, AttemptStatus.CONFIRMING])
async def test_inv19_progress_after_the_verdict_changes_nothing(
    ours: PollingProgram, remote: FakeRemoteProvider, says: AttemptStatus
) -> None:
    await ours.hears(Passed(), remote)
    await ours.hears(says, remote)

    assert (await ours.attempt()).status is AttemptStatus.SUCCEEDED


@pytest.mark.parametrize("swept", [False, True])
@pytest.mark.parametrize("says", [Passed(), NO, AttemptStatus.CONFIRMING])
async def test_inv19_after_its_time_nothing_is_believed(
    ours: PollingProgram, remote: FakeRemoteProvider, clock: FakeClock, says: AttemptStatus | Verdict, swept: bool
) -> None:
    clock.now += TTL
    if swept:
        await ours.core.expire_due()
    await ours.hears(says, remote)
    await ours.core.expire_due()

    assert await ours.verdicts() == [AttemptStatus.EXPIRED]
    assert await ours.core.slot_of(Account("telegram:1")) is None


async def test_inv19_a_verdict_for_a_cancelled_attempt_is_not_believed(
    ours: PollingProgram, remote: FakeRemoteProvider
) -> None:
    await ours.core.cancel(A1)
    await ours.hears(Passed(), remote)

    assert (await ours.attempt()).status is AttemptStatus.CANCELLED
    assert await ours.core.slot_of(Account("telegram:1")) is None


async def test_inv19_whoever_declined_on_our_page_is_not_verified_by_the_provider(
    ours: PollingProgram, remote: FakeRemoteProvider
) -> None:
    await ours.core.complete(A1, Rejected(Reason.DECLINED))
    await ours.hears(Passed(), remote)

    assert ours.counted == {"contradicted": 1}
    assert await ours.core.slot_of(Account("telegram:1")) is None


@asynccontextmanager
async def two_programs(
    store: DialogueStore, another: Another, remote: FakeRemoteProvider, clock: FakeClock
) -> AsyncIterator[tuple[PollingProgram, PollingProgram]]:
    async with another() as other:
        yield program(store, remote, clock), program(other, remote, clock)


@pytest.mark.parametrize("verdict", [Passed(), NO])
async def test_inv20_polled_and_called_back_at_once_it_is_one_result(
    ours: PollingProgram,
    store: DialogueStore,
    another: Another,
    remote: FakeRemoteProvider,
    clock: FakeClock,
    verdict: Verdict,
    proof: Proof,
) -> None:
    remote.says = verdict
    async with two_programs(store, another, remote, clock) as (one, two), asyncio.TaskGroup() as group:
        remote.together = asyncio.Barrier(8)
        for number in range(8):
            group.create_task((one, two)[number % 2].asking.poll_one(A1))

    assert len(await ours.verdicts()) == 1
    assert one.counted + two.counted == {"verdict": 8}
    proof(cases=8)


async def test_inv20_where_two_answers_differ_one_of_them_is_the_result(
    ours: PollingProgram, store: DialogueStore, another: Another, clock: FakeClock
) -> None:
    yes, no = FakeRemoteProvider(says=Passed()), FakeRemoteProvider(says=NO)
    yes.together = no.together = asyncio.Barrier(2)
    async with another() as other:
        one, two = program(store, yes, clock), program(other, no, clock)
        async with asyncio.TaskGroup() as group:
            group.create_task(one.asking.poll_one(A1))
            group.create_task(two.asking.poll_one(A1))

    assert one.counted + two.counted == {"verdict": 1, "contradicted": 1}
    assert len(await ours.verdicts()) == 1


async def test_inv21_while_the_provider_is_away_the_attempt_lives_on(
    ours: PollingProgram, remote: FakeRemoteProvider
) -> None:
    remote.away = True
    await ours.hears(Passed(), remote)
    assert (await ours.attempt()).status is AttemptStatus.OPENED

    remote.away = False
    await ours.hears(Passed(), remote)

    assert ours.counted == {"unavailable": 1, "verdict": 1}


async def test_inv21_questions_nobody_rang_for_are_spaced(ours: PollingProgram, clock: FakeClock) -> None:
    rounds = []
    for _ in range(11):
        rounds.append(await ours.asking.poll_due())
        clock.now += POLL_INTERVAL / 5

    assert rounds == [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]


async def running(asking: ProviderPoller) -> NoReturn:
    await asking.run()
    raise AssertionError("it ended by itself")


@asynccontextmanager
async def at_work(asking: ProviderPoller) -> AsyncIterator[None]:
    async with asyncio.TaskGroup() as group:
        task = group.create_task(running(asking))
        yield
        task.cancel()


async def told(ours: PollingProgram) -> None:
    async with asyncio.timeout(20):
        while not ours.counted["verdict"]:  # noqa: ASYNC110 - a database rings no bell
            await asyncio.sleep(0)


async def test_a_verdict_whose_callback_was_lost_is_found(ours: PollingProgram, remote: FakeRemoteProvider) -> None:
    remote.says = Passed()
    async with at_work(ours.asking):
        await told(ours)

    assert await ours.verdicts() == [AttemptStatus.SUCCEEDED]


async def test_whoever_rings_is_asked_at_once(ours: PollingProgram, remote: FakeRemoteProvider) -> None:
    async with ours.store.unit("asks") as unit:
        await unit.claim_due_polls(Method.WECHAT, now=NOON, before=NOON, limit=9)
    remote.says = Passed()
    async with at_work(ours.asking):
        for _ in range(9):
            ours.asking.notify(A1)
        await told(ours)

    assert await ours.verdicts() == [AttemptStatus.SUCCEEDED]


async def test_a_program_without_such_a_way_has_nothing_to_ask(store: DialogueStore, clock: FakeClock) -> None:
    core = Core(store, {}, make_deps(clock), ttl=TTL)

    await ProviderPoller(store, core, {}, clock).run()
