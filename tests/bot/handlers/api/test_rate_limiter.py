"""The rate limiter in virtual time: when calls are made, which are never made, and what is counted."""

import asyncio
from collections import Counter as Tally
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter
from telegram.error import BadRequest, NetworkError, RetryAfter, TelegramError, TimedOut

from bot.handlers.api.call_outcome import DeferredByRateLimiter
from bot.handlers.api.rate_limiter import MAX_WAIT, Priority, RateLimiter, priority
from bot.handlers.api.rate_model import GROUP_CHAT, MAX_PER_SECOND, PRIVATE_CHAT, Rate
from bot.handlers.api.transport import NotSent
from tests.virtual_time_loop import run

# The library warns that durations will become timedeltas; the bot reads both.
pytestmark = pytest.mark.filterwarnings("ignore:.*In a future major version:DeprecationWarning")

TOLERANCE = 0.01
"""Seconds by which timers may be late in all."""


@dataclass(frozen=True, slots=True)
class RecordedCall:
    """A call that reached Telegram."""

    time: float
    method: str
    chat: int | None
    word: str


@dataclass
class FakeTelegram:
    """Receives the calls of some rate limiters, and refuses them with the given errors, one per call."""

    errors: dict[int | str | None, list[Exception]] = field(default_factory=dict)
    calls: list[RecordedCall] = field(default_factory=list)
    blocked_until: dict[int | str, float] = field(default_factory=dict)

    async def call(
        self,
        limiter: RateLimiter,
        chat: int | None,
        word: str = "",
        *,
        method: str = "sendMessage",
        seconds: float = 0.05,
    ) -> None:
        """Make one call through a rate limiter."""

        async def callback() -> bool:
            self.calls.append(RecordedCall(now(), method, chat, word))
            assert now() >= self.blocked_until.get(method if chat is None else chat, 0), (
                "a call before its retry_after has passed"
            )
            await asyncio.sleep(seconds)
            for error in self.errors.get(chat, [])[:1]:
                self._refuse(error, method if chat is None else chat, chat)
            return True

        data = {} if chat is None else {"chat_id": chat}
        assert await limiter.process_request(callback, (), {}, method, data, None)

    def _refuse(self, error: Exception, key: int | str, chat: int | None) -> None:
        self.errors[chat].pop(0)
        if isinstance(error, RetryAfter):
            self.blocked_until[key] = now() + float(error.retry_after)  # type: ignore[arg-type]  # an int where nothing is set
        raise error

    def times(self, chat: int | None) -> list[float]:
        return [call.time for call in self.calls if call.chat == chat]

    def words(self, chat: int | None = None) -> list[str]:
        return [call.word for call in self.calls if chat in (None, call.chat)]


def new_limiter(replicas: int = 1, *, enabled: bool = True) -> RateLimiter:
    calls = Counter("bot_calls", "Calls", ["method", "outcome"], registry=CollectorRegistry())
    return RateLimiter(calls, lambda: replicas, enabled=enabled)


def outcomes(limiter: RateLimiter) -> dict[str, float]:
    samples = [sample for metric in limiter._calls.collect() for sample in metric.samples]
    return {sample.labels["outcome"]: sample.value for sample in samples if sample.name.endswith("_total")}


def now() -> float:
    return asyncio.get_running_loop().time()


async def together(calls: Iterable[Any]) -> None:
    async with asyncio.TaskGroup() as tasks:
        for call in calls:
            tasks.create_task(call)


def most_in(times: Sequence[float], seconds: float) -> int:
    """The largest number of calls in any window of so many seconds."""
    ordered = sorted(times)
    most = first = 0
    for last, time in enumerate(ordered):
        while time - ordered[first] >= seconds:
            first += 1
        most = max(most, last - first + 1)
    return most


def keeps_rate(rate: Rate, times: Sequence[float]) -> bool:
    """Whether every run of these calls has the burst at most, and then one call per interval."""
    burst = rate.burst - 1
    return all(
        (later - earlier) >= (number - burst) * rate.interval - 1e-6
        for start, earlier in enumerate(times)
        for number, later in enumerate(times[start + 1 :], start=1)
    )


