"""The intake confirms only handled updates, stores the others as dead letters, and lets no person wait for another."""

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

from bot.handlers.api.fence import SendFence
from bot.handlers.api.transport import BotApiRequest
from bot.handlers.dialogue import DialogueContext, HandlerErrors
from bot.intake import Poller, PollingLease, PollingLost, RawUpdate, StartupError, UpdateIntake, _sender_key
from storage.lockfile import file_lock
from tests.simulator_fixture import TOKEN, Simulator, simulator

Json = dict[str, Any]
Handle = Callable[[Update], Awaitable[None]]


class StoreOutage(Exception):
    """The store is unavailable."""


class RecordingRequest(BotApiRequest):
    """A request that signals its first response."""

    def __init__(self) -> None:
        super().__init__()
        self.answered = asyncio.Event()

    async def do_request(self, *args: Any, **facts: Any) -> tuple[int, bytes]:
        try:
            return await super().do_request(*args, **facts)
        finally:
            self.answered.set()


class NonsenseFirstRequest(RecordingRequest):
    """A request whose first response holds no update."""

    async def do_request(self, *args: Any, **facts: Any) -> tuple[int, bytes]:
        if self.answered.is_set():
            return await super().do_request(*args, **facts)
        self.answered.set()
        return 200, b'{"ok": true, "result": [true, {}, {"update_id": "one"}]}'


class FunctionHandler(BaseHandler[object, DialogueContext, None]):
    """A handler that passes every update to a function."""

    def __init__(self, handle: Handle) -> None:
        async def callback(update: object, _: DialogueContext) -> None:
            assert isinstance(update, Update)
            await handle(update)

        super().__init__(callback)

    def check_update(self, update: object) -> bool:
        return isinstance(update, Update)


@dataclass
class IntakeFixture:
    """An intake on the simulator, with the updates that it handled and stored as dead letters."""

    simulator: Simulator
    intake: UpdateIntake
    polling: Poller
    registry: CollectorRegistry
    answered: asyncio.Event
    dead_letters: list[RawUpdate] = field(default_factory=list)
    handled: list[str] = field(default_factory=list)
    resumed: int = 0

    def counted(self, outcome: str) -> float:
        return self.registry.get_sample_value("bot_updates_total", {"outcome": outcome}) or 0.0

    def waiting(self) -> int:
        return len(self.simulator.playground.world.updates.pending())


def text_of(update: Update) -> str:
    return (update.message and update.message.text) or ""


@asynccontextmanager
async def free_lease(
    _: Callable[[], None], __: Callable[[float], None]
) -> AsyncIterator[Callable[[], Awaitable[bool]]]:
    """A polling lease that this program always has."""

    async def is_held() -> bool:
        return True

    yield is_held


async def polled_last() -> bool:
    """No other program polls."""
    return True


@asynccontextmanager
async def intake_fixture(
    telegram: Simulator,
    handle: Handle | None = None,
    *,
    on_dead_letter: Callable[[RawUpdate], None] = lambda _: None,
    lease: PollingLease = free_lease,
    request: RecordingRequest | None = None,
    begin: Callable[[], Awaitable[bool]] = polled_last,
) -> AsyncIterator[IntakeFixture]:
    """An intake that is ready and does not poll yet."""
    request = request or RecordingRequest()
    bot: ExtBot[None] = ExtBot(
        TOKEN,
        f"{telegram.url}/bot",
        f"{telegram.url}/file/bot",
        request=BotApiRequest(),
        get_updates_request=request,
    )
    application = (
        Application.builder().bot(bot).updater(None).context_types(ContextTypes(context=DialogueContext)).build()
    )
    errors, registry = HandlerErrors(), CollectorRegistry()
    application.add_error_handler(errors.record)

    async def handle_and_record(update: Update) -> None:
        if handle is not None:
            await handle(update)
        fixture.handled.append(text_of(update))

    async def store_dead_letter(raw: RawUpdate) -> None:
        on_dead_letter(raw)
        fixture.dead_letters.append(raw)

    def is_outage(error: BaseException) -> bool:
        return isinstance(error, StoreOutage)

    async def resume_pending() -> None:
        fixture.resumed += 1

    application.add_handler(FunctionHandler(handle_and_record))
    counter = Counter("bot_updates", "…", ["outcome"], registry=registry)
    intake = UpdateIntake(application, errors, store_dead_letter, is_outage, counter)
    fixture = IntakeFixture(
        telegram,
        intake,
        Poller(application, intake, lease, resume_pending, is_outage, SendFence(), begin),
        registry,
        request.answered,
    )
    async with application:
        yield fixture


