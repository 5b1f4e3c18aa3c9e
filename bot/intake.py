"""Takes updates from Telegram, and confirms each only after its turn is committed.

The library's `Updater` confirms updates when it has queued them, so a crash loses them. Here a batch is handled first,
and the next `getUpdates` confirms it. Different people are handled concurrently, the updates of one person in order. An
update that cannot be handled is stored as a dead letter and blocks nobody.
"""

import asyncio
import json
import logging
import traceback
import warnings
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

from prometheus_client import Counter
from telegram import Update
from telegram.error import Conflict, EndPointNotFound, InvalidToken, RetryAfter, TelegramError
from telegram.ext import Application
from telegram.warnings import PTBUserWarning

from bot.handlers.api.call_outcome import retry_after_seconds
from bot.handlers.api.fence import BEAT_SECONDS, SendFence
from bot.handlers.dialogue import HandlerErrors
from bot.handlers.flood_control import FloodControl

log = logging.getLogger(__name__)

ALLOWED = ("message", "edited_message", "callback_query", "my_chat_member", "channel_post", "inline_query")
_MAX_TRIES = 3
_POLL_SECONDS = 30
_MAX_CONFLICTS = 4
_ESTABLISHED_SECONDS = 8.0
"""A program that has polled for so long before its first conflict was there first, and goes on.

The other one meets its first conflict about five seconds after its start: Telegram delays repeated refusals so long.
"""
SILENT_SECONDS = 5.0
"""After so many seconds without a sign of life, the program that polls is reported."""
_STUCK_SECONDS = 120.0
"""A poller without any progress for so long shows no sign of life any more; one poll takes up to 40 seconds."""
_OUTAGE_PAUSE = 2.0
"""The longest pause while the store is away, in seconds; short, because people wait for its return."""

RawUpdate = Mapping[str, Any]
PollingLease = Callable[
    [Callable[[], None], Callable[[float], None]], AbstractAsyncContextManager[Callable[[], Awaitable[bool]]]
]
"""The lease that allows one program to poll: `DialogueStore.polling_lease`."""
ActiveScope = Callable[[], AbstractAsyncContextManager[None]]
AnyApplication = Application[Any, Any, Any, Any, Any, Any]


async def _take_nothing(_: RawUpdate) -> bool:
    return False


class StartupError(Exception):
    """The program cannot start or go on; the message is one line for the operator."""


class PollingLost(Exception):
    """Another program has polled meanwhile, so what this one still had in hand counts no more."""


class UpdateIntake:
    """Handles every update, whether it comes by polling or by webhook."""

    def __init__(
        self,
        application: AnyApplication,
        failures: HandlerErrors,
        store_dead_letter: Callable[[RawUpdate], Awaitable[None]],
        is_outage: Callable[[BaseException], bool],
        updates: Counter,
        flood_control: FloodControl | None = None,
        take: Callable[[RawUpdate], Awaitable[bool]] = _take_nothing,
    ) -> None:
        """Create an intake; an update that `take` does not handle goes to the handlers of the library."""
        self._application = application
        self._failures = failures
        self._store_dead_letter = store_dead_letter
        self._is_outage = is_outage
        self._updates = updates
        self._flood_control = flood_control
        self._take = take
        self.handled_at: float | None = None
        """When the last update was committed or stored as a dead letter, on the event loop's clock."""

    async def handle_all(self, raws: Sequence[RawUpdate]) -> None:
        """Handle the updates of one person, except those beyond the flood limit."""
        excess = []
        for raw in raws:
            if self._flood_control is None or self._flood_control.admits(_sender_key(raw)):
                await self.handle(raw)
            else:
                excess.append(raw)
        if excess and self._flood_control is not None:
            await self._flood_control.drop(excess)
            self._updates.labels("passed_over").inc(len(excess))

    async def handle(self, raw: RawUpdate) -> None:
        """Handle one update until it is committed or stored as a dead letter; raises when the store is away."""
        await self._handle_with_retries(raw)
        self.handled_at = asyncio.get_running_loop().time()

    async def _handle_with_retries(self, raw: RawUpdate) -> None:
        for _ in range(_MAX_TRIES):
            error = await self._try(raw)
            if error is None:
                self._updates.labels("handled").inc()
                return
            if self._is_outage(error):
                raise error
            log.error("update %s could not be handled: %s", raw.get("update_id"), _error_location(error))
        self._updates.labels("dead").inc()
        await self._store_dead_letter(raw)

    async def handle_body(self, body: bytes) -> bool:
        """Handle the body of a webhook request; returns whether Telegram may forget the update."""
        raw = _parse_update(body)
        if raw is None:
            self._updates.labels("unreadable").inc()
            log.error("the webhook received something that is not an update")
            return True
        try:
            await self.handle_all([raw])
        except Exception as error:
            if self._is_outage(error):
                return False
            raise
        return True

    async def _try(self, raw: RawUpdate) -> BaseException | None:
        try:
            if await self._take(raw):
                return None
            update = Update.de_json(dict(raw), self._application.bot)
            await self._application.process_update(update)
        except Exception as error:
            return error
        return self._failures.pop(update.update_id)


