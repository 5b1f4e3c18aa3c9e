"""Control API: the events of the chats, whether the bot is idle, and its profile."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute

from playground.botapi.json_response import ascii_json
from playground.server.control_request import query_number, query_seconds, sim_route
from playground.world.errors import BadControlRequest
from playground.world.world import World

MAX_WAIT = 60.0  # seconds
KEEP_ALIVE = 15.0  # seconds
CONNECTED_FOR = 5.0  # seconds after a poll


class EventRoutes:
    """The event log as a list and as a stream, and the state of the bot."""

    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> list[BaseRoute]:
        """Return the routes of events and of the bot's state."""
        return [
            sim_route("/events", self.events),
            sim_route("/stream", self.stream),
            sim_route("/idle", self.idle),
            sim_route("/bot", self.bot),
        ]

    async def events(self, request: Request) -> Any:
        """Return the events after a number; wait up to `wait` seconds for the first."""
        world, after = self._world, query_number(request, "after")
        chat = query_number(request, "chat") if request.query_params.get("chat") else None
        wait = query_seconds(request, "wait", longest=MAX_WAIT)
        await world.changes.wait_for(lambda: world.closed or bool(world.log.after(after, chat)), wait)
        return {"events": world.log.after(after, chat), "last": world.log.last, "idle": world.idle}

    async def stream(self, request: Request) -> Response:
        """Send the events as they happen (server-sent events)."""
        seen = request.headers.get("last-event-id") or request.query_params.get("after") or "0"
        if not seen.isdecimal():
            raise BadControlRequest("after: a whole number is needed")
        follow = self._follow(int(seen))
        return StreamingResponse(follow, media_type="text/event-stream", headers={"cache-control": "no-store"})

    async def idle(self, request: Request) -> Any:
        """Wait until the bot is idle: it has confirmed every update and waits for the next."""
        world, wait = self._world, query_seconds(request, "wait", longest=MAX_WAIT)
        await world.changes.wait_for(lambda: world.closed or world.idle, wait)
        return {"idle": world.idle}

    async def bot(self, request: Request) -> Any:
        """Return whether the bot is connected, and its profile as the person `user` sees it."""
        world = self._world
        user = world.people.get(query_number(request, "user"))
        language, chat = (user.language_code, user.id) if user else ("zh", 0)
        last_poll = world.updates.last_poll
        return {
            "run": world.run_id,
            "username": world.profile.username,
            "name": world.profile.text("name", language),
            "description": world.profile.text("description", language),
            "commands": list(world.profile.commands_for(chat, language)),
            "connected": self._connected(),
            "last_poll_seconds_ago": None if last_poll is None else max(world.clock() - last_poll, 0.0),
            "pending": len(world.updates.pending()),
            "last_method": world.traffic.recent_calls[-1].method if world.traffic.recent_calls else None,
            "astray": world.traffic.misdirected_call,
            "last": world.log.last,
        }

    def _connected(self) -> bool:
        updates = self._world.updates
        if updates.has_waiting_poll or updates.webhook_active:
            return True
        # Between two polls the bot handles updates; it is still connected.
        recently = updates.last_poll is not None and self._world.clock() - updates.last_poll < CONNECTED_FOR
        return recently and not updates.poll_abandoned

    async def _follow(self, seen: int) -> AsyncIterator[str]:
        world = self._world
        yield f"event: hello\ndata: {ascii_json({'run': world.run_id, 'last': world.log.last})}\n\n"
        if seen > world.log.last:
            seen = 0
        while not world.closed:
            for event in world.log.after(seen):
                seen = event["seq"]
                yield f"id: {seen}\ndata: {ascii_json(event)}\n\n"
            if not await self._newer_than(seen):
                yield ": still here\n\n"

    async def _newer_than(self, seq: int) -> bool:
        world = self._world
        return await world.changes.wait_for(lambda: world.closed or world.log.last > seq, KEEP_ALIVE)