@asynccontextmanager
async def polled(fixture: IntakeFixture) -> AsyncIterator[None]:
    async with asyncio.TaskGroup() as tasks:
        polling = tasks.create_task(fixture.polling.run())
        try:
            yield
        finally:
            fixture.polling.stop()
            await polling


async def test_inv01_an_update_is_confirmed_only_after_it_was_handled() -> None:
    started, go_on = asyncio.Event(), asyncio.Event()

    async def handle(_: Update) -> None:
        started.set()
        await go_on.wait()

    async with simulator() as telegram, intake_fixture(telegram, handle) as fixture, polled(fixture):
        await (await telegram.new_user()).says("one")
        await started.wait()
        during = fixture.waiting()
        go_on.set()
        await telegram.wait_until_idle()

        assert (during, fixture.waiting(), fixture.handled) == (1, 0, ["one"])


async def test_an_update_in_progress_during_a_crash_is_delivered_again() -> None:
    started = asyncio.Event()

    async def handle(_: Update) -> None:
        started.set()
        await asyncio.Event().wait()

    async with simulator() as telegram:
        await (await telegram.new_user()).says("one")
        async with intake_fixture(telegram, handle) as crashing:
            task = asyncio.ensure_future(crashing.polling.run())
            await started.wait()
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        async with intake_fixture(telegram) as fixture, polled(fixture):
            await telegram.wait_until_idle()

        assert (crashing.handled, fixture.handled) == ([], ["one"])


async def test_stopping_finishes_the_updates_in_progress_and_leaves_the_rest_to_the_next_start() -> None:
    started, go_on = asyncio.Event(), asyncio.Event()

    async def handle(_: Update) -> None:
        started.set()
        await go_on.wait()

    async with simulator() as telegram:
        guest = await telegram.new_user()
        await guest.says("one")
        async with intake_fixture(telegram, handle) as fixture, asyncio.TaskGroup() as tasks:
            polling = tasks.create_task(fixture.polling.run())
            await started.wait()
            fixture.polling.stop()
            await guest.says("two")
            go_on.set()
            await polling
        assert fixture.handled == ["one"]
        async with intake_fixture(telegram) as next_one, polled(next_one):
            await telegram.wait_until_idle()
        assert next_one.handled[-1] == "two"


async def test_inv04_one_persons_updates_are_handled_in_order_while_others_are_served() -> None:
    go_on = asyncio.Event()
    handled_others = asyncio.Event()

    async def handle(update: Update) -> None:
        if text_of(update) == "slow":
            await go_on.wait()
        elif text_of(update) == "other":
            handled_others.set()

    async with simulator() as telegram, intake_fixture(telegram, handle) as fixture:
        one, other = await telegram.new_user(), await telegram.new_user()
        for text in ("slow", "second", "third"):
            await one.says(text)
        await other.says("other")
        async with polled(fixture):
            await handled_others.wait()
            before = list(fixture.handled)
            go_on.set()
            await telegram.wait_until_idle()

    assert before in (["other"], [])
    assert [text for text in fixture.handled if text != "other"] == ["slow", "second", "third"]


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
async def test_inv05_an_unreadable_update_becomes_a_dead_letter_and_the_next_is_handled(body: Any) -> None:
    async with simulator() as telegram, intake_fixture(telegram) as fixture:
        guest = await telegram.new_user()
        telegram.playground.world.updates.add("message", body, "chat:1")
        await guest.says("after it")
        async with polled(fixture):
            await telegram.wait_until_idle()

    assert fixture.handled == ["after it"]
    assert len(fixture.dead_letters) == fixture.counted("dead") == 1
    assert fixture.counted("handled") == 1


