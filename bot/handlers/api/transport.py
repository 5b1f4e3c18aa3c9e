"""How calls reach the Bot API: python-telegram-bot's own extension point, over aiohttp.

Its default client costs several times the processor time per call. An error names its kind only: an address would carry
the token.
"""

import warnings
from typing import Any

import aiohttp
from telegram.error import NetworkError, TimedOut
from telegram.request import BaseRequest, RequestData
from telegram.warnings import PTBDeprecationWarning


class NotSent(NetworkError):
    """The call never left: trying it again cannot repeat anything."""


class AiohttpRequest(BaseRequest):
    """Calls over a pool of kept-alive connections."""

    def __init__(self, *, connections: int = 100, read_timeout: float = 10.0) -> None:
        self._connections = connections
        self._read_timeout = read_timeout
        self._session: aiohttp.ClientSession | None = None

    @property
    def read_timeout(self) -> float:
        """Seconds to wait for an answer, unless a call says otherwise."""
        return self._read_timeout

    async def initialize(self) -> None:
        """Open the pool."""
        # With every 429 the library announces another type of seconds to come; both are understood here.
        warnings.filterwarnings("ignore", ".*In a future major version attribute", PTBDeprecationWarning)
        if self._session is None:
            connector = aiohttp.TCPConnector(limit=self._connections, keepalive_timeout=60)
            self._session = aiohttp.ClientSession(connector=connector, auto_decompress=True)

    async def shutdown(self) -> None:
        """Close the pool."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def do_request(
        self,
        url: str,
        method: str,
        request_data: RequestData | None = None,
        read_timeout: Any = BaseRequest.DEFAULT_NONE,
        write_timeout: Any = BaseRequest.DEFAULT_NONE,
        connect_timeout: Any = BaseRequest.DEFAULT_NONE,
        pool_timeout: Any = BaseRequest.DEFAULT_NONE,
    ) -> tuple[int, bytes]:
        """Make one call; see `BaseRequest.do_request`."""
        if self._session is None:
            raise RuntimeError("the transport is not initialised")
        reading = _seconds(read_timeout, self._read_timeout)
        connecting = _seconds(connect_timeout, 5.0)
        timeout = aiohttp.ClientTimeout(total=reading + connecting, sock_connect=connecting, sock_read=reading)
        try:
            async with self._session.request(
                method, url, data=_body(request_data), timeout=timeout, allow_redirects=False
            ) as answer:
                return answer.status, await answer.read()
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise NotSent(type(error).__name__) from None
        except TimeoutError:
            raise TimedOut from None
        except (aiohttp.ClientError, OSError) as error:
            raise NetworkError(type(error).__name__) from None


def _seconds(asked: object, otherwise: float) -> float:
    return float(asked) if isinstance(asked, int | float) else otherwise


def _body(request_data: RequestData | None) -> aiohttp.FormData | dict[str, str] | None:
    if request_data is None:
        return None
    files = request_data.multipart_data
    if not files:
        return request_data.json_parameters
    form = aiohttp.FormData(request_data.json_parameters)
    for name, (file_name, content, mime) in files.items():
        form.add_field(name, content, filename=file_name, content_type=mime)
    return form
