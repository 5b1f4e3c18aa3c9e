"""The apps of the simulated phone, and what a person does in a page."""

from __future__ import annotations

from enum import StrEnum


class PhoneApp(StrEnum):
    """The apps that can open an address; the page knows them by their User-Agent."""

    WECHAT = "wechat"
    QQ = "qq"
    BROWSER = "browser"
    ROBOT = "robot"


class Gesture(StrEnum):
    """What a finger can do to a page."""

    PRESS = "press"
    TICK = "tick"
    CHOOSE = "choose"
