"""A unit that a test may hold open: it awaits other things in between, which a body of the product cannot."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from storage import SqlStore, SqlUnit
from verification.ports import Notice


@asynccontextmanager
async def open_unit(store: object, lock_key: str) -> AsyncIterator[SqlUnit]:
    """Open a transaction of this store: leaving it commits, an error rolls it back."""
    assert isinstance(store, SqlStore)
    async with store._database.transaction(lock_key) as connection:
        store._sealing.renew_keys()
        unit = store._unit_type(connection, store._sealing)
        yield unit
    if unit.erased:
        await store._database.purge_deleted()


async def settle(store: object, notice: Notice) -> bool:
    """Settle a notice in a transaction of its own."""
    async with open_unit(store, notice.contact) as unit:
        return await unit.settle_notice(notice)
