"""The phone page of an attempt: the address in the QR code.

The pages of a simulated provider are ours: a GET changes nothing, except that a person's first GET marks the attempt as
opened. A press counts once, and only at the stage that was shown: after a double press, the back button or a replay the
page shows the present stage. In front of a real provider's pages there is one page of ours, with the account, the
match code and the button that continues: only the button counts, and it means that a person has compared and agreed.
Each request finds its attempt and moves it in one transaction.
"""

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from verification import Attempt, AttemptStatus, Reason, Rejected
from verification.attempts import APP_OF_METHOD, ON_PHONE_STATUSES, Verdict
from verification.callers.keys import is_api_caller
from verification.core import Progress
from verification.errors import ProviderUnavailable
from verification.ids import front_end_of
from verification.ports import PollableProvider
from verification.providers.addresses import allowed_phone_url
from verification.providers.simulated import (
    Advanced,
    ButtonPress,
    FormError,
    NotAdvanced,
    PageButton,
    PageStage,
    SimulatedPage,
    VerdictChoice,
    apply_press,
    offered_choices,
    read_page,
)
from web.dependencies import WebDeps
from web.middleware import is_cross_site, read_body
from web.pages import Pages
from web.phone.user_agents import ClientApp, detect_app, in_right_app, is_automated_look, is_robot
from web.phone.views import handover_view, phone_view

log = logging.getLogger(__name__)

BACK = "/back"
"""What follows a page's address where the provider sends the phone back."""
_REFRESH_SECONDS, _REFRESHES = 2, 15
_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,128}")
_BODY_LIMIT = 16 * 1024
_FIELDS = 16


_COUNTS = frozenset(map(str, range(_REFRESHES + 1)))


class HandoverButton(StrEnum):
    """A button of the page before a provider's own pages."""

    LEAVE = "leave"
    DECLINE = "decline"


@dataclass(frozen=True, slots=True)
class _Pressed:
    """What a press means: the attempt's move, and what is shown after it if that is not the attempt's status."""

    move: Progress | Verdict | None
    counts: bool = True
    page: SimulatedPage | None = None
    error: FormError | None = None


