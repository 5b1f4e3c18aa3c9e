"""The intake: what is confirmed was handled, what cannot be handled is set aside, and nobody waits for a neighbour."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, Counter
from telegram import Bot, Update
from telegram.ext import Application, BaseHandler, ContextTypes, ExtBot

from bot.handlers.api.transport import AiohttpRequest
from bot.handlers.dialogue import DialogueContext, HandlerErrors
from bot.intake import Poller, PollingLease, RawUpdate, StartupError, UpdateIntake, _sender_key
from storage.lockfile import file_lock
from tests.simulator_fixture import TOKEN, Simulator, simulator

Json = dict[str, Any]
Hear = Callable[[Update], Awaitable[None]]


class OutOfOrder(Exception):
    """The store is out of reach."""


class RecordingRequest(AiohttpRequest):
    """A line on which it is known when the first answer came."""

    def __init__(self) -> None:
        super().__init__()
        self.answered = asyncio.Event()

    async def do_request(self, *args: Any, **facts: Any) -> tuple[int, bytes]:
        try:
            return await super().do_request(*args, **facts)
        finally:
            self.answered.set()


class ListeningHandler(BaseHandler[object, DialogueContext, None]):
    """A handler that hands every update on."""

    def __init__(self, hear: Hear) -> None:
        async def handle(update: object, _: DialogueContext) -> None:
            assert isinstance(update, Update)
            await hear(update)

        super().__init__(handle)

    def check_update(self, update: object) -> bool:
        return isinstance(update, Update)


@dataclass
class IntakeFixture:
    """An intake over a stand-in, and what came through it."""

    town: Simulator
    intake: UpdateIntake
    polling: Poller
    registry: CollectorRegistry
    answered: asyncio.Event
    aside: list[RawUpdate] = field(default_factory=list)
    heard: list[str] = field(default_factory=list)
    paid: int = 0

    def counted(self, outcome: str) -> float:
        return self.registry.get_sample_value("bot_updates_total", {"outcome": outcome}) or 0.0

    def waiting(self) -> int:
        return len(self.town.playground.world.updates.pending())


def text_of(update: Update) -> str:
    return (update.message and update.message.text) or ""


@asynccontextmanager
async def nobody_else(_: Callable[[], None]) -> AsyncIterator[Callable[[], Awaitable[bool]]]:
    """A turn to poll that is always this program's."""

    async def still_mine() -> bool:
        return True

    yield still_mine


@asynccontextmanager
async def intake_fixture(
    place: Simulator,
    hear: Hear | None = None,
    *,
    aside: Callable[[RawUpdate], None] = lambda _: None,
    turn: PollingLease = nobody_else,
) -> AsyncIterator[IntakeFixture]:
    """An intake that is ready, and does not poll yet."""
    line = RecordingRequest()
    bot: ExtBot[None] = ExtBot(
        TOKEN,
        f"{place.url}/bot",
        f"{place.url}/file/bot",
        request=AiohttpRequest(),
        get_updates_request=line,
    )
    application = (
        Application.builder().bot(bot).updater(None).context_types(ContextTypes(context=DialogueContext)).build()
    )
    failures, registry = HandlerErrors(), CollectorRegistry()
    application.add_error_handler(failures.record)

    async def listen(update: Update) -> None:
        if hear is not None:
            await hear(update)
        made.heard.append(text_of(update))

    async def set_aside(raw: RawUpdate) -> None:
        aside(raw)
        made.aside.append(raw)

    def is_outage(error: BaseException) -> bool:
        return isinstance(error, OutOfOrder)

    async def pay() -> None:
        made.paid += 1

    application.add_handler(ListeningHandler(listen))
    counter = Counter("bot_updates", "…", ["outcome"], registry=registry)
    door = UpdateIntake(application, failures, set_aside, is_outage, counter)
    made = IntakeFixture(place, door, Poller(application, door, turn, pay, is_outage), registry, line.answered)
    async with application:
        yield made


@asynccontextmanager
async def polled(made: IntakeFixture) -> AsyncIterator[None]:
    async with asyncio.TaskGroup() as tasks:
        polling = tasks.create_task(made.polling.run())
        try:
            yield
        finally:
            made.polling.stop()
            await polling


