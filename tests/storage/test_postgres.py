import asyncio
import logging
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from storage import ConstraintViolated, NewerSchema, StoreUnavailable, open_store
from storage.migrations import Migration, known_migrations, migrate
from storage.postgres import PostgresDatabase, open_postgres
from storage.sqlite import open_sqlite
from tests.fakes import NOON, NUMBER, OTHER_NUMBER, TELEGRAM, make_attempt, make_identity, make_sealing
from tests.open_unit import open_unit
from tests.postgres_server import PASSWORD, Server
from tests.storage.test_nothing_plain import CANARIES, a_whole_story
from verification.dialogue_store import DialogueStore, DialogueUnit
from verification.identity import Identity
from verification.ids import PersonId, own_account

PERSON = PersonId("telegram:100012345")
PATIENCE = 20
STEPS = [
    Migration(version=1, name="one", script="CREATE TABLE one (a INTEGER) STRICT;"),
    Migration(version=2, name="two", script="-- two\nCREATE TABLE two (b TEXT) STRICT;"),
]


@pytest.fixture
async def url(server: Server) -> str:
    return await server.new_database()


async def fetch(database: PostgresDatabase, statement: str, *values: Any) -> list[tuple[object, ...]]:
    async with database.transaction() as connection:
        return [tuple(row) for row in await connection.fetch(statement, *values)]


async def wait_until_recovered(store: DialogueStore) -> None:
    """Wait until the store works again."""
    async with asyncio.timeout(PATIENCE):
        while True:
            with suppress(StoreUnavailable):
                await store.pending_replies(TELEGRAM, 1)
                return


@dataclass
class BreakingRelay:
    """A relay between program and server; it keeps connections open that the server has closed, until released."""

    far: Path
    ended: list[asyncio.Event] = field(default_factory=list)
    let_go: asyncio.Event = field(default_factory=asyncio.Event)

    @asynccontextmanager
    async def listening(self, at: Path) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as tasks:

            def take(requests: asyncio.StreamReader, answers: asyncio.StreamWriter) -> None:
                tasks.create_task(self._pass_on(requests, answers))

            async with await asyncio.start_unix_server(take, at):
                yield
                self.let_go.set()

    async def _pass_on(self, requests: asyncio.StreamReader, answers: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            answered, asks = await asyncio.open_unix_connection(self.far)
            self.ended.append(ended := asyncio.Event())
            async with asyncio.TaskGroup() as both:
                asking = both.create_task(pump(requests, asks))
                await pump(answered, answers)
                ended.set()
                await self.let_go.wait()
                asking.cancel()
            asks.close()
        answers.close()


async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await source.read(65536):
            sink.write(data)
            await sink.drain()


async def save_text(store: DialogueStore, text: str) -> int:
    async with open_unit(store, PERSON) as unit:
        return await unit.save_dialogue(PERSON, text, language=None, now=NOON)


async def cut_short(store: DialogueStore, cut: Callable[[], None]) -> None:
    async with open_unit(store, PERSON) as unit:
        await unit.save_dialogue(PERSON, "lost", language=None, now=NOON)
        cut()
        await unit.dialogue(PERSON)


# Opening


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://bot:{PASSWORD}@127.0.0.1:1/bot",
        f"postgres://bot:{PASSWORD}@no.such.host.invalid/bot",
        f"postgresql://bot:{PASSWORD}@127.0.0.1:{PASSWORD}/bot",
        f"postgresql://bot:{PASSWORD}@127.0.0.1:1/bot?sslmode={PASSWORD}",
    ],
)
async def test_an_error_on_opening_names_no_password(url: str) -> None:
    with pytest.raises(StoreUnavailable, match="DATABASE_URL: cannot open the database") as caught:
        async with open_store(url, sealing=make_sealing()):
            pass

    assert PASSWORD not in str(caught.value)
    assert caught.value.__suppress_context__


async def test_an_unknown_database_name_is_reported(url: str) -> None:
    with pytest.raises(StoreUnavailable, match="invalid catalog name"):
        async with open_store(url.replace("/postgres?", "/nowhere?"), sealing=make_sealing()):
            pass


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "asyncpg", None)
    monkeypatch.delitem(sys.modules, "storage.postgres")

    with pytest.raises(ValueError, match="DATABASE_URL: PostgreSQL needs the package asyncpg"):
        open_store("postgresql://127.0.0.1/bot", sealing=make_sealing())


# The schema


async def test_the_schema_has_the_same_columns_as_in_sqlite(url: str, tmp_path: Path) -> None:
    async with open_postgres(url) as postgres, open_sqlite(tmp_path / "bot.sqlite3") as sqlite:
        await migrate(postgres, known_migrations())
        await migrate(sqlite, known_migrations())
        theirs = await fetch(
            postgres,
            """
            SELECT table_name, column_name, is_nullable = 'NO', data_type, coalesce(collation_name, '-')
            FROM information_schema.columns WHERE table_schema = current_schema()
            """,
        )
        async with sqlite.transaction() as connection:
            ours = await connection.fetch(
                'SELECT t.name, c.name, c."notnull" OR c.pk, c.type FROM pragma_table_list AS t'
                " JOIN pragma_table_info(t.name) AS c WHERE t.schema = 'main' AND t.name NOT LIKE 'sqlite%'"
            )

    words = {"INTEGER": ("bigint", "-"), "TEXT": ("text", "C"), "BLOB": ("bytea", "-")}
    assert sorted(theirs) == sorted(
        (table, column, bool(nullable), *words[kind]) for table, column, nullable, kind in ours
    )


async def test_inv32_a_newer_schema_is_refused(url: str) -> None:
    async with open_store(url, sealing=make_sealing()):
        pass
    async with open_postgres(url) as database:
        await fetch(database, "INSERT INTO schema_versions (version, name) VALUES (99, 'from the future')")

    with pytest.raises(NewerSchema, match="99"):
        async with open_store(url, sealing=make_sealing()):
            pass


async def test_programs_that_start_at_once_migrate_a_database_once(url: str) -> None:
    async def start() -> None:
        async with open_store(url, sealing=make_sealing()) as store:
            await store.pending_replies(TELEGRAM, 1)

    async with asyncio.TaskGroup() as group:
        for _ in range(5):
            group.create_task(start())
    async with open_postgres(url) as database:
        applied = await fetch(database, "SELECT version FROM schema_versions ORDER BY version")

    assert applied == [(step.version,) for step in known_migrations()]


async def test_a_failed_migration_changes_nothing(url: str) -> None:
    broken = Migration(
        version=2, name="broken", script="CREATE TABLE two (b TEXT) STRICT;\nINSERT INTO nowhere VALUES (1);"
    )
    async with open_postgres(url) as database:
        await migrate(database, STEPS[:1])
        with pytest.raises(StoreUnavailable):
            await migrate(database, [STEPS[0], broken])
        await migrate(database, STEPS)


# Units


async def keep_two(store: DialogueStore, catcher: AbstractContextManager[None], account: str = PERSON) -> None:
    async with open_unit(store, PERSON) as unit:
        await unit.save_attempt(make_attempt("a1", account))
        with catcher:
            await unit.save_attempt(make_attempt("a2", account))


async def test_a_unit_with_a_refused_statement_cannot_commit(url: str) -> None:
    async with open_store(url, sealing=make_sealing()) as store:
        with pytest.raises(ConstraintViolated, match="the unit cannot commit"):
            await keep_two(store, suppress(ConstraintViolated))

        async with open_unit(store, PERSON) as unit:
            assert await unit.live_attempt(own_account(PERSON)) is None


async def test_the_error_of_a_refused_statement_holds_no_values(url: str) -> None:
    async with open_store(url, sealing=make_sealing()) as store:
        with pytest.raises(ConstraintViolated) as broken:
            await keep_two(store, nullcontext(), account="account-canary")
        with pytest.raises(ConstraintViolated) as unfit:
            await store.store_dead_letter("canary\0", person=None, raw="raw", now=NOON)

    assert "attempts_live" in str(broken.value)
    assert "canary" not in f"{broken.value} {unfit.value}"


async def test_many_units_with_one_key_leave_connections_to_others(url: str) -> None:
    async with open_store(url, sealing=make_sealing()) as store:
        async with open_unit(store, PERSON), asyncio.timeout(PATIENCE):
            waiting = [asyncio.ensure_future(save_text(store, "text")) for _ in range(30)]
            for _ in range(30):
                await asyncio.ensure_future(store.pending_replies(TELEGRAM, 1))
            assert not any(each.done() for each in waiting)
        assert await asyncio.gather(*waiting) == list(range(1, 31))


# Outages


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGQUIT])
async def test_a_server_restart_fails_one_unit_and_the_store_recovers(
    server: Server, url: str, number: signal.Signals
) -> None:
    async with open_store(url, sealing=make_sealing()) as store:
        await save_text(store, "one")
        with pytest.raises(StoreUnavailable):
            await cut_short(store, lambda: server.stop(number))
        with pytest.raises(StoreUnavailable):
            await store.pending_replies(TELEGRAM, 1)
        server.start()
        await wait_until_recovered(store)
        assert await save_text(store, "two") == 2


