"""Parses requests about attempts and accounts; an invalid one raises a `Problem` that quotes nothing of it."""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Collection
from datetime import UTC, datetime, timedelta, timezone

from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request

from verification.attempts import AttemptId, Method, TypedMethodName
from verification.callers.attempts import NewAttempt
from verification.callers.store import ListPosition
from verification.identity import Identity, Name, Number, read_name, read_number
from verification.ids import Account
from verification.invitations import is_account, read_account
from verification.record import Record
from verification.support.store import AttemptSummary
from web.api.problems import Problem, ProblemCode
from web.api.reading import MAX_LIMIT, checked, idempotency_key, invalid_request, read_json, read_query

_ID = re.compile(r"attempt-[0-9a-f]{32}")
_CURSOR = re.compile(r"(\d{1,17}):(attempt-[0-9a-f]{32})", re.ASCII)
_MAX_CURSOR = 100
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_BEIJING = timezone(timedelta(hours=8))


class _AttemptBody(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    account: str
    name: str = Field(repr=False)
    number: str = Field(repr=False)
    method: TypedMethodName
    language: str | None = None


class _AttemptListQuery(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    account: str | None = None
    limit: int = Field(default=20, ge=1, le=MAX_LIMIT)
    cursor: str | None = Field(default=None, max_length=_MAX_CURSOR)


class AttemptListQuery(Record):
    """The query of a list of attempts."""

    account: Account | None
    limit: int
    after: ListPosition | None


async def read_new_attempt(request: Request, languages: Collection[str], fresh: str, now: datetime) -> NewAttempt:
    """Parse the request for an attempt; a repeated `Idempotency-Key` means the same request."""
    body = await read_json(request, _AttemptBody)
    if body.language is not None and body.language not in languages:
        raise invalid_request(f"language: write {' or '.join(languages)}.")
    return NewAttempt(
        account=checked("account", read_account, body.account),
        identity=Identity(_read_name(body.name), _read_number(body.number, now)),
        method=Method(body.method),
        language=body.language,
        idempotency_key=idempotency_key(request, fresh),
    )


def read_attempt_query(request: Request) -> AttemptListQuery:
    """Parse the query of a list of attempts."""
    query = read_query(request, _AttemptListQuery)
    account = None if query.account is None else checked("account", read_account, query.account)
    return AttemptListQuery(account, query.limit, None if query.cursor is None else _read_cursor(query.cursor))


def read_attempt_id(request: Request) -> AttemptId:
    """Parse the attempt's id in the path."""
    text: str = request.path_params["id"]
    if not _ID.fullmatch(text):
        raise Problem(404, "There is no such attempt.", ProblemCode.NOT_FOUND)
    return AttemptId(text)


def read_path_account(request: Request) -> Account:
    """Parse the account in the path: of a link or of a chat."""
    text: str = request.path_params["account"]
    if not is_account(text):
        raise Problem(404, "There is no such account.", ProblemCode.NOT_FOUND)
    return Account(text)


def write_cursor(last: AttemptSummary) -> str:
    """The cursor of the page after this attempt."""
    return urlsafe_b64encode(f"{(last.created_at - _EPOCH) // _MICROSECOND}:{last.id}".encode()).decode()


def _read_cursor(text: str) -> ListPosition:
    try:
        match = _CURSOR.fullmatch(urlsafe_b64decode(text).decode())
    except ValueError:
        match = None
    if match is None:
        raise invalid_request("cursor: write the next_cursor of the page before.")
    return ListPosition(_EPOCH + int(match[1]) * _MICROSECOND, AttemptId(match[2]))


def _read_name(text: str) -> Name:
    name = read_name(text)
    if not isinstance(name, Name):
        sentence = "name: this cannot be a person's name."
        raise Problem(422, sentence, ProblemCode.INVALID_NAME, more={"reason": name})
    return name


def _read_number(text: str, now: datetime) -> Number:
    number = read_number(text, now.astimezone(_BEIJING).date())
    if not isinstance(number, Number):
        sentence = "number: this cannot be a resident ID number."
        raise Problem(422, sentence, ProblemCode.INVALID_NUMBER, more={"reason": number})
    return number
