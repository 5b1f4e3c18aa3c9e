"""Sealing of fields: AES-256-GCM bound to row and column, and a keyed index for values that are looked up, not read.

A sealed value is: length of the key's id, the id, a 96-bit random nonce, the ciphertext with its tag. A long text that
stays is compressed before it is sealed. The position of a value ("table:row:column") is associated data, so a value
copied into another row does not open. The first key seals and every key opens: a new key goes first, and old keys stay
until no value is sealed with them. Keys from a file are read again before each sealing when the file has changed, so a
running program follows a rotation.
"""

import base64
import binascii
import hmac
import re
import secrets
import zlib
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
_COMPRESSED = b"\0"
"""The first byte of a compressed text; no other text is stored with it."""
_LONG = 128
"""Bytes; a shorter text saves less than its page of the database wastes."""
_KEY_ID = re.compile(r"[A-Za-z0-9_-]{1,32}")

AssociatedData = NewType("AssociatedData", str)
"""The position of a sealed value, `table:row:column`; it is bound to the value, and not secret."""

Keys = Mapping[str, bytes]
"""Encryption keys by id; the first one seals."""

ReloadKeys = Callable[[], Keys | None]
"""Returns the keys when they have changed since the last call, else None."""


class IndexKind(StrEnum):
    """What a keyed index is for; the values keep equal texts of different kinds apart."""

    NUMBER = "identity-number"
    TOKEN = "attempt-token"  # noqa: S105 - a label, not a secret
    ACCOUNT = "account"
    CONTACT = "contact"
    KEY = "key-check"
    NETWORK_IDENTITY = "network-identity"


class Sealing:
    """Seals and opens fields with its keys; its `repr` names key ids only."""

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

    def seal(self, text: str, associated_data: AssociatedData, *, stays: bool = True) -> bytes:
        """Seal a text for one row and column, inside a transaction that has begun with `renew_keys`.

        A text that is replaced within minutes, and does not stay, is not worth the time of its compression.
        """
        nonce = secrets.token_bytes(_NONCE_BYTES)
        packed = _packed(text, compress=stays)
        sealed = self._ciphers[self._first].encrypt(nonce, packed, associated_data.encode())
        return _prefix(self._first) + nonce + sealed

    def open(self, sealed: bytes, associated_data: AssociatedData) -> str:
        """Open a value that was sealed for this row and column; raises `DecryptionFailed`."""
        key_id, body = self._split(sealed, associated_data)
        if key_id not in self._ciphers:
            self.renew_keys()
        if key_id not in self._ciphers:
            raise DecryptionFailed(f"{associated_data}: sealed with a key that {ENCRYPTION_KEYS} does not hold")
        try:
            plain = self._ciphers[key_id].decrypt(body[:_NONCE_BYTES], body[_NONCE_BYTES:], associated_data.encode())
        except (InvalidTag, ValueError) as error:
            raise DecryptionFailed(
                f"{associated_data}: changed, moved, or sealed with another key of the same id"
            ) from error
        return _unpacked(plain)

    def prefixes(self) -> list[bytes]:
        """The prefixes of values that these keys open; that of the first key comes first."""
        self.renew_keys()
        return [_prefix(key_id) for key_id in sorted(self._ciphers, key=lambda key_id: key_id != self._first)]

    def is_current(self, sealed: bytes) -> bool:
        """Whether this was sealed with the first key."""
        return sealed.startswith(self.prefixes()[0])

    def index(self, kind: IndexKind | Purpose, text: str) -> bytes:
        """The keyed index of a text: equal for equal texts of one kind; it reveals nothing else."""
        message = kind.value.encode() + b"\0" + text.encode("utf-8", "surrogatepass")
        return hmac.digest(self._index_key, message, "sha256")

    def renew_keys(self) -> None:
        """Learn a new first key; each transaction that seals begins with this.

        A rotation waits for the transactions that were open when the key became known, and the later ones use it.
        """
        newer = self._reload()
        if newer is not None:
            # Removed keys still open values that were read before the removal.
            self._ciphers |= {key_id: AESGCM(key) for key_id, key in newer.items()}
            self._first = next(iter(newer))

    def _split(self, sealed: bytes, associated_data: AssociatedData) -> tuple[str, bytes]:
        length = sealed[0] if sealed else 0
        key_id, body = sealed[1 : 1 + length], sealed[1 + length :]
        if not key_id.isascii() or len(body) < _NONCE_BYTES:
            raise DecryptionFailed(f"{associated_data}: not a sealed value")
        return key_id.decode(), body


def _packed(text: str, *, compress: bool) -> bytes:
    # A chat text may hold half a surrogate pair, which plain UTF-8 refuses.
    plain = text.encode("utf-8", "surrogatepass")
    if not (compress and len(plain) >= _LONG) and not plain.startswith(_COMPRESSED):
        return plain
    return _COMPRESSED + zlib.compress(plain, wbits=-zlib.MAX_WBITS)


def _unpacked(packed: bytes) -> str:
    plain = zlib.decompress(packed[1:], -zlib.MAX_WBITS) if packed.startswith(_COMPRESSED) else packed
    return plain.decode("utf-8", "surrogatepass")


def parse_sealing(*, encryption_keys: str, index_key: str, reload_keys: ReloadKeys = lambda: None) -> Sealing:
    """Parse keys from settings: `id:base64` separated by commas, newest first, and one base64 index key."""
    return Sealing(parse_keys(encryption_keys), _decode(index_key, INDEX_KEY), reload_keys)


def parse_keys(encryption_keys: str) -> Keys:
    """Parse the encryption keys alone; raises `BadKeys`."""
    keys: dict[str, bytes] = {}
    for item in filter(None, (item.strip() for item in encryption_keys.split(","))):
        key_id, colon, encoded = item.partition(":")
        if not colon:
            raise BadKeys(f"{ENCRYPTION_KEYS}: each key is written id:base64")
        if key_id in keys:
            raise BadKeys(f"{ENCRYPTION_KEYS}: the id {key_id} is used twice")
        keys[key_id] = _decode(encoded, ENCRYPTION_KEYS)
    _check_keys(keys)
    return keys


def generate_key() -> str:
    """A fresh encryption key with its own id, as written in settings."""
    return f"k{secrets.token_hex(4)}:{generate_raw_key()}"


def generate_raw_key() -> str:
    """A fresh key without an id, as written in settings."""
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