async def test_inv02_an_update_whose_handler_always_fails_becomes_a_dead_letter_after_three_tries() -> None:
    tries = 0

    async def handle(update: Update) -> None:
        nonlocal tries
        if text_of(update) == "bad":
            tries += 1
            raise ValueError("our own error")

    async with simulator() as telegram, intake_fixture(telegram, handle) as fixture:
        guest = await telegram.new_user()
        await guest.says("bad")
        await guest.says("good")
        async with polled(fixture):
            await telegram.wait_until_idle()

    assert (tries, fixture.handled, len(fixture.dead_letters)) == (3, ["good"], 1)


async def test_a_handler_that_fails_once_is_tried_again() -> None:
    failed = asyncio.Event()

    async def handle(_: Update) -> None:
        if not failed.is_set():
            failed.set()
            raise ValueError("once")

    async with simulator() as telegram, intake_fixture(telegram, handle) as fixture:
        await (await telegram.new_user()).says("one")
        async with polled(fixture):
            await telegram.wait_until_idle()

    assert (fixture.handled, fixture.dead_letters) == (["one"], [])


async def test_during_an_outage_of_the_store_no_update_is_confirmed_or_lost() -> None:
    failures = 2

    async def handle(_: Update) -> None:
        nonlocal failures
        if failures:
            failures -= 1
            assert fixture.waiting() == 2
            raise StoreOutage

    async with simulator() as telegram, intake_fixture(telegram, handle) as fixture:
        guest = await telegram.new_user()
        await guest.says("one")
        await guest.says("two")
        async with polled(fixture):
            await telegram.wait_until_idle()

    assert (fixture.handled, fixture.dead_letters, fixture.counted("dead")) == (["one", "two"], [], 0)


async def test_an_outage_during_one_update_does_not_interrupt_another() -> None:
    failed, go_on = asyncio.Event(), asyncio.Event()

    async def handle(update: Update) -> None:
        if text_of(update) == "fails" and not failed.is_set():
            failed.set()
            raise StoreOutage
        await go_on.wait()

    async with simulator() as telegram, intake_fixture(telegram, handle) as fixture:
        await (await telegram.new_user()).says("fails")
        await (await telegram.new_user()).says("goes on")
        async with polled(fixture):
            await failed.wait()
            go_on.set()
            await telegram.wait_until_idle()

    assert fixture.handled[0] == "goes on"
    assert "fails" in fixture.handled


@pytest.mark.parametrize("kind", ["502", "500", "garbage", "drop", "lost", "403"])
async def test_a_poll_that_fails_is_repeated(kind: str) -> None:
    async with simulator() as telegram, intake_fixture(telegram) as fixture:
        await telegram.inject_fault("getUpdates", kind, times=2)
        async with polled(fixture):
            await (await telegram.new_user()).says("one")
            await telegram.wait_until_idle()

        assert fixture.handled[-1] == "one"


async def test_inv03_a_batch_whose_response_was_lost_is_handled_once() -> None:
    async with simulator() as telegram, intake_fixture(telegram) as fixture:
        await (await telegram.new_user()).says("one")
        await telegram.inject_fault("getUpdates", "lost")
        async with polled(fixture):
            await telegram.wait_until_idle()

    assert fixture.handled == ["one"]


async def test_a_token_that_telegram_refuses_ends_the_program() -> None:
    async with simulator() as telegram, intake_fixture(telegram) as fixture:
        await telegram.inject_fault("getUpdates", "401")
        with pytest.raises(StartupError, match="BOT_TOKEN") as caught:
            await fixture.polling.run()

    assert TOKEN not in str(caught.value)


@pytest.mark.slow("programs")
async def test_another_program_that_keeps_polling_ends_this_one() -> None:
    async with simulator() as telegram, intake_fixture(telegram) as fixture:
        bot = Bot(TOKEN, f"{telegram.url}/bot")
        async with bot:
            await bot.set_webhook("https://bot.example.org/telegram")
        with pytest.raises(StartupError, match="another program"):
            await fixture.polling.run()


