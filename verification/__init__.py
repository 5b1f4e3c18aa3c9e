"""The verification core: the rules of real-name verification for any front end.

It answers "may this person do this, and what came of it". It knows no chat, no web page and no SQL; time, randomness,
storage and providers are handed in (see `ports`). What stands here is promised to other front ends; the rest may move.
"""

from verification.attempts import (
    Attempt,
    AttemptId,
    Method,
    Outcome,
    Passed,
    Reason,
    Rejected,
    Status,
)
from verification.core import Core, Opening, Wish
from verification.errors import (
    AlreadyVerified,
    AttemptOver,
    ContradictedOutcome,
    ProviderUnavailable,
    QuotaReached,
    Refused,
    TooMany,
    VerificationError,
)
from verification.identity import Identity, Name, Number
from verification.limits import Limits

__all__ = [
    "AlreadyVerified",
    "Attempt",
    "AttemptId",
    "AttemptOver",
    "ContradictedOutcome",
    "Core",
    "Identity",
    "Limits",
    "Method",
    "Name",
    "Number",
    "Opening",
    "Outcome",
    "Passed",
    "ProviderUnavailable",
    "QuotaReached",
    "Reason",
    "Refused",
    "Rejected",
    "Status",
    "TooMany",
    "VerificationError",
    "Wish",
]
