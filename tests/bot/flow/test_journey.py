"""Journeys: each step of a person's way is counted once, with the time it took, and nothing of them."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

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
    ReaskRequested,
    Said,
    SideMessage,
    SideTapped,
    Tapped,
)
from bot.flow.journey import _STEP_OF, Journeys, JourneyTurn, update_journeys
from bot.flow.machine import advance
from bot.flow.rows import Step as Answer
from bot.flow.states import PhoneStage, State
from tests.bot.flow.samples import (
    ACCOUNT,
    EVENTS,
    LINK,
    MARK,
    NAME,
    ONE_OF_EACH,
    SECRETS,
    STATE_KINDS,
    moment,
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
    """Somebody's way through the dialogue, a minute a turn, and what it added to the funnel."""

    def __init__(self, state: State | None = None, journeys: Journeys = ()) -> None:
        self.state: State = state or states.Idle(account=ACCOUNT, question_id=MARK)
        self.journeys = journeys
        self.turns = 0
        self.all: list[FunnelIncrement] = []

    def take_event(self, event: Event) -> tuple[FunnelIncrement, ...]:
        """Let something happen; say what it added."""
        now = moment(self.turns)
        self.turns += 1
        before, answer = self.state, advance(self.state, event, now)
        self.journeys, tallies = update_journeys(self.journeys, JourneyTurn(before, event, answer, now.now, "zh"))
        self.state = answer.state
        self.all += tallies
        return tallies

    def go(self, *choices: Choice | str) -> None:
        for each in choices:
            self.take_event(
                Tapped(choice=each, question_id=self.state.question_id) if isinstance(each, Choice) else Said(each)
            )

    def to_the_method(self) -> None:
        self.take_event(START)
        self.go(Choice.PERSONAL, Choice.AGREE, NAME, NUMBER, Choice.CONFIRM)

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


def counted(tallies: Iterable[FunnelIncrement], method: Method | None = None) -> list[FunnelStep]:
    return [tally.step for tally in tallies if tally.step is not None and tally.method is method]


def test_the_whole_way_counts_each_step_once_and_from_the_code_on_once_by_its_way() -> None:
    way = JourneyFixture()

    way.to_the_method()
    attempt = way.gets_a_code(Choice.QQ)
    way.is_on_the_phone(attempt)
    way.take_event(AttemptPassed(attempt, ACCOUNT, Method.QQ))

    assert counted(way.all) == list(STEPS)
    assert counted(way.all, Method.QQ) == list(METHOD_STEPS)
    assert {tally.cohort for tally in way.all} == {COHORT}


def test_a_time_is_that_since_the_step_before() -> None:
    way = JourneyFixture()

    way.to_the_method()
    way.is_on_the_phone(way.gets_a_code(Choice.WECHAT))

    minutes = {(tally.step, tally.method): tally.bucket for tally in way.all}
    two, three = (duration_bucket(timedelta(minutes=minute)) for minute in (2, 3))
    assert minutes == {
        (FunnelStep.OPENED, None): None,
        (FunnelStep.STARTED, None): MINUTE,
        (FunnelStep.AGREED, None): MINUTE,
        (FunnelStep.CONFIRMED, None): three,
        (FunnelStep.SHOWN, None): two,
        (FunnelStep.SHOWN, Method.WECHAT): two,
        (FunnelStep.PHONE, None): MINUTE,
        (FunnelStep.PHONE, Method.WECHAT): MINUTE,
    }


def test_going_back_and_forth_cancelling_and_renewing_count_nothing_twice() -> None:
    way = JourneyFixture()
    way.to_the_method()
    way.gets_a_code(Choice.QQ)
    before = list(way.all)

    way.go(Choice.NEW_CODE)
    way.gets_a_code()
    way.take_event(Commanded(Command.CANCEL))
    way.to_the_method()
    way.gets_a_code(Choice.QQ)

    assert way.all == before


