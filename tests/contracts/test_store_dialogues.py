from datetime import timedelta

from storage import SqlStore
from storage.statements import PURGE_BATCH
from tests.fakes import NOON, NUMBER, OTHER_NUMBER, TELEGRAM, make_attempt, make_identity
from tests.open_unit import open_unit
from verification.attempts import AttemptStatus, Reason
from verification.dialogue_store import (
    Consent,
    DeletedCounts,
    Dialogue,
    DialogueStore,
    DialogueUnit,
    PastAttempt,
    PendingDeletion,
    PersonRecords,
)
from verification.ids import PersonId, contact_of, own_account
from verification.ports import NoticeKind, QuotaSlot

PERSON = PersonId("telegram:100012345")
OTHER = PersonId("telegram:2")
LATER = NOON + timedelta(seconds=1)


async def save_text(store: DialogueStore, text: str, person: PersonId = PERSON, language: str | None = None) -> int:
    async with open_unit(store, person) as unit:
        return await unit.save_dialogue(person, text, language=language, now=NOON)


async def load(store: DialogueStore, person: PersonId = PERSON) -> Dialogue | None:
    async with open_unit(store, person) as unit:
        return await unit.dialogue(person)


async def pending_people(store: DialogueStore, limit: int = 10) -> list[PersonId]:
    return [one.person for one in await store.pending_replies(TELEGRAM, limit)]


async def mark_seen(store: DialogueStore, event_id: str) -> bool:
    async with open_unit(store, "event") as unit:
        return await unit.mark_seen(event_id, NOON)


def consent(person: PersonId, kind: str = "data") -> Consent:
    return Consent(person=person, account=own_account(person), kind=kind, version="2026-11", language="zh", at=NOON)


def nonzero(deleted: DeletedCounts) -> DeletedCounts:
    """Only the kinds of which something was deleted."""
    return {kind: number for kind, number in deleted.items() if number}


async def test_an_event_counts_as_new_only_once(store: DialogueStore) -> None:
    seen = [await mark_seen(store, event) for event in ("update:1", "update:1", "update:2", "update:1")]

    assert seen == [True, False, True, False]


async def test_a_dialogue_is_loaded_exactly_as_saved(store: DialogueStore) -> None:
    text = "王小明 𠮷 \ud83d <b>';--{0}%s\x00 ../\n" + "长" * 5000
    await save_text(store, text, language="zh")

    assert await load(store) == Dialogue(person=PERSON, text=text, language="zh", revision=1, shown=0, panel="")
    assert await load(store, OTHER) is None


async def test_every_turn_makes_a_revision_and_keeps_the_language_until_it_changes(store: DialogueStore) -> None:
    revisions = [
        await save_text(store, "one", language="en"),
        await save_text(store, "two"),
        await save_text(store, "three"),
    ]

    assert revisions == [1, 2, 3]
    assert await load(store) == Dialogue(person=PERSON, text="three", language="en", revision=3, shown=0, panel="")
    await save_text(store, "four", language="zh")
    assert await load(store) == Dialogue(person=PERSON, text="four", language="zh", revision=4, shown=0, panel="")


async def test_a_reply_is_pending_until_the_last_revision_is_shown(store: DialogueStore) -> None:
    await save_text(store, "one")
    revision = await save_text(store, "two")
    assert await pending_people(store) == [PERSON]
    await store.mark_shown(PERSON, 1, "panel one")
    assert await pending_people(store) == [PERSON]
    await store.mark_shown(PERSON, revision, "panel two")

    assert await store.pending_replies(TELEGRAM, 10) == []
    assert await load(store) == Dialogue(
        person=PERSON, text="two", language=None, revision=2, shown=2, panel="panel two"
    )


async def test_showing_an_older_revision_changes_nothing(store: DialogueStore) -> None:
    await save_text(store, "one")
    await save_text(store, "two")
    await store.mark_shown(PERSON, 2, "panel two")
    await store.mark_shown(PERSON, 1, "panel one")

    assert await load(store) == Dialogue(
        person=PERSON, text="two", language=None, revision=2, shown=2, panel="panel two"
    )


async def test_a_panel_may_move_within_a_revision(store: DialogueStore) -> None:
    await save_text(store, "one")
    await store.mark_shown(PERSON, 1, "panel one")
    await store.mark_shown(PERSON, 1, "panel again")

    assert await load(store) == Dialogue(
        person=PERSON, text="one", language=None, revision=1, shown=1, panel="panel again"
    )


