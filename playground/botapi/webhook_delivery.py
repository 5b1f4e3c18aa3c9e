"""Delivers updates to the bot's webhook, as the public server does.

Updates with one order key (messages by chat, button presses by person) go one after the other; different keys go in
parallel, on as many connections as the bot allows. An update is confirmed by a 2xx answer. After any other answer it is
sent again, after the seconds of `Retry-After` or after a backoff that starts at one second and doubles. An update that
would expire before its next attempt is dropped. The webhook is removed when its address answers 410 for 23 hours.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import aiohttp

from playground.world.update_queue import Update
from playground.world.webhook import WebhookTarget
from playground.world.world import World

FIRST_BACKOFF = 1.0
MAX_BACKOFF = (60.0, 120.0)  # a random value between the two
MAX_RETRY_AFTER = 3600.0
HTTP_GONE = 410
GONE_LIMIT = 23 * 3600
REQUEST_TIMEOUT = 60
SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 a header's name

RunAnswer = Callable[[str, bytes], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class WebhookFailure:
    """Why an attempt failed, and after how many seconds the bot wants the next one."""

    reason: str
    status: int = 0
    retry_after: float | None = None


class WebhookSender:
    """Sends the pending updates of one world to its webhook."""

    def __init__(self, world: World, run_answer: RunAnswer) -> None:
        """`run_answer` runs the call that the bot's answer to an update may be."""
        self._run_answer = run_answer
        self.first_backoff = FIRST_BACKOFF
        self._updates = world.updates
        self._webhook = world.webhook
        self._changes = world.changes
        self._clock = world.clock
        self._busy_keys: set[str] = set()
        self._target: WebhookTarget | None = None
        self._connections = asyncio.Semaphore()
        self._gone_since: float | None = None

    async def run(self) -> None:
        """Deliver until the world closes."""
        timeout = aiohttp.ClientTimeout(total=REQUEST_TIMEOUT)
        async with aiohttp.ClientSession(timeout=timeout) as session, asyncio.TaskGroup() as tasks:
            while not self._updates.closed:
                await self._changes.wait_for(lambda: self._updates.closed or bool(self._free_keys()), REQUEST_TIMEOUT)
                for key in self._free_keys():
                    self._busy_keys.add(key)
                    tasks.create_task(self._deliver(key, session))

    def _free_keys(self) -> set[str]:
        if self._webhook.target is None or self._updates.closed:
            return set()
        return {update.order_key for update in self._updates.pending()} - self._busy_keys

    def _next(self, key: str) -> Update | None:
        return next((update for update in self._updates.pending() if update.order_key == key), None)

    async def _deliver(self, key: str, session: aiohttp.ClientSession) -> None:
        backoff = self.first_backoff
        while (update := self._next(key)) and (target := self._webhook.target) and not self._updates.closed:
            async with self._connections_to(target):
                failure = await _post(session, target, update, self._run_answer)
            if failure is None:
                self._updates.confirm_one(update)
                self._gone_since = None
                backoff = self.first_backoff
                continue
            self._webhook.note_failure(failure.reason)
            if self._is_gone_for_good(failure):
                self._webhook.clear_target()
                break
            await self._wait_before_retry(
                target, update, backoff if failure.retry_after is None else failure.retry_after
            )
            backoff = min(2 * backoff, random.uniform(*MAX_BACKOFF))  # noqa: S311 - spreads retries, hides nothing
        self._busy_keys.discard(key)

    def _connections_to(self, target: WebhookTarget) -> asyncio.Semaphore:
        if target is not self._target:
            self._target, self._gone_since = target, None
            self._connections = asyncio.Semaphore(target.max_connections)
        return self._connections

    def _is_gone_for_good(self, failure: WebhookFailure) -> bool:
        if failure.status != HTTP_GONE:
            self._gone_since = None
            return False
        self._gone_since = self._gone_since or self._clock()
        return self._clock() - self._gone_since >= GONE_LIMIT

    async def _wait_before_retry(self, target: WebhookTarget, update: Update, seconds: float) -> None:
        due = self._clock() + seconds
        if due >= update.expires:
            self._updates.drop(update)
            return
        await self._changes.wait_for(
            lambda: self._updates.closed or self._webhook.target is not target or self._clock() >= due, seconds
        )


async def _post(
    session: aiohttp.ClientSession, target: WebhookTarget, update: Update, run_answer: RunAnswer
) -> WebhookFailure | None:
    headers = {SECRET_HEADER: target.secret} if target.secret else {}
    try:
        async with session.post(target.url, json=update.to_json(), headers=headers, allow_redirects=False) as response:
            if response.ok and response.status < 300:
                await run_answer(response.content_type, await response.read())
                return None
            reason = f"Wrong response from the webhook: {response.status} {response.reason}"
            retry_after = _parse_seconds(response.headers.get("Retry-After", ""))
            return WebhookFailure(reason, response.status, retry_after)
    except (aiohttp.ClientError, TimeoutError) as error:
        return WebhookFailure(f"Connection failed: {type(error).__name__}")


def _parse_seconds(value: str) -> float | None:
    return min(float(value), MAX_RETRY_AFTER) if value.isascii() and value.isdigit() else None
