"""The delivery of one person's replies as a state machine: no clock, no input and no output.

Theory of operation
===================

A turn is committed before anything of it is shown. The store keeps two counters for each dialogue: `revision` counts
the committed turns, and `shown` is the last revision whose replies are known to stand in the chat. While `shown` is
behind `revision`, the bot owes the person a reply. There is no outbox: a reply that is lost is not sent again. The
current question is asked in its place, as a turn of its own (docs/decisions/0003 and 0016).

**The states.** Each person who is owed a reply has one state in this process, and each state stands for exactly one
thing that the process does for that person: it asks for the lease, shows one reply, notes the turn as shown, notes that
the person blocked the bot, waits, commits the question anew, or gives the lease back. `delivery_queue` does it and
reports the outcome as an event; `advance` looks the event up in `TRANSITIONS` and gives the next state. `TurnCommitted`
may come in every state; the turn then waits behind the others, in the order of revisions.

**After a failed send.** A reply that fails ends its turn. The process waits, longer each time, drops the turns that
wait (the new question answers for them all), and asks the question again. It goes on until the chat or the store is
back. Only a fault of our own is given up, after `len(RETRY_DELAYS)` tries; the reply stays owed, and the person's next
turn asks the question again.

**After a lost answer.** When Telegram's answer is lost, the question may stand in the chat. The queue's
`maybe_delivered` keeps the id of a question that stands or may stand there while the store does not know it. If a
question with this id is asked again, it says that it comes again, and that it replaces the first one. `ANY_QUESTION` is
in its place when it is not known which question it was. Noting a turn as shown clears it. When the answer of the store
is lost, the reply may be noted already: asking again checks that first, in the same transaction (`NothingOwed`).

**After a crash.** All of these states are lost, and `shown` stays behind. The next start commits a `RESUME` turn for
each such person. Nobody knows how far the crashed process came, so its question always says that it comes again. If the
person writes first, their turn has `previous_unshown`: when it asks nothing itself, the question follows it.

**Between replicas.** One process at a time shows replies to a person, so that they come in order and each turn finds
the panel of the one before. It holds a lease from `Acquiring` on until the turn is noted as shown (the store frees the
lease in the same statement), also while it waits and asks again. If another process has shown as much or more in the
meantime, the turn is dropped. `replicas` says when a lease passes to another process.

**A person who blocked the bot** is owed nothing until they return: the turn ends, and neither it nor the question is
repeated. Turns that wait are still tried, as the person may have returned; Telegram refuses them if not.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from math import inf
from typing import Any, TypeVar

from bot.engine.messages import ReplyContext, Turn, TurnKind
from bot.flow.effects import AskQuestion, EditCaption, Effect, ReplaceCodeWithPicture, ShowCode
from verification.dialogue_store import Lease

RETRY_DELAYS = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
"""Seconds to wait after each failure in a row. A fault of our own is tried once for each of them."""
OUTAGE_PAUSE = 2.0
"""The longest pause in seconds while the store is out of reach: its return is to be noticed soon."""
ANY_QUESTION = "*"
"""Stands for the id of a question when it is not known which one may stand in the chat."""


# States


@dataclass(frozen=True, slots=True)
class PersonQueue:
    """What every busy state knows: the turns that wait, and what is known of the chat.

    `panel` is None until a turn finds it; `failures` counts the failures in a row.
    """

    waiting: tuple[Turn, ...] = ()
    panel: str | None = None
    maybe_delivered: str | None = None
    failures: int = 0


@dataclass(frozen=True, slots=True)
class Idle:
    """Nothing is on its way to the person from this process."""


@dataclass(frozen=True, slots=True)
class Busy:
    """The base of all other states."""

    queue: PersonQueue


@dataclass(frozen=True, slots=True)
class Acquiring(Busy):
    """Waiting for the lease, to show this turn."""

    turn: Turn


@dataclass(frozen=True, slots=True)
class Showing(Busy):
    """Showing the first of the remaining effects of this turn."""

    turn: Turn
    remaining: tuple[Effect, ...]

    @property
    def context(self) -> ReplyContext:
        """What the effect is shown with: the panel as the last reply left it, and the mark of a repetition."""
        question = _question_id(self.remaining[0])
        repeated = question is not None and self.queue.maybe_delivered in (question, ANY_QUESTION)
        return replace(self.turn.context, panel=self.queue.panel or "", maybe_duplicate=repeated)


@dataclass(frozen=True, slots=True)
class Noting(Busy):
    """Noting in the store that this turn is shown, which also frees the lease."""

    turn: Turn


@dataclass(frozen=True, slots=True)
class Blocking(Busy):
    """Noting in the store that the person blocked the bot, which also frees the lease."""


@dataclass(frozen=True, slots=True)
class BackingOff(Busy):
    """Waiting for so many seconds before the question is asked again."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Reasking(Busy):
    """Committing the turn that asks the question again; only turns that came since then wait."""