async def test_one_conflict_is_survived() -> None:
    async with simulator() as telegram, intake_fixture(telegram) as fixture, polled(fixture):
        await telegram.wait_until(lambda: telegram.playground.world.updates.has_waiting_poll)
        telegram.playground.world.updates.end_poll("another getUpdates")
        await (await telegram.new_user()).says("one")
        await telegram.wait_until_idle()

        assert fixture.handled == ["one"]


async def test_a_long_retry_after_does_not_delay_the_shutdown() -> None:
    async with simulator() as telegram, intake_fixture(telegram) as fixture:
        await telegram.inject_fault("getUpdates", "429", retry_after=3600)
        async with polled(fixture):
            await fixture.answered.wait()

    assert fixture.polling.polled_at is None


async def test_ready_is_known_without_waiting_for_the_first_update() -> None:
    async with simulator() as telegram, intake_fixture(telegram) as fixture, polled(fixture):
        await telegram.wait_until(lambda: telegram.playground.world.updates.has_waiting_poll)

        assert fixture.polling.polled_at is not None


async def test_only_the_handled_kinds_of_update_are_requested() -> None:
    async with simulator() as telegram, intake_fixture(telegram) as fixture, polled(fixture):
        await telegram.wait_until(lambda: telegram.playground.world.updates.has_waiting_poll)

        assert "edited_message" in telegram.playground.world.updates.allowed_kinds
        assert "business_message" not in telegram.playground.world.updates.allowed_kinds


# The polling lease


async def test_while_another_program_polls_this_one_waits_and_logs_it_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def lease(
        busy: Callable[[], None], _: Callable[[float], None]
    ) -> AbstractAsyncContextManager[Callable[[], Awaitable[bool]]]:
        def on_busy() -> None:
            busy()
            waiting.set()

        return file_lock(tmp_path / "lock", on_busy)

    waiting = asyncio.Event()
    async with simulator() as telegram, intake_fixture(telegram, lease=lease) as fixture:
        await (await telegram.new_user()).says("one")
        async with file_lock(tmp_path / "lock", lambda: None):
            polling = asyncio.ensure_future(fixture.polling.run())
            await waiting.wait()
            assert (fixture.polling.is_waiting, fixture.polling.polled_at, fixture.resumed) == (True, None, 0)
        await telegram.wait_until_idle()
        fixture.polling.stop()
        await polling

    assert (fixture.handled, fixture.resumed, fixture.polling.is_waiting) == (["one"], 1, False)
    assert caplog.text.count("another program with this database polls") == 1


async def test_a_program_that_waits_for_the_lease_stops_at_once(tmp_path: Path) -> None:
    waiting = asyncio.Event()
    async with (
        simulator() as telegram,
        file_lock(tmp_path / "lock", lambda: None),
        intake_fixture(telegram, lease=lambda _, __: file_lock(tmp_path / "lock", waiting.set)) as fixture,
        polled(fixture),
    ):
        await waiting.wait()

    assert fixture.handled == []


async def test_a_lost_lease_is_acquired_again(tmp_path: Path) -> None:
    lost = asyncio.Event()
    leases = 0

    @asynccontextmanager
    async def lease(_: Callable[[], None], __: Callable[[float], None]) -> AsyncIterator[Callable[[], Awaitable[bool]]]:
        nonlocal leases
        leases += 1

        async def is_held() -> bool:
            return leases > 1 or not lost.is_set()

        yield is_held

    async def handle(_: Update) -> None:
        lost.set()

    async with simulator() as telegram, intake_fixture(telegram, handle, lease=lease) as fixture, polled(fixture):
        guest = await telegram.new_user()
        for text in ("one", "two"):
            await guest.says(text)
            await telegram.wait_until_idle()

    assert (fixture.handled, leases, fixture.resumed) == (["one", "two"], 2, 2)


