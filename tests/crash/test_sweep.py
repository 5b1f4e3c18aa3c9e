"""kill -9 at every statement and every call of whole conversations, on both databases, each point once.

Every death is checked for everything: a test's number says which invariant its own points threaten most.
"""

import pytest

from tests.crash.stories import EXPIRED, FACE, FAILED, PASSED, Act
from tests.crash.sweep import Figures, Ground, Story, Wanted, swept
from tests.reliability import Proof

PARTS = 2
_PLAIN = [act for act in PASSED if act.name not in {"name", "number", "pass"}]
in_parts = pytest.mark.parametrize("part", range(PARTS))


async def survived(ground: Ground, proof: Proof, story: Story, wanted: Wanted, part: int = 0, parts: int = 1) -> None:
    figures = await swept(ground, story, wanted, part, parts)
    proof(cases=figures.points, faults=figures.kills, losses=len(figures.losses))

    assert not figures.losses, "\n".join(figures.losses)
    # How two things that run side by side take turns differs a little from run to run.
    assert len(figures.missed) <= figures.points // 10, figures.missed


def within(acts: Story, *marks: str, but: tuple[str, ...] = ()) -> Wanted:
    """Points of these acts that hold one of the marks, and none of the others."""

    def wanted(act: Act, point: str) -> bool:
        return act in acts and any(mark in point for mark in marks) and not any(mark in point for mark in but)

    return wanted


def new_in(story: Story) -> Wanted:
    """All points of the acts that no story before has."""
    return within([act for act in story if act not in PASSED], "")


async def test_inv01_killed_around_every_fetch_of_updates_none_is_lost(ground: Ground, proof: Proof) -> None:
    await survived(ground, proof, PASSED, within(_PLAIN, "getUpdates"))


async def test_inv02_killed_in_the_transactions_of_the_core_and_of_notices_nothing_stays_claimed(
    ground: Ground, proof: Proof
) -> None:
    others = ("attempt", "code", "claim", "nobody")
    await survived(ground, proof, PASSED, within(_PLAIN, *others, but=("after",)))


async def test_inv03_killed_right_after_every_commit_nothing_happens_twice(ground: Ground, proof: Proof) -> None:
    await survived(ground, proof, PASSED, within(_PLAIN, "after COMMIT"))


@in_parts
async def test_inv07_killed_at_every_point_around_an_expiry_no_ended_attempt_moves(
    ground: Ground, proof: Proof, part: int
) -> None:
    await survived(ground, proof, EXPIRED, new_in(EXPIRED), part, PARTS)


@in_parts
async def test_inv08_killed_at_every_statement_of_a_persons_turn_they_go_on_where_they_were(
    ground: Ground, proof: Proof, part: int
) -> None:
    await survived(ground, proof, PASSED, within(_PLAIN, "person", but=("after",)), part, PARTS)


@in_parts
async def test_inv09_killed_at_every_point_of_the_way_by_face_one_attempt_lives(
    ground: Ground, proof: Proof, part: int
) -> None:
    await survived(ground, proof, FACE, new_in(FACE), part, PARTS)


@in_parts
async def test_inv16_killed_at_every_point_of_a_failure_and_another_try_one_place_is_taken(
    ground: Ground, proof: Proof, part: int
) -> None:
    await survived(ground, proof, FAILED, new_in(FAILED), part, PARTS)


async def test_inv17_killed_at_every_point_of_the_verdict_success_and_place_come_together(
    ground: Ground, proof: Proof
) -> None:
    await survived(ground, proof, PASSED, within(PASSED[-1:], ""))


async def test_inv22_killed_before_every_call_its_answer_is_shown_all_the_same(ground: Ground, proof: Proof) -> None:
    calls = ("send", "edit", "delete", "answer")
    await survived(ground, proof, PASSED, within(_PLAIN, *(f"before {call}" for call in calls)))


async def test_inv26_killed_after_every_call_it_is_repeated_once_at_most(ground: Ground, proof: Proof) -> None:
    calls = ("send", "edit", "delete", "answer")
    await survived(ground, proof, PASSED, within(_PLAIN, *(f"after {call}" for call in calls)))


@in_parts
async def test_inv40_killed_at_every_point_of_a_typed_name_and_number_both_vanish_from_the_chat(
    ground: Ground, proof: Proof, part: int
) -> None:
    await survived(ground, proof, PASSED, within(PASSED[3:5], ""), part, PARTS)
