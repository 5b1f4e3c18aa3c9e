"""Results are told to another server until it takes them, whoever dies, hangs or refuses in between."""

import asyncio
import json
import logging
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import aiohttp
import pytest

from bot.http_client import outbound
from bot.jobs.result_webhook import LEASE, MAX_IN_FLIGHT, ResultEndpoint, ResultSender
from bot.jobs.result_webhook import TIMEOUT as PATIENCE_OF_A_CALL
from playground.phone.browser import Phone
from storage import Store, StoreUnavailable, open_store
from tests.bot.app_fixture import living
from tests.fakes import NOON, Clock, an_attempt, fixed_sealing
from tests.reliability import Proof
from tests.result_receiver import PATIENCE, SECRET, Listener, Message, as_the_page_says, receiver
from tests.simulator_fixture import NAME, NUMBER, TOKEN, fill_in, press, scan, town
from verification.attempts import Attempt, Reason, Status
from verification.providers.http import Call, Unanswered
from verification.result_outbox import PAUSES, Ending, Outbox, Result
from verification.signing import Signing

MOMENT = timedelta(microseconds=1)
URL = "https://shop.example.org/results"
DONE = "🎉 认证成功"


@dataclass
class Line:
    """A line to the other server: notes what was told, and gives the answers it was told to, 200 without any."""

    answers: list[int | Exception] = field(default_factory=list)
    told: list[Message] = field(default_factory=list)
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
            self.told.append(Message(dict(headers), body))
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
class Counts:
    """What came of the tries, and somebody who waits for it."""

    seen: Counter[str] = field(default_factory=Counter)
    _rung: asyncio.Event = field(default_factory=asyncio.Event)

    def __call__(self, outcome: str) -> None:
        self.seen[outcome] += 1
        self._rung.set()

    async def come_to(self, **wanted: int) -> None:
        async with asyncio.timeout(PATIENCE):
            while self.seen != Counter(wanted):
                self._rung.clear()
                await self._rung.wait()


@dataclass
class Forgetful:
    """An outbox that loses as many notes as it is told to: the database was away."""

    real: Outbox
    losses: int = 0
    lost: asyncio.Event = field(default_factory=asyncio.Event)

    async def claim(self, now: datetime, until: datetime, limit: int) -> Sequence[Result]:
        return await self.real.claim(now, until, limit)

    async def postpone(self, result: Result, until: datetime) -> None:
        await self.real.postpone(result, until)

    async def settle(self, result: Result, ending: Ending, now: datetime) -> None:
        if self.losses:
            self.losses -= 1
            self.lost.set()
            raise StoreUnavailable("away")
        await self.real.settle(result, ending, now)


@dataclass
class Office:
    """A program that tells results, on a clock that is set."""

    store: Store
    outbox: Forgetful
    results: ResultSender
    clock: Clock
    counts: Counts

    async def later(self, by: timedelta) -> None:
        self.clock.now += by
        self.results.wake()

    async def owed(self) -> list[Result]:
        """What is still owed, whenever it is due."""
        far = self.clock.now + timedelta(days=9)
        return list(await self.store.results().claim(far, far, 100))


@asynccontextmanager
async def office(
    folder: Path, call: Call, clock: Clock | None = None, *, url: str = URL, counts: Counts | None = None
) -> AsyncIterator[Office]:
    clock, counts = clock or Clock(), counts or Counts()
    async with (
        open_store(f"sqlite:///{folder}/bot.sqlite3", sealing=fixed_sealing()) as store,
        asyncio.TaskGroup() as tasks,
    ):
        outbox = Forgetful(store.results())
        results = ResultSender(outbox, ResultEndpoint(url, Signing(SECRET), call), clock, counts)
        running = tasks.create_task(results.run())
        yield Office(store, outbox, results, clock, counts)
        running.cancel()


