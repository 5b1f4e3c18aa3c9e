"""kill -9 at every statement and every call of whole conversations, on both databases.

Each point belongs to the invariant it threatens most, and the test of that number tries it; every crash is checked
for all of them.
"""

from math import ceil

import pytest

from tests.crash.stories import BY_FACE, BY_QQ, BY_WECHAT
from tests.crash.sweep import ActionSequence, SweepEnvironment, sweep
from tests.reliability import Proof

_THREATS = (
    (1, ("getUpdates",)),
    (40, ("deleteMessage", "SCHEDULE_DELETION", "PENDING_DELETIONS", "DELETION_DONE")),
    (16, ("ACCOUNTS_OF", "TAKE_SLOT", "SLOT_OF")),
    (9, ("person ATTEMPT", "person LIVE_ATTEMPT", "person SAVE_ATTEMPT")),
    (7, ("attempt ATTEMPT", "attempt SAVE_ATTEMPT", "attempt POST")),
    (17, ("COMMIT attempt", "BEGIN attempt")),
    (3, ("after COMMIT",)),
    (26, ("after",)),
    (2, ("claim", "nobody", "code")),
    (8, ("person",)),
    (22, ("before",)),
)


def threatened(point: str) -> int:
    """The invariant that a crash at this point threatens most."""
    return next(number for number, marks in _THREATS if any(mark in point for mark in marks))


async def survive(environment: SweepEnvironment, proof: Proof, number: int, *stories: ActionSequence) -> None:
    for story in stories or (BY_WECHAT,):
        figures = await sweep(environment, story, lambda _, point: threatened(point) == number)
        proof(cases=figures.points, faults=figures.kills, losses=len(figures.losses))

        assert not figures.losses, "\n".join(figures.losses)
        # The order of parallel work differs a little from run to run, so that a few points are not passed again.
        assert len(figures.missed) <= ceil(figures.points / 10), figures.missed
        assert figures.kills or not figures.points


@pytest.mark.slow("crash")
async def test_inv01_killed_around_every_fetch_no_update_is_lost(environment: SweepEnvironment, proof: Proof) -> None:
    await survive(environment, proof, 1)


@pytest.mark.slow("crash")
async def test_inv02_killed_while_a_notice_is_claimed_or_settled_every_notice_is_sent(
    environment: SweepEnvironment, proof: Proof
) -> None:
    await survive(environment, proof, 2)


@pytest.mark.slow("crash")
async def test_inv03_killed_right_after_every_commit_nothing_happens_twice(
    environment: SweepEnvironment, proof: Proof
) -> None:
    await survive(environment, proof, 3)


async def test_inv07_killed_while_an_attempt_moves_none_that_ended_moves_again(
    environment: SweepEnvironment, proof: Proof
) -> None:
    await survive(environment, proof, 7)


async def test_inv08_killed_at_every_statement_of_a_turn_the_user_continues_where_they_were(
    environment: SweepEnvironment, proof: Proof
) -> None:
    await survive(environment, proof, 8)


@pytest.mark.slow("crash")
async def test_inv09_killed_while_an_attempt_begins_one_lives(environment: SweepEnvironment, proof: Proof) -> None:
    await survive(environment, proof, 9)


async def test_inv16_killed_around_every_query_of_quota_slots_one_slot_is_taken(
    environment: SweepEnvironment, proof: Proof
) -> None:
    await survive(environment, proof, 16)


@pytest.mark.slow("crash")
async def test_inv17_killed_around_the_verdict_of_every_method_success_and_slot_come_together(
    environment: SweepEnvironment, proof: Proof
) -> None:
    await survive(environment, proof, 17, BY_WECHAT, BY_QQ, BY_FACE)


@pytest.mark.slow("crash")
async def test_inv22_killed_before_every_call_its_answer_is_shown_all_the_same(
    environment: SweepEnvironment, proof: Proof
) -> None:
    await survive(environment, proof, 22)


async def test_inv26_killed_after_every_call_it_is_repeated_once_at_most(
    environment: SweepEnvironment, proof: Proof
) -> None:
    await survive(environment, proof, 26)


async def test_inv40_killed_while_a_typed_secret_is_deleted_it_is_deleted_all_the_same(
    environment: SweepEnvironment, proof: Proof
) -> None:
    await survive(environment, proof, 40)
