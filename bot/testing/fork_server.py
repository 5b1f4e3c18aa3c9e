"""A process that has imported the bot and forks one whenever it is asked: a start without the cost of importing.

Each child is a process like any other: its own session, environment, folder and log, and nothing of the nursery open.
A child lives as long as its line to whoever asked; when the nursery's own line falls, nobody is left behind.
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
from typing import NoReturn

Main = Callable[[], object]

_FAILED = 1
_REQUEST_ENDS = b"\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class ForkRequest:
    """What a child is born with."""

    env: dict[str, str] = field(repr=False)
    folder: str
    log: str


@dataclass(slots=True)
class ForkServer:
    """The parent of all bots; it must never have a thread or a running loop, since a fork would break both."""

    main: Main
    _control: socket.socket
    _wakeup: tuple[socket.socket, socket.socket] = field(default_factory=socket.socketpair)
    _selector: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)
    _connections: dict[int, socket.socket] = field(default_factory=dict)

    def run(self) -> None:
        """Fork until the line of the nursery falls."""
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
            elif key.data in self._connections:  # not buried a moment ago, so the pid is still this child's
                self._selector.unregister(key.fileobj)
                _kill(key.data)
        return True

    def _fork(self) -> bool:
        _, fds, _, _ = socket.recv_fds(self._control, 1, 1)
        if not fds:
            return False
        line = socket.socket(fileno=fds[0])
        birth = ForkRequest(**json.loads(_read_request(line)))
        pid = os.fork()
        if pid == 0:
            self._close_inherited(line)
            _run_child(birth, self.main)
        self._connections[pid] = line
        self._selector.register(line, selectors.EVENT_READ, pid)
        _send_number(line, pid)
        return True

    def _reap(self) -> None:
        """Tell of every child that has ended."""
        with suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if not pid:
                    return
                line = self._connections.pop(pid)
                with suppress(KeyError):
                    self._selector.unregister(line)
                _send_number(line, os.waitstatus_to_exitcode(status))
                line.close()

    def _close_inherited(self, line: socket.socket) -> None:
        """Drop, in a child, everything that belongs to the nursery."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self._selector.close()
        for end in (line, self._control, *self._wakeup, *self._connections.values()):
            end.close()


def _run_child(request: ForkRequest, main: Main) -> NoReturn:
    """Be the bot, and never come back into the nursery's code."""
    status: object = _FAILED
    try:
        _set_up_child(request)
        main()
    except SystemExit as left:
        status = left.code
    except BaseException:  # whatever ended the bot, its traceback belongs in its own log
        sys.excepthook(*sys.exc_info())
    finally:
        with suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status if isinstance(status, int) else _FAILED if status else 0)


def _set_up_child(request: ForkRequest) -> None:
    os.setsid()
    log = os.open(request.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for fd, place in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(fd, place)
    for fd in (log, nothing):
        os.close(fd)
    os.chdir(request.folder)
    os.environ.clear()
    os.environ.update(request.env)
    time.tzset()


def _read_request(line: socket.socket) -> bytes:
    request = b""
    while not request.endswith(_REQUEST_ENDS):
        request += line.recv(65536) or _REQUEST_ENDS
    return request


def _send_number(line: socket.socket, number: int) -> None:
    with suppress(OSError):
        line.sendall(b"%d\n" % number)


def _kill(pid: int) -> None:
    """End a child and its own children; a child just born may have no group of its own yet."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        os.kill(pid, signal.SIGKILL)
