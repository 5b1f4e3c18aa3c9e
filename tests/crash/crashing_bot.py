"""A nursery of the real bot, and of the same whose every statement and call is a point where it may be told to die.

Only what stands at the edges is wrapped: the database under the store, and the transport under the library. The folder
of the aim and the words of an operator's command come by environment variables of this program alone.
"""

import json
import os
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import bot.app
import storage
import storage.postgres
from bot.handlers.api.transport import AiohttpRequest
from bot.testing.fork_server import ForkServer
from run_bot import app
from storage.database import Database
from storage.postgres import open_postgres
from storage.sqlite import open_sqlite
from tests.crash.crash_points import CrashPointDatabase, CrashPoints

AIM_FOLDER = "AIM_FOLDER"
ARGUMENTS = "WORDS"

Open = Callable[[Any], AbstractAsyncContextManager[Database]]


def main() -> None:
    """Be the bot, with points all along its way where there is an aim."""
    if AIM_FOLDER in os.environ:
        _wrap(CrashPoints(Path(os.environ[AIM_FOLDER])))
    app(json.loads(os.environ.get(ARGUMENTS, "[]")))


def _wrap(points: CrashPoints) -> None:
    # Under its own name in each module that opens one: nothing inside of it is touched.
    vars(storage)["open_sqlite"] = _watched(open_sqlite, points)
    vars(storage.postgres)["open_postgres"] = _watched(open_postgres, points)
    vars(bot.app)["AiohttpRequest"] = _transport(points)


def _watched(opening: Open, points: CrashPoints) -> Open:
    @asynccontextmanager
    async def opened(where: Any) -> AsyncIterator[Database]:
        async with opening(where) as database:
            yield CrashPointDatabase(database, points)

    return opened


def _transport(points: CrashPoints) -> type[AiohttpRequest]:
    class Transport(AiohttpRequest):
        async def do_request(self, url: str, method: str, *args: Any, **options: Any) -> tuple[int, bytes]:
            name = url.rpartition("/")[2]
            points.reach(f"before {name}")
            answer = await super().do_request(url, method, *args, **options)
            points.reach(f"after {name}")
            return answer

    return Transport


if __name__ == "__main__":
    bot.app.preload()
    ForkServer(main, socket.fromfd(sys.stdin.fileno(), socket.AF_UNIX, socket.SOCK_STREAM)).run()
