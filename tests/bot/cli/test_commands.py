"""The operators' commands on the command line: their output and exit status."""

import asyncio
import base64
import os
import secrets
import sqlite3
import stat
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from run_bot import app
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


def test_a_backup_of_postgresql_is_refused_with_a_hint() -> None:
    result = run("backup", "copy", DATABASE_URL="postgresql://bot:secret@127.0.0.1/bot")

    assert result.exit_code == 2
    assert "pg_dump" in result.stderr
    assert "secret" not in result.stderr


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
