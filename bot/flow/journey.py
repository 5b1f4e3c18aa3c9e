"""Computes what a turn adds to a person's journeys and to the funnel.

A journey is one person's progress with one account, from their first message until the account is verified; a message
after that begins no new journey. A journey continues after the person cancels, fails or leaves, and it only moves
forward: reaching a step counts every step before it that was not counted yet. An increment of the funnel says when the
journey began, by which campaign and in which language; it never says whose journey it is.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime

from msgspec import field
from msgspec.structs import replace

from bot.flow import events, states
from bot.flow.effects import EraseRecords
from bot.flow.events import Event
from bot.flow.reminders import Reminders
from bot.flow.rows import Step as Answer
from bot.flow.states import State
from verification.attempts import Method, Reason
from verification.ids import Account
from verification.record import Record
from verification.support.funnel import (
    METHOD_STEPS,
    STEPS,
    Cohort,
    FunnelIncrement,
    FunnelStep,
    beijing_day,
    duration_bucket,
)

_MAX_JOURNEYS = 3
"""How many journeys of one person are kept at the same time; the oldest one is dropped."""


class Milestone(Record):
    """The furthest step, and when it was reached (UTC)."""

    step: FunnelStep
    at: datetime


class Journey(Record, rename={"by_method": "ways"}):
    """How far a person has come with an account: in all, and by each method they tried, which is saved as `ways`."""

    account: Account
    cohort: Cohort
    reached: Milestone | None = None
    by_method: Mapping[Method, Milestone] = field(default_factory=dict)


Journeys = tuple[Journey, ...]
"""A person's journeys, one per account, the most recent last."""


class JourneyTurn(Record):
    """What a journey needs of a turn: the state before, the event, the rule's step, the time (UTC) and the language."""

    before: State
    event: Event
    answer: Answer
    now: datetime
    language: str


_BEGIN_NOTHING = events.ProgramEvent | events.LinkRejected
"""No journey begins with one of these events: no person causes them, or a broken link brought the person."""

_STEP_OF: Mapping[type[State], FunnelStep] = {
    states.Idle: FunnelStep.OPENED,
    states.ChoosingType: FunnelStep.OPENED,
    states.ReadingEnterprise: FunnelStep.OPENED,
    states.ReadingOverseas: FunnelStep.OPENED,
    states.ReadingInvitation: FunnelStep.OPENED,
    states.Agreeing: FunnelStep.STARTED,
    states.AskingName: FunnelStep.AGREED,
    states.CheckingName: FunnelStep.AGREED,
    states.AskingNumber: FunnelStep.AGREED,
    states.ChangingName: FunnelStep.AGREED,
    states.ChangingNumber: FunnelStep.AGREED,
    states.Confirming: FunnelStep.AGREED,
    states.AgreeingFace: FunnelStep.CONFIRMED,
    states.Opening: FunnelStep.CONFIRMED,
    states.Scanning: FunnelStep.SHOWN,
    states.Expired: FunnelStep.SHOWN,
    # An attempt may fail before there is a code.
    states.Failed: FunnelStep.CONFIRMED,
    # It is found before a method is chosen, or later.
    states.QuotaFull: FunnelStep.AGREED,
    # The account may have been verified outside this journey.
    states.Verified: FunnelStep.OPENED,
}


def update_journeys(journeys: Journeys, turn: JourneyTurn) -> tuple[Journeys, tuple[FunnelIncrement, ...]]:
    """The journeys after a turn, and the increments that the turn adds to the funnel."""
    if any(isinstance(effect, EraseRecords) for effect in turn.answer.effects):
        return (), ()
    account = _account(turn)
    journey = next((one for one in journeys if one.account == account), None) or _new_journey(account, turn)
    if journey is None:
        return journeys, ()
    step, method = _step(turn)
    increments = (*_steps(journey, step, method, turn.now), *_failure(journey, turn))
    after = _advance(journey, step, method, turn.now)
    others = tuple(one for one in journeys if one.account != account)
    return (*others, after)[-_MAX_JOURNEYS:], increments


