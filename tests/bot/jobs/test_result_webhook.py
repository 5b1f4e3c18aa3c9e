"""Results are told to another server until it takes them, whoever dies, hangs or refuses in between."""

import asyncio
import base64
import json
import logging
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from bot.http_client import RESULT_TIMEOUT as PATIENCE_OF_A_CALL
from bot.http_client import http_client
from bot.jobs.result_webhook import LEASE, MAX_IN_FLIGHT, ResultEndpoint, ResultSender
from playground.phone.browser import Phone
from storage import SqlStore, StoreUnavailable, open_store
from tests.bot.app_fixture import running_bot
from tests.bot.engine.runner_fixture import NoDelays, virtual_store
from tests.bot.engine.test_loops import in_virtual_time
from tests.fakes import NOON, FakeClock, make_attempt, make_sealing
from tests.open_unit import open_unit
from tests.reliability import Proof
from tests.result_receiver import PATIENCE, SECRET, ReceivedMessage, ResultReceiver, as_the_page_says, result_receiver
from tests.simulation.disk import SimulatedDisk
from tests.simulation.fault_schedule import DatabaseFault
from tests.simulator_fixture import NAME, NUMBER, TOKEN, go_to_method_choice, press, scan, simulator
from tests.sqlite_file import sqlite_url
from verification.attempts import Attempt, AttemptStatus, Reason
from verification.ids import Contact
from verification.providers.http import HttpCall, TransientFailure
from verification.result_outbox import RETRY_DELAYS, DeliveryStatus, OutgoingResult, ResultOutbox
from verification.signing import WebhookSigner

MOMENT = timedelta(microseconds=1)
NEW_SECRET = f"whsec_{base64.b64encode(b'new' * 10).decode()}"
URL = "https://shop.example.org/results"
DONE = "🎉 认证成功"


