"""Error answers of the API as RFC 9457 problems: a status, a code that stays the same, and one sentence."""

import json
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from web.middleware import RETRY_SOON_HEADERS


class ProblemCode(StrEnum):
    """What is wrong, for programs; docs/integrators/api.md lists them."""

    UNAUTHORIZED = "unauthorized"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    IDEMPOTENCY_CONFLICT = "idempotency_conflict"
    TOO_LARGE = "too_large"
    INVALID_REQUEST = "invalid_request"
    INVALID_NAME = "invalid_name"
    INVALID_NUMBER = "invalid_number"
    METHOD_OFF = "method_off"
    ALREADY_VERIFIED = "already_verified"
    QUOTA_REACHED = "quota_reached"
    TOO_MANY_ATTEMPTS = "too_many_attempts"
    RATE_LIMITED = "rate_limited"
    PROVIDER_UNAVAILABLE = "provider_unavailable"
    INTERNAL = "internal"
    UNAVAILABLE = "unavailable"


_OF_ROUTING = {
    404: (ProblemCode.NOT_FOUND, "There is nothing here."),
    405: (ProblemCode.METHOD_NOT_ALLOWED, "This cannot be done here."),
}
"""The answers to what Starlette itself refuses."""
SERVER_ERROR = "Something went wrong here; ask again."
"""The answer to an unexpected error reveals nothing about it."""


class Problem(HTTPException):
    """A refused call; the sentence quotes nothing that was sent. `more` are members beside the standard ones."""

    def __init__(
        self,
        status: int,
        sentence: str,
        code: ProblemCode,
        *,
        headers: Mapping[str, str] | None = None,
        more: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(status, sentence, headers)
        self.code = code
        self.more = more or {}


def problem_response(status: int, sentence: str, code: ProblemCode, more: Mapping[str, str] | None = None) -> Response:
    """A problem as a response."""
    problem = {"title": HTTPStatus(status).phrase, "status": status, "code": code, "detail": sentence, **(more or {})}
    return Response(json.dumps(problem), status, media_type="application/problem+json")


def unavailable_response() -> Response:
    """The response during an outage of the database, which ends by itself."""
    response = problem_response(503, "The database does not answer; ask again.", ProblemCode.UNAVAILABLE)
    response.headers.update(RETRY_SOON_HEADERS)
    return response


def utc_text(moment: datetime) -> str:
    """A UTC time as the API writes it."""
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


async def problem_handler(_: Request, error: Exception) -> Response:
    """Turn a raised `HTTPException` into a response."""
    if isinstance(error, Problem):
        response = problem_response(error.status_code, error.detail, error.code, error.more)
    elif isinstance(error, HTTPException):
        code, sentence = _OF_ROUTING[error.status_code]
        response = problem_response(error.status_code, sentence, code)
    else:
        raise error
    response.headers.update(error.headers or {})
    return response
