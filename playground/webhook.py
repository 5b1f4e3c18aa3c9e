"""Delivery of updates to the bot's own address, in order within each lane, until the bot takes them.

Lanes are as the public server's: messages by chat, presses by person. Waits between tries are shorter here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import aiohttp

from playground.bell import Bell
from playground.botapi.updates import Update, Updates

FIRST_WAIT = 0.2
LONGEST_WAIT = 10.0
GIVE_UP_AFTER = 60
SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 a header's name


@dataclass(frozen=True, slots=True)
class Hook:
    """Where updates go."""

    url: str
    secret: str
    connections: int


class Delivery:
    """Brings every waiting update to the hook and settles what was taken with 2xx."""

    def __init__(self, updates: Updates, bell: Bell, clock: Callable[[], float]) -> None:
        self.hook: Hook | None = None
        self._updates = updates
        self._bell = bell
        self._clock = clock
        self._lanes: set[str] = set()
        self._last_error: tuple[int, str] | None = None

    def use(self, hook: Hook) -> None:
        """Begin to deliver there; a waiting getUpdates ends."""
        self.hook = hook
        self._updates.webhook = True
        self._updates.end_poll()
        self._bell.ring()

    def clear(self) -> None:
        """Stop delivering."""
        self.hook = None
        self._updates.webhook = False
        self._bell.ring()

    def info(self) -> dict[str, Any]:
        """Tell of the hook as getWebhookInfo does."""
        told: dict[str, Any] = {"url": self.hook.url if self.hook else "", "has_custom_certificate": False}
        if self.hook is not None:
            told["max_connections"] = self.hook.connections
        if self._last_error is not None:
            told["last_error_date"], told["last_error_message"] = self._last_error
        return told

    async def run(self) -> None:
        """Deliver until the world closes."""
        timeout = aiohttp.ClientTimeout(total=GIVE_UP_AFTER)
        async with aiohttp.ClientSession(timeout=timeout) as session, asyncio.TaskGroup() as tasks:
            while not self._updates.closed:
                await self._bell.until(lambda: self._updates.closed or bool(self._free_lanes()), GIVE_UP_AFTER)
                for lane in self._free_lanes():
                    self._lanes.add(lane)
                    tasks.create_task(self._serve(lane, session))

    def _free_lanes(self) -> set[str]:
        if self.hook is None or self._updates.closed:
            return set()
        return {update.lane for update in self._updates.waiting()} - self._lanes

    def _next(self, lane: str) -> Update | None:
        return next((update for update in self._updates.waiting() if update.lane == lane), None)

    async def _serve(self, lane: str, session: aiohttp.ClientSession) -> None:
        wait = FIRST_WAIT
        while (update := self._next(lane)) and (hook := self.hook) and not self._updates.closed:
            refusal = await _post(session, hook, update)
            if refusal is None:
                self._updates.settle(update)
                wait = FIRST_WAIT
                continue
            self._last_error = int(self._clock()), refusal
            await self._pause(hook, wait)
            wait = min(2 * wait, LONGEST_WAIT)
        self._lanes.discard(lane)

    async def _pause(self, hook: Hook, seconds: float) -> None:
        await self._bell.until(lambda: self._updates.closed or self.hook is not hook, seconds)


async def _post(session: aiohttp.ClientSession, hook: Hook, update: Update) -> str | None:
    headers = {SECRET_HEADER: hook.secret} if hook.secret else {}
    try:
        async with session.post(hook.url, json=update.wire(), headers=headers, allow_redirects=False) as answer:
            if answer.ok and answer.status < 300:
                return None
            return f"Wrong response from the webhook: {answer.status} {answer.reason}"
    except (aiohttp.ClientError, TimeoutError) as error:
        return f"Connection failed: {type(error).__name__}"
