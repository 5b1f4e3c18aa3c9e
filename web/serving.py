"""Serves a web application on a socket, inside the caller's event loop and without signal handlers."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from functools import partial

import uvicorn
from starlette.applications import Starlette

from web.connection_limits import ConnectionLimits, LimitedProtocol

_BACKLOG = 512
_SHUTDOWN_SECONDS = 2
LOOPBACK = ("127.0.0.0/8", "::1")


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def listen(host: str, port: int) -> socket.socket:
    """Open a listening socket; raises `OSError` when the address is in use. Port 0 takes any free one."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


@asynccontextmanager
async def serving(
    app: Starlette,
    listener: socket.socket,
    trusted_proxies: Sequence[str] = LOOPBACK,
    limits: ConnectionLimits = ConnectionLimits(),  # noqa: B008 - frozen
) -> AsyncIterator[None]:
    """Serve while the context is open; then finish the running requests within two seconds.

    `trusted_proxies` are the addresses and networks whose X-Forwarded-For says who the visitor is.
    """
    config = uvicorn.Config(
        app,
        http=partial(LimitedProtocol, limits=limits.fitting()),  # type: ignore[arg-type]  # called like the class
        log_config=None,
        access_log=False,  # its lines would hold links
        server_header=False,
        forwarded_allow_ips=list(trusted_proxies),
        lifespan="off",
        ws="none",
        timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
    )
    server = _Server(config)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(server.serve(sockets=[listener]))
        try:
            yield
        finally:
            server.should_exit = True
