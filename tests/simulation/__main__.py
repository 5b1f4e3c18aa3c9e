"""Runs stories from seeds: `python -m tests.simulation --stories 1000 --seed 1`; a failing one names its seed."""

import argparse
import sys
import time

from tests.simulation.run_stories import LENGTH, problems_of


def main() -> int:
    """Run them, and print the result."""
    asked = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    asked.add_argument("--stories", type=int, default=1000)
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--length", type=int, default=LENGTH)
    given = asked.parse_args()
    began, failures = time.perf_counter(), 0
    for number in range(given.stories):
        seed = given.seed + number
        wrong = problems_of(seed, length=given.length)
        if wrong:
            failures += 1
            sys.stdout.write(f"\nSeed {seed} fails; repeat it: python -m tests.simulation --stories 1 --seed {seed}")
            sys.stdout.write(f" --length {given.length}\n{wrong}\n")
        if sys.stdout.isatty() or (number + 1) % 100 == 0:
            sys.stdout.write(f"\r{number + 1} stories, {failures} failed, {time.perf_counter() - began:.1f} s")
            sys.stdout.flush()
    sys.stdout.write("\n")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
