"""The page before a provider's own: whose account it is, the match code, and the way on.

Looking at it moves nothing at all. Only a press leads on, and says by that that somebody compared and agreed.
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
    """Shows the page, and sends phones on."""

    def __init__(self, core: Core, pages: Pages, clock: UtcNow) -> None:
        self._core = core
        self._pages = pages
        self._clock = clock

    def show(self, request: Request, attempt: Attempt, *, leaving_to: str | None = None) -> Response:
        """Show the page, or, on the way to an address, that the phone is on its way."""
        app = detect_app(request.headers.get("user-agent", ""))
        return self._pages.handover(request, handover_view(attempt, app, self._clock(), leaving_to))

    async def press(self, request: Request, attempt: Attempt, address: str, body: bytes) -> Response | None:
        """Take a press and send the phone on; None when what has become of the attempt is to be shown instead.

        Raises `AttemptOver` and `ContradictedOutcome` as the core does.
        """
        match _read(body):
            case HandoverButton.LEAVE:
                if attempt.status is AttemptStatus.WAITING:
                    attempt = await self._core.progress(attempt.id, AttemptStatus.OPENED, attempt.provider_state)
                # A page that goes on by itself, and no redirect: browsers hold forms to our own site all the way.
                return self.show(request, attempt, leaving_to=address)
            case HandoverButton.DECLINE:
                await self._core.complete(attempt.id, Rejected(Reason.DECLINED))
        return None


def _read(body: bytes) -> HandoverButton | None:
    try:
        return HandoverButton(parse_qs(body.decode(), max_num_fields=_FIELDS).get("press", [""])[-1])
    except ValueError:
        return None
