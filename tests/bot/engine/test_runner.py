"""The runner: a turn is committed before it is shown, acts once, and is shown even when the program died in between."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest

from bot.engine.messages import BotBlocked, DeliveryFailed, Envelope, MessageRef, TurnKind
from bot.engine.runner import Runner
from bot.engine.turns import RunnerConfig
from bot.flow.effects import AskQuestion, DeleteUserMessage, SendText, ShowToast
from bot.flow.events import AttemptPassed, Choice, Command, Commanded, Said, Tapped
from bot.flow.rows import RuleContext
from storage import SqlStore, StoreUnavailable
from storage.unit import SqlUnit
from tests.bot.engine.runner_fixture import ANNA, BERT, FakeChat, runner_fixture
from tests.fakes import NOON, TELEGRAM
from tests.open_unit import open_unit
from tests.simulator_fixture import NAME, NUMBER
from verification.attempts import AttemptId, Method
from verification.dialogue_store import PendingReply
from verification.ids import FrontEnd, PersonId, own_account

T = TypeVar("T")


async def test_an_event_that_comes_twice_acts_once(tmp_path: Path) -> None:
    async with runner_fixture(tmp_path) as desk:
        await desk.send_event(Commanded(Command.START), event_id="update:1")
        await desk.send_event(Commanded(Command.START), event_id="update:1")

        assert desk.chat.questions() == ["type.ask"]


async def test_inv03_an_event_that_comes_ten_times_at_once_acts_once(tmp_path: Path) -> None:
    async with runner_fixture(tmp_path) as desk:
        await asyncio.gather(*(desk.send_event(Commanded(Command.START), event_id="update:1") for _ in range(10)))

        assert desk.chat.questions() == ["type.ask"]


async def test_inv03_an_event_delivered_to_two_programs_acts_once(tmp_path: Path) -> None:
    async with runner_fixture(tmp_path) as one, runner_fixture(tmp_path) as other:
        await asyncio.gather(
            one.send_event(Commanded(Command.START), event_id="update:1"),
            other.send_event(Commanded(Command.START), event_id="update:1"),
        )

        assert one.chat.questions() + other.chat.questions() == ["type.ask"]


async def test_an_event_without_an_id_always_acts(tmp_path: Path) -> None:
    async with runner_fixture(tmp_path) as desk:
        for _ in range(2):
            await desk.runner.handle(Envelope(ANNA, Commanded(Command.START), None))
        assert await desk.runner.wait_until_idle(10)

        assert len(desk.chat.questions()) == 2


async def test_what_a_dead_program_owed_is_shown_at_the_next_start_and_then_no_more(tmp_path: Path) -> None:
    async with runner_fixture(tmp_path, showing=False) as dead:
        await dead.runner.handle(Envelope(ANNA, Commanded(Command.START), "update:1"))
    async with runner_fixture(tmp_path) as alive:
        await alive.runner.resume_pending()
        assert await alive.runner.wait_until_idle(10)
    async with runner_fixture(tmp_path) as later:
        await later.runner.resume_pending()
        assert await later.runner.wait_until_idle(10)

    assert (dead.chat.shown, alive.chat.questions(), later.chat.shown) == ([], ["type.ask"], [])


class LostConfirmationStore(SqlStore):
    """A store whose first commit goes through, and nobody is told."""

    heard = False

    async def transact(self, lock_key: str, body: Callable[[SqlUnit], Coroutine[Any, Any, T]]) -> T:
        result = await super().transact(lock_key, body)
        if not self.heard:
            self.heard = True
            raise StoreUnavailable("the database does not answer any more")
        return result


async def test_an_answer_whose_commit_went_through_unheard_is_shown_all_the_same(tmp_path: Path) -> None:
    async with runner_fixture(tmp_path) as desk:
        store = LostConfirmationStore(desk.store._database, desk.store._sealing)
        surroundings = RunnerConfig(
            lambda: RuleContext(NOON, "0" * 32), lambda error: isinstance(error, StoreUnavailable)
        )
        runner = Runner(store, desk.core, desk.chat, surroundings)
        start = Envelope(ANNA, Commanded(Command.START), "update:1")
        async with runner.running():
            with pytest.raises(StoreUnavailable):
                await runner.handle(start)
            await runner.handle(start)
            before = desk.chat.questions()
            await runner.resume_after_outage()
            assert await runner.wait_until_idle(10)

    assert (before, desk.chat.questions()) == ([], ["type.ask"])


async def test_all_who_are_owed_an_answer_get_it_however_many(tmp_path: Path) -> None:
    people = [PersonId(f"telegram:{number}") for number in range(200_000_000, 200_000_230)]
    async with runner_fixture(tmp_path, showing=False) as dead:
        for person in people:
            await dead.runner.handle(Envelope(person, Commanded(Command.START), None))
    async with runner_fixture(tmp_path) as alive:
        await alive.runner.resume_pending()
        assert await alive.runner.wait_until_idle(20)

    assert sorted(person for person, _ in alive.chat.shown) == people


async def test_a_code_that_was_asked_for_but_never_shown_is_the_same_attempt_after_the_start(tmp_path: Path) -> None:
    async with runner_fixture(tmp_path) as desk:
        await desk.until_method()
        mark = next(reply.question_id for _, reply in reversed(desk.chat.shown) if isinstance(reply, AskQuestion))
    async with runner_fixture(tmp_path, showing=False) as dead:
        await dead.runner.handle(Envelope(ANNA, Tapped(choice=Choice.WECHAT, question_id=mark), "update:99"))
    async with runner_fixture(tmp_path) as alive:
        await alive.runner.resume_pending()
        assert await alive.runner.wait_until_idle(10)
        first = list(alive.provider.opened)
        await alive.send_event(Commanded(Command.START))

    assert (len(first), alive.provider.opened) == (1, first)
    assert alive.chat.questions()[0] == "scan.waiting"


async def test_a_code_opened_just_before_the_program_died_is_not_opened_twice(tmp_path: Path) -> None:
    async with runner_fixture(tmp_path) as desk:
        await desk.until_method()
        await desk.taps(Choice.WECHAT)
        async with open_unit(desk.store, ANNA) as unit:
            live = await unit.live_attempt(own_account(ANNA))
    async with runner_fixture(tmp_path) as alive:
        await alive.send_event(Commanded(Command.START))
        async with open_unit(alive.store, ANNA) as unit:
            still = await unit.live_attempt(own_account(ANNA))

    assert live is not None
    assert still == live
    assert alive.provider.opened == []


async def test_one_persons_answers_come_in_order_while_others_are_served(tmp_path: Path) -> None:
    async with runner_fixture(tmp_path) as desk:
        desk.chat.gates[ANNA] = asyncio.Event()
        await desk.runner.handle(Envelope(ANNA, Commanded(Command.START), None))
        await desk.runner.handle(Envelope(ANNA, Commanded(Command.HELP), None))
        await desk.runner.handle(Envelope(ANNA, Commanded(Command.STATUS), None))
        await desk.runner.handle(Envelope(BERT, Commanded(Command.START), None))
        await desk.chat.reached.setdefault(BERT, asyncio.Event()).wait()
        served = [person for person, _ in desk.chat.shown]
        desk.chat.gates[ANNA].set()
        assert await desk.runner.wait_until_idle(10)

    keys = [
        reply.text for person, reply in desk.chat.shown if person == ANNA and isinstance(reply, AskQuestion | SendText)
    ]
    assert ANNA not in served
    assert keys == ["type.ask", "misc.help", "type.ask_again"]


async def test_an_answer_that_did_not_get_through_is_asked_again(tmp_path: Path) -> None:
    async with runner_fixture(tmp_path) as desk:
        desk.chat.failures = [DeliveryFailed("NetworkError")]
        await desk.send_event(Commanded(Command.START))

        assert desk.chat.questions() == ["type.ask"]
        assert await desk.store.pending_replies(TELEGRAM, 10) == []


@pytest.mark.parametrize("perhaps", [True, False])
async def test_inv26_a_question_says_that_it_comes_again_when_its_first_copy_may_have_arrived(
    tmp_path: Path, perhaps: bool
) -> None:
    async with runner_fixture(tmp_path) as desk:
        desk.chat.failures = [DeliveryFailed("TimedOut", maybe_delivered=perhaps), DeliveryFailed("NotSent")]
        await desk.send_event(Commanded(Command.START))
        await desk.send_event(Commanded(Command.STATUS))

        assert [view.maybe_duplicate for view in desk.chat.views] == [perhaps, False]


async def test_inv26_another_question_than_the_doubtful_one_does_not_say_so(tmp_path: Path) -> None:
    async with runner_fixture(tmp_path) as desk:
        desk.chat.failures = [DeliveryFailed("TimedOut", maybe_delivered=True)]
        desk.chat.gates[ANNA] = asyncio.Event()
        await desk.runner.handle(Envelope(ANNA, Commanded(Command.START), "test:doubt"))
        await desk.runner.handle(Envelope(ANNA, Said("个人认证"), "test:gone on"))
        desk.chat.gates[ANNA].set()
        assert await desk.runner.wait_until_idle(10)

        assert desk.chat.questions() == ["consent.ask"]
        assert [view.maybe_duplicate for view in desk.chat.views] == [False]


async def test_inv26_what_a_dead_process_may_have_asked_says_that_it_comes_again_and_lets_answers_pass(
    tmp_path: Path,
) -> None:
    async with runner_fixture(tmp_path, showing=False) as dead:
        await dead.runner.handle(Envelope(ANNA, Commanded(Command.START), "test:death"))
    async with runner_fixture(tmp_path) as desk:
        await desk.runner.resume_pending()
        assert await desk.runner.wait_until_idle(10)

        assert desk.chat.questions() == ["type.ask"]
        assert [(view.maybe_duplicate, view.kind) for view in desk.chat.views] == [(True, TurnKind.RESUME)]


async def test_inv22_a_question_says_that_it_comes_again_when_the_store_could_not_note_that_it_was_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with runner_fixture(tmp_path) as desk:
        note, away = desk.store.mark_shown, [StoreUnavailable("away")]

        async def away_once(*args: Any, **facts: Any) -> None:
            if away:
                raise away.pop()
            await note(*args, **facts)

        monkeypatch.setattr(desk.store, "mark_shown", away_once)
        await desk.send_event(Commanded(Command.START))
        await desk.send_event(Commanded(Command.STATUS))

        assert desk.chat.questions() == ["type.ask", "type.ask", "type.ask_again"]
        assert [view.maybe_duplicate for view in desk.chat.views] == [False, True, False]


async def test_inv22_a_question_that_was_noted_as_shown_unheard_is_not_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with runner_fixture(tmp_path) as desk:
        note, lost = desk.store.mark_shown, [StoreUnavailable("the answer is lost")]

        async def unheard_once(*args: Any, **facts: Any) -> None:
            await note(*args, **facts)
            if lost:
                raise lost.pop()

        monkeypatch.setattr(desk.store, "mark_shown", unheard_once)
        await desk.send_event(Commanded(Command.START))

        assert desk.chat.questions() == ["type.ask"]


async def test_inv22_what_was_shown_since_somebody_looked_is_not_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chat = FakeChat(gates={ANNA: asyncio.Event()})
    async with runner_fixture(tmp_path, chat) as desk:
        look = desk.store.pending_replies

        async def overtaken(front_end: FrontEnd, limit: int) -> Sequence[PendingReply]:
            found = await look(front_end, limit)
            chat.gates[ANNA].set()
            assert await desk.runner.wait_until_idle(10)
            return found

        monkeypatch.setattr(desk.store, "pending_replies", overtaken)
        await desk.runner.handle(Envelope(ANNA, Commanded(Command.START), "test:start"))
        await desk.runner.resume_pending()
        assert await desk.runner.wait_until_idle(10)

        assert chat.questions() == ["type.ask"]


@dataclass
class LateConfirmationStore:
    """A store whose commits are heard of only after something else has happened."""

    store: SqlStore
    meanwhile: Callable[[], Awaitable[object]]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)

    async def transact(self, lock_key: str, body: Callable[[SqlUnit], Coroutine[Any, Any, T]]) -> T:
        result = await self.store.transact(lock_key, body)
        await self.meanwhile()
        return result


async def test_inv26_an_answer_that_arrives_while_the_next_turn_is_committed_is_not_taken_for_lost(
    tmp_path: Path,
) -> None:
    chat = FakeChat(gates={ANNA: asyncio.Event()})
    async with runner_fixture(tmp_path, chat) as desk:

        async def arrive() -> None:
            desk.runner._committer._store = desk.store
            chat.gates[ANNA].set()
            assert await desk.runner.wait_until_idle(10)

        await desk.runner.handle(Envelope(ANNA, Commanded(Command.START), "test:start"))
        desk.runner._committer._store = LateConfirmationStore(desk.store, arrive)
        await desk.runner.handle(Envelope(ANNA, Tapped(choice=Choice.AGREE, question_id="old"), "test:old"))
        assert await desk.runner.wait_until_idle(10)

        assert chat.questions() == ["type.ask"]


async def test_a_fault_in_showing_does_not_stop_the_person_or_anybody_else(tmp_path: Path) -> None:
    async with runner_fixture(tmp_path) as desk:
        desk.chat.failures = [ValueError("a fault of ours")]
        await desk.send_event(Commanded(Command.START))
        await desk.send_event(Commanded(Command.START), BERT)

        assert desk.chat.questions() == ["type.ask"]
        assert desk.chat.questions(BERT) == ["type.ask"]


async def test_a_person_out_of_reach_is_left_in_peace_and_welcomed_back(tmp_path: Path) -> None:
    async with runner_fixture(tmp_path) as desk:
        await desk.send_event(Commanded(Command.START))
        desk.chat.failures = [BotBlocked()]
        await desk.taps(Choice.PERSONAL)
        owed = await desk.store.pending_replies(TELEGRAM, 10)
        await desk.send_event(Commanded(Command.START))

        assert owed == []
        assert desk.chat.questions() == ["type.ask", "consent.ask"]


async def test_stopping_waits_for_what_is_on_its_way(tmp_path: Path) -> None:
    chat = FakeChat(gates={ANNA: asyncio.Event()})

    async def open_the_gate() -> None:
        await chat.reached.setdefault(ANNA, asyncio.Event()).wait()
        chat.gates[ANNA].set()

    async with asyncio.TaskGroup() as tasks, runner_fixture(tmp_path, chat) as desk:
        await desk.runner.handle(Envelope(ANNA, Commanded(Command.START), None))
        tasks.create_task(open_the_gate())

    assert chat.questions() == ["type.ask"]


async def test_an_event_while_the_store_is_away_leaves_nothing_half_done(tmp_path: Path) -> None:
    async with runner_fixture(tmp_path) as desk:
        pass
    with suppress(ValueError, StoreUnavailable):
        await desk.runner.handle(Envelope(ANNA, Commanded(Command.START), "update:1"))
    async with runner_fixture(tmp_path) as alive:
        await alive.send_event(Commanded(Command.START), event_id="update:1")

    assert (desk.chat.shown, alive.chat.questions()) == ([], ["type.ask"])


async def test_a_pressed_button_is_answered_first_and_once(tmp_path: Path) -> None:
    async with runner_fixture(tmp_path) as desk:
        await desk.send_event(Commanded(Command.START))
        mark = next(reply.question_id for _, reply in desk.chat.shown if isinstance(reply, AskQuestion))
        for _ in range(2):
            origin = MessageRef(7, "query")
            await desk.runner.handle(Envelope(ANNA, Tapped(choice=Choice.PERSONAL, question_id=mark), None, origin))
        assert await desk.runner.wait_until_idle(10)

    toasts = [reply.text for _, reply in desk.chat.shown if isinstance(reply, ShowToast)]
    assert toasts == ["", "misc.closed_question"]
    assert desk.chat.questions() == ["type.ask", "consent.ask"]


async def test_inv40_a_message_with_a_name_is_remembered_until_it_is_deleted(tmp_path: Path) -> None:
    async with runner_fixture(tmp_path) as desk:
        await desk.send_event(Commanded(Command.START))
        await desk.taps(Choice.PERSONAL)
        await desk.taps(Choice.AGREE)
    async with runner_fixture(tmp_path, showing=False) as dead:
        await dead.runner.handle(Envelope(ANNA, Said(NAME), "update:9", MessageRef(message_id=55)))
        left = await dead.store.pending_deletions(TELEGRAM, 10)
    async with runner_fixture(tmp_path) as alive:
        await alive.send_event(Said(NUMBER))
        after = await alive.store.pending_deletions(TELEGRAM, 10)

    assert [litter.message_id for litter in left] == [55]
    assert [litter.message_id for litter in after] == [55]
    assert any(isinstance(reply, DeleteUserMessage) for _, reply in alive.chat.shown)


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_the_clients_language_is_kept_for_what_the_program_says_of_itself(tmp_path: Path, language: str) -> None:
    async with runner_fixture(tmp_path) as desk:
        await desk.runner.handle(Envelope(ANNA, Commanded(Command.START), None, language=language))
        assert await desk.runner.wait_until_idle(10)
        async with open_unit(desk.store, ANNA) as unit:
            kept = await unit.dialogue(ANNA)

    assert kept is not None
    assert kept.language == language


async def test_a_success_is_reported_in_every_state(tmp_path: Path) -> None:
    async with runner_fixture(tmp_path) as desk:
        await desk.until_method()
        await desk.send_event(AttemptPassed(AttemptId("attempt-1"), own_account(ANNA), Method.WECHAT))

        assert desk.chat.questions()[-1] == "verified.ask"


async def test_a_cancelled_code_is_dead_even_when_nothing_could_be_shown_of_it(tmp_path: Path) -> None:
    async with runner_fixture(tmp_path) as desk:
        await desk.until_method()
        await desk.taps(Choice.WECHAT)
    async with runner_fixture(tmp_path, showing=False) as dead:
        await dead.runner.handle(Envelope(ANNA, Commanded(Command.CANCEL), "update:cancel"))
        async with open_unit(dead.store, ANNA) as unit:
            live = await unit.live_attempt(own_account(ANNA))

    assert live is None


async def test_leaving_a_code_for_another_way_ends_it_even_when_telegram_is_away(tmp_path: Path) -> None:
    async with runner_fixture(tmp_path) as desk:
        await desk.until_method()
        await desk.taps(Choice.WECHAT)
        desk.chat.failures = [DeliveryFailed("NetworkError")]
        await desk.send_event(Commanded(Command.BACK))
        async with open_unit(desk.store, ANNA) as unit:
            live = await unit.live_attempt(own_account(ANNA))

    assert live is None
    assert desk.chat.questions()[-1] == "confirm.ask"
