"""Who stopped is reminded at most twice, never at night, never after an end, never against their word."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from bot.flow import codec, states
from bot.flow.effects import AskQuestion, RemindersOffButton, SendText, StopReminders, TextKey
from bot.flow.events import Command, Commanded, Event, ReaskRequested, ReminderDue, SideMessage, SideTapped
from bot.flow.machine import advance
from bot.flow.reminders import REMINDED, Reminders, ReminderTimes, next_reminder, update_reminders
from bot.flow.states import State
from tests.bot.flow.effect_texts import buttons, exposed
from tests.bot.flow.samples import CONTEXT, LATER, ONE_OF_EACH, STATES, failed, label, quota_full, scanning, verified
from tests.each_case import each_case
from verification.attempts import Reason

MORNING = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
"""Ten o'clock in Beijing."""
HOURS = timedelta(hours=1)
TIMES = ReminderTimes()
NAME_STEP = next(state for state in ONE_OF_EACH if isinstance(state, states.AskingName))
OFF = SideTapped(side=SideMessage.REMINDER, choice="off")


def after(reminders: Reminders, event: Event, state: State = NAME_STEP) -> Reminders:
    return update_reminders(reminders, event, advance(state, event, CONTEXT))


def test_reminders_come_some_hours_and_a_day_after_the_person_stopped_and_then_no_more() -> None:
    first = next_reminder(Reminders(), NAME_STEP, MORNING, TIMES)
    once = after(Reminders(), ReminderDue())
    second = next_reminder(once, NAME_STEP, MORNING + 3 * HOURS, TIMES)
    twice = after(once, ReminderDue())

    assert (first, second) == (MORNING + 3 * HOURS, MORNING + 24 * HOURS)
    assert twice == Reminders(sent=2, is_awaited=True)
    assert next_reminder(twice, NAME_STEP, MORNING, TIMES) is None


@pytest.mark.parametrize(
    ("local", "by_day"),
    [
        ("2026-11-23T08:59", "2026-11-23T09:00"),
        ("2026-11-23T09:00", "2026-11-23T09:00"),
        ("2026-11-23T20:59", "2026-11-23T20:59"),
        ("2026-11-23T21:00", "2026-11-24T09:00"),
        ("2026-11-24T00:30", "2026-11-24T09:00"),
    ],
)
@pytest.mark.parametrize("offset", [8, -5.5, 14])
def test_none_comes_at_night_by_the_clock_of_the_setting(local: str, by_day: str, offset: float) -> None:
    zone = timezone(timedelta(hours=offset))
    moment, expected = (datetime.fromisoformat(text).replace(tzinfo=zone) for text in (local, by_day))

    assert ReminderTimes(zone=zone).by_day(moment) == expected


@each_case("state", STATES, label)
def test_only_a_step_that_waits_for_the_person_is_reminded_of(state: State) -> None:
    due = next_reminder(Reminders(), state, MORNING, TIMES)
    is_end = isinstance(state, states.Idle | states.Verified | states.QuotaFull)
    waits_for_others = isinstance(state, states.Opening | states.Scanning)
    has_not_begun = isinstance(
        state, states.ChoosingType | states.ReadingEnterprise | states.ReadingOverseas | states.ReadingInvitation
    )

    assert (due is None) is (is_end or waits_for_others or has_not_begun)
    assert next_reminder(Reminders(is_off=True), state, MORNING, TIMES) is None
    assert next_reminder(Reminders(), state, MORNING, None) is None


def test_who_must_wait_for_a_time_is_reminded_after_it() -> None:
    waiting = failed(Reason.TOO_MANY)

    assert next_reminder(Reminders(), waiting, MORNING, TIMES) == TIMES.by_day(LATER + 3 * HOURS)


def test_who_comes_back_is_no_longer_awaited_and_news_of_the_program_are_no_return() -> None:
    sent = Reminders(sent=1, is_awaited=True)

    assert after(sent, Commanded(Command.STATUS)) == Reminders(sent=1)
    assert after(sent, ReaskRequested()) == sent


def test_an_end_begins_the_count_anew_but_keeps_the_wish_for_none() -> None:
    sent = Reminders(sent=2, is_off=True)

    assert after(sent, Commanded(Command.CANCEL)) == Reminders(is_off=True)
    assert after(sent, Commanded(Command.START), verified()) == Reminders(is_off=True)
    assert after(sent, SideTapped(side=SideMessage.PRIVACY, choice="erase_now", question_id=NAME_STEP.question_id)) == (
        Reminders()
    )


@pytest.mark.parametrize("state", ONE_OF_EACH, ids=label)
def test_a_reminder_names_the_step_and_offers_to_stop_reminding(state: State) -> None:
    step = advance(state, ReminderDue(), CONTEXT)

    assert type(step.state) is type(state)
    if type(state) in REMINDED:
        named = [
            effect for effect in step.effects if isinstance(effect, AskQuestion | SendText) and "step" in effect.values
        ]
        assert [effect.values["step"] for effect in named] == [TextKey(f"reminder.step.{REMINDED[type(state)]}")]
        assert any(RemindersOffButton() in buttons(effect) for effect in step.effects)
    else:
        assert exposed(step) == []
        assert update_reminders(Reminders(), ReminderDue(), step).sent == 0


@pytest.mark.parametrize("state", [NAME_STEP, scanning(), quota_full(), verified()], ids=label)
def test_the_button_against_reminders_works_in_every_state(state: State) -> None:
    step = advance(state, OFF, CONTEXT)

    assert step.state == state
    assert StopReminders() in step.effects
    assert update_reminders(Reminders(sent=1), OFF, step).is_off


def test_what_is_known_of_reminders_is_saved_and_an_older_release_saved_nothing() -> None:
    known = Reminders(sent=1, is_off=True, is_awaited=True)

    assert codec.load_all(codec.dump(NAME_STEP, reminders=known)).reminders == known
    assert codec.load_all(codec.dump(NAME_STEP)).reminders == Reminders()
