"""A long run of many users and a fault injector: `python -m tests.crash.soak [MINUTES [SEED]]`.

It runs in rounds, on SQLite and on PostgreSQL in turn. In each a few dozen users verify their accounts in parallel,
with a bot and a database of their own, while the fault injector kills, stops and restarts the bot and the database and
lets calls fail. When all users have finished, the faults end, the bot comes to rest, and the checker looks at the
database and at every chat.
"""

import asyncio
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path

from playground.phone.browser import Phone
from tests import postgres_server
from tests.crash import checker
from tests.crash.crashing_bots import CrashingBot
from tests.crash.process import fork_client
from tests.crash.random_user import RandomUser
from tests.crash.stories import CODE_LIVES, StoryUser
from tests.crash.sweep import SweepEnvironment, own_file
from tests.simulator_fixture import NAME, Simulator, simulator

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
PEOPLE_PER_NUMBER = 4
"""How many users share one number: one too many."""
_ROUND_SECONDS = 600
_PAUSES = (0.5, 5.0)
_METHODS = (
    "getUpdates",
    "sendMessage",
    "editMessageText",
    "editMessageCaption",
    "editMessageMedia",
    "deleteMessages",
)
_KINDS = ("429", "500", "502", "lost", "drop", "slow", "garbage", "duplicate")


class RestartingBot(CrashingBot):
    """A bot that is restarted after every end."""

    async def _restart(self) -> None:
        self.ends: Counter[int] = Counter()
        while True:
            self.ends[await self.ended()] += 1
            await asyncio.sleep(0.2)
            await self.launch()


@dataclass(slots=True)
class SoakReport:
    """The result of a soak."""

    users: int = 0
    verified: int = 0
    refused: int = 0
    nudges: int = 0
    updates: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    ends: Counter[int] = field(default_factory=Counter)
    losses: list[str] = field(default_factory=list)

    def table(self) -> str:
        """The report as a table."""
        rows = {
            "people": self.users,
            "verified": self.verified,
            "refused, their number being full": self.refused,
            "updates": self.updates,
            "times no answer came in time": self.nudges,
            **{f"fault: {name}": count for name, count in sorted(self.faults.items())},
            **{f"bot ended with {code}": count for code, count in sorted(self.ends.items())},
            "losses": len(self.losses),
        }
        return "\n".join(f"| {name} | {count:,} |" for name, count in rows.items()) + "\n"


@dataclass(slots=True)
class FaultInjector:
    """Injects faults at random."""

    telegram: Simulator
    bot: RestartingBot
    rng: random.Random
    faults: Counter[str]
    server: postgres_server.Server | None

    async def run(self) -> None:
        """Inject faults until cancelled."""
        possible: list[tuple[Callable[[], Awaitable[None]], int]] = [
            (self.kill, 6),
            (self.end, 2),
            (self.freeze, 2),
            (self.fail_calls, 8),
            (self.storm, 1),
            (self.expire_codes, 1),
        ]
        if self.server is not None:
            possible.append((self.restart_database, 1))
        while True:
            await asyncio.sleep(self.rng.uniform(*_PAUSES))
            [inject] = self.rng.choices([inject for inject, _ in possible], [weight for _, weight in possible])
            self.faults[inject.__name__] += 1
            await inject()

    async def kill(self) -> None:
        self.bot.signal(signal.SIGKILL)

    async def end(self) -> None:
        self.bot.signal(signal.SIGTERM)

    async def freeze(self) -> None:
        self.bot.signal(signal.SIGSTOP)
        try:
            await asyncio.sleep(self.rng.uniform(0.2, 3))
        finally:
            self.bot.signal(signal.SIGCONT)

    async def fail_calls(self) -> None:
        kind, times = self.rng.choice(_KINDS), self.rng.randrange(1, 4)
        await self.telegram.inject_fault(self.rng.choice(_METHODS), kind, times, seconds=self.rng.randrange(1, 4))

    async def storm(self) -> None:
        for method in _METHODS:
            await self.telegram.inject_fault(method, "429", 5)

    async def expire_codes(self) -> None:
        """Let every code expire."""
        self.bot.clock.advance(CODE_LIVES)

    async def restart_database(self) -> None:
        assert self.server is not None
        await asyncio.to_thread(self.server.stop, self.rng.choice([signal.SIGINT, signal.SIGQUIT]))
        await asyncio.sleep(self.rng.uniform(0.1, 2))
        await asyncio.to_thread(self.server.start)


