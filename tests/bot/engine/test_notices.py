"""Notices: the core's news become events once, whoever dies in between."""

from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from bot.engine.notices import LEASE, NoticeDispatcher, event_of
from bot.flow.effects import AskQuestion, EditCaption, Picture, ReplaceCodeWithPicture
from bot.flow.events import AttemptFailed, AttemptPassed, AttemptProgressed, Choice, CodeExpired, CodeExpiring, Event
from bot.flow.states import PhoneStage
from tests.bot.engine.runner_fixture import ANNA, RunnerFixture, runner_fixture
from tests.fakes import NOON, TELEGRAM
from tests.open_unit import open_unit
from verification import attempts
from verification.attempts import AttemptId, AttemptStatus, Method, Reason
from verification.ids import contact_of, own_account
from verification.ports import Notice, NoticeKind

ATTEMPT = AttemptId("a1")
NOTICE = Notice(
    1, contact_of(ANNA), NoticeKind.ENDED, ATTEMPT, own_account(ANNA), Method.QQ, AttemptStatus.SUCCEEDED, None, NOON
)


@pytest.mark.parametrize(
    ("changes", "event"),
    [
        ({}, AttemptPassed(ATTEMPT, own_account(ANNA), Method.QQ)),
        ({"status": AttemptStatus.FAILED, "reason": Reason.NO_CARD}, AttemptFailed(ATTEMPT, Reason.NO_CARD)),
        ({"status": AttemptStatus.FAILED}, AttemptFailed(ATTEMPT, Reason.UNAVAILABLE)),
        ({"status": AttemptStatus.EXPIRED}, CodeExpired(ATTEMPT)),
        ({"status": AttemptStatus.CANCELLED}, CodeExpired(ATTEMPT)),
        ({"kind": NoticeKind.EXPIRING_SOON, "status": AttemptStatus.WAITING}, CodeExpiring(ATTEMPT)),
        (
            {"kind": NoticeKind.PROGRESS, "status": AttemptStatus.OPENED},
            AttemptProgressed(ATTEMPT, PhoneStage.OPENED, NOON),
        ),
        (
            {"kind": NoticeKind.PROGRESS, "status": AttemptStatus.CONFIRMING},
            AttemptProgressed(ATTEMPT, PhoneStage.CONFIRMING, NOON),
        ),
        ({"kind": NoticeKind.PROGRESS, "status": AttemptStatus.WAITING}, None),
    ],
)
def test_each_news_has_its_event(changes: dict[str, object], event: Event | None) -> None:
    assert event_of(replace(NOTICE, **changes)) == event


def notices_of(desk: RunnerFixture) -> NoticeDispatcher:
    return NoticeDispatcher(desk.store, desk.core, desk.runner, desk.clock)


async def scanning(desk: RunnerFixture) -> AttemptId:
    await desk.until_method()
    await desk.taps(Choice.WECHAT)
    async with open_unit(desk.store, ANNA) as unit:
        live = await unit.live_attempt(own_account(ANNA))
    assert live is not None
    return live.id


async def test_progress_and_result_are_told_in_order_and_once(tmp_path: Path) -> None:
    async with runner_fixture(tmp_path) as desk:
        attempt = await scanning(desk)
        await desk.core.progress(attempt, AttemptStatus.OPENED, "page")
        await desk.core.complete(attempt, attempts.Passed())
        notices = notices_of(desk)
        told = [await notices.dispatch_batch(), await notices.dispatch_batch(), await notices.dispatch_batch()]
        assert await desk.runner.wait_until_idle(10)

    shown = [
        type(reply).__name__
        for _, reply in desk.chat.shown
        if isinstance(reply, EditCaption | ReplaceCodeWithPicture | AskQuestion)
    ]
    assert told == [1, 1, 0]
    assert shown[-3:] == ["AskQuestion", "EditCaption", "AskQuestion"]
    closed = [reply.closed_code for _, reply in desk.chat.shown if isinstance(reply, AskQuestion)]
    assert [code.picture for code in closed if code is not None] == [Picture.VERIFIED]


async def test_a_notice_of_a_process_that_died_is_told_by_the_next_as_soon_as_its_lease_is_over(tmp_path: Path) -> None:
    async with runner_fixture(tmp_path) as desk:
        attempt = await scanning(desk)
        await desk.core.complete(attempt, attempts.Passed())
        await desk.store.claim_notices(
            TELEGRAM, desk.clock.now, until=desk.clock.now + LEASE, limit=9
        )  # and here it died
        notices = notices_of(desk)
        early = await notices.dispatch_batch()
        desk.clock.now += LEASE
        late = await notices.dispatch_batch()
        assert await desk.runner.wait_until_idle(10)

    assert (early, late) == (0, 1)
    assert timedelta(0) < LEASE <= timedelta(seconds=5)
    assert desk.chat.questions()[-1] == "verified.ask"


async def test_a_notice_told_by_a_process_that_died_before_settling_it_is_not_told_twice(tmp_path: Path) -> None:
    async with runner_fixture(tmp_path) as desk:
        attempt = await scanning(desk)
        await desk.core.complete(attempt, attempts.Rejected(Reason.MISMATCH))
        [notice] = await desk.store.claim_notices(TELEGRAM, desk.clock.now, until=desk.clock.now + LEASE, limit=9)
        event = event_of(notice)
        assert event is not None
        await desk.send_event(event, event_id=f"notice:{notice.id}")
        desk.clock.now += LEASE
        told = await notices_of(desk).dispatch_batch()
        assert await desk.runner.wait_until_idle(10)

    assert told == 1
    assert desk.chat.questions().count("failed.ask") == 1