async def test_inv01_an_update_is_confirmed_only_after_it_was_handled() -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def hear(_: Update) -> None:
        begun.set()
        await go_on.wait()

    async with simulator() as place, intake_fixture(place, hear) as made, polled(made):
        await (await place.new_user()).says("one")
        await begun.wait()
        during = made.waiting()
        go_on.set()
        await place.wait_until_idle()

        assert (during, made.waiting(), made.heard) == (1, 0, ["one"])


async def test_what_was_in_hand_when_the_program_died_comes_again() -> None:
    begun = asyncio.Event()

    async def hear(_: Update) -> None:
        begun.set()
        await asyncio.Event().wait()

    async with simulator() as place:
        await (await place.new_user()).says("one")
        async with intake_fixture(place, hear) as dying:
            task = asyncio.ensure_future(dying.polling.run())
            await begun.wait()
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        async with intake_fixture(place) as made, polled(made):
            await place.wait_until_idle()

        assert (dying.heard, made.heard) == ([], ["one"])


async def test_stopping_lets_what_is_in_hand_be_finished_and_leaves_the_rest_to_the_next_start() -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def hear(_: Update) -> None:
        begun.set()
        await go_on.wait()

    async with simulator() as place:
        guest = await place.new_user()
        await guest.says("one")
        async with intake_fixture(place, hear) as made, asyncio.TaskGroup() as tasks:
            polling = tasks.create_task(made.polling.run())
            await begun.wait()
            made.polling.stop()
            await guest.says("two")
            go_on.set()
            await polling
        assert made.heard == ["one"]
        async with intake_fixture(place) as next_one, polled(next_one):
            await place.wait_until_idle()
        assert next_one.heard[-1] == "two"


async def test_inv04_one_persons_updates_are_taken_in_order_while_others_are_served() -> None:
    go_on = asyncio.Event()
    heard_by_others = asyncio.Event()

    async def hear(update: Update) -> None:
        if text_of(update) == "slow":
            await go_on.wait()
        elif text_of(update) == "other":
            heard_by_others.set()

    async with simulator() as place, intake_fixture(place, hear) as made:
        one, other = await place.new_user(), await place.new_user()
        for text in ("slow", "second", "third"):
            await one.says(text)
        await other.says("other")
        async with polled(made):
            await heard_by_others.wait()
            before = list(made.heard)
            go_on.set()
            await place.wait_until_idle()

    assert before in (["other"], [])
    assert [text for text in made.heard if text != "other"] == ["slow", "second", "third"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"message_id": "five"},
        {"message_id": 5, "date": 0, "chat": "here"},
        {"message_id": 5, "date": 0, "chat": {"id": [], "type": "private"}, "from": {"id": []}},
        {"message_id": 5, "date": 0, "chat": {"type": "private"}},
        [1, 2, 3],
        "text",
    ],
)
async def test_inv05_an_update_that_cannot_be_read_is_set_aside_and_the_next_one_flows(body: Any) -> None:
    async with simulator() as place, intake_fixture(place) as made:
        guest = await place.new_user()
        place.playground.world.updates.add("message", body, "chat:1")
        await guest.says("after it")
        async with polled(made):
            await place.wait_until_idle()

    assert made.heard == ["after it"]
    assert len(made.aside) == made.counted("dead") == 1
    assert made.counted("handled") == 1


async def test_inv02_an_update_whose_handler_always_fails_is_set_aside_after_a_few_tries() -> None:
    tries = 0

    async def hear(update: Update) -> None:
        nonlocal tries
        if text_of(update) == "bad":
            tries += 1
            raise ValueError("a fault of ours")

    async with simulator() as place, intake_fixture(place, hear) as made:
        guest = await place.new_user()
        await guest.says("bad")
        await guest.says("good")
        async with polled(made):
            await place.wait_until_idle()

    assert (tries, made.heard, len(made.aside)) == (3, ["good"], 1)


async def test_a_handler_that_fails_once_is_tried_again() -> None:
    failed = asyncio.Event()

    async def hear(_: Update) -> None:
        if not failed.is_set():
            failed.set()
            raise ValueError("once")

    async with simulator() as place, intake_fixture(place, hear) as made:
        await (await place.new_user()).says("one")
        async with polled(made):
            await place.wait_until_idle()

    assert (made.heard, made.aside) == (["one"], [])


