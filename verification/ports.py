"""The ports of the core: a store with transactions, and providers.

Each method states its promise; any implementation that keeps all of them can replace another.
"""

from collections.abc import Callable, Coroutine, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, Literal, Protocol, TypeVar

from verification.attempts import (
    Attempt,
    AttemptId,
    AttemptStatus,
    Method,
    Move,
    Progress,
    ProviderApp,
    Reason,
    Verdict,
)
from verification.identity import Identity, NetworkIdentity
from verification.ids import Account, Contact, FrontEnd
from verification.limits import RateLimitRecord
from verification.record import Record

T = TypeVar("T")

MAX_ACCOUNTS = 3
"""How many accounts one ID number can verify (G2)."""


class NoticeKind(StrEnum):
    """What a notice reports."""

    PROGRESS = "progress"
    EXPIRING_SOON = "fading"
    ENDED = "ended"


class Notice(Record):
    """An event that a front end must send to a person; it stays stored until it is settled, so a crash loses none.

    `simulated` says of a success that its provider proves nothing.
    """

    id: int
    contact: Contact
    kind: NoticeKind
    attempt: AttemptId
    account: Account
    method: Method
    status: AttemptStatus
    reason: Reason | None
    expires_at: datetime
    simulated: bool = False


class QuotaSlot(Record):
    """A taken quota slot of an ID number: this account is verified; `simulated`: by a provider that proves nothing."""

    account: Account
    method: Method
    at: datetime
    simulated: bool = False


class DueAttempt(Record):
    """An attempt that has expired or soon will."""

    id: AttemptId
    method: Method
    status: AttemptStatus
    expires_at: datetime
    expiry_announced: bool


class Unit(Protocol):
    """One transaction; see `Store.transact`."""

    async def attempt(self, attempt: AttemptId) -> Attempt | None:
        """Load an attempt; like every method that loads one, raises `Unreadable` when its record is damaged."""

    async def attempt_by_token(self, token: str) -> Attempt | None:
        """Load the attempt with this token."""

    async def live_attempt(self, account: Account) -> Attempt | None:
        """Load the account's live attempt; there is at most one."""

    async def slot_of(self, account: Account) -> QuotaSlot | None:
        """Load the quota slot of this account; None when it is not verified."""

    async def save_attempt(self, attempt: Attempt) -> None:
        """Store an attempt, its identity sealed; the schema refuses a second live attempt of an account."""

    async def due_attempts(self, moment: datetime, limit: int) -> Sequence[DueAttempt]:
        """List live attempts with `expires_at` up to this moment, oldest first; unreadable attempts are included."""

    async def live_attempts(self, method: Method, limit: int) -> Sequence[AttemptId]:
        """List live attempts of a method."""

    async def abandon(self, attempt: AttemptId) -> None:
        """Mark a live attempt that cannot be read as expired, so that its account may begin another."""

    async def claim_due_polls(
        self, method: Method, *, now: datetime, before: datetime, limit: int
    ) -> Sequence[AttemptId]:
        """Claim attempts of a method that a person has opened and nobody claimed since `before`; oldest claim first.

        Another program gets a claimed attempt only after `before` has passed that claim. A claim later than `now` does
        not count: the clock has been set back since.
        """

    async def accounts_of(self, identity: Identity | NetworkIdentity) -> frozenset[Account]:
        """List the accounts verified with this identity's number, or with this network identity."""

    async def take_slot(
        self, attempt: Attempt, identity: Identity | NetworkIdentity, now: datetime, *, simulated: bool = False
    ) -> bool:
        """Take one of the `MAX_ACCOUNTS` quota slots of this number for the attempt's account; False when none is free.

        A network identity has slots of its own: nothing tells which number it belongs to.
        The schema keeps the promise: no race takes a fourth slot, and no account has two.
        """

    async def rate_limit_records(
        self, attempt: Attempt, identity: Identity | None, since: datetime, number_limit: int
    ) -> Sequence[RateLimitRecord]:
        """List records since then of the attempt's account or contact, and of this number its last `number_limit`.

        Without an identity the contact stands for the number: nothing is known yet that two people could share.
        Until this transaction ends, no other one gets past this call for the same account, contact or number: so a
        limit is checked and used up in one transaction.
        """

    async def add_rate_limit_record(
        self, attempt: Attempt, identity: Identity | None, *, provider_called: bool
    ) -> None:
        """Store for a day that this attempt was made and whether a provider was called; replaces its earlier record.

        Of attempts without a provider call, one record per contact and number is stored.
        """

    async def budget_spent(self, since: datetime, budget: int) -> datetime | None:
        """When the oldest of the last `budget` provider calls was made; None when there were fewer."""

    async def post_notice(
        self,
        kind: NoticeKind,
        attempt: Attempt,
        now: datetime,
        *,
        leased_until: datetime | None = None,
        simulated: bool = False,
    ) -> Notice | None:
        """Store a notice about the attempt for its contact; it is sent after this transaction commits.

        With `leased_until` the notice is leased to the caller at once and returned, unless an older notice of its
        contact is unsettled: the contact's notices are sent in order.
        """

    async def settle_notice(self, notice: Notice) -> bool:
        """Remove a notice whose turn is committed; False when it was settled before, or erased."""

    async def post_result(self, attempt: Attempt, now: datetime, *, simulated: bool) -> None:
        """Store an attempt's verdict or other status in the result outbox; it is sent after this unit commits.

        An attempt has one verdict there, and any other status once.
        """


