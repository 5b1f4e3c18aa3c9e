"""A journey counts each step once, with the time it took, and nothing about the person."""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from bot.flow import codec, states
from bot.flow.events import (
    AttemptFailed,
    AttemptOpened,
    AttemptPassed,
    AttemptProgressed,
    AttemptRefusal,
    AttemptRefused,
    Choice,
    CodeExpired,
    Command,
    Commanded,
    Event,
    LinkAccepted,
    LinkRejected,
    QuotaChecked,
    ReaskRequested,
    Said,
    SideMessage,
    SideTapped,
    Tapped,
)
from bot.flow.journey import _STEP_OF, Journey, Journeys, JourneyTurn, reminder_increments, update_journeys
from bot.flow.machine import advance
from bot.flow.reminders import Reminders
from bot.flow.rows import Step as Answer
from bot.flow.states import PhoneStage, State
from tests.bot.flow.samples import (
    ACCOUNT,
    LINK,
    NAME,
    ONE_OF_EACH,
    QUESTION_ID,
    SECRETS,
    STATE_KINDS,
    all_quick_steps,
    context_at,
    scanning,
    verified,
)
from tests.fakes import NOON, NUMBER
from verification.attempts import AttemptId, Method, Reason
from verification.ids import Account
from verification.support.funnel import METHOD_STEPS, STEPS, Cohort, FunnelIncrement, FunnelStep, duration_bucket

START = Commanded(Command.START)
MINUTE = duration_bucket(timedelta(minutes=1))
COHORT = Cohort(day=NOON.date(), campaign="", language="zh")


class JourneyFixture:
    """One person's dialogue, one turn a minute, with the increments that it added to the funnel."""

    def __init__(self, state: State | None = None, journeys: Journeys = ()) -> None:
        self.state: State = state or states.Idle(account=ACCOUNT, question_id=QUESTION_ID)
        self.journeys = journeys
        self.turns = 0
        self.all: list[FunnelIncrement] = []

    def take_event(self, event: Event) -> tuple[FunnelIncrement, ...]:
        """Apply an event; give the increments it added."""
        context = context_at(self.turns)
        self.turns += 1
        before, answer = self.state, advance(self.state, event, context)
        self.journeys, increments = update_journeys(
            self.journeys, JourneyTurn(before, event, answer, context.now, "zh")
        )
        self.state = answer.state
        self.all += increments
        return increments

    def go(self, *choices: Choice | str) -> None:
        for each in choices:
            self.take_event(
                Tapped(choice=each, question_id=self.state.question_id) if isinstance(each, Choice) else Said(each)
            )

    def to_the_method(self) -> None:
        self.take_event(START)
        self.go(Choice.PERSONAL, Choice.AGREE, NAME, NUMBER)

    @property
    def attempt(self) -> AttemptId:
        assert isinstance(self.state, states.Attempting)
        return self.state.attempt

    def gets_a_code(self, choice: Choice | None = None) -> AttemptId:
        if choice is not None:
            self.go(choice)
        attempt = self.attempt
        self.take_event(
            AttemptOpened(attempt=attempt, link=LINK, match_code="42", expires_at=NOON + timedelta(hours=1))
        )
        return attempt

    def is_on_the_phone(self, attempt: AttemptId) -> tuple[FunnelIncrement, ...]:
        return self.take_event(AttemptProgressed(attempt, PhoneStage.OPENED, NOON + timedelta(hours=1)))


def counted(increments: Iterable[FunnelIncrement], method: Method | None = None) -> list[FunnelStep]:
    return [increment.step for increment in increments if increment.step is not None and increment.method is method]


def test_a_full_journey_counts_each_step_once_and_from_the_code_on_once_for_its_method() -> None:
    journey = JourneyFixture()

    journey.to_the_method()
    attempt = journey.gets_a_code(Choice.QQ)
    journey.is_on_the_phone(attempt)
    journey.take_event(AttemptPassed(attempt, ACCOUNT, Method.QQ))

    assert counted(journey.all) == list(STEPS)
    assert counted(journey.all, Method.QQ) == list(METHOD_STEPS)
    assert {increment.cohort for increment in journey.all} == {COHORT}


