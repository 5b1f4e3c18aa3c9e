"""Keeps the bot's user name in a file in `DATA_DIR`, so that a command there knows it without asking Telegram.

A command could not ask in the playground: only the running bot knows the simulator's address and token.
"""

from contextlib import suppress
from pathlib import Path

from bot.links import parse_bot_name
from bot.settings import Settings


def write(settings: Settings, name: str) -> None:
    """Write the name, where it changed; a folder that cannot be written to is no error."""
    if read(settings) != name:
        with suppress(OSError):
            _path(settings).write_text(f"{name}\n", "ascii")


def read(settings: Settings) -> str | None:
    """Return the name of the bot that ran here last; None when there was none."""
    try:
        return parse_bot_name(_path(settings).read_text("ascii"))
    except (OSError, ValueError):
        return None


def _path(settings: Settings) -> Path:
    return settings.data_dir / "bot_name"