def reminder_increments(
    journeys: Journeys, state: State, before: Reminders, after: Reminders
) -> tuple[FunnelIncrement, ...]:
    """What a turn adds to the funnel about reminders: one that was sent, or a person who came back after one."""
    cohort = next((journey.cohort for journey in journeys if journey.account == state.account), None)
    if cohort is None:
        return ()
    if after.sent > before.sent:
        return (FunnelIncrement(cohort, FunnelStep.REMINDED),)
    return (FunnelIncrement(cohort, FunnelStep.RETURNED),) if before.is_awaited and not after.is_awaited else ()


def _account(turn: JourneyTurn) -> Account:
    match turn.event:
        case events.AttemptPassed(account=account):
            return account
        case _:
            return turn.answer.state.account


def _new_journey(account: Account, turn: JourneyTurn) -> Journey | None:
    if isinstance(turn.event, _BEGIN_NOTHING) or isinstance(turn.answer.state, states.Verified):
        return None
    campaign = turn.event.campaign if isinstance(turn.event, events.LinkAccepted) else ""
    return Journey(account, Cohort(day=beijing_day(turn.now), campaign=campaign, language=turn.language))


def _step(turn: JourneyTurn) -> tuple[FunnelStep, Method | None]:
    """The step that a turn proves, and its method from the code onwards."""
    match turn.event, turn.answer.state:
        case events.AttemptPassed(method=method), _:
            return FunnelStep.VERIFIED, method
        case _, states.Scanning(method=method, stage=stage):
            return FunnelStep.SHOWN if stage is states.PhoneStage.WAITING else FunnelStep.PHONE, method
        case _:
            return _STEP_OF[type(turn.answer.state)], None


def _steps(journey: Journey, step: FunnelStep, method: Method | None, now: datetime) -> Iterator[FunnelIncrement]:
    yield from _new_increments(journey.cohort, None, journey.reached, step, now)
    if method is not None:
        yield from _new_increments(journey.cohort, method, _timed_from(journey, method), step, now)


def _timed_from(journey: Journey, method: Method) -> Milestone | None:
    """The milestone from which a method is timed: its own last step, or for the first method the choice of it."""
    chosen = journey.reached if journey.reached and journey.reached.step is FunnelStep.CONFIRMED else None
    return journey.by_method.get(method, chosen)


def _new_increments(
    cohort: Cohort, method: Method | None, since: Milestone | None, step: FunnelStep, now: datetime
) -> Iterator[FunnelIncrement]:
    first = 0 if since is None else _order(since.step) + 1
    new = [each for each in STEPS[first : _order(step) + 1] if method is None or each in METHOD_STEPS]
    for each in new:
        # When several steps are counted at once, the time of each of them is unknown.
        took = duration_bucket(now - since.at) if since is not None and len(new) == 1 else None
        yield FunnelIncrement(cohort, each, method, bucket=took)


def _failure(journey: Journey, turn: JourneyTurn) -> Iterator[FunnelIncrement]:
    match turn.before, turn.event, turn.answer.state:
        case states.Failed() | states.QuotaFull(), _, _:
            return
        case before, events.AttemptFailed() | events.AttemptRefused() | events.QuotaChecked(), states.QuotaFull():
            method = before.method if isinstance(before, states.Attempting) else None
            yield FunnelIncrement(journey.cohort, None, method, Reason.QUOTA)
        case _, events.AttemptFailed() | events.AttemptRefused(), states.Failed(method=method, reason=reason):
            yield FunnelIncrement(journey.cohort, None, method, reason)


def _advance(journey: Journey, step: FunnelStep, method: Method | None, now: datetime) -> Journey:
    by_method = journey.by_method
    if method is not None:
        by_method = {**by_method, method: _furthest(by_method.get(method), step, now)}
    return replace(journey, reached=_furthest(journey.reached, step, now), by_method=by_method)


def _furthest(reached: Milestone | None, step: FunnelStep, now: datetime) -> Milestone:
    return reached if reached is not None and _order(reached.step) >= _order(step) else Milestone(step, now)


def _order(step: FunnelStep) -> int:
    return STEPS.index(step)
