"""Two front ends on one store: each gets what its own people are owed, and nothing of the other's."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import pytest

from storage import SqlStore
from tests.contracts.conftest import Another
from tests.fakes import NOON, TELEGRAM, FakeClock, FakeProvider, make_attempt, make_deps, make_identity
from tests.open_unit import open_unit
from verification.attempts import AttemptId, AttemptStatus, Method, Passed
from verification.core import AttemptRequest, Core, CoreDeps
from verification.dialogue_store import PendingDeletion, PendingReply
from verification.ids import Account, Contact, FrontEnd, PersonId, contact_of, front_end_of
from verification.ports import Notice, NoticeKind

CONSOLE = FrontEnd("console")
BOTH = (TELEGRAM, CONSOLE)
NUMBER_OF_BOTH = "100000001"
"""The two front ends may know different people by the same number."""
LATER = NOON + timedelta(seconds=60)
LEASE = timedelta(seconds=5)
each_front_end = pytest.mark.parametrize("mine", BOTH)


def person_of(front_end: FrontEnd, number: str = NUMBER_OF_BOTH) -> PersonId:
    return PersonId(f"{front_end}:{number}")


async def post(store: SqlStore, *front_ends: FrontEnd) -> None:
    async with open_unit(store, "post") as unit:
        for number, front_end in enumerate(front_ends):
            attempt = make_attempt(f"a{number}", f"{front_end}:{number}")
            await unit.save_attempt(attempt)
            await unit.post_notice(NoticeKind.ENDED, attempt, NOON)


async def claim(store: SqlStore, front_end: FrontEnd, limit: int = 100) -> Sequence[Notice]:
    return await store.claim_notices(front_end, NOON, until=LATER, limit=limit)


async def save_dialogue(store: SqlStore, person: PersonId, changed: int = 0) -> None:
    async with open_unit(store, person) as unit:
        await unit.save_dialogue(person, "{}", language=None, now=NOON + timedelta(seconds=changed))


def core_of(store: SqlStore, front_end: FrontEnd, handed_over: list[Notice | None]) -> Core:
    deps = make_deps(FakeClock(), f"{front_end}-")
    deps = CoreDeps(
        clock=deps.clock,
        token=deps.token,
        match_code=deps.match_code,
        phone_url=deps.phone_url,
        on_notice=handed_over.append,
        notice_lease=LEASE,
        front_end=front_end,
    )
    return Core(store, dict.fromkeys(Method, FakeProvider()), deps, ttl=timedelta(minutes=10))


def request_of(front_end: FrontEnd, name: str = "a1") -> AttemptRequest:
    contact = Contact(person_of(front_end))
    return AttemptRequest(AttemptId(name), Account(contact), contact, make_identity(), Method.QQ)


@each_front_end
async def test_a_claim_gets_the_notices_of_its_own_front_end_alone(store: SqlStore, mine: FrontEnd) -> None:
    await post(store, CONSOLE, TELEGRAM, TELEGRAM, CONSOLE)

    claimed = await claim(store, mine)

    assert [front_end_of(notice.contact) for notice in claimed] == [mine, mine]
    assert await claim(store, mine) == []
    other = next(front_end for front_end in BOTH if front_end != mine)
    assert [front_end_of(notice.contact) for notice in await claim(store, other)] == [other, other]


@each_front_end
async def test_the_backlog_of_one_front_end_does_not_hold_back_the_other(store: SqlStore, mine: FrontEnd) -> None:
    other = next(front_end for front_end in BOTH if front_end != mine)
    await post(store, *[other] * 20, mine)
    for number in range(20):
        await save_dialogue(store, person_of(other, str(number)), changed=number)
        async with open_unit(store, "list") as unit:
            await unit.schedule_deletion(PendingDeletion(person_of(other), number, NOON))
    await save_dialogue(store, person_of(mine), changed=99)
    ours = PendingDeletion(person_of(mine), 1, LATER)
    async with open_unit(store, "list") as unit:
        await unit.schedule_deletion(ours)

    assert [notice.contact for notice in await claim(store, mine, limit=1)] == [f"{mine}:20"]
    assert await store.pending_replies(mine, 1) == [PendingReply(person_of(mine), 1, None)]
    assert await store.pending_deletions(mine, 1) == [ours]


@pytest.mark.parametrize("name", ["", "tele", "telegram:", "console"])
async def test_a_front_end_without_people_is_given_nothing(store: SqlStore, name: str) -> None:
    await post(store, TELEGRAM)
    await save_dialogue(store, person_of(TELEGRAM))

    front_end = FrontEnd(name)
    assert (await claim(store, front_end), await store.pending_replies(front_end, 9)) == ([], [])
    assert await store.pending_deletions(front_end, 9) == []


async def test_the_programs_of_one_front_end_are_no_replicas_of_the_other(store: SqlStore) -> None:
    await store.heartbeat(TELEGRAM, name="host:1", program="bot")
    of_console = await store.heartbeat(CONSOLE, name="host:2", program="console")
    of_telegram = await store.heartbeat(TELEGRAM, name="host:1", program="bot")

    assert ([beat.program for beat in of_console], [beat.program for beat in of_telegram]) == (["console"], ["bot"])


@each_front_end
async def test_a_lease_on_a_person_is_no_lease_on_the_other_front_ends_person(store: SqlStore, mine: FrontEnd) -> None:
    for front_end in BOTH:
        await save_dialogue(store, person_of(front_end))
    assert await store.acquire_lease(person_of(mine), "one", {"one", "two"}, 0) is not None

    assert await store.acquire_lease(person_of(mine), "two", {"one", "two"}, 0) is None
    other = next(front_end for front_end in BOTH if front_end != mine)
    assert await store.acquire_lease(person_of(other), "two", {"one", "two"}, 0) is not None


async def test_each_front_end_polls_beside_the_other(store: SqlStore, another: Another) -> None:
    busy = asyncio.Event()
    async with another() as other_store, store.polling_lease(TELEGRAM, busy.set), asyncio.timeout(20):
        async with other_store.polling_lease(CONSOLE, busy.set) as still_held:
            assert await still_held()
            assert not busy.is_set()

        async def second() -> None:
            async with other_store.polling_lease(TELEGRAM, busy.set):
                pytest.fail("two programs of one front end poll at once")

        waiting = asyncio.ensure_future(second())
        await busy.wait()
        waiting.cancel()


# The core of one front end, the person of another


@each_front_end
async def test_a_notice_is_handed_over_only_to_the_front_end_that_owns_the_contact(
    store: SqlStore, mine: FrontEnd
) -> None:
    other = next(front_end for front_end in BOTH if front_end != mine)
    handed_over: list[Notice | None] = []
    core = core_of(store, mine, handed_over)
    for number, front_end in enumerate((mine, other)):
        request = request_of(front_end, f"a{number}")
        await core.begin(request)
        await core.complete(request.id, Passed())

    assert [notice and notice.contact for notice in handed_over] == [contact_of(person_of(mine)), None]
    # The one that was handed over is leased; the other waits for its own front end, and needs no lease to end.
    assert await claim(store, mine) == []
    assert [notice.contact for notice in await claim(store, other)] == [contact_of(person_of(other))]


async def test_an_account_that_moves_to_another_front_end_ends_the_attempt_at_the_first(
    store: SqlStore, another: Another
) -> None:
    account = Account("cloud:100012345")
    first, second = (
        AttemptRequest(AttemptId(f"a-{front_end}"), account, Contact(person_of(front_end)), make_identity(), Method.QQ)
        for front_end in BOTH
    )
    async with another() as other_store:
        await core_of(store, TELEGRAM, []).begin(first)
        await core_of(other_store, CONSOLE, []).begin(second)

    [told] = await claim(store, TELEGRAM)
    assert (told.attempt, told.status) == (first.id, AttemptStatus.CANCELLED)
    assert await claim(store, CONSOLE) == []


async def test_both_front_ends_at_once_lose_and_repeat_nothing(store: SqlStore, another: Another) -> None:
    async def serve(front_end: FrontEnd) -> list[str]:
        told: list[str] = []
        async with another() as own:
            while notices := await claim(own, front_end, limit=3):
                for notice in notices:
                    async with open_unit(own, notice.contact) as unit:
                        assert await unit.settle_notice(notice)
                    told.append(notice.contact)
        return told

    await post(store, *(BOTH * 10))
    of_telegram, of_console = await asyncio.gather(*map(serve, BOTH))

    assert sorted(of_telegram) == sorted(f"telegram:{number}" for number in range(0, 20, 2))
    assert sorted(of_console) == sorted(f"console:{number}" for number in range(1, 20, 2))
