"""Tells systemd that the program is ready, alive or stopping, by the protocol of sd_notify(3).

Alive means that the event loop runs. A database that is away is no reason to restart the program: /readyz tells it.
"""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress


@asynccontextmanager
async def reporting_to_systemd(environment: Mapping[str, str] = os.environ) -> AsyncIterator[None]:
    """Send READY now, WATCHDOG twice within each of systemd's intervals, and STOPPING when left."""
    address = environment.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        yield
        return
    async with asyncio.TaskGroup() as tasks:
        _send(address, "READY=1")
        seconds = _watchdog_seconds(environment)
        beating = tasks.create_task(_beat(address, seconds / 2)) if seconds else None
        try:
            yield
        finally:
            _send(address, "STOPPING=1")
            if beating is not None:
                beating.cancel()


def _watchdog_seconds(environment: Mapping[str, str]) -> float:
    if environment.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return 0
    interval = environment.get("WATCHDOG_USEC", "")
    return int(interval) / 1_000_000 if interval.isdecimal() else 0


async def _beat(address: str, seconds: float) -> None:
    while True:
        _send(address, "WATCHDOG=1")
        await asyncio.sleep(seconds)


def _send(address: str, state: str) -> None:
    # An address that begins with @ is in the abstract namespace, whose names begin with a null byte.
    name = f"\0{address[1:]}" if address.startswith("@") else address
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.settimeout(0)
        sender.sendto(state.encode(), name)