def test_a_second_way_is_counted_for_itself_alone_and_its_code_has_no_time() -> None:
    way = JourneyFixture()
    way.to_the_method()
    way.gets_a_code(Choice.QQ)
    before = len(way.all)

    way.go(Choice.OTHER_METHOD)
    attempt = way.gets_a_code(Choice.WECHAT)
    way.is_on_the_phone(attempt)

    assert way.all[before:] == [
        FunnelIncrement(COHORT, FunnelStep.SHOWN, Method.WECHAT),
        FunnelIncrement(COHORT, FunnelStep.PHONE, bucket=duration_bucket(timedelta(minutes=4))),
        FunnelIncrement(COHORT, FunnelStep.PHONE, Method.WECHAT, bucket=MINUTE),
    ]


def test_a_success_that_comes_before_the_news_of_the_phone_counts_the_phone_too_without_times() -> None:
    way = JourneyFixture()
    way.to_the_method()
    attempt = way.gets_a_code(Choice.QQ)

    tallies = way.take_event(AttemptPassed(attempt, ACCOUNT, Method.QQ))

    assert counted(tallies) == counted(tallies, Method.QQ) == [FunnelStep.PHONE, FunnelStep.VERIFIED]
    assert {tally.bucket for tally in tallies} == {None}


def test_a_success_is_counted_wherever_the_person_has_gone_and_once_however_often_it_is_told() -> None:
    way = JourneyFixture()
    way.to_the_method()
    attempt = way.gets_a_code(Choice.QQ)
    way.take_event(Commanded(Command.CANCEL))
    # As the store has it: the place was taken, the news of it is on its way.
    way.state = replace(verified(Method.QQ), attempt=AttemptId(""))

    first = way.take_event(AttemptPassed(attempt, ACCOUNT, Method.QQ))
    second = way.take_event(AttemptPassed(attempt, ACCOUNT, Method.QQ))

    assert FunnelStep.VERIFIED in counted(first)
    assert second == ()


def test_another_account_that_passed_is_not_this_journey() -> None:
    way = JourneyFixture()
    way.to_the_method()
    attempt = way.gets_a_code(Choice.QQ)

    assert way.take_event(AttemptPassed(attempt, Account("cloud:1"), Method.QQ)) == ()


@pytest.mark.parametrize("event", [START, Said("你好"), ReaskRequested()])
def test_somebody_verified_begins_no_journey(event: Event) -> None:
    assert JourneyFixture(verified()).take_event(event) == ()


def test_an_account_that_was_verified_elsewhere_is_no_success_of_this_journey() -> None:
    way = JourneyFixture()
    way.to_the_method()
    way.go(Choice.QQ)

    tallies = way.take_event(AttemptRefused(way.attempt, AttemptRefusal.VERIFIED))

    assert type(way.state) is states.Verified
    assert tallies == ()


def test_failures_are_counted_every_time_by_reason_and_way() -> None:
    way = JourneyFixture()
    way.to_the_method()
    way.go(Choice.QQ)

    declined = way.take_event(AttemptRefused(way.attempt, AttemptRefusal.QUOTA))
    way.go(Choice.TRY_AGAIN)
    attempt = way.gets_a_code()
    rejected = way.take_event(AttemptFailed(attempt, Reason.NO_CARD))
    stale = way.take_event(AttemptFailed(attempt, Reason.NO_CARD))

    assert declined == (FunnelIncrement(COHORT, None, Method.QQ, Reason.QUOTA),)
    assert rejected == (FunnelIncrement(COHORT, None, Method.QQ, Reason.NO_CARD),)
    assert stale == ()


def test_news_begin_no_journey_and_the_next_word_does_with_all_that_was_reached() -> None:
    # As after an update of the program: nobody counted before.
    way = JourneyFixture(scanning(Method.FACE))

    news = way.take_event(AttemptProgressed(AttemptId("attempt-current"), PhoneStage.OPENED, NOON))
    word = way.take_event(Commanded(Command.STATUS))

    assert news == ()
    assert counted(word) == list(STEPS[: STEPS.index(FunnelStep.PHONE) + 1])
    assert {tally.bucket for tally in word} == {None}


def test_an_erasure_ends_the_journey_and_another_may_begin() -> None:
    way = JourneyFixture()
    way.to_the_method()

    erased = way.take_event(SideTapped(side=SideMessage.PRIVACY, choice="erase_now", question_id=way.state.question_id))
    journeys = way.journeys
    again = way.take_event(START)

    assert erased == ()
    assert journeys == ()
    assert counted(again) == [FunnelStep.OPENED]


