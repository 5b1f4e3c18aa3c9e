"""How long a funnel over a million journeys takes, and how long people wait meanwhile.

Run: `make bench-funnel`, or `python -m bench.funnel 100000`. Journeys go through the function that counts them in the
program; what they add is summed up before it is written, since a transaction for each would take hours. Then the
funnel is asked for as support does, over the program's own store, while somebody else goes on writing.
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
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.flow import events, states
from bot.flow.events import Event
from bot.flow.journey import Journeys, JourneyTurn, update_journeys
from bot.flow.rows import Step
from bot.flow.states import PhoneStage, State
from storage import mapping, open_store
from storage.sealing import Sealing
from storage.store import SqlStore
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
# Who goes on from each step, and how many seconds half of them take at most.
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
    """The turns of a way to the end, and the failure it may end with."""
    choosing = states.ChoosingMethod(
        account=_ACCOUNT, question_id="m", identity=Identity(Name("王小明"), Number("11010519491231002X"))
    )
    beside = (choosing.account, choosing.question_id, choosing.identity)
    scanning, failed = _scanning(*beside, method), _failed(*beside, method)
    attempt, word = scanning.attempt, events.Said("")
    turns: Sequence[tuple[State, Event]] = (
        (states.ChoosingType(account=_ACCOUNT, question_id="m"), word),
        (states.Agreeing(account=_ACCOUNT, question_id="m"), word),
        (states.AskingName(account=_ACCOUNT, question_id="m"), word),
        (choosing, word),
        (scanning, events.AttemptOpened(attempt=attempt, link="", match_code="42", expires_at=FIRST)),
        (replace(scanning, stage=PhoneStage.OPENED), events.AttemptProgressed(attempt, PhoneStage.OPENED, FIRST)),
        (
            states.Verified(account=_ACCOUNT, question_id="m", method=method, attempt=attempt, at=FIRST),
            events.AttemptPassed(attempt, _ACCOUNT, method),
        ),
    )
    return turns, (failed, events.AttemptFailed(attempt, failed.reason))


def _scanning(account: str, mark: str, identity: Identity, method: Method) -> states.Scanning:
    return states.Scanning(
        account=Account(account),
        question_id=mark,
        identity=identity,
        method=method,
        attempt=_ATTEMPT,
        link="",
        match_code="42",
        expires_at=FIRST,
    )


def _failed(account: Account, mark: str, identity: Identity, method: Method) -> states.Failed:
    return states.Failed(
        account=Account(account),
        question_id=mark,
        identity=identity,
        method=method,
        attempt=_ATTEMPT,
        reason=Reason.DECLINED,
    )


TURNS = {method: turns_of(method) for method, _ in METHOD_WEIGHTS}


def journey(rng: random.Random, campaign: str) -> Iterator[FunnelIncrement]:
    """What one person adds to the funnel."""
    now = FIRST + timedelta(days=rng.randrange(DAYS))
    cohort = Cohort(day=beijing_day(now), campaign=campaign, language="en" if rng.random() < 0.15 else "zh")
    turns, failure = TURNS[rng.choices([way for way, _ in METHOD_WEIGHTS], [share for _, share in METHOD_WEIGHTS])[0]]
    before: State = states.Idle(account=_ACCOUNT, question_id="m")
    journeys: Journeys = ()
    for place, (state, event) in enumerate(turns):
        if place and rng.random() > CONTINUE_RATES[place - 1]:
            break
        if place:
            now += timedelta(seconds=rng.lognormvariate(math.log(MEDIAN_SECONDS[place - 1]), SPREAD))
        journeys, tallies = update_journeys(journeys, JourneyTurn(before, event, Step(state), now, cohort.language))
        # No link brings them here, so that the campaign is put in by hand.
        journeys = (replace(journeys[0], cohort=cohort),)
        yield from (replace(tally, cohort=cohort) for tally in tallies)
        before = state
    if isinstance(before, states.Scanning) and rng.random() < FAILURE_RATE:
        yield from update_journeys(journeys, JourneyTurn(before, failure[1], Step(failure[0]), now, cohort.language))[1]


def fill_database(path: Path, people: int) -> tuple[int, int]:
    """Let people go their ways, and write down what it comes to; says how many rows that is."""
    rng = random.Random(15)  # noqa: S311 - the same million each time
    campaigns = [f"campaign-{number:02d}" for number in range(CAMPAIGNS)]
    shares = [1 / (place + 1) for place in range(CAMPAIGNS)]
    counted: Counter[tuple[str, ...]] = Counter()
    timed: Counter[tuple[str | int, ...]] = Counter()
    for campaign in rng.choices(campaigns, shares, k=people):
        for tally in journey(rng, campaign):
            counted[mapping.increment_values(tally)] += 1
            if tally.bucket is not None:
                timed[mapping.time_values(tally)] += 1
    with closing(sqlite3.connect(path)) as database:
        database.executemany(_COUNTED, ((*values, count) for values, count in counted.items()))
        database.executemany(_TIMED, ((*values, count) for values, count in timed.items()))
        database.commit()
    return len(counted), len(timed)


@dataclass(slots=True)
class ConcurrentWriter:
    """Somebody who goes on writing to the bot."""

    store: SqlStore
    longest: float = 0.0
    turns: int = 0

    async def write(self) -> None:
        """Count one step after the other, and note the longest wait."""
        while True:
            began = time.perf_counter()
            async with self.store.unit("telegram:2") as unit:
                await unit.add_to_funnel(
                    [
                        FunnelIncrement(
                            Cohort(day=FIRST.date(), campaign="", language="zh"), None, Method.QQ, Reason.NO_CARD
                        )
                    ]
                )
            self.longest = max(self.longest, time.perf_counter() - began)
            self.turns += 1
            await asyncio.sleep(0.005)


async def timed_query(store: SqlStore, wanted: FunnelQuery) -> tuple[float, float]:
    """Ask for a funnel; how long it took, and how long the bystander waited at most."""
    support = SupportService(store, lambda: datetime.now(UTC), timedelta(minutes=30))
    bystander = ConcurrentWriter(store)
    writing = asyncio.ensure_future(bystander.write())
    await asyncio.sleep(0.05)
    bystander.longest = 0.0
    began = time.perf_counter()
    build_reports(await support.funnel_statistics(Actor("command"), wanted), wanted)
    took = time.perf_counter() - began
    writing.cancel()
    await asyncio.wait({writing})
    return took, bystander.longest


async def measure(people: int) -> None:
    """Fill a database, ask it all, print the table."""
    first, last = beijing_day(FIRST), beijing_day(FIRST + timedelta(days=DAYS - 1))
    whole = FunnelQuery(since=first, until=last)
    questions = {
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
            for name, wanted in questions.items():
                found = [await timed_query(store, wanted) for _ in range(ROUNDS)]
                times = [took for took, _ in found]
                print(f"{name:26}{times[0]:7.2f}s{min(times):7.2f}s{max(wait for _, wait in found) * 1000:10.0f} ms")


if __name__ == "__main__":
    asyncio.run(measure(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000))
