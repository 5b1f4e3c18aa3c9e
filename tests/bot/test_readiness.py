"""`/readyz` tells what is so: each part turns red for its own reason, and green again by itself, without an update."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path

from bot.container.readiness import (
    AGAIN_SECONDS,
    PROBE_SECONDS,
    SILENCE_SECONDS,
    PollingProbe,
    SharedProbe,
    StoreProbe,
    WebhookProbe,
)
from bot.engine.messages import FRONT_END
from bot.intake import SILENT_SECONDS
from playground.world.webhook import WebhookTarget
from storage import SqlStore, open_store
from tests.bot.app_fixture import RunningBot, running_bot
from tests.crash.process import free_port
from tests.fakes import make_sealing
from tests.postgres_server import Server
from tests.simulator_fixture import Simulator, simulator

SECRET = "a-secret-of-the-webhook"


@dataclass
class HandClock:
    """Seconds that a test moves."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


# An answer is shared


@dataclass
class CountingProbe:
    """Gives its answer, and counts how often it is asked."""

    answer: str = ""
    asked: int = 0

    async def __call__(self) -> str:
        self.asked += 1
        await asyncio.sleep(0)  # others ask meanwhile
        return self.answer


async def test_all_who_ask_within_the_time_share_one_answer() -> None:
    clock, probe = HandClock(), CountingProbe()
    shared = SharedProbe(probe, 15, clock)

    assert set(await asyncio.gather(*(shared.ask() for _ in range(100)))) == {""}
    clock.now += 14.9
    assert (await shared.ask(), probe.asked) == ("", 1)
    clock.now += 0.2
    assert (await shared.ask(), probe.asked) == ("", 2)


async def test_a_bad_answer_counts_for_a_shorter_time() -> None:
    clock, probe = HandClock(), CountingProbe("is read-only")
    shared = SharedProbe(probe, 15, clock)
    assert await shared.ask() == "is read-only"
    probe.answer = ""

    assert await shared.ask() == "is read-only"
    clock.now += AGAIN_SECONDS
    assert await shared.ask() == ""


# The store


@asynccontextmanager
async def store_probe(url: str) -> AsyncIterator[tuple[SqlStore, StoreProbe]]:
    async with open_store(url, sealing=make_sealing()) as store:
        yield store, StoreProbe(store, "probe:test")


async def test_a_probe_of_the_store_commits_a_write_and_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "bot.sqlite3"
    async with store_probe(f"sqlite:///{path}") as (store, probe):
        before, log_before = store.counts.commits, (tmp_path / "bot.sqlite3-wal").stat().st_size
        assert await probe.ask() == ""
        with closing(sqlite3.connect(path)) as other:
            assert other.execute("SELECT count(*) FROM programs").fetchone() == (0,)

        assert store.counts.commits == before + 1
        assert (tmp_path / "bot.sqlite3-wal").stat().st_size > log_before


async def test_a_sqlite_file_that_somebody_locks_is_red_and_green_again(tmp_path: Path) -> None:
    path = tmp_path / "bot.sqlite3"
    async with store_probe(f"sqlite:///{path}") as (_, probe):
        assert await probe.ask() == ""
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            assert await probe.ask() == f"did not take a write within {PROBE_SECONDS} s"
        assert await probe.ask() == ""


async def test_a_read_only_database_server_is_red_and_green_again(server: Server) -> None:
    async with store_probe(await server.new_database()) as (store, probe):
        try:
            for read_only, reason in (("off", ""), ("on", "is read-only"), ("off", ""), ("on", "is read-only")):
                await server.set_read_only(read_only)
                await turns(probe.ask, reason)
                assert list(await store.pending_replies(FRONT_END, 1)) == [], "it can be read all the time"
        finally:
            await server.set_read_only("off")


async def test_a_database_server_that_is_away_is_red_and_green_again(server: Server) -> None:
    async with store_probe(await server.new_database()) as (_, probe):
        assert await probe.ask() == ""
        server.stop()
        assert await probe.ask() in ("cannot be written", f"did not take a write within {PROBE_SECONDS} s")
        server.start()
        await turns(probe.ask, "")


async def turns(ask: Callable[[], Awaitable[str]], reason: str) -> None:
    """Ask until this is the answer."""
    async with asyncio.timeout(20):
        while await ask() != reason:
            pass


# Telegram by webhook


@asynccontextmanager
async def webhook_probe(telegram: Simulator, folder: Path, clock: HandClock) -> AsyncIterator[WebhookProbe]:
    port = free_port()
    settings = {"port": port, "webhook_url": f"http://127.0.0.1:{port}", "webhook_secret": SECRET}
    async with running_bot(telegram, folder, **settings) as bot:
        yield WebhookProbe(bot.app.senders.bot, f"http://127.0.0.1:{port}/telegram", bot.app.intake.updates, clock)


ELSEWHERE = WebhookTarget("https://bot.example.org/telegram", SECRET, 40)


