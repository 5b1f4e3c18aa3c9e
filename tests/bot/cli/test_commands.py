"""The operators' commands on the command line: their output and exit status."""

import asyncio
import base64
import os
import re
import secrets
import sqlite3
import stat
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from command_line import app
from storage import open_store
from storage.encryption.key_file import KeyFile
from storage.encryption.sealing import Sealing, parse_sealing
from storage.lockfile import file_lock
from tests.fakes import NOON, NUMBER, make_attempt, make_identity
from tests.open_unit import open_unit
from verification.attempts import AttemptStatus
from verification.dialogue_store import Consent
from verification.ids import PersonId, own_account

PERSON = PersonId("telegram:100012345")
ACCOUNT = own_account(PERSON)
INDEX = base64.b64encode(b"i" * 32).decode()


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder, without the developer's own settings."""
    for name in os.environ:
        if name in {"BOT_TOKEN", "DATABASE_URL", "DATA_DIR", "ENCRYPTION_KEYS", "INDEX_KEY", "PUBLIC_URL"}:
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*words: str, **env: str) -> Result:
    return CliRunner(env=env).invoke(app, list(words))


def store_person(sealing: Sealing | None = None) -> None:
    """Store a verified person with every kind of record."""
    asyncio.run(_store_person(sealing or KeyFile(Path("data/keys.json")).sealing()))


async def _store_person(keys: Sealing) -> None:
    async with open_store("sqlite:///data/bot.sqlite3", sealing=keys) as store, open_unit(store, ACCOUNT) as unit:
        attempt = make_attempt("a1", ACCOUNT, status=AttemptStatus.SUCCEEDED, identity=None, contact="telegram:7")
        await unit.save_attempt(attempt)
        await unit.take_slot(attempt, make_identity(NUMBER), NOON)
        await unit.save_dialogue(PERSON, "text", language="zh", now=NOON)
        await unit.save_dialogue(PersonId("telegram:7"), "text", language="zh", now=NOON)
        await unit.record_consent(
            Consent(person=PERSON, account=ACCOUNT, kind="data", version="1", language="zh", at=NOON)
        )


@pytest.mark.parametrize(
    "command", [["doctor"], ["backup"], ["retention"], ["erase"], ["move-bot"], ["keys"], ["keys", "rotate"]]
)
def test_every_command_has_help(command: list[str]) -> None:
    result = run(*command, "--help")

    assert (result.exit_code, result.stderr) == (0, "")
    assert "Usage:" in result.stdout


@pytest.mark.parametrize(
    "command", [["backup", "copy"], ["retention"], ["erase", "x", "--yes"], ["move-bot", "--yes"], ["keys", "rotate"]]
)
def test_a_wrong_setting_is_one_line_with_exit_status_two(command: list[str]) -> None:
    result = run(*command, RETENTION_DAYS="soon")

    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("RETENTION_DAYS: ")
    assert result.stderr.count("\n") == 1


def test_a_rotation_reports_its_work_and_leaves_one_key() -> None:
    store_person()
    before = KeyFile(Path("data/keys.json")).keys()
    counted = run("keys", "rotate", "--dry-run")
    assert KeyFile(Path("data/keys.json")).keys() == before
    result = run("keys", "rotate")
    after = KeyFile(Path("data/keys.json")).keys()

    assert "attempts.secrets: 1 to reseal" in counted.stdout
    assert "dialogues.text: 2 to reseal" in counted.stdout
    assert (result.exit_code, result.stderr) == (0, "")
    assert "resealed: 3\n" in result.stdout
    assert len(after) == 1
    assert not set(before) & set(after)
    assert run("doctor", "--offline").exit_code == 0


def test_an_interrupted_rotation_continues_with_its_new_key() -> None:
    store_person()
    made = KeyFile(Path("data/keys.json")).add_primary_key()
    result = run("keys", "rotate")

    assert f"continuing with key {made}" in result.stdout
    assert list(KeyFile(Path("data/keys.json")).keys()) == [made]


def test_with_keys_from_settings_a_rotation_explains_its_three_steps() -> None:
    old, new = (f"{name}:{base64.b64encode(secrets.token_bytes(32)).decode()}" for name in ("old", "new"))
    store_person(parse_sealing(encryption_keys=old, index_key=INDEX))
    first = run("keys", "rotate", ENCRYPTION_KEYS=old, INDEX_KEY=INDEX)
    second = run("keys", "rotate", ENCRYPTION_KEYS=f"{new},{old}", INDEX_KEY=INDEX)
    third = run("retention", ENCRYPTION_KEYS=new, INDEX_KEY=INDEX)

    assert [first.exit_code, second.exit_code, third.exit_code] == [0, 0, 0]
    assert [line[:2] for line in first.stdout.splitlines()[1:]] == ["1.", "  ", "2.", "3."]
    assert "remove: old" in second.stdout
    assert not Path("data/keys.json").exists()
    assert not [key for key in (old, new) if key.partition(":")[2] in first.stdout + second.stdout]


