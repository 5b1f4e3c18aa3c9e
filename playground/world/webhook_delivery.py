"""Delivery of updates to the bot's own address, in order within each lane, until the bot takes them.

As the public server does it: messages by chat and presses by person are lanes of their own, one update of a lane at a
time, as many lanes side by side as the bot allows. What is refused comes again after a second, two, four; after what
`Retry-After` says; and never when it would have expired by then. An address that is gone for 23 hours is given up.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import aiohttp

from playground.world.condition import ChangeCondition
from playground.world.update_queue import Update, UpdateQueue

FIRST_WAIT = 1.0
LONGEST_WAIT = (60.0, 120.0)  # somewhere between
LONGEST_ASKED_FOR = 3600.0
HTTP_GONE = 410
GONE_LIMIT = 23 * 3600
CHANGED_AT_MOST_EVERY = 1.0
GIVE_UP_AFTER = 60
SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 a header's name


@dataclass(frozen=True, slots=True)
class WebhookTarget:
    """Where updates go."""

    url: str
    secret: str
    max_connections: int


@dataclass(frozen=True, slots=True)
class WebhookFailure:
    """How a try failed, and after how long the bot wants the next one."""

    reason: str
    status: int = 0
    retry_after: float | None = None


class WebhookSender:
    """Brings every waiting update to the hook and settles what was taken with 2xx."""

    def __init__(self, updates: UpdateQueue, changes: ChangeCondition, clock: Callable[[], float]) -> None:
        self.target: WebhookTarget | None = None
        self._updates = updates
        self._bell = changes
        self._clock = clock
        self.first_wait = FIRST_WAIT
        self._busy_queues: set[str] = set()
        self._connections = asyncio.Semaphore()
        self._changeable_at = 0.0
        self._gone_since: float | None = None
        self._last_error: tuple[int, str] | None = None

    def try_change(self) -> bool:
        """Say whether the address may be changed now; not more than once a second."""
        now = self._clock()
        if now < self._changeable_at:
            return False
        self._changeable_at = now + CHANGED_AT_MOST_EVERY
        return True

    def start(self, target: WebhookTarget) -> None:
        """Begin to deliver there; a waiting getUpdates ends."""
        self.target = target
        self._connections = asyncio.Semaphore(target.max_connections)
        self._gone_since = None
        self._updates.webhook_active = True
        self._updates.end_poll()
        self._bell.notify_all()

    def stop(self) -> None:
        """Stop delivering."""
        self.target = None
        self._updates.webhook_active = False
        self._bell.notify_all()

    def info(self) -> dict[str, Any]:
        """Tell of the hook as getWebhookInfo does."""
        told: dict[str, Any] = {"url": self.target.url if self.target else "", "has_custom_certificate": False}
        if self.target is not None:
            told["max_connections"] = self.target.max_connections
        if self._last_error is not None:
            told["last_error_date"], told["last_error_message"] = self._last_error
        return told

    async def run(self) -> None:
        """Deliver until the world closes."""
        timeout = aiohttp.ClientTimeout(total=GIVE_UP_AFTER)
        async with aiohttp.ClientSession(timeout=timeout) as session, asyncio.TaskGroup() as tasks:
            while not self._updates.closed:
                await self._bell.wait_for(lambda: self._updates.closed or bool(self._free_queues()), GIVE_UP_AFTER)
                for lane in self._free_queues():
                    self._busy_queues.add(lane)
                    tasks.create_task(self._deliver(lane, session))

    def _free_queues(self) -> set[str]:
        if self.target is None or self._updates.closed:
            return set()
        return {update.order_key for update in self._updates.pending()} - self._busy_queues

    def _next(self, lane: str) -> Update | None:
        return next((update for update in self._updates.pending() if update.order_key == lane), None)

    async def _deliver(self, lane: str, session: aiohttp.ClientSession) -> None:
        wait = self.first_wait
        while (update := self._next(lane)) and (hook := self.target) and not self._updates.closed:
            async with self._connections:
                refusal = await _post(session, hook, update)
            if refusal is None:
                self._updates.confirm_one(update)
                self._gone_since = None
                wait = self.first_wait
                continue
            self._last_error = int(self._clock()), refusal.reason
            self._bell.notify_all()
            if self._is_gone_for_good(refusal):
                self.stop()
                break
            await self._before_next_try(hook, update, wait if refusal.retry_after is None else refusal.retry_after)
            wait = min(2 * wait, random.uniform(*LONGEST_WAIT))  # noqa: S311 - it spreads, it hides nothing
        self._busy_queues.discard(lane)

    def _is_gone_for_good(self, failure: WebhookFailure) -> bool:
        if failure.status != HTTP_GONE:
            self._gone_since = None
            return False
        self._gone_since = self._gone_since or self._clock()
        return self._clock() - self._gone_since >= GONE_LIMIT

    async def _before_next_try(self, target: WebhookTarget, update: Update, seconds: float) -> None:
        due = self._clock() + seconds
        if due >= update.expires:
            self._updates.drop(update)
            return
        await self._bell.wait_for(
            lambda: self._updates.closed or self.target is not target or self._clock() >= due, seconds
        )


async def _post(session: aiohttp.ClientSession, target: WebhookTarget, update: Update) -> WebhookFailure | None:
    headers = {SECRET_HEADER: target.secret} if target.secret else {}
    try:
        async with session.post(target.url, json=update.to_json(), headers=headers, allow_redirects=False) as answer:
            if answer.ok and answer.status < 300:
                return None
            why = f"Wrong response from the webhook: {answer.status} {answer.reason}"
            return WebhookFailure(why, answer.status, _seconds(answer.headers.get("Retry-After", "")))
    except (aiohttp.ClientError, TimeoutError) as error:
        return WebhookFailure(f"Connection failed: {type(error).__name__}")


def _seconds(asked: str) -> float | None:
    return min(float(asked), LONGEST_ASKED_FOR) if asked.isascii() and asked.isdigit() else None
