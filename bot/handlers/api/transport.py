"""Sends calls to the Bot API, as python-telegram-bot's request class.

The library's default client takes several times as much processor time per call; see docs/decisions/0019. An error
carries only its kind, because a message with the address would reveal the token.
"""

import json
import warnings
from collections.abc import Callable, Iterator, Mapping
from hashlib import sha256
from typing import Any

import msgspec
from telegram.error import BadRequest, NetworkError, TelegramError, TimedOut
from telegram.request import BaseRequest, RequestData
from telegram.warnings import PTBDeprecationWarning

from bot.connection_failures import describe_failure, telegram_advice
from bot.handlers.api.http_connection import ConnectionLost
from bot.handlers.api.http_pool import HttpPool, NotConnected, Timeouts
from bot.handlers.api.tunnel import credentials_problem
from bot.proxies import Proxy
from verification.errors import describe_error

_CONNECT_TIMEOUT = 5.0
_WRITE_TIMEOUT = 20.0
_POOL_TIMEOUT = 15.0
_SERVER_ERROR = 500
_PROXY_NEEDS_CREDENTIALS = 407


class NotSent(NetworkError):
    """The connection was never made, so the call can be repeated safely."""


def describe_no_answer(bot_api: str, error: TelegramError) -> str:
    """One line for an operator about a call that failed: the reason, and what to do."""
    # What Telegram says in a refusal may quote what was sent.
    is_ours = isinstance(error, NetworkError) and not isinstance(error, BadRequest)
    reason = error.message if is_ours else describe_error(error)
    return f"BOT_API_URL: no answer from {bot_api}: {reason}; {telegram_advice(reason)}"


class BotApiRequest(BaseRequest):
    """Calls over a pool of kept-alive connections, through a proxy if one is given.

    `note` is called with the reason when Telegram does not answer, and without one when it does.
    """

    def __init__(
        self,
        *,
        connections: int = 100,
        read_timeout: float = 10.0,
        proxy: Proxy | None = None,
        note: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._connections = connections
        self._read_timeout = read_timeout
        self._proxy = proxy
        self._note = note
        self._pool: HttpPool | None = None

    @property
    def read_timeout(self) -> float:
        """Seconds to wait for a response, unless a call sets its own."""
        return self._read_timeout

    async def initialize(self) -> None:
        """Open the pool."""
        # With every 429 the library warns that `retry_after` will change its type; `call_outcome` reads both types.
        warnings.filterwarnings("ignore", ".*In a future major version attribute", PTBDeprecationWarning)
        if self._pool is None:
            self._pool = HttpPool(connections=self._connections, proxy=self._proxy)

    async def shutdown(self) -> None:
        """Close the pool."""
        if self._pool is not None:
            self._pool.close()
            self._pool = None

    @staticmethod
    def parse_json_payload(payload: bytes) -> dict[str, Any]:
        """Read an answer; raises `TelegramError`."""
        try:
            answer: dict[str, Any] = msgspec.json.decode(payload)
        except msgspec.DecodeError:
            # The library takes half of a pair of surrogates, which the faster parser refuses.
            return BaseRequest.parse_json_payload(payload)
        return answer

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
        if self._pool is None:
            raise RuntimeError("the transport is not initialised")
        timeouts = Timeouts(
            pool=_seconds(pool_timeout, _POOL_TIMEOUT),
            connect=_seconds(connect_timeout, _CONNECT_TIMEOUT),
            write=_seconds(write_timeout, _WRITE_TIMEOUT),
            read=_seconds(read_timeout, self._read_timeout),
        )
        content_type, body = _body(request_data)
        try:
            status, answer = await self._pool.request(method, url, content_type, body, timeouts)
        except NotConnected as error:
            self._note(str(error))
            raise NotSent(str(error)) from None
        except TimeoutError as error:
            self._note(describe_failure(error))
            raise TimedOut(describe_failure(error)) from None
        except ConnectionLost as error:
            self._note(str(error))
            raise NetworkError(str(error)) from None
        if status == _PROXY_NEEDS_CREDENTIALS and self._proxy is not None:
            reason = f"the proxy {credentials_problem(self._proxy)}"
            self._note(reason)
            raise NotSent(reason)
        self._note(f"status {status}" if status >= _SERVER_ERROR else "")
        return status, answer


def _seconds(value: object, default: float) -> float:
    return float(value) if isinstance(value, int | float) else default


def _body(request_data: RequestData | None) -> tuple[str, bytes]:
    """The media type and the body of a call: JSON, or a form where it brings files."""
    if request_data is None:
        return "", b""
    if not request_data.contains_files:
        return "application/json", _encode_json(request_data.parameters)
    parts = list(_parts(request_data))
    # No part contains a digest of all of them.
    boundary = sha256(b"".join(parts)).hexdigest()
    body = b"".join(f"--{boundary}\r\n".encode() + part for part in parts)
    return f"multipart/form-data; boundary={boundary}", body + f"--{boundary}--\r\n".encode()


def _encode_json(parameters: object) -> bytes:
    try:
        return msgspec.json.encode(parameters)
    except UnicodeEncodeError:
        # Half of a pair of surrogates: the standard library escapes it.
        return json.dumps(parameters).encode()


def _parts(request_data: RequestData) -> Iterator[bytes]:
    for name, value in request_data.json_parameters.items():
        yield _part({"name": name}, "", value.encode())
    for name, (file_name, content, media_type) in request_data.multipart_data.items():
        data = content if isinstance(content, bytes) else content.read()
        yield _part({"name": name, "filename": file_name}, f"Content-Type: {media_type}\r\n", data)


def _part(facts: Mapping[str, str], header: str, content: bytes) -> bytes:
    disposition = "".join(f'; {key}="{_escaped(value)}"' for key, value in facts.items())
    return f"Content-Disposition: form-data{disposition}\r\n{header}\r\n".encode() + content + b"\r\n"


def _escaped(value: str) -> str:
    """A name as HTML's forms write it, so that it cannot end its header."""
    return value.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
