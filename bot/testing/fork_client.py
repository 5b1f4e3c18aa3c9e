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

_LOST = -9


class NurseryGone(OSError):
    """The nursery ended before the bot was born; what it said went to its standard error."""


class Nursling(asyncio.Protocol):
    """A bot of the nursery, at the other end of its line."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self._heard = b""
        self._born: asyncio.Future[int] = loop.create_future()
        self._ended: asyncio.Future[int] = loop.create_future()
        self._code = _LOST
        self._line: asyncio.WriteTransport | None = None

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._born.result()

    @property
    def exit_code(self) -> int | None:
        """How it ended, or None while it runs."""
        return self._ended.result() if self._ended.done() else None

    async def kill(self) -> None:
        """End it at once and wait until it is gone; also fine when it has ended already."""
        if self._line is not None and not self._line.is_closing():
            self._line.write_eof()
        await self.wait()

    async def wait(self) -> int:
        """Wait until it ends and return its exit code."""
        return await asyncio.shield(self._ended)

    async def born(self) -> None:
        """Wait until it is there; raises `NurseryGone`."""
        await self._born

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Hold the line."""
        assert isinstance(transport, asyncio.WriteTransport)  # noqa: S101 - a socket's transport is one
        self._line = transport

    def data_received(self, data: bytes) -> None:
        """Hear of the birth, and later of the end."""
        *numbers, self._heard = (self._heard + data).split(b"\n")
        for number in numbers:
            if self._born.done():
                self._code = int(number)
            else:
                self._born.set_result(int(number))

    def eof_received(self) -> None:
        """Let the line go: the nursery has nothing more to say."""

    def connection_lost(self, error: Exception | None) -> None:
        """Note the end: the nursery told of it, or has ended itself, and with it the bot."""
        if not self._born.done():
            self._born.set_exception(NurseryGone("the nursery ended"))
        self._ended.set_result(self._code)


@dataclass(frozen=True, slots=True)
class _Nursery:
    process: subprocess.Popen[bytes]
    asking: socket.socket


@dataclass(frozen=True, slots=True)
class Forking:
    """Nurseries and the way to ask them; `command` is what runs `Nursery.run` on its standard input."""

    command: Sequence[str]
    _nurseries: dict[frozenset[tuple[str, str]], _Nursery] = field(default_factory=dict)

    async def start(self, env: Mapping[str, str], log: Path) -> Nursling:
        """Start a bot with exactly this environment, its output appended to the log."""
        birth = {"env": dict(env), "folder": env["DATA_DIR"], "log": str(log)}
        ours, theirs = socket.socketpair()
        with theirs:
            ours.sendall(json.dumps(birth).encode() + b"\n")
            socket.send_fds(self._nursery(env).asking, [b"."], [theirs.fileno()])
        ours.settimeout(0)
        _, nursling = await asyncio.get_running_loop().create_connection(Nursling, sock=ours)
        await nursling.born()
        return nursling

    def close(self) -> None:
        """End the nurseries and every bot that is still of them."""
        for nursery in self._nurseries.values():
            nursery.asking.close()
            nursery.process.wait()
        self._nurseries.clear()

    def _nursery(self, env: Mapping[str, str]) -> _Nursery:
        # What Python reads before the first line of a program, nobody can change afterwards.
        interpreter = frozenset((name, value) for name, value in env.items() if name.startswith("PYTHON"))
        if interpreter not in self._nurseries:
            self._nurseries[interpreter] = _opened(self.command, env)
        return self._nurseries[interpreter]


def _opened(command: Sequence[str], env: Mapping[str, str]) -> _Nursery:
    ours, theirs = socket.socketpair()
    with theirs:
        process = subprocess.Popen(  # noqa: S603 - our own program
            command, env=dict(env), stdin=theirs.fileno(), stdout=subprocess.DEVNULL, start_new_session=True
        )
    return _Nursery(process, ours)
