"""Which answers of providers count, on every store: one verdict, from any source, in any order."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import permutations
from typing import NoReturn

import pytest

from tests.contracts.conftest import Another
from tests.fakes import NOON, TELEGRAM, FakeClock, FakeProvider, make_deps, make_request
from tests.open_unit import open_unit, settle
from tests.reliability import Proof
from verification.attempts import Attempt, AttemptId, AttemptStatus, Method, Passed, Reason, Rejected, Verdict
from verification.core import Core
from verification.dialogue_store import DialogueStore
from verification.errors import ProviderUnavailable
from verification.ids import Account
from verification.ports import NoticeKind, PhoneRedirect, ProviderAnswer, Store
from verification.provider_polling import GRACE, POLL_INTERVAL, ProviderPoller

A1 = AttemptId("a1")
NO = Rejected(Reason.MISMATCH)
OTHER_NO = Rejected(Reason.FACE_DIFFERS)
TTL = timedelta(minutes=10)


@dataclass
class FakeRemoteProvider(FakeProvider):
    """Returns the given answer; a `barrier` makes that many polls run at once."""

    answer: AttemptStatus | Verdict = AttemptStatus.WAITING
    remembered: str | None = None
    unavailable: bool = False
    polls: list[AttemptId] = field(default_factory=list)
    barrier: asyncio.Barrier | None = None
    simulated: bool = False

    @property
    def phone_origins(self) -> frozenset[str]:
        return frozenset()

    async def leave(self, attempt: Attempt, client: Mapping[str, str]) -> PhoneRedirect:
        raise NotImplementedError

    def read_callback(self, headers: Mapping[str, str], body: bytes) -> AttemptId | None:
        raise NotImplementedError

    async def poll(self, attempt: Attempt) -> ProviderAnswer:
        self.polls.append(attempt.id)
        if self.barrier is not None:
            await self.barrier.wait()
        if self.unavailable:
            raise ProviderUnavailable("away")
        return ProviderAnswer(self.answer, self.remembered)


@dataclass
class PollingProgram:
    """One program: its core and its poller."""

    store: Store
    core: Core
    poller: ProviderPoller
    outcomes: Counter[str]

    async def poll(self, answer: AttemptStatus | Verdict, remote: FakeRemoteProvider) -> None:
        remote.answer = answer
        await self.poller.poll_one(A1)

    async def attempt(self) -> Attempt:
        async with open_unit(self.store, "look") as unit:
            attempt = await unit.attempt(A1)
        assert attempt is not None
        return attempt

    async def verdicts(self) -> list[AttemptStatus]:
        """The verdicts whose notices were posted."""
        wait_for_verdict = []
        while notices := await self.store.claim_notices(TELEGRAM, NOON, until=NOON + timedelta(days=1), limit=100):
            for notice in notices:
                wait_for_verdict += [notice.status] if notice.kind is NoticeKind.ENDED else []
                await settle(self.store, notice)
        return wait_for_verdict


def program(store: Store, remote: FakeRemoteProvider, clock: FakeClock) -> PollingProgram:
    core = Core(store, {Method.WECHAT: remote}, make_deps(clock), ttl=TTL, polled={Method.WECHAT})
    counted = Counter[str]()
    poller = ProviderPoller(store, core, {Method.WECHAT: remote}, clock, lambda outcome: counted.update([outcome]))
    return PollingProgram(store, core, poller, counted)


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


async def test_what_a_provider_remembers_is_stored_with_every_answer(
    ours: PollingProgram, remote: FakeRemoteProvider
) -> None:
    for answer, remembered, kept in (
        (AttemptStatus.OPENED, "seen", "seen"),
        (AttemptStatus.CONFIRMING, "at the end", "at the end"),
        (AttemptStatus.WAITING, None, "at the end"),
    ):
        remote.remembered = remembered
        await ours.poll(answer, remote)

        assert (await ours.attempt()).provider_state == kept


async def test_answers_move_an_attempt_forward_and_never_back(ours: PollingProgram, remote: FakeRemoteProvider) -> None:
    for answer, expected in (
        (AttemptStatus.WAITING, AttemptStatus.OPENED),
        (AttemptStatus.OPENED, AttemptStatus.OPENED),
        (AttemptStatus.CONFIRMING, AttemptStatus.CONFIRMING),
        (AttemptStatus.OPENED, AttemptStatus.CONFIRMING),
        (AttemptStatus.WAITING, AttemptStatus.CONFIRMING),
    ):
        await ours.poll(answer, remote)
        assert (await ours.attempt()).status is expected


@pytest.mark.parametrize(("verdict", "status"), [(Passed(), AttemptStatus.SUCCEEDED), (NO, AttemptStatus.FAILED)])
async def test_a_verdict_is_recorded_and_sent_once(
    ours: PollingProgram, remote: FakeRemoteProvider, verdict: Verdict, status: AttemptStatus
) -> None:
    await ours.poll(verdict, remote)
    await ours.poll(verdict, remote)

    assert await ours.verdicts() == [status]


async def test_inv18_a_notification_for_an_unknown_session_is_ignored(
    ours: PollingProgram, remote: FakeRemoteProvider
) -> None:
    await ours.poller.poll_one(AttemptId("unknown"))

    assert (remote.polls, ours.outcomes) == ([], {"ignored": 1})


@pytest.mark.parametrize("verdict", [Passed(), NO])
async def test_inv19_nothing_counts_before_the_person_presses_continue(
    store: DialogueStore, remote: FakeRemoteProvider, clock: FakeClock, verdict: Verdict
) -> None:
    ours = program(store, remote, clock)
    await ours.core.begin(make_request())
    await ours.poll(verdict, remote)
    assert ((await ours.attempt()).status, remote.polls) == (AttemptStatus.WAITING, [])

    await ours.core.progress(A1, AttemptStatus.OPENED, "page")
    await ours.poll(verdict, remote)

    assert len(await ours.verdicts()) == 1


async def test_inv19_a_callback_while_the_session_opens_is_not_lost(
    store: DialogueStore, remote: FakeRemoteProvider, clock: FakeClock
) -> None:
    ours = program(store, remote, clock)
    remote.before_answer = lambda: ours.poll(Passed(), remote)
    await ours.core.begin(make_request())
    await ours.core.progress(A1, AttemptStatus.OPENED, "page")

    assert await ours.poller.poll_due() == 1


@pytest.mark.parametrize("order", list(permutations([Passed(), NO, OTHER_NO])))
async def test_inv19_the_first_verdict_stands_and_others_are_counted(
    ours: PollingProgram, remote: FakeRemoteProvider, order: tuple[Verdict, ...], caplog: pytest.LogCaptureFixture
) -> None:
    for verdict in order:
        await ours.poll(verdict, remote)

    assert (await ours.attempt()).has_verdict(order[0])
    assert len(await ours.verdicts()) == 1
    assert ours.outcomes == {"verdict": 1, "contradicted": 2}
    assert "a1" in caplog.text


@pytest.mark.parametrize("answer", [AttemptStatus.OPENED, AttemptStatus.CONFIRMING])
async def test_inv19_progress_after_the_verdict_changes_nothing(
    ours: PollingProgram, remote: FakeRemoteProvider, answer: AttemptStatus
) -> None:
    await ours.poll(Passed(), remote)
    await ours.poll(answer, remote)

    assert (await ours.attempt()).status is AttemptStatus.SUCCEEDED


@pytest.mark.parametrize("late", [timedelta(seconds=-1), timedelta(0), timedelta(seconds=1), GRACE, timedelta(hours=9)])
@pytest.mark.parametrize("verdict", [Passed(), NO])
async def test_inv19_a_verdict_counts_until_the_provider_was_asked_after_the_end(
    ours: PollingProgram, remote: FakeRemoteProvider, clock: FakeClock, verdict: Verdict, late: timedelta
) -> None:
    """The longest delay is that of a program which was away."""
    clock.now += TTL + late
    await ours.core.expire_due()
    await ours.poll(verdict, remote)

    assert (await ours.attempt()).has_verdict(verdict)
    assert ours.outcomes == {"verdict": 1}


@pytest.mark.parametrize(
    ("late", "status"),
    [
        (timedelta(0), AttemptStatus.OPENED),
        (GRACE - timedelta(microseconds=1), AttemptStatus.OPENED),
        (GRACE, AttemptStatus.EXPIRED),
    ],
)
@pytest.mark.parametrize("unavailable", [False, True])
async def test_inv19_an_attempt_expires_when_its_grace_is_over_whatever_the_last_answer(
    ours: PollingProgram,
    remote: FakeRemoteProvider,
    clock: FakeClock,
    late: timedelta,
    status: AttemptStatus,
    unavailable: bool,
) -> None:
    clock.now += TTL + late
    remote.unavailable = unavailable
    await ours.core.expire_due()
    await ours.poll(AttemptStatus.OPENED, remote)

    assert (await ours.attempt()).status is status
    assert remote.polls == [A1]


async def test_a_step_on_the_providers_page_during_the_grace_renews_the_time(
    ours: PollingProgram, remote: FakeRemoteProvider, clock: FakeClock
) -> None:
    clock.now += TTL + GRACE
    await ours.poll(AttemptStatus.CONFIRMING, remote)

    attempt = await ours.attempt()
    assert (attempt.status, attempt.expires_at) == (AttemptStatus.CONFIRMING, clock.now + TTL)


async def test_an_attempt_whose_person_never_pressed_on_has_no_grace(
    store: DialogueStore, remote: FakeRemoteProvider, clock: FakeClock
) -> None:
    ours = program(store, remote, clock)
    await ours.core.begin(make_request())
    clock.now += TTL
    await ours.core.expire_due()

    assert (await ours.attempt()).status is AttemptStatus.EXPIRED


async def test_an_attempt_that_expires_soon_is_announced_though_it_is_polled(
    ours: PollingProgram, clock: FakeClock
) -> None:
    clock.now += TTL - timedelta(seconds=30)

    assert [await ours.core.expire_due(), await ours.core.expire_due()] == [1, 0]
    assert (await ours.attempt()).expiry_announced


@pytest.mark.parametrize("end", ["expired", "cancelled"])
@pytest.mark.parametrize("verdict", [Passed(), NO])
async def test_inv19_a_verdict_after_the_end_is_counted_and_logged(
    ours: PollingProgram,
    remote: FakeRemoteProvider,
    clock: FakeClock,
    verdict: Verdict,
    end: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    if end == "cancelled":
        await ours.core.cancel(A1)
    else:
        clock.now += TTL + GRACE
        await ours.poll(AttemptStatus.OPENED, remote)
    ours.outcomes.clear()
    await ours.poll(verdict, remote)

    assert (await ours.attempt()).status is AttemptStatus(end)
    assert ours.outcomes == {"late": 1}
    assert "a1 comes too late" in caplog.text
    assert await ours.core.slot_of(Account("telegram:1")) is None


async def test_inv19_a_verdict_for_a_cancelled_attempt_is_ignored(
    ours: PollingProgram, remote: FakeRemoteProvider
) -> None:
    await ours.core.cancel(A1)
    await ours.poll(Passed(), remote)

    assert (await ours.attempt()).status is AttemptStatus.CANCELLED
    assert await ours.core.slot_of(Account("telegram:1")) is None


async def test_inv19_a_person_who_declined_on_our_page_is_not_verified_by_the_provider(
    ours: PollingProgram, remote: FakeRemoteProvider
) -> None:
    await ours.core.complete(A1, Rejected(Reason.DECLINED))
    await ours.poll(Passed(), remote)

    assert ours.outcomes == {"contradicted": 1}
    assert await ours.core.slot_of(Account("telegram:1")) is None


@asynccontextmanager
async def two_programs(
    store: DialogueStore, another: Another, remote: FakeRemoteProvider, clock: FakeClock
) -> AsyncIterator[tuple[PollingProgram, PollingProgram]]:
    async with another() as other:
        yield program(store, remote, clock), program(other, remote, clock)


@pytest.mark.parametrize("verdict", [Passed(), NO])
async def test_inv20_a_poll_and_a_callback_at_once_give_one_result(
    ours: PollingProgram,
    store: DialogueStore,
    another: Another,
    remote: FakeRemoteProvider,
    clock: FakeClock,
    verdict: Verdict,
    proof: Proof,
) -> None:
    remote.answer = verdict
    async with two_programs(store, another, remote, clock) as (one, two), asyncio.TaskGroup() as group:
        remote.barrier = asyncio.Barrier(8)
        for number in range(8):
            group.create_task((one, two)[number % 2].poller.poll_one(A1))

    assert len(await ours.verdicts()) == 1
    assert one.outcomes + two.outcomes == {"verdict": 8}
    proof(cases=8)


async def test_inv20_of_two_different_answers_one_is_the_result(
    ours: PollingProgram, store: DialogueStore, another: Another, clock: FakeClock
) -> None:
    yes, no = FakeRemoteProvider(answer=Passed()), FakeRemoteProvider(answer=NO)
    yes.barrier = no.barrier = asyncio.Barrier(2)
    async with another() as other:
        one, two = program(store, yes, clock), program(other, no, clock)
        async with asyncio.TaskGroup() as group:
            group.create_task(one.poller.poll_one(A1))
            group.create_task(two.poller.poll_one(A1))

    assert one.outcomes + two.outcomes == {"verdict": 1, "contradicted": 1}
    assert len(await ours.verdicts()) == 1


async def test_inv21_an_attempt_survives_an_outage_of_its_provider(
    ours: PollingProgram, remote: FakeRemoteProvider
) -> None:
    remote.unavailable = True
    await ours.poll(Passed(), remote)
    assert (await ours.attempt()).status is AttemptStatus.OPENED

    remote.unavailable = False
    await ours.poll(Passed(), remote)

    assert ours.outcomes == {"unavailable": 1, "verdict": 1}


async def test_inv21_polls_without_a_notification_keep_an_interval(ours: PollingProgram, clock: FakeClock) -> None:
    rounds = []
    for _ in range(11):
        rounds.append(await ours.poller.poll_due())
        clock.now += POLL_INTERVAL / 5

    assert rounds == [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]


async def running(poller: ProviderPoller) -> NoReturn:
    await poller.run()
    raise AssertionError("it ended by itself")


@asynccontextmanager
async def at_work(poller: ProviderPoller) -> AsyncIterator[None]:
    async with asyncio.TaskGroup() as group:
        task = group.create_task(running(poller))
        yield
        task.cancel()


async def wait_for_verdict(ours: PollingProgram) -> None:
    async with asyncio.timeout(20):
        while not ours.outcomes["verdict"]:  # noqa: ASYNC110 - a database has no event to wait for
            await asyncio.sleep(0)


async def test_a_verdict_whose_callback_was_lost_is_found(ours: PollingProgram, remote: FakeRemoteProvider) -> None:
    remote.answer = Passed()
    async with at_work(ours.poller):
        await wait_for_verdict(ours)

    assert await ours.verdicts() == [AttemptStatus.SUCCEEDED]


async def test_a_notification_is_polled_at_once(ours: PollingProgram, remote: FakeRemoteProvider) -> None:
    async with open_unit(ours.store, "asks") as unit:
        await unit.claim_due_polls(Method.WECHAT, now=NOON, before=NOON, limit=9)
    remote.answer = Passed()
    async with at_work(ours.poller):
        for _ in range(9):
            ours.poller.notify(A1)
        await wait_for_verdict(ours)

    assert await ours.verdicts() == [AttemptStatus.SUCCEEDED]


async def test_a_program_without_a_pollable_provider_polls_nothing(store: DialogueStore, clock: FakeClock) -> None:
    core = Core(store, {}, make_deps(clock), ttl=TTL)

    await ProviderPoller(store, core, {}, clock).run()
