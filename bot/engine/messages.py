"""What the engine's parts pass to each other: an event on its way in, a committed turn on its way out."""

from dataclasses import dataclass, field

from bot.flow.effects import Effect
from bot.flow.events import Event, LinkOpened
from verification.dialogue_store import PersonRecords
from verification.ids import PersonId


class DeliveryFailed(Exception):
    """A reply did not reach the chat; it is worth trying again. `perhaps` it did all the same, and nobody can know."""

    def __init__(self, reason: str, *, maybe_delivered: bool = False) -> None:
        super().__init__(reason)
        self.maybe_delivered = maybe_delivered


class BotBlocked(Exception):
    """The person cannot be written to until they return."""


@dataclass(frozen=True, slots=True)
class MessageRef:
    """Where an event came from in the chat: the person's message, or the message and query of a pressed button."""

    message_id: int | None = None
    query_id: str | None = None


@dataclass(frozen=True, slots=True)
class ReplyContext:
    """What a reply is shown with: to whom, in which language, where the live question is, what was pressed.

    `again`: the process that showed the last one may have died in between, so the panel may have been settled already.
    `repeated`: the same may stand in the chat already, so it says that it comes again. `unasked`: nobody waits for it.
    """

    person: PersonId
    language: str
    panel: str
    origin: MessageRef
    records: PersonRecords | None = None
    after_crash: bool = False
    maybe_duplicate: bool = False
    proactive: bool = False


@dataclass(frozen=True, slots=True, order=True)
class Turn:
    """A committed turn that is still to be shown; `behind`: so is the one before it, and nobody is at that."""

    revision: int
    context: ReplyContext = field(compare=False)
    effects: tuple[Effect, ...] = field(compare=False)
    previous_unshown: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class Envelope:
    """An event on its way: whose, which, and how its repetition is known.

    `language` is what the person's client speaks, for somebody who has not chosen. `unasked`: it is news, no word of
    the person's, so it does not show that they can be written to, and nobody waits for it.
    """

    person: PersonId
    event: Event | LinkOpened
    event_id: str | None
    origin: MessageRef = field(default_factory=MessageRef)
    language: str | None = None
    proactive: bool = False
