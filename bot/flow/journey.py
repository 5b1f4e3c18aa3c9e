"""How far people come: what a turn adds to a person's journeys, and what of it is counted.

A journey is one person's way with one account, from their first word until it is verified; the next word after that
begins none. It goes on after whatever they cancel, fail or leave, and only ever forward: a step that is reached before
the one before it counts that one too. What is counted says when, why and in which language it began, never whose it is.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from bot.flow import events, states
from bot.flow.effects import Erase
from bot.flow.events import Event
from bot.flow.rows import Step as Answer
from bot.flow.states import State
from verification.attempts import Method
from verification.support.funnel import BY_WAY, STEPS, Cohort, Step, Tally, bucket, day_of

_MOST = 3
"""How many journeys of one person go on side by side; an older one is over."""


@dataclass(frozen=True, slots=True)
class Reached:
    """The furthest step, and when it was reached."""

    step: Step
    at: datetime


@dataclass(frozen=True, slots=True)
class Journey:
    """How far a person has come with an account: all in all, and by each way they tried."""

    account: str
    cohort: Cohort
    reached: Reached | None = None
    ways: Mapping[Method, Reached] = field(default_factory=dict)


Journeys = tuple[Journey, ...]
"""A person's journeys, one an account, the last one last."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A turn as a journey sees it: where it began, what happened, what came of it, when, in which language."""

    before: State
    event: Event
    answer: Answer
    now: datetime
    language: str


_NEWS = (
    events.Resumed
    | events.Opened
    | events.Declined
    | events.Progressed
    | events.Faded
    | events.Lapsed
    | events.Passed
    | events.Rejected
)
"""What no person says or does: no journey begins with it."""

_STEP_OF: Mapping[type[State], Step] = {
    states.Idle: Step.OPENED,
    states.ChoosingType: Step.OPENED,
    states.ReadingEnterprise: Step.OPENED,
    states.ReadingOverseas: Step.OPENED,
    states.ReadingInvitation: Step.OPENED,
    states.Agreeing: Step.STARTED,
    states.AskingName: Step.AGREED,
    states.AskingNumber: Step.AGREED,
    states.ChangingName: Step.AGREED,
    states.ChangingNumber: Step.AGREED,
    states.Confirming: Step.AGREED,
    states.ChoosingMethod: Step.CONFIRMED,
    states.AgreeingFace: Step.CONFIRMED,
    states.Opening: Step.CONFIRMED,
    states.Scanning: Step.SHOWN,
    states.Expired: Step.SHOWN,
    # It may have failed before there was a code.
    states.Failed: Step.CONFIRMED,
    # Not every account that is verified was verified on this journey.
    states.Verified: Step.OPENED,
}


def went(journeys: Journeys, passage: Passage) -> tuple[Journeys, tuple[Tally, ...]]:
    """The journeys after a turn, and what it adds to the funnel."""
    if any(isinstance(effect, Erase) for effect in passage.answer.effects):
        return (), ()
    account = _account(passage)
    journey = next((one for one in journeys if one.account == account), None) or _begun(account, passage)
    if journey is None:
        return journeys, ()
    step, method = _step(passage)
    tallies = (*_steps(journey, step, method, passage.now), *_failure(journey, passage))
    after = _further(journey, step, method, passage.now)
    others = tuple(one for one in journeys if one.account != account)
    return (*others, after)[-_MOST:], tallies


def _account(passage: Passage) -> str:
    match passage.event:
        case events.Passed(account=account):
            return account
        case _:
            return passage.answer.state.account


def _begun(account: str, passage: Passage) -> Journey | None:
    if isinstance(passage.event, _NEWS) or isinstance(passage.answer.state, states.Verified):
        return None
    campaign = passage.event.campaign if isinstance(passage.event, events.Invited) else ""
    return Journey(account, Cohort(day_of(passage.now), campaign, passage.language))


def _step(passage: Passage) -> tuple[Step, Method | None]:
    """How far a turn shows its person to be, and from the code on by which way."""
    match passage.event, passage.answer.state:
        case events.Passed(method=method), _:
            return Step.VERIFIED, method
        case _, states.Scanning(method=method, stage=stage):
            return Step.SHOWN if stage is states.Stage.WAITING else Step.PHONE, method
        case _, state:
            return _STEP_OF[type(state)], None


def _steps(journey: Journey, step: Step, method: Method | None, now: datetime) -> Iterator[Tally]:
    yield from _new(journey.cohort, None, journey.reached, step, now)
    if method is not None:
        yield from _new(journey.cohort, method, _since(journey, method), step, now)


def _since(journey: Journey, method: Method) -> Reached | None:
    """From where a way is timed: its own last step; the first way tried also from the choice of it."""
    chosen = journey.reached if journey.reached and journey.reached.step is Step.CONFIRMED else None
    return journey.ways.get(method, chosen)


def _new(cohort: Cohort, method: Method | None, since: Reached | None, step: Step, now: datetime) -> Iterator[Tally]:
    first = 0 if since is None else _order(since.step) + 1
    new = [each for each in STEPS[first : _order(step) + 1] if method is None or each in BY_WAY]
    for each in new:
        # Of steps that were passed over nobody knows how long they took.
        took = bucket(now - since.at) if since is not None and len(new) == 1 else None
        yield Tally(cohort, each, method, took=took)


def _failure(journey: Journey, passage: Passage) -> Iterator[Tally]:
    match passage.before, passage.event, passage.answer.state:
        case states.Failed(), _, _:
            return
        case _, events.Rejected() | events.Declined(), states.Failed(method=method, reason=reason):
            yield Tally(journey.cohort, None, method, reason)


def _further(journey: Journey, step: Step, method: Method | None, now: datetime) -> Journey:
    ways = journey.ways
    if method is not None:
        ways = {**ways, method: _furthest(ways.get(method), step, now)}
    return replace(journey, reached=_furthest(journey.reached, step, now), ways=ways)


def _furthest(reached: Reached | None, step: Step, now: datetime) -> Reached:
    return reached if reached is not None and _order(reached.step) >= _order(step) else Reached(step, now)


def _order(step: Step) -> int:
    return STEPS.index(step)
