"""What the page and scripts order over /sim: JSON objects, read with care, and answered with kind words."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from enum import StrEnum
from functools import wraps
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from playground.world.serializers import AsciiJsonResponse

Handler = Callable[[Request], Awaitable[Any]]
EnumWord = TypeVar("EnumWord", bound=StrEnum)


class BadControlRequest(Exception):
    """The order cannot be understood; the message says what would be understood."""


class UnknownId(Exception):
    """The order names something that does not exist."""


class ActionRefused(Exception):
    """What somebody wanted to touch is not there, or not his to touch."""


_STATUS: Mapping[type[Exception], int] = {BadControlRequest: 400, UnknownId: 404, ActionRefused: 409}


def sim_route(path: str, handler: Handler, method: str = "GET") -> Route:
    """Return a route under /sim whose answers and refusals are JSON."""

    @wraps(handler)
    async def answer(request: Request) -> Response:
        try:
            told = await handler(request)
        except tuple(_STATUS) as error:
            return AsciiJsonResponse({"error": str(error)}, _STATUS[type(error)])
        return told if isinstance(told, Response) else AsciiJsonResponse(told)

    return Route(f"/sim{path}", answer, methods=[method])


class ControlRequest:
    """The fields of one order."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.values = values

    def __contains__(self, name: str) -> bool:
        return name in self.values

    def text(self, name: str, default: str | None = None, *, longest: int = 100_000) -> str:
        """Return a text; without a default it must be there and say something."""
        value = self.values.get(name, default)
        if not isinstance(value, str) or (default is None and not value.strip()):
            raise BadControlRequest(f"{name}: a text is needed")
        if len(value) > longest:
            raise BadControlRequest(f"{name}: at most {longest} characters")
        return value

    def optional_text(self, name: str) -> str | None:
        """Return a text or nothing."""
        return self.text(name) if self.values.get(name) else None

    def number(self, name: str, default: int | None = None) -> int:
        """Return a whole number."""
        value = self.values.get(name, default)
        if not isinstance(value, int) or isinstance(value, bool):
            raise BadControlRequest(f"{name}: a whole number is needed")
        return value

    def amount(self, name: str, default: float) -> float:
        """Return a number greater than nothing."""
        value = self.values.get(name, default)
        if not isinstance(value, int | float) or isinstance(value, bool) or not value > 0:
            raise BadControlRequest(f"{name}: a number greater than 0 is needed")
        return float(value)

    def optional_number(self, name: str) -> int | None:
        """Return a whole number or nothing."""
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

    def one_of(self, name: str, words: type[EnumWord], default: EnumWord | None = None) -> EnumWord:
        """Return one of a few words."""
        value = self.values.get(name, default)
        try:
            return words(str(value))
        except ValueError:
            raise BadControlRequest(f"{name}: one of {', '.join(words)}") from None


async def read_control_request(request: Request) -> ControlRequest:
    """Read the JSON object of a request."""
    try:
        given = json.loads(await request.body())
    except ValueError:
        raise BadControlRequest("a JSON object is needed") from None
    if not isinstance(given, dict):
        raise BadControlRequest("a JSON object is needed")
    return ControlRequest(given)


def path_number(request: Request, name: str) -> int:
    """Return a number of the path; chats of groups have negative ones."""
    return _whole(request.path_params[name], name)


def query_number(request: Request, name: str, default: int = 0) -> int:
    """Return a number of the query."""
    return _whole(request.query_params.get(name) or str(default), name)


def query_seconds(request: Request, name: str, *, longest: float) -> float:
    """Return how long to wait."""
    value = request.query_params.get(name) or "0"
    try:
        return min(max(float(value), 0.0), longest)
    except ValueError:
        raise BadControlRequest(f"{name}: a number of seconds is needed") from None


def _whole(value: str, name: str) -> int:
    if not value.removeprefix("-").isdecimal():
        raise BadControlRequest(f"{name}: a whole number is needed")
    return int(value)
