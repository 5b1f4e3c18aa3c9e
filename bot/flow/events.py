"""What happened: a person's words, taps and commands, the core's answers, and its news.

The effects that answer them are in `effects`.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from bot.flow.states import Stage
from verification.attempts import AttemptId, Method, Reason


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
    OTHER_WAY = "other_way"
    TRY_AGAIN = "try_again"
    CHANGE_DATA = "change_data"
    BACK = "back"
    CANCEL = "cancel"


class Kind(StrEnum):
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


class Side(StrEnum):
    """Messages with buttons that are no step of the way: they may be used at any time."""

    FAQ = "faq"
    LANGUAGE = "language"
    PRIVACY = "privacy"


class Refusal(StrEnum):
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


@dataclass(frozen=True, slots=True)
class Tapped:
    """The person pressed a button: whatever its data say, until it is checked against the state."""

    choice: str
    mark: str


@dataclass(frozen=True, slots=True)
class Browsed:
    """The person pressed a button of a side message."""

    side: Side
    choice: str
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Commanded:
    """The person gave a command, with what stood behind it."""

    command: Command
    words: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Linked:
    """The person came by a link or wrote one down. Whose it is, the store says: then it is `Invited` or `Uninvited`."""

    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Standing:
    """That an account is verified: by which way, since when."""

    method: Method
    at: datetime


@dataclass(frozen=True, slots=True)
class Invited:
    """A link binds the person to an account; it may suggest a way and a language, and the account may be verified."""

    account: str
    method: Method | None = None
    language: str | None = None
    standing: Standing | None = None
    campaign: str = ""


@dataclass(frozen=True, slots=True)
class Uninvited:
    """A link opens nothing to this person, for whatever reason."""


@dataclass(frozen=True, slots=True)
class Suggested:
    """The person came by a link that suggests a way."""

    method: Method


@dataclass(frozen=True, slots=True)
class Sent:
    """The person sent something that is no text of this moment."""

    kind: Kind


@dataclass(frozen=True, slots=True)
class Hurried:
    """The person sent more than anybody can mean, and the last of it was passed over."""


@dataclass(frozen=True, slots=True)
class Resumed:
    """What was last said may never have arrived: say it again."""


@dataclass(frozen=True, slots=True)
class Opened:
    """The core opened the attempt."""

    attempt: AttemptId
    link: str = field(repr=False)
    match_code: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Declined:
    """The core did not open the attempt; `until` says how long it will not."""

    attempt: AttemptId
    refusal: Refusal
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Progressed:
    """The person went on, on the phone."""

    attempt: AttemptId
    stage: Stage
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Faded:
    """The code will soon expire."""

    attempt: AttemptId


@dataclass(frozen=True, slots=True)
class Lapsed:
    """The code expired, or was ended from elsewhere."""

    attempt: AttemptId


@dataclass(frozen=True, slots=True)
class Passed:
    """The account is verified."""

    attempt: AttemptId
    account: str
    method: Method


@dataclass(frozen=True, slots=True)
class Rejected:
    """The attempt did not pass."""

    attempt: AttemptId
    reason: Reason


Event = (
    Said
    | Tapped
    | Browsed
    | Commanded
    | Invited
    | Uninvited
    | Suggested
    | Sent
    | Hurried
    | Resumed
    | Opened
    | Declined
    | Progressed
    | Faded
    | Lapsed
    | Passed
    | Rejected
)