@pytest.mark.parametrize("replicas", [1, 2, 3])
def test_inv23_a_burst_to_two_hundred_chats_keeps_the_global_rate_and_none_is_lost(
    record_property: Any, replicas: int
) -> None:
    telegram, limiters = FakeTelegram(), [new_limiter(replicas) for _ in range(replicas)]

    async def main() -> float:
        began = now()
        await together(
            telegram.call(limiters[chat % replicas], chat, str(number)) for number in range(3) for chat in range(1, 201)
        )
        return now() - began

    took = run(main())
    times = [call.time for call in telegram.calls]
    record_property("cases", len(times))

    assert len(times) == 600
    assert most_in(times, 1.0) <= MAX_PER_SECOND
    assert all(telegram.words(chat) == ["0", "1", "2"] for chat in range(1, 201))
    assert took < 600 / MAX_PER_SECOND * 1.2


def test_inv23_a_busy_chat_gets_its_burst_and_then_one_message_a_second() -> None:
    telegram, one = FakeTelegram(), new_limiter()

    async def main() -> None:
        async with asyncio.TaskGroup() as tasks:
            for number in range(100):
                tasks.create_task(telegram.call(one, 1, str(number)))
            await asyncio.sleep(3)
            tasks.create_task(telegram.call(one, 2))

    run(main())
    times = telegram.times(1)

    assert telegram.words(1) == [str(number) for number in range(100)]
    assert keeps_rate(PRIVATE_CHAT, times)
    assert most_in(times[:10], 0.1) == 10
    assert times[-1] - times[0] == pytest.approx(90, abs=0.5)
    assert telegram.times(2)[0] == pytest.approx(times[0] + 3, abs=TOLERANCE)


def test_inv23_a_group_gets_twenty_messages_a_minute_at_most() -> None:
    telegram, one = FakeTelegram(), new_limiter()

    run(together(telegram.call(one, -5) for _ in range(100)))

    assert keeps_rate(GROUP_CHAT, telegram.times(-5))
    assert most_in(telegram.times(-5), 60.0) <= 20


def test_inv23_a_429_blocks_only_its_chat_until_its_retry_after() -> None:
    telegram, one = FakeTelegram(errors={1: [RetryAfter(20)]}), new_limiter()

    async def main() -> None:
        with pytest.raises(RetryAfter):
            await telegram.call(one, 1)
        calls = (
            telegram.call(one, chat, method=method) for chat in (1, 2) for method in ("sendMessage", "deleteMessage")
        )
        await together(calls)

    run(main())
    refused, *later = telegram.times(1)

    assert len(later) == 2
    assert min(later) >= refused + 20
    assert max(telegram.times(2)) < refused + 1


def test_a_429_without_a_chat_blocks_only_its_method() -> None:
    telegram, one = FakeTelegram(errors={None: [RetryAfter(20)]}), new_limiter()

    async def main() -> list[float]:
        with pytest.raises(RetryAfter):
            await telegram.call(one, None, method="answerCallbackQuery")
        began = now()
        await telegram.call(one, None, method="setMyCommands")
        others = now() - began
        await telegram.call(one, None, method="answerCallbackQuery")
        return [others, now() - began]

    others, same = run(main())

    assert others < 1
    assert same >= 20


def test_a_429_without_retry_after_is_recognised() -> None:
    telegram, one = FakeTelegram(errors={1: [NetworkError("Too Many Requests")]}), new_limiter()

    async def main() -> None:
        with pytest.raises(RetryAfter):
            await telegram.call(one, 1)
        await telegram.call(one, 1)

    run(main())
    first, second = telegram.times(1)

    assert second - first >= 1
    assert outcomes(one) == {"limited": 1, "done": 1}


def test_a_call_that_would_wait_too_long_is_deferred_at_once() -> None:
    telegram, one = FakeTelegram(errors={1: [RetryAfter(3600)]}), new_limiter()

    async def main() -> float:
        with pytest.raises(RetryAfter):
            await telegram.call(one, 1)
        began = now()
        for method in ("sendMessage", "deleteMessage"):
            with pytest.raises(DeferredByRateLimiter):
                await telegram.call(one, 1, method=method)
        took = now() - began
        await asyncio.sleep(3600 - MAX_WAIT)
        await telegram.call(one, 1)
        return took

    assert run(main()) == 0
    assert len(telegram.calls) == 2
    assert telegram.calls[1].time >= telegram.calls[0].time + 3600


