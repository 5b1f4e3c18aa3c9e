"""Requests of the control API (/sim): JSON objects with validated fields, and errors that say what is expected."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from enum import StrEnum
from functools import wraps
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from playground.botapi.json_response import AsciiJsonResponse
from playground.world.errors import ActionRefused, BadControlRequest, UnknownId

Handler = Callable[[Request], Awaitable[Any]]
EnumWord = TypeVar("EnumWord", bound=StrEnum)


_STATUS: Mapping[type[Exception], int] = {BadControlRequest: 400, UnknownId: 404, ActionRefused: 409}


def sim_route(path: str, handler: Handler, method: str = "GET") -> Route:
    """Return a route under /sim. The handler's result is answered as JSON, and so are the action errors."""

    @wraps(handler)
    async def answer(request: Request) -> Response:
        try:
            result = await handler(request)
        except tuple(_STATUS) as error:
            return AsciiJsonResponse({"error": str(error)}, _STATUS[type(error)])
        return result if isinstance(result, Response) else AsciiJsonResponse(result)

    return Route(f"/sim{path}", answer, methods=[method])


class ControlRequest:
    """The fields of one request. Every method raises `BadControlRequest` for a value of the wrong type."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.values = values

    def __contains__(self, name: str) -> bool:
        return name in self.values

    def text(self, name: str, default: str | None = None, *, longest: int = 100_000) -> str:
        """Return a text of at most `longest` characters; without a default it must not be blank."""
        value = self.values.get(name, default)
        if not isinstance(value, str) or (default is None and not value.strip()):
            raise BadControlRequest(f"{name}: a text is needed")
        if len(value) > longest:
            raise BadControlRequest(f"{name}: at most {longest} characters")
        return value

    def optional_text(self, name: str) -> str | None:
        """Return a text, or None when it is missing or empty."""
        return self.text(name) if self.values.get(name) else None

    def number(self, name: str, default: int | None = None) -> int:
        """Return a whole number."""
        value = self.values.get(name, default)
        if not isinstance(value, int) or isinstance(value, bool):
            raise BadControlRequest(f"{name}: a whole number is needed")
        return value

    def amount(self, name: str, default: float) -> float:
        """Return a number greater than 0."""
        value = self.values.get(name, default)
        if not isinstance(value, int | float) or isinstance(value, bool) or not value > 0:
            raise BadControlRequest(f"{name}: a number greater than 0 is needed")
        return float(value)

    def optional_number(self, name: str) -> int | None:
        """Return a whole number, or None."""
        return None if self.values.get(name) is None else self.number(name)

    def numbers(self, name: str) -> list[int]:
        """Return a list of whole numbers."""
        value = self.values.get(name, [])
        if not isinstance(value, list) or not all(isinstance(item, int) for item in value):
            raise BadControlRequest(f"{name}: a list of whole numbers is needed")
        return value

    def flag(self, name: str, *, default: bool = False) -> bool:
        """Return true or false."""
        value = self.values.get(name, default)
        if not isinstance(value, bool):
            raise BadControlRequest(f"{name}: true or false is needed")
        return value

    def one_of(self, name: str, choices: type[EnumWord], default: EnumWord | None = None) -> EnumWord:
        """Return a member of the enumeration."""
        value = self.values.get(name, default)
        try:
            return choices(str(value))
        except ValueError:
            raise BadControlRequest(f"{name}: one of {', '.join(choices)}") from None


async def read_control_request(request: Request) -> ControlRequest:
    """Read the JSON object in the body of a request. Raises `BadControlRequest`."""
    try:
        given = json.loads(await request.body())
    except ValueError:
        raise BadControlRequest("a JSON object is needed") from None
    if not isinstance(given, dict):
        raise BadControlRequest("a JSON object is needed")
    return ControlRequest(given)


def path_number(request: Request, name: str) -> int:
    """Return a number in the path; the ids of groups are negative."""
    return _whole(request.path_params[name], name)


def query_number(request: Request, name: str, default: int = 0) -> int:
    """Return a number in the query."""
    return _whole(request.query_params.get(name) or str(default), name)


def query_seconds(request: Request, name: str, *, longest: float) -> float:
    """Return a number of seconds in the query, at most `longest`."""
    value = request.query_params.get(name) or "0"
    try:
        return min(max(float(value), 0.0), longest)
    except ValueError:
        raise BadControlRequest(f"{name}: a number of seconds is needed") from None


def _whole(value: str, name: str) -> int:
    if not value.removeprefix("-").isdecimal():
        raise BadControlRequest(f"{name}: a whole number is needed")
    return int(value)
