"""Reads what a call says; what it cannot mean is a problem of one sentence that names the field."""

from collections.abc import Callable, Collection
from datetime import timedelta
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request

from verification.attempts import Method
from verification.ids import Account
from verification.invitations import InvalidLinkRequest, LinkId, is_link_id, read_account, read_campaign
from verification.support.service import MAX_TTL, MIN_TTL, LinkRequest
from web.api.problems import Problem
from web.middleware import read_body

T = TypeVar("T")

_LIMIT = 16 * 1024
_LONGEST_KEY = 200
_MAX_LIMIT = 100
_MAX_SKIP = 1_000_000


class _LinkBody(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    account: str
    campaign: str = ""
    ttl_seconds: int | None = Field(
        default=None, strict=True, ge=int(MIN_TTL.total_seconds()), le=int(MAX_TTL.total_seconds())
    )
    method: Method | None = None
    language: str | None = None


class LinkListQuery(BaseModel):
    """Which links a list is about."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    campaign: str | None = None
    account: Account | None = None
    limit: int = Field(default=20, ge=1, le=_MAX_LIMIT)
    skip: int = Field(default=0, ge=0, le=_MAX_SKIP)


async def read_link_request(request: Request, languages: Collection[str], fresh: str) -> LinkRequest:
    """What link is wanted; its repetition is known by `Idempotency-Key`."""
    body = await read_body(request, _LIMIT)
    if body is None:
        raise Problem(413, "The body is too long.")
    try:
        asked = _LinkBody.model_validate_json(body)
    except ValidationError as error:
        raise _invalid(error) from None
    if asked.language is not None and asked.language not in languages:
        raise Problem(422, f"language: write {' or '.join(languages)}.")
    return LinkRequest(
        account=_checked("account", read_account, asked.account),
        idempotency_key=_idempotency_key(request, fresh),
        campaign=_checked("campaign", read_campaign, asked.campaign),
        ttl=None if asked.ttl_seconds is None else timedelta(seconds=asked.ttl_seconds),
        method=asked.method,
        language=asked.language,
    )


def read_list_query(request: Request) -> LinkListQuery:
    """Which links are to be listed."""
    try:
        page = LinkListQuery.model_validate(dict(request.query_params))
    except ValidationError as error:
        raise _invalid(error) from None
    if page.campaign is not None:
        _checked("campaign", read_campaign, page.campaign)
    if page.account is not None:
        _checked("account", read_account, page.account)
    return page


def read_link_id(request: Request) -> LinkId:
    """The link that an address names."""
    named: str = request.path_params["id"]
    if not is_link_id(named):
        raise Problem(404, "There is no such link.")
    return LinkId(named)


def _idempotency_key(request: Request, fresh: str) -> str:
    key = request.headers.get("idempotency-key")
    if key is None:
        return f"once:{fresh}"
    if not 0 < len(key) <= _LONGEST_KEY:
        raise Problem(422, f"Idempotency-Key: write 1 to {_LONGEST_KEY} characters.")
    return f"key:{key}"


def _checked(field: str, read: Callable[[str], T], text: str) -> T:
    try:
        return read(text)
    except InvalidLinkRequest as error:
        raise Problem(422, f"{field}: {error}.") from None


def _invalid(error: ValidationError) -> Problem:
    first = error.errors(include_input=False, include_url=False, include_context=False)[0]
    if first["type"] == "json_invalid":
        return Problem(422, "The body is no JSON.")
    field = "".join(str(part) for part in first["loc"][:1])
    if first["type"] == "extra_forbidden":
        return Problem(422, "There is a field that is not known here.")
    return Problem(422, f"{field}: {first['msg']}." if field else f"{first['msg']}.")