async def test_a_late_call_for_an_erased_dialogue_does_not_mark_the_new_one_as_shown(store: DialogueStore) -> None:
    await save_text(store, "one")
    revision = await save_text(store, "two")
    async with open_unit(store, PERSON) as unit:
        await unit.erase(PERSON, own_account(PERSON))
    await save_text(store, "anew")
    await store.mark_shown(PERSON, revision, "panel two")

    assert await pending_people(store) == [PERSON]


async def test_pending_replies_are_listed_by_waiting_time(store: DialogueStore) -> None:
    for number in (2, 0, 1):
        async with open_unit(store, "say") as unit:
            await unit.save_dialogue(
                PersonId(f"telegram:{number}"), "text", language=None, now=NOON + timedelta(seconds=number)
            )

    assert await pending_people(store, 2) == [PersonId("telegram:0"), PersonId("telegram:1")]


async def test_pending_deletions_are_listed_oldest_first_until_done(store: DialogueStore) -> None:
    young, old = PendingDeletion(PERSON, 7, LATER), PendingDeletion(PERSON, 9, NOON)
    async with open_unit(store, PERSON) as unit:
        await unit.schedule_deletion(young)
        await unit.schedule_deletion(old)
        await unit.schedule_deletion(old)

    assert await store.pending_deletions(TELEGRAM, 10) == [old, young]
    assert await store.pending_deletions(TELEGRAM, 1) == [old]
    await store.deletion_done(old)
    await store.deletion_done(old)
    assert await store.pending_deletions(TELEGRAM, 10) == [young]


async def test_a_person_sees_their_consents_and_attempts(store: DialogueStore) -> None:
    async with open_unit(store, PERSON) as unit:
        await unit.record_consent(consent(PERSON))
        await unit.record_consent(consent(PERSON, "face"))
        await unit.record_consent(consent(OTHER))
        await unit.save_attempt(make_attempt("a1", status=AttemptStatus.FAILED, reason=Reason.DECLINED, identity=None))
        await unit.save_attempt(make_attempt("a2", created_at=LATER))
        await unit.save_attempt(make_attempt("a3", OTHER))
        records = await unit.records(PERSON)

    assert records == PersonRecords(
        consents=[consent(PERSON), consent(PERSON, "face")],
        attempts=[
            PastAttempt(
                account=own_account(PERSON), method="wechat", status="failed", reason="declined", created_at=NOON
            ),
            PastAttempt(account=own_account(PERSON), method="wechat", status="waiting", reason=None, created_at=LATER),
        ],
    )


async def fill(store: DialogueStore, person: PersonId, number: str) -> None:
    attempt = make_attempt(f"attempt-of-{person}", person)
    async with open_unit(store, person) as unit:
        await unit.save_dialogue(person, "text", language="zh", now=NOON)
        await unit.record_consent(consent(person))
        await unit.save_attempt(attempt)
        await unit.post_notice(NoticeKind.ENDED, attempt, NOON)
        assert await unit.take_slot(attempt, make_identity(number), NOON)


async def test_inv39_erasing_leaves_only_the_quota_slot_and_touches_no_other_person(store: DialogueStore) -> None:
    await fill(store, PERSON, NUMBER)
    await fill(store, OTHER, OTHER_NUMBER)
    async with open_unit(store, PERSON) as unit:
        await unit.erase(PERSON, own_account(PERSON))

    async with open_unit(store, "look") as unit:
        assert await unit.dialogue(PERSON) is None
        assert await unit.live_attempt(own_account(PERSON)) is None
        assert await unit.records(PERSON) == PersonRecords([], [])
        assert await unit.slot_of(own_account(PERSON)) == QuotaSlot(own_account(PERSON), make_attempt().method, NOON)
        assert await unit.dialogue(OTHER) is not None
        assert len((await unit.records(OTHER)).consents) == 1
    assert [notice.contact for notice in await store.claim_notices(TELEGRAM, NOON, until=LATER, limit=10)] == [
        contact_of(OTHER)
    ]


async def test_pending_deletions_outlive_the_erasure(store: DialogueStore) -> None:
    deletion = PendingDeletion(PERSON, 7, NOON)
    async with open_unit(store, PERSON) as unit:
        await unit.schedule_deletion(deletion)
        await unit.erase(PERSON, own_account(PERSON))

    assert await store.pending_deletions(TELEGRAM, 10) == [deletion]


async def test_purging_deletes_only_old_events_and_settled_notices(store: DialogueStore) -> None:
    await fill(store, PERSON, NUMBER)
    await mark_seen(store, "update:1")
    await store.store_dead_letter("update:9", person=None, raw="raw", now=NOON)
    assert set((await store.purge_processed(NOON)).values()) == {0}
    assert not await mark_seen(store, "update:1")
    deleted = await store.purge_processed(LATER)

    assert nonzero(deleted) == {"seen_events": 1, "dead_updates": 1}
    assert await mark_seen(store, "update:1")
    assert len(await store.claim_notices(TELEGRAM, NOON, until=LATER, limit=10)) == 1
    assert await load(store) is not None


