"""How long a funnel query over a million journeys takes, and how long writers wait meanwhile.

Run: `make bench-funnel`, or `python -m bench.funnel 100000`. The journeys go through the program's own counting
function; their counts are summed up before they are written, because a transaction for each would take hours. Then the
funnel is queried as support does, over the program's own store, while another task keeps writing.
"""

import asyncio
import math
import random
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from msgspec.structs import replace

from bot.flow import events, states
from bot.flow.events import Event
from bot.flow.journey import Journeys, JourneyTurn, update_journeys
from bot.flow.rows import Step
from bot.flow.states import PhoneStage, State
from storage import mapping, open_store
from storage.encryption.sealing import Sealing
from storage.store import SqlStore
from storage.unit import SqlUnit
from verification.attempts import AttemptId, Method, Reason
from verification.identity import Identity, Name, Number
from verification.ids import Account, Actor
from verification.support.funnel import Cohort, Dimension, FunnelIncrement, FunnelQuery, beijing_day
from verification.support.funnel_report import build_reports
from verification.support.service import SupportService

FIRST = datetime(2026, 1, 1, 4, tzinfo=UTC)
DAYS = 365
CAMPAIGNS = 20
METHOD_WEIGHTS = ((Method.WECHAT, 6), (Method.QQ, 3), (Method.FACE, 1))
# The share that continues from each step, and the median seconds to the next one.
CONTINUE_RATES = (0.8, 0.85, 0.8, 0.95, 0.65, 0.8)
MEDIAN_SECONDS = (8, 15, 70, 25, 60, 45)
SPREAD = 0.9
FAILURE_RATE = 0.1
ROUNDS = 3

_ACCOUNT = Account("telegram:1")
_ATTEMPT = AttemptId("attempt-1")
_COUNTED = "INSERT INTO funnel (day, campaign, language, method, step, reason, count) VALUES (?, ?, ?, ?, ?, ?, ?)"
_TIMED = "INSERT INTO funnel_times (day, campaign, language, method, step, took, count) VALUES (?, ?, ?, ?, ?, ?, ?)"


def turns_of(method: Method) -> tuple[Sequence[tuple[State, Event]], tuple[State, Event]]:
    """The turns of a method up to the verdict, and the failure that may replace the last one."""
    choosing = states.AgreeingFace(
        account=_ACCOUNT, question_id="m", identity=Identity(Name("王小明"), Number("11010519491231002X"))
    )
    common = (choosing.account, choosing.question_id, choosing.identity)
    scanning, failed = _scanning(*common, method), _failed(*common, method)
    attempt, said = scanning.attempt, events.Said("")
    turns: Sequence[tuple[State, Event]] = (
        (states.ChoosingType(account=_ACCOUNT, question_id="m"), said),
        (states.Agreeing(account=_ACCOUNT, question_id="m"), said),
        (states.AskingName(account=_ACCOUNT, question_id="m"), said),
        (choosing, said),
        (scanning, events.AttemptOpened(attempt=attempt, link="", match_code="42", expires_at=FIRST)),
        (replace(scanning, stage=PhoneStage.OPENED), events.AttemptProgressed(attempt, PhoneStage.OPENED, FIRST)),
        (
            states.Verified(account=_ACCOUNT, question_id="m", method=method, attempt=attempt, at=FIRST),
            events.AttemptPassed(attempt, _ACCOUNT, method),
        ),
    )
    return turns, (failed, events.AttemptFailed(attempt, failed.reason))


def _scanning(account: str, question_id: str, identity: Identity, method: Method) -> states.Scanning:
    return states.Scanning(
        account=Account(account),
        question_id=question_id,
        identity=identity,
        method=method,
        attempt=_ATTEMPT,
        link="",
        match_code="42",
        expires_at=FIRST,
    )


def _failed(account: Account, question_id: str, identity: Identity, method: Method) -> states.Failed:
    return states.Failed(
        account=Account(account),
        question_id=question_id,
        identity=identity,
        method=method,
        attempt=_ATTEMPT,
        reason=Reason.DECLINED,
    )


TURNS = {method: turns_of(method) for method, _ in METHOD_WEIGHTS}