def test_a_duration_is_counted_from_the_step_before() -> None:
    journey = JourneyFixture()

    journey.to_the_method()
    journey.is_on_the_phone(journey.gets_a_code(Choice.WECHAT))

    minutes = {(increment.step, increment.method): increment.bucket for increment in journey.all}
    three = duration_bucket(timedelta(minutes=3))
    assert minutes == {
        (FunnelStep.OPENED, None): None,
        (FunnelStep.STARTED, None): MINUTE,
        (FunnelStep.AGREED, None): MINUTE,
        (FunnelStep.CONFIRMED, None): three,
        (FunnelStep.SHOWN, None): MINUTE,
        (FunnelStep.SHOWN, Method.WECHAT): MINUTE,
        (FunnelStep.PHONE, None): MINUTE,
        (FunnelStep.PHONE, Method.WECHAT): MINUTE,
    }


def test_going_back_and_forth_cancelling_and_renewing_count_nothing_twice() -> None:
    journey = JourneyFixture()
    journey.to_the_method()
    journey.gets_a_code(Choice.QQ)
    before = list(journey.all)

    journey.go(Choice.NEW_CODE)
    journey.gets_a_code()
    journey.take_event(Commanded(Command.CANCEL))
    journey.to_the_method()
    journey.gets_a_code(Choice.QQ)

    assert journey.all == before


def test_a_second_method_is_counted_separately_and_its_code_has_no_duration() -> None:
    journey = JourneyFixture()
    journey.to_the_method()
    journey.gets_a_code(Choice.QQ)
    before = len(journey.all)

    journey.go(Choice.OTHER_METHOD)
    attempt = journey.gets_a_code(Choice.WECHAT)
    journey.is_on_the_phone(attempt)

    assert journey.all[before:] == [
        FunnelIncrement(COHORT, FunnelStep.SHOWN, Method.WECHAT),
        FunnelIncrement(COHORT, FunnelStep.PHONE, bucket=duration_bucket(timedelta(minutes=4))),
        FunnelIncrement(COHORT, FunnelStep.PHONE, Method.WECHAT, bucket=MINUTE),
    ]


def test_a_success_before_the_news_of_the_phone_counts_the_phone_too_without_durations() -> None:
    journey = JourneyFixture()
    journey.to_the_method()
    attempt = journey.gets_a_code(Choice.QQ)

    increments = journey.take_event(AttemptPassed(attempt, ACCOUNT, Method.QQ))

    assert counted(increments) == counted(increments, Method.QQ) == [FunnelStep.PHONE, FunnelStep.VERIFIED]
    assert {increment.bucket for increment in increments} == {None}


def test_a_success_is_counted_once_in_every_state_although_it_is_reported_again() -> None:
    journey = JourneyFixture()
    journey.to_the_method()
    attempt = journey.gets_a_code(Choice.QQ)
    journey.take_event(Commanded(Command.CANCEL))
    # The store holds the quota slot already, and the notice of it has not arrived yet.
    journey.state = replace(verified(Method.QQ), attempt=AttemptId(""))

    first = journey.take_event(AttemptPassed(attempt, ACCOUNT, Method.QQ))
    second = journey.take_event(AttemptPassed(attempt, ACCOUNT, Method.QQ))

    assert FunnelStep.VERIFIED in counted(first)
    assert second == ()


def test_another_account_that_passed_is_not_this_journey() -> None:
    journey = JourneyFixture()
    journey.to_the_method()
    attempt = journey.gets_a_code(Choice.QQ)

    assert journey.take_event(AttemptPassed(attempt, Account("cloud:1"), Method.QQ)) == ()


@pytest.mark.parametrize("event", [START, Said("你好"), ReaskRequested()])
def test_a_verified_person_begins_no_journey(event: Event) -> None:
    assert JourneyFixture(verified()).take_event(event) == ()


def test_an_account_verified_elsewhere_is_not_counted_as_a_success() -> None:
    journey = JourneyFixture()
    journey.to_the_method()
    journey.go(Choice.QQ)

    increments = journey.take_event(AttemptRefused(journey.attempt, AttemptRefusal.VERIFIED))

    assert type(journey.state) is states.Verified
    assert increments == ()


