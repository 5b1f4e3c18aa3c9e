"""What turns add to the funnel and to the questions: with the turn, once, whatever comes twice or dies in between."""

import asyncio
from collections import Counter
from datetime import timedelta
from pathlib import Path

from msgspec.structs import replace

from bot.engine.messages import Envelope
from bot.engine.runner import Runner
from bot.flow.events import AttemptFailed, AttemptPassed, AttemptProgressed, Choice, Command, Commanded, Said
from bot.flow.states import PhoneStage
from storage import SqlStore
from tests.bot.engine.runner_fixture import ANNA, BERT, RunnerFixture, runner_fixture
from tests.fakes import NOON
from tests.open_unit import open_unit
from verification.attempts import AttemptId, Method, Reason
from verification.ids import Actor, PersonId, own_account
from verification.support.funnel import STEPS, Dimension, FunnelQuery, FunnelStatistics, FunnelStep, beijing_day
from verification.support.store import AuditEntry

USE = AuditEntry(actor=Actor("command"), action="look", subject="", at=NOON)
TODAY = beijing_day(NOON)
START = Commanded(Command.START)


async def figures(store: SqlStore) -> FunnelStatistics:
    async with store.support_unit(USE) as desk:
        return await desk.funnel_statistics(FunnelQuery(since=TODAY, until=TODAY))


async def steps(store: SqlStore, method: Method | None = None) -> dict[FunnelStep, int]:
    counts = (await figures(store)).counts
    return {each.step: each.count for each in counts if each.step is not None and each.method is method}


async def attempt_of(store: SqlStore, person: PersonId = ANNA) -> AttemptId:
    async with open_unit(store, "look") as unit:
        attempt = await unit.live_attempt(own_account(person))
    assert attempt is not None
    return attempt.id


async def to_the_phone(desk: RunnerFixture, person: PersonId = ANNA) -> AttemptId:
    await desk.until_method(person)
    await desk.taps(Choice.QQ, person)
    attempt = await attempt_of(desk.store, person)
    await desk.send_event(AttemptProgressed(attempt, PhoneStage.OPENED, NOON + timedelta(hours=1)), person)
    return attempt


async def test_a_way_to_the_end_stands_in_the_funnel_with_its_times(tmp_path: Path) -> None:
    async with runner_fixture(tmp_path) as desk:
        attempt = await to_the_phone(desk)
        await desk.send_event(AttemptPassed(attempt, own_account(ANNA), Method.QQ))
        await to_the_phone(desk, BERT)

        assert await steps(desk.store) == {step: 1 if step is FunnelStep.VERIFIED else 2 for step in STEPS}
        assert await steps(desk.store, Method.QQ) == {FunnelStep.SHOWN: 2, FunnelStep.PHONE: 2, FunnelStep.VERIFIED: 1}
        timed = Counter[FunnelStep]()
        for each in (await figures(desk.store)).durations:
            timed[each.step] += each.count if each.method is None else 0
        assert timed == {step: 1 if step is FunnelStep.VERIFIED else 2 for step in STEPS[1:]}


async def test_support_s_own_trials_are_no_journeys(tmp_path: Path) -> None:
    async with runner_fixture(tmp_path) as desk:
        config = replace(desk.runner._config, is_counted=lambda person: person != BERT)
        runner = Runner(desk.store, desk.core, desk.chat, config)
        async with runner.running():
            for person in (ANNA, BERT):
                await runner.handle(Envelope(person, START, None))

        assert await steps(desk.store) == {FunnelStep.OPENED: 1}


async def test_inv03_an_event_that_comes_ten_times_to_two_programs_counts_once(tmp_path: Path) -> None:
    async with runner_fixture(tmp_path) as one, runner_fixture(tmp_path) as other:
        start = Envelope(ANNA, START, "update:1")
        await asyncio.gather(*(desk.runner.handle(start) for desk in (one, other) * 5))

        assert await steps(one.store) == {FunnelStep.OPENED: 1}


async def test_a_journey_goes_on_after_a_restart(tmp_path: Path) -> None:
    async with runner_fixture(tmp_path, showing=False) as dead:
        await dead.runner.handle(Envelope(ANNA, START, "update:1"))
    async with runner_fixture(tmp_path) as alive:
        await alive.runner.resume_pending()
        assert await alive.runner.wait_until_idle(10)
        await alive.taps(Choice.PERSONAL)

        assert await steps(alive.store) == {FunnelStep.OPENED: 1, FunnelStep.STARTED: 1}


async def test_failures_stand_by_reason_and_way(tmp_path: Path) -> None:
    async with runner_fixture(tmp_path) as desk:
        attempt = await to_the_phone(desk)
        await desk.send_event(AttemptFailed(attempt, Reason.NO_CARD))

        reasons = [each for each in (await figures(desk.store)).counts if each.reason is not None]
        assert [(each.method, each.reason, each.count) for each in reasons] == [(Method.QQ, Reason.NO_CARD, 1)]


async def test_after_an_erasure_nothing_in_the_counts_is_undone_and_nothing_leads_back(tmp_path: Path) -> None:
    async with runner_fixture(tmp_path) as desk:
        await desk.until_method()
        before = await steps(desk.store)
        async with open_unit(desk.store, ANNA) as unit:
            await unit.erase(ANNA, own_account(ANNA))

        assert await steps(desk.store) == before


async def test_questions_are_counted_by_topic_and_those_in_vain_kept_without_whose_they_are(tmp_path: Path) -> None:
    async with runner_fixture(tmp_path) as desk:
        await desk.send_event(START)
        await desk.send_event(Said("今天天气怎么样"))
        await desk.send_event(Said("13800138000 天气好吗"), BERT)
        async with desk.store.support_unit(USE) as look:
            counted = await look.questions(since=TODAY, until=TODAY)
            missed = await look.unanswered_questions(9)

    assert counted == {"": 2}
    assert {each.text for each in missed} == {"今天天气怎么样", "• 天气好吗"}
    # To the hour: to the second it would stand beside the turn that asked it.
    assert {(each.at.minute, each.at.second, each.at.microsecond) for each in missed} == {(0, 0, 0)}


async def test_journeys_under_two_languages_are_told_apart(tmp_path: Path) -> None:
    async with runner_fixture(tmp_path) as desk:
        await desk.runner.handle(Envelope(ANNA, START, "update:1", language="en"))
        await desk.send_event(START, BERT)
        async with desk.store.support_unit(USE) as look:
            found = await look.funnel_statistics(FunnelQuery(since=TODAY, until=TODAY, by=Dimension.LANGUAGE))

    assert {(each.group, each.count) for each in found.counts} == {("en", 1), ("zh", 1)}
