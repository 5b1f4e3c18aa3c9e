"""Sealing of fields: AES-256-GCM bound to its place, and a keyed index for what must be found but not read.

A sealed value is: length of the key's id, the id, a 96-bit random nonce, the ciphertext with its tag. The place
("table:row:column") is bound data, so a value copied into another row does not open. The first key seals, every key
opens: a new key goes first, old ones stay until nothing is sealed with them. Where keys come from a file, they are read
again when it has changed, before anything is sealed: a program that runs on follows a rotation.
"""

import base64
import binascii
import hmac
import re
import secrets
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import NewType

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from storage.errors import BadKeys, DecryptionFailed
from verification.invitations import Purpose

ENCRYPTION_KEYS = "ENCRYPTION_KEYS"
INDEX_KEY = "INDEX_KEY"

_KEY_BYTES = 32
_NONCE_BYTES = 12
_KEY_ID = re.compile(r"[A-Za-z0-9_-]{1,32}")

AssociatedData = NewType("AssociatedData", str)
"""The place of a sealed value, `table:row:column`. It is bound into the value, and is not secret."""

Keys = Mapping[str, bytes]
"""Encryption keys by their ids, the one that seals first."""

ReloadKeys = Callable[[], Keys | None]
"""Gives the keys when they are no longer those it gave before."""


class IndexKind(StrEnum):
    """What is found by keyed index; the words keep equal texts of different kinds apart."""

    NUMBER = "identity-number"
    TOKEN = "attempt-token"  # noqa: S105 - a label, not a secret
    ACCOUNT = "account"
    CONTACT = "contact"
    KEY = "key-check"


class Sealing:
    """The keys, and what may be done with them; its `repr` names key ids only."""

    __slots__ = ("_ciphers", "_first", "_index_key", "_reload")

    def __init__(self, keys: Keys, index_key: bytes, reload_keys: ReloadKeys = lambda: None) -> None:
        _check_keys(keys)
        if len(index_key) != _KEY_BYTES:
            raise BadKeys(f"{INDEX_KEY}: {len(index_key)} bytes, not {_KEY_BYTES}")
        if index_key in keys.values():
            raise BadKeys(f"{INDEX_KEY}: must not be one of the keys in {ENCRYPTION_KEYS}")
        self._ciphers = {key_id: AESGCM(key) for key_id, key in keys.items()}
        self._first = next(iter(keys))
        self._index_key = index_key
        self._reload = reload_keys

    def __repr__(self) -> str:
        return f"Sealing(keys={list(self._ciphers)})"

    def seal(self, text: str, associated_data: AssociatedData) -> bytes:
        """Seal a text for the one place it may stand in; inside its transaction, which a rotation waits for."""
        self._renew_keys()
        nonce = secrets.token_bytes(_NONCE_BYTES)
        # Chat texts may hold half a surrogate pair, which plain UTF-8 refuses.
        sealed = self._ciphers[self._first].encrypt(
            nonce, text.encode("utf-8", "surrogatepass"), associated_data.encode()
        )
        return _prefix(self._first) + nonce + sealed

    def open(self, sealed: bytes, associated_data: AssociatedData) -> str:
        """Open what was sealed for this place; raises `Unsealable`."""
        key_id, body = self._split(sealed, associated_data)
        if key_id not in self._ciphers:
            self._renew_keys()
        if key_id not in self._ciphers:
            raise DecryptionFailed(f"{associated_data}: sealed with a key that {ENCRYPTION_KEYS} does not hold")
        try:
            plain = self._ciphers[key_id].decrypt(body[:_NONCE_BYTES], body[_NONCE_BYTES:], associated_data.encode())
        except (InvalidTag, ValueError) as error:
            raise DecryptionFailed(
                f"{associated_data}: changed, moved, or sealed with another key of the same id"
            ) from error
        return plain.decode("utf-8", "surrogatepass")

    def prefixes(self) -> list[bytes]:
        """How values begin that these keys open; those of the first key come first."""
        self._renew_keys()
        return [_prefix(key_id) for key_id in sorted(self._ciphers, key=lambda key_id: key_id != self._first)]

    def is_current(self, sealed: bytes) -> bool:
        """Whether this was sealed with the first key."""
        return sealed.startswith(self.prefixes()[0])

    def index(self, kind: IndexKind | Purpose, text: str) -> bytes:
        """Give the keyed index of a text: equal texts of one kind have equal ones, and nothing else shows."""
        message = kind.value.encode() + b"\0" + text.encode("utf-8", "surrogatepass")
        return hmac.digest(self._index_key, message, "sha256")

    def _renew_keys(self) -> None:
        newer = self._reload()
        if newer is not None:
            # Those that went still open what was read before they went.
            self._ciphers |= {key_id: AESGCM(key) for key_id, key in newer.items()}
            self._first = next(iter(newer))

    def _split(self, sealed: bytes, associated_data: AssociatedData) -> tuple[str, bytes]:
        length = sealed[0] if sealed else 0
        key_id, body = sealed[1 : 1 + length], sealed[1 + length :]
        if not key_id.isascii() or len(body) < _NONCE_BYTES:
            raise DecryptionFailed(f"{associated_data}: not a sealed value")
        return key_id.decode(), body


def parse_sealing(*, encryption_keys: str, index_key: str, reload_keys: ReloadKeys = lambda: None) -> Sealing:
    """Read keys from settings: `id:base64` separated by commas, newest first, and one base64 index key."""
    return Sealing(parse_keys(encryption_keys), _decode(index_key, INDEX_KEY), reload_keys)


def parse_keys(encryption_keys: str) -> Keys:
    """Read encryption keys alone; raises `BadKeys`."""
    keys: dict[str, bytes] = {}
    for item in filter(None, (item.strip() for item in encryption_keys.split(","))):
        key_id, colon, encoded = item.partition(":")
        if not colon:
            raise BadKeys(f"{ENCRYPTION_KEYS}: each key is written id:base64")
        if key_id in keys:
            raise BadKeys(f"{ENCRYPTION_KEYS}: the id {key_id} stands twice")
        keys[key_id] = _decode(encoded, ENCRYPTION_KEYS)
    _check_keys(keys)
    return keys


def generate_key() -> str:
    """A fresh encryption key with an id of its own, as settings write it."""
    return f"k{secrets.token_hex(4)}:{generate_raw_key()}"


def generate_raw_key() -> str:
    """A fresh key alone, as settings write it."""
    return base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode()


def _check_keys(keys: Keys) -> None:
    if not keys:
        raise BadKeys(f"{ENCRYPTION_KEYS}: no key")
    for key_id, key in keys.items():
        if not _KEY_ID.fullmatch(key_id):
            raise BadKeys(f"{ENCRYPTION_KEYS}: a key's id is 1 to 32 letters, digits, - or _")
        if len(key) != _KEY_BYTES:
            raise BadKeys(f"{ENCRYPTION_KEYS}: key {key_id} has {len(key)} bytes, not {_KEY_BYTES}")


def _prefix(key_id: str) -> bytes:
    return bytes([len(key_id)]) + key_id.encode()


def _decode(encoded: str, setting: str) -> bytes:
    try:
        return base64.b64decode(encoded.strip().replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError):
        raise BadKeys(f"{setting}: a key is not base64") from None
