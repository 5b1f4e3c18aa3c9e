"""JSON answers in plain ASCII, as the public server writes them."""

from __future__ import annotations

import json
from typing import Any

from starlette.responses import JSONResponse

_ENCODER = json.JSONEncoder(separators=(",", ":"))


def ascii_json(value: Any) -> str:
    """Return a value as JSON on one line; characters beyond ASCII are escaped."""
    return _ENCODER.encode(value)


class AsciiJsonResponse(JSONResponse):
    """A JSON answer whose body is ASCII."""

    def render(self, content: Any) -> bytes:
        return ascii_json(content).encode("ascii")
