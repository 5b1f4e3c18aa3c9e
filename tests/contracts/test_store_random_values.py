"""The store with other keys, numbers, accounts and times in every example: nothing may hold for one fixture alone."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from storage import SqlStore, open_store
from storage.encryption.sealing import IndexKind, Sealing
from tests.open_unit import open_unit
from tests.sqlite_file import sqlite_url
from verification.attempts import LIVE_STATUSES, Attempt, AttemptId, AttemptStatus, Method, Reason
from verification.identity import Identity, Name, Number
from verification.ids import Account, Contact, PersonId
from verification.ports import MAX_ACCOUNTS

some_times = st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - see timezones
some_numbers = st.from_regex(r"[1-6][0-9]{16}[0-9X]", fullmatch=True).map(Number)
some_names = st.text("王小明李雷韩梅买提·", min_size=1, max_size=8).map(Name)
some_identities = st.builds(Identity, some_names, some_numbers)
some_ids = st.text("0123456789abcdef", min_size=4, max_size=32)
some_accounts = st.builds("{}:{}".format, st.sampled_from(["telegram", "cloud"]), some_ids)
some_keys = st.binary(min_size=32, max_size=32)


@st.composite
def sealings(draw: st.DrawFn) -> Sealing:
    first, second, index = draw(st.lists(some_keys, min_size=3, max_size=3, unique=True))
    ids = draw(st.lists(st.from_regex(r"[A-Za-z0-9_-]{1,32}", fullmatch=True), min_size=2, max_size=2, unique=True))
    return Sealing(dict(zip(ids, (first, second), strict=True)), index)


@st.composite
def attempts(draw: st.DrawFn) -> Attempt:
    status = draw(st.sampled_from(AttemptStatus))
    created_at = draw(some_times)
    return Attempt(
        id=AttemptId(f"attempt-{draw(some_ids)}"),
        account=Account(draw(some_accounts)),
        contact=Contact(draw(some_accounts)),
        method=draw(st.sampled_from(Method)),
        status=status,
        match_code=f"{draw(st.integers(0, 99)):02}",
        created_at=created_at,
        expires_at=created_at + draw(st.timedeltas(timedelta(), timedelta(days=1))),
        identity=draw(some_identities) if status in LIVE_STATUSES else None,
        token=draw(some_ids),
        provider_state=draw(st.text(max_size=20)),
        reason=draw(st.sampled_from([None, *Reason])),
        expiry_announced=draw(st.booleans()),
    )


@asynccontextmanager
async def opened(sealing: Sealing) -> AsyncIterator[SqlStore]:
    with tempfile.TemporaryDirectory() as folder:
        async with open_store(sqlite_url(Path(folder)), sealing=sealing) as store:
            yield store


def with_store(sealing: Sealing, story: Callable[[SqlStore], Awaitable[None]]) -> None:
    async def play() -> None:
        async with opened(sealing) as store:
            await story(store)

    asyncio.run(play())


few = settings(max_examples=15, deadline=None)


@few
@given(sealings(), st.lists(attempts(), min_size=1, max_size=4, unique_by=(lambda a: a.id, lambda a: a.account)))
def test_whatever_attempts_are_kept_each_is_found_by_its_own_id_token_and_account(
    sealing: Sealing, kept: list[Attempt]
) -> None:
    tokens = {attempt.token: attempt for attempt in kept}

    async def story(store: SqlStore) -> None:
        async with open_unit(store, "keep") as unit:
            for attempt in tokens.values():
                await unit.save_attempt(attempt)
        async with open_unit(store, "look") as unit:
            for token, attempt in tokens.items():
                assert await unit.attempt(attempt.id) == attempt
                assert await unit.attempt_by_token(token) == attempt
                assert await unit.live_attempt(attempt.account) == (attempt if attempt.live else None)

    with_store(sealing, story)


@few
@given(
    sealings(),
    st.lists(some_identities, min_size=2, max_size=3, unique_by=lambda identity: identity.number.plain),
    st.lists(some_accounts, min_size=9, max_size=9, unique=True),
    attempts(),
    some_times,
)
def test_inv15_each_number_has_three_slots_of_its_own_whatever_the_numbers_are(
    sealing: Sealing, people: list[Identity], accounts: list[str], like: Attempt, at: datetime
) -> None:
    async def story(store: SqlStore) -> None:
        for place, account in enumerate(accounts):
            person = people[place % len(people)]
            async with open_unit(store, account) as unit:
                attempt = Attempt(
                    **{name: getattr(like, name) for name in like.__struct_fields__ if name not in ("id", "account")},
                    id=AttemptId(f"attempt-{place}"),
                    account=Account(account),
                )
                taken = await unit.take_slot(attempt, person, at)
                assert taken is (place // len(people) < MAX_ACCOUNTS)
        async with open_unit(store, "look") as unit:
            for place, person in enumerate(people):
                assert await unit.accounts_of(person) == set(accounts[place :: len(people)][:MAX_ACCOUNTS])
            slot = await unit.slot_of(Account(accounts[0]))
        assert slot is not None
        assert (slot.account, slot.method, slot.at) == (accounts[0], like.method, at)

    with_store(sealing, story)


@few
@given(sealings(), sealings(), some_identities, some_identities, attempts())
def test_what_two_numbers_have_in_common_no_index_shows(
    sealing: Sealing, other: Sealing, one: Identity, two: Identity, attempt: Attempt
) -> None:
    """The index of a number is the same under one key and another under every other."""
    assume(sealing.index(IndexKind.KEY, "") != other.index(IndexKind.KEY, ""))

    async def indexes(under: Sealing) -> list[str]:
        async with opened(under) as store, open_unit(store, "note") as unit:
            for place, person in enumerate((one, two)):
                noted = Attempt(
                    **{name: getattr(attempt, name) for name in attempt.__struct_fields__ if name != "id"},
                    id=AttemptId(f"attempt-{place}"),
                )
                await unit.add_rate_limit_record(noted, person, provider_called=True)
            since = attempt.created_at - timedelta(seconds=1)
            records = await unit.rate_limit_records(attempt, one, since, 9)
        by_number = {record.same_number: record.number for record in records}
        assert len(records) == 2
        assert all(record.same_account and record.same_person for record in records)
        return [by_number[True], by_number.get(False, by_number[True])]

    first, again, under_other = (asyncio.run(indexes(each)) for each in (sealing, sealing, other))

    assert first == again
    assert (first[0] == first[1]) is (one.number == two.number)
    assert not set(first) & set(under_other)
    assert one.number.plain not in "".join(first)


@few
@given(sealings(), st.lists(st.tuples(some_accounts, st.text(max_size=40)), min_size=1, max_size=4))
def test_whatever_dialogues_are_kept_each_comes_back_to_its_own_person(
    sealing: Sealing, turns: list[tuple[str, str]]
) -> None:
    async def story(store: SqlStore) -> None:
        said = dict[str, list[str]]()
        for account, text in turns:
            said.setdefault(account, []).append(text)
            async with open_unit(store, account) as unit:
                revision = await unit.save_dialogue(PersonId(account), text, language=None, now=datetime.now(UTC))
            assert revision == len(said[account])
        for account, texts in said.items():
            async with open_unit(store, account) as unit:
                dialogue = await unit.dialogue(PersonId(account))
            assert dialogue is not None
            assert (dialogue.person, dialogue.text, dialogue.revision) == (account, texts[-1], len(texts))

    with_store(sealing, story)
