"""The verification core: the rules of real-name verification for any front end.

It answers "may this person do this, and what came of it". It knows no chat, no web page and no SQL; time, randomness,
storage and providers are handed in (see `ports`). What stands here is promised to other front ends; the rest may move.
"""

from verification.attempts import (
    Attempt,
    AttemptId,
    AttemptStatus,
    Method,
    Passed,
    Reason,
    Rejected,
    Verdict,
)
from verification.core import AttemptRequest, Core, ScanCode
from verification.errors import (
    AlreadyVerified,
    AttemptOver,
    ContradictoryVerdict,
    ProviderUnavailable,
    QuotaReached,
    RequestRefused,
    TooManyAttempts,
    VerificationError,
)
from verification.identity import Identity, Name, Number
from verification.ids import Account, Contact
from verification.limits import AttemptLimits

__all__ = [
    "Account",
    "AlreadyVerified",
    "Attempt",
    "AttemptId",
    "AttemptLimits",
    "AttemptOver",
    "AttemptRequest",
    "AttemptStatus",
    "Contact",
    "ContradictoryVerdict",
    "Core",
    "Identity",
    "Method",
    "Name",
    "Number",
    "Passed",
    "ProviderUnavailable",
    "QuotaReached",
    "Reason",
    "Rejected",
    "RequestRefused",
    "ScanCode",
    "TooManyAttempts",
    "Verdict",
    "VerificationError",
]
