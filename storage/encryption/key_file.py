"""The key file, which holds the keys when the settings name none.

It is created once with fresh keys and then only replaced as a whole, so a reader sees all of the old keys or all of the
new ones. It keeps its owner and is closed to other users. A running program notices a replaced file and follows the
rotation.
"""

import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from storage.encryption.private_files import make_private_folder, move_into_place, sync_folder, temporary_file_for
from storage.encryption.sealing import (
    ENCRYPTION_KEYS,
    INDEX_KEY,
    Keys,
    Sealing,
    generate_key,
    generate_raw_key,
    parse_keys,
    parse_sealing,
)
from storage.errors import BadKeys, StoreUnavailable


class KeyFile:
    """One program's view of the file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._name = str(path)
        self._seen: tuple[int, int] | None = None

    def sealing(self) -> Sealing:
        """Read the keys, or create the file with fresh ones; the first of several programs wins. Raises `BadKeys`."""
        if not self.path.exists():
            self._create()
        with self._as_bad_keys():
            # The stamp is taken first: a file that changes between the two is read again.
            self._seen = self._stamp()
            content = self._content()
            return parse_sealing(
                encryption_keys=content[ENCRYPTION_KEYS],
                index_key=content[INDEX_KEY],
                reload_keys=self.reload_if_changed,
            )

    def reload_if_changed(self) -> Keys | None:
        """Read the keys again when the file has changed.

        Raises `StoreUnavailable` when the changed file cannot be used: if another program had removed the current key
        from the file, values sealed with it would be lost.
        """
        try:
            stamp = self._stamp()
        except OSError:
            # A missing file is no rotation.
            return None
        if stamp == self._seen:
            return None
        try:
            with self._as_bad_keys():
                keys = parse_keys(self._content()[ENCRYPTION_KEYS])
        except BadKeys as error:
            raise StoreUnavailable(str(error)) from None
        self._seen = stamp
        return keys

    def keys(self) -> Keys:
        """Read the encryption keys that the file holds now; raises `BadKeys`."""
        with self._as_bad_keys():
            return parse_keys(self._content()[ENCRYPTION_KEYS])

    def add_primary_key(self) -> str:
        """Add a fresh key before the others, and return its id."""
        fresh = generate_key()
        with self._as_bad_keys():
            content = self._content()
            parse_keys(content[ENCRYPTION_KEYS])
            self._replace({**content, ENCRYPTION_KEYS: f"{fresh},{content[ENCRYPTION_KEYS]}"})
        return fresh.partition(":")[0]

    def drop_old_keys(self) -> None:
        """Remove every key except the first one, which seals."""
        with self._as_bad_keys():
            content = self._content()
            first = content[ENCRYPTION_KEYS].partition(",")[0]
            parse_keys(first)
            self._replace({**content, ENCRYPTION_KEYS: first})

    def _create(self) -> None:
        make_private_folder(self.path.parent)
        fresh = {ENCRYPTION_KEYS: generate_key(), INDEX_KEY: generate_raw_key()}
        with temporary_file_for(self.path) as draft:
            _write(draft, fresh)
            try:
                move_into_place(draft, path=self.path)
            except FileExistsError:
                # Another program has created the file meanwhile; both use its keys.
                return

    def _replace(self, content: Mapping[str, str]) -> None:
        owner = self.path.stat()
        with temporary_file_for(self.path) as draft:
            _write(draft, content)
            if sys.platform != "win32" and (owner.st_uid, owner.st_gid) != (os.geteuid(), os.getegid()):
                # An administrator rotates the keys: the program must still be able to read its file.
                os.chown(draft, owner.st_uid, owner.st_gid)
            draft.replace(self.path)
            sync_folder(self.path.parent)

    def _content(self) -> dict[str, str]:
        content: dict[str, str] = json.loads(self.path.read_text("utf-8"))
        return content

    def _stamp(self) -> tuple[int, int]:
        # This runs in every transaction; pathlib takes three times as long.
        status = os.stat(self._name)  # noqa: PTH116
        return status.st_ino, status.st_mtime_ns

    @contextmanager
    def _as_bad_keys(self) -> Iterator[None]:
        try:
            yield
        except (BadKeys, OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            reason = error if isinstance(error, BadKeys) else type(error).__name__
            raise BadKeys(f"the key file {self.path} cannot be used ({reason})") from None


def _write(draft: Path, content: Mapping[str, str]) -> None:
    with draft.open("r+", encoding="utf-8") as file:
        file.write(json.dumps(content, indent=2) + "\n")
        file.flush()
        os.fsync(file.fileno())
