"""docs/examples/console.py beside the running bot: two front ends on one core, with a key and nothing else."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from playground.phone.apps import PhoneApp
from playground.phone.browser import Phone
from tests.bot.app_fixture import RunningBot, running_bot
from tests.simulator_fixture import NAME, NUMBER, PATIENCE, ChatUser, go_to_method_choice, press, scan, simulator

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "console.py"
KEY = "key-of-the-console-000000000"
SETTING = f"console:attempts+accounts:{KEY}"


@dataclass(frozen=True, slots=True)
class Console:
    """The example as its own process, and what it printed."""

    process: asyncio.subprocess.Process
    printed: list[str]

    async def types(self, *lines: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write("".join(f"{line}\n" for line in lines).encode())
        await self.process.stdin.drain()

    async def prints(self, part: str) -> str:
        """Read on until a line holds this part, and return the line."""
        assert self.process.stdout is not None
        async with asyncio.timeout(PATIENCE):
            while line := (await self.process.stdout.readline()).decode():
                self.printed.append(line)
                if part in line:
                    return line.strip()
        raise AssertionError(f"{part!r} was not printed: {''.join(self.printed)}")

    async def ends(self) -> int:
        async with asyncio.timeout(PATIENCE):
            _, errors = await self.process.communicate()
            self.printed.append(errors.decode())
            return await self.process.wait()


@asynccontextmanager
async def console(bot: RunningBot, account: str, *arguments: str, key: str = KEY) -> AsyncIterator[Console]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(EXAMPLE), account, "--language", "en", *arguments),
        env=os.environ | {"API_URL": bot.app.deps.public_url, "API_KEY": key, "PYTHONIOENCODING": "utf-8"},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        # A test run in the background ignores SIGINT, and its processes would, too.
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    )
    try:
        yield Console(process, [])
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def verified_by_qq(terminal: Console, phone: Phone) -> None:
    await terminal.types("y", NAME, NUMBER)
    await phone.open(PhoneApp.QQ, await terminal.prints("/v/"))
    await press(phone, "Confirm")
    await terminal.prints("Verified.")


async def verified_in_the_chat(guest: ChatUser, phone: Phone) -> None:
    await guest.taps("QQ 扫码")
    await scan(guest, phone, PhoneApp.QQ)
    await press(phone, "确认")
    await guest.sees("认证成功")


async def test_two_front_ends_share_the_three_places_of_a_number(tmp_path: Path) -> None:
    async with simulator() as telegram, running_bot(telegram, tmp_path, api_keys=SETTING) as bot:
        guest, late = await telegram.new_user(), await telegram.new_user()
        await go_to_method_choice(guest)
        await go_to_method_choice(late)
        async with (
            console(bot, "cloud:1", "--method", "qq") as first,
            console(bot, "cloud:2", "--method", "qq") as second,
            Phone() as phones_first,
            Phone() as phones_second,
            Phone() as guests_phone,
            asyncio.TaskGroup() as both,
        ):
            both.create_task(verified_by_qq(first, phones_first))
            both.create_task(verified_by_qq(second, phones_second))
            both.create_task(verified_in_the_chat(guest, guests_phone))
        async with console(bot, "cloud:4", "--method", "qq") as fourth, console(bot, "cloud:1") as again:
            await fourth.types("y", NAME, NUMBER)
            statuses = [await each.ends() for each in (fourth, again)]
        await late.taps("QQ 扫码")
        await late.sees("已认证满 3 个账号")

        assert telegram.gate.rejected == []
        assert statuses == [2, 0]
        assert "Refused: quota_reached" in fourth.printed[-1]
        assert "█" in "".join(first.printed)
        assert NUMBER not in "".join(first.printed + fourth.printed)


async def test_the_console_tells_a_failure_and_a_wrong_key(tmp_path: Path) -> None:
    async with (
        simulator() as telegram,
        running_bot(telegram, tmp_path, api_keys=SETTING) as bot,
        Phone() as phone,
        console(bot, "cloud:1") as terminal,
        console(bot, "cloud:2") as unwilling,
        console(bot, "cloud:3", key="another-key-0000000000000000") as stranger,
    ):
        await terminal.types("y", NAME, NUMBER)
        await phone.open(PhoneApp.WECHAT, await terminal.prints("/v/"))
        await terminal.prints("The page is open on the phone.")
        await press(phone, "decline")
        await terminal.prints("It did not pass this time (declined).")
        await unwilling.types("n")

        assert [await each.ends() for each in (terminal, unwilling, stranger)] == [1, 1, 2]
        assert "Refused: unauthorized" in stranger.printed[-1]


async def test_an_interrupted_console_cancels_its_attempt(tmp_path: Path) -> None:
    async with (
        simulator() as telegram,
        running_bot(telegram, tmp_path, api_keys=SETTING) as bot,
        console(bot, "cloud:1") as terminal,
    ):
        await terminal.types("y", NAME, NUMBER)
        token = (await terminal.prints("/v/")).rpartition("/")[2].partition("?")[0]
        terminal.process.send_signal(signal.SIGINT)
        status = await terminal.ends()
        attempt = await bot.app.engine.runner._core.find_by_token(token)

        assert attempt is not None
        assert (status, attempt.status) == (1, "cancelled")