def test_a_waiting_call_is_deferred_when_its_wait_becomes_too_long() -> None:
    telegram, one = FakeTelegram(errors={1: [RetryAfter(3600)]}), new_limiter()

    async def main() -> list[object]:
        calls = [telegram.call(one, 1, seconds=0.5) for _ in range(PRIVATE_CHAT.burst + 2)]
        return list(await asyncio.gather(*calls, return_exceptions=True))

    results = Tally(type(each) for each in run(main()))

    assert results == {type(None): PRIVATE_CHAT.burst - 1, RetryAfter: 1, DeferredByRateLimiter: 2}
    assert len(telegram.calls) == PRIVATE_CHAT.burst


def test_a_429_that_arrives_while_a_call_waits_for_its_slot_blocks_that_call() -> None:
    telegram, one = FakeTelegram(errors={1: [RetryAfter(30)]}), new_limiter()

    async def main() -> None:
        async with asyncio.TaskGroup() as tasks:
            first = tasks.create_task(asyncio.wait({asyncio.ensure_future(telegram.call(one, 1, seconds=0.5))}))
            for chat in range(100, 100 + MAX_PER_SECOND - 1):
                tasks.create_task(telegram.call(one, chat, seconds=0))
            tasks.create_task(telegram.call(one, 1, "second"))
            for chat in range(200, 200 + MAX_PER_SECOND):
                tasks.create_task(telegram.call(one, chat, "behind", seconds=0))
            refused, _ = await first
            assert isinstance(refused.pop().exception(), RetryAfter)

    run(main())
    first, second = telegram.times(1)

    assert second >= first + 30
    behind = [call.time for call in telegram.calls if call.word == "behind"]
    assert max(behind) - min(behind) < TOLERANCE


def test_a_best_effort_call_never_waits() -> None:
    telegram, one = FakeTelegram(errors={1: [RetryAfter(5)]}), new_limiter()

    async def best_effort(chat: int | None, method: str) -> str:
        began = now()
        try:
            with priority(Priority.BEST_EFFORT):
                await telegram.call(one, chat, "best effort", method=method, seconds=0)
        except DeferredByRateLimiter:
            assert now() == began
            return "deferred"
        return "done"

    async def main() -> list[str]:
        with pytest.raises(RetryAfter):
            await telegram.call(one, 1)
        results = [
            await best_effort(1, "sendChatAction"),
            await best_effort(1, "sendMessage"),
            await best_effort(2, "sendMessage"),
        ]
        async with asyncio.TaskGroup() as tasks:
            for chat in range(100, 140):
                tasks.create_task(telegram.call(one, chat, seconds=0))
            await asyncio.sleep(0)
            results += [await best_effort(3, "editMessageText"), await best_effort(None, "answerCallbackQuery")]
        return results

    assert run(main()) == ["deferred", "deferred", "done", "deferred", "done"]
    assert outcomes(one)["held"] == 1


def test_calls_that_send_no_message_are_not_limited() -> None:
    telegram, one = FakeTelegram(), new_limiter()

    async def main() -> float:
        began = now()
        for method in ("deleteMessage", "sendChatAction", "getChat", "leaveChat"):
            await together(telegram.call(one, 1, method=method, seconds=0) for _ in range(50))
        await together(telegram.call(one, None, method="answerCallbackQuery", seconds=0) for _ in range(50))
        return now() - began

    assert run(main()) == 0


def test_answers_go_before_notices_and_notices_wait_only_a_limited_time() -> None:
    telegram, one = FakeTelegram(), new_limiter()

    async def notice(chat: int) -> None:
        with priority(Priority.NOTICE):
            await telegram.call(one, chat, "notice")

    async def main() -> float:
        async with asyncio.TaskGroup() as tasks:
            for chat in range(1000, 1100):
                tasks.create_task(notice(chat))
            # For a minute, more answers than the limit allows.
            for second in range(60):
                for number in range(30):
                    tasks.create_task(telegram.call(one, second * 100 + number + 2000, "answer"))
                await asyncio.sleep(1)
        return telegram.calls[0].time

    began = run(main())
    times = [call.time - began for call in telegram.calls if call.word == "notice"]

    assert len(times) == 100
    assert max(times[:MAX_PER_SECOND]) == 0
    assert Priority.NOTICE.value - 1 < min(times[MAX_PER_SECOND:]) < max(times) < 30


