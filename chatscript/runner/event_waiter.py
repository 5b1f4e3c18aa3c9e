"""Listens to the event log of a playground, and knows when waiting longer makes no sense."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from chatscript.match.chat_view import ChatEvent, ChatView
from chatscript.runner.simulator_client import SimulatorClient

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Timing:
    """How long the player waits, in seconds.

    `patience` is for anything expected. `silence` is how long an idle bot must be quiet before a wait ends early: more
    than the second that a polite bot lets pass between two messages. `settle` is how long the end of a script listens
    for what it does not mention. `start` is for the bot's start.
    """

    timeout: float = 5.0
    silence: float = 2.0
    settle: float = 0.5
    start_timeout: float = 20.0


@dataclass(slots=True)
class EventWaiter:
    """Everything that was heard in every chat."""

    client: SimulatorClient
    timing: Timing
    alive: Callable[[], bool]
    events: list[ChatEvent] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    _chats: dict[int, ChatView] = field(default_factory=dict)
    _last: int = 0

    def chat(self, id: int) -> ChatView:
        """Return a chat; one in which nothing happened yet is empty."""
        return self._chats.setdefault(id, ChatView(id))

    def chats(self) -> list[ChatView]:
        """List the chats in which anything happened."""
        return list(self._chats.values())

    async def poll(self, wait: float = 0) -> bool:
        """Take in what happened, waiting a while for it; tell whether the bot is idle and nothing came."""
        before = self._last
        news = await self.client.events_after(before, wait)
        self._last = news.last
        self.remarks.extend(news.remarks)
        for event in news.events:
            self.events.append(event)
            self.chat(event.chat).add(event)
        # Not all that happens is heard here (a bot that sets its commands, say), but all of it ends the silence.
        return news.idle and news.last == before

    async def wait_for(self, find: Callable[[], Found | None], *, stop_when_idle: bool) -> Found | None:
        """Wait until something is found; `hurried` gives up when the bot is idle and silent."""
        await self.poll()
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self.timing.timeout
        while (found := find()) is None:
            left = deadline - loop.time()
            if left <= 0 or not self.alive():
                return None
            silent = await self.poll(min(left, self.timing.silence))
            if silent and stop_when_idle and find() is None:
                return None
        return found

    async def wait_idle(self) -> None:
        """Wait until the bot is idle and nothing came for a short while."""
        deadline = asyncio.get_running_loop().time() + self.timing.timeout
        while asyncio.get_running_loop().time() < deadline and self.alive():
            await self.client.wait_idle(self.timing.settle)
            if await self.poll(self.timing.settle):
                return
