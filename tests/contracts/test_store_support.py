"""The store of support, on every database."""

import asyncio
from contextlib import suppress
from datetime import date, timedelta

import pytest
from msgspec.structs import replace

from storage import SqlStore, StorageError
from storage.support import SqlSupportUnit
from storage.unit import SqlUnit
from tests.contracts.conftest import Another
from tests.fakes import NOON, NUMBER, TELEGRAM, make_attempt, make_identity
from tests.open_unit import open_unit
from verification.attempts import Attempt, AttemptId, AttemptStatus, Method, Reason
from verification.dialogue_store import DialogueStore, LinkBinding
from verification.ids import Account, Actor, PersonId
from verification.invitations import Link, LinkId, LinkState, Purpose
from verification.support.funnel import (
    METHOD_STEPS,
    Cohort,
    Dimension,
    DurationCount,
    FunnelCount,
    FunnelIncrement,
    FunnelQuery,
    FunnelStatistics,
    FunnelStep,
)
from verification.support.store import AttemptSummary, AuditEntry, Dispute, UnansweredQuestion


class CutShort(Exception):
    """Ends a unit before it commits."""


USE = AuditEntry(actor=Actor("telegram:7"), action="try", subject="", at=NOON)
TODAY = date(2026, 11, 23)
COHORT = Cohort(day=TODAY, campaign="spring", language="zh")


def a_link(number: int, account: str = "100012345", campaign: str = "") -> Link:
    return Link(
        id=LinkId(f"{number:016x}"),
        account=Account(account),
        campaign=campaign,
        made_by=Actor("telegram:7"),
        made_at=NOON + timedelta(minutes=number),
        expires_at=NOON + timedelta(hours=1),
    )


async def keep(store: SqlStore, *links: Link) -> None:
    async with store.support_unit(USE) as desk:
        for link in links:
            await desk.add_link(link)


async def opened(store: DialogueStore, link: Link, person: str, *, minutes: int = 1) -> Link | None:
    async with open_unit(store, person) as unit:
        return await unit.open_link(link.id, PersonId(person), NOON + timedelta(minutes=minutes))


async def test_a_link_binds_the_first_who_opens_it_and_opens_to_them_again(store: SqlStore) -> None:
    link = a_link(1)
    await keep(store, link)

    first = await opened(store, link, "telegram:1")
    foreign = await opened(store, link, "telegram:2")
    again = await opened(store, link, "telegram:1", minutes=500)

    assert first == again == replace(link, person=PersonId("telegram:1"), opened_at=NOON + timedelta(minutes=1))
    assert foreign is None


async def test_of_two_people_who_open_a_link_at_once_one_gets_it(store: SqlStore, another: Another) -> None:
    link = a_link(1)
    await keep(store, link)

    async with another() as other:
        both = await asyncio.gather(opened(store, link, "telegram:1"), opened(other, link, "telegram:2"))

    assert sum(one is not None for one in both) == 1


async def test_an_expired_a_revoked_and_an_unknown_link_do_not_open(store: SqlStore) -> None:
    late, ended = a_link(1), a_link(2)
    await keep(store, late, ended)
    async with store.support_unit(USE) as desk:
        await desk.revoke(ended.id, NOON)

    assert await opened(store, late, "telegram:1", minutes=60) is None
    assert await opened(store, ended, "telegram:1") is None
    assert await opened(store, a_link(3), "telegram:1") is None


async def test_an_expired_link_stays_expired_when_the_clock_goes_back(store: SqlStore) -> None:
    link = a_link(1)
    await keep(store, link)

    late = await opened(store, link, "telegram:1", minutes=60)
    back = await opened(store, link, "telegram:1")
    async with store.support_view(USE) as view:
        kept = await view.link(link.id)
        waiting = await view.links(campaign=None, account=None, limit=9, state_at=(LinkState.WAITING, NOON))

    assert (late, back) == (None, None)
    assert kept is not None
    assert kept.state(NOON) is LinkState.EXPIRED
    assert link.state(NOON) is LinkState.WAITING
    assert list(waiting) == []


async def test_a_revoked_link_binds_nobody_any_more(store: SqlStore) -> None:
    link = a_link(1)
    await keep(store, link)
    await opened(store, link, "telegram:1")
    async with open_unit(store, "look") as unit:
        before = await unit.is_bound(PersonId("telegram:1"), link.account)
        other = await unit.is_bound(PersonId("telegram:2"), link.account)
    async with store.support_unit(USE) as desk:
        revoked = await desk.revoke(link.id, NOON)
    async with open_unit(store, "look") as unit:
        after = await unit.is_bound(PersonId("telegram:1"), link.account)

    assert (before, other, after) == (True, False, False)
    assert revoked is not None
    assert revoked.state(NOON) is LinkState.REVOKED


