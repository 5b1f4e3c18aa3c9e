"""Sets up logging. A log line holds types and ids, never a name, an ID number, a token or a link.

Our own lines are written that way. The formatter redacts as a second defence, against what a library might log.
"""

import logging
import re
import sys
from typing import Literal

import structlog

_SECRETS = (
    (re.compile(r"\d{3,20}:[A-Za-z0-9_-]{20,}"), "<token>"),
    (re.compile(r"(?<![0-9A-Za-z_-])a[0-9a-f]{16}[A-Za-z0-9_-]{22}(?![0-9A-Za-z_-])"), "<link>"),
    (re.compile(r"whsec_[A-Za-z0-9+/=]+"), "<secret>"),
    (re.compile(r"/v/[A-Za-z0-9_-]{16,}"), "/v/<link>"),
    (re.compile(r"(?<![0-9A-Za-z])\d{14,17}[0-9Xx](?![0-9A-Za-z])"), "<number>"),
)


def redact(text: str) -> str:
    """Replace everything in a text that looks like a token, a link, a secret or an ID number."""
    for pattern, sign in _SECRETS:
        text = pattern.sub(sign, text)
    return text


class _RedactingFormatter(structlog.stdlib.ProcessorFormatter):
    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))


def configure(form: Literal["text", "json"], level: str) -> None:
    """Send all logs to stderr in one format, and silence libraries that log raw updates."""
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
    ]
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if form == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), pad_event_to=0)
    )
    formatter = _RedactingFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    # Some of its lines quote whole updates; everything it logs is also raised to its caller.
    logging.getLogger("telegram").setLevel(logging.CRITICAL + 1)
    for noisy in ("httpx", "httpcore", "aiohttp", "uvicorn", "asyncio", "aiosqlite"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
