"""Recognises the app that opened a page, and automated requests, by the User-Agent.

A User-Agent can be forged or missing, so it decides no permission: it only selects the advice that is shown, and
whether a GET counts as opened. A person taken for a robot has to press one more button.
"""

import re
from collections.abc import Mapping
from enum import StrEnum

from verification import Method


class ClientApp(StrEnum):
    """The apps that matter to the three methods."""

    WECOM = "wecom"
    WECHAT = "wechat"
    WECHAT_ON_DESKTOP = "wechat_on_desktop"
    QQ = "qq"
    QQ_BROWSER = "qq_browser"
    ALIPAY = "alipay"
    OTHER = "other"


_APP_PATTERNS: tuple[tuple[re.Pattern[str], ClientApp], ...] = (
    # The order matters: WeCom and WeChat on a desktop also name WeChat, and WeChat and QQ on Android also name the QQ
    # browser.
    (re.compile(r"wxwork/", re.IGNORECASE), ClientApp.WECOM),
    (re.compile(r"(?:Windows|Mac|Linux)WeChat", re.IGNORECASE), ClientApp.WECHAT_ON_DESKTOP),
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

# Robots name themselves: …bot, …crawler, …spider, …preview, or one of a few names. Cubot is a brand of phones.
_ROBOT = re.compile(
    r"(?<!cu)bot|crawl|spider|preview|facebookexternalhit|facebookcatalog|whatsapp|slack-imgproxy|embedly",
    re.IGNORECASE,
)


def detect_app(user_agent: str) -> ClientApp:
    """The app that sends this User-Agent."""
    return next((app for pattern, app in _APP_PATTERNS if pattern.search(user_agent)), ClientApp.OTHER)


def in_right_app(method: Method, app: ClientApp) -> bool:
    """Whether this is the app that the method needs."""
    return app is _APP_OF_METHOD[method]


def is_robot(headers: Mapping[str, str]) -> bool:
    """Whether the client names itself a robot or sends no User-Agent."""
    agent = headers.get("user-agent", "")
    return not agent or _ROBOT.search(agent) is not None


def is_automated_look(http_method: str, headers: Mapping[str, str]) -> bool:
    """Whether no person is looking: HEAD, a robot, or a prefetch by the browser."""
    purposes = " ".join(headers.get(name, "") for name in ("purpose", "sec-purpose", "x-purpose", "x-moz")).lower()
    return http_method == "HEAD" or is_robot(headers) or "prefetch" in purposes or "preview" in purposes
