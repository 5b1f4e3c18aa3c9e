"""What another server is told: each byte of it, and how often it is tried."""

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest

from verification.attempts import AttemptId, AttemptStatus, Method, Reason
from verification.ids import Account, FrontEnd
from verification.result_outbox import (
    MAX_BLOCKING_TRIES,
    MAX_CLOCK_SKEW,
    RETRY_DELAYS,
    DeliveryStatus,
    OutgoingResult,
)

AT = datetime(2026, 11, 23, 12, 0, 0, 7, tzinfo=UTC)


def result(
    status: AttemptStatus, reason: Reason | None = None, at: datetime = AT, front_end: str = "telegram"
) -> OutgoingResult:
    return OutgoingResult(
        id=1,
        attempt=AttemptId("attempt-0a1b"),
        account=Account("cloud:100012345"),
        method=Method.FACE,
        status=status,
        reason=reason,
        simulated=True,
        at=at,
        front_end=FrontEnd(front_end),
    )


def test_a_success_is_told_in_these_bytes() -> None:
    assert result(AttemptStatus.SUCCEEDED).body() == (
        b'{"type": "verification.verified", "timestamp": "2026-11-23T12:00:00.000007Z", "data": {'
        b'"account": "cloud:100012345", "method": "face", "status": "verified", "attempt": "attempt-0a1b",'
        b' "at": "2026-11-23T12:00:00.000007Z", "simulated": true, "front_end": "telegram"}}'
    )


@pytest.mark.parametrize("reason", Reason)
def test_a_failure_is_told_with_its_reason(reason: Reason) -> None:
    assert result(AttemptStatus.FAILED, reason).body() == (
        b'{"type": "verification.failed", "timestamp": "2026-11-23T12:00:00.000007Z", "data": {'
        b'"account": "cloud:100012345", "method": "face", "status": "failed", "reason": "' + reason.encode() + b'",'
        b' "attempt": "attempt-0a1b", "at": "2026-11-23T12:00:00.000007Z", "simulated": true, "front_end": "telegram"}}'
    )


@pytest.mark.parametrize("status", ["opened", "confirming", "expired", "cancelled"])
def test_other_news_is_told_with_an_id_of_its_own(status: str) -> None:
    news = result(AttemptStatus(status), front_end="api.shop")

    assert news.message_id == f"result_attempt-0a1b_{status}"
    assert json.loads(news.body()) == {
        "type": f"verification.{status}",
        "timestamp": "2026-11-23T12:00:00.000007Z",
        "data": {
            "account": "cloud:100012345",
            "method": "face",
            "status": status,
            "attempt": "attempt-0a1b",
            "at": "2026-11-23T12:00:00.000007Z",
            "simulated": True,
            "front_end": "api.shop",
        },
    }


def test_a_time_of_another_zone_is_told_in_utc_and_always_to_the_microsecond() -> None:
    at = datetime(2026, 11, 23, 20, 0, tzinfo=timezone(timedelta(hours=8)))

    assert b'"at": "2026-11-23T12:00:00.000000Z"' in result(AttemptStatus.SUCCEEDED, at=at).body()


def test_all_repetitions_have_one_id_and_begin_with_no_failed_try() -> None:
    assert result(AttemptStatus.FAILED).message_id == "result_attempt-0a1b"
    assert result(AttemptStatus.FAILED).tries == 0


def test_it_is_tried_for_three_days_with_the_pauses_of_standard_webhooks() -> None:
    seconds = [round(delay.total_seconds()) for delay in RETRY_DELAYS]

    assert seconds == [5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400]
    assert (3, timedelta(minutes=1)) == (MAX_BLOCKING_TRIES, MAX_CLOCK_SKEW)
    assert [status.value for status in DeliveryStatus] == ["delivered", "gone", "given_up"]
