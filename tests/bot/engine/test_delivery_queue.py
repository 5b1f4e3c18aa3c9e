"""The delivery queue: each person's turns go out in order, and one person's failures delay nobody else."""

import asyncio
import gc
import weakref
from dataclasses import dataclass, field
from itertools import pairwise

import pytest

from bot.engine.delivery_queue import DeliveryQueues
from bot.engine.delivery_rules import RETRY_DELAYS
from bot.engine.delivery_states import (
    Acquiring,
    Busy,
    DeliveryEvent,
    EffectDone,
    LeaseNotNeeded,
    Reasked,
    Reasking,
    Releasing,
    Showing,
    StoreUpdated,
)
from bot.engine.messages import BotBlocked, DeliveryFailed, MessageRef, ReplyContext, Turn
from bot.flow.effects import SendText
from tests.bot.engine.runner_fixture import ANNA, BERT
from tests.virtual_time_loop import run
from verification.ids import PersonId


def turn(revision: int, person: PersonId = ANNA) -> Turn:
    return Turn(revision, ReplyContext(person, "zh", f"panel {revision}", MessageRef()), (SendText("misc.help"),))


def is_outage(error: BaseException) -> bool:
    return isinstance(error, OSError)


@dataclass
class FakeDelivery:
    """Records what is shown, asked again and released; the failures happen to the next replies, one each."""

    failures: list[Exception] = field(default_factory=list)
    shown: list[tuple[PersonId, int]] = field(default_factory=list)
    asked_again: list[PersonId] = field(default_factory=list)
    released: list[PersonId] = field(default_factory=list)
    done: list[str] = field(default_factory=list)
    gate: asyncio.Event | None = None

    async def carry_out(self, person: PersonId, state: Busy) -> DeliveryEvent:
        self.done.append(type(state).__name__)
        match state:
            case Acquiring():
                return LeaseNotNeeded()
            case Showing():
                return await self._show(person, state)
            case Reasking():
                self.asked_again.append(person)
                return Reasked(turn(100, person))
            case Releasing():
                self.released.append(person)
        return StoreUpdated()

    async def _show(self, person: PersonId, state: Showing) -> DeliveryEvent:
        if self.gate is not None and person == ANNA:
            await self.gate.wait()
        if self.failures:
            raise self.failures.pop(0)
        self.shown.append((person, state.turn.revision))
        return EffectDone(state.context.panel)


async def deliver(delivery: FakeDelivery, *turns: Turn) -> float:
    """Deliver turns to the end, and say how many seconds that took."""
    queues = DeliveryQueues(delivery.carry_out, is_outage)
    async with queues.running():
        for one in turns:
            queues.add(one)
        assert await queues.wait_until_idle(600)
        assert not any(queues.is_delivering(one.context.person) for one in turns)
        return asyncio.get_running_loop().time()


async def test_turns_go_out_by_their_revision_however_they_came() -> None:
    delivery = FakeDelivery(gate=asyncio.Event())
    queues = DeliveryQueues(delivery.carry_out, is_outage)
    async with queues.running():
        for revision in (1, 4, 3, 2):
            queues.add(turn(revision))
        assert delivery.gate is not None
        delivery.gate.set()
        assert await queues.wait_until_idle(5)

    assert [revision for _, revision in delivery.shown] == [1, 2, 3, 4]


async def test_a_person_is_known_while_something_is_on_its_way_and_forgotten_after() -> None:
    delivery = FakeDelivery(gate=asyncio.Event())
    queues = DeliveryQueues(delivery.carry_out, is_outage)
    async with queues.running():
        queues.add(turn(1))
        during = queues.is_delivering(ANNA), queues.is_delivering(BERT), await queues.wait_until_idle(0)
        assert delivery.gate is not None
        delivery.gate.set()
        assert await queues.wait_until_idle(5)
        after = queues.is_delivering(ANNA)

    assert (during, after) == ((True, False, False), False)


async def test_nothing_is_kept_of_a_delivery_that_is_over() -> None:
    delivery, tasks = FakeDelivery(), weakref.WeakSet[asyncio.Task[object]]()

    async def carry_out(person: PersonId, state: Busy) -> DeliveryEvent:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        return await delivery.carry_out(person, state)

    queues = DeliveryQueues(carry_out, is_outage)
    async with queues.running():
        queues.add(turn(1))
        assert await queues.wait_until_idle(5)
        during = len(tasks)
        # The end of the task, and what is called after it.
        for _ in range(2):
            await asyncio.sleep(0)
        gc.collect()

        assert (during, len(tasks)) == (1, 0)


def test_a_turn_that_did_not_get_through_gives_way_to_the_question_and_what_waited_behind_it_too() -> None:
    delivery = FakeDelivery([DeliveryFailed("NetworkError")])
    run(deliver(delivery, turn(1), turn(2)))

    assert (delivery.asked_again, delivery.shown) == ([ANNA], [(ANNA, 100)])


