"""What cannot be read belongs to one person, and keeps nobody else waiting."""

import asyncio
import json
from datetime import timedelta
from pathlib import Path

from bot.engine.messages import Envelope, MessageRef
from bot.engine.notices import NoticeDispatcher
from bot.flow.effects import AskQuestion
from bot.flow.events import Choice, Command, Commanded, SideMessage, SideTapped, Tapped
from tests.bot.app_fixture import running_bot
from tests.bot.engine.runner_fixture import ANNA, BERT, RunnerFixture, runner_fixture
from tests.fakes import NOON, make_attempt
from tests.open_unit import open_unit
from tests.simulator_fixture import go_to_method_choice, simulator
from verification.attempts import AttemptStatus
from verification.dialogue_store import PendingDeletion
from verification.ids import PersonId
from verification.ports import NoticeKind

OF_ANOTHER_RELEASE = '{"state": "Renamed"}'


async def succeeded(desk: RunnerFixture, person: PersonId) -> None:
    async with open_unit(desk.store, person) as unit:
        attempt = make_attempt(f"of-{person}", account=person, status=AttemptStatus.SUCCEEDED, identity=None)
        await unit.save_attempt(attempt)
        await unit.post_notice(NoticeKind.ENDED, attempt, NOON)


async def test_a_dialogue_nobody_can_read_does_not_keep_results_from_others(tmp_path: Path) -> None:
    async with runner_fixture(tmp_path) as desk:
        async with open_unit(desk.store, ANNA) as unit:
            await unit.save_dialogue(ANNA, OF_ANOTHER_RELEASE, language="zh", now=NOON)
        await succeeded(desk, ANNA)
        await succeeded(desk, BERT)
        await NoticeDispatcher(desk.store, desk.core, desk.runner, lambda: desk.clock.now).dispatch_batch()
        assert await desk.runner.wait_until_idle(5)

        assert desk.chat.questions(BERT) == ["verified.ask"]


async def test_an_attempt_nobody_can_read_does_not_keep_results_from_others(tmp_path: Path) -> None:
    async with runner_fixture(tmp_path) as desk:
        async with open_unit(desk.store, "anybody") as unit:
            await unit.save_attempt(make_attempt("broken", account="telegram:9", expires_at=NOON))
            await unit._connection.fetch("UPDATE attempts SET secrets = x'00' WHERE id = 'broken'")
        await succeeded(desk, BERT)
        notices = NoticeDispatcher(desk.store, desk.core, desk.runner, lambda: desk.clock.now)
        async with asyncio.TaskGroup() as tasks, asyncio.timeout(10):
            loop = tasks.create_task(notices.run())
            await desk.chat.reached.setdefault(BERT, asyncio.Event()).wait()
            loop.cancel()

        assert await desk.runner.wait_until_idle(5)
        assert desk.chat.questions(BERT) == ["verified.ask"]


async def test_a_dialogue_nobody_can_read_does_not_keep_the_program_from_starting(tmp_path: Path) -> None:
    async with simulator() as place:
        guest = await place.new_user()
        async with running_bot(place, tmp_path) as bot:
            await guest.says("/start")
            await guest.sees("你要认证哪一类")
            await bot.wait_until_quiet()
            async with open_unit(bot.app.deps.store, "anybody") as unit:
                await unit.save_dialogue(PersonId("telegram:77"), OF_ANOTHER_RELEASE, language="zh", now=NOON)
        async with running_bot(place, tmp_path):
            await guest.says("/status")

            await guest.sees("📍")


