"""JSON as the stand-in writes it: in ASCII, so that half a surrogate pair in somebody's text breaks no answer."""

from __future__ import annotations

import json
from typing import Any

from starlette.responses import JSONResponse


def json_text(told: Any) -> str:
    """Return it as JSON text on one line."""
    return json.dumps(told, separators=(",", ":"))


class JsonAnswer(JSONResponse):
    """An answer in JSON."""

    def render(self, content: Any) -> bytes:
        return json_text(content).encode("ascii")
