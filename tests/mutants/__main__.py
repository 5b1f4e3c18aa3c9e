"""Plants a seeded sample of faults in each package, and prints how many of them a test finds."""

import argparse
import json
import os
import random
import re
import sys
import tempfile
import tomllib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, partial
from itertools import islice
from pathlib import Path

from coverage import CoverageData

from tests.mutants import trial
from tests.mutants.mutant import Mutant
from tests.mutants.mutations import sites_of
from tests.mutants.trial import Fate, Groups

ROOT = Path(__file__).parents[2]
PACKAGES: Mapping[str, tuple[str, ...]] = {
    "verification": ("tests/verification", "tests/contracts"),
    "bot/flow": ("tests/bot/flow",),
    "bot/engine": ("tests/bot/engine",),
    "storage": ("tests/storage", "tests/contracts", "tests/bot/cli/test_commands.py"),
}
"""The packages that mutants are drawn from, and the folders whose tests are run."""

_NOT_TRIED = {"storage/postgres.py", "storage/backup/postgres_copy.py"}
"""Each trial would start a server; the same promises are tried on it by `make test`."""
_STATEMENTS = {"storage/statements.py", "storage/support_statements.py"}
"""Others read these modules' constants when they use them, never when they are imported."""
_OF_TABLES = tuple(f"tests/architecture/test_{name}.py" for name in ("defaults", "hidden_fields", "stored_words"))
"""Tests of what an import makes: they run no line of a module."""
_ACCEPTED = Path(__file__).with_name("equivalent.toml")
_ENOUGH = 0.95


@dataclass(frozen=True, slots=True)
class Tried:
    """A mutant and what became of it."""

    mutant: Mutant
    fate: Fate
    reason: str | None

    @property
    def killed(self) -> bool:
        return self.fate in (Fate.KILLED, Fate.ENDLESS)

    @property
    def survived(self) -> bool:
        return self.fate in (Fate.SURVIVED, Fate.UNSEEN) and self.reason is None

    @property
    def accepted(self) -> bool:
        return self.reason is not None


def sample(part: str, size: int, seed: int) -> Iterator[Mutant]:
    """Draw mutants of a package or module: places first, so that one with many mutants weighs no more than another."""
    inside = sorted((ROOT / part).rglob("*.py")) or [ROOT / part]
    files = [file for file in inside if file.relative_to(ROOT).as_posix() not in _NOT_TRIED]
    sites = [site for file in files for site in sites_of(file, ROOT)]
    drawn = random.Random(f"{part} {seed}")
    drawn.shuffle(sites)
    made = (site.mutant(drawn.choice(site.changes)) for site in sites)
    return islice((mutant for mutant in made if mutant is not None), size)


@dataclass(frozen=True, eq=False)
class Noted:
    """What a run of a package's tests without any fault has shown."""

    covered: CoverageData
    costs: Mapping[str, float]
    """CPU seconds of each test."""


def noted_of(package: str, folder: Path) -> Noted:
    """Note which lines of the package each test runs; what the folder holds from an earlier run is used again."""
    data = folder / package.replace("/", "-")
    costs = data.with_suffix(".json")
    if not (data.exists() and costs.exists()):
        data.unlink(missing_ok=True)
        # Not those of `make coverage`, which measure branches and other processes too.
        settings = data.with_suffix(".ini")
        settings.write_text(f"[run]\ndata_file = {data}\n", "utf-8")
        noted = (
            f"--cov={package.replace('/', '.')}",
            f"--cov-config={settings}",
            "--cov-context=test",
            "--cov-report=",
        )
        if not trial.run([*noted, *PACKAGES[package]], costs):
            data.unlink(missing_ok=True)
            raise SystemExit(f"a test of {package} fails without any fault")
    found = CoverageData(str(data))
    found.read()
    return Noted(found, json.loads(costs.read_text("utf-8")))


def tests_that_see(mutant: Mutant, noted: Noted) -> Groups:
    """The tests that run a line of the mutant, and then the others of their files if those may read what one cached.

    What the import runs is seen by all tests of the package's folders, for a test that only compares constants runs no
    line: first by those that run a line of the module.
    """
    lines = _tests_by_line(mutant.path, noted)
    if is_put_in_place(mutant, noted):
        seen = tests_of_statement(mutant, noted) if mutant.path in _STATEMENTS else set[str]()
        seen = seen.union(*(lines.get(line, set()) for line in mutant.lines)) - {""}
        cached = "@cache" in mutant.source
        files = {name.partition("::")[0] for name in seen}
        return [seen, {file for file in files if cached or 'scope="module"' in (ROOT / file).read_text("utf-8")}]
    folders = PACKAGES[package_of(mutant.path)]
    others = {file.relative_to(ROOT).as_posix() for folder in folders for file in (ROOT / folder).rglob("test_*.py")}
    return [set[str](_OF_TABLES).union(*lines.values()) - {""}, others]


@cache
def _tests_by_line(path: str, noted: Noted) -> Mapping[int, set[str]]:
    """The tests that run each line of a file; the import is one without a name."""
    by_line = noted.covered.contexts_by_lineno(str(ROOT / path))
    return {line: {name.partition("|")[0] for name in names} for line, names in by_line.items()}


