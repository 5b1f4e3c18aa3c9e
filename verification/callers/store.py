"""What the store keeps of the requests of API callers."""

from collections.abc import Callable, Coroutine, Sequence
from datetime import datetime
from typing import Any, ClassVar, Protocol, TypeVar

from verification.attempts import AttemptId
from verification.ids import Account, FrontEnd
from verification.invitations import Purpose
from verification.ports import Unit
from verification.record import Record
from verification.support.store import AttemptSummary, AuditEntry

T = TypeVar("T")


class CallerRequest(Record, kw_only=True):
    """A request for an attempt. `request_index` stands for the request, `fields_index` for everything it says."""

    hidden: ClassVar[frozenset[str]] = frozenset({"request_index", "fields_index"})

    request_index: bytes
    fields_index: bytes
    attempt: AttemptId
    front_end: FrontEnd
    account: Account
    language: str | None
    at: datetime


class ListPosition(Record):
    """Where a page of a list ended."""

    at: datetime
    attempt: AttemptId


class CallerUnit(Unit, Protocol):
    """One transaction for a caller."""

    async def add_audit_entry(self, entry: AuditEntry) -> None:
        """Write an audit entry."""

    async def add_caller_request(self, request: CallerRequest) -> CallerRequest:
        """Store a request; one that was made before is returned as stored."""

    async def caller_request(self, attempt: AttemptId) -> CallerRequest | None:
        """Load the request that asked for an attempt."""

    async def forget_caller_request(self, attempt: AttemptId) -> None:
        """Delete the request for an attempt that was refused, so that it may be made again."""

    async def caller_attempts(
        self, front_end: FrontEnd, *, account: Account | None, after: ListPosition | None, limit: int
    ) -> Sequence[AttemptSummary]:
        """List a caller's attempts, newest request first, `created_at` being its time; without name and number."""


class CallerStore(Protocol):
    """Stores what callers ask for."""

    def keyed_digest(self, purpose: Purpose, text: str) -> bytes:
        """Compute a digest that requires the secret key: 32 bytes."""

    async def transact(self, lock_key: str, body: Callable[[CallerUnit], Coroutine[Any, Any, T]]) -> T:
        """Run `body` as one transaction; see `verification.ports.Store`."""
