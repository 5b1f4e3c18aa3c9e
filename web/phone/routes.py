"""The phone page of an attempt: the address in the QR code.

The pages of a simulated provider are ours: a GET changes nothing, except that a person's first GET marks the attempt as
opened. A press counts once, and only at the stage that was shown: after a double press, the back button or a replay the
page shows the present stage. In front of a real provider's pages there is one page of ours, see `handover`.
"""

import re
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from verification import Attempt, AttemptOver, AttemptStatus, ContradictoryVerdict
from verification.providers.http import HttpProvider
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
from web.phone.handover import Handover
from web.phone.user_agents import detect_app, is_automated_look, is_robot
from web.phone.views import phone_view

_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,128}")
_BODY_LIMIT = 16 * 1024
_FIELDS = 16


class PhonePages:
    """Serves the phone page."""

    def __init__(self, deps: WebDeps, pages: Pages) -> None:
        self._core = deps.core
        self._providers = deps.providers
        self._clock = deps.clock
        self._pages = pages
        self._handover = Handover(deps.core, pages, deps.clock)

    async def serve(self, request: Request) -> Response:
        """Serve one request."""
        return await (self.press(request) if request.method == "POST" else self.show(request))

    async def show(self, request: Request) -> Response:
        """Show the attempt's status."""
        if is_automated_look(request.method, request.headers):
            return self._pages.message(request, "look")
        attempt = await self._find(request)
        return await self._current(request, attempt)

    async def press(self, request: Request) -> Response:
        """Apply a press, then show the attempt's status."""
        if is_cross_site(request.headers):
            return self._pages.message(request, "elsewhere", 403)
        body = await read_body(request, _BODY_LIMIT)
        if body is None:
            return self._pages.message(request, "too_large", 413)
        attempt = await self._find(request)
        if attempt is None or self._is_over(attempt):
            return await self._current(request, attempt)
        try:
            answer = await self._apply(request, attempt, body)
        except AttemptOver:
            answer = None  # the page below shows how the attempt ended
        except ContradictoryVerdict:
            return self._pages.message(request, "contradicted", 409, method=attempt.method)
        return answer or await self._after_press(request)

    async def _apply(self, request: Request, attempt: Attempt, body: bytes) -> Response | None:
        """Apply a press; None when it was passed to the core."""
        provider_url = self._provider_url(attempt)
        if provider_url is not None:
            return await self._handover.press(request, attempt, provider_url, body)
        page = read_page(attempt.method, attempt.provider_state)
        press = _read_press(attempt, page, body)
        if press is None:
            return await self._current(request, attempt)
        transition = apply_press(attempt.method, page.stage, press)
        match transition:
            case NotAdvanced(error):
                return await self._current(request, attempt, SimulatedPage(page.stage, press.choice), error)
            case Advanced(to, status):
                await self._core.progress(attempt.id, _furthest(attempt.status, status), to.text)
            case _:
                await self._core.complete(attempt.id, transition.verdict)
        return None

    async def _after_press(self, request: Request) -> Response:
        if is_robot(request.headers):
            # A press means that it is a person after all; a redirect would show the page for robots.
            return await self._current(request, await self._find(request))
        return RedirectResponse(f"?lang={self._pages.language(request)}", status_code=303)

    async def _find(self, request: Request) -> Attempt | None:
        """Find the attempt of this address, if it has a QR code and a page to show."""
        token = request.path_params["token"]
        attempt = await self._core.find_by_token(token) if _TOKEN.fullmatch(token) else None
        if attempt is None or attempt.status is AttemptStatus.RESERVED:
            return None
        provider = self._providers.get(attempt.method)
        simulated = provider is not None and provider.simulated
        return attempt if simulated or self._provider_url(attempt) is not None else None

    def _provider_url(self, attempt: Attempt) -> str | None:
        """The provider's address for the phone; None when the provider has no pages of its own."""
        provider = self._providers.get(attempt.method)
        return provider.phone_url(attempt.provider_state) if isinstance(provider, HttpProvider) else None

    async def _current(
        self,
        request: Request,
        attempt: Attempt | None,
        page: SimulatedPage | None = None,
        form_error: FormError | None = None,
    ) -> Response:
        if attempt is not None and not self._is_over(attempt) and self._provider_url(attempt) is not None:
            return self._handover.show(request, attempt)
        if attempt is not None and attempt.status is AttemptStatus.WAITING and not self._is_over(attempt):
            try:
                attempt = await self._core.progress(attempt.id, AttemptStatus.OPENED, attempt.provider_state)
            except AttemptOver:
                attempt = await self._find(request)
        if attempt is None:
            return self._pages.message(request, "unknown", 404)
        if self._is_over(attempt):
            return self._end(request, attempt)
        app = detect_app(request.headers.get("user-agent", ""))
        page = page or read_page(attempt.method, attempt.provider_state)
        return self._pages.phone(request, phone_view(attempt, page, app, self._clock(), form_error))

    def _is_over(self, attempt: Attempt) -> bool:
        return not attempt.live or attempt.expires_at <= self._clock()

    def _end(self, request: Request, attempt: Attempt) -> Response:
        match attempt.status:
            case AttemptStatus.SUCCEEDED:
                return self._pages.message(request, "passed", method=attempt.method)
            case AttemptStatus.FAILED if attempt.reason is not None:
                return self._pages.message(request, "failed", method=attempt.method, reason=attempt.reason)
            case AttemptStatus.CANCELLED:
                return self._pages.message(request, "closed", 410, method=attempt.method)
            case _:
                return self._pages.message(request, "expired", 410, method=attempt.method)


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
