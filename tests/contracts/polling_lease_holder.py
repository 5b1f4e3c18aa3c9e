"""A program that acquires the polling lease, reports it, and waits to be killed."""

import asyncio
import sys

from storage import open_store
from tests.fakes import TELEGRAM, make_sealing


async def main(url: str) -> None:
    async with open_store(url, sealing=make_sealing()) as store, store.polling_lease(TELEGRAM, lambda: None):
        sys.stdout.write("holding\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