def journey(rng: random.Random, campaign: str) -> Iterator[FunnelIncrement]:
    """The increments that one person adds to the funnel."""
    now = FIRST + timedelta(days=rng.randrange(DAYS))
    cohort = Cohort(day=beijing_day(now), campaign=campaign, language="en" if rng.random() < 0.15 else "zh")
    turns, failure = TURNS[
        rng.choices([method for method, _ in METHOD_WEIGHTS], [share for _, share in METHOD_WEIGHTS])[0]
    ]
    before: State = states.Idle(account=_ACCOUNT, question_id="m")
    journeys: Journeys = ()
    for index, (state, event) in enumerate(turns):
        if index and rng.random() > CONTINUE_RATES[index - 1]:
            break
        if index:
            now += timedelta(seconds=rng.lognormvariate(math.log(MEDIAN_SECONDS[index - 1]), SPREAD))
        journeys, increments = update_journeys(journeys, JourneyTurn(before, event, Step(state), now, cohort.language))
        # Without a link the campaign has to be set by hand.
        journeys = (replace(journeys[0], cohort=cohort),)
        yield from (replace(increment, cohort=cohort) for increment in increments)
        before = state
    if isinstance(before, states.Scanning) and rng.random() < FAILURE_RATE:
        yield from update_journeys(journeys, JourneyTurn(before, failure[1], Step(failure[0]), now, cohort.language))[1]


def fill_database(path: Path, people: int) -> tuple[int, int]:
    """Simulate the journeys and write their counts; returns the number of rows of both tables."""
    rng = random.Random(15)  # noqa: S311 - the same million each time
    campaigns = [f"campaign-{number:02d}" for number in range(CAMPAIGNS)]
    shares = [1 / (index + 1) for index in range(CAMPAIGNS)]
    counted: Counter[tuple[str, ...]] = Counter()
    timed: Counter[tuple[str | int, ...]] = Counter()
    for campaign in rng.choices(campaigns, shares, k=people):
        for increment in journey(rng, campaign):
            counted[mapping.increment_values(increment)] += 1
            if increment.bucket is not None:
                timed[mapping.duration_values(increment)] += 1
    with closing(sqlite3.connect(path)) as database:
        database.executemany(_COUNTED, ((*values, count) for values, count in counted.items()))
        database.executemany(_TIMED, ((*values, count) for values, count in timed.items()))
        database.commit()
    return len(counted), len(timed)


async def _count_failure(unit: SqlUnit) -> None:
    cohort = Cohort(day=FIRST.date(), campaign="", language="zh")
    await unit.add_to_funnel([FunnelIncrement(cohort, None, Method.QQ, Reason.NO_CARD)])


@dataclass(slots=True)
class ConcurrentWriter:
    """A writer that keeps counting steps."""

    store: SqlStore
    longest: float = 0.0
    turns: int = 0

    async def write(self) -> None:
        """Count one step after the other, and record the longest wait in seconds."""
        while True:
            began = time.perf_counter()
            await self.store.transact("telegram:2", _count_failure)
            self.longest = max(self.longest, time.perf_counter() - began)
            self.turns += 1
            await asyncio.sleep(0.005)


async def timed_query(store: SqlStore, query: FunnelQuery) -> tuple[float, float]:
    """Query a funnel; returns its seconds, and the longest seconds that the writer waited."""
    support = SupportService(store, lambda: datetime.now(UTC), timedelta(minutes=30))
    writer = ConcurrentWriter(store)
    writing = asyncio.ensure_future(writer.write())
    await asyncio.sleep(0.05)
    writer.longest = 0.0
    began = time.perf_counter()
    build_reports(await support.funnel_statistics(Actor("command"), query), query)
    seconds = time.perf_counter() - began
    writing.cancel()
    await asyncio.wait({writing})
    return seconds, writer.longest


async def measure(people: int) -> None:
    """Fill a database, run every query, and print the table."""
    first, last = beijing_day(FIRST), beijing_day(FIRST + timedelta(days=DAYS - 1))
    whole = FunnelQuery(since=first, until=last)
    queries = {
        "everything": whole,
        "one campaign": replace(whole, campaign="campaign-00"),
        **{f"by {by}": replace(whole, by=by) for by in Dimension},
        "the last 30 days": replace(whole, since=last - timedelta(days=29)),
        "the last 30 days, by day": replace(whole, since=last - timedelta(days=29), by=Dimension.DAY),
    }
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bot.sqlite3"
        sealing = Sealing({"bench": b"1" * 32}, b"2" * 32)
        async with open_store(f"sqlite:///{path}", sealing=sealing):
            pass
        counted, timed = await asyncio.to_thread(fill_database, path, people)
        async with open_store(f"sqlite:///{path}", sealing=sealing) as store:
            print(f"{people:,} journeys, {counted:,} and {timed:,} rows, {path.stat().st_size / 1e6:.0f} MB")
            print(f"{'':26}{'first':>8}{'best':>8}   longest wait of a writer")
            for name, query in queries.items():
                timings = [await timed_query(store, query) for _ in range(ROUNDS)]
                times = [took for took, _ in timings]
                print(f"{name:26}{times[0]:7.2f}s{min(times):7.2f}s{max(wait for _, wait in timings) * 1000:10.0f} ms")


if __name__ == "__main__":
    asyncio.run(measure(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000))
