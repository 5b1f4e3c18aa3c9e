"""Two programs on one database: one polls, the other waits and takes over, and users notice nothing."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from playground.phone.browser import Phone
from tests.crash.conversation import CHAT, DONE, STEPS, came
from tests.crash.process import ManagedBot, running_bot_process
from tests.postgres_server import PASSWORD, Server
from tests.simulator_fixture import PATIENCE, Simulator, simulator

WAITS = "another program with this database polls"


@pytest.fixture(params=["sqlite", "postgres"])
async def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/bot.sqlite3"
    server: Server = request.getfixturevalue("server")
    return await server.new_database()


async def says(bot: ManagedBot, words: str) -> None:
    """Wait until a program prints this."""
    async with asyncio.timeout(PATIENCE):
        while words not in bot.output():  # noqa: ASYNC110 - a file rings no bell
            await asyncio.sleep(0.01)


@asynccontextmanager
async def a_second(telegram: Simulator, folder: Path, first: ManagedBot, url: str) -> AsyncIterator[ManagedBot]:
    """Start another program on the same database, with the same keys."""
    folder.mkdir()  # noqa: ASYNC240 - a folder of the test's own
    second = ManagedBot(telegram, folder, DATABASE_URL=url, DATA_DIR=str(first.data), PORT="0")
    try:
        await second.launch()
        await says(second, WAITS)
        yield second
    finally:
        await second.kill_without_waiting()


async def test_the_second_waits_ready_and_goes_on_where_the_killed_first_was(tmp_path: Path, url: str) -> None:
    async with (
        simulator() as telegram,
        running_bot_process(telegram, tmp_path, DATABASE_URL=url) as first,
        a_second(telegram, tmp_path / "second", first, url) as second,
        telegram.http.get(f"{second.address()}/readyz") as ready,
    ):
        guest = await telegram.new_user()
        await CHAT[0].do(guest, None)  # type: ignore[arg-type]  # no phone is needed to begin
        await guest.sees(CHAT[0].reply_text)
        held = telegram.hold_call(CHAT[1].calls[0], applied=False)
        await CHAT[1].do(guest, None)  # type: ignore[arg-type]
        await held.caught.wait()
        await first.kill_without_waiting()
        await guest.sees(CHAT[1].reply_text)
        await CHAT[2].do(guest, None)  # type: ignore[arg-type]
        await guest.sees(CHAT[2].reply_text)

    assert ready.status == 200
    assert second.output().count(WAITS) == 1
    assert "the other program ended; polling" in second.output()
    assert PASSWORD not in first.output() + second.output()


async def test_the_second_ends_quietly_while_it_waits(tmp_path: Path, url: str) -> None:
    async with (
        simulator() as telegram,
        running_bot_process(telegram, tmp_path, DATABASE_URL=url) as first,
        a_second(telegram, tmp_path / "second", first, url) as second,
    ):
        second.signal(signal.SIGTERM)
        async with asyncio.timeout(PATIENCE):
            code = await second.ended()

    assert code == 0


async def is_red(telegram: Simulator, bot: ManagedBot, words: str) -> None:
    """Wait until a program's readiness gives this reason."""
    async with asyncio.timeout(PATIENCE):
        while True:
            async with telegram.http.get(f"{bot.address()}/readyz") as ready:
                if words in await ready.text():
                    assert ready.status == 503
                    return
            await asyncio.sleep(0.1)


@pytest.mark.slow("crash")
async def test_inv31_a_frozen_poller_is_reported_and_replaced_and_sends_nothing_after_it_wakes(
    tmp_path: Path, url: str
) -> None:
    async with (
        simulator() as telegram,
        running_bot_process(telegram, tmp_path, DATABASE_URL=url) as first,
        a_second(telegram, tmp_path / "second", first, url) as second,
    ):
        guest = await telegram.new_user()
        for step in CHAT[:3]:
            await step.do(guest, None)  # type: ignore[arg-type]  # no phone is needed for the chat
            await guest.sees(step.reply_text)
        # The name is stored, and its message is about to be deleted; the next question waits for that.
        held = telegram.hold_call("deleteMessages", applied=False)
        await CHAT[3].do(guest, None)  # type: ignore[arg-type]
        await held.caught.wait()
        first.signal(signal.SIGSTOP)
        await is_red(telegram, second, "is silent for")
        await guest.sees(CHAT[3].reply_text)
        first.signal(signal.SIGCONT)
        await says(first, WAITS)
        await CHAT[4].do(guest, None)  # type: ignore[arg-type]
        await guest.sees(CHAT[4].reply_text)
        second.signal(signal.SIGTERM)
        await second.ended()
        await says(first, "starting anew")
        await CHAT[5].do(guest, None)  # type: ignore[arg-type]
        await guest.sees(CHAT[5].reply_text)

        assert [came(guest, step.reply_text) for step in CHAT[:6]] == [1] * 6
        assert "shows no sign of life; taking over soon" in second.output()


@pytest.mark.slow("crash")
async def test_a_second_copy_on_another_database_ends_itself_and_not_the_one_that_runs(tmp_path: Path) -> None:
    async with simulator() as telegram, running_bot_process(telegram, tmp_path) as first:
        started = asyncio.get_running_loop().time()
        guest = await telegram.new_user()
        async with asyncio.timeout(PATIENCE):
            while asyncio.get_running_loop().time() < started + 9:  # noqa: ASYNC110 - it is there first by seconds
                await asyncio.sleep(0.1)
        (tmp_path / "copy").mkdir()
        copy = ManagedBot(telegram, tmp_path / "copy")
        await copy.launch()
        async with asyncio.timeout(2 * PATIENCE):
            code = await copy.ended()
        await CHAT[0].do(guest, None)  # type: ignore[arg-type]
        await guest.sees(CHAT[0].reply_text)

        assert code == 1
        assert "another program polls with this BOT_TOKEN; stop it first" in copy.output()
        assert first.output().count("another program polls with this token") >= 1


async def test_inv27_a_whole_conversation_while_the_database_restarts_in_between(
    tmp_path: Path, server: Server
) -> None:
    url = await server.new_database()
    async with (
        simulator() as telegram,
        running_bot_process(telegram, tmp_path, DATABASE_URL=url) as bot,
        Phone() as phone,
    ):
        guest = await telegram.new_user()
        for number, step in enumerate(STEPS):
            if number in (2, 5):
                server.stop()
                server.start()
            await step.do(guest, phone)
            await guest.sees(step.reply_text)

        assert came(guest, DONE) == 1
        assert PASSWORD not in bot.output()
        assert {path.name for path in bot.data.iterdir()} == {"keys.json"}
