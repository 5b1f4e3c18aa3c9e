"""How long a whole conversation takes, with the real program, its pages and its database, over loopback.

Run: `make bench`, or `python -m bench.conversation 20`. Each conversation goes from /start to the verdict by WeChat:
ten turns, a QR code, three requests to the phone page. The bot runs as a separate process, whose processor time is read
from the system; the wall time is what the person waits.
"""

import asyncio
import os
import statistics
import sys
import tempfile
from pathlib import Path

import aiohttp

from chatscript.runner.bot_process import CommandLauncher, base_environment
from chatscript.runner.simulator_client import SimulatorClient
from playground.server.app import Playground, serve_playground
from playground.world.world import World

ROOT = Path(__file__).resolve().parent.parent
TOKEN = "7000000002:stand-in-token-of-the-benchmark"  # noqa: S105 - it is valid only for our own simulator
# Published specimen numbers, which belong to no person; each can verify three accounts.
NUMBERS = (
    "11010519491231002X",
    "440524188001010014",
    "360426199101010071",
    "11010219840406970X",
    "440308199901101512",
    "500154199301135886",
    "11010119900307803X",
    "110101199003077838",
)
MAX_COUNT = 3 * len(NUMBERS)
WECHAT = "Mozilla/5.0 (Linux; Android 14) MicroMessenger/8.0.50"


class TimedConversation:
    """One person's conversation from start to verdict."""

    def __init__(self, chat: SimulatorClient, http: aiohttp.ClientSession, person: int, seen: int) -> None:
        self._chat = chat
        self._http = http
        self._person = person
        self._seen = seen

    async def run(self, number: str) -> None:
        """Go through all steps, waiting at each for the bot's answer."""
        for words, shown in (
            ("/start", "认证哪一类"),
            ("个人", "开始之前"),
            ("同意", "第 1 步"),
            ("王小明", "第 2 步"),
            (number, "第 3 步"),
            ("确认无误", "第 4 步"),
        ):
            await self._chat.write(self._person, self._person, words)
            await self._until(shown)
        await self._chat.write(self._person, self._person, "微信")
        link = await self._chat.read_qr(await self._until("第 5 步"))
        await self._press_phone_buttons(str(link))
        await self._until("认证成功")

    async def _press_phone_buttons(self, link: str) -> None:
        async with self._http.get(link) as page:
            page.raise_for_status()
        for stage, press in (("check", "go_authorise"), ("authorise", "authorise")):
            form = {"stage": stage, "press": press, "choice": "pass"}
            async with self._http.post(link, data=form) as page:
                page.raise_for_status()

    async def _until(self, words: str) -> str:
        """Wait for a message or edit that contains these words; returns its picture, if any."""
        while True:
            batch = await self._chat.events_after(self._seen, 10)
            if batch.last == self._seen:
                raise RuntimeError(f"nothing came with {words!r}")
            self._seen = batch.last
            for event in batch.events:
                message = event.message
                if message is not None and event.chat == self._person and words in message.text:
                    return message.picture or ""


def cpu_seconds(pid: int) -> float:
    """The processor time of a process so far, user and system, in seconds; NaN where /proc is missing."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    except OSError:
        return float("nan")
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def measure(count: int) -> None:
    """Run `count` conversations one after another, and print the cost of each."""
    playground = Playground(World(token=TOKEN))
    with tempfile.TemporaryDirectory() as folder:
        async with serve_playground(playground) as address, SimulatorClient(address) as chat:
            env = base_environment(os.environ) | {
                "BOT_TOKEN": TOKEN,
                "BOT_API_URL": address,
                "DATA_DIR": folder,
                "PORT": "0",
                "RATE_LIMIT_SENDING": "0",
            }
            bot = await CommandLauncher.python(ROOT / "run_bot.py").start(env, Path(folder) / "bot.log")
            try:
                await _run_conversations(chat, bot.pid, count)
            finally:
                await bot.kill()


async def _run_conversations(chat: SimulatorClient, pid: int, count: int) -> None:
    while not (await chat.bot_status()).connected:
        await chat.wait_idle(0.2)
    waits, costs = [], []
    async with aiohttp.ClientSession(headers={"User-Agent": WECHAT}) as http:
        for index in range(count):
            person = await chat.add_person(f"Person {index}", "zh-hans")
            seen = (await chat.events_after(0, 0)).last
            began, used = asyncio.get_running_loop().time(), cpu_seconds(pid)
            await TimedConversation(chat, http, person, seen).run(NUMBERS[index % len(NUMBERS)])
            waits.append(asyncio.get_running_loop().time() - began)
            costs.append(cpu_seconds(pid) - used)
    print(f"{count} whole conversations, one after another, Python {sys.version.split()[0]}")
    for name, values in (("wall time, simulator and phone included", waits), ("processor time of the bot", costs)):
        print(f"  {name}: median {statistics.median(values) * 1000:.0f} ms, slowest {max(values) * 1000:.0f} ms")


if __name__ == "__main__":
    asyncio.run(measure(min(int(sys.argv[1]) if len(sys.argv) > 1 else 20, MAX_COUNT)))
