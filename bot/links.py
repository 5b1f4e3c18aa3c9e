"""Deep links into the bot, as Telegram defines them: they open the chat, and the person presses Start.

Some clients lose the payload after `start=`; then the person may send the link as a message, see `payload_in`.
"""

import re

from verification.attempts import Method
from verification.invitations import looks_like_link_token

FAQ_PREFIX = "faq_"
"""The beginning of the payload of a link to an FAQ topic; alone, it leads to the list of topics."""
METHOD_PREFIX = "way_"
"""The beginning of the payload of a link that suggests a method."""
LANGUAGE_PREFIX = "lang_"
"""The beginning of the payload of a link that chooses a language."""
_WRITTEN = re.compile(
    r"(?:\b(?:t|telegram)\.me/\w{0,32}/?|\btg:(?://)?resolve/?)\?(?:[^\s#]{0,99}&)?start=([^\s&#]*)", re.IGNORECASE
)
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{3,31}")


def parse_bot_name(text: str) -> str:
    """Read a bot's user name, with or without the @; raises `ValueError`."""
    name = text.strip().removeprefix("@")
    if not _NAME.fullmatch(name):
        raise ValueError("write the bot's user name: @example_bot")
    return name


def to_topic(bot: str, *, topic: str = "") -> str:
    """Return the link that opens an FAQ topic; without a topic, the list of topics."""
    return _to(bot, f"{FAQ_PREFIX}{topic}")


def to_method(bot: str, method: Method) -> str:
    """Return the link that suggests a method."""
    return _to(bot, f"{METHOD_PREFIX}{method}")


def to_language(bot: str, *, language: str) -> str:
    """Return the link that chooses a language."""
    return _to(bot, f"{LANGUAGE_PREFIX}{language}")


def to_account(bot: str, *, token: str) -> str:
    """Return the one-use link to the account that the token was made for."""
    return _to(bot, token)


def payload_in(text: str) -> str | None:
    """Return the payload of a link in a message, whatever text surrounds it; None when there is no link."""
    if looks_like_link_token(text.strip()):
        return text.strip()
    found = _WRITTEN.search(text)
    return found[1] if found else None


def _to(bot: str, payload: str) -> str:
    return f"https://t.me/{bot}?start={payload}"
