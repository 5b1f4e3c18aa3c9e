"""Effects: what a rule wants done.

There are four kinds: replies to the person, facts to store in the same transaction, requests to the core, and counts of
questions. Replies carry text keys and values, never sentences. Only a question that asks the person to check their name
carries it in clear, as `Sensitive`, and never a name from the private form. `events` holds the events that cause them.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from msgspec import field

from bot.flow.events import Choice
from verification.attempts import AttemptId, Method, Reason
from verification.identity import Identity
from verification.ids import Account
from verification.record import Record


class TextKey(Record):
    """A value that is itself the key of a text."""

    key: str


class ClockTime(Record):
    """A time within the next day, shown as hours and minutes."""

    at: datetime


class RemainingTime(Record):
    """A time in the future, shown as the time that remains until then."""

    at: datetime


class Sensitive(Record):
    """A value that no `repr` prints: it is shown only to the person who is asked to check it."""

    hidden: ClassVar[frozenset[str]] = frozenset({"text"})

    text: str


Value = str | TextKey | datetime | ClockTime | RemainingTime | Sensitive
Values = Mapping[str, Value]


class ChoiceButton(Record):
    """A button that answers the question; `is_resting`: its method does not work just now."""

    choice: Choice
    is_resting: bool = False


class TopicButton(Record):
    """A button that opens an FAQ topic in a message of its own; without a topic it opens the list.

    `label` is the key of a label that is shorter than the topic's title.
    """

    topic: str = ""
    label: str | None = None


class LanguagesButton(Record):
    """A button that opens the choice of language."""


class ShowCodeButton(Record):
    """A button that shows the current step again, and so the code; it works in every state."""


class RemindersOffButton(Record):
    """A button against further reminders; it works in every state."""


class UrlButton(Record):
    """A button that opens a web page; `link` is the key under `link.` of its label and address."""

    link: str


class CopyLinkButton(Record):
    """A button that copies the code's address."""

    hidden: ClassVar[frozenset[str]] = frozenset({"link"})

    link: str


class OpenLinkButton(Record):
    """A button that opens the code's address on this device; shown only where the address is public."""

    hidden: ClassVar[frozenset[str]] = frozenset({"link"})

    link: str


class FormButton(Record):
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


class ClosedCode(Record):
    """What a code becomes when it is not valid any more: a picture without buttons, which cannot be scanned."""

    picture: Picture
    text: str
    values: Values


class AskQuestion(Record, kw_only=True):
    """Ask a question, as the panel: the one message that carries the live keyboard.

    It takes the place of the panel whose button was pressed. Otherwise it is a new message, and the panel before it is
    deleted, unless `RecordAnswer` turned it into a record, or it is a code that becomes the `closed_code`. `note` is
    shown above the question. With `keeps_record` the record that stands above the panel goes along. With `is_short` it
    reminds of the whole question, which stands above it.
    """

    question_id: str
    text: str
    values: Values = field(default_factory=dict)
    rows: Rows = ()
    note: str | None = None
    keeps_record: bool = False
    is_short: bool = False
    closed_code: ClosedCode | None = None


class ShowCode(Record, kw_only=True):
    """Show the code to scan, with caption and buttons; `in_place` in the message that shows the code before it."""

    hidden: ClassVar[frozenset[str]] = frozenset({"link"})

    question_id: str
    link: str
    text: str
    values: Values
    rows: Rows
    in_place: bool = False
    note: str | None = None


class EditCaption(Record, kw_only=True):
    """Change the caption under the code; the code stays."""

    question_id: str
    text: str
    values: Values
    rows: Rows


class ReplaceCodeWithPicture(Record, kw_only=True):
    """Ask a question below a picture, `in_place` of the code: one that has expired cannot be scanned then."""

    question_id: str
    picture: Picture
    text: str
    values: Values
    rows: Rows
    in_place: bool = False


class RecordAnswer(Record):
    """Turn the question on the screen into a record of its answer.

    A question that was answered by its button makes way for the next one instead; a record that `stays` is then shown
    above what follows.
    """

    text: str
    values: Values = field(default_factory=dict)
    stays: bool = False


class SendText(Record):
    """Send a text in a message of its own; the panel stays."""

    text: str
    values: Values = field(default_factory=dict)
    rows: Rows = ()


class ShowToast(Record):
    """Answer a pressed button with a short notification at the top of the chat, or with an alert."""

    text: str
    alert: bool = False


class RemoveButtons(Record):
    """Remove the buttons of the message whose button was pressed."""


class ShowChatAction(Record):
    """Show Telegram's chat action, unless the next reply comes at once: the bot is preparing something."""


class ShowFaq(Record):
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


class ShowLanguages(Record):
    """Offer the languages."""


class ShowRecords(Record):
    """Show what is stored about the person; `ask_erase` asks for the confirmation before erasing."""

    question_id: str
    account: Account
    ask_erase: bool = False


class SendExport(Record):
    """Send the person what is stored about them, as a file."""

    account: Account


class EditSideMessage(Record):
    """Replace the side message whose button was pressed by a sentence without buttons."""

    text: str


class DeleteUserMessage(Record):
    """Delete the person's message of this turn from the chat, because it may hold a name or a number.

    `with_panel` deletes the panel in the same call; a question must follow in the turn.
    """

    with_panel: bool = False


LANGUAGES = ("zh", "en")
"""The languages every text is written in."""


class SetLanguage(Record):
    """Store the person's language."""

    language: str


class SetSuggestedMethod(Record):
    """Store the method that a link suggests, next to the state."""

    method: Method


class RecordConsent(Record, kw_only=True):
    """Store that the person agreed, to which text and in which version."""

    kind: str
    version: str


class EraseRecords(Record):
    """Delete what is stored about the person."""

    account: Account


class StopReminders(Record):
    """Store, next to the state, that the person wants no reminders."""


class RecordDispute(Record):
    """Store, without the person, that the end of an attempt is disputed; a second time changes nothing."""

    attempt: AttemptId
    reason: Reason
    method: Method | None


class OpenAttempt(Record):
    """Ask the core to open an attempt; the request is idempotent by the attempt's id."""

    attempt: AttemptId
    account: Account
    identity: Identity | None
    method: Method


class CheckQuota(Record):
    """Ask the core, in the same transaction, whether the number has an account left; `attempt` is an id for that."""

    attempt: AttemptId
    account: Account
    identity: Identity


class CancelAttempt(Record):
    """Cancel the attempt, in the same transaction as the turn."""

    attempt: AttemptId


class CountQuestion(Record):
    """Count a question in the person's own words under the topic that answers it, empty for none.

    `redacted_question` is what may be stored of a question that no topic answers.
    """

    hidden: ClassVar[frozenset[str]] = frozenset({"redacted_question"})

    topic: str
    redacted_question: str | None = None


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
