"""Searches everything that the program logs in a story for the story's secrets."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from storage import StoreUnavailable

_FORMAT = logging.Formatter("%(name)s %(levelname)s %(message)s")
_VENDORS = ("verification.providers.tencent", "verification.providers.alipay")
_OURS = ("bot", "storage", "verification", "web")


class LogLeakCheck(logging.Handler):
    """Collects problems of log lines: a name, a number or a link in them, or an unexpected error."""

    def __init__(self, secrets: Sequence[str]) -> None:
        super().__init__(logging.DEBUG)
        self._secrets = [*secrets]
        self.wrong: list[str] = []
        self.lines: list[str] = []
        self.poison: set[int] = set()

    def add_secret(self, secret: str) -> None:
        """Add a secret."""
        self._secrets.append(secret)

    def emit(self, record: logging.LogRecord) -> None:
        """Check one line."""
        line = _FORMAT.format(record)
        self.lines.append(line.partition("\n")[0])
        if any(secret in line for secret in self._secrets):
            self.wrong.append(f"a log line holds a name, a number or a link: {line}")
        error = record.exc_info[1] if record.exc_info else None
        if record.levelno >= logging.ERROR and not isinstance(error, StoreUnavailable) and not self._expected(record):
            self.wrong.append(f"an error nobody expected: {line}")

    def _expected(self, record: logging.LogRecord) -> bool:
        """Whether it is about an update that cannot be handled, a page during a database fault, or a vendor's fault."""
        args = record.args
        if record.name.startswith(_VENDORS) or record.name == "verification.provider_polling":
            return not record.exc_info
        if record.name == "web.middleware" and isinstance(args, tuple) and args[0] == "StoreUnavailable":
            return True
        return record.name == "bot.intake" and isinstance(args, tuple) and args[:1] in {(id,) for id in self.poison}


@contextmanager
def checking_logs(secrets: Sequence[str]) -> Iterator[LogLeakCheck]:
    """Check log lines inside this context."""
    log_check, root = LogLeakCheck(secrets), logging.getLogger()
    quiet = logging.getLogger("telegram")
    levels = {logger: logger.level for logger in (root, quiet, *map(logging.getLogger, _OURS))}
    quiet.setLevel(logging.CRITICAL + 1)
    for name in _OURS:
        logging.getLogger(name).setLevel(logging.DEBUG)
    root.addHandler(log_check)
    try:
        yield log_check
    finally:
        root.removeHandler(log_check)
        for logger, level in levels.items():
            logger.setLevel(level)
