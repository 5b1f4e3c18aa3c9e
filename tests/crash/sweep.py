"""A sweep: the same conversation again and again, and in each the bot dies at other points, once in every act.

Between two acts everything comes to rest, so that each death is one by itself.
"""

import asyncio
import re
import tempfile
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
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
_SIDE_BY_SIDE = 4
_TRIES = 3

P = TypeVar("P")
T = TypeVar("T")
R = TypeVar("R")
ActionSequence = Sequence[UserAction]
IsWanted = Callable[[UserAction, str], bool]
"""Whether a death in this act at this point is wanted."""


@dataclass(frozen=True, slots=True)
class SweepEnvironment:
    """Where conversations take place: a folder, a way to start mortal bots, and databases.

    Conversations side by side ask for databases by different numbers.
    """

    folder: Path
    launch: BotLauncher
    new_url: Callable[[int], Awaitable[str]]
    every: int = 1
    turn: int = 0
    """Of all points, each `every`-th is tried, another one at another `turn`."""

    def share(self, points: Iterable[P]) -> list[P]:
        """The points whose turn it is."""
        return list(points)[self.turn % self.every :: self.every]

    async def bot(self, town: Simulator, side: int = 0) -> CrashingBot:
        """A bot that was never started, with a folder and a database of its own."""
        folder = Path(tempfile.mkdtemp(dir=self.folder))
        return CrashingBot(town, folder, self.launch, await self.new_url(side))


async def own_file(_: int) -> str:
    """No address at all: each bot keeps a file in its own folder."""
    return ""


@dataclass(slots=True)
class ConversationLog:
    """What became of one conversation: the points passed in each act, which acts the bot died in, all it said."""

    points: list[list[str]] = field(default_factory=list)
    said: set[str] = field(default_factory=set)
    died: set[int] = field(default_factory=set)
    losses: list[str] = field(default_factory=list)


@dataclass(slots=True)
class SweepReport:
    """What a sweep came to; `missed` are points that were not passed again, however often it was tried."""

    points: int = 0
    kills: int = 0
    missed: list[str] = field(default_factory=list)
    losses: list[str] = field(default_factory=list)


async def sweep(ground: SweepEnvironment, story: ActionSequence, wanted: IsWanted) -> SweepReport:
    """Kill the bot at every wanted point of a story whose turn it is."""
    alive = await run_conversation(ground, story, {})
    assert not alive.losses, alive.losses
    figures = SweepReport()
    points = [
        (number, point) for number, act in enumerate(story) for point in alive.points[number] if wanted(act, point)
    ]
    left = set(ground.share(sorted(points)))
    figures.points = len(left)
    for _ in range(_TRIES):
        for aims, tale in await _run_all(ground, story, left):
            figures.kills += len(tale.died)
            figures.losses += tale.losses
            figures.losses += [f"03 said only after a death: {text} (killed {aims})" for text in tale.said - alive.said]
            left -= {(number, point) for number, point in aims.items() if number in tale.died}
    figures.missed = [f"{story[number].name}: {point}" for number, point in sorted(left)]
    return figures


async def _run_all(
    ground: SweepEnvironment, story: ActionSequence, left: set[tuple[int, str]]
) -> list[tuple[Mapping[int, str], ConversationLog]]:
    async def one(aims: Mapping[int, str], side: int) -> tuple[Mapping[int, str], ConversationLog]:
        return aims, await run_conversation(ground, story, aims, side)

    return await side_by_side(one, rounds(left))


async def side_by_side(do: Callable[[T, int], Awaitable[R]], tasks: Sequence[T]) -> list[R]:
    """Do some at a time, each with a number that no other has meanwhile."""
    free: asyncio.Queue[int] = asyncio.Queue()
    for side in range(_SIDE_BY_SIDE):
        free.put_nowait(side)

    async def one(task: T) -> R:
        side = await free.get()
        try:
            return await do(task, side)
        finally:
            free.put_nowait(side)

    async with asyncio.TaskGroup() as group:
        doing = [group.create_task(one(task)) for task in tasks]
    return [done.result() for done in doing]


def rounds(left: set[tuple[int, str]]) -> list[dict[int, str]]:
    """Share points out to conversations: one in each act at most."""
    shared: list[dict[int, str]] = []
    for number, point in sorted(left):
        free = next((aims for aims in shared if number not in aims), None)
        if free is None:
            shared.append(free := {})
        free[number] = point
    return shared


async def run_conversation(
    ground: SweepEnvironment, story: ActionSequence, aims: Mapping[int, str], side: int = 0
) -> ConversationLog:
    """Let a conversation take place; `aims` names the point of death in some of its acts."""
    tale = ConversationLog()
    async with simulator() as place, Phone() as phone:
        bot = await ground.bot(place, side)
        async with bot.running():
            person = StoryUser(await place.new_user(), phone, bot.clock)
            scene = _SweptConversation(bot, person, frozenset(act.reply_text for act in story), tale)
            for number, act in enumerate(story):
                await scene.play(number, act, aims.get(number, NOWHERE))
            await scene.end()
    return tale


@dataclass(slots=True)
class _SweptConversation:
    bot: CrashingBot
    person: StoryUser
    signs: frozenset[str]
    tale: ConversationLog
    moves: checker.TransitionChecker = field(default_factory=checker.TransitionChecker)

    async def play(self, number: int, act: UserAction, aim: str) -> None:
        before, deaths = self._said(), len(self.bot.crashes)
        self.bot.target.take(aim)
        try:
            await act.do(self.person)
            await self.person.guest.sees(act.reply_text)
            await self.bot.wait_until_settled(deaths)
        except AssertionError as error:
            error.add_note(f"killed in {act.name!r} at {aim!r}")
            raise
        new = self.bot.crashes[deaths:]
        if new:
            self.tale.died.add(number)
        self.tale.points.append(self.bot.target.passed())
        doubt = any(death.replies_pending for death in new)
        asked = checker.check_action(self._said(), before, act.reply_text, doubt=doubt)
        moved = await self.moves.check(self.bot.database)
        broken = [f"{what} right after the death" for death in new for what in death.broken]
        self.tale.losses += [f"{found} (killed in {act.name!r} at {aim!r})" for found in (*asked, *moved, *broken)]

    async def end(self) -> None:
        self.tale.said = {_NUMBERS.sub("0", text.replace(REPEATED, "")) for text in self.person.guest.everything_said()}
        doubt = any(death.replies_pending for death in self.bot.crashes)
        await checker.press_stale_buttons(self.person.guest)
        await self.bot.wait_until_quiet()
        self.tale.losses += await checker.check_database(self.bot.database, self.bot.confirmed)
        self.tale.losses += await checker.check_funnel(self.bot.database)
        self.tale.losses += await checker.check_verified(self.bot.database, self.person.guest, doubt=doubt)

    def _said(self) -> Mapping[str, int]:
        return {sign: came(self.person.guest, sign) for sign in self.signs}
