"""Injected faults: the network or the server fails for the next calls of a method."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from starlette.responses import HTMLResponse, Response

from playground.botapi.json_response import AsciiJsonResponse
from playground.world.errors import ApiError, forbidden, too_many_requests

ANY_METHOD = "*"


class FaultKind(StrEnum):
    """What goes wrong. A `lost` call is executed but not answered; a `drop`ped call is neither."""

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
    """One fault, and for how many calls."""

    method: str
    kind: FaultKind
    times: int = 1
    retry_after: int = 1
    seconds: float = 2.0

    def response(self) -> Response | None:
        """Return the answer that replaces the call. None: the call is slow, lost or dropped."""
        if self.kind in _PAGES:
            return HTMLResponse(*_PAGES[self.kind])
        error = too_many_requests(self.retry_after) if self._has_retry_after else _ERRORS.get(self.kind)
        return AsciiJsonResponse(error.body(), error.code) if error is not None else None

    @property
    def _has_retry_after(self) -> bool:
        # Some 429 answers of the public server have no retry_after.
        return self.kind is FaultKind.TOO_MANY and self.retry_after > 0


_PAGES = {
    FaultKind.BAD_GATEWAY: ("<html><body><h1>502 Bad Gateway</h1></body></html>", 502),
    FaultKind.GARBAGE: ("<html><body>Proxy log-in</body></html>", 200),
}
_ERRORS = {
    FaultKind.UNAUTHORIZED: ApiError(401, "Unauthorized"),
    FaultKind.FORBIDDEN: forbidden("bot was blocked by the user"),
    FaultKind.TOO_MANY: ApiError(429, "Too Many Requests"),
    FaultKind.BROKEN: ApiError(500, "Internal Server Error: restart"),
}


class FaultQueue:
    """The faults that wait for their calls, in the order in which they were added."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Add a fault for the next calls of its method."""
        self._faults.append(fault)

    def clear(self) -> None:
        """Remove all faults."""
        self._faults.clear()

    def take(self, method: str) -> Fault | None:
        """Return the fault for this call and count it, or None. `*` stands for any method but getUpdates."""
        for index, fault in enumerate(self._faults):
            if fault.method.lower() == method.lower() or (fault.method == ANY_METHOD and method != "getUpdates"):
                self._faults[index : index + 1] = [replace(fault, times=fault.times - 1)] if fault.times > 1 else []
                return fault
        return None
