"""Runs stories from seeds."""

from tests.simulation.acts import ACTS, begin, happen
from tests.simulation.machine import MakeStore, real_store
from tests.simulation.story import InvariantBroken, Story, seeded, story

LENGTH = 16


def run_story(seed: int, *, length: int = LENGTH, make_store: MakeStore = real_store) -> Story:
    """Run the story of a seed to its end; raises `InvariantBroken`, and says how to repeat it."""
    pick = seeded(seed)
    with story(seed, make_store) as told:
        told.tell(f"repeat it: python -m tests.simulation --stories 1 --seed {seed} --length {length}")
        begin(told, pick)
        for _ in range(length):
            happen(told, pick(ACTS), pick)
        told.finish()
        return told


def problems_of(seed: int, *, length: int = LENGTH, make_store: MakeStore = real_store) -> str:
    """What is wrong in the story of a seed; nothing when all is well."""
    try:
        run_story(seed, length=length, make_store=make_store)
    except InvariantBroken as broken:
        return str(broken)
    return ""