async def attempting(store: SqlStore, account: str, person: str) -> Attempt:
    attempt = make_attempt("attempt-1", account, contact=person)
    async with open_unit(store, person) as unit:
        await unit.save_attempt(attempt)
    return attempt


async def test_revoking_a_link_cancels_the_live_attempt_of_its_person_with_a_notice(
    store: SqlStore,
) -> None:
    link = a_link(1)
    await keep(store, link)
    await opened(store, link, "telegram:1")
    attempt = await attempting(store, link.account, "telegram:1")
    for _ in range(2):
        async with store.support_unit(USE) as desk:
            await desk.revoke(link.id, NOON)
    async with open_unit(store, "look") as unit:
        stored = await unit.attempt(attempt.id)

    assert stored is not None
    assert (stored.status, stored.identity) == (AttemptStatus.CANCELLED, None)
    [notice] = await store.claim_notices(TELEGRAM, NOON, until=NOON + timedelta(seconds=5), limit=10)
    assert (notice.contact, notice.attempt, notice.status) == ("telegram:1", attempt.id, AttemptStatus.CANCELLED)


async def test_revoking_a_link_leaves_attempts_that_others_or_another_link_allow(
    store: SqlStore,
) -> None:
    mine, mine_too, unopened = a_link(1), a_link(2), a_link(3)
    await keep(store, mine, mine_too, unopened)
    await opened(store, mine, "telegram:1")
    await opened(store, mine_too, "telegram:1")
    attempt = await attempting(store, mine.account, "telegram:1")
    async with store.support_unit(USE) as desk:
        await desk.revoke(mine_too.id, NOON)
        await desk.revoke(unopened.id, NOON)
    async with open_unit(store, "look") as unit:
        still = await unit.attempt(attempt.id)

    assert still == attempt
    assert await store.claim_notices(TELEGRAM, NOON, until=NOON + timedelta(seconds=5), limit=10) == []


async def test_a_person_sees_the_links_that_bound_them_until_erased(store: SqlStore) -> None:
    links = [a_link(1), a_link(2, account="other"), a_link(3)]
    await keep(store, *links)
    for minutes, link in enumerate(links[:2], 1):
        await opened(store, link, "telegram:1", minutes=minutes)
    await opened(store, links[2], "telegram:2")
    async with open_unit(store, "telegram:1") as unit:
        records = await unit.records(PersonId("telegram:1"))
        await unit.erase(PersonId("telegram:1"), Account("telegram:1"))
        after = await unit.records(PersonId("telegram:1"))
        others = await unit.records(PersonId("telegram:2"))

    minute = timedelta(minutes=1)
    assert list(records.link_bindings) == [
        LinkBinding(Account("100012345"), NOON + minute),
        LinkBinding(Account("other"), NOON + 2 * minute),
    ]
    assert (len(after.link_bindings), len(others.link_bindings)) == (0, 1)


async def test_a_link_added_twice_is_one_and_links_are_listed_newest_first(store: SqlStore) -> None:
    links = [a_link(number, campaign="spring" if number % 2 else "") for number in range(1, 6)]
    await keep(store, *links)
    await keep(store, replace(links[0], account=Account("another")))

    async with store.support_unit(USE) as desk:
        everything = await desk.links(campaign=None, account=None, limit=3)
        rest = await desk.links(campaign=None, account=None, limit=3, skip=3)
        spring = await desk.links(campaign="spring", account=None, limit=9)
        accounts = await desk.links(campaign=None, account=Account("another"), limit=9)

    assert [*everything, *rest] == links[::-1]
    assert spring == [links[4], links[2], links[0]]
    assert accounts == []


async def test_a_link_knows_when_its_account_is_verified(store: SqlStore) -> None:
    link = a_link(1)
    await keep(store, link)
    await opened(store, link, "telegram:1")
    async with open_unit(store, "verdict") as unit:
        await unit.take_slot(make_attempt("a1", link.account), make_identity(NUMBER), NOON)

    async with store.support_unit(USE) as desk:
        stored = await desk.link(link.id)

    assert stored is not None
    assert stored.state(NOON) is LinkState.VERIFIED


