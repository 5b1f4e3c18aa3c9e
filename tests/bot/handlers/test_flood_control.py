"""A flood from one person: it is passed over cheaply, and costs neither them nor anybody else a step."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from bot.flow.effects import AskQuestion
from bot.flow.events import Choice, Command, Commanded
from bot.handlers.flood_control import FloodControl
from tests.bot.app_fixture import running_bot
from tests.bot.engine.runner_fixture import ANNA, RunnerFixture, runner_fixture
from tests.simulator_fixture import NUMBER, go_to_method_choice, simulator

BURST = 60
SENDER = 200000001


@dataclass
class FakeMonotonic:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


def crowd_of(desk: RunnerFixture, seconds: FakeMonotonic) -> FloodControl:
    return FloodControl(desk.store, desk.runner, desk.clock, seconds)


def raw(update: int, kind: str = "private", **content: Any) -> dict[str, Any]:
    chat = {"id": SENDER, "type": kind}
    return {"update_id": update, "message": {"message_id": update, "chat": chat, "from": {"id": SENDER}, **content}}


def pressed(update: int) -> dict[str, Any]:
    query = {"id": "1", "from": {"id": SENDER}, "message": {"message_id": 7, "chat": {"id": SENDER, "type": "private"}}}
    return {"update_id": update, "callback_query": query}


def notes(desk: RunnerFixture) -> list[str | None]:
    return [reply.note for _, reply in desk.chat.shown if isinstance(reply, AskQuestion)]


async def test_a_burst_is_let_in_and_then_one_a_second(tmp_path: Path) -> None:
    seconds = FakeMonotonic()
    async with runner_fixture(tmp_path) as desk:
        crowd = crowd_of(desk, seconds)
        burst = [crowd.admits(SENDER) for _ in range(BURST * 2)]
        others = crowd.admits(SENDER + 1), crowd.admits(None)
        seconds.now += 1
        later = [crowd.admits(SENDER) for _ in range(2)]

    assert burst == [True] * BURST + [False] * BURST
    assert others == (True, True)
    assert later == [True, False]


async def test_what_is_passed_over_is_known_when_it_comes_again_and_vanishes_from_the_chat(tmp_path: Path) -> None:
    async with runner_fixture(tmp_path) as desk:
        await desk.send_event(Commanded(Command.START))
        await crowd_of(desk, FakeMonotonic()).drop([raw(1, text=NUMBER), pressed(2), raw(3, text="x")])
        assert await desk.runner.wait_until_idle(10)
        litter = await desk.store.pending_deletions(10)
        await desk.send_event(Commanded(Command.HELP), event_id="telegram:1")

    assert [left.message_id for left in litter] == [1, 3]
    assert notes(desk) == [None, "misc.slow_down"]


async def test_the_question_at_hand_is_asked_again_and_the_word_is_said_once_in_a_while(tmp_path: Path) -> None:
    seconds = FakeMonotonic()
    async with runner_fixture(tmp_path) as desk:
        crowd = crowd_of(desk, seconds)
        await desk.send_event(Commanded(Command.START))
        for batch in range(5):
            await crowd.drop([raw(10 + batch)])
        seconds.now += BURST
        await crowd.drop([raw(20)])
        assert await desk.runner.wait_until_idle(10)
        await desk.taps(Choice.PERSONAL)

    assert notes(desk) == [None, "misc.slow_down", "misc.slow_down", None]
    assert desk.chat.questions()[-1] == "consent.ask"


async def test_a_flood_changes_no_state(tmp_path: Path) -> None:
    async with runner_fixture(tmp_path) as desk:
        await desk.until_method()
        before = await text_of(desk)
        await crowd_of(desk, FakeMonotonic()).drop([raw(each, text="微信") for each in range(100)])
        assert await desk.runner.wait_until_idle(10)

        assert await text_of(desk) == before


async def text_of(desk: RunnerFixture) -> str:
    async with desk.store.unit(ANNA) as unit:
        kept = await unit.dialogue(ANNA)
    assert kept is not None
    return kept.text


async def test_nothing_odd_in_a_flood_is_an_error(tmp_path: Path) -> None:
    odd: list[dict[str, Any]] = [
        {},
        {"update_id": "x", "message": None},
        {"update_id": 2, "message": {"chat": 5}},
        {"update_id": 3, "callback_query": {"message": []}},
        raw(4, kind="group"),
    ]
    async with runner_fixture(tmp_path) as desk:
        await crowd_of(desk, FakeMonotonic()).drop(odd)
        assert await desk.runner.wait_until_idle(10)

        assert (desk.chat.shown, await desk.store.pending_deletions(10)) == ([], [])


async def test_a_flood_holds_nobody_up_loses_no_step_and_leaves_no_number_in_the_chat(tmp_path: Path) -> None:
    async with simulator() as place, running_bot(place, tmp_path) as bot:
        flooder, other = await place.new_user(), await place.new_user("李雷")
        await go_to_method_choice(flooder)
        for _ in range(BURST * 2):
            await flooder.says("在吗")
        await flooder.says(NUMBER)
        await go_to_method_choice(other)
        await flooder.sees("消息太多啦")
        await bot.wait_until_quiet()
        async with asyncio.timeout(20):
            while flooder.find("等待扫码") is None:
                # Until there is a token again.
                await flooder.taps("微信扫码")
                await bot.wait_until_quiet()
        await bot.app.jobs.cleanup.delete_pending_messages(timedelta())
        own = [message["text"] for message in flooder.messages() if message["from"] != "bot"]

    assert sum("消息太多啦" in text for text in flooder.everything_said()) == 1
    assert not any(NUMBER in (text or "") for text in own)