def tests_of_statement(mutant: Mutant, noted: Noted) -> set[str]:
    """The tests that run a line with the name of a statement that the mutant changes."""
    names = "|".join(trial.changed_names(mutant))
    if not names:
        return set()
    used = re.compile(rf"\b({names})\b")
    return set[str]().union(
        *(
            _tests_by_line(file.relative_to(ROOT).as_posix(), noted).get(number, set())
            for file in (ROOT / package_of(mutant.path)).rglob("*.py")
            for number, line in enumerate(file.read_text("utf-8").splitlines(), 1)
            if used.search(line)
        )
    )


def is_put_in_place(mutant: Mutant, noted: Noted) -> bool:
    """Whether a process that has imported the module already can be given the fault."""
    lines = _tests_by_line(mutant.path, noted)
    is_run_by_import = any("" in lines.get(line, ()) for line in mutant.lines)
    return mutant.path in _STATEMENTS or (not is_run_by_import and bool(trial.changed_functions(mutant)))


def try_all(mutants: Iterable[Mutant], noted: Noted, jobs: int) -> Iterator[tuple[Mutant, Fate]]:
    """Run the trials, so many at a time: first those of what the import runs."""
    inside, others = list[tuple[Mutant, Groups]](), list[tuple[Mutant, Groups]]()
    for mutant in mutants:
        groups = tests_that_see(mutant, noted)
        if not is_put_in_place(mutant, noted):
            others.append((mutant, groups))
        elif groups[0]:
            inside.append((mutant, groups))
        else:
            yield mutant, Fate.UNSEEN
    begin = [partial(trial.start, mutant, groups, noted.costs) for mutant, groups in others]
    for at, status in trial.side_by_side(begin, jobs):
        yield others[at][0], trial.fate(status)
    if inside:
        yield from trial.try_collected(inside, PACKAGES[package_of(inside[0][0].path)], noted.costs, jobs)


def accepted() -> dict[tuple[str, str, str], str]:
    """The survivors that are named, each with its reason; raises `SystemExit` for one whose code has changed."""
    named = tomllib.loads(_ACCEPTED.read_text("utf-8")).get("survivor", [])
    for each in named:
        lines = [line.strip() for line in (ROOT / each["module"]).read_text("utf-8").splitlines()]
        if any(line not in lines for line in each["before"].splitlines()):
            raise SystemExit(f"{_ACCEPTED.name} names code that is no longer in {each['module']}: {each['before']}")
    return {(each["module"], each["before"], each["after"]): each["reason"] for each in named}


def table(tried: Collection[Tried]) -> str:
    """The rate of each module, and of each package."""
    rows = [f"{'':40} {'mutants':>8} {'killed':>7} {'survived':>9} {'accepted':>9} {'rate':>6}"]
    modules = {each.mutant.path for each in tried}
    for name in (*sorted(modules), *PACKAGES):
        of = [each for each in tried if each.mutant.path == name or each.mutant.path.startswith(f"{name}/")]
        if of:
            killed, survived, excused = (
                sum(e.killed for e in of),
                sum(e.survived for e in of),
                sum(e.accepted for e in of),
            )
            born = killed + survived + excused
            rows.append(f"{name:40} {born:8} {killed:7} {survived:9} {excused:9} {rate(of):6.0%}")
    return "\n".join(rows)


def rate(tried: Collection[Tried]) -> float:
    """How many of the mutants that count were killed."""
    killed = sum(each.killed for each in tried)
    counted = killed + sum(each.survived for each in tried)
    return killed / counted if counted else 1.0


def package_of(path: str) -> str:
    """The package that a path lies in."""
    return next(name for name in PACKAGES if f"{path}/".startswith(f"{name}/"))


def main() -> int:
    options = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    options.add_argument("part", nargs="*", default=list(PACKAGES), help="packages or modules (default: all packages)")
    options.add_argument("--sample", type=int, default=100, help="mutants of each part (default: 100)")
    options.add_argument("--seed", type=int, default=1, help="another sample (default: 1)")
    options.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="trials at a time")
    options.add_argument("--keep", type=Path, help="a folder for what each test runs, used again by the next run")
    chosen = options.parse_args()
    os.chdir(ROOT)
    reasons, tried = accepted(), list[Tried]()
    trial.warm_up()
    with tempfile.TemporaryDirectory() as folder:
        for part in chosen.part:
            noted, untried = noted_of(package_of(part), chosen.keep or Path(folder)), list[Mutant]()
            for mutant in sample(part, chosen.sample, chosen.seed):
                reason = reasons.get((mutant.path, mutant.before, mutant.after))
                if reason is None:
                    untried.append(mutant)
                else:
                    # A survivor takes the longest: every test that sees it passes.
                    tried.append(Tried(mutant, Fate.SURVIVED, reason))
            for mutant, fate in try_all(untried, noted, chosen.jobs):
                tried.append(Tried(mutant, fate, None))
                _report(tried[-1])
    print(table(tried))
    packages = {package_of(each.mutant.path) for each in tried}
    rates = (rate([each for each in tried if package_of(each.mutant.path) == name]) for name in packages)
    return int(min(rates, default=1.0) < _ENOUGH)


def _report(tried: Tried) -> None:
    print(".", end="", flush=True)
    if tried.fate in (Fate.SURVIVED, Fate.UNSEEN, Fate.ENDLESS):
        print(f"\n{tried.mutant.path}:{tried.mutant.lines.start} {tried.fate.value}")
        print(f"- {tried.mutant.before}\n+ {tried.mutant.after}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
