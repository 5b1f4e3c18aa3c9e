"""Signatures of Tencent Cloud's API 3.0 by TC3-HMAC-SHA256.

The source of the rules is https://cloud.tencent.com/document/api/1007/31324. Our own signer instead of the vendor's
SDK: docs/decisions/0025-own-tc3-signer.md.
"""

import hashlib
import hmac
from datetime import UTC, datetime
from typing import ClassVar

from verification.record import Record

_ALGORITHM = "TC3-HMAC-SHA256"
_SERVICE = "faceid"
CONTENT_TYPE = "application/json"


class Credentials(Record):
    """A key of the vendor's access management."""

    hidden: ClassVar[frozenset[str]] = frozenset({"secret_id", "secret_key"})

    secret_id: str
    secret_key: str

    def sign(self, host: str, body: bytes, at: datetime) -> dict[str, str]:
        """The headers that sign a POST of this body to `/`; the vendor accepts them for five minutes."""
        timestamp = str(int(at.timestamp()))
        day = f"{at.astimezone(UTC):%Y-%m-%d}"
        headers = f"content-type:{CONTENT_TYPE}\nhost:{host}\n"
        canonical = f"POST\n/\n\n{headers}\ncontent-type;host\n{hashlib.sha256(body).hexdigest()}"
        scope = f"{day}/{_SERVICE}/tc3_request"
        text = f"{_ALGORITHM}\n{timestamp}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
        key = f"TC3{self.secret_key}".encode()
        for part in (day, _SERVICE, "tc3_request"):
            key = hmac.digest(key, part.encode(), "sha256")
        signature = hmac.digest(key, text.encode(), "sha256").hex()
        return {
            "Content-Type": CONTENT_TYPE,
            "Host": host,
            "X-TC-Timestamp": timestamp,
            "Authorization": (
                f"{_ALGORITHM} Credential={self.secret_id}/{scope}, "
                f"SignedHeaders=content-type;host, Signature={signature}"
            ),
        }