async def test_a_webhook_that_leads_elsewhere_or_nowhere_is_red_and_green_again(tmp_path: Path) -> None:
    async with simulator() as telegram, webhook_probe(telegram, tmp_path, HandClock()) as probe:
        webhook = telegram.playground.world.webhook
        ours = webhook.target
        assert ours is not None
        assert await probe.ask() == ""
        for _ in range(2):
            webhook.set_target(ELSEWHERE)
            assert await probe.ask() == "the webhook leads to another address"
            webhook.clear_target()
            assert await probe.ask() == "no webhook is set"
            webhook.set_target(ours)
            assert await probe.ask() == ""


async def test_a_telegram_that_is_silent_is_red_after_a_while_and_green_again(tmp_path: Path) -> None:
    clock = HandClock()
    async with simulator() as telegram, webhook_probe(telegram, tmp_path, clock) as probe:
        assert await probe.ask() == ""
        for _ in range(2):
            await telegram.inject_fault("getWebhookInfo", "502", times=2)
            clock.now += SILENCE_SECONDS - 1
            assert await probe.ask() == ""
            clock.now += 1
            assert await probe.ask() == f"Telegram was last heard {SILENCE_SECONDS} s ago"
            assert await probe.ask() == ""


async def test_an_update_is_a_sign_of_life_too(tmp_path: Path) -> None:
    now = asyncio.get_running_loop().time
    clock = HandClock(now() - 1000)
    async with simulator() as telegram, webhook_probe(telegram, tmp_path, clock) as probe:
        await telegram.inject_fault("getWebhookInfo", "502", times=2)
        clock.now += 1000
        assert await probe.ask() == "Telegram was last heard 1000 s ago"
        guest = await telegram.new_user()
        await guest.says("/start")
        await guest.sees("你要认证哪一类")

        clock.now = now()
        assert await probe.ask() == ""


async def test_a_webhook_that_leads_elsewhere_stays_red_while_telegram_is_silent(tmp_path: Path) -> None:
    async with simulator() as telegram, webhook_probe(telegram, tmp_path, HandClock()) as probe:
        telegram.playground.world.webhook.clear_target()
        assert await probe.ask() == "no webhook is set"
        await telegram.inject_fault("getWebhookInfo", "502")

        assert await probe.ask() == "no webhook is set"


# Telegram by polling


async def test_a_poll_that_is_long_ago_is_red_and_green_again(tmp_path: Path) -> None:
    async with simulator() as telegram, running_bot(telegram, tmp_path) as bot:
        await bot.wait_until_quiet()
        poller = bot.app.intake.poller
        assert poller.polled_at is not None
        clock = HandClock(poller.polled_at)
        probe = PollingProbe(poller, clock)
        assert await probe.ask() == ""
        clock.now += SILENCE_SECONDS
        assert await probe.ask() == f"the last poll that succeeded was {SILENCE_SECONDS} s ago"

        guest = await telegram.new_user()
        await guest.says("/start")
        await bot.wait_until_quiet()
        clock.now = poller.polled_at
        assert await probe.ask() == ""
        clock.now += SILENCE_SECONDS + 30
        assert await probe.ask() == f"the last poll that succeeded was {SILENCE_SECONDS + 30} s ago"


async def test_a_program_that_stands_by_is_red_only_while_the_one_that_polls_is_silent(tmp_path: Path) -> None:
    async with simulator() as telegram, running_bot(telegram, tmp_path) as bot:
        poller = bot.app.intake.poller
        poller.is_waiting = True
        probe, answers = PollingProbe(poller, HandClock(0)), []
        for silence in (0.0, SILENT_SECONDS, 0.5):
            poller.holder_silence = silence
            answers.append(await probe.ask())

        assert answers == ["", "the program that polls is silent for 5 s", ""]


async def test_a_bot_that_has_not_polled_yet_is_red(tmp_path: Path) -> None:
    async with simulator() as telegram:
        await telegram.inject_fault("getUpdates", "502", times=100)
        async with running_bot(telegram, tmp_path) as bot:
            assert await readiness(telegram, bot) == {"telegram": "no poll has succeeded yet"}


async def test_the_page_names_every_reason(tmp_path: Path) -> None:
    port = free_port()
    settings = {"port": port, "webhook_url": f"http://127.0.0.1:{port}", "webhook_secret": SECRET}
    async with simulator() as telegram, running_bot(telegram, tmp_path, **settings) as bot:
        telegram.playground.world.webhook.set_target(ELSEWHERE)
        with closing(sqlite3.connect(tmp_path / "bot.sqlite3", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            assert await readiness(telegram, bot) == {
                "store": f"did not take a write within {PROBE_SECONDS} s",
                "telegram": "the webhook leads to another address",
            }


async def readiness(telegram: Simulator, bot: RunningBot) -> object:
    """The reasons that the page names."""
    async with telegram.http.get(f"{bot.app.deps.public_url}/readyz") as answer:
        told = await answer.json()
    assert answer.status == (503 if told["reasons"] else 200)
    return told["reasons"]
