"""The attempt endpoints, for front ends: open, look, cancel, list, draw the code; and an account's status."""

import base64
from collections.abc import Mapping
from datetime import datetime

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from verification.attempts import Attempt, AttemptStatus, reference_code
from verification.callers.attempts import CallerAttempt, CallerRequestConflict
from verification.errors import AlreadyVerified, MethodOff, ProviderUnavailable, QuotaReached, TooManyAttempts
from verification.support.store import AttemptSummary
from web.api.attempt_reading import (
    read_attempt_id,
    read_attempt_query,
    read_new_attempt,
    read_path_account,
    write_cursor,
)
from web.api.callers import caller_of
from web.api.problems import Problem, ProblemCode, utc_text
from web.dependencies import ApiRoute, WebDeps

_PROVIDER_PAUSE = "30"
_NO_ATTEMPT = "There is no such attempt."


class AttemptEndpoints:
    """The operations on attempts and accounts."""

    def __init__(self, deps: WebDeps, route: ApiRoute) -> None:
        self._clock = deps.clock
        self._languages = tuple(deps.texts)
        self._route = route
        self._attempts = route.attempts

    async def create(self, request: Request) -> Response:
        """Open an attempt, or return the one that the same request opened before."""
        new = await read_new_attempt(request, self._languages, self._route.new_id(), self._clock())
        try:
            opened = await self._attempts.open(caller_of(request), new)
        except (CallerRequestConflict, AlreadyVerified, QuotaReached, TooManyAttempts, MethodOff) as refusal:
            raise self._refused(refusal) from None
        except ProviderUnavailable:
            raise Problem(
                503,
                "The provider of this method does not answer; ask again, or offer another method.",
                ProblemCode.PROVIDER_UNAVAILABLE,
                headers={"Retry-After": _PROVIDER_PAUSE},
            ) from None
        body = {**self._full_json(opened), "qr": self._data_url(opened)}
        return JSONResponse(body, 201, {"Location": f"attempts/{opened.attempt.id}"})

    def _refused(self, refusal: Exception) -> Problem:
        match refusal:
            case CallerRequestConflict():
                sentence = "This Idempotency-Key was used before for another attempt."
                return Problem(409, sentence, ProblemCode.IDEMPOTENCY_CONFLICT)
            case AlreadyVerified():
                return Problem(409, "The account is verified already.", ProblemCode.ALREADY_VERIFIED)
            case QuotaReached():
                sentence = "Three accounts are verified with this ID number already."
                return Problem(409, sentence, ProblemCode.QUOTA_REACHED)
            case TooManyAttempts(until=until):
                seconds = max(int((until - self._clock()).total_seconds()) + 1, 1)
                return Problem(
                    429,
                    "A daily limit is reached.",
                    ProblemCode.TOO_MANY_ATTEMPTS,
                    headers={"Retry-After": str(seconds)},
                    more={"until": utc_text(until)},
                )
            case _:
                return Problem(422, "method: this method is off.", ProblemCode.METHOD_OFF)

    async def list(self, request: Request) -> Response:
        """List attempts of the caller, newest first."""
        query = read_attempt_query(request)
        found = await self._attempts.attempts(
            caller_of(request), account=query.account, after=query.after, limit=query.limit + 1
        )
        page = found[: query.limit]
        next_cursor = write_cursor(page[-1]) if len(found) > query.limit else None
        return JSONResponse({"attempts": [_list_json(each) for each in page], "next_cursor": next_cursor})

    async def show(self, request: Request) -> Response:
        """Show an attempt of the caller."""
        return JSONResponse(self._full_json(await self._load(request)))

    async def cancel(self, request: Request) -> Response:
        """Cancel an attempt of the caller; one that has ended stays as it is."""
        attempt = await self._attempts.cancel(caller_of(request), read_attempt_id(request))
        if attempt is None:
            raise Problem(404, _NO_ATTEMPT, ProblemCode.NOT_FOUND)
        return JSONResponse(self._full_json(attempt))

    async def png(self, request: Request) -> Response:
        """The code as PNG."""
        return Response(self._route.qr.png(await self._load_url(request)), media_type="image/png")

    async def svg(self, request: Request) -> Response:
        """The code as SVG."""
        return Response(self._route.qr.svg(await self._load_url(request)), media_type="image/svg+xml")

    async def text(self, request: Request) -> Response:
        """The code in half blocks, for a terminal with light text on a dark background."""
        return Response(self._route.qr.text(await self._load_url(request)), media_type="text/plain")

    async def account(self, request: Request) -> Response:
        """Show whether an account is verified."""
        account = read_path_account(request)
        status = await self._attempts.account_status(caller_of(request), account)
        slot = status.slot
        body = {
            "account": account,
            "verified": slot is not None,
            "method": None if slot is None else slot.method,
            "verified_at": None if slot is None else utc_text(slot.at),
            "simulated": slot is not None and slot.simulated,
            "live_attempt": status.attempt,
        }
        return JSONResponse(body)

    async def _load(self, request: Request) -> CallerAttempt:
        attempt = await self._attempts.attempt(caller_of(request), read_attempt_id(request))
        if attempt is None:
            raise Problem(404, _NO_ATTEMPT, ProblemCode.NOT_FOUND)
        return attempt

    async def _load_url(self, request: Request) -> str:
        url = self._url(await self._load(request))
        if url is None:
            raise Problem(404, "This attempt has no code to scan.", ProblemCode.NOT_FOUND)
        return url

    def _data_url(self, attempt: CallerAttempt) -> str | None:
        url = self._url(attempt)
        return url and f"data:image/png;base64,{base64.b64encode(self._route.qr.png(url)).decode()}"

    def _url(self, found: CallerAttempt) -> str | None:
        """The address of the code; None when there is nothing to scan."""
        attempt = found.attempt
        if not attempt.live or attempt.status is AttemptStatus.RESERVED:
            return None
        url = self._route.phone_url(attempt.token)
        return url if found.language is None else f"{url}?lang={found.language}"

    def _full_json(self, found: CallerAttempt) -> Mapping[str, object]:
        """All fields, with what the person needs to go on; lists leave that out."""
        attempt, url = found.attempt, self._url(found)
        return {
            **_list_json(attempt, created_at=found.requested_at),
            "language": found.language,
            "simulated": found.simulated,
            "match_code": None if url is None else attempt.match_code,
            "url": url,
        }


def _list_json(attempt: Attempt | AttemptSummary, created_at: datetime | None = None) -> Mapping[str, object]:
    return {
        "id": attempt.id,
        "code": reference_code(attempt.id),
        "account": attempt.account,
        "method": attempt.method,
        "status": attempt.status,
        "reason": attempt.reason,
        "created_at": utc_text(created_at or attempt.created_at),
        "expires_at": utc_text(attempt.expires_at),
    }
