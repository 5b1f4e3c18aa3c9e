from itertools import product
from typing import get_args

import pytest

from tests.each_case import each_case
from tests.fakes import make_attempt
from verification.attempts import (
    LIVE_STATUSES,
    STATUS_TRANSITIONS,
    TYPED_METHODS,
    AttemptStatus,
    Passed,
    Reason,
    Rejected,
    TypedMethodName,
    Verdict,
)
from verification.errors import AttemptOver

ENDS = sorted(set(AttemptStatus) - LIVE_STATUSES)
OUTCOMES: list[Verdict] = [Passed(), *map(Rejected, Reason)]


def test_every_status_has_its_transitions() -> None:
    assert set(STATUS_TRANSITIONS) == set(AttemptStatus)
    assert {
        AttemptStatus.RESERVED,
        AttemptStatus.WAITING,
        AttemptStatus.OPENED,
        AttemptStatus.CONFIRMING,
    } == LIVE_STATUSES
    assert {AttemptStatus.SUCCEEDED, AttemptStatus.FAILED, AttemptStatus.EXPIRED, AttemptStatus.CANCELLED} == set(ENDS)


@each_case("old, new", product(AttemptStatus, AttemptStatus))
def test_a_status_changes_only_along_the_table(old: AttemptStatus, new: AttemptStatus) -> None:
    attempt = make_attempt(status=old)
    if new not in STATUS_TRANSITIONS[old]:
        with pytest.raises(AttemptOver):
            attempt.with_status(new)
        return

    moved = attempt.with_status(new)
    assert moved.status is new
    assert moved.live is (new in LIVE_STATUSES)
    assert moved.identity == (attempt.identity if new in LIVE_STATUSES else None)


@each_case("old, new", product(ENDS, AttemptStatus))
def test_a_terminal_status_has_no_transitions(old: AttemptStatus, new: AttemptStatus) -> None:
    assert new not in STATUS_TRANSITIONS[old]
    assert not make_attempt(status=old).live


@pytest.mark.parametrize("status", sorted(LIVE_STATUSES))
def test_every_live_attempt_can_expire_fail_and_be_cancelled(status: AttemptStatus) -> None:
    assert {AttemptStatus.FAILED, AttemptStatus.EXPIRED, AttemptStatus.CANCELLED} <= STATUS_TRANSITIONS[status]


def test_nothing_succeeds_before_its_code_is_shown() -> None:
    assert AttemptStatus.SUCCEEDED not in STATUS_TRANSITIONS[AttemptStatus.RESERVED]


def test_no_transition_leads_back() -> None:
    order = [AttemptStatus.RESERVED, AttemptStatus.WAITING, AttemptStatus.OPENED, AttemptStatus.CONFIRMING]

    assert not any(
        earlier in STATUS_TRANSITIONS[later] for at, later in enumerate(order) for earlier in order[: at + 1]
    )


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_a_verdict_is_recorded_with_its_reason_and_without_the_identity(outcome: Verdict) -> None:
    decided = make_attempt(status=AttemptStatus.CONFIRMING).with_verdict(outcome)

    assert decided.status is (AttemptStatus.SUCCEEDED if isinstance(outcome, Passed) else AttemptStatus.FAILED)
    assert decided.reason is (outcome.reason if isinstance(outcome, Rejected) else None)
    assert decided.identity is None


@each_case("recorded, repeated", product(OUTCOMES, OUTCOMES))
def test_a_recorded_verdict_is_recognised(recorded: Verdict, repeated: Verdict) -> None:
    no_slot = recorded == Rejected(Reason.QUOTA) and isinstance(repeated, Passed)

    assert make_attempt().with_verdict(recorded).has_verdict(repeated) is (recorded == repeated or no_slot)


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_without_a_verdict_none_is_recognised(outcome: Verdict) -> None:
    assert not make_attempt().has_verdict(outcome)
    assert not make_attempt(status=AttemptStatus.EXPIRED).has_verdict(outcome)


def test_the_names_read_from_outside_are_those_of_the_methods_with_a_typed_identity() -> None:
    assert get_args(TypedMethodName) == TYPED_METHODS
