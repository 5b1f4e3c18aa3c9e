"""The errors of the Bot API, and those of the control API.

Where a bot may compare the description of an error, it is the public server's, word for word.
"""

from __future__ import annotations

from typing import Any


class ApiError(Exception):
    """A call failed; the server answers `{"ok": false, ...}`."""

    def __init__(self, code: int, description: str, **parameters: Any) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.parameters = parameters

    def body(self) -> dict[str, Any]:
        """Return the JSON body of the answer."""
        fields: dict[str, Any] = {"ok": False, "error_code": self.code, "description": self.description}
        if self.parameters:
            fields["parameters"] = self.parameters
        return fields


def bad_request(reason: str) -> ApiError:
    """Return a 400 error, the answer to most mistakes."""
    return ApiError(400, f"Bad Request: {reason}")


def forbidden(reason: str) -> ApiError:
    """Return a 403 error: the bot may not write to the chat."""
    return ApiError(403, f"Forbidden: {reason}")


def conflict(reason: str) -> ApiError:
    """Return a 409 error: a bot has one getUpdates call or one webhook at a time."""
    return ApiError(409, f"Conflict: {reason}")


def too_many_requests(seconds: int) -> ApiError:
    """Return a 429 error with the seconds to wait."""
    return ApiError(429, f"Too Many Requests: retry after {seconds}", retry_after=seconds)


UNAUTHORIZED = (401, "Unauthorized")
NO_METHOD = (404, "Not Found: method not found")
NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly the same as a current "
    "content and reply markup of the message"
)
QUERY_TOO_OLD = "query is too old and response timeout expired or query ID is invalid"
OTHER_POLL_STARTED = "terminated by other getUpdates request; make sure that only one bot instance is running"
WEBHOOK_SET = "terminated by setWebhook request"
WEBHOOK_ACTIVE = "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"


class BadControlRequest(Exception):
    """The request is malformed. The message says what is expected."""


class UnknownId(Exception):
    """The request names a person, a chat or a file that does not exist."""


class ActionRefused(Exception):
    """A person cannot do this here: the message or the button is gone, or belongs to somebody else."""
