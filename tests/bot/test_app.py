"""The whole program: the profile it publishes, what it cleans up, and how phones reach it."""

import asyncio
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from telegram import Bot

from bot.app import _publish_menus
from bot.handlers.api.transport import BotApiRequest
from bot.handlers.commands_menu import publish_profile
from bot.handlers.incoming import person_of
from bot.handlers.staff.menu import publish_staff_menus
from bot.intake import StartupError
from playground.phone.apps import PhoneApp
from playground.phone.browser import Phone
from storage import SqlStore, open_store
from storage.encryption.key_file import KeyFile
from tests.bot.app_fixture import running_bot
from tests.bot.handlers.staff_fixture import CATALOGUE
from tests.crash.process import free_port
from tests.fakes import TELEGRAM, make_sealing
from tests.open_unit import open_unit
from tests.simulator_fixture import PATIENCE, TOKEN, ChatUser, go_to_method_choice, simulator
from verification.dialogue_store import PendingDeletion
from web.serving import listen, serving

ROOT = Path(__file__).parents[2]


async def schedule_deletion(store: SqlStore, guest: ChatUser, message_id: int) -> None:
    """Store that a message must be deleted."""
    person = person_of(guest.id)
    async with open_unit(store, person) as unit:
        await unit.schedule_deletion(PendingDeletion(person, message_id, datetime.now(UTC)))


async def test_deletions_that_a_crash_left_are_done_at_the_start(tmp_path: Path) -> None:
    async with simulator() as telegram:
        guest = await telegram.new_user()
        message = await guest.sends("sticker")
        keys = KeyFile(tmp_path / "keys.json").sealing()
        async with open_store(f"sqlite:///{tmp_path}/bot.sqlite3", sealing=keys) as store:
            await schedule_deletion(store, guest, message)
            await schedule_deletion(store, guest, message + 1000)
            await schedule_deletion(store, ChatUser(telegram, 12345), 1)
        async with running_bot(telegram, tmp_path) as bot:
            await telegram.wait_until(lambda: message not in [shown["id"] for shown in guest.messages()])
            async with asyncio.timeout(PATIENCE):
                while await bot.app.deps.store.pending_deletions(TELEGRAM, 1):  # noqa: ASYNC110 - the database gives no notification
                    await asyncio.sleep(0)

        assert "user" not in [shown["from"] for shown in guest.messages()]


async def test_the_profile_is_published_once_and_again_only_where_it_changed() -> None:
    async with simulator() as telegram:
        request = BotApiRequest()
        bot = Bot(TOKEN, f"{telegram.url}/bot", request=request, get_updates_request=BotApiRequest())
        async with bot:
            await publish_profile(bot, CATALOGUE)
            profile = telegram.playground.world.profile
            known = dict(profile.texts), dict(profile.commands)
            for method in ("setMyCommands", "setMyDescription", "setMyShortDescription"):
                await telegram.inject_fault(method, "500", times=9)
            await publish_profile(bot, CATALOGUE)
            zh, en = profile.commands_for(1, "zh"), profile.commands_for(1, "de")

        assert (dict(profile.texts), dict(profile.commands)) == known
        assert [command["command"] for command in zh] == [command["command"] for command in en]
        assert zh[0]["description"] == CATALOGUE.text("zh", "command.start")
        assert en[0]["description"] == CATALOGUE.text("en", "command.start")
        assert profile.text("short_description", "zh") == CATALOGUE.text("zh", "about.short")


async def test_publishing_the_profile_may_fail() -> None:
    async with simulator() as telegram:
        request = BotApiRequest()
        bot = Bot(TOKEN, f"{telegram.url}/bot", request=request, get_updates_request=BotApiRequest())
        async with bot:
            await telegram.inject_fault("*", "500", times=99)

            await publish_profile(bot, CATALOGUE)


class NonsenseRequest(BotApiRequest):
    """A Telegram that answers every call with the same nonsense."""

    def __init__(self, result: str) -> None:
        super().__init__()
        self._result = result
        self.methods: set[str] = set()

    async def do_request(self, url: str, *args: Any, **facts: Any) -> tuple[int, bytes]:
        self.methods.add(url.rpartition("/")[2])
        return 200, f'{{"ok": true, "result": {self._result}}}'.encode()


@pytest.mark.parametrize("result", ["true", "null", "7", '"name"', "[]", "[true]", "{}", '{"name": []}'])
async def test_courtesy_calls_that_are_answered_with_nonsense_end_nothing(tmp_path: Path, result: str) -> None:
    request = NonsenseRequest(result)
    bot = Bot(TOKEN, "http://127.0.0.1:1/bot", request=request, get_updates_request=request)

    await publish_profile(bot, CATALOGUE)
    async with open_store(f"sqlite:///{tmp_path}/bot.sqlite3", sealing=make_sealing()) as store:
        await publish_staff_menus(bot, CATALOGUE, {100012345}, store.bot_ownership(TELEGRAM))

    assert {"getMyCommands", "getMyName", "setChatMenuButton"} <= request.methods


