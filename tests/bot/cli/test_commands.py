"""The operators' commands as they are typed: what they say, and how they end."""

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
from storage.keyfile import KeyFile
from storage.lockfile import file_lock
from storage.sealing import Sealing, parse_sealing
from tests.fakes import NOON, NUMBER, make_attempt, make_identity
from verification.attempts import AttemptStatus
from verification.dialogue_store import Consent
from verification.ids import PersonId, own_account

PERSON = PersonId("telegram:100012345")
ACCOUNT = own_account(PERSON)
INDEX = base64.b64encode(b"i" * 32).decode()


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to start the program in, and nothing of the developer's own settings."""
    for name in os.environ:
        if name in {"BOT_TOKEN", "DATABASE_URL", "DATA_DIR", "ENCRYPTION_KEYS", "INDEX_KEY", "PUBLIC_URL"}:
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*words: str, **kept: str) -> Result:
    return CliRunner(env=kept).invoke(app, list(words))


def keep(sealing: Sealing | None = None) -> None:
    """Let somebody be verified, with everything that is kept about them."""
    asyncio.run(_keep(sealing or KeyFile(Path("data/keys.json")).sealing()))


async def _keep(keys: Sealing) -> None:
    async with open_store("sqlite:///data/bot.sqlite3", sealing=keys) as store, store.unit(ACCOUNT) as unit:
        attempt = make_attempt("a1", ACCOUNT, status=AttemptStatus.SUCCEEDED, identity=None, contact="telegram:7")
        await unit.save_attempt(attempt)
        await unit.take_slot(attempt, make_identity(NUMBER), NOON)
        await unit.save_dialogue(PERSON, "text", language="zh", now=NOON)
        await unit.save_dialogue(PersonId("telegram:7"), "text", language="zh", now=NOON)
        await unit.record_consent(
            Consent(person=PERSON, account=ACCOUNT, kind="data", version="1", language="zh", at=NOON)
        )


@pytest.mark.parametrize("command", [["doctor"], ["backup"], ["retention"], ["erase"], ["keys"], ["keys", "rotate"]])
def test_every_command_explains_itself(command: list[str]) -> None:
    told = run(*command, "--help")

    assert (told.exit_code, told.stderr) == (0, "")
    assert "Usage:" in told.stdout


@pytest.mark.parametrize("command", [["backup", "copy"], ["retention"], ["erase", "x", "--yes"], ["keys", "rotate"]])
def test_a_wrong_setting_is_one_line_and_two(command: list[str]) -> None:
    told = run(*command, RETENTION_DAYS="soon")

    assert (told.exit_code, told.stdout) == (2, "")
    assert told.stderr.startswith("RETENTION_DAYS: ")
    assert told.stderr.count("\n") == 1


def test_a_rotation_tells_what_it_does_and_leaves_one_key() -> None:
    keep()
    before = KeyFile(Path("data/keys.json")).keys()
    counted = run("keys", "rotate", "--dry-run")
    assert KeyFile(Path("data/keys.json")).keys() == before
    told = run("keys", "rotate")
    after = KeyFile(Path("data/keys.json")).keys()

    assert "attempts.secrets: 1 to seal anew" in counted.stdout
    assert "dialogues.text: 2 to seal anew" in counted.stdout
    assert (told.exit_code, told.stderr) == (0, "")
    assert "sealed anew: 3\n" in told.stdout
    assert len(after) == 1
    assert not set(before) & set(after)
    assert run("doctor", "--offline").exit_code == 0


def test_a_rotation_cut_short_goes_on_with_the_key_it_made() -> None:
    keep()
    made = KeyFile(Path("data/keys.json")).add_primary_key()
    told = run("keys", "rotate")

    assert f"going on with key {made}" in told.stdout
    assert list(KeyFile(Path("data/keys.json")).keys()) == [made]