@dataclass
class FakeResultServer:
    """A line to the other server: notes what was told, and gives the answers it was told to, 200 without any."""

    answers: list[int | Exception] = field(default_factory=list)
    told: list[ReceivedMessage] = field(default_factory=list)
    gate: asyncio.Event | None = None
    busy: int = 0
    busiest: int = 0
    _bell: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def hears(self, number: int) -> None:
        async with asyncio.timeout(PATIENCE), self._bell:
            await self._bell.wait_for(lambda: len(self.told) >= number)

    async def __call__(self, verb: str, url: str, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
        assert (verb, url) == ("POST", URL)
        async with self._bell:
            self.told.append(ReceivedMessage(dict(headers), body))
            self._bell.notify_all()
        self.busy += 1
        self.busiest = max(self.busy, self.busiest)
        if self.gate is not None:
            await self.gate.wait()
        self.busy -= 1
        answer = self.answers.pop(0) if self.answers else 200
        if isinstance(answer, Exception):
            raise answer
        return answer, b""


@dataclass
class OutcomeCounts:
    """What came of the tries, and somebody who waits for it."""

    seen: Counter[str] = field(default_factory=Counter)
    _rung: asyncio.Event = field(default_factory=asyncio.Event)

    def __call__(self, outcome: str) -> None:
        self.seen[outcome] += 1
        self._rung.set()

    async def grow_beyond(self, total: int) -> None:
        async with asyncio.timeout(PATIENCE):
            while self.seen.total() <= total:
                self._rung.clear()
                await self._rung.wait()

    async def come_to(self, **wanted: int) -> None:
        async with asyncio.timeout(PATIENCE):
            while self.seen != Counter(wanted):
                self._rung.clear()
                await self._rung.wait()


@dataclass
class LossyOutbox:
    """An outbox that loses as many notes as it is told to: the database was away."""

    real: ResultOutbox
    losses: int = 0
    lost: asyncio.Event = field(default_factory=asyncio.Event)

    async def claim(self, now: datetime, until: datetime, limit: int) -> Sequence[OutgoingResult]:
        return await self.real.claim(now, until=until, limit=limit)

    async def postpone(self, result: OutgoingResult, until: datetime) -> None:
        await self.real.postpone(result, until)

    async def settle(self, result: OutgoingResult, status: DeliveryStatus, now: datetime) -> None:
        if self.losses:
            self.losses -= 1
            self.lost.set()
            raise StoreUnavailable("away")
        await self.real.settle(result, status, now)


@dataclass
class ResultsFixture:
    """A program that tells results, on a clock that is set."""

    store: SqlStore
    outbox: LossyOutbox
    results: ResultSender
    clock: FakeClock
    counts: OutcomeCounts

    async def later(self, by: timedelta) -> None:
        self.clock.now += by
        self.results.wake()

    async def owed(self) -> list[OutgoingResult]:
        """What is still owed, whenever it is due."""
        far = self.clock.now + timedelta(days=9)
        return list(await self.store.result_outbox().claim(far, until=far, limit=100))


@asynccontextmanager
async def results_fixture(
    folder: Path,
    call: HttpCall,
    clock: FakeClock | None = None,
    *,
    url: str = URL,
    counts: OutcomeCounts | None = None,
    secret: str = SECRET,
) -> AsyncIterator[ResultsFixture]:
    clock, counts = clock or FakeClock(), counts or OutcomeCounts()
    async with (
        open_store(sqlite_url(folder), sealing=make_sealing()) as store,
        asyncio.TaskGroup() as tasks,
    ):
        outbox = LossyOutbox(store.result_outbox())
        results = ResultSender(outbox, ResultEndpoint(url, WebhookSigner(secret), call), clock, counts)
        running = tasks.create_task(results.run())
        yield ResultsFixture(store, outbox, results, clock, counts)
        running.cancel()


async def judged(
    store: SqlStore,
    *numbers: int,
    status: AttemptStatus = AttemptStatus.SUCCEEDED,
    reason: Reason | None = None,
    front_end: str = "telegram",
) -> None:
    for number in numbers:
        contact = Contact(f"{front_end}:{number}")
        attempt = make_attempt(
            f"a{number}", f"telegram:{number}", contact=contact, status=status, reason=reason, identity=None
        )
        await post(store, attempt)


async def post(store: SqlStore, attempt: Attempt) -> None:
    async with open_unit(store, "post") as unit:
        await unit.save_attempt(attempt)
        await unit.post_result(attempt, NOON, simulated=False)


def test_a_lease_is_longer_than_a_call_may_take() -> None:
    assert PATIENCE_OF_A_CALL.total is not None
    assert timedelta(seconds=PATIENCE_OF_A_CALL.total) < LEASE


async def test_a_result_is_told_whole_and_signed(tmp_path: Path) -> None:
    line = FakeResultServer()
    async with results_fixture(tmp_path, line) as at:
        await judged(at.store, 1, status=AttemptStatus.FAILED, reason=Reason.NO_CARD)
        at.results.wake()
        await at.counts.come_to(delivered=1)
        left = await at.owed()

    [message] = line.told
    assert json.loads(message.body) == {
        "type": "verification.failed",
        "timestamp": "2026-11-23T12:00:00.000000Z",
        "data": {
            "account": "telegram:1",
            "method": "wechat",
            "status": "failed",
            "reason": "no_card",
            "attempt": "a1",
            "at": "2026-11-23T12:00:00.000000Z",
            "simulated": False,
            "front_end": "telegram",
        },
    }
    assert message.headers["content-type"] == "application/json"
    assert (message.id, left) == ("result_a1", [])
    WebhookSigner(SECRET).verify(message.headers, message.body, NOON)


async def test_the_standards_own_library_accepts_what_is_told_by_the_old_and_by_the_new_secret(tmp_path: Path) -> None:
    # The library compares with the clock of this machine.
    line, clock = FakeResultServer(), FakeClock(datetime.now(UTC))
    async with results_fixture(tmp_path, line, clock, secret=f"{SECRET},{NEW_SECRET}") as at:
        await judged(at.store, 1)
        at.results.wake()
        await at.counts.come_to(delivered=1)

    [message] = line.told
    for secret in (SECRET, NEW_SECRET):
        told = Webhook(secret).verify(message.body, message.headers)
        assert told["data"]["attempt"] == "a1"
    with pytest.raises(WebhookVerificationError):
        Webhook(NEW_SECRET).verify(message.body + b" ", message.headers)


async def test_a_receiver_that_is_down_for_a_day_hears_everything_of_an_attempt_in_order(tmp_path: Path) -> None:
    line = FakeResultServer([TransientFailure("down")] * 7)
    statuses = [AttemptStatus.OPENED, AttemptStatus.CONFIRMING, AttemptStatus.SUCCEEDED]
    async with results_fixture(tmp_path, line) as at:
        for status in statuses:
            await judged(at.store, 1, status=status, front_end="api.shop")
        at.results.wake()
        while at.counts.seen["delivered"] < len(statuses):
            seen = at.counts.seen.total()
            await at.later(timedelta(hours=5))
            await at.counts.grow_beyond(seen)
        backlog = await at.store.result_outbox().backlog()

    assert at.clock.now - NOON >= timedelta(days=1)
    assert backlog.undelivered == 0
    heard = list(dict.fromkeys(message.id for message in line.told))
    assert heard == ["result_a1_opened", "result_a1_confirming", "result_a1"]


async def test_a_success_has_no_reason(tmp_path: Path) -> None:
    line = FakeResultServer()
    async with results_fixture(tmp_path, line) as at:
        await judged(at.store, 1)
        at.results.wake()
        await at.counts.come_to(delivered=1)

    told = json.loads(line.told[0].body)
    assert (told["type"], told["data"]["status"], "reason" in told["data"]) == (
        "verification.verified",
        "verified",
        False,
    )


async def test_who_does_not_take_it_is_told_again_at_growing_intervals_and_then_given_up(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, proof: Proof
) -> None:
    troubles: list[int | Exception] = [500, TransientFailure("no answer in time"), 404, 302, 429]
    line = FakeResultServer([troubles[number % len(troubles)] for number in range(len(RETRY_DELAYS) + 1)])
    async with results_fixture(tmp_path, line) as at:
        await judged(at.store, 1)
        at.results.wake()
        for tries, pause in enumerate(RETRY_DELAYS, 1):
            await at.counts.come_to(postponed=tries)
            assert not await at.store.result_outbox().claim(
                at.clock.now + pause - MOMENT, until=at.clock.now + pause, limit=9
            )
            await at.later(pause)
        await at.counts.come_to(postponed=len(RETRY_DELAYS), given_up=1)
        left = await at.owed()

    assert left == []
    assert len({(message.id, message.body) for message in line.told}) == 1
    assert len({message.headers["webhook-timestamp"] for message in line.told}) == len(line.told) == 10
    assert list(RETRY_DELAYS) == sorted(set(RETRY_DELAYS))
    assert timedelta(days=3) < sum(RETRY_DELAYS, timedelta()) < timedelta(days=4)
    assert [record.message for record in caplog.records if record.levelno == logging.ERROR] == [
        "the result of attempt a1 was not taken (status 429); it is given up"
    ]
    assert "no answer in time" in caplog.text
    proof(cases=1, faults=len(line.told))


async def test_one_that_failed_is_taken_the_next_time(tmp_path: Path) -> None:
    line = FakeResultServer([503])
    async with results_fixture(tmp_path, line) as at:
        await judged(at.store, 1)
        at.results.wake()
        await at.counts.come_to(postponed=1)
        await at.later(RETRY_DELAYS[0])
        await at.counts.come_to(postponed=1, delivered=1)

    assert [message.id for message in line.told] == ["result_a1"] * 2


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [(199, "postponed"), (200, "delivered"), (299, "delivered"), (300, "postponed"), (409, "postponed"), (410, "gone")],
)
async def test_only_an_answer_between_200_and_299_takes_a_result_and_only_410_refuses_it(
    tmp_path: Path, answer: int, outcome: str
) -> None:
    async with results_fixture(tmp_path, FakeResultServer([answer])) as at:
        await judged(at.store, 1)
        at.results.wake()
        await at.counts.grow_beyond(0)
        left = await at.owed()

    assert (at.counts.seen, len(left)) == (Counter({outcome: 1}), int(outcome == "postponed"))


