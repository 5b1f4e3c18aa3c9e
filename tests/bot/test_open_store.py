"""Opening the store: keys that are lost are not replaced, and a copy is made before a migration."""

import logging
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bot.open_store import key_file, open_configured_store
from bot.settings import BadSetting, Settings
from storage import StoreUnavailable
from storage.migrations import known_migrations
from tests.postgres_server import Server

NEWEST = known_migrations()[-1].version


def settings_in(folder: Path, **changes: str) -> Settings:
    return Settings(data_dir=folder, **changes)  # type: ignore[arg-type]  # pydantic reads texts


async def test_no_keys_are_made_for_a_database_whose_keys_are_lost(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    async with open_configured_store(settings):
        keys = key_file(settings).path.read_text("utf-8")
    key_file(settings).path.unlink()

    with pytest.raises(
        BadSetting, match=r"^DATA_DIR: .*keys\.json is missing, but the database was made with keys; put"
    ):
        async with open_configured_store(settings):
            pass

    assert not key_file(settings).path.exists()
    key_file(settings).path.write_text(keys, "utf-8")
    async with open_configured_store(settings) as store:
        await store.check_keys()


async def test_no_keys_are_made_for_a_server_whose_keys_are_elsewhere(tmp_path: Path, server: Server) -> None:
    url = await server.new_database()
    async with open_configured_store(settings_in(tmp_path / "one", database_url=url)):
        pass

    with pytest.raises(BadSetting, match="was made with keys"):
        async with open_configured_store(settings_in(tmp_path / "other", database_url=url)):
            pass

    assert not (tmp_path / "other").exists()


async def test_an_empty_file_is_a_new_database(tmp_path: Path) -> None:
    (tmp_path / "bot.sqlite3").touch()

    async with open_configured_store(settings_in(tmp_path)) as store:
        await store.check_keys()

    assert key_file(settings_in(tmp_path)).path.exists()


@pytest.mark.parametrize("copied", [False, True], ids=["first", "again"])
async def test_before_a_migration_the_file_is_copied(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, *, copied: bool
) -> None:
    caplog.set_level(logging.INFO)
    settings = settings_in(tmp_path)
    async with open_configured_store(settings):
        pass
    assert not caplog.messages, "a new database is no migration"
    step_back(tmp_path / "bot.sqlite3")
    copy = tmp_path / f"bot.sqlite3.schema-{NEWEST - 1}"
    if copied:
        copy.write_text("of another program", "utf-8")

    # The schema is in truth the newest one, so the last step cannot be made again.
    with pytest.raises(StoreUnavailable):
        async with open_configured_store(settings):
            pass

    assert caplog.messages == [
        f"migrating the database from schema {NEWEST - 1} to {NEWEST}; a copy from before is {copy}"
    ]
    if copied:
        assert copy.read_text("utf-8") == "of another program"
    else:
        with closing(sqlite3.connect(copy)) as database:
            assert database.execute("SELECT max(version) FROM schema_versions").fetchall() == [(NEWEST - 1,)]


def step_back(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("DELETE FROM schema_versions WHERE version = (SELECT max(version) FROM schema_versions)")