def test_with_keys_from_the_settings_a_rotation_tells_its_three_steps() -> None:
    old, new = (f"{name}:{base64.b64encode(secrets.token_bytes(32)).decode()}" for name in ("old", "new"))
    keep(parse_sealing(encryption_keys=old, index_key=INDEX))
    first = run("keys", "rotate", ENCRYPTION_KEYS=old, INDEX_KEY=INDEX)
    second = run("keys", "rotate", ENCRYPTION_KEYS=f"{new},{old}", INDEX_KEY=INDEX)
    third = run("retention", ENCRYPTION_KEYS=new, INDEX_KEY=INDEX)

    assert [first.exit_code, second.exit_code, third.exit_code] == [0, 0, 0]
    assert [line[:2] for line in first.stdout.splitlines()[1:]] == ["1.", "  ", "2.", "3."]
    assert "take out: old" in second.stdout
    assert not Path("data/keys.json").exists()
    assert not [key for key in (old, new) if key.partition(":")[2] in first.stdout + second.stdout]


def test_what_a_rotation_cannot_open_keeps_the_old_key() -> None:
    keep()
    keys = KeyFile(Path("data/keys.json"))
    with closing(sqlite3.connect("data/bot.sqlite3")) as database, database:
        database.execute("UPDATE dialogues SET text = substr(text, 1, 40) WHERE person = ?", (ACCOUNT,))
    told = run("keys", "rotate")

    assert told.exit_code == 1
    assert "dialogues.text: 1 cannot be opened" in told.stdout
    assert len(keys.keys()) == 2


def test_two_rotations_at_once_are_one_too_many() -> None:
    async def rotate_twice() -> Result:
        async with file_lock(Path("data/keys.json.rotating"), lambda: None):
            return await asyncio.to_thread(run, "keys", "rotate")

    keep()
    told = asyncio.run(rotate_twice())

    assert (told.exit_code, told.stderr) == (1, "another program is rotating the keys\n")
    assert len(KeyFile(Path("data/keys.json")).keys()) == 1


def test_a_copy_is_told_and_never_overwrites() -> None:
    keep()
    told = run("backup", "copy")
    again = run("backup", "copy")
    nowhere = run("backup", "no/such/folder/copy")

    assert (told.exit_code, told.stderr) == (0, "")
    assert stat.S_IMODE(Path("copy").stat().st_mode) == 0o600
    assert again.exit_code == nowhere.exit_code == 1
    assert "not overwritten" in again.stderr
    assert nowhere.stderr == "no/such/folder/copy: No such file or directory\n"


def test_a_copy_of_another_database_is_left_to_its_own_tools() -> None:
    told = run("backup", "copy", DATABASE_URL="postgresql://bot:secret@127.0.0.1/bot")

    assert told.exit_code == 2
    assert "pg_dump" in told.stderr
    assert "secret" not in told.stderr


def test_retention_tells_what_went_by_kind_and_asks_before_it_looks_ahead() -> None:
    keep()
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


@pytest.mark.parametrize("moment", ["yesterday", "400d", "+d", "2027-13-01"])
def test_a_moment_that_is_none_is_told_how_to_write_one(moment: str) -> None:
    told = run("retention", "--at", moment)

    assert told.exit_code == 2
    assert "+400d" in told.stderr


def test_erasing_reaches_every_chat_of_an_account_and_tells_what_stays() -> None:
    keep()
    told = run("erase", ACCOUNT, "--yes")
    again = run("erase", ACCOUNT, "--yes")
    nobody = run("erase", "telegram:1", "--yes")
    unsure = run("erase", ACCOUNT)

    assert (told.exit_code, told.stderr) == (0, "")
    assert told.stdout.startswith("kept: that telegram:10*****45 is verified")
    assert "dialogues: 2 deleted" in told.stdout
    assert ACCOUNT not in told.stdout
    assert (again.exit_code, nobody.exit_code, unsure.exit_code) == (0, 1, 1)
    assert nobody.stdout == "nothing else is kept about telegram:*\n"
