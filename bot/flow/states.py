"""Where a dialogue stands. Each state holds exactly what is known there, as plain data that `codec` turns into text.

`account` is the account that is verified; `mark` names the question on the screen, so that a button of any other
question, or of another time, is known for what it is.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from verification.attempts import AttemptId, Method, Reason
from verification.identity import Identity, Name
from verification.ids import Account


class PhoneStage(StrEnum):
    """How far the person has come on the phone."""

    WAITING = "waiting"
    OPENED = "opened"
    CONFIRMING = "confirming"


@dataclass(frozen=True, slots=True, kw_only=True)
class StateBase:
    """What every state knows."""

    account: Account
    question_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Idle(StateBase):
    """Nothing is under way: never begun, or cancelled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoosingType(StateBase):
    """Welcomed, and asked which type of verification."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingEnterprise(StateBase):
    """Told how enterprises are verified (G15)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingOverseas(StateBase):
    """Told where people of Hong Kong, Macau, Taiwan and overseas are verified (G3)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingInvitation(StateBase):
    """Asked whether the account that a link brought is the person's own; `suggested` is the way it suggests.

    `former` is the state they were in, as text: it comes back to whoever says no.
    """

    former: str = field(repr=False)
    suggested: Method | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreeing(StateBase):
    """Asked to agree to the handling of name and number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AskingName(StateBase):
    """Asked for the name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AskingNumber(StateBase):
    """Asked for the ID number."""

    name: Name


@dataclass(frozen=True, slots=True, kw_only=True)
class Identified(StateBase):
    """Name and number are known."""

    identity: Identity


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangingName(Identified):
    """Asked for another name; the number stays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangingNumber(Identified):
    """Asked for another number; the name stays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirming(Identified):
    """Asked whether name and number, shown masked, are right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoosingMethod(Identified):
    """Asked which of the three ways (G5); the one that a link suggests comes first."""

    suggested: Method | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreeingFace(Identified):
    """Asked for the separate consent that face recognition needs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempting(Identified):
    """An attempt in the core belongs to this state."""

    method: Method
    attempt: AttemptId


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening(Attempting):
    """The core has been asked for a code, and has not answered yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scanning(Attempting):
    """The code is on the screen. `touched`: the person said or pressed something since it was shown."""

    link: str = field(repr=False)
    match_code: str
    expires_at: datetime
    stage: PhoneStage = PhoneStage.WAITING
    touched: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Expired(Attempting):
    """The code ran out before it was used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed(Attempting):
    """The attempt did not pass; the data are kept for the next, which `until` asks to wait for."""

    reason: Reason
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified(StateBase):
    """The account is verified."""

    method: Method
    attempt: AttemptId
    at: datetime


State = (
    Idle
    | ChoosingType
    | ReadingEnterprise
    | ReadingOverseas
    | ReadingInvitation
    | Agreeing
    | AskingName
    | AskingNumber
    | ChangingName
    | ChangingNumber
    | Confirming
    | ChoosingMethod
    | AgreeingFace
    | Opening
    | Scanning
    | Expired
    | Failed
    | Verified
)
