"""The runner itself: which faults it plants, and that it tells a killed one from one that survived."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.mutants.mutant import Mutant, changed_lines
from tests.mutants.trial import Fate, changed_functions, changed_names

SOURCE = '''
"""A module."""
import logging
log = logging.getLogger(__name__)
CODES = {"11", "12", "13"}
LIMIT: int = 20
OnCode = Callable[[str], None]
T = TypeVar("T", bound=str)
QUERY = "SELECT id FROM attempts WHERE status <= $1 AND live"

def allowed(code: str, count: int) -> bool:
    if code == "11" and count > 3:
        log.info("no %s", code)
        raise ValueError(f"{code}")
    CODES.clear()
    return count < LIMIT
'''


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, str]]:
    """Every fault in that module, as the lines before and after."""
    from tests.mutants.mutations import sites_of

    folder = tmp_path_factory.mktemp("planted")
    (folder / "planted.py").write_text(SOURCE, "utf-8")
    sites = sites_of(folder / "planted.py", folder)
    made = [site.mutant(change) for site in sites for change in site.changes]
    return [(mutant.before, mutant.after) for mutant in made if mutant is not None]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('CODES = {"11", "12", "13"}', 'CODES = {"11", "13"}'),
        ("LIMIT: int = 20", "LIMIT: int = 21"),
        (SOURCE.splitlines()[8], SOURCE.splitlines()[8].replace("<=", "<")),
        (SOURCE.splitlines()[8], SOURCE.splitlines()[8].replace("AND", "OR")),
        ('if code == "11" and count > 3:', 'if (code == "11"):'),
        ('if code == "11" and count > 3:', "if (count > 3):"),
        ('if code == "11" and count > 3:', "if False:"),
        ('if code == "11" and count > 3:', 'if code == "11" and count >= 3:'),
        ("CODES.clear()", "pass"),
        ("return count < LIMIT", "return count <= LIMIT"),
    ],
)
def test_a_fault_is_planted_in_tables_guards_and_statements(
    planted: list[tuple[str, str]], before: str, after: str
) -> None:
    assert (before, after) in planted


def test_nothing_is_planted_in_docstrings_logs_errors_and_types(planted: list[tuple[str, str]]) -> None:
    changed = "\n".join(before for before, _ in planted)

    assert not any(
        word in changed for word in ("module", "getLogger", "log.info", "raise", "def ", "OnCode", "TypeVar")
    )


def test_the_lines_that_a_fault_changes_are_named_without_the_lines_around_them() -> None:
    assert changed_lines("a\n  b\nc\n", "a\n  x\nc\n") == ("b", "x")
    assert changed_lines("a\nb\nb\nc\n", "a\nb\nc\n") == ("b", "")


TRY = """
import os, sys
from tests.mutants import trial
from tests.mutants.mutant import Mutant
test, *sources = sys.argv[1:]
trial.warm_up()
trials = [(Mutant("verification/numbers/permit.py", range(1), "", "", source), [[test]]) for source in sources]
importing, collected = trials[:3], trials[3:]
for mutant, groups in importing:
    print(trial.fate(os.waitpid(trial.start(mutant, groups, {}), 0)[1]).value)
for _, fate in trial.try_collected(collected, [test.partition("::")[0]], {}, 1):
    print(fate.value)
"""


@pytest.mark.slow("programs")
def test_a_fault_is_killed_survives_or_cannot_be_imported() -> None:
    file = Path("verification/numbers/permit.py")
    original = file.read_text("utf-8")
    test = "tests/verification/test_number_tables.py::test_inv35_a_number_of_each_code_is_judged_as_the_table_says[81]"
    in_tables = original.replace('"81"', '"84"'), original.replace('"82"', '"84"'), original + "\n1 / 0\n"
    in_functions = original.replace("in REGIONS", "not in REGIONS"), original.replace("[:2]", "[:-16]")
    # In another process: this one has imported the module already.
    argv = [sys.executable, "-c", TRY, test, *in_tables, *in_functions]
    said = subprocess.run(argv, capture_output=True, text=True, check=True)

    fates = [Fate.KILLED, Fate.SURVIVED, Fate.UNBORN, Fate.KILLED, Fate.SURVIVED]
    assert said.stdout.splitlines() == [fate.value for fate in fates]
    assert file.read_text("utf-8") == original


def test_only_what_is_inside_functions_is_put_into_a_process_that_has_imported_the_module() -> None:
    path = "verification/numbers/permit.py"
    original = Path(path).read_text("utf-8")
    inside, of_the_module, of_nothing = (
        changed_functions(Mutant(path, range(1), "", "", source))
        for source in (original.replace("in REGIONS", "not in REGIONS"), original.replace('"81"', '"84"'), original)
    )

    assert [old.co_name for old, _ in inside or ()] == ["matches"]
    assert of_the_module is None
    assert of_nothing == []


def test_a_fault_in_one_statement_changes_those_made_of_it_and_no_other() -> None:
    path = "storage/statements.py"
    fault = Path(path).read_text("utf-8").replace('_EXPIRE = "UPDATE attempts', '_EXPIRE = "UPDATE tries')

    assert changed_names(Mutant(path, range(1), "", "", fault)) == {"_EXPIRE", "ABANDON"}


def test_each_survivor_that_is_accepted_is_still_in_the_code_and_has_a_reason() -> None:
    named = tomllib.loads(Path("tests/mutants/equivalent.toml").read_text("utf-8")).get("survivor", [])

    for each in named:
        lines = [line.strip() for line in Path(each["module"]).read_text("utf-8").splitlines()]
        assert [line for line in each["before"].splitlines() if line not in lines] == []
        assert each["after"] != each["before"]
        assert len(each["reason"]) > 20