async def test_while_the_store_is_away_nothing_is_confirmed_nothing_set_aside_and_nothing_lost() -> None:
    away = 2

    async def hear(_: Update) -> None:
        nonlocal away
        if away:
            away -= 1
            assert made.waiting() == 2
            raise OutOfOrder

    async with simulator() as place, intake_fixture(place, hear) as made:
        guest = await place.new_user()
        await guest.says("one")
        await guest.says("two")
        async with polled(made):
            await place.wait_until_idle()

    assert (made.heard, made.aside, made.counted("dead")) == (["one", "two"], [], 0)


async def test_a_neighbours_outage_cuts_nobody_off_in_the_middle() -> None:
    failed, go_on = asyncio.Event(), asyncio.Event()

    async def hear(update: Update) -> None:
        if text_of(update) == "fails" and not failed.is_set():
            failed.set()
            raise OutOfOrder
        await go_on.wait()

    async with simulator() as place, intake_fixture(place, hear) as made:
        await (await place.new_user()).says("fails")
        await (await place.new_user()).says("goes on")
        async with polled(made):
            await failed.wait()
            go_on.set()
            await place.wait_until_idle()

    assert made.heard[0] == "goes on"
    assert "fails" in made.heard


@pytest.mark.parametrize("kind", ["502", "500", "garbage", "drop", "lost", "403"])
async def test_a_poll_that_fails_is_made_again(kind: str) -> None:
    async with simulator() as place, intake_fixture(place) as made:
        await place.inject_fault("getUpdates", kind, times=2)
        async with polled(made):
            await (await place.new_user()).says("one")
            await place.wait_until_idle()

        assert made.heard[-1] == "one"


async def test_inv03_a_batch_whose_answer_was_lost_comes_again() -> None:
    async with simulator() as place, intake_fixture(place) as made:
        await (await place.new_user()).says("one")
        await place.inject_fault("getUpdates", "lost")
        async with polled(made):
            await place.wait_until_idle()

    assert made.heard == ["one"]


async def test_a_token_that_telegram_refuses_ends_the_program() -> None:
    async with simulator() as place, intake_fixture(place) as made:
        await place.inject_fault("getUpdates", "401")
        with pytest.raises(StartupError, match="BOT_TOKEN") as caught:
            await made.polling.run()

    assert TOKEN not in str(caught.value)


async def test_another_program_that_keeps_polling_ends_this_one() -> None:
    async with simulator() as place, intake_fixture(place) as made:
        bot = Bot(TOKEN, f"{place.url}/bot")
        async with bot:
            await bot.set_webhook("https://bot.example.org/telegram")
        with pytest.raises(StartupError, match="another program"):
            await made.polling.run()


async def test_one_conflict_is_survived() -> None:
    async with simulator() as place, intake_fixture(place) as made, polled(made):
        await place.wait_until(lambda: place.playground.world.updates.has_waiting_poll)
        place.playground.world.updates.end_poll("another getUpdates")
        await (await place.new_user()).says("one")
        await place.wait_until_idle()

        assert made.heard == ["one"]


async def test_a_long_pause_that_telegram_asks_for_does_not_hold_up_the_end() -> None:
    async with simulator() as place, intake_fixture(place) as made:
        await place.inject_fault("getUpdates", "429", retry_after=3600)
        async with polled(made):
            await made.answered.wait()

    assert made.polling.polled_at is None


async def test_ready_is_known_without_waiting_for_the_first_update() -> None:
    async with simulator() as place, intake_fixture(place) as made, polled(made):
        await place.wait_until(lambda: place.playground.world.updates.has_waiting_poll)

        assert made.polling.polled_at is not None


async def test_only_what_is_read_is_asked_for() -> None:
    async with simulator() as place, intake_fixture(place) as made, polled(made):
        await place.wait_until(lambda: place.playground.world.updates.has_waiting_poll)

        assert "edited_message" in place.playground.world.updates.allowed_kinds
        assert "business_message" not in place.playground.world.updates.allowed_kinds


# The turn to poll


