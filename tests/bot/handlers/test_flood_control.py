"""A flood of one person's updates is dropped; neither that person nor anybody else loses a step."""

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
from tests.open_unit import open_unit
from tests.simulator_fixture import NUMBER, go_to_method_choice, simulator

BURST = 60
SENDER = 200000001


@dataclass
class FakeMonotonic:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


def flood_control(fixture: RunnerFixture, seconds: FakeMonotonic) -> FloodControl:
    return FloodControl(fixture.store, fixture.runner, fixture.clock, seconds)


def raw(update: int, kind: str = "private", **content: Any) -> dict[str, Any]:
    chat = {"id": SENDER, "type": kind}
    return {"update_id": update, "message": {"message_id": update, "chat": chat, "from": {"id": SENDER}, **content}}


def pressed(update: int) -> dict[str, Any]:
    query = {"id": "1", "from": {"id": SENDER}, "message": {"message_id": 7, "chat": {"id": SENDER, "type": "private"}}}
    return {"update_id": update, "callback_query": query}


def notes(fixture: RunnerFixture) -> list[str | None]:
    return [reply.note for _, reply in fixture.chat.shown if isinstance(reply, AskQuestion)]


async def test_a_burst_is_admitted_and_then_one_update_a_second(tmp_path: Path) -> None:
    seconds = FakeMonotonic()
    async with runner_fixture(tmp_path) as fixture:
        control = flood_control(fixture, seconds)
        burst = [control.admits(SENDER) for _ in range(BURST * 2)]
        others = control.admits(SENDER + 1), control.admits(None)
        seconds.now += 1
        later = [control.admits(SENDER) for _ in range(2)]

    assert burst == [True] * BURST + [False] * BURST
    assert others == (True, True)
    assert later == [True, False]


async def test_a_dropped_update_is_marked_as_seen_and_its_message_is_deleted(tmp_path: Path) -> None:
    async with runner_fixture(tmp_path) as fixture:
        await fixture.send_event(Commanded(Command.START))
        await flood_control(fixture, FakeMonotonic()).drop([raw(1, text=NUMBER), pressed(2), raw(3, text="x")])
        assert await fixture.runner.wait_until_idle(10)
        deletions = await fixture.store.pending_deletions(10)
        await fixture.send_event(Commanded(Command.HELP), event_id="telegram:1")

    assert [deletion.message_id for deletion in deletions] == [1, 3]
    assert notes(fixture) == [None, "misc.slow_down"]


async def test_the_note_to_slow_down_comes_once_a_minute_with_the_current_question(tmp_path: Path) -> None:
    seconds = FakeMonotonic()
    async with runner_fixture(tmp_path) as fixture:
        control = flood_control(fixture, seconds)
        await fixture.send_event(Commanded(Command.START))
        for batch in range(5):
            await control.drop([raw(10 + batch)])
        seconds.now += BURST
        await control.drop([raw(20)])
        assert await fixture.runner.wait_until_idle(10)
        await fixture.taps(Choice.PERSONAL)

    assert notes(fixture) == [None, "misc.slow_down", "misc.slow_down", None]
    assert fixture.chat.questions()[-1] == "consent.ask"


async def test_a_flood_changes_no_state(tmp_path: Path) -> None:
    async with runner_fixture(tmp_path) as fixture:
        await fixture.until_method()
        before = await text_of(fixture)
        await flood_control(fixture, FakeMonotonic()).drop([raw(each, text="微信") for each in range(100)])
        assert await fixture.runner.wait_until_idle(10)

        assert await text_of(fixture) == before


async def text_of(fixture: RunnerFixture) -> str:
    async with open_unit(fixture.store, ANNA) as unit:
        saved = await unit.dialogue(ANNA)
    assert saved is not None
    return saved.text


async def test_a_malformed_update_in_a_flood_is_no_error(tmp_path: Path) -> None:
    odd: list[dict[str, Any]] = [
        {},
        {"update_id": "x", "message": None},
        {"update_id": 2, "message": {"chat": 5}},
        {"update_id": 3, "callback_query": {"message": []}},
        raw(4, kind="group"),
    ]
    async with runner_fixture(tmp_path) as fixture:
        await flood_control(fixture, FakeMonotonic()).drop(odd)
        assert await fixture.runner.wait_until_idle(10)

        assert (fixture.chat.shown, await fixture.store.pending_deletions(10)) == ([], [])


async def test_a_flood_delays_no_other_person_loses_no_step_and_leaves_no_number_in_the_chat(tmp_path: Path) -> None:
    async with simulator() as telegram, running_bot(telegram, tmp_path) as bot:
        flooder, other = await telegram.new_user(), await telegram.new_user("李雷")
        await go_to_method_choice(flooder)
        for _ in range(BURST * 2):
            await flooder.says("在吗")
        await flooder.says(NUMBER)
        await go_to_method_choice(other)
        await flooder.sees("消息太多啦")
        await bot.wait_until_quiet()
        async with asyncio.timeout(20):
            while flooder.find("等待扫码") is None:
                # Until there is a token in the bucket again.
                await flooder.taps("微信扫码")
                await bot.wait_until_quiet()
        await bot.app.jobs.cleanup.delete_pending_messages(timedelta())
        own = [message["text"] for message in flooder.messages() if message["from"] != "bot"]

    assert sum("消息太多啦" in text for text in flooder.everything_said()) == 1
    assert not any(NUMBER in (text or "") for text in own)