async def test_inv39_retention_deletes_old_records_and_keeps_live_ones(store: DialogueStore) -> None:
    await fill(store, PERSON, NUMBER)
    await store.purge_before(NOON)
    assert await load(store) is not None

    deleted = await store.purge_before(LATER)

    assert nonzero(deleted) == {"dialogues": 1, "consents": 1}
    assert await load(store) is None
    async with open_unit(store, PERSON) as unit:
        records = await unit.records(PERSON)
        assert not records.consents
        assert all(
            attempt.status not in ("succeeded", "failed", "expired", "cancelled") for attempt in records.attempts
        )


async def test_erasing_reaches_dead_letters_and_returns_what_was_deleted(store: DialogueStore) -> None:
    await fill(store, PERSON, NUMBER)
    await store.store_dead_letter("update:8", person=PERSON, raw="raw", now=NOON)
    await store.store_dead_letter("update:9", person=OTHER, raw="raw", now=NOON)
    async with open_unit(store, PERSON) as unit:
        deleted = await unit.erase(PERSON, own_account(PERSON))

    assert nonzero(deleted) == {"attempts": 1, "consents": 1, "dialogues": 1, "dead_updates": 1}
    assert (await store.purge_processed(LATER))["dead_updates"] == 1


async def test_an_update_may_be_stored_as_a_dead_letter_twice(store: DialogueStore) -> None:
    await store.store_dead_letter("update:9", person=None, raw="raw \ud83d", now=NOON)
    await store.store_dead_letter("update:9", person=None, raw="raw \ud83d", now=LATER)


async def test_what_is_past_its_time_is_deleted_in_small_transactions_and_wholly(store: DialogueStore) -> None:
    async def remember(unit: DialogueUnit) -> None:
        for number in range(2 * PURGE_BATCH + 1):
            await unit.mark_seen(f"update:{number}", NOON)

    await store.transact("remember", remember)

    assert (await store.purge_processed(LATER))["seen_events"] == 2 * PURGE_BATCH + 1
    assert (await store.purge_processed(LATER))["seen_events"] == 0


async def test_the_deletions_of_a_reply_are_forgotten_with_its_mark(store: DialogueStore) -> None:
    done, open_still = PendingDeletion(PERSON, 7, NOON), PendingDeletion(PERSON, 9, NOON)

    async def turn(unit: DialogueUnit) -> int:
        await unit.schedule_deletion(done)
        await unit.schedule_deletion(open_still)
        return await unit.save_dialogue(PERSON, "text", language=None, now=NOON)

    revision = await store.transact(PERSON, turn)
    await store.mark_shown(PERSON, revision, "panel", [done.message_id])

    assert await store.pending_deletions(TELEGRAM, 10) == [open_still]


async def test_the_backlog_tells_how_many_wait_and_since_when(store: SqlStore) -> None:
    assert await store.backlog() == {"replies": (0, None), "notices": (0, None)}
    commits: list[float] = []
    store.counts.on_commit = commits.append

    async with open_unit(store, PERSON) as unit:
        await unit.save_dialogue(PERSON, "text", language=None, now=NOON)

    assert (await store.backlog())["replies"] == (1, NOON)
    assert len(commits) >= 1
    assert min(commits) >= 0


async def test_reminders_that_are_due_are_those_of_one_front_end_and_of_people_who_can_be_written_to(
    store: DialogueStore,
) -> None:
    moments = {
        "telegram:now": timedelta(),
        "telegram:first": timedelta(minutes=-1),
        "telegram:later": timedelta(microseconds=1),
        "telegram:blocked": timedelta(),
        "api.shop:1": timedelta(),
        "telegram:never": None,
    }
    for name, moment in moments.items():
        async with open_unit(store, name) as unit:
            remind_at = None if moment is None else NOON + moment
            await unit.save_dialogue(PersonId(name), "{}", language=None, now=NOON, remind_at=remind_at)
    await store.mark_blocked(PersonId("telegram:blocked"), "")
    due, one = await store.due_reminders(TELEGRAM, NOON, 9), await store.due_reminders(TELEGRAM, NOON, 1)
    async with open_unit(store, PERSON) as unit:
        taken = [name for name in moments if await unit.take_reminder(PersonId(name), NOON)]
    left = await store.due_reminders(TELEGRAM, NOON + timedelta(days=1), 9)

    assert (due, one) == (["telegram:first", "telegram:now"], ["telegram:first"])
    assert taken == ["telegram:now", "telegram:first", "api.shop:1"]
    assert left == ["telegram:later"]
