"""Two programs on one database: one polls, the other waits and takes over, and people notice nothing."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from playground.phone.browser import Phone
from tests.crash.conversation import ACTS, CHAT, DONE, came
from tests.crash.process import Bot, at_work
from tests.postgres import PASSWORD, Server
from tests.simulator_fixture import PATIENCE, Town, town

WAITS = "another program with this database polls"


@pytest.fixture(params=["sqlite", "postgres"])
async def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/bot.sqlite3"
    server: Server = request.getfixturevalue("server")
    return await server.new_database()


async def says(bot: Bot, words: str) -> None:
    """Wait until a program says this on its streams."""
    async with asyncio.timeout(PATIENCE):
        while words not in bot.words():  # noqa: ASYNC110 - a file rings no bell
            await asyncio.sleep(0.01)


@asynccontextmanager
async def a_second(place: Town, folder: Path, first: Bot, url: str) -> AsyncIterator[Bot]:
    """Start another program on the same database, with the same keys."""
    folder.mkdir()  # noqa: ASYNC240 - a folder of the test's own
    second = Bot(place, folder, DATABASE_URL=url, DATA_DIR=str(first.data), PORT="0")
    try:
        await second.launch()
        await says(second, WAITS)
        yield second
    finally:
        await second.vanish()


async def test_the_second_waits_ready_and_goes_on_where_the_killed_first_was(tmp_path: Path, url: str) -> None:
    async with (
        town() as place,
        at_work(place, tmp_path, DATABASE_URL=url) as first,
        a_second(place, tmp_path / "second", first, url) as second,
        place.http.get(f"{second.address()}/readyz") as ready,
    ):
        guest = await place.guest()
        await CHAT[0].do(guest, None)  # type: ignore[arg-type]  # no phone is needed to begin
        await guest.sees(CHAT[0].sign)
        held = place.hold(CHAT[1].calls[0], done=False)
        await CHAT[1].do(guest, None)  # type: ignore[arg-type]
        await held.caught.wait()
        await first.vanish()
        await guest.sees(CHAT[1].sign)
        await CHAT[2].do(guest, None)  # type: ignore[arg-type]
        await guest.sees(CHAT[2].sign)

    assert ready.status == 200
    assert second.words().count(WAITS) == 1
    assert "the other program ended; polling" in second.words()
    assert PASSWORD not in first.words() + second.words()


async def test_the_second_ends_quietly_while_it_waits(tmp_path: Path, url: str) -> None:
    async with (
        town() as place,
        at_work(place, tmp_path, DATABASE_URL=url) as first,
        a_second(place, tmp_path / "second", first, url) as second,
    ):
        second.signal(signal.SIGTERM)
        async with asyncio.timeout(PATIENCE):
            code = await second.ended()

    assert code == 0


async def test_inv27_a_whole_conversation_while_the_database_restarts_in_between(
    tmp_path: Path, server: Server
) -> None:
    url = await server.new_database()
    async with town() as place, at_work(place, tmp_path, DATABASE_URL=url) as bot, Phone() as phone:
        guest = await place.guest()
        for number, act in enumerate(ACTS):
            if number in (2, 5):
                server.stop()
                server.start()
            await act.do(guest, phone)
            await guest.sees(act.sign)

        assert came(guest, DONE) == 1
        assert PASSWORD not in bot.words()
        assert {path.name for path in bot.data.iterdir()} == {"keys.json", "bot_name"}
