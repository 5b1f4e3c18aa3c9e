"""What systemd is told, over a real socket."""

import asyncio
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bot.systemd import reporting_to_systemd
from tests.crash.process import running_bot_process
from tests.simulator_fixture import PATIENCE, simulator


class ServiceManager:
    """The receiving end of `NOTIFY_SOCKET`."""

    def __init__(self, address: str | bytes) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(address)
        self.socket.setblocking(False)

    async def hears(self, state: str) -> None:
        """Wait for a message, and see that it is this one."""
        async with asyncio.timeout(PATIENCE):
            heard = await asyncio.get_running_loop().sock_recv(self.socket, 100)
        assert heard.decode() == state

    def heard_nothing(self) -> bool:
        with pytest.raises(BlockingIOError):
            self.socket.recv(100)
        return True


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[ServiceManager]:
    listening = ServiceManager(str(tmp_path / "notify"))
    with closing(listening.socket):
        yield listening


async def test_a_program_says_that_it_is_ready_that_it_lives_and_that_it_stops(
    manager: ServiceManager, tmp_path: Path
) -> None:
    settings = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "100000"}
    async with simulator() as telegram, running_bot_process(telegram, tmp_path, **settings) as bot:
        await manager.hears("READY=1")
        for _ in range(3):
            await manager.hears("WATCHDOG=1")
        bot.signal(signal.SIGTERM)
        assert await bot.ended() == 0

        heard = "WATCHDOG=1"
        while heard == "WATCHDOG=1":
            heard = manager.socket.recv(100).decode()
        assert heard == "STOPPING=1"


async def test_without_a_watchdog_only_the_start_and_the_stop_are_told(manager: ServiceManager, tmp_path: Path) -> None:
    async with reporting_to_systemd({"NOTIFY_SOCKET": str(tmp_path / "notify")}):
        await manager.hears("READY=1")
        assert manager.heard_nothing()
    await manager.hears("STOPPING=1")


async def test_the_watchdog_of_another_process_is_left_to_it(manager: ServiceManager, tmp_path: Path) -> None:
    other = {"WATCHDOG_USEC": "1", "WATCHDOG_PID": str(os.getppid())}
    async with reporting_to_systemd({"NOTIFY_SOCKET": str(tmp_path / "notify"), **other}):
        await manager.hears("READY=1")
        assert manager.heard_nothing()


async def test_a_socket_in_the_abstract_namespace_is_reached() -> None:
    name = f"realname-bot-{os.getpid()}"
    manager = ServiceManager(f"\0{name}".encode())
    with closing(manager.socket):
        async with reporting_to_systemd({"NOTIFY_SOCKET": f"@{name}"}):
            await manager.hears("READY=1")


@pytest.mark.parametrize("address", ["", "relative", "/no/such/socket"])
async def test_a_socket_that_is_not_there_stops_nothing(address: str) -> None:
    async with reporting_to_systemd({"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "1000000"}):
        pass
