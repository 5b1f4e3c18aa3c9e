"""Recognises the app that opened a page, and automated requests, by the User-Agent.

A User-Agent can be forged or missing, so it decides no permission: it only selects the advice that is shown, and
whether a GET counts as opened. A person taken for a robot has to press one more button.
"""

import re
from collections.abc import Mapping
from enum import StrEnum

from verification.attempts import ProviderApp


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

# Every browser, also one inside an app, begins so; two for old phones have names of their own.
_BROWSER = re.compile(r"(?:Mozilla|Opera|UCWEB)/")
# A program that looks at links begins with its own name, as libraries do, or names itself: by what it does, by
# "compatible;" (Internet Explorer is the exception), or by an address that explains it. Cubot is a brand of phones.
_ROBOT = re.compile(
    r"(?<!cu)bot|crawl|spider|preview|url2|unfurl|scrap|fetch|embed|proxy|validat|monitor|lighthouse|externalhit"
    r"|facebookcatalog|whatsapp|iframely|rocket.?chat|mattermost|viber|vkshare|compatible;(?! msie)|\+https?:",
    re.IGNORECASE,
)


def detect_app(user_agent: str) -> ClientApp:
    """The app that sends this User-Agent."""
    return next((app for pattern, app in _APP_PATTERNS if pattern.search(user_agent)), ClientApp.OTHER)


def in_right_app(needed: ProviderApp, app: ClientApp) -> bool:
    """Whether the provider's pages work in this app."""
    return needed is ProviderApp.ANY or app.value == needed.value


def is_robot(headers: Mapping[str, str]) -> bool:
    """Whether the client is no browser, or names itself a robot."""
    agent = headers.get("user-agent", "")
    return _BROWSER.match(agent) is None or _ROBOT.search(agent) is not None


def is_automated_look(http_method: str, headers: Mapping[str, str]) -> bool:
    """Whether no person is looking: HEAD, a robot, or a prefetch by the browser."""
    purposes = " ".join(headers.get(name, "") for name in ("purpose", "sec-purpose", "x-purpose", "x-moz")).lower()
    return http_method == "HEAD" or is_robot(headers) or "prefetch" in purposes or "preview" in purposes
