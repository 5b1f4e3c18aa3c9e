"""Links into the bot that staff share, as Telegram defines them: they open the chat, and the person presses Start."""

import re

FAQ = "faq_"
"""What the payload of a link to a topic begins with; alone, it leads to the list."""
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
    """The link that a token of an account's opens with."""
    return f"https://t.me/{bot}?start={token}"