async def test_while_another_program_polls_this_one_waits_and_says_so_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def turn(busy: Callable[[], None]) -> AbstractAsyncContextManager[Callable[[], Awaitable[bool]]]:
        def told() -> None:
            busy()
            waiting.set()

        return file_lock(tmp_path / "lock", told)

    waiting = asyncio.Event()
    async with simulator() as place, intake_fixture(place, turn=turn) as made:
        await (await place.new_user()).says("one")
        async with file_lock(tmp_path / "lock", lambda: None):
            polling = asyncio.ensure_future(made.polling.run())
            await waiting.wait()
            assert (made.polling.is_waiting, made.polling.polled_at, made.paid) == (True, None, 0)
        await place.wait_until_idle()
        made.polling.stop()
        await polling

    assert (made.heard, made.paid, made.polling.is_waiting) == (["one"], 1, False)
    assert caplog.text.count("another program with this database polls") == 1


async def test_who_waits_for_the_turn_ends_at_once_when_told(tmp_path: Path) -> None:
    waiting = asyncio.Event()
    async with (
        simulator() as place,
        file_lock(tmp_path / "lock", lambda: None),
        intake_fixture(place, turn=lambda _: file_lock(tmp_path / "lock", waiting.set)) as made,
        polled(made),
    ):
        await waiting.wait()

    assert made.heard == []


async def test_a_turn_that_was_lost_is_waited_for_again(tmp_path: Path) -> None:
    lost = asyncio.Event()
    turns = 0

    @asynccontextmanager
    async def turn(_: Callable[[], None]) -> AsyncIterator[Callable[[], Awaitable[bool]]]:
        nonlocal turns
        turns += 1

        async def still_mine() -> bool:
            return turns > 1 or not lost.is_set()

        yield still_mine

    async def hear(_: Update) -> None:
        lost.set()

    async with simulator() as place, intake_fixture(place, hear, turn=turn) as made, polled(made):
        guest = await place.new_user()
        for text in ("one", "two"):
            await guest.says(text)
            await place.wait_until_idle()

    assert (made.heard, turns, made.paid) == (["one", "two"], 2, 2)


# The webhook's body


def body(text: str = "one") -> Json:
    someone = {"id": 200012345, "is_bot": False, "first_name": "李雷"}
    chat = {"id": 200012345, "type": "private", "first_name": "李雷"}
    return {"update_id": 7, "message": {"message_id": 1, "date": 1, "chat": chat, "from": someone, "text": text}}


async def test_inv01_an_update_by_webhook_is_handled_before_it_is_taken() -> None:
    async with simulator() as place, intake_fixture(place) as made:
        assert await made.intake.handle_body(json.dumps(body()).encode())
        assert made.heard == ["one"]


@pytest.mark.parametrize(
    "garbage",
    [
        b"",
        b"\xff\xfe",
        b"null",
        b"[]",
        b"7",
        b'"x"',
        b"{",
        b"{}",
        b'{"update_id": "7"}',
        b"[" * 100_000,
        b'{"a":' * 50_000,
    ],
)
async def test_inv06_a_body_that_is_no_update_is_not_asked_for_again(garbage: bytes) -> None:
    async with simulator() as place, intake_fixture(place) as made:
        assert await made.intake.handle_body(garbage)
        assert (made.heard, made.aside) == ([], [])


async def test_inv05_a_poisoned_update_by_webhook_is_set_aside_and_not_asked_for_again() -> None:
    async with simulator() as place, intake_fixture(place) as made:
        assert await made.intake.handle_body(b'{"update_id": 7, "message": {"message_id": "x"}}')
        assert len(made.aside) == 1


async def test_while_the_store_is_away_telegram_is_asked_to_keep_the_update() -> None:
    async def hear(_: Update) -> None:
        raise OutOfOrder

    async with simulator() as place, intake_fixture(place, hear) as made:
        assert not await made.intake.handle_body(json.dumps(body()).encode())
        assert made.aside == []


async def test_when_setting_aside_meets_an_outage_the_update_is_kept() -> None:
    def aside(_: RawUpdate) -> None:
        raise OutOfOrder

    async with simulator() as place, intake_fixture(place, aside=aside) as made:
        assert not await made.intake.handle_body(b'{"update_id": 7, "message": {"message_id": "x"}}')


async def test_inv06_a_text_of_64_kib_is_no_poison() -> None:
    async with simulator() as place, intake_fixture(place) as made:
        assert await made.intake.handle_body(json.dumps(body("证" * 65_536)).encode())
        assert made.aside == []


def test_what_somebody_types_in_other_chats_stands_in_a_lane_of_its_own() -> None:
    sender = {"id": 7}

    assert _sender_key({"inline_query": {"from": sender, "query": "x"}}) != _sender_key({"message": {"from": sender}})
