"""One playground: the stand-in Bot API, /sim and the chat page in one server on loopback."""

from __future__ import annotations

import asyncio
import os
import random
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware

from playground.botapi.faults import Faults
from playground.botapi.limits import Limits
from playground.botapi.routes import BotApi
from playground.bounds import Bounded
from playground.catalogue import Catalogue
from playground.connections import Connections
from playground.counting import Counting
from playground.guard import LoopbackOnly
from playground.page import page_routes
from playground.phone_frame import PhoneFrame
from playground.recorder import Recorder
from playground.sim import Sim
from playground.watching import Watching
from playground.world import World

BACKLOG = 256
STOP_WITHIN = 2


class Playground:
    """One stand-in Telegram; everything in memory on purpose."""

    def __init__(
        self,
        *,
        token: str,
        username: str = "realname_demo_bot",
        rng: random.Random | None = None,
        catalogue: Catalogue | None = None,
    ) -> None:
        self.world = World(token=token, username=username, rng=rng)
        self.recorder = Recorder(self.world, catalogue or Catalogue())
        self.connections = Connections()
        faults, limits = Faults(), Limits()
        api = BotApi(self.world, faults, limits, self.connections)
        self.app = Starlette(
            routes=[
                *api.routes(),
                *Sim(self.world, faults).routes(),
                *Counting(self.world, limits).routes(),
                *Watching(self.world).routes(),
                *self.recorder.routes(),
                *PhoneFrame(self.world.log).routes(),
                *page_routes(),
                api.astray(),
            ],
            middleware=[Middleware(LoopbackOnly), Middleware(Bounded)],
        )


class _Server(uvicorn.Server):
    """A server that leaves the process's signals to their owner and stops at once when told to."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.stop = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def main_loop(self) -> None:
        await self.stop.wait()


@asynccontextmanager
async def serving(playground: Playground, *, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[str]:
    """Serve inside this loop; the address is ready when this yields, and free again afterwards."""
    listener = _listener(host, port)
    server = _Server(
        uvicorn.Config(
            playground.app,
            http=playground.connections.protocol(),
            log_config=None,
            log_level="critical",
            access_log=False,
            lifespan="off",
            date_header=False,
            ws="none",
            timeout_graceful_shutdown=STOP_WITHIN,
            timeout_keep_alive=75,
        )
    )
    # A task group around the caller's code would wrap the caller's errors into its own.
    running = asyncio.ensure_future(_run(server, listener, playground.world))
    try:
        yield f"http://{f'[{host}]' if ':' in host else host}:{listener.getsockname()[1]}"
    finally:
        playground.world.close()
        server.stop.set()
        await running


async def _run(server: uvicorn.Server, listener: socket.socket, world: World) -> None:
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(server.serve(sockets=[listener]))
        tasks.create_task(world.hook.run())


def _listener(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named, asyncio sends small answers at once; without it each takes 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    if os.name == "posix":
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener
