"""What the web side is made of, handed in by whoever puts the program together."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from time import monotonic

from prometheus_client import CollectorRegistry

from verification import AttemptId, Core, Method
from verification.ports import Provider

Words = Mapping[str, str]
"""Texts by key, with `{placeholders}`; plain text, never markup."""

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class TelegramRoute:
    """The webhook: the secret Telegram was given, and what takes an update; it says whether the update is kept."""

    secret: str
    take: Callable[[bytes], Awaitable[bool]]

    def __repr__(self) -> str:
        """Hide the secret."""
        return "TelegramRoute(…)"


async def _nothing() -> None:
    pass


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything the routes need.

    `words` is by language, `ready` names each part the program cannot do without, `ring` hears of attempts whose
    provider says that there may be news, `refresh` brings up to date what the registry reads from elsewhere, and
    `seconds` is a clock that never jumps.
    """

    core: Core
    providers: Mapping[Method, Provider]
    words: Mapping[str, Words]
    ready: Callable[[], Awaitable[Mapping[str, bool]]]
    registry: CollectorRegistry
    clock: Clock
    ring: Callable[[AttemptId], None] = lambda _: None
    refresh: Callable[[], Awaitable[None]] = _nothing
    telegram: TelegramRoute | None = None
    seconds: Callable[[], float] = monotonic