def test_a_value_that_cannot_be_opened_keeps_the_old_key() -> None:
    store_person()
    keys = KeyFile(Path("data/keys.json"))
    with closing(sqlite3.connect("data/bot.sqlite3")) as database, database:
        database.execute("UPDATE dialogues SET text = substr(text, 1, 40) WHERE person = ?", (ACCOUNT,))
    result = run("keys", "rotate")

    assert result.exit_code == 1
    assert "dialogues.text: 1 cannot be opened" in result.stdout
    assert len(keys.keys()) == 2


def test_a_second_rotation_at_the_same_time_is_refused() -> None:
    async def rotate_twice() -> Result:
        async with file_lock(Path("data/keys.json.rotating"), lambda: None):
            return await asyncio.to_thread(run, "keys", "rotate")

    store_person()
    result = asyncio.run(rotate_twice())

    assert (result.exit_code, result.stderr) == (1, "another program is rotating the keys\n")
    assert len(KeyFile(Path("data/keys.json")).keys()) == 1


def test_a_backup_is_reported_and_never_overwrites_a_file() -> None:
    store_person()
    result = run("backup", "copy")
    again = run("backup", "copy")
    nowhere = run("backup", "no/such/folder/copy")

    assert (result.exit_code, result.stderr) == (0, "")
    assert stat.S_IMODE(Path("copy").stat().st_mode) == 0o600
    assert again.exit_code == nowhere.exit_code == 1
    assert "not overwritten" in again.stderr
    assert nowhere.stderr == "no/such/folder/copy: No such file or directory\n"


def test_retention_reports_deletions_by_kind_and_needs_confirmation_for_the_future() -> None:
    store_person()
    late = (NOON + timedelta(days=31)).isoformat()
    early = run("retention", "--at", NOON.isoformat(), "--yes")
    refused = run("retention", "--at", "+4000d")
    gone = run("retention", "--at", late, "--yes")

    assert "dialogues: 0 deleted\n" in early.stdout
    assert refused.exit_code == 2
    assert "--yes" in refused.stderr
    assert (gone.exit_code, gone.stderr) == (0, "")
    for line in ("dialogues: 2 deleted", "consents: 1 deleted", "attempts: 1 deleted"):
        assert line in gone.stdout.splitlines()


@pytest.mark.parametrize("time", ["yesterday", "400d", "+d", "2027-13-01"])
def test_an_invalid_time_is_refused_with_the_valid_forms(time: str) -> None:
    result = run("retention", "--at", time)

    assert result.exit_code == 2
    assert "+400d" in result.stderr


def test_a_quota_slot_is_freed_only_when_that_is_said() -> None:
    store_person()
    freed = run("erase", ACCOUNT, "--yes", "--free-slot")
    again = run("erase", ACCOUNT, "--yes", "--free-slot")

    assert freed.stdout.startswith("freed: the quota slot of telegram:10*****45; it is not verified any more\n")
    assert (freed.exit_code, again.exit_code) == (0, 1)
    assert "kept" not in freed.stdout + again.stdout


def test_erasing_covers_every_chat_of_an_account_and_reports_what_stays() -> None:
    store_person()
    result = run("erase", ACCOUNT, "--yes")
    again = run("erase", ACCOUNT, "--yes")
    unknown = run("erase", "telegram:1", "--yes")
    unsure = run("erase", ACCOUNT)

    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith("kept: that telegram:10*****45 is verified")
    assert "dialogues: 2 deleted" in result.stdout
    assert ACCOUNT not in result.stdout
    assert (again.exit_code, unknown.exit_code, unsure.exit_code) == (0, 1, 1)
    assert unknown.stdout == "nothing else is stored about telegram:*\n"


def test_a_number_that_is_no_account_is_looked_for_as_a_telegram_id_and_never_taken_for_it() -> None:
    store_person()
    number = ACCOUNT.partition(":")[2]
    found = run("erase", number, "--yes")
    by_chat = run("erase", "7", "--yes")
    nobody = run("erase", "8000002", "--yes")

    assert (found.exit_code, by_chat.exit_code, nobody.exit_code) == (1, 1, 1)
    assert found.stdout.splitlines()[1] == (
        f"something is stored about {ACCOUNT}, the person with that Telegram id; if that is meant: erase {ACCOUNT}"
    )
    assert "erase telegram:7" in by_chat.stdout
    assert nobody.stdout.endswith("nothing is stored about telegram:8000002 either, the person with that Telegram id\n")
    assert "dialogues: 2 deleted" in run("erase", ACCOUNT, "--yes").stdout, "looking has erased nothing"


# Copies