async def test_after_an_erasure_nothing_of_before_is_shown_behind_it(tmp_path: Path) -> None:
    async with runner_fixture(tmp_path) as desk:
        await desk.send_event(Commanded(Command.START))
        [mark] = [reply.question_id for _, reply in desk.chat.shown if isinstance(reply, AskQuestion)]
        gate = desk.chat.gates[ANNA] = asyncio.Event()
        desk.chat.reached[ANNA] = asyncio.Event()
        await desk.runner.handle(Envelope(ANNA, Commanded(Command.HELP), None))
        await desk.chat.reached[ANNA].wait()
        await desk.runner.handle(
            Envelope(ANNA, Tapped(choice=Choice.PERSONAL, question_id=mark), None, MessageRef(7, "a"))
        )
        async with open_unit(desk.store, ANNA) as unit:
            kept = await unit.dialogue(ANNA)
        assert kept is not None
        erase = SideTapped(side=SideMessage.PRIVACY, choice="erase_now", question_id=json.loads(kept.text)["mark"])
        await desk.runner.handle(Envelope(ANNA, erase, None, MessageRef(8, "b")))
        gate.set()
        assert await desk.runner.wait_until_idle(5)

        assert desk.chat.questions()[-1] == "idle.ask"


async def test_no_attempt_is_begun_for_somebody_who_erased_everything_meanwhile(tmp_path: Path) -> None:
    async with runner_fixture(tmp_path) as desk:
        await desk.until_method()
        async with open_unit(desk.store, ANNA) as unit:
            kept = await unit.dialogue(ANNA)
        assert kept is not None
        mark = json.loads(kept.text)["mark"]
        gate = desk.chat.gates[ANNA] = asyncio.Event()
        desk.chat.reached[ANNA] = asyncio.Event()
        await desk.runner.handle(
            Envelope(ANNA, Tapped(choice=Choice.WECHAT, question_id=mark), None, MessageRef(7, "a"))
        )
        await desk.chat.reached[ANNA].wait()
        async with open_unit(desk.store, ANNA) as unit:
            kept = await unit.dialogue(ANNA)
        assert kept is not None
        erase = SideTapped(side=SideMessage.PRIVACY, choice="erase_now", question_id=json.loads(kept.text)["mark"])
        await desk.runner.handle(Envelope(ANNA, erase, None, MessageRef(8, "b")))
        gate.set()
        assert await desk.runner.wait_until_idle(5)

        async with open_unit(desk.store, ANNA) as unit:
            assert (await unit.records(ANNA)).attempts == []


async def test_a_chat_that_does_not_answer_keeps_no_deletion_of_others_waiting(tmp_path: Path) -> None:
    async with simulator() as place, running_bot(place, tmp_path) as bot:
        first, second = await place.new_user(), await place.new_user()
        store, now = bot.app.deps.store, bot.app.deps.clock.now()
        async with open_unit(store, "anybody") as unit:
            await unit.schedule_deletion(PendingDeletion(PersonId(f"telegram:{first.id}"), 1, now - timedelta(hours=2)))
            await unit.schedule_deletion(
                PendingDeletion(PersonId(f"telegram:{second.id}"), 1, now - timedelta(hours=1))
            )
        await place.inject_fault("deleteMessage", "429", times=1, retry_after=3600)
        await bot.app.jobs.cleanup.delete_pending_messages(timedelta())

        assert [litter.person for litter in await store.pending_deletions(10)] == [f"telegram:{first.id}"]


async def test_who_blocked_the_bot_finds_one_question_on_returning_not_two(tmp_path: Path) -> None:
    async with simulator() as place, running_bot(place, tmp_path) as bot:
        guest = await place.new_user()
        await go_to_method_choice(guest)
        await bot.wait_until_quiet()
        await place.inject_fault("sendMessage", "403")
        await guest.says("/status")
        await bot.wait_until_quiet()
        await guest.says("/start")
        await guest.sees("欢迎回来")
        await bot.wait_until_quiet()

        assert len(guest.waiting_messages()) == 1


async def test_a_group_that_does_not_let_go_holds_nobody_up_for_long(tmp_path: Path) -> None:
    async with simulator() as place, running_bot(place, tmp_path) as bot:
        guest, host = await place.new_user(), await place.new_user()
        await guest.says("/start")
        await guest.sees("你要认证哪一类")
        await bot.wait_until_quiet()
        await place.inject_fault("leaveChat", "slow", seconds=60)
        await place.sim("/chats", type="group", title="x", members=[host.id])
        await guest.says("/help")

        async with asyncio.timeout(9):  # less than the transport's own patience with one call
            await guest.sees("我能做什么")
