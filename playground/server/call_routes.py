"""/sim: the limits of the stand-in, and the calls that the bot made."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from starlette.requests import Request
from starlette.routing import BaseRoute

from playground.botapi.limits import FloodLimiter, FloodLimits
from playground.world.requests import read_control_request, sim_route
from playground.world.world import World


class CallRoutes:
    """Sets how much the bot may send, and tells what it called when."""

    def __init__(self, world: World, limits: FloodLimiter) -> None:
        self._world = world
        self._limits = limits

    def routes(self) -> list[BaseRoute]:
        """Return the routes of limits and calls."""
        return [sim_route("/limits", self.set_limits, "POST"), sim_route("/calls", self.calls)]

    async def set_limits(self, request: Request) -> Any:
        """Answer what is too much with 429, from now on; a limit that is not named does not hold."""
        order, free = await read_control_request(request), FloodLimits()
        rates = FloodLimits(
            per_chat=order.amount("per_chat", free.per_chat),
            burst=max(1, order.number("burst", free.burst)),
            overall=order.amount("overall", free.overall),
        )
        self._limits.set_limits(rates)
        return {name: value for name, value in asdict(rates).items() if value != getattr(free, name)}

    async def calls(self, request: Request) -> Any:
        """List the calls, oldest first; `status` is none while there is no answer, or when the connection was cut."""
        return [asdict(call) for call in self._world.traffic.recent_calls]
