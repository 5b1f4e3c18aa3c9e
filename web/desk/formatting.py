"""How the desk writes figures: times of day, spans, shares, accounts; the same on every page."""

from collections.abc import Callable
from datetime import datetime, timedelta

from verification.identity import mask_account
from verification.invitations import CHAT_ACCOUNT_PREFIX
from verification.support.funnel import BEIJING

_UNITS = (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1))


class PageFormatter:
    """Writes what a page shows, in the page's language."""

    def __init__(self, t: Callable[..., str]) -> None:
        self._t = t

    def time(self, moment: datetime | None) -> str:
        """A moment, in Beijing's time."""
        return "" if moment is None else f"{moment.astimezone(BEIJING):%Y-%m-%d %H:%M}"

    def time_with_seconds(self, moment: datetime) -> str:
        """A moment to the second, in Beijing's time."""
        return f"{moment.astimezone(BEIJING):%Y-%m-%d %H:%M:%S}"

    def duration(self, time: timedelta | None) -> str:
        """How long something takes, in two units at most."""
        if time is None:
            return "—"
        left = round(time.total_seconds())
        parts = []
        for name, size in _UNITS:
            count, left = divmod(left, size)
            if count:
                parts.append(self._t(f"span.{name}", count=count))
            elif parts:
                break
        return " ".join(parts[:2]) or self._t("span.second", count=0)

    def share(self, part: float | None) -> str:
        """A part of one, in percent; a small one is never rounded to none, nor a large one to all."""
        if part is None:
            return "—"
        percent = part * 100
        if 0 < percent < 1 or 99 < percent < 100:
            return f"{percent:.1f}%"
        return f"{percent:.0f}%"

    def count(self, count: int) -> str:
        """A number with its thousands apart."""
        return f"{count:,}"

    def account(self, account: str | None) -> str:
        """An account or a person as the desk may show them."""
        return mask_account(account) if account else "—"

    def actor(self, actor: str) -> str:
        """Who used the desk; people of the chat masked."""
        return mask_account(actor) if actor.startswith(CHAT_ACCOUNT_PREFIX) else actor

    def action(self, action: str) -> str:
        """What somebody did, in the page's language where there are words for it."""
        try:
            return self._t(f"action.{action.replace(' ', '_')}")
        except KeyError:
            return action
