"""What a phone page shows, worked out before any template sees it: masked data, the trail, the time that is left."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Literal

from verification import Attempt, Method
from verification.identity import mask_account
from verification.providers.simulated import Choice, Hitch, Page, Press, Stage, offered_choices, offered_presses
from web.phone.user_agents import App, in_right_app

_BEIJING = timezone(timedelta(hours=8))

_TRAILS: Mapping[Method, tuple[str, ...]] = {
    Method.WECHAT: ("scan", "check", "authorise", "done"),
    Method.QQ: ("scan", "confirm", "done"),
    Method.FACE: ("scan", "welcome", "agreement", "recognition", "done"),
}
_CARD_TRAIL = ("scan", "card", "confirm", "done")
_CARD_STAGES = (Stage.CARD_NEEDED, Stage.CARD_BINDING, Stage.CARD_BOUND)


_HANDOVER_TRAIL = ("scan", "check", "away", "done")


@dataclass(frozen=True, slots=True)
class Step:
    """One mark of the trail (G16)."""

    name: str
    place: Literal["past", "here", "ahead"]


@dataclass(frozen=True, slots=True)
class TimeLeft:
    """How long the page may still be used; for those who read, and for the bar that runs down."""

    seconds: int
    minutes: int
    until: str


@dataclass(frozen=True, slots=True)
class PhoneView:
    """One stage of one way; the only personal data in it is masked."""

    method: Method
    stage: Stage
    choice: Choice
    presses: tuple[Press, ...]
    choices: tuple[Choice, ...]
    trail: tuple[Step, ...]
    match_code: str
    account: str
    name: str
    number: str
    left: TimeLeft
    wrong_app: bool
    hitch: Hitch | None


@dataclass(frozen=True, slots=True)
class HandoverView:
    """The page before a provider's own; `leaving_to` once the phone is on its way there."""

    method: Method
    trail: tuple[Step, ...]
    match_code: str
    account: str
    name: str
    number: str
    left: TimeLeft
    wrong_app: bool
    leaving_to: str | None


def view(attempt: Attempt, page: Page, app: App, now: datetime, hitch: Hitch | None) -> PhoneView:
    """Work out what the phone shows of an attempt at this page."""
    identity = attempt.identity
    return PhoneView(
        method=attempt.method,
        stage=page.stage,
        choice=page.choice,
        presses=offered_presses(attempt.method, page.stage),
        choices=offered_choices(attempt.method, page.stage),
        trail=trail(attempt.method, page.stage),
        match_code=attempt.match_code,
        account=mask_account(attempt.account),
        name=identity.name.masked if identity else "—",
        number=identity.number.masked if identity else "—",
        left=time_left(attempt.expires_at, now),
        wrong_app=not in_right_app(attempt.method, app),
        hitch=hitch,
    )


def handover_view(attempt: Attempt, app: App, now: datetime, leaving_to: str | None) -> HandoverView:
    """Work out what the phone shows before it goes to a provider."""
    identity = attempt.identity
    return HandoverView(
        method=attempt.method,
        trail=_marked(_HANDOVER_TRAIL, "away" if leaving_to else "check"),
        match_code=attempt.match_code,
        account=mask_account(attempt.account),
        name=identity.name.masked if identity else "—",
        number=identity.number.masked if identity else "—",
        left=time_left(attempt.expires_at, now),
        wrong_app=not in_right_app(attempt.method, app),
        leaving_to=leaving_to,
    )


def trail(method: Method, stage: Stage) -> tuple[Step, ...]:
    """Mark where the stage stands on its way; binding a card is a detour with a mark of its own."""
    return _marked(_CARD_TRAIL if stage in _CARD_STAGES else _TRAILS[method], _mark(method, stage))


def _marked(names: tuple[str, ...], stands_at: str) -> tuple[Step, ...]:
    here = names.index(stands_at)
    return tuple(
        Step(name, "past" if index < here else "here" if index == here else "ahead") for index, name in enumerate(names)
    )


def time_left(until: datetime, now: datetime) -> TimeLeft:
    """Round up, so that the last minute reads as one and not as none."""
    seconds = max(math.ceil((until - now).total_seconds()), 0)
    return TimeLeft(seconds, math.ceil(seconds / 60), until.astimezone(_BEIJING).strftime("%H:%M"))


def _mark(method: Method, stage: Stage) -> str:
    match stage:
        case Stage.CARD_NEEDED | Stage.CARD_BINDING:
            return "card"
        case Stage.CARD_BOUND:
            return "confirm"
        case Stage.CHECK if method is Method.QQ:
            return "confirm"
        case _:
            return stage.value
