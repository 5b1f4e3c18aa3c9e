"""Lanes: each person's turns go out in order, and one lane's trouble is nobody else's."""

import asyncio
from dataclasses import dataclass, field

from bot.engine.delivery_queue import DeliveryQueues, PersonQueue
from bot.engine.messages import DeliveryFailed, MessageRef, ReplyContext, Turn
from bot.flow.effects import SendText
from tests.bot.engine.runner_fixture import ANNA, BERT
from tests.virtual_time_loop import run
from verification.ids import PersonId


def turn(revision: int, person: PersonId = ANNA) -> Turn:
    return Turn(revision, ReplyContext(person, "zh", f"panel {revision}", MessageRef()), (SendText("misc.help"),))


def is_outage(error: BaseException) -> bool:
    return isinstance(error, OSError)


@dataclass
class Show:
    """Notes what is shown; troubles happen to the next ones."""

    troubles: list[Exception] = field(default_factory=list)
    shown: list[tuple[PersonId, int]] = field(default_factory=list)
    again: list[PersonId] = field(default_factory=list)
    gate: asyncio.Event | None = None

    async def show(self, turn: Turn, lane: PersonQueue) -> None:
        if self.gate is not None and turn.context.person == ANNA:
            await self.gate.wait()
        if self.troubles:
            raise self.troubles.pop(0)
        self.shown.append((turn.context.person, turn.revision))

    async def ask_again(self, person: PersonId) -> Turn:
        self.again.append(person)
        return turn(100, person)


async def test_turns_go_out_by_their_revision_however_they_came() -> None:
    made = Show(gate=asyncio.Event())
    lanes = DeliveryQueues(made.show, made.ask_again, is_outage)
    async with lanes.running():
        for revision in (1, 4, 3, 2):
            lanes.add(turn(revision))
        assert made.gate is not None
        made.gate.set()
        assert await lanes.wait_until_idle(5)

    assert [revision for _, revision in made.shown] == [1, 2, 3, 4]


async def test_a_lane_is_known_while_it_works_and_forgotten_after() -> None:
    made = Show(gate=asyncio.Event())
    lanes = DeliveryQueues(made.show, made.ask_again, is_outage)
    async with lanes.running():
        lanes.add(turn(1))
        during = lanes.is_delivering(ANNA), lanes.is_delivering(BERT), await lanes.wait_until_idle(0)
        assert made.gate is not None
        made.gate.set()
        assert await lanes.wait_until_idle(5)
        after = lanes.is_delivering(ANNA)

    assert (during, after) == ((True, False, False), False)


async def test_a_turn_that_did_not_get_through_gives_way_to_the_question_and_what_waited_behind_it_too() -> None:
    made = Show(troubles=[DeliveryFailed("NetworkError")])
    lanes = DeliveryQueues(made.show, made.ask_again, is_outage)
    async with lanes.running():
        lanes.add(turn(1))
        lanes.add(turn(2))
        assert await lanes.wait_until_idle(5)

    assert (made.again, made.shown) == ([ANNA], [(ANNA, 100)])


async def test_a_lane_does_not_give_up_however_long_the_trouble_lasts() -> None:
    made = Show(troubles=[OSError("the store is away")] * 30)
    lanes = DeliveryQueues(made.show, made.ask_again, is_outage, retry_delays=(0,))
    async with lanes.running():
        lanes.add(turn(1))
        assert await lanes.wait_until_idle(5)

    assert made.shown == [(ANNA, 100)]


def test_after_an_outage_however_long_nobody_waits_on() -> None:
    made = Show(troubles=[OSError("the store is away")] * 30)

    async def lived_through() -> float:
        lanes = DeliveryQueues(made.show, made.ask_again, is_outage)
        async with lanes.running():
            lanes.add(turn(1))
            assert await lanes.wait_until_idle(600)
        return asyncio.get_running_loop().time()

    assert run(lived_through()) <= 30 * 2
    assert made.shown == [(ANNA, 100)]


async def test_a_fault_of_ours_is_not_tried_for_ever_and_leaves_the_answer_owed() -> None:
    made = Show(troubles=[RuntimeError("a fault")] * 30)
    lanes = DeliveryQueues(made.show, made.ask_again, is_outage, retry_delays=(0, 0, 0))
    async with lanes.running():
        lanes.add(turn(1))
        assert await lanes.wait_until_idle(5)

    assert (made.shown, len(made.again), lanes.is_delivering(ANNA)) == ([], 2, False)


async def test_trouble_in_one_lane_does_not_hold_another_up() -> None:
    made = Show(gate=asyncio.Event())
    lanes = DeliveryQueues(made.show, made.ask_again, is_outage)
    async with lanes.running():
        lanes.add(turn(1))
        lanes.add(turn(1, BERT))
        while (BERT, 1) not in made.shown:  # noqa: ASYNC110 - it is the next thing to happen
            await asyncio.sleep(0)
        before = list(made.shown)
        assert made.gate is not None
        made.gate.set()
        assert await lanes.wait_until_idle(5)

    assert before == [(BERT, 1)]


async def test_leaving_gives_up_what_cannot_be_shown_and_ends() -> None:
    made = Show(gate=asyncio.Event())
    lanes = DeliveryQueues(made.show, made.ask_again, is_outage)
    async with lanes.running(grace=0):
        lanes.add(turn(1))
        await asyncio.sleep(0)

    assert (made.shown, lanes.is_delivering(ANNA)) == ([], False)


async def test_outside_its_hours_nothing_is_shown() -> None:
    made = Show()
    lanes = DeliveryQueues(made.show, made.ask_again, is_outage)
    lanes.add(turn(1))

    assert await lanes.wait_until_idle(1)
    assert made.shown == []
