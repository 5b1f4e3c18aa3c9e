"""Who may show a person's answers: one living program at a time, in order; nobody, to somebody who blocked the bot."""

from tests.contracts.test_store_dialogues import PERSON, load, owed, say
from verification.dialogue_store import Beat, DialogueStore, Held, Owed, Person

BOTH = frozenset({"one", "other"})


async def test_a_person_is_held_by_one_program_until_it_lets_go(store: DialogueStore) -> None:
    await say(store, "hello")
    first = await store.hold(PERSON, "one", BOTH, 0)
    refused = await store.hold(PERSON, "other", BOTH, 0)
    again = await store.hold(PERSON, "one", BOTH, 0)
    await store.let_go(PERSON, "other")
    still = await store.hold(PERSON, "other", BOTH, 0)
    await store.let_go(PERSON, "one")
    then = await store.hold(PERSON, "other", BOTH, 0)

    assert (first, again, then) == (Held(0, "", mine=False), Held(0, "", mine=True), Held(0, "", mine=False))
    assert (refused, still) == (None, None)


async def test_what_a_dead_program_held_goes_to_the_next_with_the_panel_it_left(store: DialogueStore) -> None:
    await say(store, "hello")
    await store.mark_shown(PERSON, 1, "panel")
    await say(store, "more")
    await store.hold(PERSON, "one", BOTH, 0)

    assert await store.owed(10) == [Owed(PERSON, 2, "one")]
    assert await store.hold(PERSON, "other", frozenset({"other"}), 0) == Held(1, "panel", mine=False)


async def test_showing_an_answer_lets_go_and_makes_way_for_the_next_one(store: DialogueStore) -> None:
    await say(store, "first")
    await store.hold(PERSON, "one", BOTH, 0)
    await say(store, "second")
    too_early = await store.hold(PERSON, "other", BOTH, 1)
    await store.mark_shown(PERSON, 1, "panel one")

    assert too_early is None
    assert await store.hold(PERSON, "other", BOTH, 1) == Held(1, "panel one", mine=False)


async def test_an_answer_waits_for_the_one_before_even_when_nobody_holds_the_person(store: DialogueStore) -> None:
    await say(store, "first")
    await say(store, "second")

    assert await store.hold(PERSON, "one", BOTH, 1) is None
    assert await store.hold(PERSON, "one", BOTH, 0) == Held(0, "", mine=False)


async def test_nobody_can_be_held_who_has_no_dialogue(store: DialogueStore) -> None:
    assert await store.hold(Person("telegram:9"), "one", BOTH, 0) is None


async def test_somebody_who_blocked_the_bot_is_owed_nothing_until_they_return(store: DialogueStore) -> None:
    await say(store, "hello")
    await store.hold(PERSON, "one", BOTH, 0)
    await store.mark_blocked(PERSON, "panel")
    await say(store, "news")
    away, kept = await owed(store), await load(store)
    async with store.unit(PERSON) as unit:
        await unit.welcome_back(PERSON)
    back = await load(store)

    assert (away, kept is not None and kept.blocked) == ([], True)
    assert (await owed(store), back is not None and back.blocked) == ([PERSON], False)
    assert await store.hold(PERSON, "other", BOTH, 0) == Held(0, "panel", mine=False)


async def test_programs_hear_each_others_beats(store: DialogueStore) -> None:
    await store.beat("host:1", "one")
    await store.beat("host:2", "other")
    heard = await store.beat("host:1", "one")

    assert heard == [Beat("host:1", "one", 2), Beat("host:2", "other", 1)]


async def test_a_new_program_takes_the_place_of_its_dead_namesake(store: DialogueStore) -> None:
    await store.beat("host:1", "one")
    heard = await store.beat("host:1", "one again")
    await store.leave("host:1", "one")

    assert [beat.program for beat in heard] == ["one again"]
    assert [beat.program for beat in await store.beat("host:2", "other")] == ["one again", "other"]
    await store.leave("host:1", "one again")
    assert [beat.program for beat in await store.beat("host:2", "other")] == ["other"]
