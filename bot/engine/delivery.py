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
back. Only a fault of our own is given up, after a number of tries; the reply stays owed, and the person's next turn
brings the question back.

**After a lost answer.** When Telegram's answer is lost, the question may stand in the chat. The queue's
`maybe_delivered` keeps the id of a question that stands or may stand there while the store does not know it. If a
question with this id is asked again, it says that it comes again, and that it replaces the first one. `ANY_QUESTION` is
in its place when it is not known which question it was. Noting a turn as shown clears it. When the answer of the store
is lost, the reply may be noted already: asking again checks that first, in the same transaction (`NothingOwed`).

**After a crash.** All of these states are lost, and `shown` stays behind. The next start commits a `RESUME` turn for
each such person. Nobody knows how far the crashed process came, so its question always says that it comes again. If the
person writes first, their turn has `previous_unshown`: when it asks nothing itself, the question follows it.

**While a provider opens a session** there is no question to ask again: the code is the question, and it comes with a
turn of its own. Each turn of that time has the session opened, unless this process does so already, and so takes the
place of asking again. The last of them stays owed until the code's turn is committed.

**Between replicas.** One process at a time shows replies to a person, so that they come in order and each turn finds
the panel of the one before. It holds a lease from `Acquiring` on until the turn is noted as shown (the store frees the
lease in the same statement), also while it waits and asks again. If another process has shown as much or more in the
meantime, the turn is dropped. `replicas` says when a lease passes to another process.

**A person who blocked the bot** is owed nothing until they return: the turn ends, and neither it nor the question is
repeated. Turns that wait are still tried, as the person may have returned; Telegram refuses them if not. The first that
gets through brings the question back.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from bot.engine import delivery_rules as rules
from bot.engine.delivery_states import (
    Acquiring,
    BackingOff,
    Blocking,
    DeliveryEvent,
    DeliveryState,
    EffectDone,
    Faulted,
    Inactive,
    LeaseAcquired,
    LeaseNotNeeded,
    LeaseRefused,
    NothingOwed,
    Noting,
    OutageBegan,
    PauseEnded,
    PersonBlocked,
    Reasked,
    Reasking,
    Releasing,
    SendFailed,
    Showing,
    StoreUpdated,
    TurnCommitted,
)
from verification.record import Record


class Transition(Record):
    """One line of the table: in this state, this event leads to one of these states by this rule."""

    state: type[Any]
    event: type[Any]
    rule: Callable[[Any, Any], DeliveryState]
    targets: tuple[type[DeliveryState], ...]


S = TypeVar("S", bound=DeliveryState)
E = TypeVar("E", bound=DeliveryEvent)


def _on(state: type[S], event: type[E], rule: Callable[[S, E], DeliveryState], *to: type[DeliveryState]) -> Transition:
    return Transition(state, event, rule, to)


TRANSITIONS: tuple[Transition, ...] = (
    _on(Inactive, TurnCommitted, rules.started, Acquiring),
    # Asking for the lease
    _on(Acquiring, TurnCommitted, rules.queued, Acquiring),
    _on(Acquiring, LeaseAcquired, rules.lease_acquired, Showing, Noting, Reasking, Releasing),
    _on(Acquiring, LeaseNotNeeded, rules.lease_not_needed, Showing, Noting, Reasking),
    _on(Acquiring, LeaseRefused, rules.lease_refused, Releasing),
    _on(Acquiring, OutageBegan, rules.outage_began, BackingOff),
    _on(Acquiring, Faulted, rules.faulted, BackingOff, Releasing),
    # Showing the replies of a turn
    _on(Showing, TurnCommitted, rules.queued, Showing),
    _on(Showing, EffectDone, rules.effect_done, Showing, Noting, Reasking),
    _on(Showing, SendFailed, rules.send_failed, BackingOff),
    _on(Showing, PersonBlocked, rules.person_blocked, Blocking),
    _on(Showing, OutageBegan, rules.outage_began, BackingOff),
    _on(Showing, Faulted, rules.faulted, BackingOff, Releasing),
    # Telling the store what came of it
    _on(Noting, TurnCommitted, rules.queued, Noting),
    _on(Noting, StoreUpdated, rules.turn_noted, Acquiring, Inactive),
    _on(Noting, OutageBegan, rules.outage_began, BackingOff),
    _on(Noting, Faulted, rules.faulted, BackingOff, Releasing),
    _on(Blocking, TurnCommitted, rules.queued, Blocking),
    _on(Blocking, StoreUpdated, rules.turn_ended, Acquiring, Inactive),
    _on(Blocking, OutageBegan, rules.outage_began, BackingOff),
    _on(Blocking, Faulted, rules.faulted, BackingOff, Releasing),
    # Asking the question in place of what was lost
    _on(BackingOff, TurnCommitted, rules.queued, BackingOff),
    _on(BackingOff, PauseEnded, rules.pause_ended, Reasking),
    _on(Reasking, TurnCommitted, rules.queued, Reasking),
    _on(Reasking, Reasked, rules.reasked, Acquiring),
    _on(Reasking, NothingOwed, rules.nothing_owed, Releasing),
    _on(Reasking, OutageBegan, rules.outage_began, BackingOff),
    _on(Reasking, Faulted, rules.faulted, BackingOff, Releasing),
    # Giving the lease back; if that fails, other processes take it after a while
    _on(Releasing, TurnCommitted, rules.queued, Releasing),
    _on(Releasing, StoreUpdated, rules.turn_ended, Acquiring, Inactive),
    _on(Releasing, OutageBegan, rules.turn_ended, Acquiring, Inactive),
    _on(Releasing, Faulted, rules.turn_ended, Acquiring, Inactive),
)

IMPOSSIBLE: Mapping[type[DeliveryEvent], str] = {
    LeaseAcquired: "only Acquiring asks for the lease",
    LeaseNotNeeded: "only Acquiring asks for the lease",
    LeaseRefused: "only Acquiring asks for the lease",
    EffectDone: "only Showing carries out effects",
    SendFailed: "only Showing sends",
    PersonBlocked: "only Showing sends",
    OutageBegan: "Inactive does nothing, and BackingOff only waits",
    Faulted: "Inactive does nothing, and BackingOff only waits",
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
