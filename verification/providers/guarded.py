"""A provider behind a circuit breaker: while it fails again and again, it is left alone and nobody waits for it."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import TypeVar

from verification.attempts import Attempt, AttemptId, ProviderApp
from verification.breaker import Breaker
from verification.errors import AttemptNotServed, ProviderMisconfigured, ProviderUnavailable
from verification.identity import Identity
from verification.ports import PhoneRedirect, PollableProvider, ProviderAnswer, ProviderSession

T = TypeVar("T")


class GuardedProvider:
    """Passes calls on to a provider, unless it rests."""

    def __init__(self, provider: PollableProvider, breaker: Breaker, clock: Callable[[], datetime]) -> None:
        self._provider = provider
        self._breaker = breaker
        self._clock = clock

    @property
    def simulated(self) -> bool:
        """What the provider says."""
        return self._provider.simulated

    @property
    def app(self) -> ProviderApp:
        """What the provider says."""
        return self._provider.app

    @property
    def phone_origins(self) -> frozenset[str]:
        """What the provider says."""
        return self._provider.phone_origins

    async def open(self, attempt: AttemptId, identity: Identity | None, return_url: str) -> ProviderSession:
        """Open a session; raises `ProviderUnavailable` at once while the provider rests."""
        if not self._breaker.admit():
            raise ProviderUnavailable("it rests after failures")
        return await self._call(self._provider.open(attempt, identity, return_url))

    async def leave(self, attempt: Attempt, client: Mapping[str, str]) -> PhoneRedirect:
        """Ask the provider, also while it rests: a person stands before its page, and most make no call for it."""
        return await self._provider.leave(attempt, client)

    async def poll(self, attempt: Attempt, *, returned: bool = False) -> ProviderAnswer:
        """Poll the provider, unless it rests; an attempt whose time is over is always asked about, for its verdict."""
        if not self._breaker.admit() and attempt.expires_at > self._clock():
            raise ProviderUnavailable("it rests after failures")
        return await self._call(self._provider.poll(attempt, returned=returned))

    def read_callback(self, headers: Mapping[str, str], body: bytes) -> AttemptId | None:
        """Let the provider read the callback."""
        return self._provider.read_callback(headers, body)

    async def _call(self, call: Awaitable[T]) -> T:
        try:
            answer = await call
        except ProviderMisconfigured:
            self._breaker.misconfigured()
            raise
        except AttemptNotServed:
            self._breaker.undecided()
            raise
        except BaseException:
            # A call that is cut off, too: the only one after a rest must not stay open for ever.
            self._breaker.failed()
            raise
        self._breaker.succeeded()
        return answer