def _parse_update(body: bytes) -> RawUpdate | None:
    try:
        raw = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return raw if _is_update(raw) else None


def _is_update(raw: object) -> bool:
    return isinstance(raw, dict) and isinstance(raw.get("update_id"), int)


class Poller:
    """Fetches updates, handles them, and confirms them by the next fetch.

    Only one program may poll for a bot, so each waits for the lease first. The one that holds it sends the replies that
    its predecessor still owes, and then enters `active`: it alone writes to people. While it makes progress it shows
    signs of life; without them another program takes over, and the `fence` keeps this one from sending.

    `begin` notes that this program polls, and returns whether it also polled last.
    """

    def __init__(
        self,
        application: AnyApplication,
        intake: UpdateIntake,
        lease: PollingLease,
        resume_pending: Callable[[], Awaitable[None]],
        is_outage: Callable[[BaseException], bool],
        fence: SendFence,
        begin: Callable[[], Awaitable[bool]],
    ) -> None:
        self._fence = fence
        self._begin = begin
        self._has_polled = False
        self._progress_at = 0.0
        self._established_at: float | None = None
        self._is_established = False
        self._is_lost = False
        self._beats: asyncio.Task[None] | None = None
        self.holder_silence = 0.0
        self._bot = application.bot
        self._intake = intake
        self._lease = lease
        self._resume_pending = resume_pending
        self._is_outage = is_outage
        # Not kept over a restart: Telegram knows what was confirmed, and the store knows what was handled.
        self._offset: int | None = None
        self._stopping = asyncio.Event()
        self._idle_task: asyncio.Task[None] | None = None
        self._conflicts = 0
        self.polled_at: float | None = None
        self.is_waiting = False

    def stop(self) -> None:
        """Fetch no more updates; those in hand are finished."""
        self._stopping.set()
        if self._idle_task is not None:
            self._idle_task.cancel()

    async def run(self, active: ActiveScope = nullcontext) -> None:
        """Poll until stopped; raises `StartupError` when the token is refused or another program polls."""
        warnings.filterwarnings("ignore", "Please use 'Bot.", PTBUserWarning)
        pause = 0.0
        while not self._stopping.is_set():
            polled_before = self.polled_at
            try:
                await self._poll_while_leased(active)
            except asyncio.CancelledError:
                if self._stopping.is_set():
                    return
                if not self._is_lost:
                    raise
                self._forgive_cancellation()
            except Exception as error:
                if not self._is_outage(error):
                    raise
                log.warning("the store is away; waiting", exc_info=error)
                pause = min(max(pause * 2, 0.5), _OUTAGE_PAUSE) if self.polled_at == polled_before else 0.5
                await self._sleep(pause)

    async def _poll_while_leased(self, active: ActiveScope) -> None:
        async with AsyncExitStack() as stack:
            with self._cancelled_by_stop():
                still_held = await stack.enter_async_context(self._lease(self._on_lease_busy, self._on_silence))
            stack.callback(self._leave_lease)
            polled_last = await self._begin()
            if self._has_polled and not polled_last:
                raise PollingLost("another program polled meanwhile")
            self._has_polled, self._is_lost = True, False
            self._fence.hold(still_held)
            if self.is_waiting:
                log.info(
                    "the other program %s; polling", "fell silent" if self.holder_silence >= SILENT_SECONDS else "ended"
                )
                self.is_waiting, self.holder_silence = False, 0.0
            self._progress_at = asyncio.get_running_loop().time()
            self._beats = asyncio.get_running_loop().create_task(self._show_signs_of_life())
            stack.callback(self._beats.cancel)
            await self._resume_pending()
            await stack.enter_async_context(active())
            pause = 0.0
            while not self._stopping.is_set() and await self._holds_lease():
                pause = await self._poll(pause)
                # A pause that Telegram asks for is no hang, however long it is.
                self._progress_at = asyncio.get_running_loop().time() + pause
                await self._sleep(pause)

    def _leave_lease(self) -> None:
        if self._stopping.is_set() and not self._is_lost:
            self._fence.release()
        else:
            self._fence.close()

    async def _show_signs_of_life(self) -> None:
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            progress_at = max(self._progress_at, self._intake.handled_at or 0.0)
            if asyncio.get_running_loop().time() - progress_at > _STUCK_SECONDS:
                log.error("polling makes no progress; another program may take over")
                return
            if not await self._fence.confirm():
                self._is_lost = True
                if self._idle_task is not None:
                    self._idle_task.cancel()
                return

    def _forgive_cancellation(self) -> None:
        task = asyncio.current_task()
        if task is not None:
            task.uncancel()

    async def _holds_lease(self) -> bool:
        with self._cancelled_by_stop():
            return await self._fence.confirm()

    def _on_lease_busy(self) -> None:
        log.warning("another program with this database polls; waiting for its end")
        self.is_waiting = True

    def _on_silence(self, seconds: float) -> None:
        if self.holder_silence < SILENT_SECONDS <= seconds:
            log.warning("the program that polls shows no sign of life; taking over soon")
        self.holder_silence = seconds

    async def _poll(self, pause: float) -> float:
        """Fetch and handle one batch; returns how many seconds to wait after it."""
        try:
            batch = await self._fetch(self._offset)
            await self._handle_batch(batch)
        except TelegramError as error:
            return self._pause_after(error, pause)
        self._conflicts = 0
        self.polled_at = asyncio.get_running_loop().time()
        self._established_at = self._established_at or self.polled_at + _ESTABLISHED_SECONDS
        self._offset = batch[-1]["update_id"] + 1 if batch else self._offset
        return 0

    @contextmanager
    def _cancelled_by_stop(self) -> Iterator[None]:
        self._idle_task = asyncio.current_task()
        try:
            yield
        finally:
            self._idle_task = None

    async def _sleep(self, seconds: float) -> None:
        """Wait, but not after `stop`: a 429 may ask for a minute."""
        if not seconds:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopping.wait()

    async def _fetch(self, offset: int | None) -> Sequence[RawUpdate]:
        # The first poll returns at once, so that a refused token or a second poller shows immediately.
        seconds = 0 if self.polled_at is None else _POLL_SECONDS
        parameters: dict[str, Any] = {"timeout": seconds, "allowed_updates": ALLOWED, "limit": 100}
        if offset is not None:
            parameters["offset"] = offset
        with self._cancelled_by_stop():
            # The library's own method parses the whole batch, and one bad update would lose all of it.
            answer = await self._bot.do_api_request("getUpdates", api_kwargs=parameters, read_timeout=seconds + 10)
        return [raw for raw in answer if _is_update(raw)] if isinstance(answer, list) else []

    async def _handle_batch(self, batch: Sequence[RawUpdate]) -> None:
        by_sender: defaultdict[object, list[RawUpdate]] = defaultdict(list)
        for raw in batch:
            by_sender[_sender_key(raw)].append(raw)
        # An error of one sender cancels no other: a turn that is cancelled after its commit would send nothing.
        results = await asyncio.gather(*map(self._intake.handle_all, by_sender.values()), return_exceptions=True)
        for error in filter(None, results):
            raise error

    def _pause_after(self, error: TelegramError, pause: float) -> float:
        match error:
            case InvalidToken() | EndPointNotFound():
                # The library takes a refused token for an unknown method, but this method exists.
                raise StartupError("BOT_TOKEN: Telegram refuses this token") from error
            case Conflict():
                return self._pause_after_conflict(error)
            case RetryAfter():
                return retry_after_seconds(error)
            case _:
                return min(max(pause * 2, 0.2), 10)

    def _pause_after_conflict(self, error: TelegramError) -> float:
        """Wait for the other program's end; raises `StartupError` when the other one was there first."""
        now = asyncio.get_running_loop().time()
        if self._conflicts == 0 and self._established_at is not None:
            self._is_established = self._is_established or now >= self._established_at
        self._conflicts += 1
        if self._conflicts >= _MAX_CONFLICTS and not self._is_established:
            raise StartupError("another program polls with this BOT_TOKEN; stop it first") from error
        log.warning("another program polls with this token")
        return 0.2 if self._conflicts == 1 else 2.0


def _error_location(error: BaseException) -> str:
    """Return an error's type and place, without its message, which might quote a person."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{where}"


def _sender_key(raw: RawUpdate) -> object:
    """Return the sender, so that each person's updates are handled in order; the raw update may hold anything."""
    for source in ALLOWED:
        content = raw.get(source)
        if isinstance(content, Mapping):
            sender = content.get("from") or content.get("chat")
            number = sender.get("id") if isinstance(sender, Mapping) else None
            if not isinstance(number, int):
                return None
            # Inline queries count on their own, so that they do not use up the flood limit of the dialogue.
            return -number if source == "inline_query" else number
    return None
