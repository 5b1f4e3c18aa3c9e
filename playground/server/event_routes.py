"""/sim: how the page and the script player watch the world and wait for quiet."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute

from playground.world.requests import BadControlRequest, query_number, query_seconds, sim_route
from playground.world.serializers import ascii_json
from playground.world.world import World

LONGEST_WAIT = 60.0
KEEP_ALIVE = 15.0
CONNECTED_FOR = 5.0


class EventRoutes:
    """The log of events, as a list, as a stream, and as one question: is it quiet?"""

    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> list[BaseRoute]:
        """Return the routes of watching."""
        return [
            sim_route("/events", self.events),
            sim_route("/stream", self.stream),
            sim_route("/idle", self.idle),
            sim_route("/bot", self.bot),
        ]

    async def events(self, request: Request) -> Any:
        """Return the events behind a number, or wait for the first."""
        world, after = self._world, query_number(request, "after")
        chat = query_number(request, "chat") if request.query_params.get("chat") else None
        wait = query_seconds(request, "wait", longest=LONGEST_WAIT)
        await world.changes.wait_for(lambda: world.closed or bool(world.log.after(after, chat)), wait)
        return {"events": world.log.after(after, chat), "last": world.log.last, "idle": world.idle}

    async def stream(self, request: Request) -> Response:
        """Send the events as they come."""
        seen = request.headers.get("last-event-id") or request.query_params.get("after") or "0"
        if not seen.isdecimal():
            raise BadControlRequest("after: a whole number is needed")
        follow = self._follow(int(seen))
        return StreamingResponse(follow, media_type="text/event-stream", headers={"cache-control": "no-store"})

    async def idle(self, request: Request) -> Any:
        """Wait until the bot has taken everything and asks for more."""
        world, wait = self._world, query_seconds(request, "wait", longest=LONGEST_WAIT)
        await world.changes.wait_for(lambda: world.closed or world.idle, wait)
        return {"idle": world.idle}

    async def bot(self, request: Request) -> Any:
        """Tell whether the bot is there, and what it says of itself to that person."""
        world = self._world
        user = world.people.get(query_number(request, "user"))
        language, chat = (user.language_code, user.id) if user else ("zh", 0)
        asked = world.updates.last_poll
        return {
            "run": world.run_id,
            "username": world.profile.username,
            "name": world.profile.text("name", language),
            "description": world.profile.text("description", language),
            "commands": list(world.profile.commands_for(chat, language)),
            "connected": self._connected(),
            "last_poll_seconds_ago": None if asked is None else max(world.clock() - asked, 0.0),
            "pending": len(world.updates.pending()),
            "last_method": world.traffic.recent_calls[-1].method if world.traffic.recent_calls else None,
            "astray": world.traffic.misdirected_call,
            "last": world.log.last,
        }

    def _connected(self) -> bool:
        updates = self._world.updates
        if updates.has_waiting_poll or updates.webhook_active:
            return True
        # Between two polls a bot is at work, not gone.
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