@dataclass(frozen=True, slots=True)
class Releasing(Busy):
    """Giving the lease back without a turn to show."""


DeliveryState = Idle | Acquiring | Showing | Noting | Blocking | BackingOff | Reasking | Releasing


# Events


@dataclass(frozen=True, slots=True)
class TurnCommitted:
    """A turn was committed in this process."""

    turn: Turn


@dataclass(frozen=True, slots=True)
class LeaseAcquired:
    """This process may show replies to the person, and learns how far others came."""

    lease: Lease


@dataclass(frozen=True, slots=True)
class LeaseNotNeeded:
    """There are no other processes."""


@dataclass(frozen=True, slots=True)
class LeaseRefused:
    """The dialogue was erased, or its lease was not to be had in time."""


@dataclass(frozen=True, slots=True)
class EffectDone:
    """An effect was carried out, and the panel is now here."""

    panel: str


@dataclass(frozen=True, slots=True)
class SendFailed:
    """A reply is not known to have reached the chat."""

    maybe_delivered: bool


@dataclass(frozen=True, slots=True)
class PersonBlocked:
    """Telegram refused the reply, because the person blocked the bot."""


@dataclass(frozen=True, slots=True)
class OutageBegan:
    """The store is out of reach. What it was asked for may be done."""


@dataclass(frozen=True, slots=True)
class Faulted:
    """Something failed that should not, and that may not pass by itself."""


@dataclass(frozen=True, slots=True)
class StoreUpdated:
    """The store has noted what it was told."""


@dataclass(frozen=True, slots=True)
class PauseEnded:
    """The pause is over."""


@dataclass(frozen=True, slots=True)
class Reasked:
    """The turn that asks the question again was committed."""

    turn: Turn


@dataclass(frozen=True, slots=True)
class NothingOwed:
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


# Rules

B = TypeVar("B", bound=Busy)


def _started(_: Idle, event: TurnCommitted) -> DeliveryState:
    return _next_turn(PersonQueue((event.turn,)))


def _queued(state: B, event: TurnCommitted) -> B:
    # Revisions begin again after an erasure: the turns that wait belong to a dialogue that is gone.
    before = () if event.turn.revision == 1 else state.queue.waiting
    waiting = sorted((*before, event.turn), key=lambda turn: turn.revision)
    return replace(state, queue=replace(state.queue, waiting=tuple(waiting)))


def _lease_acquired(state: Acquiring, event: LeaseAcquired) -> DeliveryState:
    lease, turn, queue = event.lease, state.turn, state.queue
    if lease.shown >= turn.revision:
        return Releasing(queue)
    # What this process showed while it held the lease is newer than what the store knows.
    panel = queue.panel if lease.already_held and queue.panel is not None else lease.panel
    turn = replace(turn, previous_unshown=lease.shown < turn.revision - 1)
    return _show(replace(queue, panel=panel), turn, turn.effects)


def _lease_not_needed(state: Acquiring, _: LeaseNotNeeded) -> DeliveryState:
    turn, queue = state.turn, state.queue
    panel = turn.context.panel if queue.panel is None else queue.panel
    return _show(replace(queue, panel=panel), turn, turn.effects)


def _lease_refused(state: Acquiring, _: LeaseRefused) -> DeliveryState:
    return Releasing(state.queue)


def _effect_done(state: Showing, event: EffectDone) -> DeliveryState:
    return _show(replace(_doubted(state), panel=event.panel), state.turn, state.remaining[1:])


def _send_failed(state: Showing, event: SendFailed) -> DeliveryState:
    return _pause(_doubted(state) if event.maybe_delivered else state.queue)


