"""The fence before Telegram: of the programs that poll in turn, only the one that holds the lease may call.

A program that was stopped for a while does not know that another one has taken over. So before each call the lease must
have been confirmed a moment ago, which is much less than others wait before they take it; else it is confirmed first.
After a loss nothing goes out any more: the other program has asked again for what was owed.
"""

import asyncio
from collections.abc import Awaitable, Callable

BEAT_SECONDS = 1.0
"""How often the holder of the lease shows a sign of life."""
CONFIRMED_SECONDS = 3.0
"""How long a confirmation counts."""


class SendFence:
    """Open until a lease is held for the first time; from then on open only while it is held."""

    def __init__(self) -> None:
        self._still_held: Callable[[], Awaitable[bool]] | None = None
        self._confirmed_at = 0.0
        self._checking = asyncio.Lock()
        self._open = asyncio.Event()
        self._open.set()

    def hold(self, still_held: Callable[[], Awaitable[bool]]) -> None:
        """Let calls out while this lease is held."""
        self._still_held, self._confirmed_at = still_held, _now()
        self._open.set()

    def release(self) -> None:
        """Let every call out: this program ends in good order, and sends what it has committed."""
        self._still_held = None

    def close(self) -> None:
        """Let no call out: another program may have the lease."""
        self._open.clear()

    async def confirm(self) -> bool:
        """Confirm the lease, and close when it is lost; for other programs this is a sign of life."""
        async with self._checking:
            asked_at, still_held = _now(), self._still_held
            if still_held is not None and not await still_held():
                self.close()
            elif self._open.is_set():
                self._confirmed_at = asked_at
            return self._open.is_set()

    async def wait(self) -> None:
        """Wait until a call may go out."""
        while not (self._open.is_set() and self._is_confirmed()):
            await self._open.wait()
            if not self._is_confirmed():
                await self.confirm()

    def _is_confirmed(self) -> bool:
        return self._still_held is None or _now() - self._confirmed_at < CONFIRMED_SECONDS


def _now() -> float:
    return asyncio.get_running_loop().time()
