"""Reads the events of a simulator, and decides when waiting longer makes no sense."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TypeVar

from chatscript.match.chat_view import ChatEvent, ChatView
from chatscript.runner.simulator_client import SimulatorClient

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Timing:
    """The timeouts of the runner, in seconds.

    `timeout` is for anything expected. `silence` is how long an idle bot must do nothing before a wait ends early: more
    than the second that a bot waits between two messages to one chat. `settle` is how long the end of a script waits
    for events that it does not mention. `reading` is what a person takes at most to read before they act.
    `start_timeout` is for the bot's start.
    """

    timeout: float = 5.0
    silence: float = 2.0
    settle: float = 0.5
    reading: float = 0.5
    start_timeout: float = 60.0

    def with_patience(self, seconds: float) -> Timing:
        """Return the timeouts for a bot that may think that long before it answers."""
        return replace(self, timeout=max(self.timeout, seconds), silence=max(self.silence, seconds))


@dataclass(slots=True)
class EventWaiter:
    """All events so far, by chat."""

    client: SimulatorClient
    timing: Timing
    alive: Callable[[], bool]
    events: list[ChatEvent] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    _chats: dict[int, ChatView] = field(default_factory=dict)
    _last: int = 0

    def chat(self, id: int) -> ChatView:
        """Return a chat; it is empty when nothing has happened in it."""
        return self._chats.setdefault(id, ChatView(id))

    def chats(self) -> list[ChatView]:
        """Return the chats that were used so far."""
        return list(self._chats.values())

    async def poll(self, wait: float = 0) -> bool:
        """Read the events of the next `wait` seconds. Return whether the bot is idle and nothing happened."""
        before = self._last
        batch = await self.client.events_after(before, wait)
        self._last = batch.last
        self.remarks.extend(batch.remarks)
        self.refusals.extend(batch.refusals)
        for event in batch.events:
            self.events.append(event)
            self.chat(event.chat).add(event)
        # Some events belong to no chat, such as a change of the commands, but they end the silence too.
        return batch.idle and batch.last == before

    async def wait_for(self, find: Callable[[], Found | None], *, stop_when_idle: bool) -> Found | None:
        """Wait until `find` returns something; None after the timeout or when the bot ends.

        `stop_when_idle` also gives up when the bot is idle and silent.
        """
        await self.poll()
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self.timing.timeout
        while (found := find()) is None:
            remaining = deadline - loop.time()
            if remaining <= 0 or not self.alive():
                return None
            silent = await self.poll(min(remaining, self.timing.silence))
            if silent and stop_when_idle and find() is None:
                return None
        return found

    async def wait_idle(self) -> None:
        """Wait until the bot is idle and nothing has happened for `settle` seconds."""
        deadline = asyncio.get_running_loop().time() + self.timing.timeout
        while asyncio.get_running_loop().time() < deadline and self.alive():
            await self.client.wait_idle(self.timing.settle)
            if await self.poll(self.timing.settle):
                return
