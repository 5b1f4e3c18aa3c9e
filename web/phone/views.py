"""What a phone page shows, computed before it is rendered: masked data, progress steps, time left."""

import math
import re
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from typing import Literal

from verification import Attempt, Method
from verification.identity import mask_account
from verification.ports import PhonePage
from verification.record import Record

_BEIJING = timezone(timedelta(hours=8))


class ProgressStep(Record):
    """One step of the progress bar (G16)."""

    name: str
    position: Literal["past", "here", "ahead"]


class TimeLeft(Record, kw_only=True):
    """How long the page is valid: `seconds` for the shrinking bar, `minutes` and `until` (Beijing) for the text."""

    seconds: int
    minutes: int
    until: str


class PhoneView(Record, kw_only=True):
    """A page of an attempt; personal data in it is masked, and empty where none was typed.

    `wrong_app` names the advice to a phone in another app. `leaving_to` is set while the page forwards the phone.
    """

    method: Method
    page: PhonePage
    steps: tuple[ProgressStep, ...]
    match_code: str
    account: str
    name: str
    number: str
    left: TimeLeft
    wrong_app: str
    leaving_to: str | None


def phone_view(
    attempt: Attempt, page: PhonePage, now: datetime, *, wrong_app: str, leaving_to: str | None = None
) -> PhoneView:
    """Compute the view of an attempt at this page."""
    identity = attempt.identity
    return PhoneView(
        method=attempt.method,
        page=page,
        steps=progress_steps(page.steps, page.step),
        match_code=attempt.match_code,
        account=_shown_account(attempt.account),
        name=identity.name.masked if identity else "",
        number=identity.number.masked if identity else "",
        left=time_left(attempt.expires_at, now=now),
        wrong_app=wrong_app,
        leaving_to=leaving_to,
    )


def _shown_account(account: str) -> str:
    """The account, masked, as the chat shows it: a person's own Telegram account without a program's prefix."""
    return re.sub("^telegram:", "Telegram ", mask_account(account))


def progress_steps(names: Sequence[str], current: str) -> tuple[ProgressStep, ...]:
    """The steps of the progress bar around the current one."""
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
