"""Who is at the door: which app opened the page, and whether it is a person at all.

User-Agents can be forged and are missing at times, so nothing here decides what anyone may do: it decides which advice
is shown, and whether merely looking counts as having opened. A person mistaken for a robot presses one button more.
"""

import re
from collections.abc import Mapping
from enum import StrEnum

from verification import Method


class ClientApp(StrEnum):
    """The apps the three ways can tell apart."""

    WECOM = "wecom"
    WECHAT = "wechat"
    QQ = "qq"
    QQ_BROWSER = "qq_browser"
    ALIPAY = "alipay"
    OTHER = "other"


_APP_PATTERNS: tuple[tuple[re.Pattern[str], ClientApp], ...] = (
    # In this order: WeCom calls itself WeChat too, and both WeChat and QQ on Android carry the QQ browser's name.
    (re.compile(r"wxwork/", re.IGNORECASE), ClientApp.WECOM),
    (re.compile(r"MicroMessenger", re.IGNORECASE), ClientApp.WECHAT),
    (re.compile(r"\bQQ/|V1_(?:AND|IPH)_SQ_"), ClientApp.QQ),
    (re.compile(r"MQQBrowser"), ClientApp.QQ_BROWSER),
    (re.compile(r"AlipayClient"), ClientApp.ALIPAY),
)

_APP_OF_METHOD: Mapping[Method, ClientApp] = {
    Method.WECHAT: ClientApp.WECHAT,
    Method.QQ: ClientApp.QQ,
    Method.FACE: ClientApp.WECHAT,
}

# Robots name themselves: …bot, …crawler, …spider, …preview, or one of a few names. Cubot makes phones.
_ROBOT = re.compile(
    r"(?<!cu)bot|crawl|spider|preview|facebookexternalhit|facebookcatalog|whatsapp|slack-imgproxy|embedly",
    re.IGNORECASE,
)


def detect_app(user_agent: str) -> ClientApp:
    """Name the app that sends this User-Agent."""
    return next((app for sign, app in _APP_PATTERNS if sign.search(user_agent)), ClientApp.OTHER)


def in_right_app(method: Method, app: ClientApp) -> bool:
    """Whether this is the app the way is made for."""
    return app is _APP_OF_METHOD[method]


def is_robot(headers: Mapping[str, str]) -> bool:
    """Whether the sender calls itself a robot, or does not say what it is."""
    agent = headers.get("user-agent", "")
    return not agent or _ROBOT.search(agent) is not None


def is_automated_look(http_method: str, headers: Mapping[str, str]) -> bool:
    """Whether a machine looks and no person came: HEAD, a robot, or a page fetched before anyone asked for it."""
    purposes = " ".join(headers.get(name, "") for name in ("purpose", "sec-purpose", "x-purpose", "x-moz")).lower()
    return http_method == "HEAD" or is_robot(headers) or "prefetch" in purposes or "preview" in purposes
