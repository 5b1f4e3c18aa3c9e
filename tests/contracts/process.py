"""Starts the programs of the contract tests, each as its own process on the database under test."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]


@asynccontextmanager
async def program(name: str, *arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Start one; it is killed at the end."""
    command = [sys.executable, "-m", f"tests.contracts.{name}", *arguments]
    started = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        yield started
    finally:
        if started.returncode is None:
            started.kill()
        await started.communicate()


async def line(started: asyncio.subprocess.Process) -> str:
    """The next line of its output."""
    assert started.stdout is not None
    return (await started.stdout.readline()).decode().strip()


async def go(started: asyncio.subprocess.Process) -> None:
    """Let it begin."""
    assert started.stdin is not None
    started.stdin.write(b"go\n")
    await started.stdin.drain()
