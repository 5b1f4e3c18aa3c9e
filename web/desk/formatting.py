"""How the desk writes times, durations, shares and accounts; the same on every page."""

from collections.abc import Callable
from datetime import datetime, timedelta

from verification.identity import mask_account
from verification.invitations import CHAT_ACCOUNT_PREFIX
from verification.support.funnel import BEIJING

_UNITS = (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1))


class PageFormatter:
    """Formats values in the page's language."""

    def __init__(self, t: Callable[..., str]) -> None:
        self._t = t

    def time(self, moment: datetime | None) -> str:
        """A time in Beijing, to the minute."""
        return "" if moment is None else f"{moment.astimezone(BEIJING):%Y-%m-%d %H:%M}"

    def time_with_seconds(self, moment: datetime) -> str:
        """A time in Beijing, to the second."""
        return f"{moment.astimezone(BEIJING):%Y-%m-%d %H:%M:%S}"

    def duration(self, time: timedelta | None) -> str:
        """A duration in at most two units."""
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

    def share(self, share: float | None) -> str:
        """A share in percent; a small one is never rounded to 0 %, nor a large one to 100 %."""
        if share is None:
            return "—"
        percent = share * 100
        if 0 < percent < 1 or 99 < percent < 100:
            return f"{percent:.1f}%"
        return f"{percent:.0f}%"

    def count(self, count: int) -> str:
        """A number with a thousands separator."""
        return f"{count:,}"

    def account(self, account: str | None) -> str:
        """An account or a person, masked."""
        return mask_account(account) if account else "—"

    def actor(self, actor: str) -> str:
        """The actor of an audit entry; people of the chat are masked."""
        return mask_account(actor) if actor.startswith(CHAT_ACCOUNT_PREFIX) else actor

    def action(self, action: str) -> str:
        """The action of an audit entry, in the page's language where it has a text."""
        try:
            return self._t(f"action.{action.replace(' ', '_')}")
        except KeyError:
            return action
