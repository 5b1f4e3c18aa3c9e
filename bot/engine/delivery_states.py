"""The states of one person's delivery, and the events that lead from one to another; `delivery` explains them."""

from msgspec.structs import replace

from bot.engine.messages import ReplyContext, Turn
from bot.flow.effects import AskQuestion, EditCaption, Effect, ReplaceCodeWithPicture, ShowCode
from verification.dialogue_store import Lease
from verification.record import Record

ANY_QUESTION = "*"
"""Stands for the id of a question when it is not known which one may stand in the chat."""


class PersonQueue(Record):
    """What every busy state knows: the turns that wait, and what is known of the chat.

    `panel` is None until a turn finds it; `failures` counts the failures in a row.
    """

    waiting: tuple[Turn, ...] = ()
    panel: str | None = None
    maybe_delivered: str | None = None
    failures: int = 0


class Inactive(Record):
    """Nothing is on its way to the person from this process."""


class Busy(Record):
    """The base of all other states."""

    queue: PersonQueue


class Acquiring(Busy):
    """Waiting for the lease, to show this turn."""

    turn: Turn


class Showing(Busy):
    """Showing the first of the remaining effects of this turn."""

    turn: Turn
    remaining: tuple[Effect, ...]

    @property
    def context(self) -> ReplyContext:
        """What the effect is shown with: the panel as the last reply left it, and the mark of a repetition."""
        question = question_id(self.remaining[0])
        repeated = question is not None and self.queue.maybe_delivered in (question, ANY_QUESTION)
        return replace(self.turn.context, panel=self.queue.panel or "", maybe_duplicate=repeated)


class Noting(Busy):
    """Noting in the store that this turn is shown, which also frees the lease."""

    turn: Turn


class Blocking(Busy):
    """Noting in the store that the person blocked the bot, which also frees the lease."""


class BackingOff(Busy):
    """Waiting for so many seconds before the question is asked again."""

    seconds: float


class Reasking(Busy):
    """Committing the turn that asks the question again; only turns that came since then wait."""


class Releasing(Busy):
    """Giving the lease back without a turn to show."""


DeliveryState = Inactive | Acquiring | Showing | Noting | Blocking | BackingOff | Reasking | Releasing


class TurnCommitted(Record):
    """A turn was committed in this process."""

    turn: Turn


class LeaseAcquired(Record):
    """This process may show replies to the person, and learns how far others came."""

    lease: Lease


class LeaseNotNeeded(Record):
    """There are no other processes."""


class LeaseRefused(Record):
    """The dialogue was erased, or its lease was not to be had in time."""


class EffectDone(Record):
    """An effect was carried out, and the panel is now here."""

    panel: str


class SendFailed(Record):
    """A reply is not known to have reached the chat."""

    maybe_delivered: bool


class PersonBlocked(Record):
    """Telegram refused the reply, because the person blocked the bot."""


class OutageBegan(Record):
    """The store is out of reach. What it was asked for may be done."""


class Faulted(Record):
    """Something failed that should not, and that may not pass by itself."""


class StoreUpdated(Record):
    """The store has noted what it was told."""


class PauseEnded(Record):
    """The pause is over."""


class Reasked(Record):
    """The turn that asks the question again was committed."""

    turn: Turn


class NothingOwed(Record):
    """Everything is shown and noted, or the person blocked the bot, or the dialogue was erased."""


DeliveryEvent = (
    TurnCommitted
    | LeaseAcquired
    | LeaseNotNeeded
    | LeaseRefused
    | EffectDone
    | SendFailed
    | PersonBlocked
    | OutageBegan
    | Faulted
    | StoreUpdated
    | PauseEnded
    | Reasked
    | NothingOwed
)


def question_id(effect: Effect) -> str | None:
    """The id of the question that an effect shows, if it shows one."""
    match effect:
        case AskQuestion() | ShowCode() | ReplaceCodeWithPicture() | EditCaption():
            return effect.question_id
        case _:
            return None
