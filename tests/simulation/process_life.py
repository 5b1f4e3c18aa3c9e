"""One life of the program. Once it is over, nothing it begins ever comes to an end: as after kill -9."""

import asyncio


class ProcessLife:
    """From a start to an end, whichever that is."""

    def __init__(self) -> None:
        self.over = False
        self.stop = asyncio.Event()
        self.ended = asyncio.Event()

    async def gate(self) -> None:
        """Stand before everything that reaches the world; the dead do not come through."""
        if self.over:
            await asyncio.get_running_loop().create_future()

    async def die(self) -> None:
        """End here and now; never returns."""
        self.over = True
        self.ended.set()
        await self.gate()
