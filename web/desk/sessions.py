"""Sessions of the desk: a signed cookie, and a proof in each form against cross-site requests.

Both are bound to the desk's key, so a new key ends every session at once.
"""

import hmac
import re
import unicodedata
from base64 import urlsafe_b64encode
from datetime import datetime, timedelta
from urllib.parse import quote, unquote

from verification.ids import Actor
from verification.invitations import KeyedDigest, Purpose
from verification.record import Record

COOKIE = "desk"
LIFETIME = timedelta(hours=12)
_LONGEST_NAME = 16  # characters
_COOKIE = re.compile(r"([A-Za-z0-9%]{1,192})\.([0-9]{1,12})\.([A-Za-z0-9_-]{43})")


class DeskSession(Record, kw_only=True):
    """A signed-in session; its forms carry `proof`."""

    name: str
    proof: str

    @property
    def actor(self) -> Actor:
        """The actor for audit entries."""
        return Actor(f"desk:{self.name}")


class DeskSessions:
    """Makes and reads sessions; its `repr` shows no key."""

    __slots__ = ("_key", "_keyed")

    def __init__(self, key: str, keyed: KeyedDigest) -> None:
        self._key = key
        self._keyed = keyed

    def is_key(self, key: str) -> bool:
        """Whether this is the desk's key, compared in constant time."""
        return hmac.compare_digest(key.encode(), self._key.encode())

    def begin(self, name: str, now: datetime) -> str:
        """The cookie of a new session."""
        begun = f"{quote(name, safe='')}.{int((now + LIFETIME).timestamp())}"
        return f"{begun}.{self._signature('session', begun)}"

    def read(self, cookie: str, now: datetime) -> DeskSession | None:
        """The session of a cookie; None for one that is expired or not signed with this key."""
        match = _COOKIE.fullmatch(cookie)
        if match is None:
            return None
        name, until, signature = match.groups()
        if not hmac.compare_digest(self._signature("session", f"{name}.{until}"), signature):
            return None
        if now.timestamp() >= int(until):
            return None
        return DeskSession(name=unquote(name), proof=self._signature("form", cookie))

    def _signature(self, what: str, text: str) -> str:
        digest = self._keyed(Purpose.DESK, f"{what}\0{self._key}\0{text}")
        return urlsafe_b64encode(digest).decode().rstrip("=")


def is_name(text: str) -> bool:
    """Whether a text may be a name in audit entries: letters and digits of any script, with their marks."""
    return 0 < len(text) <= _LONGEST_NAME and all(unicodedata.category(character)[0] in "LMN" for character in text)
