"""Records what SQLite writes and syncs, and makes the files that a power loss would leave.

A virtual file system (https://www.sqlite.org/vfs.html) stands in front of SQLite's own. It notes every write, deletion
and sync of a file, in order. A disk keeps what was synced; of what was written after it, it may keep all, nothing, some
of the writes, or half of one. A deletion is kept from the next sync of any file on, as journaling file systems do.
"""

import ctypes as c
import ctypes.util
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

_FileMethod = c.CFUNCTYPE(c.c_int, c.c_void_p, c.c_void_p, c.c_int, c.c_int64)
_Truncate = c.CFUNCTYPE(c.c_int, c.c_void_p, c.c_int64)
_Sync = c.CFUNCTYPE(c.c_int, c.c_void_p, c.c_int)
_Open = c.CFUNCTYPE(c.c_int, c.c_void_p, c.c_void_p, c.c_void_p, c.c_int, c.c_void_p)
_Delete = c.CFUNCTYPE(c.c_int, c.c_void_p, c.c_void_p, c.c_int)
_OK = 0


class _IoMethods(c.Structure):
    """`sqlite3_io_methods`, version 3."""

    _fields_ = (
        ("version", c.c_int),
        ("close", c.c_void_p),
        ("read", c.c_void_p),
        ("write", _FileMethod),
        ("truncate", _Truncate),
        ("sync", _Sync),
        *((f"method_{n}", c.c_void_p) for n in range(13)),
    )


class _File(c.Structure):
    """`sqlite3_file`."""

    _fields_ = (("methods", c.POINTER(_IoMethods)),)


class _Vfs(c.Structure):
    """`sqlite3_vfs`, version 3."""

    _fields_ = (
        ("version", c.c_int),
        ("file_size", c.c_int),
        ("longest_path", c.c_int),
        ("next", c.c_void_p),
        ("name", c.c_char_p),
        ("data", c.c_void_p),
        ("open", _Open),
        ("delete", _Delete),
        *((f"method_{n}", c.c_void_p) for n in range(13)),
    )


@dataclass(frozen=True, slots=True)
class Written:
    """A write to a file; without content, a truncation at the offset."""

    file: str
    offset: int
    content: bytes | None


@dataclass(frozen=True, slots=True)
class Deleted:
    """A file was deleted."""

    file: str


@dataclass(frozen=True, slots=True)
class Synced:
    """Everything written to a file so far is on the disk."""

    file: str


@dataclass(frozen=True, slots=True)
class Promised:
    """The program was told that so much is committed."""

    count: int


FileEvent = Written | Deleted | Synced
DiskEvent = FileEvent | Promised


@dataclass(slots=True)
class Disk:
    """What happened, in order, to the files of one folder."""

    events: list[DiskEvent] = field(default_factory=list)

    def promised_before(self, cut: int) -> int:
        """The last count that was promised before this event."""
        return next((event.count for event in reversed(self.events[:cut]) if isinstance(event, Promised)), 0)

    def files_after_loss(self, cut: int, random: Random) -> dict[str, bytes]:
        """The files as one of the power losses just before this event would leave them."""
        events = [event for event in self.events[:cut] if not isinstance(event, Promised)]
        last_sync = max((n for n, event in enumerate(events) if isinstance(event, Synced)), default=-1)
        files = {}
        for name in {event.file for event in events}:
            content = _content(name, events, last_sync, random)
            if content is not None:
                files[name] = bytes(content)
        return files


def _content(name: str, events: Sequence[FileEvent], last_sync: int, random: Random) -> bytearray | None:
    """What the disk has of a file; None when it is deleted."""
    kept = max((n for n, event in enumerate(events) if _keeps(event, name, is_old=n < last_sync)), default=-1)
    share = random.choice((0.0, 0.5, 1.0))
    content: bytearray | None = None
    for n, event in enumerate(events):
        if event.file == name and (n <= kept or random.random() < share):
            content = _after(content, event, in_half=n > kept and random.random() < 0.2)
    return content


def _keeps(event: FileEvent, name: str, *, is_old: bool) -> bool:
    """Whether everything that this file went through up to this event is on the disk."""
    return event.file == name and (isinstance(event, Synced) or (is_old and isinstance(event, Deleted)))


