"""Deep links of Telegram. They open a chat of the simulator, and never a page outside this machine.

https://core.telegram.org/bots/features#deep-linking
"""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

_HOSTS = frozenset({"t.me", "telegram.me"})


class NoSuchChat(Exception):
    """The link leads to a chat that the simulator does not have."""


def start_payload(link: str, bot: str) -> str | None:
    """Return the start parameter of a deep link to this bot; None for a link that does not lead into Telegram.

    Raises `NoSuchChat` for a link to another chat of Telegram.

    >>> start_payload("https://t.me/Some_bot?start=faq_", "some_bot")
    'faq_'
    >>> start_payload("tg://resolve?domain=some_bot", "some_bot")
    ''
    >>> start_payload("https://example.org/?start=faq_", "some_bot")
    """
    try:
        parts = urlsplit(link if "://" in link else f"https://{link}")
    except ValueError:
        return None
    values = parse_qs(parts.query)
    if parts.scheme == "tg" and parts.netloc == "resolve":
        name = values.get("domain", [""])[0]
    elif parts.scheme in {"http", "https"} and parts.hostname in _HOSTS:
        name = parts.path.strip("/")
    else:
        return None
    if name.lower() != bot.lower():
        raise NoSuchChat(f"{link} leads to another chat of Telegram, and the simulator has only @{bot}")
    return values.get("start", [""])[0]
