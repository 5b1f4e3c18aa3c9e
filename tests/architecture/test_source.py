"""What holds for every source file: who may import whom, who may read the clock, and that each says what it is for."""

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PARTS = ("bot", "web", "storage", "verification", "playground", "chatscript")
SOURCES = sorted(
    [ROOT / "run_bot.py", ROOT / "command_line.py", *(path for part in PARTS for path in (ROOT / part).rglob("*.py"))]
)

OUTSIDE = {
    "datetime.now",
    "datetime.utcnow",
    "datetime.today",
    "date.today",
    "time.time",
    "time.time_ns",
    "time.monotonic",
    "os.environ",
    "os.getenv",
    "os.urandom",
    "uuid",
    "uuid4",
    "secrets",
    "random",
}
ALLOWED = {
    "bot/clock.py": {"datetime.now", "secrets"},
    "bot/env_file.py": {"os.environ"},
    "bot/systemd.py": {"os.environ"},
    "bot/testing/fork_server.py": {"os.environ"},
    "storage/encryption/sealing.py": {"secrets"},
    "run_bot.py": {"os.environ", "secrets"},
    "playground": OUTSIDE,
    "chatscript": OUTSIDE,
}
"""`bot/clock.py` is the bot's clock and its source of chance; `bot/env_file.py` reads the variables;
systemd names its socket in the environment; the fork server gives each bot its environment; sealing draws keys, nonces
and names of draft files; `run_bot.py` turns off pydantic's plugins and draws the key of the playground's desk. The
playground is a world of its own.
"""

BROAD = {
    "bot/jobs/cleanup.py",  # a loop that must not end: messages that hold a number wait for it
    "bot/handlers/inline.py",  # an answer that nobody may need must not end the program
    "bot/intake.py",  # whatever a handler raises, the update is set aside and the next one flows
    "bot/testing/fork_server.py",  # a fork ends here, whatever the bot raised: it never runs on in its parent's code
    "bot/engine/session_opener.py",  # a session that nobody waits for any more is opened again
    "verification/providers/guarded.py",  # a call that is cut off counts as a failure, and is raised again
    "bot/engine/delivery_queue.py",  # whatever showing a turn raises, the person's other turns and other people go on
    "bot/engine/replicas.py",  # whatever ends a program, its sign of life is taken away if that can be done
    "bot/jobs/result_webhook.py",  # the loop that must not end: verdicts wait for it
    "bot/engine/runner.py",  # a dialogue nobody can read must not keep the program from starting
    "bot/engine/notices.py",  # the loop that must not end
    "bot/engine/reminders.py",  # the loop that must not end; one person's reminder keeps nobody else from theirs
    "storage/postgres.py",  # a unit rolls back whatever happened, and raises it again
    "bot/handlers/api/calls.py",  # a call whose failure does not matter must end nothing
    "bot/handlers/staff/menu.py",  # the menu of one of staff must not end the program
    "bot/handlers/background.py",  # an error in one reply must not end the program
    "storage/sqlite_group.py",  # the caller of a body gets what it raised; nobody may wait for ever
    "storage/sqlite.py",  # a unit rolls back whatever happened, and raises it again
    "verification/provider_polling.py",  # the loop that must not end: verdicts wait for it
    "web/middleware.py",  # the last resort of a request
}


OPINIONS = {
    "is_global",
    "is_link_local",
    "is_loopback",
    "is_multicast",
    "is_private",
    "is_reserved",
    "is_site_local",
    "is_unspecified",
}
"""What Python says of an address changes between releases: `verification/providers/addresses.py` says it instead."""


