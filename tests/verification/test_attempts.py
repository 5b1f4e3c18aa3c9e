from itertools import product

import pytest

from tests.fakes import an_attempt
from verification.attempts import LIVE, MOVES, Outcome, Passed, Reason, Rejected, Status
from verification.errors import AttemptOver

ENDS = sorted(set(Status) - LIVE)
OUTCOMES: list[Outcome] = [Passed(), *map(Rejected, Reason)]


def test_every_status_has_its_moves_written_down() -> None:
    assert set(MOVES) == set(Status)
    assert {Status.RESERVED, Status.WAITING, Status.OPENED, Status.CONFIRMING} == LIVE
    assert {Status.SUCCEEDED, Status.FAILED, Status.EXPIRED, Status.CANCELLED} == set(ENDS)


@pytest.mark.parametrize(("old", "new"), list(product(Status, Status)))
def test_an_attempt_moves_only_along_the_table(old: Status, new: Status) -> None:
    attempt = an_attempt(status=old)
    if new not in MOVES[old]:
        with pytest.raises(AttemptOver):
            attempt.moved(new)
        return

    moved = attempt.moved(new)
    assert moved.status is new
    assert moved.live is (new in LIVE)
    assert moved.identity == (attempt.identity if new in LIVE else None)


@pytest.mark.parametrize(("old", "new"), list(product(ENDS, Status)))
def test_an_end_is_an_end(old: Status, new: Status) -> None:
    assert new not in MOVES[old]
    assert not an_attempt(status=old).live


@pytest.mark.parametrize("status", sorted(LIVE))
def test_every_live_attempt_can_expire_fail_and_be_cancelled(status: Status) -> None:
    assert {Status.FAILED, Status.EXPIRED, Status.CANCELLED} <= MOVES[status]


def test_nothing_succeeds_before_its_code_was_shown() -> None:
    assert Status.SUCCEEDED not in MOVES[Status.RESERVED]


def test_no_way_leads_back() -> None:
    order = [Status.RESERVED, Status.WAITING, Status.OPENED, Status.CONFIRMING]

    assert not any(earlier in MOVES[later] for at, later in enumerate(order) for earlier in order[: at + 1])


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_a_verdict_is_recorded_with_its_reason_and_without_the_identity(outcome: Outcome) -> None:
    judged = an_attempt(status=Status.CONFIRMING).judged(outcome)

    assert judged.status is (Status.SUCCEEDED if isinstance(outcome, Passed) else Status.FAILED)
    assert judged.reason is (outcome.reason if isinstance(outcome, Rejected) else None)
    assert judged.identity is None


@pytest.mark.parametrize(("told", "asked"), list(product(OUTCOMES, OUTCOMES)))
def test_a_verdict_is_known_again(told: Outcome, asked: Outcome) -> None:
    no_place = told == Rejected(Reason.QUOTA) and isinstance(asked, Passed)

    assert an_attempt().judged(told).has_outcome(asked) is (told == asked or no_place)


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_without_a_verdict_none_is_known(outcome: Outcome) -> None:
    assert not an_attempt().has_outcome(outcome)
    assert not an_attempt(status=Status.EXPIRED).has_outcome(outcome)
