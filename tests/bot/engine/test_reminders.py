"""Reminders over a real store: each is sent at most once, to people who can be written to."""

from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from bot.engine.messages import BotBlocked, Envelope, TurnKind
from bot.engine.reminders import ReminderLoop
from bot.flow.effects import AskQuestion, SendText
from bot.flow.events import Choice, Command, Commanded, ReminderDue, SideMessage, SideTapped
from bot.flow.reminders import ReminderTimes
from tests.bot.engine.runner_fixture import ANNA, BERT, RunnerFixture, runner_fixture
from tests.open_unit import open_unit
from verification.ids import Actor, PersonId
from verification.support.funnel import FunnelQuery, FunnelStep, beijing_day
from verification.support.store import AuditEntry

DAY_AND_NIGHT = ReminderTimes(night_begins=24, night_ends=0)
HOURS = timedelta(hours=1)


def reminding(desk: RunnerFixture, times: ReminderTimes | None = DAY_AND_NIGHT) -> ReminderLoop:
    """The loop of a program in which people are reminded."""
    committer = desk.runner._committer
    committer._config = replace(committer._config, reminders=times)
    return ReminderLoop(desk.store, desk.runner.handle, desk.clock)


def reminders(desk: RunnerFixture, person: PersonId = ANNA) -> int:
    """How many reminders stand in a person's chat."""
    replies = [reply for to, reply in desk.chat.shown if to == person]
    notes = [reply.note for reply in replies if isinstance(reply, AskQuestion)]
    return notes.count("reminder.ask") + sum(
        isinstance(each, SendText) and each.text == "reminder.note" for each in replies
    )


async def sent_after(desk: RunnerFixture, loop: ReminderLoop, wait: timedelta) -> int:
    """How many reminders are sent when this time has passed."""
    before = reminders(desk)
    desk.clock.now += wait
    await loop.send_due()
    assert await desk.runner.wait_until_idle(10)
    return reminders(desk) - before


async def test_who_stops_is_reminded_twice_and_counted_in_the_funnel(tmp_path: Path) -> None:
    async with runner_fixture(tmp_path) as desk:
        loop = reminding(desk)
        await desk.until_method()
        sent = [await sent_after(desk, loop, wait) for wait in (2 * HOURS, HOURS, 20 * HOURS, HOURS, 100 * HOURS)]
        await desk.send_event(Commanded(Command.STATUS))
        entry = AuditEntry(actor=Actor("test"), action="funnel", subject="", at=desk.clock.now)
        today = beijing_day(desk.clock.now)
        query = FunnelQuery(since=today - timedelta(days=30), until=today)
        async with desk.store.support_view(entry) as view:
            counts = {each.step: each.count for each in (await view.funnel_statistics(query)).counts}

    assert sent == [0, 1, 0, 1, 0]
    assert (counts[FunnelStep.REMINDED], counts[FunnelStep.RETURNED]) == (2, 1)


async def test_nobody_is_reminded_after_an_end_or_against_their_word(tmp_path: Path) -> None:
    async with runner_fixture(tmp_path) as desk:
        loop = reminding(desk)
        await desk.until_method()
        await desk.until_method(BERT)
        await desk.send_event(SideTapped(side=SideMessage.REMINDER, choice="off"))
        await desk.taps(Choice.CANCEL, BERT)
        desk.clock.now += 48 * HOURS
        due = await loop.send_due()

    assert due == 0


async def test_of_two_programs_one_sends_a_reminder(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        desk = await stack.enter_async_context(runner_fixture(tmp_path))
        reminding(desk)
        await desk.until_method()
        desk.clock.now += 3 * HOURS
        for _ in range(2):
            # Both have listed the person.
            await desk.runner.handle(Envelope(ANNA, ReminderDue(), None, kind=TurnKind.NEWS))
        assert await desk.runner.wait_until_idle(10)

    assert reminders(desk) == 1


async def test_a_reminder_that_comes_late_at_night_waits_for_the_morning(tmp_path: Path) -> None:
    async with runner_fixture(tmp_path) as desk:
        loop = reminding(desk, ReminderTimes())
        await desk.until_method()
        # 20:00 in Beijing now; the program was down from the time of the reminder until 2:00 the night after.
        at_night = await sent_after(desk, loop, 30 * HOURS)
        in_the_morning = await sent_after(desk, loop, 7 * HOURS)

    assert (at_night, in_the_morning) == (0, 1)


async def test_who_has_blocked_the_bot_is_not_reminded(tmp_path: Path) -> None:
    async with runner_fixture(tmp_path) as desk:
        loop = reminding(desk)
        await desk.until_method()
        desk.chat.failures.append(BotBlocked())
        await desk.send_event(Commanded(Command.STATUS))
        desk.clock.now += 48 * HOURS
        due = await loop.send_due()

    assert due == 0


async def test_without_the_setting_nobody_is_reminded_even_of_what_was_planned(tmp_path: Path) -> None:
    async with runner_fixture(tmp_path) as desk:
        reminding(desk)
        await desk.until_method()
        loop = reminding(desk, None)
        sent = await sent_after(desk, loop, 48 * HOURS)

    assert sent == 0


async def test_one_reminder_that_fails_keeps_nobody_else_from_theirs(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with runner_fixture(tmp_path) as desk:
        reminding(desk)
        await desk.until_method()
        await desk.until_method(BERT)
        desk.clock.now += 3 * HOURS

        async def handle(envelope: Envelope) -> None:
            if envelope.person == ANNA:
                raise ValueError("unreadable")
            await desk.runner.handle(envelope)

        due = await ReminderLoop(desk.store, handle, desk.clock).send_due()
        assert await desk.runner.wait_until_idle(10)

    assert (due, reminders(desk), reminders(desk, BERT)) == (2, 0, 1)
    assert "a reminder could not be sent" in caplog.text


async def test_a_reminder_is_taken_once_and_only_when_it_is_due(tmp_path: Path) -> None:
    async with runner_fixture(tmp_path) as desk:
        now = desk.clock.now
        async with open_unit(desk.store, ANNA) as unit:
            await unit.save_dialogue(ANNA, "{}", language=None, now=now, remind_at=now + HOURS)
        async with open_unit(desk.store, ANNA) as unit:
            taken = [
                await unit.take_reminder(ANNA, now),
                await unit.take_reminder(ANNA, now + HOURS, now + 2 * HOURS),
                await unit.take_reminder(ANNA, now + HOURS),
                await unit.take_reminder(ANNA, now + 2 * HOURS),
                await unit.take_reminder(ANNA, now + 3 * HOURS),
            ]

    assert taken == [False, True, False, True, False]
