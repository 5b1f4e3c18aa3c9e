"""Stand-ins at the ports: a clock that is set, counted tokens, a provider that only notes, fixed keys."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count

from msgspec.structs import replace

from storage.encryption.sealing import Sealing
from verification.attempts import Attempt, AttemptId, AttemptStatus, Method, ProviderApp
from verification.core import AttemptRequest, Core, CoreDeps
from verification.dialogue_store import DialogueStore
from verification.errors import ProviderUnavailable
from verification.identity import Identity, Name, Number
from verification.ids import Account, Contact, FrontEnd
from verification.ports import ProviderSession

TELEGRAM = FrontEnd("telegram")
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
NUMBER = "11010519491231002X"
OTHER_NUMBER = "440524188001010014"


def make_sealing() -> Sealing:
    return Sealing({"k1": b"1" * 32}, index_key=b"i" * 32)


def make_identity(number: str = NUMBER, name: str = "王小明") -> Identity:
    return Identity(Name(name), Number(number))


def make_attempt(attempt_id: str = "a1", account: str = "telegram:100012345", **changes: object) -> Attempt:
    attempt = Attempt(
        id=AttemptId(attempt_id),
        account=Account(account),
        contact=Contact(account),
        method=Method.WECHAT,
        status=AttemptStatus.WAITING,
        match_code="42",
        created_at=NOON,
        expires_at=NOON + timedelta(minutes=10),
        identity=make_identity(),
        token=f"token-of-{attempt_id}",
    )
    return replace(attempt, **changes)


@dataclass
class FakeClock:
    """Stands still until it is told."""

    now: datetime = NOON

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **by: float) -> None:
        self.now += timedelta(**by)


@dataclass
class FakeProvider:
    """Answers at once, or is out of order; `meanwhile` runs while the core waits for it."""

    out_of_order: bool = False
    before_answer: Callable[[], Awaitable[object]] | None = None
    opened: list[AttemptId] = field(default_factory=list)
    simulated: bool = True

    @property
    def app(self) -> ProviderApp:
        return ProviderApp.WECHAT

    async def open(self, attempt: AttemptId, identity: Identity | None, return_url: str) -> ProviderSession:
        self.opened.append(attempt)
        if self.before_answer is not None:
            meanwhile, self.before_answer = self.before_answer, None
            await meanwhile()
        if self.out_of_order:
            raise ProviderUnavailable(attempt)
        return ProviderSession(provider_state=f"page-of-{attempt}")


def make_deps(clock: FakeClock, prefix: str = "") -> CoreDeps:
    tokens = count(1)
    return CoreDeps(
        clock=clock,
        token=lambda: f"{prefix}token-{next(tokens)}",
        match_code=lambda: "42",
        phone_url=lambda token: f"http://127.0.0.1:8080/q/{token}",
    )


async def asked_for_quota(core: Core, store: DialogueStore, request: AttemptRequest) -> bool:
    """What the core answers in a transaction of its own."""
    return await store.transact("ask", lambda unit: core.is_quota_reached(unit, request))


def make_request(attempt_id: str = "a1", account: str = "telegram:1", number: str = NUMBER) -> AttemptRequest:
    return AttemptRequest(
        AttemptId(attempt_id), Account(account), Contact(account), make_identity(number), Method.WECHAT
    )