def test_failures_are_counted_every_time_by_reason_and_method() -> None:
    journey = JourneyFixture()
    journey.to_the_method()
    journey.go(Choice.QQ)

    refused = journey.take_event(AttemptRefused(journey.attempt, AttemptRefusal.UNAVAILABLE))
    journey.go(Choice.TRY_AGAIN)
    attempt = journey.gets_a_code()
    failed = journey.take_event(AttemptFailed(attempt, Reason.NO_CARD))
    stale = journey.take_event(AttemptFailed(attempt, Reason.NO_CARD))

    assert refused == (FunnelIncrement(COHORT, None, Method.QQ, Reason.UNAVAILABLE),)
    assert failed == (FunnelIncrement(COHORT, None, Method.QQ, Reason.NO_CARD),)
    assert stale == ()


def test_three_accounts_used_up_are_counted_once_with_the_method_if_one_was_chosen() -> None:
    early, late = JourneyFixture(), JourneyFixture()
    early.to_the_method()
    late.to_the_method()
    late.go(Choice.QQ)

    found = early.take_event(QuotaChecked(is_full=True))
    found_again = early.take_event(QuotaChecked(is_full=True))
    refused = late.take_event(AttemptRefused(late.attempt, AttemptRefusal.QUOTA))

    assert found == (FunnelIncrement(COHORT, None, None, Reason.QUOTA),)
    assert found_again == ()
    assert refused == (FunnelIncrement(COHORT, None, Method.QQ, Reason.QUOTA),)


def test_core_events_begin_no_journey_and_the_next_message_counts_every_step_reached() -> None:
    # As after an update from a release that counted no journeys.
    journey = JourneyFixture(scanning(Method.FACE))

    news = journey.take_event(AttemptProgressed(AttemptId("attempt-current"), PhoneStage.OPENED, NOON))
    word = journey.take_event(Commanded(Command.STATUS))

    assert news == ()
    assert counted(word) == list(STEPS[: STEPS.index(FunnelStep.PHONE) + 1])
    assert {increment.bucket for increment in word} == {None}


def test_a_broken_link_begins_no_journey_and_the_next_message_does() -> None:
    journey = JourneyFixture()

    assert journey.take_event(LinkRejected()) == ()
    assert counted(journey.take_event(Commanded(Command.START))) == [FunnelStep.OPENED]


def test_an_erasure_ends_the_journey_and_the_next_message_begins_another() -> None:
    journey = JourneyFixture()
    journey.to_the_method()

    erased = journey.take_event(
        SideTapped(side=SideMessage.PRIVACY, choice="erase_now", question_id=journey.state.question_id)
    )
    journeys = journey.journeys
    again = journey.take_event(START)

    assert erased == ()
    assert journeys == ()
    assert counted(again) == [FunnelStep.OPENED]


def test_a_journey_is_counted_under_the_day_it_began_in_beijing() -> None:
    start = Answer(states.ChoosingType(account=ACCOUNT, question_id=QUESTION_ID))
    late = datetime(2026, 11, 23, 16, 30, tzinfo=UTC)
    idle = states.Idle(account=ACCOUNT, question_id=QUESTION_ID)

    journeys, [opened] = update_journeys((), JourneyTurn(idle, START, start, late, "en"))
    further = Answer(states.Agreeing(account=ACCOUNT, question_id=QUESTION_ID))
    _, [started] = update_journeys(journeys, JourneyTurn(start.state, START, further, late + timedelta(days=3), "zh"))

    assert (
        opened.cohort
        == started.cohort
        == Cohort(day=datetime(2026, 11, 24, tzinfo=UTC).date(), campaign="", language="en")
    )


def test_a_clock_set_back_gives_no_negative_duration() -> None:
    idle = states.Idle(account=ACCOUNT, question_id=QUESTION_ID)
    type_asked = Answer(states.ChoosingType(account=ACCOUNT, question_id=QUESTION_ID))
    journeys, _ = update_journeys((), JourneyTurn(idle, START, type_asked, NOON, "zh"))

    agreeing = Answer(states.Agreeing(account=ACCOUNT, question_id=QUESTION_ID))
    _, [started] = update_journeys(
        journeys, JourneyTurn(type_asked.state, START, agreeing, NOON - timedelta(hours=1), "zh")
    )

    assert started.bucket == 0


