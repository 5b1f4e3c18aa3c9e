"""Links into the bot that staff share, as Telegram defines them: they open the chat, and the person presses Start."""

import re

from verification.attempts import Method

FAQ = "faq_"
"""What the payload of a link to a topic begins with; alone, it leads to the list."""
WAY = "way_"
LANGUAGE = "lang_"
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{3,31}")


def bot_name(text: str) -> str:
    """A bot's user name as people write it, with or without the @; raises `ValueError`."""
    name = text.strip().removeprefix("@")
    if not _NAME.fullmatch(name):
        raise ValueError("write the bot's user name: @example_bot")
    return name


def to_topic(bot: str, topic: str = "") -> str:
    """The link that opens a topic of the FAQ, or the list."""
    return f"https://t.me/{bot}?start={FAQ}{topic}"


def to_account(bot: str, token: str) -> str:
    """The link that leads whoever opens it first to the account it was made for."""
    return f"https://t.me/{bot}?start={token}"


def to_way(bot: str, method: Method) -> str:
    """The link that suggests a way."""
    return f"https://t.me/{bot}?start={WAY}{method}"


def to_language(bot: str, language: str) -> str:
    """The link that opens the chat in a language."""
    return f"https://t.me/{bot}?start={LANGUAGE}{language}"