@pytest.mark.parametrize(
    ("failure", "ends_in"),
    [
        (DeliveryFailed("NetworkError"), ["BackingOff", "Reasking"]),
        (OSError("the store is out of reach"), ["BackingOff", "Reasking"]),
        (RuntimeError("a fault"), ["BackingOff", "Reasking"]),
        (BotBlocked(), ["Blocking"]),
    ],
)
def test_each_failure_becomes_its_event(failure: Exception, ends_in: list[str]) -> None:
    delivery = FakeDelivery([failure])
    seconds = run(deliver(delivery, turn(1)))
    done = delivery.done[2:3]

    assert done == ends_in[-1:]
    assert seconds == (RETRY_DELAYS[0] if "BackingOff" in ends_in else 0)


def test_a_fault_of_ours_has_a_minute_to_pass_and_each_pause_is_at_most_twice_the_one_before() -> None:
    assert (RETRY_DELAYS[0], sum(RETRY_DELAYS)) == (0.5, 60.5)
    assert all(one < other <= 2 * one for one, other in pairwise(RETRY_DELAYS))


def test_the_pauses_grow_with_each_failure_in_a_row_and_end_at_the_longest() -> None:
    delivery = FakeDelivery([DeliveryFailed("NetworkError")] * (len(RETRY_DELAYS) + 2))

    assert run(deliver(delivery, turn(1))) == sum(RETRY_DELAYS) + 2 * RETRY_DELAYS[-1]


def test_an_outage_is_never_given_up_and_nobody_waits_long_after_its_end() -> None:
    delivery = FakeDelivery([OSError("the store is out of reach")] * 30)

    assert run(deliver(delivery, turn(1))) <= 30 * 2
    assert delivery.shown == [(ANNA, 100)]


def test_a_fault_of_ours_is_given_up_after_some_tries_and_the_lease_goes_back() -> None:
    delivery = FakeDelivery([RuntimeError("a fault")] * 30)
    run(deliver(delivery, turn(1)))

    assert (delivery.shown, len(delivery.asked_again)) == ([], len(RETRY_DELAYS) - 1)
    assert delivery.released == [ANNA]


async def test_one_persons_delay_does_not_delay_another() -> None:
    delivery = FakeDelivery(gate=asyncio.Event())
    queues = DeliveryQueues(delivery.carry_out, is_outage)
    async with queues.running():
        queues.add(turn(1))
        queues.add(turn(1, BERT))
        while (BERT, 1) not in delivery.shown:  # noqa: ASYNC110 - it is the next thing to happen
            await asyncio.sleep(0)
        before = list(delivery.shown)
        assert delivery.gate is not None
        delivery.gate.set()
        assert await queues.wait_until_idle(5)

    assert before == [(BERT, 1)]


async def test_stopping_drops_what_cannot_be_shown_in_time_and_ends() -> None:
    delivery = FakeDelivery(gate=asyncio.Event())
    queues = DeliveryQueues(delivery.carry_out, is_outage)
    async with queues.running(grace=0):
        queues.add(turn(1))
        await asyncio.sleep(0)

    assert (delivery.shown, queues.is_delivering(ANNA)) == ([], False)
    assert await queues.wait_until_idle(0)


def test_stopping_waits_for_what_is_on_its_way_as_long_as_it_is_told() -> None:
    async def stop(grace: float) -> list[tuple[PersonId, int]]:
        delivery = FakeDelivery([DeliveryFailed("NetworkError")])
        queues = DeliveryQueues(delivery.carry_out, is_outage)
        async with queues.running(grace):
            queues.add(turn(1))
        return delivery.shown

    assert run(stop(RETRY_DELAYS[0] / 2)) == []
    assert run(stop(RETRY_DELAYS[0] * 2)) == [(ANNA, 100)]


async def test_nothing_is_shown_before_the_start_or_after_the_end() -> None:
    delivery = FakeDelivery()
    queues = DeliveryQueues(delivery.carry_out, is_outage)
    queues.add(turn(1))
    before = queues.is_delivering(ANNA)
    async with queues.running():
        pass
    queues.add(turn(2))

    assert not before
    assert not queues.is_delivering(ANNA)
    assert await queues.wait_until_idle(1)
    assert delivery.shown == []


def test_stopping_waits_five_seconds_unless_it_is_told_otherwise() -> None:
    async def stop() -> float:
        queues = DeliveryQueues(FakeDelivery(gate=asyncio.Event()).carry_out, is_outage)
        begun = asyncio.get_running_loop().time()
        async with queues.running():
            queues.add(turn(1))
        return asyncio.get_running_loop().time() - begun

    assert run(stop()) == pytest.approx(5)
