"""Every state and every event of a delivery, several of each: what the exhaustive test is made of."""

from collections.abc import Sequence
from itertools import product
from typing import get_args

from bot.engine.delivery_rules import RETRY_DELAYS
from bot.engine.delivery_states import (
    ANY_QUESTION,
    Acquiring,
    BackingOff,
    Blocking,
    Busy,
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
    PersonQueue,
    Reasked,
    Reasking,
    Releasing,
    SendFailed,
    Showing,
    StoreUpdated,
    TurnCommitted,
)
from bot.engine.messages import MessageRef, ReplyContext, Turn, TurnKind
from bot.flow.effects import (
    AskQuestion,
    CancelAttempt,
    EditCaption,
    Effect,
    OpenAttempt,
    Picture,
    ReplaceCodeWithPicture,
    SendText,
)
from tests.bot.engine.runner_fixture import ANNA
from verification.attempts import AttemptId, Method
from verification.dialogue_store import Lease
from verification.ids import own_account

QUESTION = AskQuestion(question_id="q", text="type.ask")
TEXT = SendText("misc.help")
EXPIRED = ReplaceCodeWithPicture(question_id="code", picture=Picture.EXPIRED, text="expired.ask", values={}, rows=())
OPENING = OpenAttempt(AttemptId("a"), own_account(ANNA), None, Method.NETID)
CAPTION = EditCaption(question_id="q", text="scan.opened", values={}, rows=())

STATE_KINDS: tuple[type[DeliveryState], ...] = get_args(DeliveryState)
EVENT_KINDS: tuple[type[DeliveryEvent], ...] = get_args(DeliveryEvent)


def turn(
    revision: int = 5,
    *effects: Effect,
    kind: TurnKind = TurnKind.ANSWER,
    previous_unshown: bool = False,
) -> Turn:
    """A turn of Anna's."""
    return Turn(revision, ReplyContext(ANNA, "zh", "panel", MessageRef(), kind=kind), effects, previous_unshown)


TURNS = (
    turn(5),
    turn(5, QUESTION),
    turn(5, TEXT),
    turn(5, TEXT, previous_unshown=True),
    turn(5, previous_unshown=True),
    turn(5, CAPTION, previous_unshown=True),
    turn(5, EXPIRED, QUESTION, previous_unshown=True),
    turn(5, TEXT, OPENING, previous_unshown=True),
    turn(5, QUESTION, CancelAttempt(AttemptId("a"))),
    *(turn(5, QUESTION, kind=kind) for kind in TurnKind),
    *(turn(5, TEXT, kind=kind, previous_unshown=True) for kind in TurnKind),
)
QUEUES = tuple(
    PersonQueue(waiting, "panel of the queue", doubt, failures)
    for waiting, doubt, failures in product(
        ((), (turn(6, TEXT),), (turn(6, QUESTION, kind=TurnKind.RESUME), turn(8))),
        (None, "q", "another", ANY_QUESTION),
        (0, len(RETRY_DELAYS) - 1, len(RETRY_DELAYS) + 3),
    )
)


def _states() -> Sequence[DeliveryState]:
    busy: list[DeliveryState] = [Inactive()]
    for queue in QUEUES:
        busy += (Blocking(queue), BackingOff(queue, 0.5), Reasking(queue), Releasing(queue))
        for one in TURNS:
            busy += (Acquiring(queue, one), Noting(queue, one))
            busy += (Showing(queue, one, one.effects[n:]) for n in range(len(one.effects)))
    return busy


STATES: Sequence[DeliveryState] = _states()
EVENTS: Sequence[DeliveryEvent] = (
    *(TurnCommitted(one) for one in (turn(1, QUESTION), turn(4), turn(7, TEXT), turn(9, kind=TurnKind.RESUME))),
    *(LeaseAcquired(Lease(shown, "panel of the store", held)) for shown in (0, 3, 4, 5, 6) for held in (True, False)),
    LeaseNotNeeded(),
    LeaseRefused(),
    EffectDone("panel of the reply"),
    SendFailed(maybe_delivered=True),
    SendFailed(maybe_delivered=False),
    PersonBlocked(),
    OutageBegan(),
    Faulted(),
    StoreUpdated(),
    PauseEnded(),
    Reasked(turn(7, QUESTION, kind=TurnKind.REASK)),
    NothingOwed(),
)


def waiting(state: DeliveryState) -> tuple[Turn, ...]:
    """The turns that wait in a state."""
    return state.queue.waiting if isinstance(state, Busy) else ()