class Store(Protocol):
    """Stores what the core must not lose."""

    async def transact(self, lock_key: str, body: Callable[[Unit], Coroutine[Any, Any, T]]) -> T:
        """Run `body` as one transaction, and return its result once it is committed; an error rolls it back.

        It runs alone with this key: bodies with the same key run one after the other, in order of arrival. It awaits
        nothing but its unit and changes nothing else, because it may run whole in the database's thread, and again when
        a body that was to be committed with it has failed. When its caller is cancelled it takes effect whole or not at
        all.
        """

    async def claim_notices(
        self, front_end: FrontEnd, now: datetime, *, until: datetime, limit: int
    ) -> Sequence[Notice]:
        """Lease unsettled notices of a front end's contacts, oldest first, one per contact.

        Another claim gets them only after `until`, and a claim of another front end never.

        A lease that ends later than `until` does not count: the clock has been set back since.
        """


class ProviderSession(Record):
    """An opened session: what the provider remembers of it, at most 2 KiB; the store seals it."""

    hidden: ClassVar[frozenset[str]] = frozenset({"provider_state"})

    provider_state: str


class PhoneRedirect(Record):
    """Where the phone goes now, and what the provider remembers from here on."""

    hidden: ClassVar[frozenset[str]] = frozenset({"url", "provider_state"})

    url: str
    provider_state: str


class ProviderAnswer(Record):
    """What a poll says, and what the provider remembers with it; None: the same as before."""

    hidden: ClassVar[frozenset[str]] = frozenset({"provider_state"})

    news: AttemptStatus | Verdict
    provider_state: str | None = None


class InvalidCallback(Exception):
    """A callback is authentic, but its body is not what the provider sends."""


class Provider(Protocol):
    """One method of checking an identity."""

    @property
    def simulated(self) -> bool:
        """Whether this provider proves nothing."""

    @property
    def app(self) -> ProviderApp:
        """The app that its pages need."""

    async def open(self, attempt: AttemptId, identity: Identity | None, return_url: str) -> ProviderSession:
        """Open a session; repeating it for one attempt is harmless. Raises `ProviderUnavailable`.

        The identity is None for a method that takes none; a provider of another method raises `AttemptNotServed` then.

        `return_url` is where the provider sends the phone back when the person is done.
        """


class PhonePage(Record, kw_only=True):
    """A page of ours for a live attempt, before it is rendered.

    `text_key` is where its texts begin; its form carries `stage`. `step` is where the phone is among `steps`. `body` is
    what stands between the code and the buttons. `explains_code`: it says what the match code is for. `form_error` is
    the key of what was wrong with a press.
    """

    text_key: str
    stage: str
    steps: Sequence[str]
    step: str
    buttons: Sequence[str] = ()
    body: Literal["data", "agreement", "camera"] = "data"
    choices: Sequence[str] = ()
    choice: str = ""
    explains_code: bool = False
    form_error: str = ""


class PagePress(Record, kw_only=True):
    """What a press means: the attempt's move, if it makes one, and what is shown then.

    With `shown` the press counted for nothing, and this page says so. With `leaving` it leads to the provider's own
    pages, and this page forwards the phone. With neither, the attempt's status is shown.
    """

    move: Move | None = None
    shown: PhonePage | None = None
    leaving: PhonePage | None = None


class ProviderPages(Protocol):
    """Our pages of a provider. Its methods are pure, and asked about a live attempt only."""

    def current(self, attempt: Attempt) -> PhonePage:
        """Return the page that a phone shows of this attempt."""

    def look(self, attempt: Attempt) -> Progress | None:
        """Return what a person's look at the page changes."""

    def press(self, attempt: Attempt, form: Mapping[str, str]) -> PagePress:
        """Return what a press means; `form` has the last value of each field, as anybody may have sent it."""


class PollableProvider(Provider, Protocol):
    """A provider that decides on its own pages and its own server, and is polled for the result."""

    @property
    def phone_origins(self) -> frozenset[str]:
        """Where it may send a phone: `https://` and a host in lower case, or `scheme://host` of an app's own links."""

    async def leave(self, attempt: Attempt, client: Mapping[str, str]) -> PhoneRedirect:
        """Return where the phone goes when the person presses on; `client` has the headers of the phone's request.

        It is asked about a live attempt, once for each press. Raises `ProviderUnavailable`.
        """

    async def poll(self, attempt: Attempt, *, returned: bool = False) -> ProviderAnswer:
        """Return the attempt's status, or its verdict. Raises `ProviderUnavailable`.

        The attempt is as stored: one that has ended has no identity any more. `returned` says that the phone has just
        come back from the provider's pages: a failure will not turn into a pass any more.
        """

    def read_callback(self, headers: Mapping[str, str], body: bytes) -> AttemptId | None:
        """Return which attempt may have news; None when this provider makes no callbacks.

        Raises `InvalidSignature` or `InvalidCallback`.
        """
