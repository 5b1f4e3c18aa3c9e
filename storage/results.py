"""The result outbox over any database: it keeps the promises of `verification.result_outbox.ResultOutbox`."""

from collections.abc import Sequence
from datetime import datetime

from storage import mapping
from storage import statements as sql
from storage.database import Database, fetch_alone
from verification.result_outbox import MAX_BLOCKING_TRIES, MAX_CLOCK_SKEW, DeliveryStatus, OutgoingResult


class SqlResultOutbox:
    """The port states each method's promise."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def claim(self, now: datetime, *, until: datetime, limit: int) -> Sequence[OutgoingResult]:
        latest_tried = mapping.to_micros(now + MAX_CLOCK_SKEW)
        # One claim at a time: two programs then get different results instead of waiting for the same rows.
        values = (mapping.to_micros(now), mapping.to_micros(until), latest_tried, MAX_BLOCKING_TRIES, limit)
        leased = await fetch_alone(self._database, sql.CLAIM_RESULTS, *values, lock_key="claim results")
        return sorted(map(mapping.read_result, leased), key=lambda result: result.id)

    async def postpone(self, result: OutgoingResult, until: datetime) -> None:
        await fetch_alone(self._database, sql.POSTPONE_RESULT, result.id, result.tries + 1, mapping.to_micros(until))

    async def settle(self, result: OutgoingResult, status: DeliveryStatus, now: datetime) -> None:
        await fetch_alone(self._database, sql.SETTLE_RESULT, result.id, status, mapping.to_micros(now))
