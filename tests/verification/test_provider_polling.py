"""News of an attempt in any order, compared with the written precedence said again in a dozen lines."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from enum import Enum

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


class Deed(Enum):
    """What else may happen to an attempt."""

    PRESS = "the person presses on from our page"
    LATE = "its time runs out"
    SWEEP = "the core looks what is over"
    CANCEL = "the person thinks better of it"


Happening = Deed | AttemptStatus | Verdict
HAPPENINGS: list[Happening] = [
    *Deed,
    AttemptStatus.WAITING,
    AttemptStatus.OPENED,
    AttemptStatus.CONFIRMING,
    Passed(),
    NO,
    OTHER_NO,
]


def verdict_of(story: Sequence[Happening]) -> Verdict | None:
    """The verdict that must stand: the first one after the press, while nothing is over."""
    pressed = False
    for happening in story:
        match happening:
            case Deed.LATE | Deed.CANCEL:
                return None
            case Deed.PRESS:
                pressed = True
            case Deed() | AttemptStatus():
                pass
            case _ if pressed:
                return happening
    return None


async def happen(happening: Happening, core: Core, clock: FakeClock) -> None:
    match happening:
        case Deed.PRESS:
            with suppress(AttemptOver):
                await core.progress(A1, AttemptStatus.OPENED, "page")
        case Deed.LATE:
            clock.now += TTL
        case Deed.SWEEP:
            await core.expire_due()
        case Deed.CANCEL:
            await core.cancel(A1)


async def played(story: Sequence[Happening]) -> tuple[Verdict | None, int]:
    """Play a story; gives the verdict that stands, and how many were told."""
    store, remote, clock = MemoryStore(), FakeRemoteProvider(), FakeClock()
    ours = program(store, remote, clock)
    await ours.core.begin(make_request())
    for happening in story:
        if isinstance(happening, Deed):
            await happen(happening, ours.core, clock)
        else:
            remote.says = happening
            await ours.asking.poll_one(A1)
    attempt = store.kept.attempts[A1]
    verdicts = (AttemptStatus.SUCCEEDED, AttemptStatus.FAILED)
    told = [notice for notice in store.kept.notices if notice.kind is NoticeKind.ENDED and notice.status in verdicts]
    stands = next((each for each in (Passed(), NO, OTHER_NO) if attempt.has_verdict(each)), None)
    return stands, len(told)


def test_inv19_in_whatever_order_news_come_the_precedence_decides(proof: Proof) -> None:
    tried = 0

    @settings(max_examples=300)
    @given(some.lists(some.sampled_from(HAPPENINGS), max_size=12))
    def stories(story: list[Happening]) -> None:
        nonlocal tried
        tried += 1
        verdict = verdict_of(story)
        assert asyncio.run(played(story)) == (verdict, 0 if verdict is None else 1)

    stories()
    proof(cases=tried)
