"""Says what a person who waits for a code or a result is waiting for, by the state and the time.

What is known decides the words: that nothing was scanned, that somebody is on the phone's pages, that the last step is
being checked, or that no answer has come although one was due.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum

from bot.flow.states import Opening, PhoneStage, Scanning


class Wait(StrEnum):
    """What is waited for; the words of each stand under `status.scan` and `status.opening`."""

    PREPARING = "preparing"
    SLOW = "slow"
    UNSCANNED = "waiting"
    UNSCANNED_OVER = "over"
    ON_PHONE = "opened"
    CHECKING = "confirming"
    UNANSWERED = "unanswered"
    LAST_CHECK = "last_check"


SLOW_AFTER = timedelta(seconds=10)
"""A code is ready within a second or two."""
_UNANSWERED_AFTER: Mapping[PhoneStage, timedelta] = {
    PhoneStage.OPENED: timedelta(minutes=3),
    PhoneStage.CONFIRMING: timedelta(minutes=1),
}
"""After so long at a stage, a person who has done their part expects an answer."""
_ON_PHONE: Mapping[PhoneStage, Wait] = {PhoneStage.OPENED: Wait.ON_PHONE, PhoneStage.CONFIRMING: Wait.CHECKING}


def wait_of(state: Opening | Scanning, now: datetime) -> Wait:
    """What a state waits for at this time; one that an older release saved has no `since` and counts as new."""
    waited = now - (state.since or now)
    if isinstance(state, Opening):
        return Wait.SLOW if waited >= SLOW_AFTER else Wait.PREPARING
    is_over = now >= state.expires_at
    if state.stage is PhoneStage.WAITING:
        return Wait.UNSCANNED_OVER if is_over else Wait.UNSCANNED
    if is_over:
        return Wait.LAST_CHECK
    return Wait.UNANSWERED if waited >= _UNANSWERED_AFTER[state.stage] else _ON_PHONE[state.stage]
