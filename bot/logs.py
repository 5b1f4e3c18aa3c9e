"""Sets up logging. A log line holds types and ids, never a name, an ID number, a token or a link.

Our own lines are written that way. The formatter redacts as a second defence, against what a library might log.
"""

import json
import logging
import re
import sys
from datetime import UTC, datetime
from typing import Literal

_SECRETS = (
    (re.compile(r"\d{3,20}:[A-Za-z0-9_-]{20,}"), "<token>"),
    (re.compile(r"(?<![0-9A-Za-z_-])a[0-9a-f]{16}[A-Za-z0-9_-]{22}(?![0-9A-Za-z_-])"), "<link>"),
    (re.compile(r"whsec_[A-Za-z0-9+/=]+"), "<secret>"),
    (re.compile(r"/(v|f)/[A-Za-z0-9_-]{16,}"), r"/\1/<link>"),
    (re.compile(r"(?<![0-9A-Za-z])\d{14,17}[0-9Xx](?![0-9A-Za-z])"), "<number>"),
)


def redact(text: str) -> str:
    """Replace everything in a text that looks like a token, a link, a secret or an ID number."""
    for pattern, sign in _SECRETS:
        text = pattern.sub(sign, text)
    return text


class _RedactingFormatter(logging.Formatter):
    """Formats a line as text or as an object of JSON; the time is in UTC."""

    def __init__(self, *, as_json: bool) -> None:
        super().__init__()
        self._as_json = as_json

    def format(self, record: logging.LogRecord) -> str:
        return redact(self._object(record) if self._as_json else super().format(record))

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the name that logging calls
        return f"{_time(record)} [{record.levelname.lower():9}] {record.message} [{record.name}]"

    def _object(self, record: logging.LogRecord) -> str:
        facts = {
            "event": record.getMessage(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "timestamp": _time(record),
        }
        if record.exc_info:
            facts["exception"] = self.formatException(record.exc_info)
        return json.dumps(facts, ensure_ascii=False)


def _time(record: logging.LogRecord) -> str:
    return f"{datetime.fromtimestamp(record.created, UTC):%Y-%m-%dT%H:%M:%S.%fZ}"


def configure(form: Literal["text", "json"], level: str) -> None:
    """Send all logs to stderr in one format, and silence libraries that log raw updates."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_RedactingFormatter(as_json=form == "json"))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    # Some of its lines quote whole updates; everything it logs is also raised to its caller.
    logging.getLogger("telegram").setLevel(logging.CRITICAL + 1)
    # Its pool reports every connection that it cannot restore, with a traceback; `bot.outages` has one line for that.
    logging.getLogger("asyncpg").setLevel(logging.CRITICAL)
    logging.captureWarnings(capture=True)
    for noisy in ("httpx", "httpcore", "aiohttp", "uvicorn", "asyncio", "aiosqlite"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