async def test_an_audit_entry_commits_with_its_change_or_not_at_all(store: SqlStore) -> None:
    await keep(store, a_link(1))
    with suppress(CutShort):
        async with store.support_unit(replace(USE, action="fails")) as desk:
            await desk.add_link(a_link(2))
            raise CutShort

    async with store.support_unit(replace(USE, action="look")) as desk:
        uses = await desk.audit_log(limit=10)
        links = await desk.links(campaign=None, account=None, limit=9)

    assert [use.action for use in uses] == ["look", "try"]
    assert links == [a_link(1)]


async def test_support_finds_an_attempt_by_its_code_with_masked_names(store: SqlStore) -> None:
    attempt = make_attempt("attempt-0a1b2c3d4e5f", "100012345")
    async with open_unit(store, "begin") as unit:
        await unit.save_attempt(replace(attempt, identity=make_identity(NUMBER)))

    async with store.support_unit(USE) as desk:
        [seen] = await desk.attempt("0a1b2c3d")
        other = await desk.attempt("0a1b2c3e")
        [listed] = await desk.attempts(account=None, limit=5)

    assert isinstance(seen, AttemptSummary)
    assert seen.code == "0A1B-2C3D"
    assert NUMBER not in repr(seen)
    assert seen.number.count("*") == 8
    assert (listed.name, listed.number) == ("", "")
    assert other == []


async def test_of_an_attempt_without_a_readable_name_and_number_support_sees_the_rest(store: SqlStore) -> None:
    attempt = make_attempt(
        "attempt-0a1b2c3d4e5f",
        "cloud:1",
        contact="telegram:2",
        method=Method.QQ,
        status=AttemptStatus.FAILED,
        reason=Reason.NO_CARD,
    )
    expected = AttemptSummary(
        id=attempt.id,
        account=attempt.account,
        contact=attempt.contact,
        method=Method.QQ,
        status=AttemptStatus.FAILED,
        reason=Reason.NO_CARD,
        created_at=attempt.created_at,
        expires_at=attempt.expires_at,
        name="",
        number="",
    )
    seen = list[AttemptSummary]()
    async with open_unit(store, "begin") as unit:
        await unit.save_attempt(replace(attempt, identity=None))
    async with store.support_unit(USE) as desk:
        seen.extend(await desk.attempt("0a1b2c3d"))
    async with open_unit(store, "begin") as unit:
        await unit.save_attempt(attempt)
        await unit._connection.fetch(
            "UPDATE attempts SET secrets = substr(secrets, 1, length(secrets) - 1) RETURNING 1"
        )
    async with store.support_unit(USE) as desk:
        seen.extend(await desk.attempt("0a1b2c3d"))

    assert seen == [expected, expected]


async def test_facts_are_counted_once_their_unit_commits(store: SqlStore) -> None:
    tallies = (
        FunnelIncrement(COHORT, FunnelStep.SHOWN, bucket=3),
        FunnelIncrement(COHORT, FunnelStep.SHOWN, Method.QQ, bucket=3),
        FunnelIncrement(replace(COHORT, language="en"), FunnelStep.SHOWN),
        FunnelIncrement(COHORT, None, Method.QQ, Reason.NO_CARD),
    )
    for _ in range(2):
        async with open_unit(store, "turn") as unit:
            await unit.add_to_funnel(tallies)
    with suppress(CutShort):
        async with open_unit(store, "turn") as unit:
            await unit.add_to_funnel(tallies)
            raise CutShort

    async with store.support_unit(USE) as desk:
        figures = await desk.funnel_statistics(FunnelQuery(since=TODAY, until=TODAY, by=Dimension.LANGUAGE))
        whole = await desk.funnel_statistics(FunnelQuery(since=TODAY, until=TODAY, campaign="spring"))
        of_qq = await desk.funnel_statistics(
            FunnelQuery(since=TODAY, until=TODAY, campaign="spring", language="zh", method=Method.QQ)
        )
        none = await desk.funnel_statistics(
            FunnelQuery(since=TODAY - timedelta(days=2), until=TODAY - timedelta(days=1))
        )

    assert set(figures.counts) == {
        FunnelCount("zh", FunnelStep.SHOWN, None, None, 2),
        FunnelCount("zh", FunnelStep.SHOWN, Method.QQ, None, 2),
        FunnelCount("en", FunnelStep.SHOWN, None, None, 2),
        FunnelCount("zh", None, Method.QQ, Reason.NO_CARD, 2),
    }
    assert set(whole.durations) == {DurationCount(group="", step=FunnelStep.SHOWN, method=None, bucket=3, count=2)}
    assert set(of_qq.durations) == {DurationCount(group="", step=FunnelStep.SHOWN, method=Method.QQ, bucket=3, count=2)}
    assert {each.count for each in whole.counts if each.step is FunnelStep.SHOWN} == {2, 4}
    assert (none.counts, none.durations) == ([], [])


