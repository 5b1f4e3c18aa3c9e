"""The page before a provider's own page: the account, the match code, and the button that continues.

A GET changes nothing. Only the button continues, and it means that a person has compared and agreed.
"""

from enum import StrEnum
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import Response

from verification import Attempt, AttemptStatus, Core, Reason, Rejected
from web.dependencies import UtcNow
from web.pages import Pages
from web.phone.user_agents import detect_app
from web.phone.views import handover_view

_FIELDS = 16


class HandoverButton(StrEnum):
    """A button of this page."""

    LEAVE = "leave"
    DECLINE = "decline"


class Handover:
    """Shows the page, and sends phones to the provider."""

    def __init__(self, core: Core, pages: Pages, clock: UtcNow) -> None:
        self._core = core
        self._pages = pages
        self._clock = clock

    def show(self, request: Request, attempt: Attempt, *, leaving_to: str | None = None) -> Response:
        """Show the page; with `leaving_to`, the page that forwards the phone to that address."""
        app = detect_app(request.headers.get("user-agent", ""))
        return self._pages.handover(request, handover_view(attempt, app, self._clock(), leaving_to))

    async def press(self, request: Request, attempt: Attempt, provider_url: str, body: bytes) -> Response | None:
        """Apply a press; returns the next page, or None to show the attempt's new status.

        Raises `AttemptOver` and `ContradictoryVerdict` as the core does.
        """
        match _read_button(body):
            case HandoverButton.LEAVE:
                if attempt.status is AttemptStatus.WAITING:
                    attempt = await self._core.progress(attempt.id, AttemptStatus.OPENED, attempt.provider_state)
                # A page that forwards by itself instead of a redirect: `form-action` covers a form's redirects too.
                return self.show(request, attempt, leaving_to=provider_url)
            case HandoverButton.DECLINE:
                await self._core.complete(attempt.id, Rejected(Reason.DECLINED))
        return None


def _read_button(body: bytes) -> HandoverButton | None:
    try:
        return HandoverButton(parse_qs(body.decode(), max_num_fields=_FIELDS).get("press", [""])[-1])
    except ValueError:
        return None
