"""Starts bots from a fork server: the same processes as by the plain command, twenty times as fast.

POSIX only. The server starts with the first bot. It ends with its owner, even when the owner is killed, because the
connection to it then closes.
"""

import asyncio
import json
import socket
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec import field

from verification.record import Record

_LOST_EXIT_CODE = -9


class ForkServerGone(OSError):
    """The fork server ended before the bot started; its error is on its standard error."""


class ForkedProcess(asyncio.Protocol):
    """A bot that the fork server started, as the other end of its connection.

    The server sends the bot's process id, then its exit code; when this end closes, the server kills the bot.
    """

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self._buffer = b""
        self._started: asyncio.Future[int] = loop.create_future()
        self._ended: asyncio.Future[int] = loop.create_future()
        self._code = _LOST_EXIT_CODE
        self._transport: asyncio.WriteTransport | None = None

    @property
    def pid(self) -> int:
        """The bot's process id."""
        return self._started.result()

    @property
    def exit_code(self) -> int | None:
        """The bot's exit code, or None while it runs."""
        return self._ended.result() if self._ended.done() else None

    async def kill(self) -> None:
        """Kill the bot and wait until it has ended; harmless when it has ended already."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write_eof()
        await self.wait()

    async def wait(self) -> int:
        """Wait until the bot ends; gives its exit code."""
        return await asyncio.shield(self._ended)

    async def wait_started(self) -> None:
        """Wait until the bot has started; raises `ForkServerGone`."""
        await self._started

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Store the transport."""
        assert isinstance(transport, asyncio.WriteTransport)  # noqa: S101 - a socket's transport is one
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Read the process id, and later the exit code."""
        *numbers, self._buffer = (self._buffer + data).split(b"\n")
        for number in numbers:
            if self._started.done():
                self._code = int(number)
            else:
                self._started.set_result(int(number))

    def eof_received(self) -> None:
        """Let the transport close: the server sends nothing more."""

    def connection_lost(self, error: Exception | None) -> None:
        """Record the end of the bot: the server reported it, or ended itself and the bot with it."""
        if not self._started.done():
            self._started.set_exception(ForkServerGone("the fork server ended"))
        self._ended.set_result(self._code)


class _ForkServer(Record):
    process: subprocess.Popen[bytes]
    control: socket.socket


class ForkClient(Record):
    """Fork servers, started as needed; `command` runs `ForkServer.run` with the control socket as standard input."""

    command: Sequence[str]
    _servers: dict[frozenset[tuple[str, str]], _ForkServer] = field(default_factory=dict)

    async def start(self, env: Mapping[str, str], log: Path, folder: Path | None = None) -> ForkedProcess:
        """Start a bot with exactly this environment in a folder, by default DATA_DIR; the log takes its output."""
        request = {"env": dict(env), "folder": str(folder or env["DATA_DIR"]), "log": str(log)}
        ours, theirs = socket.socketpair()
        with theirs:
            ours.sendall(json.dumps(request).encode() + b"\n")
            socket.send_fds(self._server_for(env).control, [b"."], [theirs.fileno()])
        ours.settimeout(0)
        _, process = await asyncio.get_running_loop().create_connection(ForkedProcess, sock=ours)
        await process.wait_started()
        return process

    def close(self) -> None:
        """End the fork servers and every bot that they still run."""
        for server in self._servers.values():
            server.control.close()
            server.process.wait()
        self._servers.clear()

    def _server_for(self, env: Mapping[str, str]) -> _ForkServer:
        # Python reads these variables before a program's first line, so each set of them needs its own server.
        interpreter = frozenset((name, value) for name, value in env.items() if name.startswith("PYTHON"))
        if interpreter not in self._servers:
            self._servers[interpreter] = _start_server(self.command, env)
        return self._servers[interpreter]


def _start_server(command: Sequence[str], env: Mapping[str, str]) -> _ForkServer:
    ours, theirs = socket.socketpair()
    with theirs:
        process = subprocess.Popen(  # noqa: S603 - our own program
            command, env=dict(env), stdin=theirs.fileno(), stdout=subprocess.DEVNULL, start_new_session=True
        )
    return _ForkServer(process, ours)
