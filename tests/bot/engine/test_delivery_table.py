"""The table of a delivery: every state with every event, and what must hold in each of their steps."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import product
from pathlib import Path

import pytest

from bot.engine.delivery import IMPOSSIBLE, TRANSITIONS, ImpossibleEvent, advance
from bot.engine.delivery_rules import OUTAGE_PAUSE, RETRY_DELAYS
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
from bot.engine.messages import TurnKind
from bot.flow.diagram import event_label
from tests.bot.engine.delivery_samples import (
    EVENT_KINDS,
    EVENTS,
    EXPIRED,
    OPENING,
    QUESTION,
    STATE_KINDS,
    STATES,
    TEXT,
    turn,
    waiting,
)
from tests.each_case import each_case
from verification.dialogue_store import Lease

PAIRS = [(state, event) for state in STATE_KINDS for event in EVENT_KINDS]
ROWS = {(row.state, row.event): row for row in TRANSITIONS}
GIVEN_UP = len(RETRY_DELAYS)


def samples(state: type[DeliveryState], event: type[DeliveryEvent]) -> Iterator[tuple[DeliveryState, DeliveryEvent]]:
    """Every sample of a state with every sample of an event."""
    return product((one for one in STATES if type(one) is state), (one for one in EVENTS if type(one) is event))


@cache
def steps() -> Sequence[tuple[DeliveryState, DeliveryEvent, DeliveryState]]:
    """Every possible step from the samples."""
    pairs = (pair for row in TRANSITIONS for pair in samples(row.state, row.event))
    return tuple((state, event, advance(state, event)) for state, event in pairs)


def queue_of(state: DeliveryState) -> PersonQueue:
    assert isinstance(state, Busy)
    return state.queue


def test_no_two_rows_are_for_the_same_state_and_event() -> None:
    twice = [pair for pair, times in Counter((row.state, row.event) for row in TRANSITIONS).items() if times > 1]

    assert twice == []


@each_case("state, event", PAIRS)
def test_each_state_has_a_row_for_each_event_or_a_reason_why_it_cannot_come(
    state: type[DeliveryState], event: type[DeliveryEvent]
) -> None:
    if (state, event) in ROWS:
        reached = {type(advance(one, other)) for one, other in samples(state, event)}

        assert reached == set(ROWS[state, event].targets)
    else:
        one, other = next(samples(state, event))
        with pytest.raises(ImpossibleEvent, match=re.escape(IMPOSSIBLE[event])):
            advance(one, other)


def test_a_reason_names_just_the_states_that_have_a_row_or_have_none() -> None:
    for event, reason in IMPOSSIBLE.items():
        named = {state for state in STATE_KINDS if state.__name__ in reason}
        possible = {state for state in STATE_KINDS if (state, event) in ROWS}

        assert named in (possible, set(STATE_KINDS) - possible)
    assert set(EVENT_KINDS) - set(IMPOSSIBLE) == {TurnCommitted}


# An owed reply is never forgotten


def test_a_turn_in_hand_is_shown_or_asked_for_again_unless_nothing_can_or_need_be_shown() -> None:
    for state, event, after in steps():
        if isinstance(state, Acquiring | Showing):
            kept = isinstance(after, Acquiring | Showing | Noting) and after.turn.revision == state.turn.revision
            asked_again = isinstance(after, BackingOff | Reasking)
            refused = isinstance(event, PersonBlocked | LeaseRefused | LeaseAcquired)
            given_up = isinstance(event, Faulted) and queue_of(state).failures + 1 >= GIVEN_UP

            assert kept or asked_again or refused or given_up, (state, event, after)


def test_only_what_is_shown_by_another_process_is_dropped_with_a_lease_in_hand() -> None:
    for state, event, after in steps():
        if isinstance(state, Acquiring) and isinstance(event, LeaseAcquired):
            assert isinstance(after, Releasing) == (event.lease.shown >= state.turn.revision)


def test_nothing_is_idle_before_the_store_knows_that_nothing_is_owed_or_the_lease_is_given_up() -> None:
    for state, event, after in steps():
        if isinstance(after, Inactive):
            noted = isinstance(state, Noting | Blocking) and isinstance(event, StoreUpdated)
            assert noted or isinstance(state, Releasing)


def test_what_waits_goes_on_waiting_until_it_is_taken_up_or_the_question_is_asked_in_its_place() -> None:
    for state, event, after in steps():
        erased = isinstance(event, TurnCommitted) and event.turn.revision == 1
        if erased or isinstance(after, Reasking):
            continue
        asked = event.turn.revision if isinstance(event, Reasked) else 0
        taken_up = {after.turn.revision} if isinstance(after, Acquiring | Showing) else set()
        left = {one.revision for one in waiting(state) if one.revision > asked} - taken_up

        assert left <= {one.revision for one in waiting(after)}, (state, event, after)


def test_after_an_erasure_nothing_that_waited_before_is_shown() -> None:
    for state, event, after in steps():
        if isinstance(state, Busy) and isinstance(event, TurnCommitted) and event.turn.revision == 1:
            assert waiting(after) == (event.turn,)


def test_turns_wait_in_the_order_of_their_revisions() -> None:
    for _, _, after in steps():
        revisions = [one.revision for one in waiting(after)]

        assert revisions == sorted(revisions)


@pytest.mark.parametrize(("shown", "unshown"), [(4, False), (3, True), (0, True)])
def test_the_lease_tells_whether_the_turn_before_is_unshown(shown: int, unshown: bool) -> None:
    acquired = advance(Acquiring(PersonQueue(), turn(5, TEXT)), LeaseAcquired(Lease(shown, "", already_held=False)))
    assert isinstance(acquired, Showing)
    after = advance(acquired, EffectDone(""))

    assert acquired.turn.previous_unshown == unshown
    assert isinstance(after, Reasking) == unshown


@pytest.mark.parametrize("kind", TurnKind)
@pytest.mark.parametrize("unshown", [True, False])
@pytest.mark.parametrize("asks", [True, False])
def test_a_turn_behind_an_unshown_one_is_followed_by_the_question_unless_it_asks_it_itself(
    kind: TurnKind, unshown: bool, asks: bool
) -> None:
    made = turn(5, QUESTION if asks else TEXT, kind=kind, previous_unshown=unshown)
    after = advance(Showing(PersonQueue(), made, made.effects), EffectDone(""))

    assert isinstance(after, Reasking) == (unshown and not asks and not kind.asks_again)


def test_a_turn_that_has_a_session_opened_is_followed_by_nothing_because_the_code_is_the_question() -> None:
    made = turn(5, TEXT, OPENING, previous_unshown=True)

    assert isinstance(advance(Showing(PersonQueue(), made, (OPENING,)), EffectDone("")), Noting)


@pytest.mark.parametrize(("event", "target"), [(Faulted(), Releasing), (PersonBlocked(), Blocking)])
def test_after_a_turn_that_ends_unshown_the_next_one_and_only_that_one_brings_the_question_back(
    event: DeliveryEvent, target: type[DeliveryState]
) -> None:
    queue = PersonQueue((turn(6, TEXT), turn(7, TEXT)), failures=GIVEN_UP - 1)
    after = advance(Showing(queue, turn(5, TEXT), (TEXT,)), event)

    assert isinstance(after, target)
    assert [one.previous_unshown for one in waiting(after)] == [True, False]


# A question that may be delivered says that it comes again


def test_a_question_is_marked_when_it_or_any_question_may_stand_in_the_chat_and_nothing_else_is() -> None:
    for state in STATES:
        if isinstance(state, Showing):
            question = getattr(state.remaining[0], "question_id", None)
            doubted = question is not None and state.queue.maybe_delivered in (question, ANY_QUESTION)

            assert state.context.maybe_duplicate == doubted


def test_no_doubt_ends_before_the_turn_is_noted_or_nothing_is_owed() -> None:
    for state, event, after in steps():
        if isinstance(state, Busy) and isinstance(after, Busy) and state.queue.maybe_delivered is not None:
            told = isinstance(event, NothingOwed) or (isinstance(state, Noting) and isinstance(event, StoreUpdated))

            assert told or after.queue.maybe_delivered is not None


def test_a_doubt_ends_when_the_turn_is_noted_or_nothing_is_owed() -> None:
    for state, event, after in steps():
        noted = isinstance(state, Noting) and isinstance(event, StoreUpdated)
        if isinstance(after, Busy) and (noted or isinstance(event, NothingOwed)):
            resumes = isinstance(after, Acquiring) and after.turn.context.kind is TurnKind.RESUME

            assert after.queue.maybe_delivered == (ANY_QUESTION if resumes else None)


def test_a_question_that_stands_or_may_stand_in_the_chat_is_in_doubt_until_it_is_noted() -> None:
    for state, event, after in steps():
        sent = isinstance(event, EffectDone | OutageBegan | Faulted) or event == SendFailed(maybe_delivered=True)
        if isinstance(state, Showing) and sent and state.remaining[0] in (QUESTION, EXPIRED):
            question = getattr(state.remaining[0], "question_id", None)

            assert queue_of(after).maybe_delivered == question or queue_of(after).maybe_delivered == ANY_QUESTION


def test_a_question_that_surely_was_not_sent_is_in_no_new_doubt() -> None:
    for state, event, after in steps():
        if isinstance(state, Showing) and event == SendFailed(maybe_delivered=False):
            before = ANY_QUESTION if state.turn.previous_unshown else queue_of(state).maybe_delivered

            assert queue_of(after).maybe_delivered == before


def test_when_a_turn_is_dropped_after_one_that_was_not_shown_the_older_question_may_be_there() -> None:
    dropped = [
        after
        for state, event, after in steps()
        if isinstance(state, Acquiring) and state.turn.previous_unshown and isinstance(event, OutageBegan | Faulted)
    ]

    assert dropped
    assert {queue_of(after).maybe_delivered for after in dropped} == {ANY_QUESTION}


def test_when_the_store_may_not_have_noted_a_turn_whatever_is_asked_says_so() -> None:
    for state, event, after in steps():
        if isinstance(state, Noting) and isinstance(event, OutageBegan | Faulted):
            assert queue_of(after).maybe_delivered == ANY_QUESTION


def test_what_is_resumed_says_so_and_so_does_what_is_asked_in_its_place() -> None:
    for state, _, after in steps():
        resumed = [one for one in waiting(state) if one.context.kind is TurnKind.RESUME]
        taken_up = isinstance(after, Acquiring) and after.turn in resumed
        replaced = isinstance(after, Reasking) and isinstance(state, BackingOff) and resumed
        if taken_up or replaced:
            assert queue_of(after).maybe_delivered == ANY_QUESTION


# A person who blocked the bot gets nothing


def test_a_refused_turn_is_neither_repeated_nor_replaced_by_the_question() -> None:
    for state, event, after in steps():
        if isinstance(event, PersonBlocked):
            assert isinstance(after, Blocking)
            assert [one.revision for one in waiting(after)] == [one.revision for one in waiting(state)]
        if isinstance(state, Blocking) and isinstance(event, StoreUpdated):
            assert isinstance(after, Acquiring) == bool(waiting(state))
            assert not isinstance(after, Acquiring) or after.turn == waiting(state)[0]


# The lease is released only when nothing is under way


def test_a_lease_is_given_back_only_without_a_turn_in_hand() -> None:
    for state, event, after in steps():
        if isinstance(after, Releasing) and not isinstance(state, Releasing):
            given_up = isinstance(event, Faulted) and queue_of(state).failures + 1 >= GIVEN_UP

            assert given_up or isinstance(event, LeaseAcquired | LeaseRefused | NothingOwed)


def test_whatever_is_shown_is_shown_under_a_lease_or_without_other_processes() -> None:
    for state, event, after in steps():
        if isinstance(after, Showing) and not isinstance(state, Showing):
            assert isinstance(state, Acquiring)
            assert isinstance(event, LeaseAcquired | LeaseNotNeeded)


# The panel and the pauses


@pytest.mark.parametrize(
    ("known", "already_held", "found"),
    [(None, True, "store"), (None, False, "store"), ("queue", True, "queue"), ("queue", False, "store")],
)
def test_the_newest_panel_is_found(known: str | None, already_held: bool, found: str) -> None:
    state = Acquiring(PersonQueue(panel=known), turn(5, QUESTION))
    after = advance(state, LeaseAcquired(Lease(4, "store", already_held)))

    assert isinstance(after, Showing)
    assert after.context.panel == found


@pytest.mark.parametrize(("known", "found"), [(None, "panel"), ("queue", "queue")])
def test_without_other_processes_the_first_turn_knows_the_panel(known: str | None, found: str) -> None:
    after = advance(Acquiring(PersonQueue(panel=known), turn(5, QUESTION)), LeaseNotNeeded())

    assert isinstance(after, Showing)
    assert after.context.panel == found


def test_each_effect_finds_the_panel_as_the_last_one_left_it() -> None:
    made = turn(5, TEXT, QUESTION)
    after = advance(Showing(PersonQueue(panel="old"), made, made.effects), EffectDone("new"))

    assert isinstance(after, Showing)
    assert (after.context.panel, after.remaining) == ("new", (QUESTION,))


@pytest.mark.parametrize("failures", range(GIVEN_UP + 2))
@pytest.mark.parametrize("event", [SendFailed(maybe_delivered=False), OutageBegan(), Faulted()], ids=repr)
def test_pauses_grow_short_ones_while_the_store_is_away_and_only_our_faults_are_given_up(
    failures: int, event: DeliveryEvent
) -> None:
    after = advance(Showing(PersonQueue(failures=failures), turn(5, TEXT), (TEXT,)), event)
    pause = RETRY_DELAYS[min(failures, GIVEN_UP - 1)]
    if event == Faulted() and failures + 1 >= GIVEN_UP:
        assert isinstance(after, Releasing)
    else:
        assert isinstance(after, BackingOff)
        assert after.seconds == (min(pause, OUTAGE_PAUSE) if event == OutageBegan() else pause)
        assert after.queue.failures == failures + 1


def test_failures_in_a_row_are_counted_until_something_succeeds() -> None:
    for state, event, after in steps():
        if not (isinstance(state, Busy) and isinstance(after, Busy)):
            continue
        failed = isinstance(after, BackingOff) and not isinstance(event, TurnCommitted)
        ended = isinstance(event, StoreUpdated) or isinstance(state, Releasing)
        asked = isinstance(after, Reasking) and not isinstance(state, BackingOff | Reasking)
        if not isinstance(event, TurnCommitted) and (ended or asked):
            assert after.queue.failures == 0
        else:
            assert after.queue.failures == state.queue.failures + failed


# The diagram


def mermaid() -> str:
    """The table as a picture, without the rows that stay where they are."""
    ways: dict[tuple[str, str], list[str]] = defaultdict(list)
    for row in TRANSITIONS:
        for target in row.targets:
            if target is not row.state:
                ways[row.state.__name__, target.__name__].append(event_label(row.event))
    drawn = [f"    {source} --> {target}: {', '.join(events)}" for (source, target), events in ways.items()]
    return "\n".join(["stateDiagram-v2", "    [*] --> Inactive", *drawn]) + "\n"


def test_the_decision_page_shows_this_very_table() -> None:
    page = Path(__file__).parents[3] / "docs" / "decisions" / "0016-delivery-is-a-state-machine.md"
    drawing = re.search(r"```mermaid\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)

    assert drawing is not None
    assert drawing[1] == mermaid()


def test_every_state_is_entered_and_left() -> None:
    entered = {target for row in TRANSITIONS for target in row.targets if target is not row.state}
    left = {row.state for row in TRANSITIONS if set(row.targets) - {row.state}}

    assert entered == left == set(STATE_KINDS)


def test_a_pause_ends_only_in_the_question() -> None:
    assert [row.targets for row in TRANSITIONS if row.event is PauseEnded] == [(Reasking,)]
