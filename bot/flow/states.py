"""The states of a dialogue: each holds exactly what is known in it, as plain data that `codec` turns into text.

`account` is the account that is being verified. `question_id` names the question on the screen; buttons carry it, so
that a button of an earlier question is recognised.
"""

from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from verification.attempts import AttemptId, Method, ProviderApp, Reason
from verification.identity import Identity, Name, Number
from verification.ids import Account
from verification.record import Record


class PhoneStage(StrEnum):
    """How far the person has come on the phone page."""

    WAITING = "waiting"
    OPENED = "opened"
    CONFIRMING = "confirming"


class StateBase(Record, kw_only=True, tag_field="state", tag=True, rename={"question_id": "mark"}):
    """The fields of every state. It is saved under its name, and `question_id` under that of the first release."""

    account: Account
    question_id: str


class Idle(StateBase):
    """Nothing is in progress: the dialogue has not begun, or was cancelled."""


class ChoosingType(StateBase):
    """The person is welcomed and chooses the type of verification."""


class ReadingEnterprise(StateBase):
    """The person reads how enterprises are verified (G15)."""


class ReadingOverseas(StateBase):
    """The person reads where people from Hong Kong, Macau, Taiwan and overseas are verified (G3)."""


class ReadingInvitation(StateBase, kw_only=True):
    """The person is asked whether the account of a link is their own; `suggested` is the method that the link suggests.

    `former` is the state before, as text; the dialogue returns to it when the person answers no.
    """

    hidden: ClassVar[frozenset[str]] = frozenset({"former"})

    former: str
    suggested: Method | None = None


class Agreeing(StateBase):
    """The person is asked to agree to the handling of their name and number."""


class AskingName(StateBase):
    """The person is asked for their name."""


class CheckingName(StateBase, kw_only=True):
    """The person is asked whether a text that is no likely name is their name.

    `number` came in the same message. `identity` is what the person wanted to change.
    """

    name: Name
    number: Number | None = None
    identity: Identity | None = None


class AskingNumber(StateBase, kw_only=True):
    """The person is asked for their ID number."""

    name: Name


class Identified(StateBase, kw_only=True):
    """The fields of every state in which name and number are known."""

    identity: Identity


class ChangingName(Identified):
    """The person is asked for another name; the number stays."""


class ChangingNumber(Identified):
    """The person is asked for another number; the name stays."""


class Confirming(Identified, kw_only=True):
    """The person checks name and number, and confirms them by choosing one of the three methods (G5).

    The method that a link suggests comes first. `is_checked`: the person has confirmed this identity before, so it is
    shown masked.
    """

    suggested: Method | None = None
    is_checked: bool = False


class AgreeingFace(Identified):
    """The person is asked for the separate consent that face recognition needs."""


class Attempting(StateBase, kw_only=True):
    """The fields of every state that has an attempt in the core; a network identity needs no typed `identity`."""

    identity: Identity | None
    method: Method
    attempt: AttemptId


class Opening(Attempting, kw_only=True):
    """The core is asked for a code and has not answered since then (UTC).

    `is_below`: the person typed the wish for another code, so it comes below that text, and not in place of the code
    before it.
    """

    since: datetime | None = None
    is_below: bool = False


class Scanning(Attempting, kw_only=True):
    """The code is on the screen. `touched`: the person has written or pressed something since the code was shown.

    `simulated`: the provider that opened the attempt proves nothing. `app`: what its pages need. `since` is when the
    stage began (UTC).
    """

    hidden: ClassVar[frozenset[str]] = frozenset({"link"})

    link: str
    match_code: str
    expires_at: datetime
    stage: PhoneStage = PhoneStage.WAITING
    touched: bool = False
    simulated: bool = False
    app: ProviderApp | None = None
    since: datetime | None = None


class Expired(Attempting, kw_only=True):
    """The code expired before there was a result; `stage` is how far the person had come."""

    stage: PhoneStage = PhoneStage.WAITING


class Failed(Attempting, kw_only=True):
    """The attempt did not pass; a typed identity is kept for the next one, which is possible after `until` (UTC)."""

    reason: Reason
    until: datetime | None = None


class QuotaFull(Identified, kw_only=True):
    """Three accounts are verified with this number; nothing goes on until one of them is freed (G2).

    `attempt` is the id under which that was found. `is_scanned`: it was found only after a code had been scanned.
    """

    attempt: AttemptId
    is_scanned: bool = False


class Verified(StateBase, kw_only=True):
    """The account is verified; `simulated`: by a provider that proves nothing."""

    method: Method
    attempt: AttemptId
    at: datetime
    simulated: bool = False


AsksForText = AskingName | AskingNumber | ChangingName | ChangingNumber
"""The states whose question waits for a text; a number that is typed there is an answer, not a button's position."""

State = (
    Idle
    | ChoosingType
    | ReadingEnterprise
    | ReadingOverseas
    | ReadingInvitation
    | Agreeing
    | AskingName
    | CheckingName
    | AskingNumber
    | ChangingName
    | ChangingNumber
    | Confirming
    | AgreeingFace
    | Opening
    | Scanning
    | Expired
    | Failed
    | QuotaFull
    | Verified
)


def typed_identity(state: StateBase) -> Identity | None:
    """The name and number that are known in a state."""
    return state.identity if isinstance(state, Identified | Attempting) else None