async def judged(store: Store, *numbers: int, status: Status = Status.SUCCEEDED, reason: Reason | None = None) -> None:
    for number in numbers:
        attempt = an_attempt(f"a{number}", f"telegram:{number}", status=status, reason=reason, identity=None)
        await post(store, attempt)


async def post(store: Store, attempt: Attempt) -> None:
    async with store.unit("post") as unit:
        await unit.save_attempt(attempt)
        await unit.post_result(attempt, NOON, simulated=False)


def test_a_lease_is_longer_than_a_call_may_take() -> None:
    assert PATIENCE_OF_A_CALL.total is not None
    assert timedelta(seconds=PATIENCE_OF_A_CALL.total) < LEASE


async def test_a_result_is_told_whole_and_signed(tmp_path: Path) -> None:
    line = Line()
    async with office(tmp_path, line) as at:
        await judged(at.store, 1, status=Status.FAILED, reason=Reason.NO_CARD)
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
        },
    }
    assert message.headers["content-type"] == "application/json"
    assert (message.id, left) == ("result_a1", [])
    Signing(SECRET).check(message.headers, message.body, NOON)


async def test_a_success_has_no_reason(tmp_path: Path) -> None:
    line = Line()
    async with office(tmp_path, line) as at:
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
    troubles: list[int | Exception] = [500, Unanswered("no answer in time"), 404, 302, 429]
    line = Line([troubles[number % len(troubles)] for number in range(len(PAUSES) + 1)])
    async with office(tmp_path, line) as at:
        await judged(at.store, 1)
        at.results.wake()
        for tries, pause in enumerate(PAUSES, 1):
            await at.counts.come_to(postponed=tries)
            assert not await at.store.results().claim(at.clock.now + pause - MOMENT, at.clock.now + pause, 9)
            await at.later(pause)
        await at.counts.come_to(postponed=len(PAUSES), given_up=1)
        left = await at.owed()

    assert left == []
    assert len({(message.id, message.body) for message in line.told}) == 1
    assert len({message.headers["webhook-timestamp"] for message in line.told}) == len(line.told) == 10
    assert timedelta(days=3) < sum(PAUSES, timedelta()) < timedelta(days=4)
    assert [record.message for record in caplog.records if record.levelno == logging.ERROR] == [
        "the result of attempt a1 was not taken (status 429); it is given up"
    ]
    assert "no answer in time" in caplog.text
    proof(cases=1, faults=len(line.told))


async def test_one_that_failed_is_taken_the_next_time(tmp_path: Path) -> None:
    line = Line([503])
    async with office(tmp_path, line) as at:
        await judged(at.store, 1)
        at.results.wake()
        await at.counts.come_to(postponed=1)
        await at.later(PAUSES[0])
        await at.counts.come_to(postponed=1, delivered=1)

    assert [message.id for message in line.told] == ["result_a1"] * 2


