"""What the core refuses, as one small tree.

VerificationError
├── Refused                  the person may be told
│   ├── QuotaReached         three accounts carry this ID number already
│   ├── AlreadyVerified      this account is verified
│   ├── TooMany              enough was tried for a day
│   └── AttemptOver          unknown, used, expired or cancelled
├── ProviderUnavailable      the way is out of order for now; trying again is right
├── Unreadable               what the store keeps of an attempt is damaged
└── ContradictedOutcome      a second, different verdict for one attempt; the first stands
"""

from datetime import datetime


class VerificationError(Exception):
    """Root of everything the core raises on purpose; messages hold ids and kinds, never a name or number."""


class RequestRefused(VerificationError):
    """A rule says no, and the person may be told which."""


class QuotaReached(RequestRefused):
    """Three accounts are verified with this ID number already."""


class AlreadyVerified(RequestRefused):
    """The account is verified; there is nothing left to do."""


class TooManyAttempts(RequestRefused):
    """Enough was tried for a day: by this person, or (`everybody`) by all people together; `until` says how long."""

    def __init__(self, until: datetime, *, everybody: bool = False) -> None:
        super().__init__(f"until {until:%Y-%m-%d %H:%M} UTC")
        self.until = until
        self.is_overall = everybody


class AttemptOver(RequestRefused):
    """The attempt is unknown or has ended."""


class ProviderUnavailable(VerificationError):
    """The provider did not answer as agreed; the attempt may be made again."""


class Unreadable(VerificationError):
    """What is kept cannot be read any more; trying again does not help."""


class ContradictoryVerdict(VerificationError):
    """A verdict that differs from the one already recorded."""
