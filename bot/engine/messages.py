"""What the parts of the engine pass to each other: an event that comes in, and a committed turn that goes out."""

from enum import Enum, auto

from msgspec import field

from bot.flow.effects import Effect
from bot.flow.events import Event, LinkOpened
from verification.attempts import AttemptId
from verification.dialogue_store import PersonRecords
from verification.ids import Account, FrontEnd, PersonId
from verification.ports import Notice, ProviderSession
from verification.record import Record

FRONT_END = FrontEnd("telegram")
"""This front end, as people's keys name it. What belongs to another one on the same store is left to that one."""


class DeliveryFailed(Exception):
    """A reply is not known to have reached the chat, and it is worth trying again.

    With `maybe_delivered` it may have reached the chat all the same; nobody can find out.
    """

    def __init__(self, reason: str, *, maybe_delivered: bool = False) -> None:
        super().__init__(reason)
        self.maybe_delivered = maybe_delivered


class BotBlocked(Exception):
    """The person has blocked the bot; nothing can be sent to them until they return."""


class TurnKind(Enum):
    """Why a turn is made; two of the kinds reply to the person, and three ask the current question again."""

    ANSWER = auto()
    """It replies to something that the person did."""
    NEWS = auto()
    """The core reports something. It does not show that the person can be written to."""
    RETURN = auto()
    """The person has unblocked the bot."""
    REASK = auto()
    """A reply was lost in this process, and the question is asked in its place."""
    RESUME = auto()
    """A reply may have been lost with a process or in an outage; nobody knows what stands in the chat."""

    @property
    def is_awaited(self) -> bool:
        """Whether the person waits for the reply; what nobody waits for is sent after what somebody does."""
        return self in (TurnKind.ANSWER, TurnKind.RETURN)

    @property
    def asks_again(self) -> bool:
        """Whether the turn repeats the current question; the panel may then be a record already."""
        return self in (TurnKind.RETURN, TurnKind.REASK, TurnKind.RESUME)


class MessageRef(Record):
    """Where an event came from in the chat: the person's message, or the message and the query of a pressed button."""

    message_id: int | None = None
    query_id: str | None = None


class ReplyContext(Record):
    """What a reply is shown with: to whom, in which language, where the panel is, what was pressed, and why.

    With `maybe_duplicate` the same question may stand in the chat already, so the reply says that it comes again.
    """

    person: PersonId
    language: str
    panel: str
    origin: MessageRef
    records: PersonRecords | None = None
    kind: TurnKind = TurnKind.ANSWER
    maybe_duplicate: bool = False


class Turn(Record):
    """A committed turn that is still to be shown.

    With `previous_unshown` the turn before it was not shown, and nobody is showing it. `opening` is the attempt whose
    session the dialogue waits for.
    """

    revision: int
    context: ReplyContext
    effects: tuple[Effect, ...]
    previous_unshown: bool = False
    opening: AttemptId | None = None


class SessionOpened(Record):
    """A provider has opened the session of a reserved attempt; its turn starts the attempt, if it is still wanted."""

    attempt: AttemptId
    account: Account
    session: ProviderSession


class Envelope(Record):
    """An event on its way in: whose it is, what it is, and the id that makes its repetition known.

    The turn of a `notice` settles it, and a notice that was settled before makes no turn. `language` is that of the
    person's client, for people who have not chosen one.
    """

    person: PersonId
    event: Event | LinkOpened | SessionOpened
    event_id: str | None
    origin: MessageRef = field(default_factory=MessageRef)
    language: str | None = None
    kind: TurnKind = TurnKind.ANSWER
    notice: Notice | None = None
