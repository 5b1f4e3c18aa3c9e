"""Faults on order: the network and the server misbehave for the next calls of a method."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from starlette.responses import HTMLResponse, Response

from playground.world.api_errors import ApiError, forbidden, too_many_requests
from playground.world.serializers import AsciiJsonResponse

ANY_METHOD = "*"


class FaultKind(StrEnum):
    """What can go wrong; `lost` is executed but never answered, `drop` is neither."""

    UNAUTHORIZED = "401"
    FORBIDDEN = "403"
    TOO_MANY = "429"
    BROKEN = "500"
    BAD_GATEWAY = "502"
    LOST = "lost"
    DROP = "drop"
    SLOW = "slow"
    GARBAGE = "garbage"
    DUPLICATE = "duplicate"


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault and how often it is to happen."""

    method: str
    kind: FaultKind
    times: int = 1
    retry_after: int = 1
    seconds: float = 2.0

    def response(self) -> Response | None:
        """Return what is answered instead of doing the call, for those kinds that do so."""
        if self.kind in _PAGES:
            return HTMLResponse(*_PAGES[self.kind])
        refused = too_many_requests(self.retry_after) if self._says_when else _REFUSED.get(self.kind)
        return AsciiJsonResponse(refused.body(), refused.code) if refused is not None else None

    @property
    def _says_when(self) -> bool:
        # Some of the public server's 429 answers come without a number of seconds.
        return self.kind is FaultKind.TOO_MANY and self.retry_after > 0


_PAGES = {
    FaultKind.BAD_GATEWAY: ("<html><body><h1>502 Bad Gateway</h1></body></html>", 502),
    FaultKind.GARBAGE: ("<html><body>Proxy log-in</body></html>", 200),
}
_REFUSED = {
    FaultKind.UNAUTHORIZED: ApiError(401, "Unauthorized"),
    FaultKind.FORBIDDEN: forbidden("bot was blocked by the user"),
    FaultKind.TOO_MANY: ApiError(429, "Too Many Requests"),
    FaultKind.BROKEN: ApiError(500, "Internal Server Error: restart"),
}


class FaultQueue:
    """The faults that were ordered, in order."""

    def __init__(self) -> None:
        self._ordered: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Let it happen to the next calls of its method."""
        self._ordered.append(fault)

    def clear(self) -> None:
        """Let nothing go wrong any more."""
        self._ordered.clear()

    def take(self, method: str) -> Fault | None:
        """Return what is to go wrong with this call."""
        for place, fault in enumerate(self._ordered):
            if fault.method.lower() == method.lower() or (fault.method == ANY_METHOD and method != "getUpdates"):
                self._ordered[place : place + 1] = [replace(fault, times=fault.times - 1)] if fault.times > 1 else []
                return fault
        return None