def test_copies_in_a_folder_are_named_by_their_time_and_only_some_are_kept() -> None:
    store_person()
    Path("copies").mkdir()
    Path("copies/mine.sqlite3").write_text("mine", encoding="utf-8")
    made = []
    for hour in range(4):
        Path("clock").write_text(str(hour * 3600), encoding="utf-8")
        result = run("backup", "copies", "--keep", "2", BOT_API_URL="http://127.0.0.1:9", CLOCK_OFFSET_FILE="clock")
        made.append(result.stdout.partition(":")[0])

    assert re.fullmatch(r"copies/bot-\d{8}T\d{6}Z\.sqlite3", made[0])
    assert sorted(map(str, Path("copies").iterdir())) == [*made[2:], "copies/mine.sqlite3"]
    assert result.stdout.splitlines()[-1] == f"{made[1]}: deleted"


def test_copies_are_counted_in_a_folder_alone() -> None:
    store_person()
    result = run("backup", "copy", "--keep", "2")

    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("--keep: copy is no folder")


def test_a_copy_may_go_to_standard_output() -> None:
    store_person()
    result = run("backup", "-")

    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout_bytes.startswith(b"SQLite format 3\0")
    assert not Path("-").exists()


def test_a_copy_is_restored_and_the_former_database_stays() -> None:
    store_person()
    run("backup", "copy")
    assert run("erase", ACCOUNT, "--yes").exit_code == 0
    result = run("restore", "copy", "--yes")

    assert (result.exit_code, result.stderr) == (0, "")
    former = result.stdout.partition(":")[0]
    assert re.fullmatch(r"data/bot\.sqlite3\.before-\d{8}T\d{6}Z", former)
    assert Path(former).exists()
    assert stat.S_IMODE(Path("data/bot.sqlite3").stat().st_mode) == 0o600
    assert sorted(path.name for path in Path("data").iterdir()) == [
        "bot.sqlite3",
        Path(former).name,
        "keys.json",
    ]
    assert "dialogues: 2 deleted" in run("erase", ACCOUNT, "--yes").stdout, "what was erased is there again"


def test_a_copy_is_restored_where_there_is_no_database_or_a_damaged_one() -> None:
    store_person()
    run("backup", "copy")
    database = Path("data/bot.sqlite3")
    for spoil in (database.unlink, lambda: database.write_bytes(b"no database at all" * 100)):
        spoil()
        for suffix in ("-wal", "-shm"):
            Path(f"{database}{suffix}").write_bytes(b"of the database that was")

        assert run("restore", "copy", "--yes").exit_code == 0
        assert run("doctor", "--offline").stdout.count("sealed values: all 3 can be opened") == 1


def test_nothing_is_restored_while_a_program_uses_the_database() -> None:
    store_person()
    run("backup", "copy")
    with closing(sqlite3.connect("data/bot.sqlite3", isolation_level=None)) as other:
        other.execute("PRAGMA journal_mode = WAL")
        other.execute("SELECT * FROM dialogues").fetchall()
        other.execute("BEGIN")
        other.execute("SELECT * FROM dialogues").fetchall()
        result = run("restore", "copy", "--yes")

    assert result.exit_code == 1
    assert result.stderr.startswith("data/bot.sqlite3: a program uses it; stop the bot first (")
    assert not list(Path("data").glob("*.before-*"))


@pytest.mark.parametrize(
    ("spoil", "status", "reason"),
    [
        (lambda: Path("copy").write_bytes(b"no database at all" * 100), 1, "cannot copy copy: "),
        (lambda: Path("copy").unlink(), 1, "cannot copy copy: "),
        (Path("data/keys.json").unlink, 2, "DATA_DIR: data/keys.json is missing"),
        (lambda: at_schema(999), 1, "bot.sqlite3: it has schema 999, this program knows up to"),
        (lambda: new_keys(), 2, "INDEX_KEY"),
    ],
)
def test_what_cannot_be_used_is_not_restored(spoil: Callable[[], object], status: int, reason: str) -> None:
    store_person()
    run("backup", "copy")
    before = Path("data/bot.sqlite3").read_bytes()
    spoil()

    result = run("restore", "copy", "--yes")

    assert result.exit_code == status
    assert result.stderr.startswith(reason)
    assert Path("data/bot.sqlite3").read_bytes() == before
    assert not [path for path in Path("data").iterdir() if "restore" in path.name]


def new_keys() -> None:
    Path("data/keys.json").unlink()
    KeyFile(Path("data/keys.json")).sealing()


def at_schema(version: int) -> None:
    with closing(sqlite3.connect("copy", isolation_level=None)) as copy:
        copy.execute("INSERT INTO schema_versions (version, name) VALUES (?, 'later')", (version,))


def test_before_a_copy_is_restored_a_question_is_asked() -> None:
    store_person()
    run("backup", "copy")

    assert run("restore", "copy").exit_code == 1
    assert not list(Path("data").glob("*.before-*"))
