"""Replies that no update waits for: in order within a chat, and side by side for different chats.

An update is confirmed when what it does is committed. What only takes time (staff's reports and files, an apology, the
farewell to a group) is sent after that, so that a slow chat delays nobody else. A crash loses such a reply, and the
staff member asks again. Replies to a dialogue are not sent here: the store knows what is owed to a person.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from verification.errors import describe_error

log = logging.getLogger(__name__)

_SHUTDOWN_SECONDS = 5.0
_MAX_WAITING = 1000


class BackgroundReplies:
    """The replies on their way; those beyond a thousand are dropped, because nobody can wait for so many."""

    def __init__(self) -> None:
        self._group: asyncio.TaskGroup | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._last: dict[int, asyncio.Task[None]] = {}

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Send replies while the context is open; those in progress at its end have five seconds to finish."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            try:
                yield
            finally:
                self._group = None
                if self._tasks:
                    await asyncio.wait(self._tasks, timeout=_SHUTDOWN_SECONDS)
                for task in self._tasks:
                    task.cancel()

    def add(self, chat: int, send: Callable[[], Awaitable[None]]) -> None:
        """Send a reply after those that wait for the same chat."""
        if self._group is None or len(self._tasks) >= _MAX_WAITING:
            log.warning("a reply is dropped: %s", "nothing is sent now" if self._group is None else "too many wait")
            return
        task = self._group.create_task(self._send(self._last.get(chat), send))
        self._tasks.add(task)
        self._last[chat] = task
        task.add_done_callback(lambda done: self._done(chat, done))

    def _done(self, chat: int, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if self._last.get(chat) is task:
            del self._last[chat]

    async def _send(self, before: asyncio.Task[None] | None, send: Callable[[], Awaitable[None]]) -> None:
        if before is not None:
            await asyncio.wait({before})
        try:
            await send()
        except Exception as error:
            # An error in one reply must not end the task group, and with it the bot.
            log.warning("a reply is abandoned (%s)", describe_error(error))