async def test_what_was_in_hand_counts_no_more_when_another_program_has_polled_meanwhile() -> None:
    leases, begins = 0, iter((False, False))

    @asynccontextmanager
    async def lease(_: Callable[[], None], __: Callable[[float], None]) -> AsyncIterator[Callable[[], Awaitable[bool]]]:
        nonlocal leases
        leases += 1

        async def is_held() -> bool:
            return False

        yield is_held

    async def begin() -> bool:
        return next(begins)

    async with simulator() as telegram, intake_fixture(telegram, lease=lease, begin=begin) as fixture:
        with pytest.raises(PollingLost):
            await fixture.polling.run()

    assert (leases, fixture.resumed, fixture.polling.polled_at) == (2, 1, None)


async def test_a_lease_that_is_lost_during_a_poll_ends_the_poll() -> None:
    leases = 0

    @asynccontextmanager
    async def lease(_: Callable[[], None], __: Callable[[float], None]) -> AsyncIterator[Callable[[], Awaitable[bool]]]:
        nonlocal leases
        leases, number = leases + 1, leases

        async def is_held() -> bool:
            return number > 0 or not telegram.playground.world.updates.has_waiting_poll

        yield is_held

    async with simulator() as telegram, intake_fixture(telegram, lease=lease) as fixture, polled(fixture):
        await telegram.wait_until(lambda: leases == 2)
        await (await telegram.new_user()).says("one")
        await telegram.wait_until_idle()

    assert fixture.handled == ["one"]


# The webhook's body


def body(text: str = "one") -> Json:
    someone = {"id": 200012345, "is_bot": False, "first_name": "李雷"}
    chat = {"id": 200012345, "type": "private", "first_name": "李雷"}
    return {"update_id": 7, "message": {"message_id": 1, "date": 1, "chat": chat, "from": someone, "text": text}}


async def test_inv01_an_update_by_webhook_is_handled_before_it_is_confirmed() -> None:
    async with simulator() as telegram, intake_fixture(telegram) as fixture:
        assert await fixture.intake.handle_body(json.dumps(body()).encode())
        assert fixture.handled == ["one"]


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
async def test_inv06_a_body_that_is_not_an_update_is_confirmed(garbage: bytes) -> None:
    async with simulator() as telegram, intake_fixture(telegram) as fixture:
        assert await fixture.intake.handle_body(garbage)
        assert (fixture.handled, fixture.dead_letters) == ([], [])


async def test_inv05_an_unreadable_update_by_webhook_becomes_a_dead_letter_and_is_confirmed() -> None:
    async with simulator() as telegram, intake_fixture(telegram) as fixture:
        assert await fixture.intake.handle_body(b'{"update_id": 7, "message": {"message_id": "x"}}')
        assert len(fixture.dead_letters) == 1


async def test_during_an_outage_of_the_store_an_update_by_webhook_is_not_confirmed() -> None:
    async def handle(_: Update) -> None:
        raise StoreOutage

    async with simulator() as telegram, intake_fixture(telegram, handle) as fixture:
        assert not await fixture.intake.handle_body(json.dumps(body()).encode())
        assert fixture.dead_letters == []


async def test_a_dead_letter_that_cannot_be_stored_is_not_confirmed() -> None:
    def on_dead_letter(_: RawUpdate) -> None:
        raise StoreOutage

    async with simulator() as telegram, intake_fixture(telegram, on_dead_letter=on_dead_letter) as fixture:
        assert not await fixture.intake.handle_body(b'{"update_id": 7, "message": {"message_id": "x"}}')


async def test_inv06_a_text_of_64_kib_is_handled() -> None:
    async with simulator() as telegram, intake_fixture(telegram) as fixture:
        assert await fixture.intake.handle_body(json.dumps(body("证" * 65_536)).encode())
        assert fixture.dead_letters == []


def test_a_persons_inline_queries_have_a_queue_of_their_own() -> None:
    sender = {"id": 7}

    assert _sender_key({"inline_query": {"from": sender, "query": "x"}}) != _sender_key({"message": {"from": sender}})


async def test_a_batch_of_nonsense_ends_nothing() -> None:
    async with simulator() as telegram, intake_fixture(telegram, request=NonsenseFirstRequest()) as fixture:
        guest = await telegram.new_user()
        async with polled(fixture):
            await guest.says("hello")
            await telegram.wait_until(lambda: fixture.handled)

    assert fixture.handled == ["hello"]
