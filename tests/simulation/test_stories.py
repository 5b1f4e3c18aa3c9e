"""Random stories, from seeds and chosen by Hypothesis, which shrinks a failing one.

Every invariant must hold at the end of each.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from tests.reliability import Proof
from tests.simulation.acts import ACTS, RandomAction, begin, happen
from tests.simulation.run_stories import run_story
from tests.simulation.story import Story, story

SLOW_CHUNKS, CHUNK = 40, 20
QUICK_SEEDS = (7, 20, 29, 31, 38, 57)
"""A few stories for `make test`, with each vendor and the network identity; `make test-all` runs all of them."""


class Stories(RuleBasedStateMachine):
    """A story in which Hypothesis chooses every action."""

    def __init__(self) -> None:
        super().__init__()
        self._stack = ExitStack()
        self._story: Story | None = None

    @initialize(seed=st.integers(0, 2**32), data=st.data())
    def begins(self, seed: int, data: st.DataObject) -> None:
        self._story = self._stack.enter_context(story(seed))
        begin(self._story, _drawn(data))

    @rule(act=st.sampled_from(ACTS), data=st.data())
    def happens(self, act: RandomAction, data: st.DataObject) -> None:
        assert self._story is not None
        happen(self._story, act, _drawn(data))

    def teardown(self) -> None:
        with self._stack:
            if self._story is not None:
                self._story.finish()


def _drawn(data: st.DataObject) -> Any:
    def pick(among: Sequence[Any]) -> Any:
        return among[data.draw(st.integers(0, len(among) - 1))]

    return pick


Stories.TestCase.settings = settings(
    max_examples=200,
    stateful_step_count=16,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
TestStories = pytest.mark.slow("stories")(Stories.TestCase)


@pytest.mark.parametrize(
    "seeds",
    [
        pytest.param(QUICK_SEEDS, id="a few"),
        *(
            pytest.param(
                range(chunk * CHUNK, (chunk + 1) * CHUNK), id=f"{chunk * CHUNK}-", marks=pytest.mark.slow("stories")
            )
            for chunk in range(SLOW_CHUNKS)
        ),
    ],
)
def test_inv08_after_whatever_happened_everybody_goes_on_where_they_were(seeds: Sequence[int], proof: Proof) -> None:
    """A failing story says how to repeat it: `python -m tests.simulation --stories 1 --seed SEED`."""
    stories = [run_story(seed) for seed in seeds]

    proof(cases=len(stories), faults=sum(story.faults for story in stories))


@pytest.mark.parametrize("seed", [29, pytest.param(57, marks=pytest.mark.slow("stories"))])
def test_a_seed_tells_the_same_story_twice(seed: int) -> None:
    assert run_story(seed).trace() == run_story(seed).trace()