def test_each_account_of_a_person_has_its_own_journey_and_only_the_last_three_are_kept() -> None:
    journeys: Journeys = ()
    begun = []
    for number in (1, 2, 1, 3, 4, 2):
        idle = states.Idle(account=Account(f"cloud:{number}"), question_id=QUESTION_ID)
        journeys, increments = update_journeys(journeys, JourneyTurn(idle, START, Answer(idle), NOON, "zh"))
        begun += [number] * len(increments)

    assert begun == [1, 2, 3, 4, 2]
    assert [journey.account for journey in journeys] == ["cloud:3", "cloud:4", "cloud:2"]


def test_every_state_has_a_funnel_step() -> None:
    assert set(_STEP_OF) == set(STATE_KINDS)


def test_no_event_in_any_state_counts_a_step_twice_or_anything_about_the_person() -> None:
    for state, event, answer in all_quick_steps():
        if state not in ONE_OF_EACH:
            continue
        journeys, first = update_journeys((), JourneyTurn(state, event, answer, NOON, "zh"))
        _, second = update_journeys(journeys, JourneyTurn(state, event, answer, NOON, "zh"))

        steps = Counter(
            (increment.step, increment.method) for increment in (*first, *second) if increment.step is not None
        )
        assert set(steps.values()) <= {1}
        assert not [secret for secret in (*SECRETS, ACCOUNT) if secret in str((first, second))]


def test_journeys_are_saved_with_the_state() -> None:
    journey = JourneyFixture()
    journey.to_the_method()
    journey.gets_a_code(Choice.QQ)

    saved = codec.dump(journey.state, journey.journeys, Method.FACE)

    assert codec.load_all(saved) == codec.SavedDialogue(journey.state, journey.journeys, Method.FACE)
    assert codec.load(saved) == journey.state


def test_a_link_to_another_account_begins_a_journey_under_its_campaign() -> None:
    journey = JourneyFixture()
    journey.to_the_method()
    opened = journey.take_event(LinkAccepted(Account("100012345"), campaign="spring"))
    accepted = journey.take_event(Tapped(choice=Choice.MINE, question_id=journey.state.question_id))
    journey.take_event(LinkAccepted(Account("100099999"), campaign="autumn"))
    back = journey.take_event(Tapped(choice=Choice.NOT_MINE, question_id=journey.state.question_id))

    spring = replace(COHORT, campaign="spring")
    assert [(increment.cohort, increment.step) for increment in opened] == [(spring, FunnelStep.OPENED)]
    assert [(increment.cohort, increment.step) for increment in accepted] == [(spring, FunnelStep.STARTED)]
    assert back == ()


def test_a_link_without_a_campaign_begins_a_journey_under_none() -> None:
    opened = JourneyFixture().take_event(LinkAccepted(Account("100012345")))

    assert [(increment.cohort, increment.step) for increment in opened] == [(COHORT, FunnelStep.OPENED)]


def test_an_expired_code_counts_no_step() -> None:
    journey = JourneyFixture()
    journey.to_the_method()
    attempt = journey.gets_a_code(Choice.QQ)

    assert counted(journey.take_event(CodeExpired(attempt))) == []


AWAITED = Reminders(sent=1, is_awaited=True)


@pytest.mark.parametrize(
    ("before", "after", "steps"),
    [
        (Reminders(), Reminders(), []),
        (Reminders(), AWAITED, [FunnelStep.REMINDED]),
        (AWAITED, Reminders(sent=2, is_awaited=True), [FunnelStep.REMINDED]),
        (AWAITED, AWAITED, []),
        (AWAITED, Reminders(sent=1), [FunnelStep.RETURNED]),
        (Reminders(sent=1), Reminders(sent=1), []),
        (AWAITED, Reminders(), [FunnelStep.RETURNED]),
    ],
)
def test_the_funnel_counts_each_reminder_and_each_return(
    before: Reminders, after: Reminders, steps: list[FunnelStep]
) -> None:
    state = states.Agreeing(account=ACCOUNT, question_id=QUESTION_ID)
    journeys = (Journey(Account("telegram:9"), COHORT), Journey(ACCOUNT, COHORT))

    assert reminder_increments(journeys, state, before, after) == tuple(FunnelIncrement(COHORT, step) for step in steps)
    assert reminder_increments(journeys[:1], state, before, after) == ()
