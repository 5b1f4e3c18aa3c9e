"""Answers about an attempt in any order, compared with a second, short implementation of the precedence."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from enum import Enum

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from tests.contracts.test_provider_polling import A1, NO, OTHER_NO, TTL, FakeRemoteProvider, program
from tests.fakes import FakeClock, make_request
from tests.reliability import Proof
from tests.web.memory_store import MemoryStore
from verification.attempts import AttemptStatus, Passed, Verdict
from verification.core import Core
from verification.errors import AttemptOver
from verification.ports import NoticeKind
from verification.provider_polling import GRACE


class Action(Enum):
    """What else may happen to an attempt."""

    PRESS = "the person presses continue on our page"
    LATE = "the attempt's time and its grace run out"
    SWEEP = "the core expires what is due"
    CANCEL = "the person cancels"


Event = Action | AttemptStatus | Verdict
EVENTS: list[Event] = [
    *Action,
    AttemptStatus.WAITING,
    AttemptStatus.OPENED,
    AttemptStatus.CONFIRMING,
    Passed(),
    NO,
    OTHER_NO,
]


def verdict_of(story: Sequence[Event]) -> Verdict | None:
    """The expected verdict: the first one after the press, before the attempt is cancelled or expired.

    When the time of an attempt is over, the next answer is the last one, unless it tells that the person came further:
    that step gets its own time.
    """
    pressed = late = confirming = False
    for event in story:
        match event:
            case Action.CANCEL:
                return None
            case Action.LATE if not pressed:
                return None
            case Action.LATE:
                late = True
            case Action.PRESS:
                pressed = True
            case AttemptStatus.CONFIRMING if pressed and not confirming:
                confirming, late = True, False
            case AttemptStatus() if late:
                return None
            case Action() | AttemptStatus():
                pass
            case _ if pressed:
                return event
    return None


async def apply_action(event: Event, core: Core, clock: FakeClock) -> None:
    match event:
        case Action.PRESS:
            with suppress(AttemptOver):
                await core.progress(A1, AttemptStatus.OPENED, "page")
        case Action.LATE:
            clock.now += TTL + GRACE
        case Action.SWEEP:
            await core.expire_due()
        case Action.CANCEL:
            await core.cancel(A1)


async def run_story(story: Sequence[Event]) -> tuple[Verdict | None, int]:
    """Run a story; returns the recorded verdict, and the number of notices with a verdict."""
    store, remote, clock = MemoryStore(), FakeRemoteProvider(), FakeClock()
    ours = program(store, remote, clock)
    await ours.core.begin(make_request())
    for event in story:
        if isinstance(event, Action):
            await apply_action(event, ours.core, clock)
        else:
            remote.answer = event
            await ours.poller.poll_one(A1)
    attempt = store.committed.attempts[A1]
    verdicts = (AttemptStatus.SUCCEEDED, AttemptStatus.FAILED)
    notices = [
        notice for notice in store.committed.notices if notice.kind is NoticeKind.ENDED and notice.status in verdicts
    ]
    verdict_recorded = next((each for each in (Passed(), NO, OTHER_NO) if attempt.has_verdict(each)), None)
    return verdict_recorded, len(notices)


@pytest.mark.parametrize("examples", [60, pytest.param(300, marks=pytest.mark.slow("fuzz"))])
def test_inv19_in_any_order_of_answers_the_precedence_decides(examples: int, proof: Proof) -> None:
    stories_run = 0

    @settings(max_examples=examples)
    @given(some.lists(some.sampled_from(EVENTS), max_size=12))
    def stories(story: list[Event]) -> None:
        nonlocal stories_run
        stories_run += 1
        verdict = verdict_of(story)
        assert asyncio.run(run_story(story)) == (verdict, 0 if verdict is None else 1)

    stories()
    proof(cases=stories_run)
