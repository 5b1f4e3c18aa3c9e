"""The file the keys are kept in where settings name none: made once, replaced whole, followed by whoever runs on.

Whoever looks at it sees all of the old keys or all of the new ones. It stays its owner's, and closed to others.
"""

import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from storage.errors import BadKeys, StoreUnavailable
from storage.private_files import make_private_folder, move_into_place, sync_folder, temporary_file_beside
from storage.sealing import (
    ENCRYPTION_KEYS,
    INDEX_KEY,
    Keys,
    Sealing,
    generate_key,
    generate_raw_key,
    parse_keys,
    parse_sealing,
)


class KeyFile:
    """One program's view of the file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._name = str(path)
        self._seen: tuple[int, int] | None = None

    def sealing(self) -> Sealing:
        """Read the keys, or make the file with fresh ones; whoever makes it first wins. Raises `BadKeys`."""
        if not self.path.exists():
            self._create()
        with self._as_bad_keys():
            # The stamp first: a file that changes in between is read again.
            self._seen = self._stamp()
            kept = self._content()
            return parse_sealing(
                encryption_keys=kept[ENCRYPTION_KEYS], index_key=kept[INDEX_KEY], reload_keys=self.reload_if_changed
            )

    def reload_if_changed(self) -> Keys | None:
        """Read the keys again when the file has changed.

        Raises `StoreUnavailable` for a changed file that cannot be used: to seal on with keys that another program
        may have taken out would lose what is sealed.
        """
        try:
            stamp = self._stamp()
        except OSError:
            # Nobody rotates a file that is not there.
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
        """The encryption keys it holds now; raises `BadKeys`."""
        with self._as_bad_keys():
            return parse_keys(self._content()[ENCRYPTION_KEYS])

    def add_primary_key(self) -> str:
        """Put a fresh key before the others, and give its id."""
        fresh = generate_key()
        with self._as_bad_keys():
            kept = self._content()
            parse_keys(kept[ENCRYPTION_KEYS])
            self._replace({**kept, ENCRYPTION_KEYS: f"{fresh},{kept[ENCRYPTION_KEYS]}"})
        return fresh.partition(":")[0]

    def drop_old_keys(self) -> None:
        """Take out every key but the one that seals."""
        with self._as_bad_keys():
            kept = self._content()
            first = kept[ENCRYPTION_KEYS].partition(",")[0]
            parse_keys(first)
            self._replace({**kept, ENCRYPTION_KEYS: first})

    def _create(self) -> None:
        make_private_folder(self.path.parent)
        fresh = {ENCRYPTION_KEYS: generate_key(), INDEX_KEY: generate_raw_key()}
        with temporary_file_beside(self.path) as draft:
            _write(draft, fresh)
            try:
                move_into_place(draft, path=self.path)
            except FileExistsError:
                # Of two programs starting at once both end up with the same keys.
                return

    def _replace(self, content: Mapping[str, str]) -> None:
        owner = self.path.stat()
        with temporary_file_beside(self.path) as draft:
            _write(draft, content)
            if sys.platform != "win32" and (owner.st_uid, owner.st_gid) != (os.geteuid(), os.getegid()):
                # An administrator rotates: the program must go on reading its file.
                os.chown(draft, owner.st_uid, owner.st_gid)
            draft.replace(self.path)
            sync_folder(self.path.parent)

    def _content(self) -> dict[str, str]:
        content: dict[str, str] = json.loads(self.path.read_text("utf-8"))
        return content

    def _stamp(self) -> tuple[int, int]:
        # Before everything that is sealed: pathlib takes three times as long.
        facts = os.stat(self._name)  # noqa: PTH116
        return facts.st_ino, facts.st_mtime_ns

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
