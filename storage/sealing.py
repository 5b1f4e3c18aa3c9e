"""Sealing of fields: AES-256-GCM bound to its place, and a keyed index for what must be found but not read.

A sealed value is: length of the key's id, the id, a 96-bit random nonce, the ciphertext with its tag. The place
("table:row:column") is bound data, so a value copied into another row does not open. The first key seals, every key
opens: a new key goes first, old ones stay until nothing is sealed with them.
"""

import base64
import binascii
import hmac
import json
import os
import re
import secrets
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from storage.errors import BadKeys, Unsealable
from storage.folders import make_private_folder, sync_folder

_KEY_BYTES = 32
_NONCE_BYTES = 12
_KEY_ID = re.compile(r"[A-Za-z0-9_-]{1,32}")
_ENCRYPTION_KEYS = "ENCRYPTION_KEYS"
_INDEX_KEY = "INDEX_KEY"


class Indexed(StrEnum):
    """What is found by keyed index; the words keep equal texts of different kinds apart."""

    NUMBER = "identity-number"
    TOKEN = "attempt-token"  # noqa: S105 - a label, not a secret
    ACCOUNT = "account"
    CONTACT = "contact"
    KEY = "key-check"


class Sealing:
    """The keys, and what may be done with them; its `repr` names key ids only."""

    __slots__ = ("_ciphers", "_first", "_index_key")

    def __init__(self, keys: Mapping[str, bytes], index_key: bytes) -> None:
        if not keys:
            raise BadKeys(f"{_ENCRYPTION_KEYS}: no key")
        for key_id, key in keys.items():
            if not _KEY_ID.fullmatch(key_id):
                raise BadKeys(f"{_ENCRYPTION_KEYS}: a key's id is 1 to 32 letters, digits, - or _")
            if len(key) != _KEY_BYTES:
                raise BadKeys(f"{_ENCRYPTION_KEYS}: key {key_id} has {len(key)} bytes, not {_KEY_BYTES}")
        if len(index_key) != _KEY_BYTES:
            raise BadKeys(f"{_INDEX_KEY}: {len(index_key)} bytes, not {_KEY_BYTES}")
        if index_key in keys.values():
            raise BadKeys(f"{_INDEX_KEY}: must not be one of the keys in {_ENCRYPTION_KEYS}")
        self._ciphers = {key_id: AESGCM(key) for key_id, key in keys.items()}
        self._first = next(iter(keys))
        self._index_key = index_key

    def __repr__(self) -> str:
        return f"Sealing(keys={list(self._ciphers)})"

    def seal(self, text: str, place: str) -> bytes:
        """Seal a text for the one place it may stand in."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        key_id = self._first.encode()
        # Chat texts may hold half a surrogate pair, which plain UTF-8 refuses.
        sealed = self._ciphers[self._first].encrypt(nonce, text.encode("utf-8", "surrogatepass"), place.encode())
        return bytes([len(key_id)]) + key_id + nonce + sealed

    def open(self, sealed: bytes, place: str) -> str:
        """Open what was sealed for this place; raises `Unsealable`."""
        key_id, body = self._split(sealed, place)
        if key_id not in self._ciphers:
            raise Unsealable(f"{place}: sealed with a key that {_ENCRYPTION_KEYS} does not hold")
        try:
            plain = self._ciphers[key_id].decrypt(body[:_NONCE_BYTES], body[_NONCE_BYTES:], place.encode())
        except (InvalidTag, ValueError) as error:
            raise Unsealable(f"{place}: changed, moved, or sealed with another key of the same id") from error
        return plain.decode("utf-8", "surrogatepass")

    def prefixes(self) -> list[bytes]:
        """How values begin that these keys open."""
        return [bytes([len(key_id)]) + key_id.encode() for key_id in self._ciphers]

    def is_current(self, sealed: bytes) -> bool:
        """Whether this was sealed with the first key."""
        key_id = self._first.encode()
        return sealed.startswith(bytes([len(key_id)]) + key_id)

    def index(self, kind: Indexed, text: str) -> bytes:
        """Give the keyed index of a text: equal texts of one kind have equal ones, and nothing else shows."""
        message = kind.value.encode() + b"\0" + text.encode("utf-8", "surrogatepass")
        return hmac.digest(self._index_key, message, "sha256")

    def _split(self, sealed: bytes, place: str) -> tuple[str, bytes]:
        length = sealed[0] if sealed else 0
        key_id, body = sealed[1 : 1 + length], sealed[1 + length :]
        if not key_id.isascii() or len(body) < _NONCE_BYTES:
            raise Unsealable(f"{place}: not a sealed value")
        return key_id.decode(), body


def parse(encryption_keys: str, index_key: str) -> Sealing:
    """Read keys from settings: `id:base64` separated by commas, newest first, and one base64 index key."""
    keys: dict[str, bytes] = {}
    for item in filter(None, (item.strip() for item in encryption_keys.split(","))):
        key_id, colon, encoded = item.partition(":")
        if not colon:
            raise BadKeys(f"{_ENCRYPTION_KEYS}: each key is written id:base64")
        if key_id in keys:
            raise BadKeys(f"{_ENCRYPTION_KEYS}: the id {key_id} stands twice")
        keys[key_id] = _decode(encoded, _ENCRYPTION_KEYS)
    return Sealing(keys, _decode(index_key, _INDEX_KEY))


def load_or_create(path: Path) -> Sealing:
    """Read the keys of this file, or make it with fresh ones; whoever makes it first wins."""
    if not path.exists():
        _create(path)
    try:
        kept = json.loads(path.read_text("utf-8"))
        return parse(kept[_ENCRYPTION_KEYS], kept[_INDEX_KEY])
    except (BadKeys, OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        reason = error if isinstance(error, BadKeys) else type(error).__name__
        raise BadKeys(f"the key file {path} cannot be used ({reason})") from None


def _create(path: Path) -> None:
    make_private_folder(path.parent)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(json.dumps(_fresh(), indent=2) + "\n")
            file.flush()
            os.fsync(file.fileno())
        _publish(draft, path)
        sync_folder(path.parent)
    finally:
        draft.unlink(missing_ok=True)


def _publish(draft: Path, path: Path) -> None:
    try:
        # A link never replaces: of two programs starting at once both end up with the same keys.
        path.hardlink_to(draft)
    except FileExistsError:
        return
    except OSError:
        # Some file systems know no links.
        draft.replace(path)


def _fresh() -> dict[str, str]:
    key_id = f"k{secrets.token_hex(4)}"
    return {_ENCRYPTION_KEYS: f"{key_id}:{_random_key()}", _INDEX_KEY: _random_key()}


def _random_key() -> str:
    return base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode()


def _decode(encoded: str, setting: str) -> bytes:
    try:
        return base64.b64decode(encoded.strip().replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError):
        raise BadKeys(f"{setting}: a key is not base64") from None