def _person_blocked(state: Showing, _: PersonBlocked) -> DeliveryState:
    # The panel stays in their chat; on their return the next question takes it away.
    return Blocking(state.queue)


def _outage_began(state: Busy, _: OutageBegan) -> DeliveryState:
    return _pause(_doubted(state), OUTAGE_PAUSE)


def _faulted(state: Busy, _: Faulted) -> DeliveryState:
    queue = _doubted(state)
    if queue.failures + 1 < len(RETRY_DELAYS):
        return _pause(queue)
    match queue.waiting:
        case (first, *others):
            # The lost reply is still owed: the next turn brings the question back.
            queue = replace(queue, waiting=(replace(first, previous_unshown=True), *others))
    return Releasing(queue)


def _settled(state: Noting | Reasking, _: StoreUpdated | NothingOwed) -> DeliveryState:
    return _next_turn(replace(state.queue, maybe_delivered=None, failures=0))


def _left(state: Blocking | Releasing, _: StoreUpdated | OutageBegan | Faulted) -> DeliveryState:
    return _next_turn(replace(state.queue, failures=0))


def _pause_ended(state: BackingOff, _: PauseEnded) -> DeliveryState:
    return _reask(state.queue)


def _reasked(state: Reasking, event: Reasked) -> DeliveryState:
    newer = (turn for turn in state.queue.waiting if turn.revision > event.turn.revision)
    return _next_turn(replace(state.queue, waiting=(event.turn, *newer)))


def _show(queue: PersonQueue, turn: Turn, remaining: tuple[Effect, ...]) -> DeliveryState:
    """Go on with a turn: its next effect, or what follows its last one."""
    if remaining:
        return Showing(queue, turn, remaining)
    if turn.previous_unshown and not turn.context.kind.asks_again and not _has_question(turn):
        # Not noted as shown: the turn before it would pass for shown, too.
        return _reask(replace(queue, maybe_delivered=ANY_QUESTION, failures=0))
    return Noting(queue, turn)


def _next_turn(queue: PersonQueue) -> DeliveryState:
    if not queue.waiting:
        return Idle()
    turn, *others = queue.waiting
    return Acquiring(replace(_resumed(queue, turn), waiting=tuple(others)), turn)


def _reask(queue: PersonQueue) -> Reasking:
    return Reasking(replace(_resumed(queue, *queue.waiting), waiting=()))


def _resumed(queue: PersonQueue, *turns: Turn) -> PersonQueue:
    """The queue as it is once one of these turns, or a question in its place, is shown."""
    resumed = any(turn.context.kind is TurnKind.RESUME for turn in turns)
    return replace(queue, maybe_delivered=ANY_QUESTION) if resumed else queue


def _pause(queue: PersonQueue, longest: float = inf) -> BackingOff:
    seconds = RETRY_DELAYS[min(queue.failures, len(RETRY_DELAYS) - 1)]
    return BackingOff(replace(queue, failures=queue.failures + 1), min(seconds, longest))


def _doubted(state: Busy) -> PersonQueue:
    """The queue as it is if the thing at hand is done, and the store does not know."""
    match state:
        case Showing(queue, _, (effect, *_)) if (question := _question_id(effect)) is not None:
            return replace(queue, maybe_delivered=question)
        case Noting(queue):
            return replace(queue, maybe_delivered=ANY_QUESTION)
        case _:
            return state.queue


def _question_id(effect: Effect) -> str | None:
    match effect:
        case AskQuestion() | ShowCode() | ReplaceCodeWithPicture() | EditCaption():
            return effect.question_id
        case _:
            return None


def _has_question(turn: Turn) -> bool:
    return any(isinstance(effect, AskQuestion | ShowCode | ReplaceCodeWithPicture) for effect in turn.effects)


# The table


@dataclass(frozen=True, slots=True)
class Transition:
    """One line of the table: in this state, this event leads to one of these states by this rule."""

    state: type[DeliveryState]
    event: type[DeliveryEvent]
    rule: Callable[[Any, Any], DeliveryState]
    targets: tuple[type[DeliveryState], ...]


S = TypeVar("S", bound=DeliveryState)
E = TypeVar("E", bound=DeliveryEvent)


