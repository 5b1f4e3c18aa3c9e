"""Links into the bot that staff share, as Telegram defines them: they open the chat, and the person presses Start.

Where a client loses what stands behind `start=`, the person may write the link down instead.
"""

import re

from verification.attempts import Method
from verification.invitations import looks_like_link_token

FAQ_PREFIX = "faq_"
"""What the payload of a link to a topic begins with; alone, it leads to the list."""
METHOD_PREFIX = "way_"
"""What the payload of a link that suggests a way begins with."""
LANGUAGE_PREFIX = "lang_"
"""What the payload of a link that chooses a language begins with."""
_WRITTEN = re.compile(
    r"(?:\b(?:t|telegram)\.me/\w{0,32}/?|\btg:(?://)?resolve/?)\?(?:[^\s#]{0,99}&)?start=([^\s&#]*)", re.IGNORECASE
)
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{3,31}")


def parse_bot_name(text: str) -> str:
    """A bot's user name as people write it, with or without the @; raises `ValueError`."""
    name = text.strip().removeprefix("@")
    if not _NAME.fullmatch(name):
        raise ValueError("write the bot's user name: @example_bot")
    return name


def to_topic(bot: str, *, topic: str = "") -> str:
    """The link that opens a topic of the FAQ, or the list."""
    return _to(bot, f"{FAQ_PREFIX}{topic}")


def to_method(bot: str, method: Method) -> str:
    """The link that suggests a way."""
    return _to(bot, f"{METHOD_PREFIX}{method}")


def to_language(bot: str, *, language: str) -> str:
    """The link that chooses a language."""
    return _to(bot, f"{LANGUAGE_PREFIX}{language}")


def to_account(bot: str, *, token: str) -> str:
    """The link that brings one person to the account it was made for."""
    return _to(bot, token)


def payload_in(text: str) -> str | None:
    """The payload of the link that somebody wrote, with or without words around it; None where there is none."""
    if looks_like_link_token(text.strip()):
        return text.strip()
    found = _WRITTEN.search(text)
    return found[1] if found else None


def _to(bot: str, payload: str) -> str:
    return f"https://t.me/{bot}?start={payload}"
