"""Verdicts on their way to another server: what it is told, and how long that is tried.

It is told at least once, of every verdict, under one id for all repetitions. An attempt that ended without a verdict is
no news to somebody who never heard that it began.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Protocol

from verification.attempts import AttemptId, AttemptStatus, Method, Reason
from verification.ids import Account

RETRY_DELAYS = tuple(
    timedelta(seconds=seconds)
    for seconds in (5, 300, 1800, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600)
)
"""Between the tries, as Standard Webhooks suggests: one more try than pauses, over a little more than three days."""
MAX_BLOCKING_TRIES = 3
"""So many tries of an account's result its later ones wait for; one that nobody takes must not keep them longer."""
MAX_CLOCK_SKEW = timedelta(minutes=1)
"""So far the clocks of several machines may differ; what was tried later than that was tried by a wrong clock."""


class DeliveryStatus(StrEnum):
    """What became of a result."""

    DELIVERED = "delivered"
    GONE = "gone"
    GIVEN_UP = "given_up"


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingResult:
    """A verdict as it is told; `tries` counts those that failed."""

    id: int
    attempt: AttemptId
    account: Account
    method: Method
    status: AttemptStatus
    reason: Reason | None
    simulated: bool
    at: datetime
    tries: int = 0

    @property
    def message_id(self) -> str:
        """The id of the message and of all its repetitions: an attempt has one verdict."""
        return f"result_{self.attempt}"

    def body(self) -> bytes:
        """What is told, the same bytes each time: never a name or a number."""
        status = "verified" if self.status is AttemptStatus.SUCCEEDED else "failed"
        at = f"{self.at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='microseconds')}Z"
        data = {"account": self.account, "method": self.method, "status": status}
        if self.reason is not None:
            data["reason"] = self.reason
        told = {**data, "attempt": self.attempt, "at": at, "simulated": self.simulated}
        return json.dumps({"type": f"verification.{status}", "timestamp": at, "data": told}).encode()


class ResultOutbox(Protocol):
    """The results that are still owed, whichever program posted them."""

    async def claim(self, now: datetime, *, until: datetime, limit: int) -> Sequence[OutgoingResult]:
        """Lease results that are due, those never tried first; another claim gets them only after `until`.

        A result comes after the older ones of its account, unless those failed `HOLDS_UP` times already.
        """

    async def postpone(self, result: OutgoingResult, until: datetime) -> None:
        """Count a try that failed, and let the result be until then."""

    async def settle(self, result: OutgoingResult, status: DeliveryStatus, now: datetime) -> None:
        """Note what became of a result; it is told no more."""