def _on(state: type[S], event: type[E], rule: Callable[[S, E], DeliveryState], *to: type[DeliveryState]) -> Transition:
    return Transition(state, event, rule, to)


TRANSITIONS: tuple[Transition, ...] = (
    _on(Idle, TurnCommitted, _started, Acquiring),
    # Asking for the lease
    _on(Acquiring, TurnCommitted, _queued, Acquiring),
    _on(Acquiring, LeaseAcquired, _lease_acquired, Showing, Noting, Reasking, Releasing),
    _on(Acquiring, LeaseNotNeeded, _lease_not_needed, Showing, Noting, Reasking),
    _on(Acquiring, LeaseRefused, _lease_refused, Releasing),
    _on(Acquiring, OutageBegan, _outage_began, BackingOff),
    _on(Acquiring, Faulted, _faulted, BackingOff, Releasing),
    # Showing the replies of a turn
    _on(Showing, TurnCommitted, _queued, Showing),
    _on(Showing, EffectDone, _effect_done, Showing, Noting, Reasking),
    _on(Showing, SendFailed, _send_failed, BackingOff),
    _on(Showing, PersonBlocked, _person_blocked, Blocking),
    _on(Showing, OutageBegan, _outage_began, BackingOff),
    _on(Showing, Faulted, _faulted, BackingOff, Releasing),
    # Telling the store what came of it
    _on(Noting, TurnCommitted, _queued, Noting),
    _on(Noting, StoreUpdated, _settled, Acquiring, Idle),
    _on(Noting, OutageBegan, _outage_began, BackingOff),
    _on(Noting, Faulted, _faulted, BackingOff, Releasing),
    _on(Blocking, TurnCommitted, _queued, Blocking),
    _on(Blocking, StoreUpdated, _left, Acquiring, Idle),
    _on(Blocking, OutageBegan, _outage_began, BackingOff),
    _on(Blocking, Faulted, _faulted, BackingOff, Releasing),
    # Asking the question in place of what was lost
    _on(BackingOff, TurnCommitted, _queued, BackingOff),
    _on(BackingOff, PauseEnded, _pause_ended, Reasking),
    _on(Reasking, TurnCommitted, _queued, Reasking),
    _on(Reasking, Reasked, _reasked, Acquiring),
    _on(Reasking, NothingOwed, _settled, Acquiring, Idle),
    _on(Reasking, OutageBegan, _outage_began, BackingOff),
    _on(Reasking, Faulted, _faulted, BackingOff, Releasing),
    # Giving the lease back; if that fails, other processes take it after a while
    _on(Releasing, TurnCommitted, _queued, Releasing),
    _on(Releasing, StoreUpdated, _left, Acquiring, Idle),
    _on(Releasing, OutageBegan, _left, Acquiring, Idle),
    _on(Releasing, Faulted, _left, Acquiring, Idle),
)

IMPOSSIBLE: Mapping[type[DeliveryEvent], str] = {
    LeaseAcquired: "only Acquiring asks for the lease",
    LeaseNotNeeded: "only Acquiring asks for the lease",
    LeaseRefused: "only Acquiring asks for the lease",
    EffectDone: "only Showing carries out effects",
    SendFailed: "only Showing sends",
    PersonBlocked: "only Showing sends",
    OutageBegan: "Idle does nothing, and BackingOff only waits",
    Faulted: "Idle does nothing, and BackingOff only waits",
    StoreUpdated: "only Noting, Blocking and Releasing tell the store something",
    PauseEnded: "only BackingOff waits",
    Reasked: "only Reasking commits the question",
    NothingOwed: "only Reasking looks for what is owed",
}
"""Why an event without a row in a state cannot happen there."""

_ROWS = {(row.state, row.event): row for row in TRANSITIONS}


class ImpossibleEvent(Exception):
    """An event came in a state in which nothing can cause it."""


def advance(state: DeliveryState, event: DeliveryEvent) -> DeliveryState:
    """The state after an event: the table's rule, or `ImpossibleEvent`."""
    row = _ROWS.get((type(state), type(event)))
    if row is None:
        raise ImpossibleEvent(f"{type(event).__name__} in {type(state).__name__}: {IMPOSSIBLE[type(event)]}")
    return row.rule(state, event)
