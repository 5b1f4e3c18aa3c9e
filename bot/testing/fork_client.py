"""Starts bots out of a nursery: the same processes as by the plain command, twenty times as fast.

POSIX only. A nursery is started with the first bot, and ends with its owner, however that ends.
"""

import asyncio
import json
import socket
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

_LOST_EXIT_CODE = -9


class ForkServerGone(OSError):
    """The nursery ended before the bot was born; what it said went to its standard error."""


class ForkedProcess(asyncio.Protocol):
    """A bot of the nursery, at the other end of its line."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self._buffer = b""
        self._started: asyncio.Future[int] = loop.create_future()
        self._ended: asyncio.Future[int] = loop.create_future()
        self._code = _LOST_EXIT_CODE
        self._transport: asyncio.WriteTransport | None = None

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._started.result()

    @property
    def exit_code(self) -> int | None:
        """How it ended, or None while it runs."""
        return self._ended.result() if self._ended.done() else None

    async def kill(self) -> None:
        """End it at once and wait until it is gone; also fine when it has ended already."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write_eof()
        await self.wait()

    async def wait(self) -> int:
        """Wait until it ends and return its exit code."""
        return await asyncio.shield(self._ended)

    async def wait_started(self) -> None:
        """Wait until it is there; raises `NurseryGone`."""
        await self._started

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Hold the line."""
        assert isinstance(transport, asyncio.WriteTransport)  # noqa: S101 - a socket's transport is one
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Hear of the birth, and later of the end."""
        *numbers, self._buffer = (self._buffer + data).split(b"\n")
        for number in numbers:
            if self._started.done():
                self._code = int(number)
            else:
                self._started.set_result(int(number))

    def eof_received(self) -> None:
        """Let the line go: the nursery has nothing more to say."""

    def connection_lost(self, error: Exception | None) -> None:
        """Note the end: the nursery told of it, or has ended itself, and with it the bot."""
        if not self._started.done():
            self._started.set_exception(ForkServerGone("the nursery ended"))
        self._ended.set_result(self._code)


@dataclass(frozen=True, slots=True)
class _ForkServer:
    process: subprocess.Popen[bytes]
    control: socket.socket


@dataclass(frozen=True, slots=True)
class ForkClient:
    """Nurseries and the way to ask them; `command` is what runs `Nursery.run` on its standard input."""

    command: Sequence[str]
    _servers: dict[frozenset[tuple[str, str]], _ForkServer] = field(default_factory=dict)

    async def start(self, env: Mapping[str, str], log: Path, folder: Path | None = None) -> ForkedProcess:
        """Start a bot with exactly this environment in a folder, by default DATA_DIR; the log takes its output."""
        birth = {"env": dict(env), "folder": str(folder or env["DATA_DIR"]), "log": str(log)}
        ours, theirs = socket.socketpair()
        with theirs:
            ours.sendall(json.dumps(birth).encode() + b"\n")
            socket.send_fds(self._server_for(env).control, [b"."], [theirs.fileno()])
        ours.settimeout(0)
        _, nursling = await asyncio.get_running_loop().create_connection(ForkedProcess, sock=ours)
        await nursling.wait_started()
        return nursling

    def close(self) -> None:
        """End the nurseries and every bot that is still of them."""
        for nursery in self._servers.values():
            nursery.control.close()
            nursery.process.wait()
        self._servers.clear()

    def _server_for(self, env: Mapping[str, str]) -> _ForkServer:
        # What Python reads before the first line of a program, nobody can change afterwards.
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
