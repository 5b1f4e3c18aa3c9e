"""One process of the program. Once it is over, nothing that it began ever ends, as after kill -9."""

import asyncio

from tests.simulation.fault_schedule import FATAL, CallFault

_SLOWLY = 6.0


class ProcessLife:
    """One process from its start to its end."""

    def __init__(self) -> None:
        self.over = False
        self.is_reaped = False
        self.stop = asyncio.Event()
        self.ended = asyncio.Event()

    async def gate(self) -> None:
        """Pass before anything reaches the world; a process that is over never passes."""
        if self.is_reaped:
            # A timer of the dead process began this task; nothing would cancel it any more.
            raise asyncio.CancelledError
        if self.over:
            await asyncio.get_running_loop().create_future()

    async def die(self) -> None:
        """Crash; never returns."""
        self.over = True
        self.ended.set()
        await self.gate()

    async def suffer(self, fault: CallFault | None, delay: float) -> None:
        """Let a call's fault happen after the other side is done: crash, hang, or wait so many seconds or longer."""
        if fault in FATAL:
            await self.die()
        if fault in (CallFault.HANG, CallFault.HANG_DONE):
            await asyncio.get_running_loop().create_future()
        await asyncio.sleep(_SLOWLY if fault is CallFault.SLOW else delay)
        await self.gate()
