from datetime import timedelta

from tests.fakes import NOON, NUMBER, OTHER_NUMBER, make_attempt, make_identity
from verification.attempts import AttemptStatus, Reason
from verification.dialogue_store import (
    Consent,
    DeletedCounts,
    Dialogue,
    DialogueStore,
    PastAttempt,
    PendingDeletion,
    PersonRecords,
)
from verification.ids import PersonId, contact_of, own_account
from verification.ports import NoticeKind, QuotaSlot

PERSON = PersonId("telegram:100012345")
OTHER = PersonId("telegram:2")
LATER = NOON + timedelta(seconds=1)


async def say(store: DialogueStore, text: str, person: PersonId = PERSON, language: str | None = None) -> int:
    async with store.unit(person) as unit:
        return await unit.save_dialogue(person, text, language=language, now=NOON)


async def load(store: DialogueStore, person: PersonId = PERSON) -> Dialogue | None:
    async with store.unit(person) as unit:
        return await unit.dialogue(person)


async def owed(store: DialogueStore, limit: int = 10) -> list[PersonId]:
    return [one.person for one in await store.pending_replies(limit)]


async def first_sight(store: DialogueStore, event_id: str) -> bool:
    async with store.unit("event") as unit:
        return await unit.mark_seen(event_id, NOON)


def consent(person: PersonId, kind: str = "data") -> Consent:
    return Consent(person=person, account=own_account(person), kind=kind, version="2026-11", language="zh", at=NOON)


def some(gone: DeletedCounts) -> DeletedCounts:
    """Of what there was any."""
    return {kind: number for kind, number in gone.items() if number}


async def test_an_event_is_seen_for_the_first_time_once(store: DialogueStore) -> None:
    seen = [await first_sight(store, event) for event in ("update:1", "update:1", "update:2", "update:1")]

    assert seen == [True, False, True, False]


async def test_a_dialogue_comes_back_word_for_word(store: DialogueStore) -> None:
    text = "王小明 𠮷 \ud83d <b>';--{0}%s\x00 ../\n" + "长" * 5000
    await say(store, text, language="zh")

    assert await load(store) == Dialogue(person=PERSON, text=text, language="zh", revision=1, shown=0, panel="")
    assert await load(store, OTHER) is None


async def test_every_turn_is_a_revision_and_a_language_stays_until_another_is_given(store: DialogueStore) -> None:
    revisions = [await say(store, "one", language="en"), await say(store, "two"), await say(store, "three")]

    assert revisions == [1, 2, 3]
    assert await load(store) == Dialogue(person=PERSON, text="three", language="en", revision=3, shown=0, panel="")
    await say(store, "four", language="zh")
    assert await load(store) == Dialogue(person=PERSON, text="four", language="zh", revision=4, shown=0, panel="")


async def test_an_answer_is_owed_until_the_last_revision_was_shown(store: DialogueStore) -> None:
    await say(store, "one")
    revision = await say(store, "two")
    assert await owed(store) == [PERSON]
    await store.mark_shown(PERSON, 1, "panel one")
    assert await owed(store) == [PERSON]
    await store.mark_shown(PERSON, revision, "panel two")

    assert await store.pending_replies(10) == []
    assert await load(store) == Dialogue(
        person=PERSON, text="two", language=None, revision=2, shown=2, panel="panel two"
    )


async def test_an_older_revision_never_wins(store: DialogueStore) -> None:
    await say(store, "one")
    await say(store, "two")
    await store.mark_shown(PERSON, 2, "panel two")
    await store.mark_shown(PERSON, 1, "panel one")

    assert await load(store) == Dialogue(
        person=PERSON, text="two", language=None, revision=2, shown=2, panel="panel two"
    )


async def test_a_panel_may_move_within_a_revision(store: DialogueStore) -> None:
    await say(store, "one")
    await store.mark_shown(PERSON, 1, "panel one")
    await store.mark_shown(PERSON, 1, "panel again")

    assert await load(store) == Dialogue(
        person=PERSON, text="one", language=None, revision=1, shown=1, panel="panel again"
    )


async def test_a_late_note_about_an_erased_dialogue_hides_no_answer_of_the_new_one(store: DialogueStore) -> None:
    await say(store, "one")
    revision = await say(store, "two")
    async with store.unit(PERSON) as unit:
        await unit.erase(PERSON, own_account(PERSON))
    await say(store, "anew")
    await store.mark_shown(PERSON, revision, "panel two")

    assert await owed(store) == [PERSON]


async def test_who_waits_longest_is_owed_first(store: DialogueStore) -> None:
    for number in (2, 0, 1):
        async with store.unit("say") as unit:
            await unit.save_dialogue(
                PersonId(f"telegram:{number}"), "text", language=None, now=NOON + timedelta(seconds=number)
            )

    assert await owed(store, 2) == [PersonId("telegram:0"), PersonId("telegram:1")]


