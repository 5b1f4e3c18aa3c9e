"""A process that has imported the bot and forks a child per request, which saves the time of importing.

Each child has its own session, environment, folder and log, and no open file of the server. The server kills a child
when its client closes the child's connection, and all children when its own control connection closes.
"""

import json
import os
import selectors
import signal
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import ClassVar, NoReturn

from verification.record import Record

Main = Callable[[], object]

_FAILED = 1
_REQUEST_ENDS = b"\n"


class ForkRequest(Record, kw_only=True):
    """The environment, folder and log of a child."""

    hidden: ClassVar[frozenset[str]] = frozenset({"env"})

    env: dict[str, str]
    folder: str
    log: str


@dataclass(slots=True)
class ForkServer:
    """The parent of all bots; it must never have a thread or a running event loop, because a fork would break both."""

    main: Main
    _control: socket.socket
    _wakeup: tuple[socket.socket, socket.socket] = field(default_factory=socket.socketpair)
    _selector: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)
    _connections: dict[int, socket.socket] = field(default_factory=dict)

    def run(self) -> None:
        """Serve requests until the control connection closes."""
        for end in self._wakeup:
            end.settimeout(0)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._wakeup[1].fileno())
        self._selector.register(self._control, selectors.EVENT_READ)
        self._selector.register(self._wakeup[0], selectors.EVENT_READ)
        while self._serve_once():
            pass
        for pid in self._connections:
            _kill(pid)

    def _serve_once(self) -> bool:
        for key, _ in self._selector.select():
            if key.fileobj is self._wakeup[0]:
                self._wakeup[0].recv(4096)
                self._reap()
            elif key.fileobj is self._control:
                if not self._fork():
                    return False
            elif key.data in self._connections:  # not reaped yet, so the pid is still this child's
                self._selector.unregister(key.fileobj)
                _kill(key.data)
        return True

    def _fork(self) -> bool:
        _, fds, _, _ = socket.recv_fds(self._control, 1, 1)
        if not fds:
            return False
        connection = socket.socket(fileno=fds[0])
        request = ForkRequest(**json.loads(_read_request(connection)))
        pid = os.fork()
        if pid == 0:
            self._close_inherited(connection)
            _run_child(request, self.main)
        self._connections[pid] = connection
        self._selector.register(connection, selectors.EVENT_READ, pid)
        _send_number(connection, pid)
        return True

    def _reap(self) -> None:
        """Report every child that has ended to its client."""
        with suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if not pid:
                    return
                connection = self._connections.pop(pid)
                with suppress(KeyError):
                    self._selector.unregister(connection)
                _send_number(connection, os.waitstatus_to_exitcode(status))
                connection.close()

    def _close_inherited(self, connection: socket.socket) -> None:
        """Close, in a child, everything that belongs to the server."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self._selector.close()
        for end in (connection, self._control, *self._wakeup, *self._connections.values()):
            end.close()


def _run_child(request: ForkRequest, main: Main) -> NoReturn:
    """Run the bot and exit; a child never returns to the server's code."""
    status: object = _FAILED
    try:
        _set_up_child(request)
        main()
    except SystemExit as exit:
        status = exit.code
    except BaseException:  # the traceback of any error belongs in the bot's own log
        sys.excepthook(*sys.exc_info())
    finally:
        with suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status if isinstance(status, int) else _FAILED if status else 0)


def _set_up_child(request: ForkRequest) -> None:
    os.setsid()
    log = os.open(request.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    null = os.open(os.devnull, os.O_RDONLY)
    for fd, standard in ((null, 0), (log, 1), (log, 2)):
        os.dup2(fd, standard)
    for fd in (log, null):
        os.close(fd)
    os.chdir(request.folder)
    os.environ.clear()
    os.environ.update(request.env)
    time.tzset()


def _read_request(connection: socket.socket) -> bytes:
    request = b""
    while not request.endswith(_REQUEST_ENDS):
        request += connection.recv(65536) or _REQUEST_ENDS
    return request


def _send_number(connection: socket.socket, number: int) -> None:
    with suppress(OSError):
        connection.sendall(b"%d\n" % number)


def _kill(pid: int) -> None:
    """Kill a child and its own children; a new child may have no process group of its own yet."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        os.kill(pid, signal.SIGKILL)
