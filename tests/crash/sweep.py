"""A sweep repeats one conversation; in each repetition the bot crashes at other points, at most once in every action.

Between two actions the bot comes to rest, so that no crash meets the recovery from another.
"""

import asyncio
import re
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from chatscript.runner.bot_process import BotLauncher
from playground.phone.browser import Phone
from tests.crash import checker
from tests.crash.conversation import REPEATED, came
from tests.crash.crash_points import NOWHERE
from tests.crash.crashing_bots import CrashingBot
from tests.crash.stories import StoryUser, UserAction
from tests.simulator_fixture import Simulator, simulator

_NUMBERS = re.compile(r"[\dA-F]{4}-[\dA-F]{4}|[\d*]+|/v/[\w-]+")
_RECORDS = re.compile(r"^✓ 已(单独)?同意.*$", re.MULTILINE)
"""The records of consents, which stand elsewhere after a crash."""
_ASKED_AGAIN = "正在手机上确认"
"""A code shows this only when it is shown again after the second step on the phone."""
_IN_PARALLEL = 4
_TRIES = 3

P = TypeVar("P")
T = TypeVar("T")
R = TypeVar("R")
ActionSequence = Sequence[UserAction]
IsWanted = Callable[[UserAction, str], bool]
"""Whether a sweep should crash the bot in this action at this point."""


@dataclass(frozen=True, slots=True)
class Share:
    """Each `every`-th of all points, beginning with another one for each `turn`."""

    every: int = 1
    turn: int = 0

    def of(self, points: Iterable[P]) -> list[P]:
        """The points of this share."""
        return list(points)[self.turn % self.every :: self.every]


@dataclass(slots=True)
class ConversationLog:
    """What happened in one conversation: the points of each action, the actions with a crash, the bot's texts."""

    points: list[list[str]] = field(default_factory=list)
    said: set[str] = field(default_factory=set)
    crashed: set[int] = field(default_factory=set)
    losses: list[str] = field(default_factory=list)


OpenVendor = Callable[[], AbstractAsyncContextManager[Mapping[str, str]]]
"""Serves what a bot needs besides Telegram, and gives the settings of a bot that uses it."""

UndisturbedRuns = dict[tuple[str, ActionSequence], ConversationLog]
"""Conversations without a crash, by the kind of database and the story."""


@asynccontextmanager
async def no_vendor() -> AsyncIterator[Mapping[str, str]]:
    """Nothing: the bot's own simulated providers serve every method."""
    yield {}


@dataclass(frozen=True, slots=True)
class SweepEnvironment:
    """Where conversations take place: a folder, a launcher for bots, databases, and a vendor for each conversation.

    Parallel conversations ask for databases by different numbers.
    """

    folder: Path
    launch: BotLauncher
    new_url: Callable[[int], Awaitable[str]]
    share: Share = Share()
    database_kind: str = "sqlite"
    undisturbed_runs: UndisturbedRuns = field(default_factory=dict)
    open_vendor: OpenVendor = no_vendor

    async def bot(self, telegram: Simulator, slot: int = 0, **settings: str) -> CrashingBot:
        """A bot that was never started, with a folder and a database of its own."""
        folder = Path(tempfile.mkdtemp(dir=self.folder))
        return CrashingBot(telegram, folder, self.launch, await self.new_url(slot), **settings)

    async def undisturbed(self, story: ActionSequence) -> ConversationLog:
        """The log of a story without a crash; it runs once for all sweeps of a process."""
        key = (self.database_kind, story)
        if key not in self.undisturbed_runs:
            log = await run_conversation(self, story, {})
            assert not log.losses, log.losses
            self.undisturbed_runs[key] = log
        return self.undisturbed_runs[key]


async def own_file(_: int) -> str:
    """No address: each bot keeps a file in its own folder."""
    return ""


@dataclass(slots=True)
class SweepReport:
    """The result of a sweep; `missed` are points that no repetition passed again."""

    points: int = 0
    kills: int = 0
    missed: list[str] = field(default_factory=list)
    losses: list[str] = field(default_factory=list)


async def sweep(environment: SweepEnvironment, story: ActionSequence, wanted: IsWanted) -> SweepReport:
    """Kill the bot at every wanted point of a story that is in the environment's share."""
    undisturbed = await environment.undisturbed(story)
    report = SweepReport()
    points = [
        (number, point)
        for number, action in enumerate(story)
        for point in undisturbed.points[number]
        if wanted(action, point)
    ]
    left = set(environment.share.of(sorted(points)))
    report.points = len(left)
    for _ in range(_TRIES):
        for targets, log in await _run_all(environment, story, left):
            report.kills += len(log.crashed)
            report.losses += log.losses
            report.losses += [
                f"03 said only after a crash: {text} (killed {targets})" for text in log.said - undisturbed.said
            ]
            left -= {(number, point) for number, point in targets.items() if number in log.crashed}
    report.missed = [f"{story[number].name}: {point}" for number, point in sorted(left)]
    return report


