"""How far people come: what a turn adds to a person's journeys, and what of it is counted.

A journey is one person's way with one account, from their first word until it is verified; the next word after that
begins none. It goes on after whatever they cancel, fail or leave, and only ever forward: a step that is reached before
the one before it counts that one too. What is counted says when, why and in which language it began, never whose it is.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from bot.flow import events, states
from bot.flow.effects import EraseRecords
from bot.flow.events import Event
from bot.flow.rows import Step as Answer
from bot.flow.states import State
from verification.attempts import Method
from verification.ids import Account
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
"""How many journeys of one person go on side by side; an older one is over."""


@dataclass(frozen=True, slots=True)
class Milestone:
    """The furthest step, and when it was reached."""

    step: FunnelStep
    at: datetime


@dataclass(frozen=True, slots=True)
class Journey:
    """How far a person has come with an account: all in all, and by each way they tried."""

    account: Account
    cohort: Cohort
    reached: Milestone | None = None
    by_method: Mapping[Method, Milestone] = field(default_factory=dict)


Journeys = tuple[Journey, ...]
"""A person's journeys, one an account, the last one last."""


@dataclass(frozen=True, slots=True)
class JourneyTurn:
    """A turn as a journey sees it: where it began, what happened, what came of it, when, in which language."""

    before: State
    event: Event
    answer: Answer
    now: datetime
    language: str


_CORE_EVENTS = (
    events.ReaskRequested
    | events.AttemptOpened
    | events.AttemptRefused
    | events.AttemptProgressed
    | events.CodeExpiring
    | events.CodeExpired
    | events.AttemptPassed
    | events.AttemptFailed
)
"""What no person says or does: no journey begins with it."""

_STEP_OF: Mapping[type[State], FunnelStep] = {
    states.Idle: FunnelStep.OPENED,
    states.ChoosingType: FunnelStep.OPENED,
    states.ReadingEnterprise: FunnelStep.OPENED,
    states.ReadingOverseas: FunnelStep.OPENED,
    states.ReadingInvitation: FunnelStep.OPENED,
    states.Agreeing: FunnelStep.STARTED,
    states.AskingName: FunnelStep.AGREED,
    states.AskingNumber: FunnelStep.AGREED,
    states.ChangingName: FunnelStep.AGREED,
    states.ChangingNumber: FunnelStep.AGREED,
    states.Confirming: FunnelStep.AGREED,
    states.ChoosingMethod: FunnelStep.CONFIRMED,
    states.AgreeingFace: FunnelStep.CONFIRMED,
    states.Opening: FunnelStep.CONFIRMED,
    states.Scanning: FunnelStep.SHOWN,
    states.Expired: FunnelStep.SHOWN,
    # It may have failed before there was a code.
    states.Failed: FunnelStep.CONFIRMED,
    # Not every account that is verified was verified on this journey.
    states.Verified: FunnelStep.OPENED,
}


def update_journeys(journeys: Journeys, turn: JourneyTurn) -> tuple[Journeys, tuple[FunnelIncrement, ...]]:
    """The journeys after a turn, and what it adds to the funnel."""
    if any(isinstance(effect, EraseRecords) for effect in turn.answer.effects):
        return (), ()
    account = _account(turn)
    journey = next((one for one in journeys if one.account == account), None) or _new_journey(account, turn)
    if journey is None:
        return journeys, ()
    step, method = _step(turn)
    tallies = (*_steps(journey, step, method, turn.now), *_failure(journey, turn))
    after = _advance(journey, step, method, turn.now)
    others = tuple(one for one in journeys if one.account != account)
    return (*others, after)[-_MAX_JOURNEYS:], tallies


def _account(turn: JourneyTurn) -> Account:
    match turn.event:
        case events.AttemptPassed(account=account):
            return account
        case _:
            return turn.answer.state.account


def _new_journey(account: Account, turn: JourneyTurn) -> Journey | None:
    if isinstance(turn.event, _CORE_EVENTS) or isinstance(turn.answer.state, states.Verified):
        return None
    campaign = turn.event.campaign if isinstance(turn.event, events.LinkAccepted) else ""
    return Journey(account, Cohort(day=beijing_day(turn.now), campaign=campaign, language=turn.language))


def _step(turn: JourneyTurn) -> tuple[FunnelStep, Method | None]:
    """How far a turn shows its person to be, and from the code on by which way."""
    match turn.event, turn.answer.state:
        case events.AttemptPassed(method=method), _:
            return FunnelStep.VERIFIED, method
        case _, states.Scanning(method=method, stage=stage):
            return FunnelStep.SHOWN if stage is states.PhoneStage.WAITING else FunnelStep.PHONE, method
        case _, state:
            return _STEP_OF[type(state)], None


def _steps(journey: Journey, step: FunnelStep, method: Method | None, now: datetime) -> Iterator[FunnelIncrement]:
    yield from _new_tallies(journey.cohort, None, journey.reached, step, now)
    if method is not None:
        yield from _new_tallies(journey.cohort, method, _timed_from(journey, method), step, now)


def _timed_from(journey: Journey, method: Method) -> Milestone | None:
    """From where a way is timed: its own last step; the first way tried also from the choice of it."""
    chosen = journey.reached if journey.reached and journey.reached.step is FunnelStep.CONFIRMED else None
    return journey.by_method.get(method, chosen)


def _new_tallies(
    cohort: Cohort, method: Method | None, since: Milestone | None, step: FunnelStep, now: datetime
) -> Iterator[FunnelIncrement]:
    first = 0 if since is None else _order(since.step) + 1
    new = [each for each in STEPS[first : _order(step) + 1] if method is None or each in METHOD_STEPS]
    for each in new:
        # Of steps that were passed over nobody knows how long they took.
        took = duration_bucket(now - since.at) if since is not None and len(new) == 1 else None
        yield FunnelIncrement(cohort, each, method, bucket=took)


def _failure(journey: Journey, turn: JourneyTurn) -> Iterator[FunnelIncrement]:
    match turn.before, turn.event, turn.answer.state:
        case states.Failed(), _, _:
            return
        case _, events.AttemptFailed() | events.AttemptRefused(), states.Failed(method=method, reason=reason):
            yield FunnelIncrement(journey.cohort, None, method, reason)


def _advance(journey: Journey, step: FunnelStep, method: Method | None, now: datetime) -> Journey:
    ways = journey.by_method
    if method is not None:
        ways = {**ways, method: _furthest(ways.get(method), step, now)}
    return replace(journey, reached=_furthest(journey.reached, step, now), by_method=ways)


def _furthest(reached: Milestone | None, step: FunnelStep, now: datetime) -> Milestone:
    return reached if reached is not None and _order(reached.step) >= _order(step) else Milestone(step, now)


def _order(step: FunnelStep) -> int:
    return STEPS.index(step)
