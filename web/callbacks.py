"""Where providers ring: a signed word that there may be news of a session.

Nothing else in it is believed, and nothing is done here but to ring on, so a repeated, late or invented one costs at
most a question to the provider.
"""

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from verification.providers.http import Http, Misread
from verification.signing import BadSignature
from web.guard import body_within
from web.parts import Parts

PATH = "/callbacks/{method}"
_LIMIT = 16 * 1024


class Callbacks:
    """Takes callbacks of the ways that are verified over HTTP."""

    def __init__(self, parts: Parts) -> None:
        self._ring = parts.ring
        self._providers = {
            method.value: provider for method, provider in parts.providers.items() if isinstance(provider, Http)
        }

    async def take(self, request: Request) -> Response:
        """Take one callback: 202, whether the session is known or not."""
        provider = self._providers.get(request.path_params["method"])
        if provider is None:
            raise HTTPException(404)
        body = await body_within(request, _LIMIT)
        if body is None:
            return Response(status_code=413)
        try:
            attempt = provider.read_callback(request.headers, body)
        except BadSignature:
            return Response(status_code=401)
        except Misread:
            return Response(status_code=400)
        self._ring(attempt)
        return Response(status_code=202)