async def _run_all(
    environment: SweepEnvironment, story: ActionSequence, left: set[tuple[int, str]]
) -> list[tuple[Mapping[int, str], ConversationLog]]:
    async def run(targets: Mapping[int, str], slot: int) -> tuple[Mapping[int, str], ConversationLog]:
        return targets, await run_conversation(environment, story, targets, slot)

    return await in_parallel(run, group_points(left))


async def in_parallel(do: Callable[[T, int], Awaitable[R]], tasks: Sequence[T]) -> list[R]:
    """Do a few tasks at a time; each is given a number that no other running task has."""
    free: asyncio.Queue[int] = asyncio.Queue()
    for slot in range(_IN_PARALLEL):
        free.put_nowait(slot)

    async def run(task: T) -> R:
        slot = await free.get()
        try:
            return await do(task, slot)
        finally:
            free.put_nowait(slot)

    async with asyncio.TaskGroup() as group:
        running = [group.create_task(run(task)) for task in tasks]
    return [done.result() for done in running]


def group_points(left: set[tuple[int, str]]) -> list[dict[int, str]]:
    """Distribute points over conversations: at most one in each action."""
    conversations: list[dict[int, str]] = []
    for number, point in sorted(left):
        free = next((targets for targets in conversations if number not in targets), None)
        if free is None:
            conversations.append(free := {})
        free[number] = point
    return conversations


async def run_conversation(
    environment: SweepEnvironment, story: ActionSequence, targets: Mapping[int, str], slot: int = 0
) -> ConversationLog:
    """Run a conversation; `targets` names the crash point in some of its actions."""
    log = ConversationLog()
    async with simulator() as telegram, Phone() as phone, environment.open_vendor() as settings:
        bot = await environment.bot(telegram, slot, **settings)
        async with bot.running():
            user = StoryUser(await telegram.new_user(), phone, bot.clock)
            conversation = _SweptConversation(bot, user, frozenset(action.reply_text for action in story), log)
            for number, action in enumerate(story):
                await conversation.play(number, action, targets.get(number, NOWHERE))
            await conversation.end()
    return log


@dataclass(slots=True)
class _SweptConversation:
    bot: CrashingBot
    user: StoryUser
    reply_texts: frozenset[str]
    log: ConversationLog
    transitions: checker.TransitionChecker = field(default_factory=checker.TransitionChecker)

    async def play(self, number: int, action: UserAction, target: str) -> None:
        before, crashes = self._reply_counts(), len(self.bot.crashes)
        self.bot.target.take(target)
        try:
            await action.do(self.user)
            await self._see_reply(action)
            await self.bot.wait_until_settled(crashes)
        except AssertionError as error:
            error.add_note(f"killed in {action.name!r} at {target!r}")
            raise
        new = self.bot.crashes[crashes:]
        if new:
            self.log.crashed.add(number)
        self.log.points.append(self.bot.target.passed())
        doubt = any(crash.replies_pending for crash in new)
        asked = checker.check_action(self._reply_counts(), before, action.reply_text, doubt=doubt)
        moved = await self.transitions.check(self.bot.database)
        broken = [f"{what} right after the crash" for crash in new for what in crash.broken]
        self.log.losses += [f"{found} (killed in {action.name!r} at {target!r})" for found in (*asked, *moved, *broken)]

    async def _see_reply(self, action: UserAction) -> None:
        guest, texts = self.user.guest, [text for text in (action.reply_text, action.text_after_crash) if text]
        await guest.simulator.wait_until(
            lambda: any(guest.find(text) for text in texts), lambda: f"nobody says {texts}\n{guest.transcript()}"
        )

    async def end(self) -> None:
        self.log.said = {_comparable(text) for text in self.user.guest.everything_said()} - {""}
        doubt = any(crash.replies_pending for crash in self.bot.crashes)
        await checker.press_stale_buttons(self.user.guest)
        await self.bot.wait_until_quiet()
        self.log.losses += await checker.check_database(self.bot.database, self.bot.confirmed)
        self.log.losses += await checker.check_funnel(self.bot.database)
        self.log.losses += await checker.check_verified(self.bot.database, self.user.guest, doubt=doubt)

    def _reply_counts(self) -> Mapping[str, int]:
        return {text: came(self.user.guest, text) for text in self.reply_texts}


def _comparable(text: str) -> str:
    """A text of the bot without what differs from run to run, or after a crash."""
    if _ASKED_AGAIN in text:
        return ""
    return _NUMBERS.sub("0", _RECORDS.sub("", text.replace(REPEATED, ""))).strip()
