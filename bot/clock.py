"""The only place that reads the clock and the random source."""

import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.flow.rows import RuleContext

_TOKEN_BYTES = 18
"""144 random bits, which are 24 characters in a URL."""


class Clock:
    """The current time; scripts that travel in time write the seconds to add into the offset file."""

    def __init__(self, offset_file: Path | None = None) -> None:
        self._offset_file = offset_file

    def now(self) -> datetime:
        """Return the time as an aware UTC datetime."""
        return datetime.now(UTC) + self._offset()

    def rule_context(self) -> RuleContext:
        """Return the time and a fresh id for one turn."""
        return RuleContext(self.now(), secrets.token_hex(16))

    def _offset(self) -> timedelta:
        if self._offset_file is None:
            return timedelta()
        try:
            return timedelta(seconds=float(self._offset_file.read_text("ascii")))
        except (OSError, ValueError):
            return timedelta()


def new_token() -> str:
    """Return a token that cannot be guessed, in URL-safe characters."""
    return secrets.token_urlsafe(_TOKEN_BYTES)


def new_match_code() -> str:
    """Return two digits that the person compares between chat and phone."""
    return f"{secrets.randbelow(100):02d}"