async def test_an_address_that_is_no_bot_api_fails_the_start_with_one_line(tmp_path: Path) -> None:
    async def answer(_: Request) -> Response:
        return JSONResponse({"ok": True, "result": True})

    listener = listen("127.0.0.1", 0)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    async with (
        simulator() as telegram,
        serving(Starlette(routes=[Route("/{any:path}", answer, methods=["POST"])]), listener),
    ):
        with pytest.raises(StartupError, match=r"^BOT_API_URL: .* answers, but not as a Bot API does$"):
            async with running_bot(telegram, tmp_path, bot_api_url=url):
                pass


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        pytest.param("::1", marks=pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")),
    ],
)
async def test_a_phone_reaches_the_page_on_every_address(tmp_path: Path, host: str) -> None:
    async with simulator() as telegram, running_bot(telegram, tmp_path, host=host), Phone() as phone:
        guest = await telegram.new_user()
        await go_to_method_choice(guest)
        await guest.taps("微信扫码")
        code = await guest.sees("等待扫码")
        await phone.open(PhoneApp.WECHAT, guest.scanned_link(code))

        assert phone.status == 200
        assert "在本机打开" not in "".join(guest.labels())


async def test_behind_a_public_address_the_code_names_it_and_may_be_opened_on_this_device(tmp_path: Path) -> None:
    async with simulator() as telegram, running_bot(telegram, tmp_path, public_url="https://bot.example.org/verify"):
        guest = await telegram.new_user()
        await go_to_method_choice(guest)
        await guest.taps("微信扫码")
        code = await guest.sees("等待扫码")

        assert guest.scanned_link(code).startswith("https://bot.example.org/verify/v/")
        assert "在本机打开" in "".join(guest.labels())


async def test_metrics_have_an_address_of_their_own_and_the_pages_have_none(tmp_path: Path) -> None:
    pages, metrics = free_port(), free_port()
    async with simulator() as telegram, running_bot(telegram, tmp_path, port=pages, metrics_port=metrics):
        async with telegram.http.get(f"http://127.0.0.1:{metrics}/metrics") as alone:
            assert "bot_updates" in await alone.text()
        async with telegram.http.get(f"http://127.0.0.1:{pages}/metrics") as beside:
            assert beside.status == 404


async def test_questions_are_counted_by_topic_without_their_text(tmp_path: Path) -> None:
    port = free_port()
    async with simulator() as telegram, running_bot(telegram, tmp_path, port=port) as bot:
        guest = await telegram.new_user()
        for text in ("/start", "一个身份证能认证几个账号？", "王小明今天心情怎么样？", "/faq 备案", "/start faq_icp"):
            await guest.says(text)
        await bot.wait_until_quiet()
        async with telegram.http.get(f"http://127.0.0.1:{port}/metrics") as answer:
            metrics = await answer.text()

    counted = {request for request in metrics.splitlines() if request.startswith("bot_questions_total")}
    assert counted == {
        'bot_questions_total{topic="how_many"} 1.0',
        'bot_questions_total{topic="none"} 1.0',
        'bot_questions_total{topic="icp"} 2.0',
    }
    assert "王小明" not in metrics


def test_a_mistake_in_the_faq_fails_the_start_with_one_line_before_anything_is_opened(tmp_path: Path) -> None:
    for part in ("bot", "storage", "verification", "web"):
        shutil.copytree(ROOT / part, tmp_path / part)
    faq = tmp_path / "bot" / "texts" / "faq.en.toml"
    faq.write_text(faq.read_text("utf-8").replace('title = "', 'titel = "', 1), "utf-8")
    shutil.copy(ROOT / "run_bot.py", tmp_path)
    env = {"PATH": os.environ["PATH"], "BOT_TOKEN": TOKEN, "BOT_API_URL": "http://127.0.0.1:1", "PORT": "0"}

    result = subprocess.run(
        [sys.executable, "run_bot.py"], cwd=tmp_path, env=env, capture_output=True, text=True, check=False
    )

    assert result.returncode == 2
    assert result.stderr == (
        'texts/faq.en.toml: entry "three_accounts": titel: there is no such key;'
        " there are id, title, answer, links, keywords, method\n"
    )
    assert not (tmp_path / "data").exists()


async def test_a_database_that_keeps_no_menus_does_not_end_the_program(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with simulator() as telegram, running_bot(telegram, tmp_path) as bot:
        with closing(sqlite3.connect(tmp_path / "bot.sqlite3", isolation_level=None)) as database:
            database.execute("DROP TABLE staff_menus")
        await _publish_menus(bot.app)

        assert "the database is away: " in caplog.text