@pytest.mark.parametrize("by", [None, *Dimension])
async def test_counts_add_up_for_every_dimension(store: SqlStore, by: Dimension | None) -> None:
    cohorts = [
        Cohort(day=day, campaign=campaign, language=language)
        for day in (TODAY, TODAY - timedelta(days=1))
        for campaign in ("", "spring")
        for language in ("zh", "en")
    ]
    async with open_unit(store, "turn") as unit:
        for cohort in cohorts:
            await unit.add_to_funnel(
                [
                    FunnelIncrement(cohort, FunnelStep.PHONE, bucket=3),
                    FunnelIncrement(cohort, FunnelStep.PHONE, Method.QQ, bucket=4),
                ]
            )

    async with store.support_view(USE) as desk:
        figures = await desk.funnel_statistics(FunnelQuery(since=TODAY - timedelta(days=1), until=TODAY, by=by))

    assert sum(each.count for each in figures.counts if each.method is None) == len(cohorts)
    took = {(each.method, each.bucket) for each in figures.durations}
    assert took == ({(Method.QQ, 4)} if by is Dimension.METHOD else {(None, 3)})
    assert sum(each.count for each in figures.durations) == len(cohorts)
    assert len({each.group for each in figures.counts}) == (1 if by is None else 2)


async def test_concurrent_counts_all_count_and_never_deadlock(store: SqlStore, another: Another) -> None:
    async def turn(of: SqlStore, number: int) -> None:
        facts = [FunnelIncrement(COHORT, step, method, bucket=3) for step in METHOD_STEPS for method in (None, *Method)]
        async with open_unit(of, f"telegram:{number}") as unit:
            await unit.count_question("icp", TODAY)
            # Each task counts in a different order.
            await unit.add_to_funnel(facts[number % len(facts) :] + facts[: number % len(facts)])

    async with another() as other:
        await asyncio.gather(*(turn(of, number) for number in range(60) for of in (store, other)))
        async with store.support_view(USE) as desk:
            figures = await desk.funnel_statistics(FunnelQuery(since=TODAY, until=TODAY))
            questions = await desk.questions(since=TODAY, until=TODAY)

    assert {each.count for each in figures.counts} == {each.count for each in figures.durations} == {120}
    assert questions == {"icp": 120}


async def test_a_reader_waits_for_no_writer_and_sees_one_snapshot(store: SqlStore) -> None:
    await keep(store, a_link(1))

    async with store.support_view(replace(USE, action="look")) as desk, open_unit(store, "telegram:1") as unit:
        before = await desk.funnel_statistics(FunnelQuery(since=TODAY, until=TODAY))
        await unit.add_to_funnel([FunnelIncrement(COHORT, FunnelStep.OPENED)])
        during = await desk.funnel_statistics(FunnelQuery(since=TODAY, until=TODAY))
    async with store.support_view(USE) as desk:
        after = await desk.funnel_statistics(FunnelQuery(since=TODAY, until=TODAY))
        uses = await desk.audit_log(limit=9)

    assert before == during == FunnelStatistics([], [])
    assert [each.count for each in after.counts] == [1]
    assert [use.action for use in uses] == ["try", "look", "try"]


async def test_a_view_changes_nothing(store: SqlStore) -> None:
    async with store.support_view(USE) as desk:
        writing = SqlSupportUnit(desk._connection, desk._sealing, SqlUnit(desk._connection, desk._sealing))
        with pytest.raises(StorageError):
            await writing.add_link(a_link(1))


async def test_an_erasure_waits_for_a_running_view(store: SqlStore) -> None:
    looked, looking = asyncio.Event(), asyncio.Event()

    async def look() -> None:
        async with store.support_view(USE) as desk:
            await desk.links(limit=1)
            looking.set()
            await looked.wait()

    async def erase() -> None:
        async with open_unit(store, "telegram:1") as unit:
            await unit.erase(PersonId("telegram:1"), Account("telegram:1"))
            looked.set()

    async with asyncio.timeout(10):
        reader = asyncio.ensure_future(look())
        await looking.wait()
        await asyncio.gather(reader, erase())


