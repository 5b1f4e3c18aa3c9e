"""What the web side is made of, handed in by whoever puts the program together."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from time import monotonic

from prometheus_client import CollectorRegistry

from verification import AttemptId, Core, Method
from verification.invitations import KeyedDigest
from verification.ports import Provider
from verification.support.service import SupportService

Texts = Mapping[str, str]
"""Texts by key, with `{placeholders}`; plain text, never markup."""

UtcNow = Callable[[], datetime]


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
class QrCodes:
    """Draws a link's code: as markup to stand in a page, and as a picture for print."""

    svg: Callable[[str], str]
    png: Callable[[str], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskRoute:
    """Support's desk: the key that opens it, and what it works with.

    `keyed` signs its sessions, `link_url` gives the address that opens a token in the chat, `topics` are the titles of
    the FAQ by language, `fresh` makes words nobody has had, and `secure` says that people come by https only.
    """

    key: str
    support: SupportService
    keyed_digest: KeyedDigest
    link_url: Callable[[str], str]
    qr: QrCodes
    topics: Mapping[str, Mapping[str, str]]
    new_id: Callable[[], str]
    secure: bool

    def __repr__(self) -> str:
        """Hide the key."""
        return "DeskRoute(…)"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiRoute:
    """The calls of other programs: their keys, and what they work with.

    `link_url` gives the address that opens a token in the chat, `fresh` makes words nobody has had.
    """

    keys: Sequence[str]
    support: SupportService
    link_url: Callable[[str], str]
    qr: QrCodes
    new_id: Callable[[], str]

    def __repr__(self) -> str:
        """Hide the keys."""
        return "ApiRoute(…)"


@dataclass(frozen=True, slots=True)
class WebDeps:
    """Everything the routes need.

    `words` is by language, `ready` names each part the program cannot do without, `ring` hears of attempts whose
    provider says that there may be news, `refresh` brings up to date what the registry reads from elsewhere, `seconds`
    is a clock that never jumps, and `is_outage` knows the errors that pass by themselves.
    """

    core: Core
    providers: Mapping[Method, Provider]
    texts: Mapping[str, Texts]
    ready: Callable[[], Awaitable[Mapping[str, bool]]]
    registry: CollectorRegistry
    clock: UtcNow
    notify_provider_news: Callable[[AttemptId], None] = lambda _: None
    refresh: Callable[[], Awaitable[None]] = _nothing
    telegram: TelegramRoute | None = None
    monotonic_clock: Callable[[], float] = monotonic
    is_outage: Callable[[BaseException], bool] = lambda _: False
    desk: DeskRoute | None = None
    api: ApiRoute | None = None
