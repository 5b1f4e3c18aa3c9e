"""What was wrong with a call, as RFC 9457 has it: a status and one sentence."""

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
"""Of an error of ours, no more than that there was one."""


class Problem(HTTPException):
    """A call that cannot be done; the sentence holds nothing of what was sent."""

    def __init__(self, status: int, sentence: str, **headers: str) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        super().__init__(status, sentence, named)


def problem_response(status: int, sentence: str) -> Response:
    """A problem as an answer."""
    problem = {"title": HTTPStatus(status).phrase, "status": status, "detail": sentence}
    return Response(json.dumps(problem), status, media_type="application/problem+json")


def unavailable_response() -> Response:
    """Tell that the database is away, which passes by itself."""
    response = problem_response(503, "The database does not answer; ask again.")
    response.headers.update(RETRY_SOON_HEADERS)
    return response


async def problem_handler(_: Request, error: Exception) -> Response:
    """Tell what was raised."""
    if not isinstance(error, HTTPException):
        raise error
    sentence = error.detail if isinstance(error, Problem) else _SENTENCES.get(error.status_code, error.detail)
    response = problem_response(error.status_code, sentence)
    response.headers.update(error.headers or {})
    return response
