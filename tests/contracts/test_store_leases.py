"""Who may show a person's answers: one living program at a time, in order; nobody, to somebody who blocked the bot."""

from tests.contracts.test_store_dialogues import PERSON, load, owed, say
from verification.dialogue_store import DialogueStore, Heartbeat, Lease, PendingReply
from verification.ids import PersonId

BOTH = frozenset({"one", "other"})


async def test_a_person_is_held_by_one_program_until_it_lets_go(store: DialogueStore) -> None:
    await say(store, "hello")
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


async def test_what_a_dead_program_held_goes_to_the_next_with_the_panel_it_left(store: DialogueStore) -> None:
    await say(store, "hello")
    await store.mark_shown(PERSON, 1, "panel")
    await say(store, "more")
    await store.acquire_lease(PERSON, "one", BOTH, 0)

    assert await store.pending_replies(10) == [PendingReply(PERSON, 2, "one")]
    assert await store.acquire_lease(PERSON, "other", frozenset({"other"}), 0) == Lease(1, "panel", already_held=False)


async def test_showing_an_answer_lets_go_and_makes_way_for_the_next_one(store: DialogueStore) -> None:
    await say(store, "first")
    await store.acquire_lease(PERSON, "one", BOTH, 0)
    await say(store, "second")
    too_early = await store.acquire_lease(PERSON, "other", BOTH, 1)
    await store.mark_shown(PERSON, 1, "panel one")

    assert too_early is None
    assert await store.acquire_lease(PERSON, "other", BOTH, 1) == Lease(1, "panel one", already_held=False)


async def test_an_answer_waits_for_the_one_before_even_when_nobody_holds_the_person(store: DialogueStore) -> None:
    await say(store, "first")
    await say(store, "second")

    assert await store.acquire_lease(PERSON, "one", BOTH, 1) is None
    assert await store.acquire_lease(PERSON, "one", BOTH, 0) == Lease(0, "", already_held=False)


async def test_nobody_can_be_held_who_has_no_dialogue(store: DialogueStore) -> None:
    assert await store.acquire_lease(PersonId("telegram:9"), "one", BOTH, 0) is None


async def test_somebody_who_blocked_the_bot_is_owed_nothing_until_they_return(store: DialogueStore) -> None:
    await say(store, "hello")
    await store.acquire_lease(PERSON, "one", BOTH, 0)
    await store.mark_blocked(PERSON, "panel")
    await say(store, "news")
    away, kept = await owed(store), await load(store)
    async with store.unit(PERSON) as unit:
        await unit.mark_unblocked(PERSON)
    back = await load(store)

    assert (away, kept is not None and kept.blocked) == ([], True)
    assert (await owed(store), back is not None and back.blocked) == ([PERSON], False)
    assert await store.acquire_lease(PERSON, "other", BOTH, 0) == Lease(0, "panel", already_held=False)


async def test_programs_hear_each_others_beats(store: DialogueStore) -> None:
    await store.heartbeat(name="host:1", program="one")
    await store.heartbeat(name="host:2", program="other")
    heard = await store.heartbeat(name="host:1", program="one")

    assert heard == [
        Heartbeat(name="host:1", program="one", count=2),
        Heartbeat(name="host:2", program="other", count=1),
    ]


async def test_a_new_program_takes_the_place_of_its_dead_namesake(store: DialogueStore) -> None:
    await store.heartbeat(name="host:1", program="one")
    heard = await store.heartbeat(name="host:1", program="one again")
    await store.unregister(name="host:1", program="one")

    assert [beat.program for beat in heard] == ["one again"]
    assert [beat.program for beat in await store.heartbeat(name="host:2", program="other")] == ["one again", "other"]
    await store.unregister(name="host:1", program="one again")
    assert [beat.program for beat in await store.heartbeat(name="host:2", program="other")] == ["other"]