class PhonePages:
    """Serves the phone page."""

    def __init__(self, deps: WebDeps, pages: Pages) -> None:
        self._core = deps.core
        self._providers = deps.providers
        self._pollable = deps.pollable
        self._notify = deps.notify_provider_news
        self._clock = deps.clock
        self._pages = pages

    async def serve(self, request: Request) -> Response:
        """Serve one request."""
        if request.url.path.endswith(BACK):
            return await self.come_back(request)
        return await (self.press(request) if request.method == "POST" else self.show(request))

    async def show(self, request: Request) -> Response:
        """Show the attempt's status."""
        if is_automated_look(request.method, request.headers):
            return self._pages.message(request, "look")
        return self._current(request, await self._move(request, self._opened))

    async def come_back(self, request: Request) -> Response:
        """Receive a phone from the provider's pages: have the provider polled, and show that the result is fetched.

        Nothing that the provider added to the address is believed or kept.
        """
        attempt = await self._find(request)
        if attempt is None or not attempt.live:
            return self._current(request, attempt)
        if attempt.method not in self._pollable or attempt.status not in ON_PHONE_STATUSES:
            return RedirectResponse(f"../{attempt.token}?lang={self._pages.language(request)}", status_code=303)
        self._notify(attempt.id, returned=True)
        count = request.query_params.get("n", "0")
        number = int(count) if count in _COUNTS else 0
        refresh = f"{_REFRESH_SECONDS};url=?lang={self._pages.language(request)}&n={number + 1}"
        message = partial(self._pages.message, request, method=attempt.method, in_chat=_is_in_chat(attempt))
        return message("later") if number >= _REFRESHES else message("fetching", refresh=refresh)

    async def press(self, request: Request) -> Response:
        """Apply a press, then show the attempt's status."""
        if is_cross_site(request):
            return self._pages.message(request, "elsewhere", 403)
        body = await read_body(request, _BODY_LIMIT)
        if body is None:
            return self._pages.message(request, "too_large", 413)
        if _read_handover_button(body) is HandoverButton.LEAVE:
            attempt = await self._find(request)
            if attempt is not None and attempt.method in self._pollable:
                return await self._leave(request, attempt, self._pollable[attempt.method])
        pressed: _Pressed | None = None

        def decide(attempt: Attempt) -> Progress | Verdict | None:
            nonlocal pressed
            pressed = self._pressed(attempt, body)
            return pressed.move

        attempt = await self._move(request, decide)
        return self._after_press(request, attempt, pressed)

    def _after_press(self, request: Request, attempt: Attempt | None, pressed: _Pressed | None) -> Response:
        if pressed is None or attempt is None:
            return self._current(request, attempt)
        if not pressed.counts or is_robot(request.headers):
            # A press means that it is a person after all; a redirect would show the page for robots.
            return self._current(request, attempt, pressed.page, pressed.error)
        return RedirectResponse(f"?lang={self._pages.language(request)}", status_code=303)

    async def _leave(self, request: Request, attempt: Attempt, provider: PollableProvider) -> Response:
        """Mark the attempt as opened, and send the phone where its provider says."""
        if self._is_over(attempt):
            return self._current(request, attempt)
        try:
            redirect = await provider.leave(attempt, request.headers)
        except ProviderUnavailable as error:
            log.warning("the provider for %s sends no phone for attempt %s: %s", attempt.method, attempt.id, error)
            return self._pages.message(request, "unavailable", 503, method=attempt.method)
        url = allowed_phone_url(redirect.url, provider.phone_origins)
        if url is None:
            log.warning("the provider for %s sends the phone for attempt %s elsewhere", attempt.method, attempt.id)
            return self._pages.message(request, "unavailable", 503, method=attempt.method)
        moved = await self._move(
            request, lambda now: Progress(_furthest(now.status, AttemptStatus.OPENED), redirect.provider_state)
        )
        if moved is None or self._is_over(moved):
            return self._current(request, moved)
        # A page that forwards by itself instead of a redirect: `form-action` covers a form's redirects too.
        return self._handover(request, moved, url)

    async def _find(self, request: Request) -> Attempt | None:
        """Find the attempt of this address, if it has a page to show."""
        token = request.path_params["token"]
        attempt = await self._core.find_by_token(token) if _TOKEN.fullmatch(token) else None
        return attempt if attempt is not None and self._has_page(attempt) else None

    async def _move(self, request: Request, decide: Callable[[Attempt], Progress | Verdict | None]) -> Attempt | None:
        """Find the attempt of this address, if it has a QR code and a page to show, and move it as `decide` says."""

        def decide_if_shown(attempt: Attempt) -> Progress | Verdict | None:
            return decide(attempt) if self._has_page(attempt) else None

        token = request.path_params["token"]
        attempt = await self._core.move(token, decide_if_shown) if _TOKEN.fullmatch(token) else None
        return attempt if attempt is not None and self._has_page(attempt) else None

    def _has_page(self, attempt: Attempt) -> bool:
        if attempt.status is AttemptStatus.RESERVED:
            return False
        # Where the method is off, how the attempt ended can still be shown.
        return attempt.method in self._providers or not attempt.live

    def _opened(self, attempt: Attempt) -> Progress | None:
        """A person's first look at a page of ours; a look at the page before a provider's pages counts for nothing."""
        if attempt.status is AttemptStatus.WAITING and attempt.method not in self._pollable:
            return Progress(AttemptStatus.OPENED, attempt.provider_state)
        return None

    def _pressed(self, attempt: Attempt, body: bytes) -> _Pressed:
        """What a press on the page of a live attempt means."""
        if attempt.method in self._pollable:
            declined = _read_handover_button(body) is HandoverButton.DECLINE
            return _Pressed(Rejected(Reason.DECLINED) if declined else None)
        page = read_page(attempt.method, attempt.provider_state)
        press = _read_press(attempt, page, body)
        if press is None:
            return _Pressed(self._opened(attempt), counts=False)
        transition = apply_press(attempt.method, page.stage, press)
        match transition:
            case NotAdvanced(error):
                shown = SimulatedPage(page.stage, press.choice)
                return _Pressed(self._opened(attempt), counts=False, page=shown, error=error)
            case Advanced(to, status):
                return _Pressed(Progress(_furthest(attempt.status, status), to.text))
            case _:
                return _Pressed(transition.verdict)

    def _current(
        self,
        request: Request,
        attempt: Attempt | None,
        page: SimulatedPage | None = None,
        form_error: FormError | None = None,
    ) -> Response:
        if attempt is None:
            return self._pages.message(request, "unknown", 404)
        if self._is_over(attempt):
            return self._end(request, attempt)
        if attempt.method in self._pollable:
            return self._handover(request, attempt)
        page = page or read_page(attempt.method, attempt.provider_state)
        view = phone_view(attempt, page, self._clock(), form_error, wrong_app=self._wrong_app(request, attempt))
        return self._pages.phone(request, view)

    def _handover(self, request: Request, attempt: Attempt, leaving_to: str | None = None) -> Response:
        """The page before a provider's own pages; with `leaving_to`, the page that forwards the phone there."""
        view = handover_view(attempt, self._clock(), leaving_to, wrong_app=self._wrong_app(request, attempt))
        return self._pages.handover(request, view)

    def _wrong_app(self, request: Request, attempt: Attempt) -> str:
        """Which advice a phone in another app gets; empty in the app that the provider needs."""
        needed, app = self._providers[attempt.method].app, detect_app(request.headers.get("user-agent", ""))
        if in_right_app(needed, app):
            return ""
        if app is ClientApp.WECHAT_ON_DESKTOP:
            return "desktop"
        return attempt.method.value if needed is APP_OF_METHOD[attempt.method] else f"in_{needed}"

    def _is_over(self, attempt: Attempt) -> bool:
        return not attempt.live or attempt.expires_at <= self._clock()

    def _end(self, request: Request, attempt: Attempt) -> Response:
        message = partial(self._pages.message, request, method=attempt.method, in_chat=_is_in_chat(attempt))
        match attempt.status:
            case AttemptStatus.SUCCEEDED:
                return message("passed")
            case AttemptStatus.FAILED if attempt.reason is not None:
                return message("failed", reason=attempt.reason)
            case AttemptStatus.CANCELLED:
                return message("closed", 410)
            case _:
                return message("expired", 410)


