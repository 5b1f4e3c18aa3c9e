"""The apps of the simulated phone, and the gestures on a page."""

from __future__ import annotations

from enum import StrEnum


class PhoneApp(StrEnum):
    """The apps that can open a link. Pages recognize them by their User-Agent."""

    WECHAT = "wechat"
    QQ = "qq"
    BROWSER = "browser"
    ROBOT = "robot"


class Gesture(StrEnum):
    """What a person can do with a control of a page."""

    PRESS = "press"
    TICK = "tick"
    CHOOSE = "choose"