@in_virtual_time
async def test_a_result_that_nobody_announced_is_told_within_a_second_also_after_an_outage(disk: SimulatedDisk) -> None:
    line, clock, faults = FakeResultServer(), FakeClock(), NoDelays()
    store = await virtual_store(disk, faults)
    endpoint = ResultEndpoint(URL, WebhookSigner(SECRET), line)
    running = asyncio.ensure_future(ResultSender(store.result_outbox(), endpoint, clock, lambda _: None).run())
    await asyncio.sleep(0.5)
    await judged(store, 1)
    faults.schedule_database_fault(DatabaseFault.DOWN)
    await asyncio.sleep(1.4)
    early = list(line.told)
    await asyncio.sleep(0.2)
    running.cancel()

    assert (early, [message.id for message in line.told]) == ([], ["result_a1"])


async def test_who_wants_one_no_more_is_told_the_others(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    line = FakeResultServer([410])
    async with results_fixture(tmp_path, line) as at:
        await judged(at.store, 1)
        at.results.wake()
        await at.counts.come_to(gone=1)
        at.clock.now += timedelta(days=3)
        await judged(at.store, 2)
        at.results.wake()
        await at.counts.come_to(gone=1, delivered=1)

    assert [message.id for message in line.told] == ["result_a1", "result_a2"]
    assert "the result of attempt a1 is not wanted (status 410)" in caplog.text


async def test_who_died_between_telling_and_noting_is_followed_by_one_who_tells_the_same_again(
    tmp_path: Path, proof: Proof
) -> None:
    clock, first, second = FakeClock(), FakeResultServer(gate=asyncio.Event()), FakeResultServer()
    async with results_fixture(tmp_path, first, clock) as at:
        await judged(at.store, 1)
        at.results.wake()
        await first.hears(1)  # it is told, and here the program ends
    async with results_fixture(tmp_path, second, clock) as at:
        await judged(at.store, 2)
        at.results.wake()
        await at.counts.come_to(delivered=1)
        assert [message.id for message in second.told] == ["result_a2"]
        await at.later(LEASE)
        await at.counts.come_to(delivered=2)

    assert (second.told[1].id, second.told[1].body) == (first.told[0].id, first.told[0].body)
    proof(cases=1, faults=1)


async def test_a_note_that_is_lost_costs_a_repetition_and_nothing_else(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    line = FakeResultServer()
    async with results_fixture(tmp_path, line) as at:
        at.outbox.losses = 1
        await judged(at.store, 1)
        at.results.wake()
        await at.outbox.lost.wait()
        await at.later(LEASE)
        await at.counts.come_to(delivered=1)

    assert [message.id for message in line.told] == ["result_a1"] * 2
    assert "the outcome of the result of attempt a1 could not be stored" in caplog.text


async def test_inv29_a_clock_that_leaps_has_nothing_told_twice_side_by_side(tmp_path: Path) -> None:
    line = FakeResultServer(gate=asyncio.Event())
    async with results_fixture(tmp_path, line) as at:
        await judged(at.store, 1)
        at.results.wake()
        await line.hears(1)
        await at.later(timedelta(days=1))
        await judged(at.store, 2)
        at.results.wake()
        await line.hears(2)
        assert line.gate is not None
        line.gate.set()
        await at.counts.come_to(delivered=2)

    assert [message.id for message in line.told] == ["result_a1", "result_a2"]


async def test_inv31_two_programs_share_out_what_there_is_to_tell(tmp_path: Path, proof: Proof) -> None:
    slow, quick, counts, many = FakeResultServer(gate=asyncio.Event()), FakeResultServer(), OutcomeCounts(), 40
    async with results_fixture(tmp_path, slow, counts=counts) as at:
        await judged(at.store, *range(many))
        at.results.wake()
        await slow.hears(MAX_IN_FLIGHT)
        async with results_fixture(tmp_path, quick, counts=counts):
            await counts.come_to(delivered=many - MAX_IN_FLIGHT)
            assert slow.gate is not None
            slow.gate.set()
            await counts.come_to(delivered=many)

    told = [message.id for line in (slow, quick) for message in line.told]
    assert len(told) == len(set(told)) == many
    assert len(slow.told) == MAX_IN_FLIGHT
    proof(cases=many)


async def test_a_few_are_under_way_at_once_and_one_that_hangs_holds_up_no_other(tmp_path: Path) -> None:
    line = FakeResultServer(gate=asyncio.Event())
    async with results_fixture(tmp_path, line) as at:
        await judged(at.store, *range(3 * MAX_IN_FLIGHT))
        at.results.wake()
        await line.hears(MAX_IN_FLIGHT)
        assert line.gate is not None
        line.gate.set()
        await at.counts.come_to(delivered=3 * MAX_IN_FLIGHT)

    assert line.busiest == MAX_IN_FLIGHT


# Over a real line


async def test_a_redirect_is_no_answer_and_is_not_followed(tmp_path: Path) -> None:
    async with (
        result_receiver() as other,
        http_client(loopback_only=True) as call,
        results_fixture(tmp_path, call, url=other.url) as at,
    ):
        other.answers = [307, 301]
        await judged(at.store, 1, 2)
        at.results.wake()
        await at.counts.come_to(postponed=2)

    assert len(other.heard) == 2


async def test_a_receiver_that_hangs_is_left_and_told_again(tmp_path: Path) -> None:
    patience = aiohttp.ClientTimeout(total=0.05)
    async with (
        result_receiver() as other,
        http_client(loopback_only=True, client_timeout=patience) as call,
        results_fixture(tmp_path, call, url=other.url) as at,
    ):
        gate = asyncio.Event()
        other.before = gate.wait
        await judged(at.store, 1)
        at.results.wake()
        await at.counts.come_to(postponed=1)
        gate.set()
        await at.later(RETRY_DELAYS[0])
        await other.wait_for(2)

    assert len({message.id for message in other.heard}) == 1


# The whole program


@asynccontextmanager
async def conversation(folder: Path, other: ResultReceiver) -> AsyncIterator[tuple[list[str], int]]:
    """Somebody fails once and is verified, while the bot tells results to this server; gives what they were told."""
    facts = {"result_webhook_url": other.url, "result_webhook_secret": SECRET}
    async with simulator() as place, running_bot(place, folder, **facts) as bot, Phone() as phone:
        guest = await place.new_user()
        await go_to_method_choice(guest)
        await guest.taps("微信扫码")
        await scan(guest, phone)
        await press(phone, "拒绝")
        await guest.taps("再试一次")
        await scan(guest, phone)
        await press(phone, "前往授权")
        await press(phone, "授权验证")
        await guest.sees(DONE)
        await bot.wait_until_quiet()
        yield guest.everything_said(), guest.id


async def test_inv38_a_conversation_is_told_in_order_signed_as_the_page_says_and_without_name_or_number(
    tmp_path: Path, proof: Proof
) -> None:
    async with result_receiver() as other, conversation(tmp_path, other) as (_, guest):
        heard = await other.wait_for(2)

    told = [json.loads(message.body)["data"] for message in heard]
    assert [(data["status"], data.get("reason")) for data in told] == [("failed", "declined"), ("verified", None)]
    assert all(
        (data["account"], data["method"], data["simulated"]) == (f"telegram:{guest}", "wechat", True) for data in told
    )
    is_ours = as_the_page_says()
    for message in heard:
        assert is_ours(message.headers, message.body, SECRET)
        assert not is_ours(message.headers, message.body + b" ", SECRET)
        assert not is_ours(message.headers | {"webhook-timestamp": "1"}, message.body, SECRET)
    written = "\n".join(f"{message.headers}{message.body.decode()}" for message in heard)
    canaries = (NAME, json.dumps(NAME)[1:-1], NUMBER, TOKEN, SECRET.removeprefix("whsec_"))
    assert not [secret for secret in canaries if secret in written]
    proof(cases=len(canaries))


async def test_nobody_in_the_chat_waits_for_a_server_that_hangs(tmp_path: Path) -> None:
    async with result_receiver() as other:
        gate = asyncio.Event()
        other.before = gate.wait
        async with conversation(tmp_path, other) as (said, _):
            assert len([text for text in said if DONE in text]) == 1
            assert len(other.heard) == 1
            gate.set()
            await other.wait_for(2)


async def test_a_program_without_a_receiver_keeps_nothing(tmp_path: Path) -> None:
    async with simulator() as place, running_bot(place, tmp_path) as bot, Phone() as phone:
        guest = await place.new_user()
        await go_to_method_choice(guest)
        await guest.taps("微信扫码")
        await scan(guest, phone)
        await press(phone, "拒绝")
        await guest.sees("这次没有通过")
        far = NOON + timedelta(days=9999)

        assert not await bot.app.deps.store.result_outbox().claim(far, until=far, limit=9)
