"""Effects: what a rule wants done.

There are four kinds: replies to the person, facts to store in the same transaction, requests to the core, and counts of
questions. Replies carry text keys and values, never sentences. Only a question that asks the person to check their name
carries it in clear, as `Sensitive`, and never a name from the private form. `events` holds the events that cause them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from bot.flow.events import Choice
from verification.attempts import AttemptId, Method, Reason
from verification.identity import Identity
from verification.ids import Account


@dataclass(frozen=True, slots=True)
class TextKey:
    """A value that is itself the key of a text."""

    key: str


@dataclass(frozen=True, slots=True)
class ClockTime:
    """A time within the next day, shown as hours and minutes."""

    at: datetime


@dataclass(frozen=True, slots=True)
class RemainingTime:
    """A time in the future, shown as the time that remains until then."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Sensitive:
    """A value that no `repr` prints: it is shown only to the person who is asked to check it."""

    text: str = field(repr=False)


Value = str | TextKey | datetime | ClockTime | RemainingTime | Sensitive
Values = Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class ChoiceButton:
    """A button that answers the question; `is_resting`: its method does not work just now."""

    choice: Choice
    is_resting: bool = False


@dataclass(frozen=True, slots=True)
class TopicButton:
    """A button that opens an FAQ topic in a message of its own; without a topic it opens the list.

    `label` is the key of a label that is shorter than the topic's title.
    """

    topic: str = ""
    label: str | None = None


@dataclass(frozen=True, slots=True)
class LanguagesButton:
    """A button that opens the choice of language."""


@dataclass(frozen=True, slots=True)
class ShowCodeButton:
    """A button that shows the current step again, and so the code; it works in every state."""


@dataclass(frozen=True, slots=True)
class RemindersOffButton:
    """A button against further reminders; it works in every state."""


@dataclass(frozen=True, slots=True)
class UrlButton:
    """A button that opens a web page; `link` is the key under `link.` of its label and address."""

    link: str


@dataclass(frozen=True, slots=True)
class CopyLinkButton:
    """A button that copies the code's address."""

    link: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class OpenLinkButton:
    """A button that opens the code's address on this device; shown only where the address is public."""

    link: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class FormButton:
    """A button that opens the private form for this question; shown only where its address is public."""


Button = (
    ChoiceButton
    | TopicButton
    | LanguagesButton
    | ShowCodeButton
    | RemindersOffButton
    | UrlButton
    | CopyLinkButton
    | OpenLinkButton
    | FormButton
)
Rows = tuple[tuple[Button, ...], ...]


class Picture(StrEnum):
    """The picture that replaces a code that is no longer valid."""

    VERIFIED = "verified"
    FAILED = "failed"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class AskQuestion:
    """Ask a question, as the panel: the one message that carries the live keyboard.

    It takes the place of the panel whose button was pressed. Otherwise it is a new message, and the panel before it is
    deleted, unless `RecordAnswer` turned it into a record. `note` is shown above the question. With `keeps_record` the
    record that stands above the panel goes along. With `is_short` it reminds of the whole question, which stands above
    it.
    """

    question_id: str
    text: str
    values: Values = field(default_factory=dict)
    rows: Rows = ()
    note: str | None = None
    keeps_record: bool = False
    is_short: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowCode:
    """Show the code to scan, with caption and buttons; `in_place` in the message that shows the code before it."""

    question_id: str
    link: str = field(repr=False)
    text: str
    values: Values
    rows: Rows
    in_place: bool = False
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EditCaption:
    """Change the caption under the code; the code stays."""

    question_id: str
    text: str
    values: Values
    rows: Rows


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplaceCodeWithPicture:
    """Replace the code by a picture, so that an expired code cannot be scanned; without rows the panel is closed.

    Without `in_place` the picture is a new message.
    """

    question_id: str
    picture: Picture
    text: str
    values: Values = field(default_factory=dict)
    rows: Rows = ()
    in_place: bool = True


@dataclass(frozen=True, slots=True)
class RecordAnswer:
    """Turn the question on the screen into a record of its answer.

    A question that was answered by its button makes way for the next one instead; a record that `stays` is then shown
    above what follows.
    """

    text: str
    values: Values = field(default_factory=dict)
    stays: bool = False


