"""Parses API requests; an invalid one raises a `Problem` with one sentence that names the field."""

from collections.abc import Callable, Collection
from datetime import timedelta
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request

from verification.attempts import Method, TypedMethodName
from verification.ids import Account
from verification.invitations import InvalidLinkRequest, LinkId, is_link_id, read_account, read_campaign
from verification.support.service import MAX_TTL, MIN_TTL, LinkRequest
from web.api.problems import Problem, ProblemCode
from web.middleware import read_body

T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)

_LIMIT = 16 * 1024
_MAX_KEY = 200
MAX_LIMIT = 100
_MAX_SKIP = 1_000_000


class _LinkBody(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    account: str
    campaign: str = ""
    ttl_seconds: int | None = Field(
        default=None, strict=True, ge=int(MIN_TTL.total_seconds()), le=int(MAX_TTL.total_seconds())
    )
    method: TypedMethodName | None = None
    language: str | None = None


class LinkListQuery(BaseModel):
    """The query of a list of links."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    campaign: str | None = None
    account: Account | None = None
    limit: int = Field(default=20, ge=1, le=MAX_LIMIT)
    skip: int = Field(default=0, ge=0, le=_MAX_SKIP)


async def read_link_request(request: Request, languages: Collection[str], fresh: str) -> LinkRequest:
    """Parse the request for a link; a repeated `Idempotency-Key` means the same request."""
    link = await read_json(request, _LinkBody)
    if link.language is not None and link.language not in languages:
        raise invalid_request(f"language: write {' or '.join(languages)}.")
    return LinkRequest(
        account=checked("account", read_account, link.account),
        idempotency_key=idempotency_key(request, fresh),
        campaign=checked("campaign", read_campaign, link.campaign),
        ttl=None if link.ttl_seconds is None else timedelta(seconds=link.ttl_seconds),
        method=None if link.method is None else Method(link.method),
        language=link.language,
    )


def read_list_query(request: Request) -> LinkListQuery:
    """Parse the query of a list of links."""
    query = read_query(request, LinkListQuery)
    if query.campaign is not None:
        checked("campaign", read_campaign, query.campaign)
    if query.account is not None:
        checked("account", read_account, query.account)
    return query


def read_link_id(request: Request) -> LinkId:
    """Parse the link's id in the path."""
    text: str = request.path_params["id"]
    if not is_link_id(text):
        raise Problem(404, "There is no such link.", ProblemCode.NOT_FOUND)
    return LinkId(text)


async def read_json(request: Request, model: type[M]) -> M:
    """Parse the body."""
    body = await read_body(request, _LIMIT)
    if body is None:
        raise Problem(413, "The body is too long.", ProblemCode.TOO_LARGE)
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        raise _invalid(error) from None


def read_query(request: Request, model: type[M]) -> M:
    """Parse the query."""
    try:
        return model.model_validate(dict(request.query_params))
    except ValidationError as error:
        raise _invalid(error) from None


def idempotency_key(request: Request, fresh: str) -> str:
    """Parse the header; a request without it is `fresh`."""
    key = request.headers.get("idempotency-key")
    if key is None:
        return f"once:{fresh}"
    if not 0 < len(key) <= _MAX_KEY:
        raise invalid_request(f"Idempotency-Key: write 1 to {_MAX_KEY} characters.")
    return f"key:{key}"


def checked(field: str, read: Callable[[str], T], text: str) -> T:
    """Read a field; raises a `Problem` that names it."""
    try:
        return read(text)
    except InvalidLinkRequest as error:
        raise invalid_request(f"{field}: {error}.") from None


def _invalid(error: ValidationError) -> Problem:
    first = error.errors(include_input=False, include_url=False, include_context=False)[0]
    if first["type"] == "json_invalid":
        return invalid_request("The body is not valid JSON.")
    field = "".join(str(part) for part in first["loc"][:1])
    if first["type"] == "extra_forbidden":
        return invalid_request("The request has an unknown field.")
    return invalid_request(f"{field}: {first['msg']}." if field else f"{first['msg']}.")


def invalid_request(sentence: str) -> Problem:
    """A problem with what was sent."""
    return Problem(422, sentence, ProblemCode.INVALID_REQUEST)
