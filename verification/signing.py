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
_TOLERANCE = timedelta(minutes=5)
_ID_LIMIT, _SIGNATURE_LIMIT = 256, 4096


class InvalidSignature(Exception):
    """The signature is wrong or not fresh; the message names the header at fault, never its value."""


class WebhookSigner:
    """Signs and verifies with one secret."""

    def __init__(self, secret: str) -> None:
        """Decode `whsec_` and base64 of 24 to 64 bytes; raises `ValueError` for anything else."""
        with suppress(ValueError):
            self._key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
            if secret.startswith(_PREFIX) and 24 <= len(self._key) <= 64:
                return
        raise ValueError("write whsec_ and base64 of 24 to 64 random bytes")

    def headers(self, message_id: str, at: datetime, body: bytes) -> dict[str, str]:
        """The headers that sign a message."""
        timestamp = str(int(at.timestamp()))
        return {
            "webhook-id": message_id,
            "webhook-timestamp": timestamp,
            "webhook-signature": f"{_VERSION},{self._signature(message_id, timestamp, body)}",
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
        expected = f"{_VERSION},{self._signature(message_id, timestamp, body)}".encode()
        # All signatures are compared: while a secret is being replaced, a sender may sign with both.
        matches = [
            hmac.compare_digest(one.encode(errors="replace"), expected) for one in signatures[:_SIGNATURE_LIMIT].split()
        ]
        if not any(matches):
            raise InvalidSignature("webhook-signature")

    def _signature(self, message_id: str, timestamp: str, body: bytes) -> str:
        signed = f"{message_id}.{timestamp}.".encode(errors="replace") + body
        return base64.b64encode(hmac.digest(self._key, signed, "sha256")).decode()


def _is_fresh(timestamp: str, now: datetime) -> bool:
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 11):
        return False
    return abs(now - datetime.fromtimestamp(int(timestamp), UTC)) <= _TOLERANCE
