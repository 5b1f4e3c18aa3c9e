"""What a rule wants done: replies to the person, facts to keep in the same transaction, requests to the core.

Replies carry text keys and values, never sentences and never a name or number in clear. The events that cause them
are in `events`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from bot.flow.events import Choice
from verification.attempts import AttemptId, Method
from verification.identity import Identity
from verification.ids import Account


@dataclass(frozen=True, slots=True)
class TextKey:
    """A value that is itself a text."""

    key: str


@dataclass(frozen=True, slots=True)
class ClockTime:
    """A value that is a moment of today, shown as the hour."""

    at: datetime


@dataclass(frozen=True, slots=True)
class RemainingTime:
    """A value that is a moment to come, shown as the time that is left."""

    at: datetime


Value = str | TextKey | datetime | ClockTime | RemainingTime
Values = Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class ChoiceButton:
    """A button that answers the question."""

    choice: Choice


@dataclass(frozen=True, slots=True)
class TopicButton:
    """A button that opens an FAQ topic beside the question; without one, the list."""

    topic: str = ""


@dataclass(frozen=True, slots=True)
class LanguagesButton:
    """A button that opens the choice of language."""


@dataclass(frozen=True, slots=True)
class UrlButton:
    """A button that opens a page: a key under `link.`, with label and address."""

    link: str


@dataclass(frozen=True, slots=True)
class CopyLinkButton:
    """A button that copies the code's address."""

    link: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class OpenLinkButton:
    """A button that opens the code's address on this device; shown only where the address is public."""

    link: str = field(repr=False)


Button = ChoiceButton | TopicButton | LanguagesButton | UrlButton | CopyLinkButton | OpenLinkButton
Rows = tuple[tuple[Button, ...], ...]


class Picture(StrEnum):
    """A picture that takes the place of a code that is no longer good."""

    VERIFIED = "verified"
    FAILED = "failed"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class AskQuestion:
    """Put a question: the one message with live buttons. The one before it vanishes, unless it was settled.

    `note` is said above the question. One without rows waits for a text: `placeholder` stands in the input field.
    """

    question_id: str
    text: str
    values: Values = field(default_factory=dict)
    rows: Rows = ()
    note: str | None = None
    placeholder: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowCode:
    """Show the code to scan, with its caption and buttons; `in_place` in the message that showed the last one."""

    question_id: str
    link: str = field(repr=False)
    text: str
    values: Values
    rows: Rows
    in_place: bool = False
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EditCaption:
    """Change what stands under the code on the screen; the code stays."""

    question_id: str
    text: str
    values: Values
    rows: Rows


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplaceCodeWithPicture:
    """Put a picture in the place of the code, so that nobody scans a dead one; without rows it is settled.

    Not `in_place`, it comes as a new message.
    """

    question_id: str
    picture: Picture
    text: str
    values: Values = field(default_factory=dict)
    rows: Rows = ()
    in_place: bool = True


@dataclass(frozen=True, slots=True)
class RecordAnswer:
    """Turn the question on the screen into a record of its answer."""

    text: str
    values: Values = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SendText:
    """Say something beside the question."""

    text: str
    values: Values = field(default_factory=dict)
    rows: Rows = ()


@dataclass(frozen=True, slots=True)
class ShowToast:
    """Answer a pressed button with a short word over the chat."""

    text: str
    alert: bool = False


@dataclass(frozen=True, slots=True)
class RemoveButtons:
    """Take the buttons from the message whose button was pressed."""


@dataclass(frozen=True, slots=True)
class ShowChatAction:
    """Show that something is being made."""


@dataclass(frozen=True, slots=True)
class ShowFaq:
    """Show a topic, or a page of the list; `in_place` in the FAQ message whose button was pressed.

    `others` may have been meant too; `missed`: no topic answers what was asked.
    """

    topic: str = ""
    page: int = 0
    in_place: bool = False
    others: tuple[str, ...] = ()
    unanswered: bool = False


@dataclass(frozen=True, slots=True)
class ShowLanguages:
    """Offer the languages."""


@dataclass(frozen=True, slots=True)
class ShowRecords:
    """Show what is kept about the person; `ask_erase` puts the last question before erasing."""

    question_id: str
    account: Account
    ask_erase: bool = False


@dataclass(frozen=True, slots=True)
class SendExport:
    """Send the person what is kept about them, as a file."""

    account: Account


@dataclass(frozen=True, slots=True)
class EditSideMessage:
    """Turn the side message whose button was pressed into a sentence."""

    text: str


@dataclass(frozen=True, slots=True)
class DeleteUserMessage:
    """Delete the person's message of this turn from the chat: it may hold a name or a number."""


LANGUAGES = ("zh", "en")
"""The languages every text is written in."""


@dataclass(frozen=True, slots=True)
class SetLanguage:
    """Keep the person's language."""

    language: str


@dataclass(frozen=True, slots=True)
class SetSuggestedMethod:
    """Remember beside the dialogue which way a link suggests."""

    method: Method


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordConsent:
    """Keep that the person agreed."""

    kind: str
    version: str


@dataclass(frozen=True, slots=True)
class EraseRecords:
    """Delete what is kept about the person."""

    account: Account


@dataclass(frozen=True, slots=True)
class OpenAttempt:
    """Ask the core to open an attempt; asking again with the same id is harmless."""

    attempt: AttemptId
    account: Account
    identity: Identity
    method: Method


@dataclass(frozen=True, slots=True)
class CancelAttempt:
    """End the attempt: it is given up in the same transaction as the turn."""

    attempt: AttemptId


@dataclass(frozen=True, slots=True)
class CountQuestion:
    """Count a question in the person's own words by the topic that answers it, empty for none.

    `kept` is what may be kept of one that nothing answered.
    """

    topic: str
    redacted_question: str | None = field(default=None, repr=False)


Question = AskQuestion | ShowCode | EditCaption | ReplaceCodeWithPicture | RecordAnswer
SideReply = (
    SendText
    | ShowToast
    | RemoveButtons
    | ShowChatAction
    | ShowFaq
    | ShowLanguages
    | ShowRecords
    | SendExport
    | EditSideMessage
    | DeleteUserMessage
)
Reply = Question | SideReply
StoredFact = SetLanguage | SetSuggestedMethod | RecordConsent | EraseRecords
CoreRequest = OpenAttempt | CancelAttempt
Effect = Reply | StoredFact | CoreRequest | CountQuestion
