"""The simulator as one ASGI application and one server on loopback: Bot API, control API, chat page and phone."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.routing import BaseRoute

from playground.botapi.connections import Connections
from playground.botapi.faults import FaultQueue
from playground.botapi.flood_limits import FloodLimiter
from playground.botapi.routes import BotApi
from playground.botapi.webhook_delivery import WebhookSender
from playground.server.body_limits import BodyLimitMiddleware
from playground.server.call_routes import CallRoutes
from playground.server.control_api import ControlApi
from playground.server.control_request import sim_route
from playground.server.event_routes import EventRoutes
from playground.server.loopback_guard import LoopbackMiddleware
from playground.server.phone_frame import PhoneFrame
from playground.server.static_page import page_routes
from playground.world.world import World

BACKLOG = 256
SHUTDOWN_TIMEOUT = 2  # seconds


class Playground:
    """One simulated Telegram, all in memory."""

    def __init__(self, world: World, extra_routes: Sequence[BaseRoute] = ()) -> None:
        """`extra_routes` are served in addition to the simulator's own: the recorder's, for example."""
        self.world = world
        self.connections = Connections()
        faults, limits = FaultQueue(), FloodLimiter()
        api = BotApi(self.world, faults, limits, self.connections)
        self.webhook_sender = WebhookSender(world, api.run_webhook_answer)
        self.app = Starlette(
            routes=[
                *api.routes(),
                *EventRoutes(self.world).routes(),  # before the others, because they are asked for most
                *ControlApi(self.world, faults).routes(),
                *CallRoutes(self.world, limits).routes(),
                *extra_routes,
                sim_route("/record", _no_recorder),
                *PhoneFrame(self.world.log).routes(),
                *page_routes(),
                api.fallback_route(),
            ],
            middleware=[Middleware(LoopbackMiddleware), Middleware(BodyLimitMiddleware)],
        )


async def _no_recorder(_: Request) -> Any:
    """Tell the page that there is no recorder. The route of a recorder comes first and answers instead."""
    return {"on": False, "script": "", "available": False}


class _PlaygroundServer(uvicorn.Server):
    """A server that installs no signal handlers and stops as soon as `stop` is set."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.stop = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def main_loop(self) -> None:
        await self.stop.wait()


@asynccontextmanager
async def serve_playground(playground: Playground, *, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[str]:
    """Serve in this event loop and yield the base URL; the port is open then, and closed afterwards."""
    listener = _listening_socket(host, port)
    server = _PlaygroundServer(
        uvicorn.Config(
            playground.app,
            http=playground.connections.tracking_protocol(),
            log_config=None,
            log_level="critical",
            access_log=False,
            lifespan="off",
            proxy_headers=False,
            date_header=False,
            ws="none",
            timeout_graceful_shutdown=SHUTDOWN_TIMEOUT,
            timeout_keep_alive=75,
        )
    )
    # A task group here would wrap the errors of the caller's code into an ExceptionGroup.
    running = asyncio.ensure_future(_serve(server, listener, playground.webhook_sender))
    try:
        yield f"http://{f'[{host}]' if ':' in host else host}:{listener.getsockname()[1]}"
    finally:
        playground.world.close()
        server.stop.set()
        await running


async def _serve(server: uvicorn.Server, listener: socket.socket, webhook_sender: WebhookSender) -> None:
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(server.serve(sockets=[listener]))
        tasks.create_task(webhook_sender.run())


def _listening_socket(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sets TCP_NODELAY only on sockets with an explicit protocol; without it each small answer takes 40 ms.
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