async def test_a_connection_closed_while_idle_is_an_outage(server: Server, url: str) -> None:
    relay = BreakingRelay(server.socket)
    with tempfile.TemporaryDirectory(prefix="pg-") as near:
        near_url = url.replace(str(server.socket.parent), near)
        async with (
            relay.listening(Path(near, server.socket.name)),
            open_store(near_url, sealing=make_sealing()) as store,
        ):
            async with store.polling_lease(TELEGRAM, lambda: None) as still_held:
                await save_text(store, "one")
                server.stop()
                await asyncio.gather(*(ended.wait() for ended in relay.ended))

                assert not await still_held()
                with pytest.raises(StoreUnavailable):
                    await store.pending_replies(TELEGRAM, 1)
            server.start()
            relay.let_go.set()
            await wait_until_recovered(store)


async def test_the_polling_lease_is_lost_with_the_server_and_can_be_acquired_again(server: Server, url: str) -> None:
    async with open_store(url, sealing=make_sealing()) as store:
        async with store.polling_lease(TELEGRAM, lambda: None) as still_held:
            assert await still_held()
            server.stop()
            assert not await still_held()
            server.start()
            assert not await still_held()
        async with store.polling_lease(TELEGRAM, lambda: None) as still_held:
            assert await still_held()


async def test_an_outage_ends_the_wait_for_the_polling_lease(server: Server, url: str) -> None:
    async with open_store(url, sealing=make_sealing()) as store:
        server.stop()
        try:
            with pytest.raises(StoreUnavailable):
                async with store.polling_lease(TELEGRAM, lambda: None):
                    pass
        finally:
            server.start()


# Stored data


async def test_no_table_holds_plain_data(url: str) -> None:
    async with open_store(url, sealing=make_sealing()) as store:
        await a_whole_story(store)
    connection = await asyncpg.connect(url)
    try:
        tables = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
        rows = [row for (table,) in tables for row in await connection.fetch(f"SELECT * FROM {table}")]  # noqa: S608
    finally:
        await connection.close()
    values = [value for row in rows for value in row]
    content = b"\n".join(value if isinstance(value, bytes) else str(value).encode() for value in values)

    assert len(rows) > 8
    assert not [canary for canary in CANARIES if canary.encode() in content]


async def test_inv38_no_plain_data_and_no_password_reaches_a_log_at_any_level(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with open_store(url, sealing=make_sealing()) as store:
        await a_whole_story(store)

    assert not [canary for canary in (*CANARIES, PASSWORD) if canary in caplog.text]


async def use_up_limits(unit: DialogueUnit, number: int, identity: Identity) -> None:
    """What a reservation of the person with this number does about the limits."""
    attempt = make_attempt(f"a{number}", f"telegram:{number}", contact=f"telegram:{number}")
    await unit.rate_limit_records(attempt, identity, NOON - timedelta(days=1), 5)
    await unit.add_rate_limit_record(attempt, identity, provider_called=True)


async def waiting_locks(url: str) -> int:
    async with open_postgres(url) as other:
        [(count,)] = await fetch(other, "SELECT count(*) FROM pg_locks WHERE NOT granted")
    return int(str(count))


async def test_a_reservation_waits_for_no_other_person(url: str) -> None:
    one, other = make_identity(NUMBER), make_identity(OTHER_NUMBER)
    async with open_store(url, sealing=make_sealing()) as store, open_unit(store, "telegram:1") as unit:
        await use_up_limits(unit, 1, one)
        async with asyncio.timeout(PATIENCE):
            await asyncio.ensure_future(store.transact("telegram:2", partial(use_up_limits, number=2, identity=other)))

        assert await waiting_locks(url) == 0


async def test_reservations_for_one_number_are_made_one_after_the_other(url: str) -> None:
    identity = make_identity(NUMBER)
    async with open_store(url, sealing=make_sealing()) as store:
        async with open_unit(store, "telegram:1") as unit:
            await use_up_limits(unit, 1, identity)
            second = asyncio.ensure_future(
                store.transact("telegram:2", partial(use_up_limits, number=2, identity=identity))
            )
            async with asyncio.timeout(PATIENCE):
                while not await waiting_locks(url):
                    pass
            assert not second.done()
        async with asyncio.timeout(PATIENCE):
            await second
