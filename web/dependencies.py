"""What the web application needs from the program that builds it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from time import monotonic
from typing import ClassVar, Protocol

from msgspec import field
from prometheus_client import CollectorRegistry

from verification import AttemptId, Core, Method
from verification.callers.attempts import CallerAttempts
from verification.callers.keys import ApiCaller
from verification.invitations import KeyedDigest
from verification.ports import PollableProvider, Provider, ProviderPages
from verification.record import Record
from verification.support.service import SupportService

Texts = Mapping[str, str]
"""Texts by key, with `{placeholders}`; plain text, never markup."""

UtcNow = Callable[[], datetime]


class TelegramRoute(Record):
    """Telegram's webhook: its secret, and a function that takes an update and returns whether it is stored."""

    hidden: ClassVar[frozenset[str]] = frozenset({"secret"})

    secret: str
    take_update: Callable[[bytes], Awaitable[bool]]


async def _nothing() -> None:
    pass


class NotifyProviderNews(Protocol):
    """Takes attempts whose provider may have news."""

    def __call__(self, attempt: AttemptId, *, returned: bool = False) -> None:
        """Take one; `returned` says that the phone has come back from the provider's pages."""


def _notify_nobody(attempt: AttemptId, *, returned: bool = False) -> None:
    del attempt, returned


class QrCodes(Record):
    """Draws a link's QR code: as SVG for a page, as PNG for print, and as text for a terminal."""

    svg: Callable[[str], str]
    png: Callable[[str], bytes]
    text: Callable[[str], str]


class DeskSignOuts(Protocol):
    """Remembers which sessions of the desk were signed out, for all programs on the database."""

    async def sign_out(self, session: str, now: datetime) -> None:
        """Note that a session is over."""

    async def is_signed_out(self, session: str) -> bool:
        """Whether a session is over."""


class DeskRoute(Record, kw_only=True):
    """Support's web desk: the key to sign in, and what it works with.

    `keyed_digest` signs its sessions, `link_url` returns the address that opens a token in the chat, `topics` are the
    titles of the FAQ by language, `new_id` makes unique ids, and `secure` says that it is reached by https only.
    """

    hidden: ClassVar[frozenset[str]] = frozenset({"key"})

    key: str
    support: SupportService
    sign_outs: DeskSignOuts
    keyed_digest: KeyedDigest
    link_url: Callable[[str], str]
    qr: QrCodes
    topics: Mapping[str, Mapping[str, str]]
    new_id: Callable[[], str]
    secure: bool


class ApiRoute(Record, kw_only=True):
    """The API for other programs: who they are, and what it works with.

    `link_url` returns the address that opens a link's token in the chat, and `phone_url` the one that an attempt's code
    holds; `new_id` makes unique ids.
    """

    hidden: ClassVar[frozenset[str]] = frozenset({"callers"})

    callers: Sequence[ApiCaller]
    support: SupportService
    attempts: CallerAttempts
    link_url: Callable[[str], str]
    phone_url: Callable[[str], str]
    qr: QrCodes
    new_id: Callable[[], str]


class FormAnswers(Record):
    """What was typed into the private form.

    `checked` is the name that the page asked to check. `init_data` is what Telegram says of the person, if it opened
    the form.
    """

    hidden: ClassVar[frozenset[str]] = frozenset({"name", "number", "checked", "init_data"})

    name: str = ""
    number: str = ""
    checked: str = ""
    init_data: str = ""


class FormStatus(StrEnum):
    """What becomes of a visit to the private form."""

    UNKNOWN = "unknown"
    """The address is not one of ours."""
    OVER = "over"
    """The question was answered, here or in the chat, or the address is too old."""
    NOT_YOURS = "not_yours"
    """Telegram says that another person has opened it."""
    OPEN = "open"
    WRONG = "wrong"
    """An answer cannot be taken."""
    TAKEN = "taken"


class FormResult(Record):
    """The status, and what is wrong with a field, by the field's name.

    `asks_check`: the name is to be checked and sent again. `elsewhere` is the address where the document of this
    number is served.
    """

    status: FormStatus
    problems: Texts = field(default_factory=dict)
    asks_check: bool = False
    elsewhere: str = ""


class FormRoute(Protocol):
    """The private form: each token names one question to one person."""

    async def status(self, token: str) -> FormStatus:
        """Whether the form is open."""

    async def send(self, token: str, answers: FormAnswers, language: str) -> FormResult:
        """Take the answers as the person's turn, once; problems are in this language."""


class WebDeps(Record, kw_only=True):
    """Everything the routes need.

    `pages` has our pages of each provider, and `pollable` the providers with pages and decisions of their own.
    `texts` is by language. `public_url` is where phones reach the pages. `ready` says why each part that the
    program cannot do without is not ready; the reason of one that is ready is empty. `notify_provider_news` takes
    attempts whose provider may have news. `refresh` updates metrics that are read from elsewhere. `monotonic_clock`
    returns seconds. `is_outage` recognises errors that pass by themselves. `framed` is that of `SafeHeaders`.
    `serves_metrics` says that /metrics is served beside the pages, with `metrics_key` only to those who send it.
    """

    hidden: ClassVar[frozenset[str]] = frozenset({"metrics_key"})

    core: Core
    providers: Mapping[Method, Provider]
    pages: Mapping[Method, ProviderPages]
    pollable: Mapping[Method, PollableProvider]
    texts: Mapping[str, Texts]
    ready: Callable[[], Awaitable[Mapping[str, str]]]
    registry: CollectorRegistry
    clock: UtcNow
    public_url: str
    notify_provider_news: NotifyProviderNews = _notify_nobody
    refresh: Callable[[], Awaitable[None]] = _nothing
    telegram: TelegramRoute | None = None
    monotonic_clock: Callable[[], float] = monotonic
    is_outage: Callable[[BaseException], bool] = lambda _: False
    desk: DeskRoute | None = None
    api: ApiRoute | None = None
    form: FormRoute | None = None
    framed: bool = True
    metrics_key: str | None = None
    serves_metrics: bool = True