def _after(content: bytearray | None, event: FileEvent, *, in_half: bool) -> bytearray | None:
    match event:
        case Deleted():
            return None
        case Written(_, offset, None):
            return (content or bytearray())[:offset]
        case Written(_, offset, bytes() as written):
            content = content or bytearray()
            content.extend(bytes(max(offset - len(content), 0)))
            written = written[:512] if in_half else written
            content[offset : offset + len(written)] = written
            return content
        case _:
            return content


@contextmanager
def recorded(folder: Path) -> Iterator[Disk]:
    """Record the files that SQLite opens in this folder until left; connections must be closed before.

    Raises `OSError` where Python's SQLite is part of Python instead of a library: nothing can be put in front of it.
    """
    library = c.CDLL(ctypes.util.find_library("sqlite3") or "libsqlite3.so.0")
    library.sqlite3_vfs_find.restype = c.POINTER(_Vfs)
    if library.sqlite3_libversion_number() != _number(sqlite3.sqlite_version):
        raise OSError("Python uses another SQLite than the library that was found")
    recorder = _Recorder(folder, library.sqlite3_vfs_find(None))
    assert library.sqlite3_vfs_register(c.byref(recorder.vfs), 1) == _OK
    try:
        yield recorder.disk
    finally:
        library.sqlite3_vfs_unregister(c.byref(recorder.vfs))


def _number(version: str) -> int:
    major, minor, patch = map(int, version.split("."))
    return major * 1_000_000 + minor * 1_000 + patch


class _Recorder:
    """The virtual file system; it must live as long as it is registered."""

    def __init__(self, folder: Path, real: "c._Pointer[_Vfs]") -> None:
        self.disk = Disk()
        self._folder = folder
        self._real = real
        self._names: dict[int, str] = {}
        self._methods: dict[int, tuple[_IoMethods, _IoMethods]] = {}
        self.vfs = _Vfs()
        c.memmove(c.byref(self.vfs), real, c.sizeof(_Vfs))
        self.vfs.name = b"recorded"
        self.vfs.open = _Open(self._open)
        self.vfs.delete = _Delete(self._delete)

    def _open(self, _: int, path: int, file: int, flags: int, out_flags: int) -> int:
        status: int = self._real.contents.open(c.cast(self._real, c.c_void_p), path, file, flags, out_flags)
        name = Path(c.string_at(path).decode()) if path else Path()
        if status == _OK and name.parent == self._folder:
            self._names[file] = name.name
            opened = c.cast(file, c.POINTER(_File)).contents
            opened.methods = c.pointer(self._recording(opened.methods))
        return status

    def _delete(self, _: int, path: int, sync_folder: int) -> int:
        status: int = self._real.contents.delete(c.cast(self._real, c.c_void_p), path, sync_folder)
        file = Path(c.string_at(path).decode())
        if status == _OK and file.parent == self._folder:
            self.disk.events.append(Deleted(file.name))
        return status

    def _recording(self, methods: "c._Pointer[_IoMethods]") -> _IoMethods:
        """The same methods, with those that change a file noted first."""
        address = c.addressof(methods.contents)
        if address not in self._methods:
            real, recording = methods.contents, _IoMethods()
            c.memmove(c.byref(recording), methods, c.sizeof(_IoMethods))
            recording.write = _FileMethod(lambda *call: self._write(real, *call))
            recording.truncate = _Truncate(lambda *call: self._truncate(real, *call))
            recording.sync = _Sync(lambda *call: self._sync(real, *call))
            self._methods[address] = real, recording
        return self._methods[address][1]

    def _write(self, real: _IoMethods, file: int, content: int, size: int, offset: int) -> int:
        self.disk.events.append(Written(self._names[file], offset, c.string_at(content, size)))
        status: int = real.write(file, content, size, offset)
        return status

    def _truncate(self, real: _IoMethods, file: int, size: int) -> int:
        self.disk.events.append(Written(self._names[file], size, None))
        status: int = real.truncate(file, size)
        return status

    def _sync(self, real: _IoMethods, file: int, flags: int) -> int:
        status: int = real.sync(file, flags)
        self.disk.events.append(Synced(self._names[file]))
        return status
