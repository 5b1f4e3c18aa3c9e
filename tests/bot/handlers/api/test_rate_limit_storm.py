"""Delivery queues while Telegram refuses every other call, with the real python-telegram-bot in virtual time."""

import asyncio
import json
from collections import Counter as Tally
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, Counter
from telegram.ext import ExtBot
from telegram.request import BaseRequest, RequestData

from bot.content import catalogue as texts
from bot.engine.delivery_queue import DeliveryQueues
from bot.engine.delivery_states import (
    Acquiring,
    Busy,
    DeliveryEvent,
    EffectDone,
    LeaseNotNeeded,
    Noting,
    Showing,
    StoreUpdated,
)
from bot.engine.messages import MessageRef, ReplyContext, Turn
from bot.flow.effects import SendText
from bot.handlers.api.rate_limiter import RateLimiter
from bot.handlers.api.rate_model import MAX_PER_SECOND
from bot.handlers.incoming import chat_of, person_of
from bot.handlers.outgoing import ReplySender
from tests.bot.handlers.api.test_rate_limiter import most_in, now
from tests.simulator_fixture import TOKEN
from tests.virtual_time_loop import run
from verification.attempts import Method
from verification.ids import PersonId

pytestmark = pytest.mark.filterwarnings("ignore:.*In a future major version:DeprecationWarning")

PEOPLE, WORDS = 40, 8
CATALOGUE = texts.load(days=30, simulated=tuple(Method))
TOPICS = ("misc.help", "misc.not_understood", "misc.unknown_command", "misc.nowhere_back")


@dataclass
class RateLimitStorm(BaseRequest):
    """Refuses every second call with a 429 for some seconds, and answers the others."""

    seconds: float
    wait: int
    calls: list[tuple[float, int]] = field(default_factory=list)
    received: dict[int, list[str]] = field(default_factory=lambda: defaultdict(list))
    refused: int = 0
    began: float = 0.0
    blocked_until: dict[int, float] = field(default_factory=dict)

    @property
    def read_timeout(self) -> float:
        return 5.0

    async def initialize(self) -> None:
        self.began = now()

    async def shutdown(self) -> None:
        pass

    async def do_request(
        self, url: str, method: str, request_data: RequestData | None = None, *_: Any, **__: Any
    ) -> tuple[int, bytes]:
        facts = request_data.parameters if request_data else {}
        if "chat_id" not in facts:
            return 200, json.dumps({"ok": True, "result": {"id": 1, "is_bot": True, "first_name": "b"}}).encode()
        chat = int(str(facts["chat_id"]))
        self.calls.append((now(), chat))
        is_refused = now() - self.began < self.seconds and len(self.calls) % 2
        assert now() >= self.blocked_until.get(chat, 0), "a call before its retry_after has passed"
        await asyncio.sleep(0.05)
        if is_refused:
            self.refused += 1
            self.blocked_until[chat] = now() + self.wait
            body = {"ok": False, "error_code": 429, "description": "…", "parameters": {"retry_after": self.wait}}
            return 429, json.dumps(body).encode()
        self.received[chat].append(str(facts["text"]))
        where = {"id": chat, "type": "private"}
        return 200, json.dumps({"ok": True, "result": {"message_id": 1, "date": 1, "chat": where}}).encode()


async def send_through_storm(storm: RateLimitStorm) -> dict[PersonId, list[str]]:
    """Send several texts to each person; gives the expected texts of each."""
    calls = Counter("bot_calls", "Calls", ["method", "outcome"], registry=CollectorRegistry())
    bot: ExtBot[None] = ExtBot(TOKEN, request=storm, get_updates_request=storm, rate_limiter=RateLimiter(calls))

    async def schedule_deletion(person: PersonId, message: int) -> None:
        raise AssertionError(f"the deletion of message {message} of {person} was scheduled")

    outgoing = ReplySender(bot, CATALOGUE, schedule_deletion)
    expected: dict[PersonId, list[str]] = defaultdict(list)

    async def carry_out(person: PersonId, state: Busy) -> DeliveryEvent:
        match state:
            case Acquiring():
                return LeaseNotNeeded()
            case Showing(remaining=(SendText() as reply, *_)):
                return EffectDone(await outgoing.deliver(reply, state.context))
            case Noting():
                return StoreUpdated()
            case _:
                raise AssertionError(f"a reply to {person} was abandoned")

    queues = DeliveryQueues(carry_out, lambda _: False)
    async with bot, queues.running():
        for word in range(WORDS):
            for id in range(1, PEOPLE + 1):
                person, key = person_of(id), TOPICS[(word + id) % len(TOPICS)]
                expected[person].append(CATALOGUE.text("zh", key, {}))
                queues.add(Turn(word, ReplyContext(person, "zh", "", MessageRef()), (SendText(key),)))
            await asyncio.sleep(3)
        assert await queues.wait_until_idle(600)
    return expected


@pytest.mark.parametrize("wait", [1, 3])
def test_inv24_when_every_second_call_is_refused_for_a_minute_nothing_is_lost_and_every_chat_keeps_its_order(
    record_property: Any, wait: int
) -> None:
    storm = RateLimitStorm(60.0, wait)

    expected = run(send_through_storm(storm))
    record_property("cases", PEOPLE * WORDS)
    record_property("faults", storm.refused)
    lost = Tally(len(storm.received[chat_of(person)]) - len(words) for person, words in expected.items())
    record_property("losses", -sum(lost.elements()))

    assert storm.refused > 100
    assert {chat_of(person): words for person, words in expected.items()} == storm.received
    assert most_in([time for time, _ in storm.calls], 1.0) <= MAX_PER_SECOND
