"""Links into chats of Telegram: they open no page, and nothing of them leaves this machine."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

_HOSTS = frozenset({"t.me", "telegram.me"})


class NoSuchChat(Exception):
    """The link leads to a chat that is not in the playground."""


def start_payload(link: str, bot: str) -> str | None:
    """Return what a link starts this bot with; None for a link that does not lead into Telegram.

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
        raise NoSuchChat(f"{link} leads to another chat of Telegram, and only @{bot} is here")
    return values.get("start", [""])[0]
