"""Control API: the flood limits of the simulator, and the list of the bot's calls."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from starlette.requests import Request
from starlette.routing import BaseRoute

from playground.botapi.flood_limits import FloodLimiter, FloodLimits
from playground.server.control_request import read_control_request, sim_route
from playground.world.world import World


class CallRoutes:
    """Sets the flood limits and lists the calls."""

    def __init__(self, world: World, limits: FloodLimiter) -> None:
        self._world = world
        self._limits = limits

    def routes(self) -> list[BaseRoute]:
        """Return the routes of /sim/limits and /sim/calls."""
        return [sim_route("/limits", self.set_limits, "POST"), sim_route("/calls", self.calls)]

    async def set_limits(self, request: Request) -> Any:
        """Set the limits; a limit that the request does not name is off."""
        control, unlimited = await read_control_request(request), FloodLimits()
        limits = FloodLimits(
            per_chat=control.amount("per_chat", unlimited.per_chat),
            burst=max(1, control.number("burst", unlimited.burst)),
            overall=control.amount("overall", unlimited.overall),
        )
        self._limits.set_limits(limits)
        return {name: value for name, value in asdict(limits).items() if value != getattr(unlimited, name)}

    async def calls(self, request: Request) -> Any:
        """List the calls, oldest first. `status` is null before the answer, and when the connection was cut."""
        return [asdict(call) for call in self._world.traffic.recent_calls]
