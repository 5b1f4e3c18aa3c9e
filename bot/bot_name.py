"""The bot's user name beside its data: a command in the same place knows the name without asking Telegram.

The playground's bot has a token and a Telegram that nobody else knows of, so there is nobody else to ask.
"""

from contextlib import suppress
from pathlib import Path

from bot.links import parse_bot_name
from bot.settings import Settings


def write(settings: Settings, name: str) -> None:
    """Write the name down; a place that takes no file does without."""
    if read(settings) != name:
        with suppress(OSError):
            _path(settings).write_text(f"{name}\n", "ascii")


def read(settings: Settings) -> str | None:
    """The name of the bot that ran here last."""
    try:
        return parse_bot_name(_path(settings).read_text("ascii"))
    except (OSError, ValueError):
        return None


def _path(settings: Settings) -> Path:
    return settings.data_dir / "bot_name"
