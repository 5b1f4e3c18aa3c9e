"""Sends calls to the Bot API over aiohttp, as python-telegram-bot's request class.

The library's default client takes several times as much processor time per call. An error carries only the name of its
class, because a message with the address would reveal the token.
"""

import warnings
from typing import Any

import aiohttp
from telegram.error import NetworkError, TimedOut
from telegram.request import BaseRequest, RequestData
from telegram.warnings import PTBDeprecationWarning


class NotSent(NetworkError):
    """The connection was never made, so the call can be repeated safely."""


class AiohttpRequest(BaseRequest):
    """Calls over a pool of keep-alive connections."""

    def __init__(self, *, connections: int = 100, read_timeout: float = 10.0) -> None:
        self._connections = connections
        self._read_timeout = read_timeout
        self._session: aiohttp.ClientSession | None = None

    @property
    def read_timeout(self) -> float:
        """Seconds to wait for a response, unless a call sets its own."""
        return self._read_timeout

    async def initialize(self) -> None:
        """Open the pool."""
        # With every 429 the library warns that `retry_after` will change its type; `call_outcome` reads both types.
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
        read = _seconds(read_timeout, self._read_timeout)
        connect = _seconds(connect_timeout, 5.0)
        timeout = aiohttp.ClientTimeout(total=read + connect, sock_connect=connect, sock_read=read)
        try:
            async with self._session.request(
                method, url, data=_body(request_data), timeout=timeout, allow_redirects=False
            ) as response:
                return response.status, await response.read()
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise NotSent(type(error).__name__) from None
        except TimeoutError:
            raise TimedOut from None
        except (aiohttp.ClientError, OSError) as error:
            raise NetworkError(type(error).__name__) from None


def _seconds(value: object, default: float) -> float:
    return float(value) if isinstance(value, int | float) else default


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
