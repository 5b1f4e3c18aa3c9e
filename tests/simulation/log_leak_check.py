"""Everything the program logs in a story, held against the secrets in play."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from storage import StoreUnavailable

_FORMAT = logging.Formatter("%(name)s %(levelname)s %(message)s")
_OURS = ("bot", "storage", "verification", "web")


class LogLeakCheck(logging.Handler):
    """Keeps what is wrong with the lines of a log: a name, number or link in them, an error that nobody expects."""

    def __init__(self, secrets: Sequence[str]) -> None:
        super().__init__(logging.DEBUG)
        self._secrets = [*secrets]
        self.wrong: list[str] = []
        self.lines: list[str] = []
        self.poison: set[int] = set()

    def add_secret(self, secret: str) -> None:
        """Take one more text for a secret."""
        self._secrets.append(secret)

    def emit(self, record: logging.LogRecord) -> None:
        """Judge one line."""
        line = _FORMAT.format(record)
        self.lines.append(line.partition("\n")[0])
        if any(secret in line for secret in self._secrets):
            self.wrong.append(f"a log line holds a name, a number or a link: {line}")
        error = record.exc_info[1] if record.exc_info else None
        if record.levelno >= logging.ERROR and not isinstance(error, StoreUnavailable) and not self._expected(record):
            self.wrong.append(f"an error nobody expected: {line}")

    def _expected(self, record: logging.LogRecord) -> bool:
        """Whether it is about an update that nobody could handle, or a page that the database did not give."""
        args = record.args
        if record.name == "web.middleware" and isinstance(args, tuple) and args[0] == "StoreUnavailable":
            return True
        return record.name == "bot.intake" and isinstance(args, tuple) and args[:1] in {(id,) for id in self.poison}


@contextmanager
def checking_logs(secrets: Sequence[str]) -> Iterator[LogLeakCheck]:
    """Watch until left."""
    watch, root = LogLeakCheck(secrets), logging.getLogger()
    quiet = logging.getLogger("telegram")
    levels = {logger: logger.level for logger in (root, quiet, *map(logging.getLogger, _OURS))}
    quiet.setLevel(logging.CRITICAL + 1)
    for name in _OURS:
        logging.getLogger(name).setLevel(logging.DEBUG)
    root.addHandler(watch)
    try:
        yield watch
    finally:
        root.removeHandler(watch)
        for logger, level in levels.items():
            logger.setLevel(level)
