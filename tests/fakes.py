"""Stand-ins at the ports: a clock that is set, counted tokens, a provider that only notes, fixed keys."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count

from storage.sealing import Sealing
from verification.attempts import Attempt, AttemptId, Method, Status
from verification.core import Outside, Wish
from verification.errors import ProviderUnavailable
from verification.identity import Identity, Name, Number
from verification.ports import Session

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
NUMBER = "11010519491231002X"
OTHER_NUMBER = "440524188001010014"


def fixed_sealing() -> Sealing:
    return Sealing({"k1": b"1" * 32}, index_key=b"i" * 32)


def identity(number: str = NUMBER, name: str = "王小明") -> Identity:
    return Identity(Name(name), Number(number))


def an_attempt(attempt_id: str = "a1", account: str = "telegram:100012345", **changes: object) -> Attempt:
    attempt = Attempt(
        id=AttemptId(attempt_id),
        account=account,
        contact=account,
        method=Method.WECHAT,
        status=Status.WAITING,
        match_code="42",
        created_at=NOON,
        expires_at=NOON + timedelta(minutes=10),
        identity=identity(),
        token=f"token-of-{attempt_id}",
    )
    return replace(attempt, **changes)  # type: ignore[arg-type]


@dataclass
class Clock:
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
    meanwhile: Callable[[], Awaitable[object]] | None = None
    asked: list[AttemptId] = field(default_factory=list)
    simulated: bool = True

    async def open(self, attempt: AttemptId, identity: Identity) -> Session:
        self.asked.append(attempt)
        if self.meanwhile is not None:
            meanwhile, self.meanwhile = self.meanwhile, None
            await meanwhile()
        if self.out_of_order:
            raise ProviderUnavailable(attempt)
        return Session(page=f"page-of-{attempt}")


def outside(clock: Clock, prefix: str = "") -> Outside:
    tokens = count(1)
    return Outside(
        clock=clock,
        token=lambda: f"{prefix}token-{next(tokens)}",
        match_code=lambda: "42",
        link=lambda token: f"http://127.0.0.1:8080/q/{token}",
    )


def wish(attempt_id: str = "a1", account: str = "telegram:1", number: str = NUMBER) -> Wish:
    return Wish(AttemptId(attempt_id), account, account, identity(number), Method.WECHAT)
