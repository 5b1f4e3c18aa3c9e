"""What a phone page shows, computed before it is rendered: masked data, progress steps, time left."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Literal

from verification import Attempt, Method
from verification.identity import mask_account
from verification.providers.simulated import (
    FormError,
    PageButton,
    PageStage,
    SimulatedPage,
    VerdictChoice,
    offered_buttons,
    offered_choices,
)

_BEIJING = timezone(timedelta(hours=8))

_STEPS: Mapping[Method, tuple[str, ...]] = {
    Method.WECHAT: ("scan", "check", "authorise", "done"),
    Method.QQ: ("scan", "confirm", "done"),
    Method.FACE: ("scan", "welcome", "agreement", "recognition", "done"),
}
_CARD_STEPS = ("scan", "card", "confirm", "done")
_CARD_STAGES = (PageStage.CARD_NEEDED, PageStage.CARD_BINDING, PageStage.CARD_BOUND)


_HANDOVER_STEPS = ("scan", "check", "away", "done")


@dataclass(frozen=True, slots=True)
class ProgressStep:
    """One step of the progress bar (G16)."""

    name: str
    position: Literal["past", "here", "ahead"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeLeft:
    """How long the page is valid: `seconds` for the shrinking bar, `minutes` and `until` (Beijing) for the text."""

    seconds: int
    minutes: int
    until: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneView:
    """One page stage; personal data in it is masked. `wrong_app` names the advice to a phone in another app."""

    method: Method
    stage: PageStage
    choice: VerdictChoice
    buttons: tuple[PageButton, ...]
    choices: tuple[VerdictChoice, ...]
    steps: tuple[ProgressStep, ...]
    match_code: str
    account: str
    name: str
    number: str
    left: TimeLeft
    wrong_app: str
    form_error: FormError | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoverView:
    """The page before a provider's own page; `leaving_to` is set while it forwards the phone."""

    method: Method
    steps: tuple[ProgressStep, ...]
    match_code: str
    account: str
    name: str
    number: str
    left: TimeLeft
    wrong_app: str
    leaving_to: str | None


def phone_view(
    attempt: Attempt, page: SimulatedPage, now: datetime, form_error: FormError | None, *, wrong_app: str
) -> PhoneView:
    """Compute the view of an attempt at this page."""
    identity = attempt.identity
    return PhoneView(
        method=attempt.method,
        stage=page.stage,
        choice=page.choice,
        buttons=offered_buttons(attempt.method, page.stage),
        choices=offered_choices(attempt.method, page.stage),
        steps=progress_steps(attempt.method, page.stage),
        match_code=attempt.match_code,
        account=_shown_account(attempt.account),
        name=identity.name.masked if identity else "—",
        number=identity.number.masked if identity else "—",
        left=time_left(attempt.expires_at, now=now),
        wrong_app=wrong_app,
        form_error=form_error,
    )


def handover_view(attempt: Attempt, now: datetime, leaving_to: str | None, *, wrong_app: str) -> HandoverView:
    """Compute the view of the page before the provider's."""
    identity = attempt.identity
    return HandoverView(
        method=attempt.method,
        steps=_steps_at(_HANDOVER_STEPS, "away" if leaving_to else "check"),
        match_code=attempt.match_code,
        account=_shown_account(attempt.account),
        name=identity.name.masked if identity else "—",
        number=identity.number.masked if identity else "—",
        left=time_left(attempt.expires_at, now=now),
        wrong_app=wrong_app,
        leaving_to=leaving_to,
    )


def _shown_account(account: str) -> str:
    """The account, masked, as the chat shows it: a person's own Telegram account without a program's prefix."""
    return re.sub("^telegram:", "Telegram ", mask_account(account))


def progress_steps(method: Method, stage: PageStage) -> tuple[ProgressStep, ...]:
    """The progress steps of a method at this stage; binding a card replaces them by its own."""
    return _steps_at(_CARD_STEPS if stage in _CARD_STAGES else _STEPS[method], _step_of(method, stage))


def _steps_at(names: tuple[str, ...], current: str) -> tuple[ProgressStep, ...]:
    here = names.index(current)
    return tuple(
        ProgressStep(name, "past" if index < here else "here" if index == here else "ahead")
        for index, name in enumerate(names)
    )


def time_left(until: datetime, *, now: datetime) -> TimeLeft:
    """Round up, so that the last minute reads as one and not as none."""
    seconds = max(math.ceil((until - now).total_seconds()), 0)
    return TimeLeft(
        seconds=seconds, minutes=math.ceil(seconds / 60), until=until.astimezone(_BEIJING).strftime("%H:%M")
    )


def _step_of(method: Method, stage: PageStage) -> str:
    match stage:
        case PageStage.CARD_NEEDED | PageStage.CARD_BINDING:
            return "card"
        case PageStage.CARD_BOUND:
            return "confirm"
        case PageStage.CHECK if method is Method.QQ:
            return "confirm"
        case _:
            return stage.value
