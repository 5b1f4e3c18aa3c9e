import asyncio
import json
import os
import stat
from pathlib import Path

import pytest

from storage import BadKeys, StoreUnavailable, open_store
from storage.encryption.key_file import KeyFile
from storage.encryption.sealing import AssociatedData
from tests.fakes import NOON
from verification.ids import PersonId

PLACE = AssociatedData("attempts:a1:secrets")


@pytest.fixture
def file(tmp_path: Path) -> KeyFile:
    file = KeyFile(tmp_path / "keys.json")
    file.sealing()
    return file


def test_a_running_program_uses_a_new_key_in_the_next_transaction(file: KeyFile) -> None:
    running, other = file.sealing(), KeyFile(file.path)
    before = running.seal("before", PLACE)
    key_id = other.add_primary_key()
    after = other.sealing().seal("after", PLACE)

    assert running.open(after, PLACE) == "after"
    running.renew_keys()
    assert running.seal("x", PLACE)[1:].startswith(key_id.encode())
    assert KeyFile(file.path).sealing().open(before, PLACE) == "before"


def test_a_running_program_opens_values_of_a_removed_key_that_it_read_before(file: KeyFile) -> None:
    running = file.sealing()
    read = running.seal("text", PLACE)
    other = KeyFile(file.path)
    other.add_primary_key()
    other.drop_old_keys()

    assert running.open(read, PLACE) == "text"
    running.renew_keys()
    assert running.seal("x", PLACE)[1:].startswith(next(iter(other.keys())).encode())
    assert len(other.keys()) == 1


def test_a_rotation_leaves_the_index_key_and_other_entries_of_the_file(file: KeyFile) -> None:
    before = json.loads(file.path.read_text("utf-8")) | {"note": "ours"}
    file.path.write_text(json.dumps(before), "utf-8")
    file.add_primary_key()
    file.drop_old_keys()
    after = json.loads(file.path.read_text("utf-8"))

    assert {**after, "ENCRYPTION_KEYS": ""} == {**before, "ENCRYPTION_KEYS": ""}
    assert after["ENCRYPTION_KEYS"] != before["ENCRYPTION_KEYS"]
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    assert [path.name for path in file.path.parent.iterdir()] == ["keys.json"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only an administrator may give files away")
def test_after_an_administrators_rotation_the_program_still_owns_the_file(file: KeyFile) -> None:
    os.chown(file.path, 65534, 65534)
    file.add_primary_key()
    facts = file.path.stat()

    assert (facts.st_uid, facts.st_gid, stat.S_IMODE(facts.st_mode)) == (65534, 65534, 0o600)


def test_a_program_that_cannot_read_the_changed_file_seals_nothing_more(file: KeyFile) -> None:
    running = file.sealing()
    sealed = running.seal("text", PLACE)
    file.path.write_text("{", "utf-8")

    with pytest.raises(StoreUnavailable, match=r"keys\.json"):
        running.renew_keys()
    assert running.open(sealed, PLACE) == "text"


def test_a_running_program_works_without_its_key_file(file: KeyFile) -> None:
    running = file.sealing()
    file.path.unlink()
    running.renew_keys()

    assert running.open(running.seal("text", PLACE), PLACE) == "text"


def test_a_rotation_of_a_damaged_file_changes_nothing(file: KeyFile) -> None:
    file.path.write_text('{"ENCRYPTION_KEYS": 1}', "utf-8")

    for change in (file.add_primary_key, file.drop_old_keys, file.keys):
        with pytest.raises(BadKeys, match=r"keys\.json"):
            change()
    assert file.path.read_text("utf-8") == '{"ENCRYPTION_KEYS": 1}'


async def test_what_waits_for_its_commit_is_sealed_with_the_key_of_that_moment(file: KeyFile, tmp_path: Path) -> None:
    person, url = PersonId("telegram:100012345"), f"sqlite:///{tmp_path}/bot.sqlite3"
    async with open_store(url, sealing=file.sealing()) as store:
        await store.transact(person, lambda unit: unit.save_dialogue(person, "text", language=None, now=NOON))
        waits = asyncio.ensure_future(store.mark_shown(person, 1, "panel", soon=False))
        await asyncio.sleep(0)
        key_id = KeyFile(file.path).add_primary_key()
        await waits
        rows = await store._database.run(lambda connection: connection.fetch("SELECT panel FROM dialogues"))

    assert rows[0][0][1:].startswith(key_id.encode())