@dataclass(frozen=True, slots=True)
class SendText:
    """Send a text in a message of its own; the panel stays."""

    text: str
    values: Values = field(default_factory=dict)
    rows: Rows = ()


@dataclass(frozen=True, slots=True)
class ShowToast:
    """Answer a pressed button with a short notification at the top of the chat, or with an alert."""

    text: str
    alert: bool = False


@dataclass(frozen=True, slots=True)
class RemoveButtons:
    """Remove the buttons of the message whose button was pressed."""


@dataclass(frozen=True, slots=True)
class ShowChatAction:
    """Show Telegram's chat action, unless the next reply comes at once: the bot is preparing something."""


@dataclass(frozen=True, slots=True)
class ShowFaq:
    """Show a topic, or a page of the list; `in_place` in the FAQ message whose button was pressed.

    `others` are further topics that may answer the question; `unanswered`: no topic does; `unhelpful`: one
    was shown and did not help.
    """

    topic: str = ""
    page: int = 0
    in_place: bool = False
    others: tuple[str, ...] = ()
    unanswered: bool = False
    unhelpful: bool = False


@dataclass(frozen=True, slots=True)
class ShowLanguages:
    """Offer the languages."""


@dataclass(frozen=True, slots=True)
class ShowRecords:
    """Show what is stored about the person; `ask_erase` asks for the confirmation before erasing."""

    question_id: str
    account: Account
    ask_erase: bool = False


@dataclass(frozen=True, slots=True)
class SendExport:
    """Send the person what is stored about them, as a file."""

    account: Account


@dataclass(frozen=True, slots=True)
class EditSideMessage:
    """Replace the side message whose button was pressed by a sentence without buttons."""

    text: str


@dataclass(frozen=True, slots=True)
class DeleteUserMessage:
    """Delete the person's message of this turn from the chat, because it may hold a name or a number.

    `with_panel` deletes the panel in the same call; a question must follow in the turn.
    """

    with_panel: bool = False


LANGUAGES = ("zh", "en")
"""The languages every text is written in."""


@dataclass(frozen=True, slots=True)
class SetLanguage:
    """Store the person's language."""

    language: str


@dataclass(frozen=True, slots=True)
class SetSuggestedMethod:
    """Store the method that a link suggests, next to the state."""

    method: Method


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordConsent:
    """Store that the person agreed, to which text and in which version."""

    kind: str
    version: str


@dataclass(frozen=True, slots=True)
class EraseRecords:
    """Delete what is stored about the person."""

    account: Account


@dataclass(frozen=True, slots=True)
class StopReminders:
    """Store, next to the state, that the person wants no reminders."""


@dataclass(frozen=True, slots=True)
class RecordDispute:
    """Store, without the person, that the end of an attempt is disputed; a second time changes nothing."""

    attempt: AttemptId
    reason: Reason
    method: Method | None


@dataclass(frozen=True, slots=True)
class OpenAttempt:
    """Ask the core to open an attempt; the request is idempotent by the attempt's id."""

    attempt: AttemptId
    account: Account
    identity: Identity | None
    method: Method


@dataclass(frozen=True, slots=True)
class CheckQuota:
    """Ask the core, in the same transaction, whether the number has an account left; `attempt` is an id for that."""

    attempt: AttemptId
    account: Account
    identity: Identity


@dataclass(frozen=True, slots=True)
class CancelAttempt:
    """Cancel the attempt, in the same transaction as the turn."""

    attempt: AttemptId


@dataclass(frozen=True, slots=True)
class CountQuestion:
    """Count a question in the person's own words under the topic that answers it, empty for none.

    `redacted_question` is what may be stored of a question that no topic answers.
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
StoredFact = SetLanguage | SetSuggestedMethod | RecordConsent | RecordDispute | EraseRecords | StopReminders
CoreRequest = OpenAttempt | CheckQuota | CancelAttempt
Effect = Reply | StoredFact | CoreRequest | CountQuestion
