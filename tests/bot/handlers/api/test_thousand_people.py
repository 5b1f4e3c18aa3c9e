"""A thousand people who come within a minute: nobody waits much longer than the rate demands, and nothing is lost."""

import asyncio
import heapq
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, Counter

from bot.handlers.api.rate_limiter import Priority, RateLimiter, priority
from bot.handlers.api.rate_model import SendRates
from tests.virtual_time_loop import run

PEOPLE, STEPS, PER_SECOND = 1000, 8, 30
EDIT_AFTER = (5, 6)
"""The steps after which the person's phone causes an edit too, which nobody waits for."""

Send = Callable[[int, Priority], Awaitable[None]]
"""Sends one message to a chat."""


@dataclass
class Waits:
    """How long the answers and the edits waited, in seconds."""

    answers: list[float] = field(default_factory=list)
    edits: list[float] = field(default_factory=list)


def now() -> float:
    return asyncio.get_running_loop().time()


async def come_and_go(send: Send) -> Waits:
    """Let everybody come within a minute, and let each act again some seconds after the answer to the last step."""
    waits, chance = Waits(), random.Random(1)

    async def timed(chat: int, level: Priority, into: list[float]) -> None:
        began = now()
        await send(chat, level)
        into.append(now() - began)

    async def person(chat: int, arrival: float, pauses: list[float], edits: asyncio.TaskGroup) -> None:
        await asyncio.sleep(arrival)
        for step, pause in enumerate(pauses):
            await timed(chat, Priority.ANSWER, waits.answers)
            if step in EDIT_AFTER:
                edits.create_task(timed(chat, Priority.EDIT, waits.edits))
            await asyncio.sleep(pause)

    async with asyncio.TaskGroup() as tasks:
        for chat in range(1, PEOPLE + 1):
            pauses = [chance.uniform(2, 8) for _ in range(STEPS)]
            tasks.create_task(person(chat, chance.uniform(0, 60), pauses, tasks))
    return waits


async def with_the_rate_limiter() -> Waits:
    calls = Counter("bot_calls", "Calls", ["method", "outcome"], registry=CollectorRegistry())
    limiter = RateLimiter(calls, rates=SendRates.of(per_second=PER_SECOND, per_chat=1))

    async def made(*args: Any, **kwargs: Any) -> bool:
        return True

    async def send(chat: int, level: Priority) -> None:
        with priority(level):
            await limiter.process_request(made, (), {}, "sendMessage", {"chat_id": chat}, None)

    return await come_and_go(send)


async def at_the_optimum() -> Waits:
    """With an ideal queue: a message each thirtieth of a second, the answers first, in the order of their arrival."""
    waiting: list[tuple[int, int, asyncio.Future[None]]] = []
    order = count()

    async def serve() -> None:
        while True:
            if waiting:
                *_, sent = heapq.heappop(waiting)
                sent.set_result(None)
            await asyncio.sleep(1 / PER_SECOND)

    async def send(_: int, level: Priority) -> None:
        sent: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(waiting, (int(level is Priority.EDIT), next(order), sent))
        await sent

    serving = asyncio.ensure_future(serve())
    try:
        return await come_and_go(send)
    finally:
        serving.cancel()


@pytest.mark.slow("stories")
def test_a_thousand_people_within_a_minute_wait_little_longer_than_the_rate_demands() -> None:
    ours, optimum = run(with_the_rate_limiter()), run(at_the_optimum())

    assert len(ours.answers) == PEOPLE * STEPS
    assert len(ours.edits) == PEOPLE * len(EDIT_AFTER)
    assert max(ours.answers) <= 1.5 * max(optimum.answers)
    # The answers go first: an edit waits longer than an answer.
    assert sum(ours.edits) / len(ours.edits) > sum(ours.answers) / len(ours.answers)


def test_a_server_of_ones_own_may_be_asked_for_more() -> None:
    async def main() -> float:
        calls = Counter("bot_calls", "Calls", ["method", "outcome"], registry=CollectorRegistry())
        limiter = RateLimiter(calls, rates=SendRates.of(per_second=1000, per_chat=100))

        async def made(*args: Any, **kwargs: Any) -> bool:
            return True

        began = now()
        async with asyncio.TaskGroup() as tasks:
            for number in range(1500):
                call = limiter.process_request(made, (), {}, "sendMessage", {"chat_id": number % 100 + 1}, None)
                tasks.create_task(call)
        return now() - began

    assert run(main()) < 2