def test_a_cancelled_call_wastes_no_slot() -> None:
    telegram, one = FakeTelegram(), new_limiter()

    async def main() -> list[float]:
        began = now()
        async with asyncio.TaskGroup() as tasks:
            calls = [tasks.create_task(telegram.call(one, chat, seconds=0)) for chat in range(1, 151)]
            for at_once in (3, 30, 60, 149):
                calls[at_once].cancel()
            await asyncio.sleep(0.5)
            for call in calls[26:100]:
                call.cancel()
        return [call.time - began for call in telegram.calls]

    times = run(main())
    batches = Tally(round(time, 1) for time in times)

    assert set(batches.values()) == {MAX_PER_SECOND, len(times) % MAX_PER_SECOND}
    assert len(times) in range(72, 75)
    assert max(times) < 3


def test_a_call_cancelled_when_its_slot_is_granted_gives_the_slot_back() -> None:
    one, telegram = new_limiter(), FakeTelegram()

    async def main() -> None:
        loop = asyncio.get_running_loop()
        await together(telegram.call(one, chat, seconds=0) for chat in range(1, MAX_PER_SECOND + 1))
        async with asyncio.TaskGroup() as tasks:
            waiting = tasks.create_task(telegram.call(one, 100, "cancelled"))
            behind = [tasks.create_task(telegram.call(one, 200 + chat, seconds=0)) for chat in range(MAX_PER_SECOND)]
            await asyncio.sleep(0)
            # Scheduled after the limiter's own timer, for the same time.
            timer = one._global_limiter._timer
            assert timer is not None
            loop.call_at(timer.when(), waiting.cancel)
            await asyncio.wait(behind)
        assert waiting.cancelled()

    run(main())
    last = [call.time for call in telegram.calls[MAX_PER_SECOND:]]

    assert len(last) == MAX_PER_SECOND
    assert max(last) - min(last) < TOLERANCE


def test_idle_chats_are_forgotten() -> None:
    telegram, one = FakeTelegram(), new_limiter()
    sizes: list[int] = []

    async def main() -> None:
        for hour in range(20):
            await together(telegram.call(one, hour * 1000 + chat, method="deleteMessage") for chat in range(1, 500))
            sizes.append(len(one._chat_limiters))
            await asyncio.sleep(3600)

    run(main())

    assert len(telegram.calls) == 20 * 499
    assert max(sizes) < 2000


def test_a_chat_is_not_forgotten_while_a_call_is_in_progress() -> None:
    telegram, one = FakeTelegram(errors={1: [RetryAfter(20)]}), new_limiter()

    async def main() -> None:
        slow = asyncio.ensure_future(telegram.call(one, 1, method="deleteMessage", seconds=5))
        for chat in range(2, 1500):
            await telegram.call(one, chat, method="deleteMessage", seconds=0)
        await asyncio.wait({slow})
        assert isinstance(slow.exception(), RetryAfter)
        await telegram.call(one, 1, method="deleteMessage")

    run(main())
    first, second = telegram.times(1)

    assert second >= first + 25
    assert len(one._chat_limiters) < 1000


def test_a_disabled_limiter_obeys_only_the_waits_of_telegram() -> None:
    telegram, one = FakeTelegram(errors={1: [RetryAfter(7)]}), new_limiter(enabled=False)

    async def main() -> list[float]:
        began = now()
        await together(telegram.call(one, 2, seconds=0) for _ in range(200))
        flood = now() - began
        with pytest.raises(RetryAfter):
            await telegram.call(one, 1)
        await telegram.call(one, 1)
        return [flood, now() - began]

    flood, silence = run(main())

    assert flood == 0
    assert silence >= 7


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (BadRequest("chat not found"), "refused"),
        (TimedOut(), "unknown"),
        (NetworkError("Bad Gateway"), "unknown"),
        (TelegramError("Invalid server response"), "unknown"),
        (NotSent("ClientConnectorError"), "unsent"),
    ],
)
def test_outcomes_are_counted_without_a_chat_id(error: TelegramError, outcome: str) -> None:
    telegram, one = FakeTelegram(errors={200000001: [error]}), new_limiter()

    async def main() -> None:
        with pytest.raises(type(error)):
            await telegram.call(one, 200000001)

    run(main())

    assert outcomes(one) == {outcome: 1}
    assert "200000001" not in str(list(one._calls.collect()))


