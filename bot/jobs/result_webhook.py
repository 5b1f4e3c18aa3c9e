"""Posts results to another server: claims them under a lease, posts until they are accepted, stores the outcome.

A process that crashes between posting and storing leaves the lease behind; when it ends, the result is posted again
under the same id. Several results are in flight at once, and no answer of the bot waits for any of them.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from http import HTTPStatus
from urllib.parse import urlsplit

from bot.outages import Outage, noting
from bot.settings import Settings
from verification.errors import ProviderUnavailable
from verification.providers.addresses import is_loopback
from verification.providers.http import HttpCall
from verification.record import Record
from verification.result_outbox import RETRY_DELAYS, DeliveryStatus, OutgoingResult, ResultOutbox
from verification.signing import WebhookSigner

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=30)
"""Longer than a call may take, so that no other process claims a result in flight."""
MAX_IN_FLIGHT = 8
_POLL_INTERVAL = 1.0


class ResultEndpoint(Record):
    """The server at `RESULT_WEBHOOK_URL`."""

    url: str
    signing: WebhookSigner
    call: HttpCall

    async def post(self, result: OutgoingResult, now: datetime) -> int:
        """Post a result and return the HTTP status; raises `ProviderUnavailable` when there is no answer."""
        body = result.body()
        headers = self.signing.headers(result.message_id, now, body) | {"content-type": "application/json"}
        status, _ = await self.call("POST", self.url, headers, body)
        return status


@asynccontextmanager
async def open_result_endpoint(settings: Settings, outage: Outage) -> AsyncIterator[ResultEndpoint | None]:
    """Open the endpoint, with connections of its own; None where no address is set."""
    url, secret = settings.result_webhook_url, settings.result_webhook_secret
    if not url or secret is None:
        yield None
        return
    # The client is large, and most programs call no other server.
    from bot.http_client import RESULT_TIMEOUT, http_client

    on_loopback = is_loopback(urlsplit(url).hostname or "")
    async with http_client(loopback_only=on_loopback, client_timeout=RESULT_TIMEOUT) as call:
        yield ResultEndpoint(url, WebhookSigner(secret.get_secret_value()), noting(call, outage))


class ResultSender:
    """The loop that posts results; `count` is called with the outcome of each try."""

    def __init__(
        self,
        outbox: ResultOutbox,
        endpoint: ResultEndpoint | None,
        clock: Callable[[], datetime],
        count: Callable[[str], None],
    ) -> None:
        self._outbox = outbox
        self._endpoint = endpoint
        self._clock = clock
        self._count = count
        self._wake = asyncio.Event()
        self._in_flight = set[int]()

    def wake(self) -> None:
        """Look for results now instead of at the next interval."""
        self._wake.set()

    async def run(self) -> None:
        """Post what is owed until cancelled; an error is logged, and the work is tried again."""
        if self._endpoint is None:
            return
        async with asyncio.TaskGroup() as tasks:
            while True:
                self._wake.clear()
                for result in await self._claim(MAX_IN_FLIGHT - len(self._in_flight)):
                    # When the clock jumps, a lease ends early and a result that is still in flight is claimed again.
                    if result.id not in self._in_flight:
                        self._in_flight.add(result.id)
                        tasks.create_task(self._send_and_settle(self._endpoint, result))
                with suppress(TimeoutError):
                    async with asyncio.timeout(_POLL_INTERVAL):
                        await self._wake.wait()

    async def _claim(self, limit: int) -> Sequence[OutgoingResult]:
        if not limit:
            return ()
        now = self._clock()
        try:
            return await self._outbox.claim(now, until=now + LEASE, limit=limit)
        except Exception:
            log.exception("results could not be claimed; trying again")
            return ()

    async def _send_and_settle(self, endpoint: ResultEndpoint, result: OutgoingResult) -> None:
        try:
            await self._send(endpoint, result)
        except Exception:
            log.exception("the outcome of the result of attempt %s could not be stored; trying again", result.attempt)
        finally:
            self._in_flight.discard(result.id)
            self._wake.set()

    async def _send(self, endpoint: ResultEndpoint, result: OutgoingResult) -> None:
        try:
            status = await endpoint.post(result, self._clock())
        except ProviderUnavailable as error:
            await self._retry_later(result, str(error))
            return
        if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            await self._settle(result, DeliveryStatus.DELIVERED)
        elif status == HTTPStatus.GONE:
            log.warning("the result of attempt %s is not wanted (status 410)", result.attempt)
            await self._settle(result, DeliveryStatus.GONE)
        else:
            await self._retry_later(result, f"status {status}")

    async def _retry_later(self, result: OutgoingResult, why: str) -> None:
        if result.tries >= len(RETRY_DELAYS):
            log.error("the result of attempt %s was not taken (%s); it is given up", result.attempt, why)
            await self._settle(result, DeliveryStatus.ABANDONED)
            return
        pause = RETRY_DELAYS[result.tries]
        log.warning("the result of attempt %s was not taken (%s); again in %s", result.attempt, why, pause)
        await self._outbox.postpone(result, self._clock() + pause)
        self._count("postponed")

    async def _settle(self, result: OutgoingResult, ending: DeliveryStatus) -> None:
        await self._outbox.settle(result, ending, self._clock())
        self._count(ending)
