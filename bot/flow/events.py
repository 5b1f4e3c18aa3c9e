"""What happened: a person's words, taps and commands, the core's answers, and its news.

The effects that answer them are in `effects`.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from bot.flow.states import PhoneStage
from verification.attempts import AttemptId, Method, Reason
from verification.ids import Account


class Command(StrEnum):
    """What may be asked at any moment."""

    START = "start"
    STATUS = "status"
    BACK = "back"
    CANCEL = "cancel"
    FAQ = "faq"
    HELP = "help"
    LANGUAGE = "language"
    PRIVACY = "privacy"
    UNKNOWN = "unknown"


class Choice(StrEnum):
    """What a button of a question offers; each may be typed as well."""

    BEGIN = "begin"
    PERSONAL = "personal"
    MINE = "mine"
    NOT_MINE = "not_mine"
    ENTERPRISE = "enterprise"
    OVERSEAS = "overseas"
    AGREE = "agree"
    NOT_NOW = "not_now"
    CONFIRM = "confirm"
    CHANGE_NAME = "change_name"
    CHANGE_NUMBER = "change_number"
    WECHAT = "wechat"
    QQ = "qq"
    FACE = "face"
    NEW_CODE = "new_code"
    OTHER_METHOD = "other_way"
    TRY_AGAIN = "try_again"
    CHANGE_DATA = "change_data"
    BACK = "back"
    CANCEL = "cancel"


class MessageKind(StrEnum):
    """What a person sent that is no plain text."""

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
    """Messages with buttons that are no step of the way: they may be used at any time."""

    FAQ = "faq"
    LANGUAGE = "language"
    PRIVACY = "privacy"


class AttemptRefusal(StrEnum):
    """Why the core did not open an attempt."""

    QUOTA = "quota"
    VERIFIED = "verified"
    UNAVAILABLE = "unavailable"
    OVER = "over"
    TOO_MANY = "too_many"
    BUSY = "busy"
    UNBOUND = "unbound"


@dataclass(frozen=True, slots=True)
class Said:
    """The person wrote a text."""

    text: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tapped:
    """The person pressed a button: whatever its data say, until it is checked against the state."""

    choice: str
    question_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SideTapped:
    """The person pressed a button of a side message."""

    side: SideMessage
    choice: str
    question_id: str = ""


@dataclass(frozen=True, slots=True)
class Commanded:
    """The person gave a command, with what stood behind it."""

    command: Command
    arguments: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class LinkOpened:
    """The person came by a link or wrote one down. Whose it is, the store says: then it is `Invited` or `Uninvited`."""

    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class VerificationRecord:
    """That an account is verified: by which way, since when."""

    method: Method
    at: datetime


@dataclass(frozen=True, slots=True)
class LinkAccepted:
    """A link binds the person to an account; it may suggest a way and a language, and the account may be verified."""

    account: Account
    method: Method | None = None
    language: str | None = None
    verified: VerificationRecord | None = None
    campaign: str = ""


@dataclass(frozen=True, slots=True)
class LinkRejected:
    """A link opens nothing to this person, for whatever reason."""


@dataclass(frozen=True, slots=True)
class MethodSuggested:
    """The person came by a link that suggests a way."""

    method: Method


@dataclass(frozen=True, slots=True)
class Sent:
    """The person sent something that is no text of this moment."""

    kind: MessageKind


@dataclass(frozen=True, slots=True)
class Throttled:
    """The person sent more than anybody can mean, and the last of it was passed over."""


@dataclass(frozen=True, slots=True)
class ReaskRequested:
    """What was last said may never have arrived: say it again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptOpened:
    """The core opened the attempt."""

    attempt: AttemptId
    link: str = field(repr=False)
    match_code: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class AttemptRefused:
    """The core did not open the attempt; `until` says how long it will not."""

    attempt: AttemptId
    refusal: AttemptRefusal
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class AttemptProgressed:
    """The person went on, on the phone."""

    attempt: AttemptId
    stage: PhoneStage
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class CodeExpiring:
    """The code will soon expire."""

    attempt: AttemptId


@dataclass(frozen=True, slots=True)
class CodeExpired:
    """The code expired, or was ended from elsewhere."""

    attempt: AttemptId


@dataclass(frozen=True, slots=True)
class AttemptPassed:
    """The account is verified."""

    attempt: AttemptId
    account: Account
    method: Method


@dataclass(frozen=True, slots=True)
class AttemptFailed:
    """The attempt did not pass."""

    attempt: AttemptId
    reason: Reason


Event = (
    Said
    | Tapped
    | SideTapped
    | Commanded
    | LinkAccepted
    | LinkRejected
    | MethodSuggested
    | Sent
    | Throttled
    | ReaskRequested
    | AttemptOpened
    | AttemptRefused
    | AttemptProgressed
    | CodeExpiring
    | CodeExpired
    | AttemptPassed
    | AttemptFailed
)
