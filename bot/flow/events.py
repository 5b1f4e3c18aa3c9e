"""Events: what a person writes, presses and commands, and what the core answers and announces.

`effects` holds what the rules do in return.
"""

from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from bot.flow.states import PhoneStage
from verification.attempts import AttemptId, Method, ProviderApp, Reason
from verification.identity import Identity
from verification.ids import Account
from verification.record import Record


class Command(StrEnum):
    """A command; every command works in every state."""

    START = "start"
    STATUS = "status"
    BACK = "back"
    CANCEL = "cancel"
    FAQ = "faq"
    HELP = "help"
    LANGUAGE = "language"
    PRIVACY = "privacy"
    HUMAN = "human"
    UNKNOWN = "unknown"


class Choice(StrEnum):
    """A choice that a button of a question offers; each may be typed as well."""

    BEGIN = "begin"
    PERSONAL = "personal"
    MINE = "mine"
    NOT_MINE = "not_mine"
    ENTERPRISE = "enterprise"
    OVERSEAS = "overseas"
    AGREE = "agree"
    NOT_NOW = "not_now"
    NAME_RIGHT = "name_right"
    NAME_WRONG = "name_wrong"
    CONFIRM = "confirm"
    CHANGE_NAME = "change_name"
    CHANGE_NUMBER = "change_number"
    WECHAT = "wechat"
    QQ = "qq"
    FACE = "face"
    NETID = "netid"
    NEW_CODE = "new_code"
    OTHER_METHOD = "other_way"
    TRY_AGAIN = "try_again"
    CHANGE_DATA = "change_data"
    FREED = "freed"
    DISPUTE = "dispute"
    BACK = "back"
    CANCEL = "cancel"


class MessageKind(StrEnum):
    """The kind of a message that is not a plain text."""

    PHOTO = "photo"
    STICKER = "sticker"
    VOICE = "voice"
    CONTACT = "contact"
    LOCATION = "location"
    FILE = "file"
    FORWARDED = "forwarded"
    EDITED = "edited"
    OTHER = "other"


class SideMessage(StrEnum):
    """A kind of message with buttons that is not a step of the dialogue; its buttons work in every state."""

    FAQ = "faq"
    LANGUAGE = "language"
    PRIVACY = "privacy"
    CODE = "code"
    REMINDER = "reminder"


class AttemptRefusal(StrEnum):
    """Why the core refused to open an attempt."""

    QUOTA = "quota"
    VERIFIED = "verified"
    UNAVAILABLE = "unavailable"
    OVER = "over"
    TOO_MANY = "too_many"
    BUSY = "busy"
    UNBOUND = "unbound"
    METHOD_OFF = "method_off"


class Said(Record):
    """The person wrote a text."""

    hidden: ClassVar[frozenset[str]] = frozenset({"text"})

    text: str


class FormSent(Record, kw_only=True):
    """The person sent the private form that a button of this question opened; its name is marked as confidential."""

    question_id: str
    identity: Identity


class Tapped(Record, kw_only=True):
    """The person pressed a button; its data are unchecked, and may be forged, until the machine compares them."""

    choice: str
    question_id: str


class SideTapped(Record, kw_only=True):
    """The person pressed a button of a side message."""

    side: SideMessage
    choice: str
    question_id: str = ""


class Commanded(Record):
    """The person gave a command; `arguments` is the text after it."""

    hidden: ClassVar[frozenset[str]] = frozenset({"arguments"})

    command: Command
    arguments: str = ""


class LinkOpened(Record):
    """The person followed a link, or sent its address as a text.

    The machine never gets this event: the store turns it into `LinkAccepted` or `LinkRejected`.
    """

    hidden: ClassVar[frozenset[str]] = frozenset({"token"})

    token: str


class VerificationRecord(Record):
    """A verified account: by which method and since when (UTC); `simulated`: by a provider that proves nothing."""

    method: Method
    at: datetime
    simulated: bool = False


class LinkAccepted(Record):
    """A link binds the person to an account; it may suggest a method and a language.

    `verified` is set when the account is verified already.
    """

    account: Account
    method: Method | None = None
    language: str | None = None
    verified: VerificationRecord | None = None
    campaign: str = ""


class LinkRejected(Record):
    """A link is not valid for this person; the reason is not given."""


class MethodSuggested(Record):
    """The person followed a link that suggests a method."""

    method: Method


class Sent(Record):
    """The person sent a message that is not a plain text, or not a new one."""

    kind: MessageKind


class Throttled(Record):
    """The person sent too much too fast, and the last updates were dropped."""


class ReaskRequested(Record):
    """The last reply may not have arrived: ask the current question again."""


class ReminderDue(Record):
    """The person stopped a while ago and is reminded of the step."""


class AttemptOpened(Record, kw_only=True):
    """The core opened the attempt; `simulated`: at a provider that proves nothing; `app`: what its pages need."""

    hidden: ClassVar[frozenset[str]] = frozenset({"link"})

    attempt: AttemptId
    link: str
    match_code: str
    expires_at: datetime
    simulated: bool = False
    app: ProviderApp | None = None


class AttemptRefused(Record):
    """The core refused to open the attempt; another one is possible after `until` (UTC)."""

    attempt: AttemptId
    refusal: AttemptRefusal
    until: datetime | None = None


class QuotaChecked(Record):
    """The core was asked whether three other accounts are verified with the number: `is_full`, as far as it says."""

    is_full: bool


class AttemptProgressed(Record):
    """The person reached another stage on the phone page."""

    attempt: AttemptId
    stage: PhoneStage
    expires_at: datetime


class CodeExpiring(Record):
    """The code will soon expire."""

    attempt: AttemptId


class CodeExpired(Record):
    """The code expired, or was ended from outside the dialogue."""

    attempt: AttemptId


class AttemptPassed(Record):
    """The account is verified; `simulated`: by a provider that proves nothing."""

    attempt: AttemptId
    account: Account
    method: Method
    simulated: bool = False


class AttemptFailed(Record):
    """The attempt did not pass."""

    attempt: AttemptId
    reason: Reason


ProgramEvent = (
    ReaskRequested
    | ReminderDue
    | AttemptOpened
    | AttemptRefused
    | QuotaChecked
    | AttemptProgressed
    | CodeExpiring
    | CodeExpired
    | AttemptPassed
    | AttemptFailed
)
"""An event that no person causes."""

Event = (
    Said
    | FormSent
    | Tapped
    | SideTapped
    | Commanded
    | LinkAccepted
    | LinkRejected
    | MethodSuggested
    | Sent
    | Throttled
    | ProgramEvent
)
