"""The runs of a benchmark: every bot under every load, one repetition after the other, ours first each time.

Ours goes first because the peers make as many calls as ours has just made. The rows of a repetition stand close
together in time, so that what else the machine does meets all of them.
"""

import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from bench.bots import AIOGRAM, FLOOR, FLOOR_UVLOOP, GRAMMY, MOST_CALLS, OURS, PICKLE, Bot, grammy_is_installed
from bench.measuring import BotFailed, Load, Measurement, measure

MAIN = Load(people=50, conversations=150, network=0.0, seconds=30, warm_up=50)
LOADS = (
    MAIN,
    Load(people=50, conversations=100, network=0.05, seconds=30),
    Load(people=1, conversations=15, network=0.0, seconds=20, warm_up=3),
    Load(people=1, conversations=4, network=0.05, seconds=20, warm_up=3),
    Load(people=500, conversations=500, network=0.0, seconds=60),
    Load(people=500, conversations=500, network=0.05, seconds=60),
)
QUICK_LOADS = (
    Load(people=50, conversations=100, network=0.0, seconds=20),
    Load(people=1, conversations=8, network=0.0, seconds=10, warm_up=3),
)


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table: a bot, and whether it makes as many calls as ours, or all that it knows."""

    bot: Bot
    all_calls: bool = False

    @property
    def name(self) -> str:
        """What it is called in a table."""
        return f"{self.bot.name}, {MOST_CALLS} calls" if self.all_calls else self.bot.name


Results = Mapping[Load, Mapping[Row, Sequence[Measurement]]]


@dataclass(frozen=True, slots=True)
class Matrix:
    """What is measured, how often, and for how many seconds at most."""

    loads: Sequence[Load]
    peers: Sequence[Row]
    extra: Sequence[Row]
    """Rows of the first load alone."""
    repetitions: int
    seconds: float
    measured: dict[Load, dict[Row, list[Measurement]]] = field(default_factory=lambda: defaultdict(dict))

    async def run(self) -> Results:
        """Measure everything; what no time is left for is named and left out."""
        began = time.perf_counter()
        left_out = 0
        for repetition in range(self.repetitions):
            for load in self.loads:
                for row in self._rows(load):
                    elapsed = time.perf_counter() - began
                    if elapsed + load.seconds > self.seconds:
                        left_out += 1
                        continue
                    print_progress(f"{elapsed:5.0f} s  {repetition + 1}/{self.repetitions}  {load.name}: {row.name}")
                    await self._measure(row, load, self._calls_of_ours(load))
        if left_out:
            print_progress(f"{left_out} runs were left out for want of time")
        return self.measured

    def _rows(self, load: Load) -> Iterator[Row]:
        yield Row(OURS)
        yield from self.peers
        if load == self.loads[0]:
            yield from (row for row in self.extra if not row.all_calls or self._calls_of_ours(load) != MOST_CALLS)

    def _calls_of_ours(self, load: Load) -> int:
        ours = self.measured[load].get(Row(OURS))
        return round(ours[-1].values["calls"]) if ours else MOST_CALLS

    async def _measure(self, row: Row, load: Load, calls: int) -> None:
        runs = self.measured[load].setdefault(row, [])
        if any(run.cut_off for run in runs):
            return  # it would take as long again, and say as little
        try:
            run = await measure(row.bot, load, calls=MOST_CALLS if row.all_calls else calls)
        except BotFailed as failure:
            print_progress(f"         it ended, or did not start: {failure}")
            return
        runs.append(run)
        values = run.values
        print_progress(
            f"         {values['calls']:.1f} calls, {values['cpu']:.1f} ms CPU, {values['rate']:.1f} conversations/s,"
            f" result {values['result p50']:.0f} ms, load's core {values['load share']:.0%},"
            f" other programs {values['others']:.0%}"
        )
        for trouble in [*run.failures, *run.refused][:3]:
            print_progress(f"         {trouble}")


def whole_matrix(repetitions: int, minutes: float) -> Matrix:
    """Everything: some twenty minutes with three repetitions."""
    bots = [AIOGRAM, PICKLE, FLOOR]
    if grammy_is_installed():
        bots.append(GRAMMY)
    else:
        print_progress("grammY is left out: it needs node and npm")
    extra = [*(Row(bot, all_calls=True) for bot in bots), Row(FLOOR_UVLOOP)]
    return Matrix(LOADS, [Row(bot) for bot in bots], extra, repetitions, minutes * 60)


def quick_matrix() -> Matrix:
    """About a minute: ours, aiogram and the floor, once each."""
    return Matrix(QUICK_LOADS, [Row(AIOGRAM), Row(FLOOR)], (), 1, 300)


def print_progress(line: str) -> None:
    """Print a line to standard error."""
    print(line, file=sys.stderr, flush=True)
