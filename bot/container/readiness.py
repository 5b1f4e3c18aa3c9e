"""Whether the program can do its work: what `/readyz` answers.

Each part is asked when somebody wants to know; nothing that an update met is remembered. So a part that works again is
ready again, although a load balancer sent no update meanwhile. An answer is shared by all who ask within a few seconds.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from telegram import Bot
from telegram.error import InvalidToken, TelegramError

from bot.intake import SILENT_SECONDS, Poller, UpdateIntake
from storage import SqlStore, StorageError
from verification.record import Record

PROBE_SECONDS = 3
"""How long one part may take to answer."""
STORE_SECONDS = 2
WEBHOOK_SECONDS = 15
"""How long an answer counts: of the store, and of Telegram about its webhook."""
AGAIN_SECONDS = 1
"""How long an answer counts that says why a part is not ready."""
SILENCE_SECONDS = 90
"""How long Telegram may be silent; a poll without updates takes 30 seconds."""

Clock = Callable[[], float]
"""Seconds that only grow."""
Probe = Callable[[], Awaitable[str]]
"""Asks one part; returns why it is not ready, or nothing."""


class SharedProbe:
    """A probe whose answer counts for some seconds; those who ask while it runs wait for the same answer."""

    def __init__(self, probe: Probe, seconds: float, clock: Clock) -> None:
        self._probe = probe
        self._seconds = seconds
        self._clock = clock
        self._lock = asyncio.Lock()
        self._answer = ""
        self._counts_until = float("-inf")

    async def ask(self) -> str:
        """Return why the part is not ready, or nothing."""
        async with self._lock:
            if self._clock() >= self._counts_until:
                self._answer = await self._probe()
                self._counts_until = self._clock() + (AGAIN_SECONDS if self._answer else self._seconds)
            return self._answer


class StoreProbe(Record):
    """Writes to the store and waits for the commit: a database that can only be read answers questions too."""

    store: SqlStore
    name: str

    async def ask(self) -> str:
        """Return why the store is not ready, or nothing."""
        try:
            async with asyncio.timeout(PROBE_SECONDS):
                await self.store.check_writable(self.name)
        except TimeoutError:
            return f"did not take a write within {PROBE_SECONDS} s"
        except StorageError as error:
            return _store_reason(str(error).lower())
        return ""


def _store_reason(error: str) -> str:
    # The database's own message may name its host and its user, and this address is public.
    if "readonly" in error.replace(" ", ""):
        return "is read-only"
    return "the disk is full" if "full" in error else "cannot be written"


class PollingProbe(Record):
    """Looks at the age of the last poll.

    A program that waits for the lease stands by, and is ready unless the one that holds it is silent.
    """

    poller: Poller
    clock: Clock

    async def ask(self) -> str:
        """Return why Telegram is not ready, or nothing."""
        if self.poller.is_waiting:
            silence = self.poller.holder_silence
            return "" if silence < SILENT_SECONDS else f"the program that polls is silent for {silence:.0f} s"
        if self.poller.polled_at is None:
            return "no poll has succeeded yet"
        return _silence(self.clock() - self.poller.polled_at, "the last poll that succeeded was")


class WebhookProbe:
    """Asks Telegram whose the webhook is. Whether updates come is no question: a balancer may send them elsewhere."""

    def __init__(self, bot: Bot, url: str, updates: UpdateIntake, clock: Clock) -> None:
        self._bot = bot
        self._url = url
        self._updates = updates
        self._clock = clock
        # The program has set the webhook just now.
        self._heard_at = clock()
        self._reason = ""

    async def ask(self) -> str:
        """Return why Telegram is not ready, or nothing."""
        try:
            async with asyncio.timeout(PROBE_SECONDS):
                info = await self._bot.get_webhook_info()
        except InvalidToken:
            return "Telegram refuses the token"
        except (TelegramError, TimeoutError):
            heard_at = max(self._heard_at, self._updates.handled_at or self._heard_at)
            return self._reason or _silence(self._clock() - heard_at, "Telegram was last heard")
        self._heard_at = self._clock()
        # The address may hold a secret of somebody else, so it is not told.
        self._reason = ""
        if info.url != self._url:
            self._reason = "the webhook leads to another address" if info.url else "no webhook is set"
        return self._reason


def _silence(seconds: float, since: str) -> str:
    return "" if seconds < SILENCE_SECONDS else f"{since} {seconds:.0f} s ago"


class Readiness(Record):
    """The parts that the program cannot do without."""

    store: SharedProbe
    telegram: SharedProbe

    async def check(self) -> Mapping[str, str]:
        """Return why each part is not ready, and nothing for one that is."""
        store, telegram = await asyncio.gather(self.store.ask(), self.telegram.ask())
        return {"store": store, "telegram": telegram}