def test_a_429_is_counted_as_one() -> None:
    telegram, one = FakeTelegram(errors={1: [RetryAfter(3)]}), new_limiter()

    async def main() -> None:
        with pytest.raises(RetryAfter):
            await telegram.call(one, 1)

    run(main())

    assert outcomes(one) == {"limited": 1}


def test_a_cancelled_call_counts_as_unknown_and_a_call_never_made_does_not_count() -> None:
    telegram, one = FakeTelegram(), new_limiter()

    async def main() -> None:
        tasks = [asyncio.ensure_future(telegram.call(one, 1, seconds=9)) for _ in range(PRIVATE_CHAT.burst + 1)]
        await asyncio.sleep(0.5)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)

    run(main())

    assert outcomes(one) == {"unknown": PRIVATE_CHAT.burst}


random_calls = st.tuples(
    st.floats(0, 5),  # after so many seconds
    st.integers(-2, 5).filter(bool),  # to this chat or group
    st.sampled_from([Priority.ANSWER, Priority.ANSWER, Priority.NOTICE, Priority.BEST_EFFORT]),
    st.sampled_from(["sendMessage", "sendMessage", "editMessageText", "deleteMessage"]),
    st.floats(0, 3),  # the answer takes so long
    st.one_of(st.none(), st.none(), st.none(), st.integers(1, 90)),  # and is a 429
    st.one_of(st.none(), st.none(), st.none(), st.floats(0, 20)),  # cancelled after so long
)


@settings(max_examples=150, deadline=None)
@given(st.lists(random_calls, max_size=120), st.integers(1, 30))
def test_inv23_no_sequence_of_calls_breaks_a_rate_or_waits_for_ever(story: Any, replicas: int) -> None:
    telegram, one = FakeTelegram(), new_limiter(replicas)
    ended: list[str] = []

    async def make(call: Any) -> None:
        _, chat, level, method, seconds, retry_after, _ = call
        try:
            with priority(level):
                if retry_after is not None:
                    telegram.errors.setdefault(chat, []).append(RetryAfter(retry_after))
                await telegram.call(one, chat, method=method, seconds=seconds)
        except RetryAfter:
            ended.append("refused")
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise
        else:
            ended.append("done")

    async def main() -> float:
        began = now()
        async with asyncio.timeout(90 * 130), asyncio.TaskGroup() as tasks:
            for each in story:
                await asyncio.sleep(each[0])
                task = tasks.create_task(make(each))
                if each[6] is not None:
                    asyncio.get_running_loop().call_later(each[6], task.cancel)
        return now() - began

    run(main())
    messages = [call for call in telegram.calls if call.method != "deleteMessage"]
    times = [call.time for call in messages]

    assert len(ended) <= len(story)
    assert most_in(times, 1.0) <= max(1, MAX_PER_SECOND // replicas)
    for chat in {call.chat for call in messages}:
        assert chat is not None
        assert keeps_rate(
            GROUP_CHAT if chat < 0 else PRIVATE_CHAT, [call.time for call in messages if call.chat == chat]
        )
    assert all(slot.cancelled() for *_, slot in one._global_limiter._waiting)
    assert all(limiter.users == 0 and not limiter.lock.locked() for limiter in one._chat_limiters.values())
    assert all(earlier.time <= later.time for earlier, later in pairwise(telegram.calls))


def test_an_answer_does_not_wait_as_long_as_an_edit_of_its_chat_may() -> None:
    telegram, one = FakeTelegram(), new_limiter()

    async def edit() -> None:
        with priority(Priority.EDIT):
            await telegram.call(one, 1, "edit", seconds=0)

    async def main() -> None:
        async with asyncio.TaskGroup() as tasks:
            for chat in range(100, 100 + 4 * MAX_PER_SECOND):
                tasks.create_task(telegram.call(one, chat, seconds=0))
            tasks.create_task(edit())
            await asyncio.sleep(1)
            tasks.create_task(telegram.call(one, 1, "answer", seconds=0))
            await asyncio.sleep(TOLERANCE)
            for chat in range(300, 300 + 4 * MAX_PER_SECOND):
                tasks.create_task(telegram.call(one, chat, "later", seconds=0))

    run(main())

    assert telegram.words(1) == ["edit", "answer"]
    assert max(telegram.times(1)) < min(call.time for call in telegram.calls if call.word == "later") + 1.2
