"""Error answers of the API as RFC 9457 problems: a status and one sentence."""

import json
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from web.middleware import RETRY_SOON_HEADERS

_SENTENCES = {
    404: "There is nothing here.",
    405: "This cannot be done here.",
}
SERVER_ERROR = "Something went wrong here; ask again."
"""The answer to an unexpected error reveals nothing about it."""


class Problem(HTTPException):
    """A refused call; the sentence quotes nothing that was sent."""

    def __init__(self, status: int, sentence: str, **headers: str) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        super().__init__(status, sentence, named)


def problem_response(status: int, sentence: str) -> Response:
    """A problem as a response."""
    problem = {"title": HTTPStatus(status).phrase, "status": status, "detail": sentence}
    return Response(json.dumps(problem), status, media_type="application/problem+json")


def unavailable_response() -> Response:
    """The response during an outage of the database, which ends by itself."""
    response = problem_response(503, "The database does not answer; ask again.")
    response.headers.update(RETRY_SOON_HEADERS)
    return response


async def problem_handler(_: Request, error: Exception) -> Response:
    """Turn a raised `HTTPException` into a response."""
    if not isinstance(error, HTTPException):
        raise error
    sentence = error.detail if isinstance(error, Problem) else _SENTENCES.get(error.status_code, error.detail)
    response = problem_response(error.status_code, sentence)
    response.headers.update(error.headers or {})
    return response
