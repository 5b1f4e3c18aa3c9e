"""The verification core: the rules of real-name verification, for any front end.

The core knows no chat, no web page and no SQL. The caller passes in time, randomness, storage and providers (see
`ports`). The names exported here are stable for other front ends; other names may change.
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
