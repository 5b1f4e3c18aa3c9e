"""The HTTP routes of the Bot API: every call of a method, and the download of files."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import Message, Receive, Scope, Send

from playground.botapi.connections import Connections
from playground.botapi.faults import FaultKind, FaultQueue
from playground.botapi.fields import CallFields, read_fields
from playground.botapi.flood_limits import FloodLimiter
from playground.botapi.json_response import AsciiJsonResponse
from playground.botapi.methods.table import METHODS, ApiMethod
from playground.world.errors import NO_METHOD, UNAUTHORIZED, ApiError
from playground.world.world import ApiCall, World

GET_UPDATES = METHODS["getupdates"]

_TOKEN = re.compile(r"\d+:[\w-]+")


class BotApi:
    """Answers calls as the public server does, unless a fault was injected."""

    def __init__(self, world: World, faults: FaultQueue, limits: FloodLimiter, connections: Connections) -> None:
        self._world = world
        self._faults = faults
        self._limits = limits
        self._connections = connections

    def routes(self) -> list[BaseRoute]:
        """Return the routes of calls and downloads."""
        return [
            Route("/bot{token}/{method}", _CallEndpoint(self)),
            Route("/file/bot{token}/{path:path}", self._download),
        ]

    def fallback_route(self) -> BaseRoute:
        """Return the route of all other paths. A call there usually means that the bot builds its URLs wrongly."""
        return Route("/{path:path}", self._answer_unknown_path, methods=["GET", "POST"])

    async def _answer_unknown_path(self, request: Request) -> Response:
        path = _TOKEN.sub("<token>", request.url.path)  # it may be the token of a real bot
        self._world.traffic.misdirected_call = (
            f"it called {path}: the address of a method is BOT_API_URL/bot<token>/METHOD"
        )
        return AsciiJsonResponse(ApiError(404, "Not Found").body(), 404)

    async def answer(self, request: Request) -> Response | None:
        """Answer one call; None when the connection was cut."""
        try:
            method = self._method(request)
            fields = await read_fields(request)
        except ApiError as error:
            return AsciiJsonResponse(error.body(), error.code)
        return await self._run(method, fields, request)

    async def run_webhook_answer(self, kind: str, body: bytes) -> None:
        """Run the call that a bot makes in its answer to a webhook; nobody gets its result.

        https://core.telegram.org/bots/api#making-requests-when-getting-updates
        """
        headers = [(b"content-type", kind.encode())]
        scope: Scope = {"type": "http", "method": "POST", "path": "/", "query_string": b"", "headers": headers}
        scope["path_params"] = {}
        request = Request(scope, _receiver(body))
        try:
            fields = await read_fields(request)
            request.path_params.update(token=self._world.token, method=fields.text("method"))
            if fields.text("method"):
                await self._run(self._method(request), fields, request)
        except ApiError:
            return  # the answer is no call

    async def _run(self, method: ApiMethod, fields: CallFields, request: Request) -> Response | None:
        traffic = self._world.traffic
        call = ApiCall(self._world.clock(), method.name, fields.text("chat_id"))
        traffic.recent_calls.append(call)
        if traffic.keeps_answers:
            call.fields = fields.shown()
        response = await self._with_faults(method, fields, request)
        call.status = response.status_code if response is not None else None
        if traffic.keeps_answers and isinstance(response, AsciiJsonResponse):
            call.answer = json.loads(bytes(response.body))
        return response

    @contextmanager
    def track_call(self, request: Request) -> Iterator[None]:
        """Count a call as in progress until its answer is written. A getUpdates call does not count: it only waits."""
        if request.path_params["method"].lower() == "getupdates":
            yield
            return
        traffic = self._world.traffic
        traffic.calls_in_progress += 1
        try:
            yield
        finally:
            traffic.calls_in_progress -= 1
            self._world.changes.notify_all()

    def _method(self, request: Request) -> ApiMethod:
        if request.path_params["token"] != self._world.token:
            self._world.traffic.misdirected_call = "it called with another token than BOT_TOKEN"
            raise ApiError(*UNAUTHORIZED)
        name = request.path_params["method"]
        method = METHODS.get(name.lower())
        if method is None:
            if name.isascii() and name.isalpha():
                self._world.log.add("remark", None, text=f"{name}: the simulator does not know this method")
            raise ApiError(*NO_METHOD)
        return method

    async def _with_faults(self, method: ApiMethod, fields: CallFields, request: Request) -> Response | None:
        fault = self._faults.take(method.name)
        if fault is None:
            return await self._execute(method, fields, request)
        if (response := fault.response()) is not None:
            return response
        if fault.kind is FaultKind.SLOW:
            await self._world.changes.wait_for(lambda: self._world.closed, fault.seconds)
            return await self._execute(method, fields, request)
        if fault.kind is FaultKind.LOST:
            await self._execute(method, fields, request)
        await self._connections.abort(request)
        return None

    async def _execute(self, method: ApiMethod, fields: CallFields, request: Request) -> Response | None:
        answer = self._answer_call(method, fields)
        return await (_while_connected(answer, request) if method is GET_UPDATES else answer)

    async def _answer_call(self, method: ApiMethod, fields: CallFields) -> Response:
        try:
            self._limits.admit(method.name, fields.text("chat_id"), self._world.clock())
            return AsciiJsonResponse({"ok": True, "result": await self._result(method, fields)})
        except ApiError as error:
            # A second poll is refused after a restart, too; that is no mistake in a call.
            if method is not GET_UPDATES:
                self._world.log.add("refused", None, method=method.name, description=error.description)
            return AsciiJsonResponse(error.body(), error.code)

    async def _result(self, method: ApiMethod, fields: CallFields) -> Any:
        fields.note_unknown(method.signature.fields)
        try:
            return await method.handler(self._world, fields)
        finally:
            remarks = [*(f"Telegram ignores {ignored}" for ignored in fields.ignored), *fields.remarks]
            for remark in remarks:
                self._world.log.add("remark", None, text=f"{method.name}: {remark}")

    async def _download(self, request: Request) -> Response:
        file = self._world.files.by_path(request.path_params["path"])
        if request.path_params["token"] != self._world.token or file is None:
            return AsciiJsonResponse(ApiError(404, "Not Found").body(), 404)
        return Response(file.content, media_type="application/octet-stream")


class _CallEndpoint:
    """An ASGI application for calls, so that a call counts as in progress until its answer is written."""

    def __init__(self, api: BotApi) -> None:
        self._api = api

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        with self._api.track_call(request):
            response = await self._api.answer(request)
            if response is not None:
                await response(scope, receive, send)


def _receiver(body: bytes) -> Receive:
    messages: Iterator[Message] = iter([{"type": "http.request", "body": body, "more_body": False}])

    async def receive() -> Message:
        return next(messages, {"type": "http.disconnect"})

    return receive


async def _while_connected(answer: Coroutine[Any, Any, Response], request: Request) -> Response | None:
    """Cancel the call when the bot disconnects: the poll of a crashed bot must not look like a waiting one."""
    async with asyncio.TaskGroup() as tasks:
        work = tasks.create_task(answer)
        watch = tasks.create_task(_cancel_when_gone(request, work))
        work.add_done_callback(lambda _: watch.cancel())
    return None if work.cancelled() else work.result()


async def _cancel_when_gone(request: Request, work: asyncio.Task[Response]) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
    work.cancel()