async def test_who_wants_one_no_more_is_told_the_others(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    line = Line([410])
    async with office(tmp_path, line) as at:
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
    clock, first, second = Clock(), Line(gate=asyncio.Event()), Line()
    async with office(tmp_path, first, clock) as at:
        await judged(at.store, 1)
        at.results.wake()
        await first.hears(1)  # it is told, and here the program ends
    async with office(tmp_path, second, clock) as at:
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
    line = Line()
    async with office(tmp_path, line) as at:
        at.outbox.losses = 1
        await judged(at.store, 1)
        at.results.wake()
        await at.outbox.lost.wait()
        await at.later(LEASE)
        await at.counts.come_to(delivered=1)

    assert [message.id for message in line.told] == ["result_a1"] * 2
    assert "what came of the result of attempt a1 could not be noted" in caplog.text


async def test_inv29_a_clock_that_leaps_has_nothing_told_twice_side_by_side(tmp_path: Path) -> None:
    line = Line(gate=asyncio.Event())
    async with office(tmp_path, line) as at:
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
    slow, quick, counts, many = Line(gate=asyncio.Event()), Line(), Counts(), 40
    async with office(tmp_path, slow, counts=counts) as at:
        await judged(at.store, *range(many))
        at.results.wake()
        await slow.hears(MAX_IN_FLIGHT)
        async with office(tmp_path, quick, counts=counts):
            await counts.come_to(delivered=many - MAX_IN_FLIGHT)
            assert slow.gate is not None
            slow.gate.set()
            await counts.come_to(delivered=many)

    told = [message.id for line in (slow, quick) for message in line.told]
    assert len(told) == len(set(told)) == many
    assert len(slow.told) == MAX_IN_FLIGHT
    proof(cases=many)


async def test_a_few_are_under_way_at_once_and_one_that_hangs_holds_up_no_other(tmp_path: Path) -> None:
    line = Line(gate=asyncio.Event())
    async with office(tmp_path, line) as at:
        await judged(at.store, *range(3 * MAX_IN_FLIGHT))
        at.results.wake()
        await line.hears(MAX_IN_FLIGHT)
        assert line.gate is not None
        line.gate.set()
        await at.counts.come_to(delivered=3 * MAX_IN_FLIGHT)

    assert line.busiest == MAX_IN_FLIGHT


# Over a real line


async def test_a_redirect_is_no_answer_and_is_not_followed(tmp_path: Path) -> None:
    async with receiver() as other, outbound(here=True) as call, office(tmp_path, call, url=other.url) as at:
        other.answers = [307, 301]
        await judged(at.store, 1, 2)
        at.results.wake()
        await at.counts.come_to(postponed=2)

    assert len(other.heard) == 2


async def test_a_receiver_that_hangs_is_left_and_told_again(tmp_path: Path) -> None:
    patience = aiohttp.ClientTimeout(total=0.05)
    async with (
        receiver() as other,
        outbound(here=True, patience=patience) as call,
        office(tmp_path, call, url=other.url) as at,
    ):
        gate = asyncio.Event()
        other.before = gate.wait
        await judged(at.store, 1)
        at.results.wake()
        await at.counts.come_to(postponed=1)
        gate.set()
        await at.later(PAUSES[0])
        await other.hears(2)

    assert len({message.id for message in other.heard}) == 1


# The whole program


@asynccontextmanager
async def conversation(folder: Path, other: Listener) -> AsyncIterator[tuple[list[str], int]]:
    """Somebody fails once and is verified, while the bot tells results to this server; gives what they were told."""
    facts = {"result_webhook_url": other.url, "result_webhook_secret": SECRET}
    async with town() as place, living(place, folder, **facts) as bot, Phone() as phone:
        guest = await place.guest()
        await fill_in(guest)
        await guest.taps("微信扫码")
        await scan(guest, phone)
        await press(phone, "拒绝")
        await guest.taps("再试一次")
        await scan(guest, phone)
        await press(phone, "前往授权")
        await press(phone, "授权验证")
        await guest.sees(DONE)
        await bot.quiet()
        yield guest.everything_said(), guest.id


async def test_inv38_a_conversation_is_told_in_order_signed_as_the_page_says_and_without_name_or_number(
    tmp_path: Path, proof: Proof
) -> None:
    async with receiver() as other, conversation(tmp_path, other) as (_, guest):
        heard = await other.hears(2)

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
    async with receiver() as other:
        gate = asyncio.Event()
        other.before = gate.wait
        async with conversation(tmp_path, other) as (said, _):
            assert len([text for text in said if DONE in text]) == 1
            assert len(other.heard) == 1
            gate.set()
            await other.hears(2)


async def test_a_program_without_a_receiver_keeps_nothing(tmp_path: Path) -> None:
    async with town() as place, living(place, tmp_path) as bot, Phone() as phone:
        guest = await place.guest()
        await fill_in(guest)
        await guest.taps("微信扫码")
        await scan(guest, phone)
        await press(phone, "拒绝")
        await guest.sees("这次没有通过")
        far = NOON + timedelta(days=9999)

        assert not await bot.house.store.results().claim(far, far, 9)