async def test_questions_are_counted_by_topic_and_unanswered_ones_are_stored(store: SqlStore) -> None:
    async with open_unit(store, "turn") as unit:
        await unit.count_question("icp", TODAY)
        await unit.count_question("icp", TODAY)
        await unit.count_question("", TODAY)
        await unit.add_unanswered(UnansweredQuestion(id="1", text="能不能用护照", at=NOON))
        await unit.add_unanswered(UnansweredQuestion(id="2", text="可以开发票吗", at=NOON + timedelta(minutes=1)))

    async with store.support_unit(USE) as desk:
        counted = await desk.questions(since=TODAY, until=TODAY)
        missed = await desk.unanswered_questions(5)

    assert counted == {"icp": 2, "": 1}
    assert [each.text for each in missed] == ["可以开发票吗", "能不能用护照"]


async def test_a_dispute_is_stored_once_and_found_by_its_case_number(store: SqlStore) -> None:
    disputed = Dispute(attempt=AttemptId("attempt-0a1b2c3d4e5f"), reason=Reason.MISMATCH, method=Method.QQ, at=NOON)
    early = Dispute(attempt=AttemptId("attempt-0a1b2c3e0000"), reason=Reason.QUOTA, method=None, at=NOON)
    for dispute in (disputed, early, replace(disputed, at=NOON + timedelta(hours=1))):
        async with open_unit(store, "turn") as unit:
            await unit.add_dispute(dispute)

    async with store.support_unit(USE) as desk:
        found = await desk.disputes("0a1b2c3d"), await desk.disputes("0a1b2c3e"), await desk.disputes("ffffffff")
    deleted = await store.purge_before(NOON + timedelta(seconds=1))
    async with store.support_unit(USE) as desk:
        left = await desk.disputes("0a1b2c3d")

    assert found == ([disputed], [early], [])
    assert (deleted["disputes"], left) == (2, [])


async def test_digests_differ_by_purpose_and_stay_the_same(store: SqlStore, another: Another) -> None:
    async with another() as other:
        same = other.keyed_digest(Purpose.LINK, "x")

    assert store.keyed_digest(Purpose.LINK, "x") == same != store.keyed_digest(Purpose.DESK, "x")


async def test_a_sealed_token_opens_in_every_program_of_the_store_and_nothing_else_does(
    store: SqlStore, another: Another
) -> None:
    token = store.seal_token("telegram:100012345 q1")

    async with another() as other:
        assert other.open_token(token) == "telegram:100012345 q1"
    assert store.seal_token("telegram:100012345 q1") != token
    assert b"100012345" not in token
    for forged in (b"", b"x", token[:-1], token + b"x", token[:-1] + bytes([token[-1] ^ 1])):
        assert store.open_token(forged) is None


async def test_an_erasure_takes_the_links_of_person_and_account(store: SqlStore) -> None:
    mine, other = a_link(1, "100012345"), a_link(2, "100099999")
    await keep(store, mine, other)
    await opened(store, mine, "telegram:1")

    async with open_unit(store, "telegram:1") as unit:
        await unit.erase(PersonId("telegram:1"), Account("telegram:1"))
    async with store.support_unit(USE) as desk:
        left = await desk.links(campaign=None, account=None, limit=9)

    assert left == [other]


async def test_links_are_listed_by_their_own_state(store: SqlStore) -> None:
    waiting, opened_one, verified, expired, revoked = (a_link(number, str(number)) for number in range(1, 6))
    late = replace(expired, expires_at=NOON + timedelta(minutes=10))
    await keep(store, waiting, opened_one, verified, late, revoked)
    for link in (opened_one, verified, revoked):
        await opened(store, link, "telegram:1")
    now = NOON + timedelta(minutes=10)
    async with open_unit(store, "verdict") as unit:
        await unit.take_slot(make_attempt("a1", verified.account), make_identity(NUMBER), NOON)
    async with store.support_unit(USE) as desk:
        await desk.revoke(revoked.id, NOON)

    async with store.support_unit(USE) as desk:
        listed = {
            state: await desk.links(campaign=None, account=None, limit=9, state_at=(state, now)) for state in LinkState
        }

    assert {state: [link.state(now) for link in links] for state, links in listed.items()} == {
        state: [state] for state in LinkState
    }


async def test_a_session_of_the_desk_that_was_signed_out_is_remembered_for_a_day(store: SqlStore) -> None:
    day, moment = timedelta(days=1), timedelta(microseconds=1)
    remembered = []
    for session, at in (("one", NOON), ("two", NOON + day), ("two", NOON + day + moment), ("three", NOON + 2 * day)):
        await store.sign_out(session, at)
        remembered.append([each for each in ("one", "two", "three") if await store.is_signed_out(each)])

    assert remembered == [["one"], ["one", "two"], ["two"], ["two", "three"]]