def test_a_journey_is_counted_under_the_day_it_began_in_beijing() -> None:
    start = Answer(states.ChoosingType(account=ACCOUNT, question_id=MARK))
    late = datetime(2026, 11, 23, 16, 30, tzinfo=UTC)
    idle = states.Idle(account=ACCOUNT, question_id=MARK)

    journeys, [opened] = update_journeys((), JourneyTurn(idle, START, start, late, "en"))
    further = Answer(states.Agreeing(account=ACCOUNT, question_id=MARK))
    _, [started] = update_journeys(journeys, JourneyTurn(start.state, START, further, late + timedelta(days=3), "zh"))

    assert (
        opened.cohort
        == started.cohort
        == Cohort(day=datetime(2026, 11, 24, tzinfo=UTC).date(), campaign="", language="en")
    )


def test_a_clock_that_was_put_back_gives_no_negative_time() -> None:
    idle = states.Idle(account=ACCOUNT, question_id=MARK)
    type_asked = Answer(states.ChoosingType(account=ACCOUNT, question_id=MARK))
    journeys, _ = update_journeys((), JourneyTurn(idle, START, type_asked, NOON, "zh"))

    agreeing = Answer(states.Agreeing(account=ACCOUNT, question_id=MARK))
    _, [started] = update_journeys(
        journeys, JourneyTurn(type_asked.state, START, agreeing, NOON - timedelta(hours=1), "zh")
    )

    assert started.bucket == 0


def test_each_account_of_a_person_has_its_own_journey_and_only_the_last_few_are_known() -> None:
    journeys: Journeys = ()
    begun = []
    for number in (1, 2, 1, 3, 4, 2):
        idle = states.Idle(account=Account(f"cloud:{number}"), question_id=MARK)
        journeys, tallies = update_journeys(journeys, JourneyTurn(idle, START, Answer(idle), NOON, "zh"))
        begun += [number] * len(tallies)

    assert begun == [1, 2, 3, 4, 2]
    assert [journey.account for journey in journeys] == ["cloud:3", "cloud:4", "cloud:2"]


def test_every_state_says_how_far_its_person_is() -> None:
    assert set(_STEP_OF) == set(STATE_KINDS)


def test_whatever_happens_wherever_no_step_is_counted_twice_and_nothing_of_the_person_is_counted() -> None:
    for state in ONE_OF_EACH:
        for event in EVENTS:
            answer = advance(state, event, moment(0))
            journeys, first = update_journeys((), JourneyTurn(state, event, answer, NOON, "zh"))
            _, second = update_journeys(journeys, JourneyTurn(state, event, answer, NOON, "zh"))

            steps = Counter((tally.step, tally.method) for tally in (*first, *second) if tally.step is not None)
            assert set(steps.values()) <= {1}
            assert not [secret for secret in (*SECRETS, ACCOUNT) if secret in str((first, second))]


def test_journeys_are_saved_beside_the_state() -> None:
    way = JourneyFixture()
    way.to_the_method()
    way.gets_a_code(Choice.QQ)

    saved = codec.dump(way.state, way.journeys, Method.FACE)

    assert codec.load_all(saved) == codec.SavedDialogue(way.state, way.journeys, Method.FACE)
    assert codec.load(saved) == way.state


def test_a_link_to_another_account_begins_a_journey_under_its_campaign() -> None:
    way = JourneyFixture()
    way.to_the_method()
    opened = way.take_event(LinkAccepted(Account("100012345"), campaign="spring"))
    accepted = way.take_event(Tapped(choice=Choice.MINE, question_id=way.state.question_id))
    way.take_event(LinkAccepted(Account("100099999"), campaign="autumn"))
    back = way.take_event(Tapped(choice=Choice.NOT_MINE, question_id=way.state.question_id))

    spring = replace(COHORT, campaign="spring")
    assert [(tally.cohort, tally.step) for tally in opened] == [(spring, FunnelStep.OPENED)]
    assert [(tally.cohort, tally.step) for tally in accepted] == [(spring, FunnelStep.STARTED)]
    assert back == ()


def test_lapsed_codes_move_nobody_forward() -> None:
    way = JourneyFixture()
    way.to_the_method()
    attempt = way.gets_a_code(Choice.QQ)

    assert counted(way.take_event(CodeExpired(attempt))) == []
