from itertools import product

import pytest

from tests.fakes import make_attempt
from verification.attempts import LIVE, MOVES, AttemptStatus, Passed, Reason, Rejected, Verdict
from verification.errors import AttemptOver

ENDS = sorted(set(AttemptStatus) - LIVE)
OUTCOMES: list[Verdict] = [Passed(), *map(Rejected, Reason)]


def test_every_status_has_its_moves_written_down() -> None:
    assert set(MOVES) == set(AttemptStatus)
    assert {AttemptStatus.RESERVED, AttemptStatus.WAITING, AttemptStatus.OPENED, AttemptStatus.CONFIRMING} == LIVE
    assert {AttemptStatus.SUCCEEDED, AttemptStatus.FAILED, AttemptStatus.EXPIRED, AttemptStatus.CANCELLED} == set(ENDS)


@pytest.mark.parametrize(("old", "new"), list(product(AttemptStatus, AttemptStatus)))
def test_an_attempt_moves_only_along_the_table(old: AttemptStatus, new: AttemptStatus) -> None:
    attempt = make_attempt(status=old)
    if new not in MOVES[old]:
        with pytest.raises(AttemptOver):
            attempt.with_status(new)
        return

    moved = attempt.with_status(new)
    assert moved.status is new
    assert moved.live is (new in LIVE)
    assert moved.identity == (attempt.identity if new in LIVE else None)


@pytest.mark.parametrize(("old", "new"), list(product(ENDS, AttemptStatus)))
def test_an_end_is_an_end(old: AttemptStatus, new: AttemptStatus) -> None:
    assert new not in MOVES[old]
    assert not make_attempt(status=old).live


@pytest.mark.parametrize("status", sorted(LIVE))
def test_every_live_attempt_can_expire_fail_and_be_cancelled(status: AttemptStatus) -> None:
    assert {AttemptStatus.FAILED, AttemptStatus.EXPIRED, AttemptStatus.CANCELLED} <= MOVES[status]


def test_nothing_succeeds_before_its_code_was_shown() -> None:
    assert AttemptStatus.SUCCEEDED not in MOVES[AttemptStatus.RESERVED]


def test_no_way_leads_back() -> None:
    order = [AttemptStatus.RESERVED, AttemptStatus.WAITING, AttemptStatus.OPENED, AttemptStatus.CONFIRMING]

    assert not any(earlier in MOVES[later] for at, later in enumerate(order) for earlier in order[: at + 1])


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_a_verdict_is_recorded_with_its_reason_and_without_the_identity(outcome: Verdict) -> None:
    judged = make_attempt(status=AttemptStatus.CONFIRMING).with_verdict(outcome)

    assert judged.status is (AttemptStatus.SUCCEEDED if isinstance(outcome, Passed) else AttemptStatus.FAILED)
    assert judged.reason is (outcome.reason if isinstance(outcome, Rejected) else None)
    assert judged.identity is None


@pytest.mark.parametrize(("told", "asked"), list(product(OUTCOMES, OUTCOMES)))
def test_a_verdict_is_known_again(told: Verdict, asked: Verdict) -> None:
    no_place = told == Rejected(Reason.QUOTA) and isinstance(asked, Passed)

    assert make_attempt().with_verdict(told).has_verdict(asked) is (told == asked or no_place)


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_without_a_verdict_none_is_known(outcome: Verdict) -> None:
    assert not make_attempt().has_verdict(outcome)
    assert not make_attempt(status=AttemptStatus.EXPIRED).has_verdict(outcome)
