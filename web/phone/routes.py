"""The phone page of an attempt: the address in the QR code.

A press is read here, its provider's pages say what it means, the core moves the attempt, and the page that follows is
shown: in this order, the same for every provider. A request finds its attempt and moves it in one transaction.
"""

import asyncio
import logging
import re
from collections.abc import Callable, Mapping
from functools import partial
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from verification import Attempt, AttemptStatus
from verification.attempts import APP_OF_METHOD, ON_PHONE_STATUSES, Move, Progress, furthest
from verification.callers.keys import is_api_caller
from verification.errors import ProviderUnavailable
from verification.ids import front_end_of
from verification.ports import PagePress, PhonePage
from verification.providers.addresses import allowed_phone_url
from web.dependencies import WebDeps
from web.middleware import is_cross_site, read_body
from web.pages import Pages
from web.phone.user_agents import ClientApp, detect_app, in_right_app, is_automated_look, is_robot
from web.phone.views import phone_view

log = logging.getLogger(__name__)

BACK = "/back"
"""What follows a page's address where the provider sends the phone back."""
_REFRESH_SECONDS, _REFRESHES = 2, 15
_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,128}")
_BODY_LIMIT = 16 * 1024
_FIELDS = 16
_AT_A_TIME = 32
"""Requests that are worked on at a time; the others wait in the order in which they came.

The event loop shares itself equally among all that is in progress. When hundreds want a code in the same minute, the
phones of those who have one must not take most of it from those who still wait in the chat.
"""


_COUNTS = frozenset(map(str, range(_REFRESHES + 1)))


class PhonePages:
    """Serves the phone page."""

    def __init__(self, deps: WebDeps, pages: Pages) -> None:
        self._core = deps.core
        self._providers = deps.providers
        self._pages_of = deps.pages
        self._pollable = deps.pollable
        self._notify = deps.notify_provider_news
        self._clock = deps.clock
        self._pages = pages
        self._in_turn = asyncio.Semaphore(_AT_A_TIME)

    async def serve(self, request: Request) -> Response:
        """Serve one request."""
        if request.url.path.endswith(BACK):
            return await self.come_back(request)
        return await (self.press(request) if request.method == "POST" else self.show(request))

    async def show(self, request: Request) -> Response:
        """Show the attempt's status."""
        if is_automated_look(request.method, request.headers):
            return self._pages.message(request, "look")
        return self._current(request, await self._move(request, self._look))

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
        form = _read_form(body)
        pressed: PagePress | None = None

        def decide(attempt: Attempt) -> Move | None:
            nonlocal pressed
            pressed = self._pages_of[attempt.method].press(attempt, form)
            return pressed.move

        attempt = await self._move(request, decide)
        if pressed is None or attempt is None:
            return self._current(request, attempt)
        if pressed.leaving is not None:
            return await self._leave(request, attempt, pressed.leaving)
        if pressed.shown is not None or is_robot(request.headers):
            # A press means that it is a person after all; a redirect would show the page for robots.
            return self._current(request, attempt, pressed.shown)
        return RedirectResponse(f"?lang={self._pages.language(request)}", status_code=303)

    async def _leave(self, request: Request, attempt: Attempt, page: PhonePage) -> Response:
        """Mark the attempt as opened, and send the phone where its provider says."""
        provider = self._pollable[attempt.method]
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
            request, lambda now: Progress(furthest(now.status, AttemptStatus.OPENED), redirect.provider_state)
        )
        if moved is None or self._is_over(moved):
            return self._current(request, moved)
        # A page that forwards by itself instead of a redirect: `form-action` covers a form's redirects too.
        return self._page(request, moved, page, url)

    async def _find(self, request: Request) -> Attempt | None:
        """Find the attempt of this address, if it has a page to show."""
        token = request.path_params["token"]
        attempt = await self._core.find_by_token(token) if _TOKEN.fullmatch(token) else None
        return attempt if attempt is not None and self._has_page(attempt) else None

    async def _move(self, request: Request, decide: Callable[[Attempt], Move | None]) -> Attempt | None:
        """Find the attempt of this address, if it has a QR code and a page to show, and move it as `decide` says."""

        def decide_if_shown(attempt: Attempt) -> Move | None:
            return decide(attempt) if self._has_page(attempt) else None

        token = request.path_params["token"]
        if not _TOKEN.fullmatch(token):
            return None
        async with self._in_turn:
            attempt = await self._core.move(token, decide_if_shown)
        return attempt if attempt is not None and self._has_page(attempt) else None

    def _has_page(self, attempt: Attempt) -> bool:
        if attempt.status is AttemptStatus.RESERVED:
            return False
        # Where the method is off, how the attempt ended can still be shown.
        return attempt.method in self._providers or not attempt.live

    def _look(self, attempt: Attempt) -> Progress | None:
        return self._pages_of[attempt.method].look(attempt)

    def _current(self, request: Request, attempt: Attempt | None, shown: PhonePage | None = None) -> Response:
        if attempt is None:
            return self._pages.message(request, "unknown", 404)
        if self._is_over(attempt):
            return self._end(request, attempt)
        return self._page(request, attempt, shown or self._pages_of[attempt.method].current(attempt))

    def _page(self, request: Request, attempt: Attempt, page: PhonePage, leaving_to: str | None = None) -> Response:
        wrong_app = self._wrong_app(request, attempt)
        view = phone_view(attempt, page, self._clock(), wrong_app=wrong_app, leaving_to=leaving_to)
        return self._pages.phone(request, view)

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


def _read_form(body: bytes) -> Mapping[str, str]:
    """The last value of each field; empty when it is no form of ours."""
    try:
        return {name: values[-1] for name, values in parse_qs(body.decode(), max_num_fields=_FIELDS).items()}
    except ValueError:
        return {}
