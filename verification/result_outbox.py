"""The result outbox: verdicts on their way to another server, and the schedule of their delivery.

Each verdict is delivered at least once; all its repetitions have one message id. Of an attempt in a chat the verdict
alone is reported: the other server never heard of its beginning. Of one that a program made over the HTTP API, each
status that its person or the time brings about is reported too.
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Protocol

from verification.attempts import VERDICT_STATUSES, AttemptId, AttemptStatus, Method, Reason
from verification.ids import Account, FrontEnd
from verification.record import Record

RETRY_DELAYS = tuple(
    timedelta(seconds=seconds)
    for seconds in (5, 300, 1800, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600)
)
"""Between tries, as Standard Webhooks suggests: one more try than delays, over a little more than three days."""
MAX_BLOCKING_TRIES = 3
"""Later results of an account wait for this many tries of an earlier one, and then no longer."""
MAX_CLOCK_SKEW = timedelta(minutes=1)
"""How far clocks of several machines may differ; a try recorded further in the future comes from a wrong clock."""


class ResultBacklog(Record, kw_only=True):
    """The undelivered results: how many, since when (UTC), and how many were abandoned lately."""

    undelivered: int = 0
    since: datetime | None = None
    abandoned: int = 0


class DeliveryStatus(StrEnum):
    """How the delivery of a result ended."""

    DELIVERED = "delivered"
    GONE = "gone"
    ABANDONED = "given_up"


class OutgoingResult(Record, kw_only=True):
    """A verdict or other status to deliver; `tries` counts failed tries, `at` is the UTC time of its recording."""

    id: int
    attempt: AttemptId
    account: Account
    method: Method
    status: AttemptStatus
    reason: Reason | None
    simulated: bool
    at: datetime
    front_end: FrontEnd
    tries: int = 0

    @property
    def message_id(self) -> str:
        """The id of the message and of all its repetitions: an attempt has one verdict, and any status once."""
        return f"result_{self.attempt}" if self.status in VERDICT_STATUSES else f"result_{self.attempt}_{self.status}"

    def body(self) -> bytes:
        """The JSON body, the same bytes each time: never a name or a number."""
        status = "verified" if self.status is AttemptStatus.SUCCEEDED else self.status.value
        at = f"{self.at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='microseconds')}Z"
        data = {"account": self.account, "method": self.method, "status": status}
        if self.reason is not None:
            data["reason"] = self.reason
        payload = {
            **data,
            "attempt": self.attempt,
            "at": at,
            "simulated": self.simulated,
            "front_end": self.front_end,
        }
        return json.dumps({"type": f"verification.{status}", "timestamp": at, "data": payload}).encode()


class ResultOutbox(Protocol):
    """The results that are not delivered yet, from all programs."""

    async def claim(self, now: datetime, *, until: datetime, limit: int) -> Sequence[OutgoingResult]:
        """Lease results that are due, new ones first; another claim gets them only after `until`.

        A result waits for older results of its account until those have failed `MAX_BLOCKING_TRIES` times.
        """

    async def postpone(self, result: OutgoingResult, until: datetime) -> None:
        """Count a failed try; the next one is due at `until`."""

    async def settle(self, result: OutgoingResult, status: DeliveryStatus, now: datetime) -> None:
        """Store how the delivery ended; there are no further tries."""
