"""Who is signed in at the desk: a cookie that this program signed, and words in forms that only it can know.

Both are bound to the desk's key, so another key ends every session at once.
"""

import hmac
import re
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta

from verification.ids import Actor
from verification.invitations import KeyedDigest, Purpose

COOKIE = "desk"
LIFETIME = timedelta(hours=12)
_NAME = re.compile(r"[A-Za-z0-9]{1,16}")
_COOKIE = re.compile(r"([A-Za-z0-9]{1,16})\.([0-9]{1,12})\.([A-Za-z0-9_-]{43})")


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskSession:
    """Somebody at the desk; `proof` is what their forms carry."""

    name: str
    proof: str

    @property
    def actor(self) -> Actor:
        """Who they are in the notes of uses."""
        return Actor(f"desk:{self.name}")


class DeskSessions:
    """Makes and reads sessions; its `repr` shows no key."""

    __slots__ = ("_key", "_keyed")

    def __init__(self, key: str, keyed: KeyedDigest) -> None:
        self._key = key
        self._keyed = keyed

    def is_key(self, key: str) -> bool:
        """Whether this is the desk's key; takes as long for every wrong one."""
        return hmac.compare_digest(key.encode(), self._key.encode())

    def begin(self, name: str, now: datetime) -> str:
        """The cookie of a new session."""
        until = int((now + LIFETIME).timestamp())
        return f"{name}.{until}.{self._signed('session', f'{name}.{until}')}"

    def read(self, cookie: str, now: datetime) -> DeskSession | None:
        """The session of a cookie; None for one that is over, or was not made here with this key."""
        match = _COOKIE.fullmatch(cookie)
        if match is None:
            return None
        name, until, signature = match.groups()
        if not hmac.compare_digest(self._signed("session", f"{name}.{until}"), signature):
            return None
        return DeskSession(name=name, proof=self._signed("form", cookie)) if now.timestamp() < int(until) else None

    def _signed(self, what: str, text: str) -> str:
        digest = self._keyed(Purpose.DESK, f"{what}\0{self._key}\0{text}")
        return urlsafe_b64encode(digest).decode().rstrip("=")


def is_name(text: str) -> bool:
    """Whether a text can stand for somebody in the notes of uses."""
    return _NAME.fullmatch(text) is not None
