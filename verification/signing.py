"""Signed messages between servers, by Standard Webhooks 1.0.0: HMAC-SHA-256 over id, time and body.

`verify` raises only `InvalidSignature`, for any input.
"""

import base64
import hmac
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta

_PREFIX = "whsec_"
_VERSION = "v1"
_MAX_SECRETS = 2
_TOLERANCE = timedelta(minutes=5)
_ID_LIMIT, _SIGNATURE_LIMIT = 256, 4096


class InvalidSignature(Exception):
    """The signature is wrong or not fresh; the message names the header at fault, never its value."""


class WebhookSigner:
    """Signs with every secret, and accepts what any of them signed: two while one is replaced by the other."""

    def __init__(self, setting: str) -> None:
        """Read one secret, or two with a comma between them; raises `ValueError` for anything else."""
        self._keys = [_read_secret(secret.strip()) for secret in setting.split(",")]
        if len(self._keys) > _MAX_SECRETS:
            raise ValueError("write one secret, or two while one is replaced by the other")

    def headers(self, message_id: str, at: datetime, body: bytes) -> dict[str, str]:
        """The headers that sign a message."""
        timestamp = str(int(at.timestamp()))
        return {
            "webhook-id": message_id,
            "webhook-timestamp": timestamp,
            "webhook-signature": " ".join(self._signatures(message_id, timestamp, body)),
        }

    def verify(self, headers: Mapping[str, str], body: bytes, now: datetime) -> None:
        """Raise `InvalidSignature` unless this secret signed the message within five minutes of now."""
        message_id = headers.get("webhook-id", "")
        timestamp = headers.get("webhook-timestamp", "")
        signatures = headers.get("webhook-signature", "")
        if not 0 < len(message_id) <= _ID_LIMIT:
            raise InvalidSignature("webhook-id")
        if not _is_fresh(timestamp, now):
            raise InvalidSignature("webhook-timestamp")
        expected = [signature.encode() for signature in self._signatures(message_id, timestamp, body)]
        # All signatures are compared: while a secret is being replaced, a sender may sign with both.
        matches = [
            hmac.compare_digest(one.encode(errors="replace"), ours)
            for one in signatures[:_SIGNATURE_LIMIT].split()
            for ours in expected
        ]
        if not any(matches):
            raise InvalidSignature("webhook-signature")

    def _signatures(self, message_id: str, timestamp: str, body: bytes) -> list[str]:
        signed = f"{message_id}.{timestamp}.".encode(errors="replace") + body
        return [f"{_VERSION},{base64.b64encode(hmac.digest(key, signed, 'sha256')).decode()}" for key in self._keys]


def _read_secret(secret: str) -> bytes:
    with suppress(ValueError):
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
        if secret.startswith(_PREFIX) and 24 <= len(key) <= 64:
            return key
    raise ValueError("write whsec_ and base64 of 24 to 64 random bytes")


def _is_fresh(timestamp: str, now: datetime) -> bool:
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 11):
        return False
    return abs(now - datetime.fromtimestamp(int(timestamp), UTC)) <= _TOLERANCE