def _is_in_chat(attempt: Attempt) -> bool:
    """Whether the code was shown in a chat, and not by a program that uses our API."""
    return not is_api_caller(front_end_of(attempt.contact))


def _read_handover_button(body: bytes) -> HandoverButton | None:
    try:
        return HandoverButton(parse_qs(body.decode(), max_num_fields=_FIELDS).get("press", [""])[-1])
    except ValueError:
        return None


def _furthest(reached: AttemptStatus, new: AttemptStatus) -> AttemptStatus:
    return reached if reached is AttemptStatus.CONFIRMING else new


def _read_press(attempt: Attempt, page: SimulatedPage, body: bytes) -> ButtonPress | None:
    """Parse the form; None when it is not from the current stage or not one of our forms."""
    try:
        fields = parse_qs(body.decode(), max_num_fields=_FIELDS)
        stage, press = PageStage(_last(fields, "stage")), PageButton(_last(fields, "press"))
    except ValueError:
        return None
    if stage is not page.stage:
        return None
    offered = {choice.value: choice for choice in offered_choices(attempt.method, stage)}
    choice: VerdictChoice = offered.get(_last(fields, "choice"), page.choice)
    return ButtonPress(press, choice, ticked="agree" in fields)


def _last(fields: dict[str, list[str]], name: str) -> str:
    return fields.get(name, [""])[-1]