async def soak_round(
    environment: SweepEnvironment, server: postgres_server.Server | None, rng: random.Random, report: SoakReport
) -> None:
    """Let users verify their accounts during faults, and check the outcome."""
    async with AsyncExitStack() as stack:
        telegram = await stack.enter_async_context(simulator())
        bot = RestartingBot(
            telegram, Path(tempfile.mkdtemp(dir=environment.folder)), environment.launch, await environment.new_url(0)
        )
        await stack.enter_async_context(bot.running())
        fault_injector = asyncio.ensure_future(FaultInjector(telegram, bot, rng, report.faults, server).run())
        users = [
            await stack.enter_async_context(random_user(telegram, bot, number, rng))
            for number in NUMBERS
            for _ in range(PEOPLE_PER_NUMBER)
        ]
        with suppress(TimeoutError):
            async with asyncio.timeout(_ROUND_SECONDS), asyncio.TaskGroup() as group:
                for user in users:
                    group.create_task(user.run())
        assert fault_injector.cancel(), fault_injector.exception()
        await asyncio.wait({fault_injector})
        await telegram.sim("/faults", "DELETE")
        await bot.wait_until_quiet()
        for user in users:
            await checker.press_stale_buttons(user.person.guest)
        await bot.wait_until_quiet()
        report.losses += await checker.check_database(bot.database, bot.confirmed)
        report.losses += await check_people(bot, users, report)
        report.updates += len(bot.confirmed)
        report.ends += bot.ends


async def check_people(bot: RestartingBot, users: list[RandomUser], report: SoakReport) -> list[str]:
    """Find what is wrong with each user."""
    verified = {account for (account,) in await bot.database.rows("SELECT account FROM places")}
    [(numbers,)] = await bot.database.rows("SELECT count(DISTINCT identity_index) FROM places")
    found = [] if len(verified) == 3 * len(NUMBERS) else [f"15 {len(verified)} places of {numbers} numbers"]
    for user in users:
        guest = user.person.guest
        found += [] if user.done else [f"08 somebody never came to the end\n{guest.transcript()}"]
        report.users += 1
        report.nudges += user.nudges
        if f"telegram:{guest.id}" in verified:
            report.verified += 1
            found += await checker.check_verified(bot.database, guest, doubt=True)
        else:
            report.refused += 1
    return found


@asynccontextmanager
async def random_user(
    telegram: Simulator, bot: CrashingBot, number: str, rng: random.Random
) -> AsyncIterator[RandomUser]:
    """A user with a phone and this number."""
    async with Phone() as phone:
        person = StoryUser(await telegram.new_user(), phone, bot.clock, NAME, number)
        yield RandomUser(person, random.Random(rng.random()))


async def soak(minutes: float, seed: int) -> SoakReport:
    """Run for so many minutes, or until something is lost."""
    report, ends_at = SoakReport(), time.monotonic() + minutes * 60
    rng = random.Random(seed)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = stack.enter_context(postgres_server.running())
        environments = cycle(
            [
                (SweepEnvironment(folder, fork_client(), own_file), None),
                (SweepEnvironment(folder, fork_client(), server.new_database), server),
            ]
        )
        while time.monotonic() < ends_at and not report.losses:
            await soak_round(*next(environments), rng, report)
            sys.stdout.write(f"{report.users} people, {report.ends.total()} ends, {len(report.losses)} losses\n")
            sys.stdout.flush()
    return report


def main(minutes: str = "60", seed: str = "") -> None:
    """Soak, and print the report; with the same seed the fault injector chooses the same faults."""
    chosen = int(seed or random.SystemRandom().randrange(10**6))
    sys.stdout.write(f"{minutes} minutes, seed {chosen}\n")
    report = asyncio.run(soak(float(minutes), chosen))
    sys.stdout.write(report.table() + "\n".join(report.losses))
    sys.exit(bool(report.losses))


if __name__ == "__main__":
    main(*sys.argv[1:])
