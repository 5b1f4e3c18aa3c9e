"""When a person who stopped is reminded: at most twice, never at night, never after an end, never against their word.

After each turn the dialogue says when the next reminder is due, and the store keeps that time with it. A reminder that
is due takes a turn of its own, which takes the time away in the same transaction: it is sent at most once.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone

from msgspec.structs import replace

from bot.flow import events, states
from bot.flow.effects import EraseRecords, StopReminders
from bot.flow.events import Event
from bot.flow.rows import Step
from bot.flow.states import State
from verification.record import Record
from verification.support.funnel import BEIJING

REMINDED: Mapping[type[State], str] = {
    states.Agreeing: "consent",
    states.AskingName: "name",
    states.CheckingName: "name",
    states.AskingNumber: "number",
    states.ChangingName: "name",
    states.ChangingNumber: "number",
    states.Confirming: "method",
    states.AgreeingFace: "method",
    states.Expired: "code",
    states.Failed: "again",
}
"""The states in which people stop, with the key of the words that name the step under `reminder.step`."""


class ReminderTimes(Record, kw_only=True):
    """After how long people are reminded, and the night in which they are not, by one clock for all."""

    delays: tuple[timedelta, ...] = (timedelta(hours=3), timedelta(hours=24))
    zone: timezone = BEIJING
    night_begins: int = 21
    night_ends: int = 9

    def by_day(self, moment: datetime) -> datetime:
        """The moment itself by day; at night, when the night ends (UTC)."""
        local = moment.astimezone(self.zone)
        if self.night_ends <= local.hour < self.night_begins:
            return moment
        morning = local.replace(hour=self.night_ends, minute=0, second=0, microsecond=0)
        return (morning + timedelta(days=local.hour >= self.night_begins)).astimezone(UTC)


class Reminders(Record):
    """What a dialogue knows of its reminders.

    `sent` counts those since the person began. `is_off`: the person wants none. `is_awaited`: one was sent, and the
    person has not come back since.
    """

    sent: int = 0
    is_off: bool = False
    is_awaited: bool = False


def update_reminders(reminders: Reminders, event: Event, step: Step) -> Reminders:
    """What is known after a turn."""
    if any(isinstance(effect, EraseRecords) for effect in step.effects):
        return Reminders()
    if any(isinstance(effect, StopReminders) for effect in step.effects):
        reminders = replace(reminders, is_off=True)
    if isinstance(step.state, states.Idle | states.Verified):
        return Reminders(is_off=reminders.is_off)
    if isinstance(event, events.ReminderDue) and type(step.state) in REMINDED:
        return replace(reminders, sent=reminders.sent + 1, is_awaited=True)
    # An event of the program does not show that the person is back.
    return reminders if isinstance(event, events.ProgramEvent) else replace(reminders, is_awaited=False)


def next_reminder(reminders: Reminders, state: State, now: datetime, times: ReminderTimes | None) -> datetime | None:
    """When the person is reminded if they do nothing until then (UTC); None for not at all."""
    if times is None or reminders.is_off or reminders.sent >= len(times.delays) or type(state) not in REMINDED:
        return None
    begins = now
    if isinstance(state, states.Failed) and state.until is not None:
        begins = max(now, state.until)
    delay = times.delays[reminders.sent]
    if reminders.is_awaited:
        # The delays are counted from when the person stopped, which was before the reminder.
        delay -= times.delays[reminders.sent - 1]
    return times.by_day(begins + delay)
