"""A fork server of the real bot; a bot with a target folder can be told to crash at any statement or call.

Only the edges are wrapped: the database under the store, the transport under the library, and the client for other
servers. The target's folder, the words of an operator's command, and a file for its standard error come by environment
variables of this program alone.
"""

import json
import os
import socket
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import bot.app
import bot.http_client
import storage
import storage.postgres
from bot.handlers.api.transport import BotApiRequest
from bot.http_client import http_client
from bot.testing.fork_server import ForkServer
from command_line import app
from storage.database import Database
from storage.postgres import open_postgres
from storage.sqlite import open_sqlite
from tests.crash.crash_points import CrashPointDatabase, CrashPoints
from verification.providers.http import HttpCall

TARGET_FOLDER = "TARGET_FOLDER"
ARGUMENTS = "ARGUMENTS"
ERROR_FILE = "ERROR_FILE"
"""Where standard error goes when a test must tell it from standard output."""

Open = Callable[[Any], AbstractAsyncContextManager[Database]]


def main() -> None:
    """Run the bot, with crash points if there is a target folder."""
    if ERROR_FILE in os.environ:
        os.dup2(os.open(os.environ[ERROR_FILE], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), sys.stderr.fileno())
    if TARGET_FOLDER in os.environ:
        _wrap(CrashPoints(Path(os.environ[TARGET_FOLDER])))
    app(json.loads(os.environ.get(ARGUMENTS, "[]")))


def _wrap(points: CrashPoints) -> None:
    # Each module that opens one gets the wrapped one under the same name; nothing inside is changed.
    vars(storage)["open_sqlite"] = _with_points(open_sqlite, points)
    vars(storage.postgres)["open_postgres"] = _with_points(open_postgres, points)
    vars(bot.app)["BotApiRequest"] = _transport(points)
    vars(bot.http_client)["http_client"] = _http_client(points)


def _with_points(open_database: Open, points: CrashPoints) -> Open:
    @asynccontextmanager
    async def opened(where: Any) -> AsyncIterator[Database]:
        async with open_database(where) as database:
            yield CrashPointDatabase(database, points)

    return opened


def _transport(points: CrashPoints) -> type[BotApiRequest]:
    class Transport(BotApiRequest):
        async def do_request(self, url: str, method: str, *args: Any, **options: Any) -> tuple[int, bytes]:
            name = url.rpartition("/")[2]
            points.reach(f"before {name}")
            answer = await super().do_request(url, method, *args, **options)
            points.reach(f"after {name}")
            return answer

    return Transport


def _http_client(points: CrashPoints) -> Callable[..., AbstractAsyncContextManager[HttpCall]]:
    @asynccontextmanager
    async def opened(**options: Any) -> AsyncIterator[HttpCall]:
        async with http_client(**options) as client:

            async def call(verb: str, url: str, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
                points.reach("before HTTP call")
                answer = await client(verb, url, headers, body)
                points.reach("after HTTP call")
                return answer

            yield call

    return opened


if __name__ == "__main__":
    bot.app.preload()
    ForkServer(main, socket.fromfd(sys.stdin.fileno(), socket.AF_UNIX, socket.SOCK_STREAM)).run()
