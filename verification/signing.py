"""Signed messages between servers, by Standard Webhooks 1.0.0: HMAC-SHA-256 over id, time and body.

Checking never raises anything but `BadSignature`, whatever was sent.
"""

import base64
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

_PREFIX = "whsec_"
_VERSION = "v1"
_TOLERANCE = timedelta(minutes=5)
_ID_LIMIT, _SIGNATURE_LIMIT = 256, 4096


class InvalidSignature(Exception):
    """The message is not signed with our secret, or not now; says which header is to blame, never what it holds."""


class WebhookSigner:
    """Signs and checks with one secret."""

    def __init__(self, secret: str) -> None:
        """Read `whsec_` and base64 of 24 to 64 bytes; raises `ValueError` for anything else."""
        try:
            self._key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
        except ValueError:
            self._key = b""
        if not secret.startswith(_PREFIX) or not 24 <= len(self._key) <= 64:
            raise ValueError("write whsec_ and base64 of 24 to 64 random bytes")

    def headers(self, message_id: str, at: datetime, body: bytes) -> dict[str, str]:
        """The headers that make a message ours."""
        stamp = str(int(at.timestamp()))
        return {
            "webhook-id": message_id,
            "webhook-timestamp": stamp,
            "webhook-signature": f"{_VERSION},{self._signature(message_id, stamp, body)}",
        }

    def verify(self, headers: Mapping[str, str], body: bytes, now: datetime) -> None:
        """Raise `BadSignature` unless the message was signed with this secret within five minutes of now."""
        message_id = headers.get("webhook-id", "")
        stamp = headers.get("webhook-timestamp", "")
        given = headers.get("webhook-signature", "")
        if not 0 < len(message_id) <= _ID_LIMIT:
            raise InvalidSignature("webhook-id")
        if not _is_fresh(stamp, now):
            raise InvalidSignature("webhook-timestamp")
        expected = f"{_VERSION},{self._signature(message_id, stamp, body)}".encode()
        # All of them are compared: while a secret is renewed, a sender may sign with both.
        fitting = [
            hmac.compare_digest(one.encode(errors="replace"), expected) for one in given[:_SIGNATURE_LIMIT].split(" ")
        ]
        if not any(fitting):
            raise InvalidSignature("webhook-signature")

    def _signature(self, message_id: str, stamp: str, body: bytes) -> str:
        signed = f"{message_id}.{stamp}.".encode(errors="replace") + body
        return base64.b64encode(hmac.digest(self._key, signed, "sha256")).decode()


def _is_fresh(stamp: str, now: datetime) -> bool:
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 11):
        return False
    return abs(now - datetime.fromtimestamp(int(stamp), UTC)) <= _TOLERANCE
