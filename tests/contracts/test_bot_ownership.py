"""A database belongs to one bot, and can be moved to another one."""

import pytest

from storage import SqlStore, WrongBot
from tests.contracts.conftest import Another
from tests.fakes import NOON, TELEGRAM, make_attempt
from tests.open_unit import open_unit
from verification.dialogue_store import PendingDeletion
from verification.ids import FrontEnd, PersonId
from verification.ports import NoticeKind

FIRST, SECOND = 7_000_000_001, 7_000_000_002
ANNA = PersonId("telegram:200000001")


async def test_a_database_belongs_to_the_first_bot_that_is_noted(store: SqlStore) -> None:
    ownership = store.bot_ownership(TELEGRAM)
    await ownership.check(SECOND)
    await ownership.note(FIRST)
    await ownership.note(FIRST)
    await ownership.check(FIRST)

    with pytest.raises(WrongBot, match=rf"^BOT_TOKEN: .*\b{FIRST}\b.*\b{SECOND}\b"):
        await ownership.check(SECOND)
    with pytest.raises(WrongBot):
        await ownership.note(SECOND)
    assert await ownership.bot() == FIRST


async def test_each_front_end_has_a_bot_of_its_own(store: SqlStore) -> None:
    await store.bot_ownership(TELEGRAM).note(FIRST)
    await store.bot_ownership(FrontEnd("console")).note(SECOND)

    assert await store.bot_ownership(TELEGRAM).bot() == FIRST


async def test_every_program_knows_the_bots_name_and_who_has_a_menu_of_staff(store: SqlStore, another: Another) -> None:
    assert await store.bot_ownership(TELEGRAM).username() is None
    await store.bot_ownership(TELEGRAM).note(FIRST, "example_bot")
    await store.bot_ownership(TELEGRAM).keep_menus({7, 8})
    await store.bot_ownership(TELEGRAM).keep_menus({8, 9})

    async with another() as second:
        ownership = second.bot_ownership(TELEGRAM)
        assert await ownership.username() == "example_bot"
        assert await ownership.people_with_menu() == {8, 9}
        assert await second.bot_ownership(FrontEnd("console")).people_with_menu() == frozenset()
        await ownership.move(SECOND)
        assert (await ownership.username(), await ownership.people_with_menu()) == (None, frozenset())


async def test_a_move_keeps_people_and_forgets_the_ids_of_the_former_bot(store: SqlStore) -> None:
    ownership, attempt = store.bot_ownership(TELEGRAM), make_attempt("a1", ANNA)
    await ownership.note(FIRST)
    async with open_unit(store, ANNA) as unit:
        await unit.save_dialogue(ANNA, "text", language="zh", now=NOON)
        await unit.mark_seen("telegram:1", NOON)
        await unit.mark_seen("telegram-of-another-front-end:1", NOON)
        await unit.schedule_deletion(PendingDeletion(ANNA, 55, NOON))
        await unit.save_attempt(attempt)
        await unit.post_notice(NoticeKind.ENDED, attempt, NOON)
    await store.mark_shown(ANNA, 1, "panel 55")
    await store.store_dead_letter("telegram:2", person=ANNA, raw="{}", now=NOON)
    await store.heartbeat(TELEGRAM, name="host:8080", program="p")
    [claimed] = await store.claim_notices(TELEGRAM, NOON, until=NOON.replace(hour=23), limit=10)

    deleted = await ownership.move(SECOND)

    async with open_unit(store, ANNA) as unit:
        dialogue = await unit.dialogue(ANNA)
        seen_again = [await unit.mark_seen(f"{name}:1", NOON) for name in ("telegram", "telegram-of-another-front-end")]
    assert deleted == {"received updates": 1, "dead letters": 1, "messages to delete": 1, "programs": 1}
    assert dialogue is not None
    assert (dialogue.text, dialogue.panel) == ("text", "")
    assert seen_again == [True, False]
    assert await store.pending_deletions(TELEGRAM, 10) == []
    assert await store.claim_notices(TELEGRAM, NOON, until=NOON.replace(hour=23), limit=10) == [claimed]
    assert (await ownership.bot(), await ownership.programs()) == (SECOND, [])


async def test_a_program_learns_whether_another_one_has_polled_meanwhile(store: SqlStore) -> None:
    ownership = store.bot_ownership(TELEGRAM)
    unknown = await ownership.begin_polling("one")
    await ownership.note(FIRST)

    assert not unknown
    assert [await ownership.begin_polling(program) for program in ("one", "one", "two", "one")] == [
        False,
        True,
        False,
        False,
    ]
