"""Measures our bot beside others: `make bench`. docs/performance.md says how to read what it prints."""

import argparse
from pathlib import Path

import uvloop

from bench.bots import ROOT
from bench.matrix import quick_matrix, whole_matrix
from bench.picture import draw
from bench.process import cores, pinned_to
from bench.report import page, tables

PAGE = ROOT / "docs" / "performance.md"


def main() -> None:
    """Measure, print the tables, and write the page if it was the whole matrix or a page was named."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="ours, aiogram and the floor, once, in about a minute")
    parser.add_argument("--repetitions", type=int, default=3, help="how often each row is measured")
    parser.add_argument("--minutes", type=float, default=25, help="when no further run is begun")
    parser.add_argument("--page", type=Path, help="where the page is written; its picture goes to pictures/ beside it")
    options = parser.parse_args()

    matrix = quick_matrix() if options.quick else whole_matrix(options.repetitions, options.minutes)
    with pinned_to(cores()[1]):
        results = uvloop.run(matrix.run())
    print(tables(results))
    target = options.page or (None if options.quick else PAGE)
    if target is not None:
        load, rows = next(iter(results.items()))
        target.write_text(page(results, repetitions=matrix.repetitions), "utf-8")
        (target.parent / "pictures" / "performance.svg").write_text(draw(load, rows), "utf-8")


if __name__ == "__main__":
    main()