async def test_litter_is_listed_oldest_first_until_it_is_swept(store: DialogueStore) -> None:
    young, old = PendingDeletion(PERSON, 7, LATER), PendingDeletion(PERSON, 9, NOON)
    async with store.unit(PERSON) as unit:
        await unit.schedule_deletion(young)
        await unit.schedule_deletion(old)
        await unit.schedule_deletion(old)

    assert await store.pending_deletions(10) == [old, young]
    assert await store.pending_deletions(1) == [old]
    await store.deletion_done(old)
    await store.deletion_done(old)
    assert await store.pending_deletions(10) == [young]


async def test_a_person_sees_their_consents_and_the_attempts_told_to_them(store: DialogueStore) -> None:
    async with store.unit(PERSON) as unit:
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
    async with store.unit(person) as unit:
        await unit.save_dialogue(person, "text", language="zh", now=NOON)
        await unit.record_consent(consent(person))
        await unit.save_attempt(attempt)
        await unit.post_notice(NoticeKind.ENDED, attempt, NOON)
        assert await unit.take_slot(attempt, make_identity(number), NOON)


async def test_inv39_erasing_leaves_only_the_place_and_touches_nobody_else(store: DialogueStore) -> None:
    await fill(store, PERSON, NUMBER)
    await fill(store, OTHER, OTHER_NUMBER)
    async with store.unit(PERSON) as unit:
        await unit.erase(PERSON, own_account(PERSON))

    async with store.unit("look") as unit:
        assert await unit.dialogue(PERSON) is None
        assert await unit.live_attempt(own_account(PERSON)) is None
        assert await unit.records(PERSON) == PersonRecords([], [])
        assert await unit.slot_of(own_account(PERSON)) == QuotaSlot(own_account(PERSON), make_attempt().method, NOON)
        assert await unit.dialogue(OTHER) is not None
        assert len((await unit.records(OTHER)).consents) == 1
    assert [notice.contact for notice in await store.claim_notices(NOON, until=LATER, limit=10)] == [contact_of(OTHER)]


async def test_messages_that_must_still_vanish_outlive_the_erasure(store: DialogueStore) -> None:
    litter = PendingDeletion(PERSON, 7, NOON)
    async with store.unit(PERSON) as unit:
        await unit.schedule_deletion(litter)
        await unit.erase(PERSON, own_account(PERSON))

    assert await store.pending_deletions(10) == [litter]


async def test_pruning_forgets_old_events_and_settled_notices_only(store: DialogueStore) -> None:
    await fill(store, PERSON, NUMBER)
    await first_sight(store, "update:1")
    await store.store_dead_letter("update:9", person=None, raw="raw", now=NOON)
    assert set((await store.purge_processed(NOON)).values()) == {0}
    assert not await first_sight(store, "update:1")
    gone = await store.purge_processed(LATER)

    assert some(gone) == {"seen_events": 1, "dead_updates": 1}
    assert await first_sight(store, "update:1")
    assert len(await store.claim_notices(NOON, until=LATER, limit=10)) == 1
    assert await load(store) is not None


async def test_inv39_retention_deletes_what_is_old_and_keeps_what_lives(store: DialogueStore) -> None:
    await fill(store, PERSON, NUMBER)
    await store.purge_before(NOON)
    assert await load(store) is not None

    gone = await store.purge_before(LATER)

    assert some(gone) == {"dialogues": 1, "consents": 1}
    assert await load(store) is None
    async with store.unit(PERSON) as unit:
        records = await unit.records(PERSON)
        assert not records.consents
        assert all(
            attempt.status not in ("succeeded", "failed", "expired", "cancelled") for attempt in records.attempts
        )


async def test_erasing_reaches_the_updates_that_were_set_aside_and_says_what_went(store: DialogueStore) -> None:
    await fill(store, PERSON, NUMBER)
    await store.store_dead_letter("update:8", person=PERSON, raw="raw", now=NOON)
    await store.store_dead_letter("update:9", person=OTHER, raw="raw", now=NOON)
    async with store.unit(PERSON) as unit:
        gone = await unit.erase(PERSON, own_account(PERSON))

    assert some(gone) == {"attempts": 1, "consents": 1, "dialogues": 1, "dead_updates": 1}
    assert (await store.purge_processed(LATER))["dead_updates"] == 1


async def test_an_update_may_be_buried_twice(store: DialogueStore) -> None:
    await store.store_dead_letter("update:9", person=None, raw="raw \ud83d", now=NOON)
    await store.store_dead_letter("update:9", person=None, raw="raw \ud83d", now=LATER)
