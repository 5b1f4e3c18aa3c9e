"""The one place that reads the time, the random source, and makes fresh ids of them."""

import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.flow.rows import RuleContext

_TOKEN_BYTES = 18
"""144 random bits: 24 characters in an address."""


class Clock:
    """UTC now; for conversations that must travel in time, a file may hold seconds to add."""

    def __init__(self, offset_file: Path | None = None) -> None:
        self._offset_file = offset_file

    def now(self) -> datetime:
        """The time, aware, in UTC."""
        return datetime.now(UTC) + self._offset()

    def rule_context(self) -> RuleContext:
        """The outside facts of one turn."""
        return RuleContext(self.now(), secrets.token_hex(16))

    def _offset(self) -> timedelta:
        if self._offset_file is None:
            return timedelta()
        try:
            return timedelta(seconds=float(self._offset_file.read_text("ascii")))
        except (OSError, ValueError):
            return timedelta()


def new_token() -> str:
    """A token nobody can guess, in the characters of an address."""
    return secrets.token_urlsafe(_TOKEN_BYTES)


def new_match_code() -> str:
    """Two digits to compare by eye."""
    return f"{secrets.randbelow(100):02d}"
