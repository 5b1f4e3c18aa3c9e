"""Which program may send a person's replies: one at a time, in order; none while the person blocks the bot."""

from tests.contracts.test_store_dialogues import PERSON, load, pending_people, save_text
from tests.fakes import TELEGRAM
from tests.open_unit import open_unit
from verification.dialogue_store import WORKER, DialogueStore, Heartbeat, Lease, PendingReply
from verification.ids import PersonId

BOTH = frozenset({"one", "other"})


async def test_one_program_holds_the_lease_on_a_person_until_released(store: DialogueStore) -> None:
    await save_text(store, "hello")
    first = await store.acquire_lease(PERSON, "one", BOTH, 0)
    refused = await store.acquire_lease(PERSON, "other", BOTH, 0)
    again = await store.acquire_lease(PERSON, "one", BOTH, 0)
    await store.release_lease(PERSON, "other")
    still = await store.acquire_lease(PERSON, "other", BOTH, 0)
    await store.release_lease(PERSON, "one")
    then = await store.acquire_lease(PERSON, "other", BOTH, 0)

    assert (first, again, then) == (
        Lease(0, "", already_held=False),
        Lease(0, "", already_held=True),
        Lease(0, "", already_held=False),
    )
    assert (refused, still) == (None, None)


async def test_the_lease_of_a_crashed_program_goes_to_the_next_with_its_panel(store: DialogueStore) -> None:
    await save_text(store, "hello")
    await store.mark_shown(PERSON, 1, "panel")
    await save_text(store, "more")
    await store.acquire_lease(PERSON, "one", BOTH, 0)

    assert await store.pending_replies(TELEGRAM, 10) == [PendingReply(PERSON, 2, "one")]
    assert await store.acquire_lease(PERSON, "other", frozenset({"other"}), 0) == Lease(1, "panel", already_held=False)


async def test_showing_an_answer_releases_the_lease(store: DialogueStore) -> None:
    await save_text(store, "first")
    await store.acquire_lease(PERSON, "one", BOTH, 0)
    await save_text(store, "second")
    too_early = await store.acquire_lease(PERSON, "other", BOTH, 1)
    await store.mark_shown(PERSON, 1, "panel one")

    assert too_early is None
    assert await store.acquire_lease(PERSON, "other", BOTH, 1) == Lease(1, "panel one", already_held=False)


async def test_an_answer_waits_for_the_one_before_even_without_a_lease(store: DialogueStore) -> None:
    await save_text(store, "first")
    await save_text(store, "second")

    assert await store.acquire_lease(PERSON, "one", BOTH, 1) is None
    assert await store.acquire_lease(PERSON, "one", BOTH, 0) == Lease(0, "", already_held=False)


async def test_a_person_without_a_dialogue_cannot_be_leased(store: DialogueStore) -> None:
    assert await store.acquire_lease(PersonId("telegram:9"), "one", BOTH, 0) is None


async def test_a_person_who_blocked_the_bot_has_no_pending_reply_until_they_return(store: DialogueStore) -> None:
    await save_text(store, "hello")
    await store.acquire_lease(PERSON, "one", BOTH, 0)
    await store.mark_blocked(PERSON, "panel")
    await save_text(store, "news")
    pending, dialogue = await pending_people(store), await load(store)
    async with open_unit(store, PERSON) as unit:
        await unit.mark_unblocked(PERSON)
    back = await load(store)

    assert (pending, dialogue is not None and dialogue.blocked) == ([], True)
    assert (await pending_people(store), back is not None and back.blocked) == ([PERSON], False)
    assert await store.acquire_lease(PERSON, "other", BOTH, 0) == Lease(0, "panel", already_held=False)


async def test_programs_see_each_others_heartbeats(store: DialogueStore) -> None:
    await store.heartbeat(TELEGRAM, name="host:1", program="one")
    await store.heartbeat(TELEGRAM, name="host:2", program="other")
    heartbeats = await store.heartbeat(TELEGRAM, name="host:1", program="one")

    assert heartbeats == [
        Heartbeat(name="host:1", program="one", count=2),
        Heartbeat(name="host:2", program="other", count=1),
    ]


async def test_a_new_program_replaces_a_crashed_one_of_the_same_name(store: DialogueStore) -> None:
    await store.heartbeat(TELEGRAM, name="host:1", program="one")
    heartbeats = await store.heartbeat(TELEGRAM, name="host:1", program="one again")
    await store.unregister(name="host:1", program="one")

    assert [beat.program for beat in heartbeats] == ["one again"]
    assert [beat.program for beat in await store.heartbeat(TELEGRAM, name="host:2", program="other")] == [
        "one again",
        "other",
    ]
    await store.unregister(name="host:1", program="one again")
    assert [beat.program for beat in await store.heartbeat(TELEGRAM, name="host:2", program="other")] == ["other"]


async def test_a_worker_leaves_the_lease_to_others_and_is_named_until_its_work_is_shown(store: DialogueStore) -> None:
    await save_text(store, "opening")
    await store.acquire_lease(PERSON, "one", BOTH, 0)
    await store.mark_shown(PERSON, 0, "panel", worker="one")
    await save_text(store, "more")

    assert await store.pending_replies(TELEGRAM, 10) == [PendingReply(PERSON, 2, f"{WORKER}one")]
    assert await store.acquire_lease(PERSON, "other", BOTH, 1) == Lease(0, "panel", already_held=False)
    await store.mark_shown(PERSON, 2, "panel")
    assert await store.pending_replies(TELEGRAM, 10) == []