UNMEASURED = re.compile(r"#\s*pragma: no (?:cover|branch)(?P<reason>.*)")


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def read(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def read_with(paths: Iterable[Path], *words: str) -> Iterator[tuple[Path, ast.Module]]:
    """Parse the files that hold one of these words: parsing all of them takes long."""
    return ((path, read(path)) for path in paths if any(word in path.read_text(encoding="utf-8") for word in words))


def dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else "?"


def outside_facts(tree: ast.Module) -> Iterator[str]:
    """What of the outside a file touches: by its whole name, by the end of it, or by its module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute | ast.Name):
            words = dotted(node).split(".")
            yield from {".".join(words[-2:]), words[0], words[-1]} & OUTSIDE


@dataclass(frozen=True)
class SourceFacts:
    """What the tests need of a file, since parsing all of them takes a second."""

    path: Path
    says_what_it_is_for: bool
    outside: frozenset[str]
    acts_when_imported: bool


@cache
def facts() -> list[SourceFacts]:
    return [facts_of(path, read(path)) for path in SOURCES]


def facts_of(path: Path, tree: ast.Module) -> SourceFacts:
    paragraph = (ast.get_docstring(tree) or "").split("\n\n")[0]
    acts = any(
        (isinstance(node, ast.Expr) and isinstance(node.value, ast.Call))
        or isinstance(node, ast.For | ast.While | ast.With | ast.Try)
        for node in tree.body
    )
    return SourceFacts(path, paragraph.endswith("."), frozenset(outside_facts(tree)), acts)


def allowed(path: Path) -> set[str]:
    name = name_of(path)
    return ALLOWED.get(name, set()) | ALLOWED.get(name.split("/")[0], set())


def broad_catches(tree: ast.Module) -> list[ast.ExceptHandler]:
    handlers = [node for node in ast.walk(tree) if isinstance(node, ast.ExceptHandler)]
    return [node for node in handlers if node.type is None or dotted(node.type) in ("Exception", "BaseException")]


def test_every_file_says_in_a_sentence_what_it_is_for() -> None:
    assert not [name_of(file.path) for file in facts() if not file.says_what_it_is_for]


def test_time_chance_and_environment_come_in_at_one_place() -> None:
    found = {name_of(file.path): file.outside - allowed(file.path) for file in facts()}

    assert not {name: touched for name, touched in found.items() if touched}


@pytest.mark.parametrize("name", [name for name in ALLOWED if name.endswith(".py")])
def test_whoever_may_touch_the_outside_still_does(name: str) -> None:
    assert set(outside_facts(read(ROOT / name))) == ALLOWED[name]


@pytest.mark.parametrize(
    "sin",
    [
        "datetime.now(UTC)",
        "datetime.datetime.utcnow()",
        "time.time()",
        "os.environ['X']",
        "uuid.uuid4()",
        "uuid4()",
        "random.random()",
        "secrets.token_hex()",
    ],
)
def test_a_planted_sin_is_found(sin: str) -> None:
    assert set(outside_facts(ast.parse(f"def rule():\n    return {sin}")))


def opinions(tree: ast.Module) -> set[str]:
    return {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)} & OPINIONS


def test_ssrf_no_address_is_judged_as_the_python_at_hand_would_judge_it() -> None:
    assert not {name_of(path): found for path, tree in read_with(SOURCES, *OPINIONS) if (found := opinions(tree))}
    assert opinions(ast.parse("ip.is_global and not ip.is_multicast")) == {"is_global", "is_multicast"}


def left_open(tree: ast.Module) -> list[ast.expr]:
    """SQLite connections that a `with` commits; none of these is closed by it."""
    return [
        item.context_expr
        for node in ast.walk(tree)
        if isinstance(node, ast.With)
        for item in node.items
        if isinstance(item.context_expr, ast.Call) and dotted(item.context_expr.func) == "sqlite3.connect"
    ]


def test_no_connection_to_a_file_is_left_open() -> None:
    tests = [path for part in ("tests", "bench") for path in (ROOT / part).rglob("*.py")]

    assert not [name_of(path) for path, tree in read_with([*SOURCES, *tests], "sqlite3.connect") if left_open(tree)]
    assert left_open(ast.parse("with sqlite3.connect(path) as database: pass"))
    assert not left_open(ast.parse("with closing(sqlite3.connect(path)) as database: pass"))


def test_nothing_happens_when_a_file_is_imported() -> None:
    assert not [name_of(file.path) for file in facts() if file.acts_when_imported]


def test_everything_is_caught_only_where_a_reason_stands() -> None:
    files = read_with(SOURCES, "except:", "Exception")

    assert {name_of(path) for path, tree in files if broad_catches(tree)} <= BROAD


def test_code_that_coverage_leaves_out_says_why() -> None:
    silent = [
        f"{name_of(path)}:{number}"
        for path in SOURCES
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if (found := UNMEASURED.search(line)) and len(found["reason"]) < 10
    ]

    assert silent == []
