"""Tells the operator about outages: one line when one begins, at most one a minute while it lasts, and one at its end.

What the program depends on fails many times a second while it is away. Each place that meets a failure or a success
notes it here, and only the changes become lines.
"""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

from bot.connection_failures import telegram_advice
from storage import StoreUnavailable
from verification.errors import ProviderUnavailable
from verification.providers.http import HttpCall

log = logging.getLogger(__name__)

_REPEAT_SECONDS = 60.0
_MAX_BEGINNINGS = 5
"""What comes and goes all the time begins at most so often in a minute."""
_PROBE_SECONDS = 1.0
_SERVER_ERROR = 500
_WAIT = "the bot goes on by itself when it is back; nothing that was answered is lost"


class Outage:
    """The state of one thing that the program depends on; `advice` says what to do, from the reason of a failure."""

    def __init__(self, subject: str, clock: Callable[[], float], advice: Callable[[str], str]) -> None:
        self._subject = subject
        self._clock = clock
        self._advice = advice
        self._began: float | None = None
        self._told_at = 0.0
        self._is_told = False
        self._failures = 0
        self._beginnings: deque[float] = deque(maxlen=_MAX_BEGINNINGS)
        self.is_reported = False
        """Nothing is told before the start has succeeded: until then, one line says why it did not."""

    @property
    def is_open(self) -> bool:
        """Whether the last that was noted is a failure."""
        return self._began is not None

    def note(self, reason: str) -> None:
        """Note a failure and its reason; without a reason, a success."""
        if not self.is_reported:
            return
        if reason:
            self._fail(reason)
        elif self._began is not None:
            self._end(self._began)

    def _fail(self, reason: str) -> None:
        now = self._clock()
        self._failures += 1
        if self._began is None:
            self._began = now
            self._begin(now, reason)
        elif now - self._told_at >= _REPEAT_SECONDS:
            self._told_at, self._is_told = now, True
            log.warning(
                "%s has been away for %d s, %d failures: %s; %s",
                self._subject,
                now - self._began,
                self._failures,
                reason,
                self._advice(reason),
            )

    def _begin(self, now: float, reason: str) -> None:
        if len(self._beginnings) == _MAX_BEGINNINGS and now - self._beginnings[0] < _REPEAT_SECONDS:
            self._told_at = self._beginnings[-1]
            return
        self._beginnings.append(now)
        self._told_at, self._is_told = now, True
        log.warning("%s is away: %s; %s", self._subject, reason, self._advice(reason))

    def _end(self, began: float) -> None:
        # An outage that began without a line ends without one.
        if self._is_told:
            log.info("%s is back after %d s, %d failures", self._subject, self._clock() - began, self._failures)
        self._began, self._is_told, self._failures = None, False, 0


class Outages:
    """The outages of everything that the program depends on."""

    def __init__(self, clock: Callable[[], float], database: str) -> None:
        self.store = Outage("the database", clock, lambda reason: store_advice(reason, database) or _WAIT)
        self.telegram = Outage(
            "Telegram", clock, lambda reason: f"{telegram_advice(reason)}; what is owed is sent when it is back"
        )
        self.provider = Outage(
            "the provider", clock, lambda _: "run doctor; people are told to try again or another method"
        )
        self.receiver = Outage(
            "the receiver of results", clock, lambda _: "check RESULT_WEBHOOK_URL; results wait and are sent again"
        )

    @asynccontextmanager
    async def reporting(self, probe_store: Callable[[], Awaitable[str]]) -> AsyncIterator[None]:
        """Report outages until left; `probe_store` says why the database takes no write, or nothing."""
        every = (self.store, self.telegram, self.provider, self.receiver)
        logs = logging.getLogger().handlers
        absorb = _Repetitions(self)
        for outage in every:
            outage.is_reported = True
        for handler in logs:
            handler.addFilter(absorb)
        async with asyncio.TaskGroup() as tasks:
            probing = tasks.create_task(self._probe(probe_store))
            try:
                yield
            finally:
                probing.cancel()
                for handler in logs:
                    handler.removeFilter(absorb)
                for outage in every:
                    outage.is_reported = False

    async def _probe(self, probe_store: Callable[[], Awaitable[str]]) -> None:
        """Find out when the database is back: nobody may use it meanwhile."""
        while True:
            await asyncio.sleep(_PROBE_SECONDS)
            if self.store.is_open:
                self.store.note(await probe_store())


class _Repetitions(logging.Filter):
    """Takes out of the log what an outage's own lines say: errors of the database, and warnings of what goes out."""

    def __init__(self, outages: Outages) -> None:
        super().__init__()
        self._store = outages.store
        self._by_logger = {
            "bot.handlers": outages.telegram,
            "bot.engine.delivery_queue": outages.telegram,
            "bot.jobs.cleanup": outages.telegram,
            "bot.jobs.result_webhook": outages.receiver,
            "verification.provider": outages.provider,
        }

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the line is to be written."""
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, StoreUnavailable):
            # Each handler asks about the same record.
            if not vars(record).setdefault("is_noted", False):
                record.is_noted = True
                self._store.note(str(error))
            return False
        return record.levelno > logging.WARNING or not any(
            outage.is_open for name, outage in self._by_logger.items() if record.name.startswith(name)
        )


def store_advice(reason: str, database: str) -> str:
    """What an operator can do about a database that does not work, from the reason; empty where nothing is known."""
    for sign, advice in _STORE_ADVICE.items():
        if sign in reason.lower():
            return advice.format(database=database)
    return ""


_STORE_ADVICE: Mapping[str, str] = {
    "full": "free space on the disk of {database}; the bot goes on by itself",
    "malformed": "stop the bot, check {database} with doctor, and restore a copy made by backup",
    "not a database": "stop the bot, check {database} with doctor, and restore a copy made by backup",
    "damaged": "stop the bot, check {database} with doctor, and restore a copy made by backup",
    "readonly": "make {database} writable for the bot's user",
    "read only": "make {database} writable for the bot's user",
    "unable to open": "make {database} writable for the bot's user",
}


def noting(call: HttpCall, outage: Outage) -> HttpCall:
    """Make calls to a server, and note whether it answers."""

    async def noted(verb: str, url: str, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
        try:
            status, answer = await call(verb, url, headers, body)
        except ProviderUnavailable as error:
            outage.note(str(error))
            raise
        outage.note(f"status {status}" if status >= _SERVER_ERROR else "")
        return status, answer

    return noted
