"""The log of everything that happens in the chats, for the chat page and for scripts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from playground.world.clock import ChangeCondition

LogEvent = dict[str, Any]


class EventLog:
    """Numbered events in the order in which they happened."""

    def __init__(self, changes: ChangeCondition, clock: Callable[[], float]) -> None:
        self._events: list[LogEvent] = []
        self._changes = changes
        self._clock = clock

    @property
    def last(self) -> int:
        """The number of the newest event."""
        return len(self._events)

    def add(self, kind: str, chat: int | None, **facts: Any) -> None:
        """Append an event and wake all waiters."""
        self._events.append({"seq": self.last + 1, "at": self._clock(), "kind": kind, "chat": chat, **facts})
        self._changes.notify_all()

    def after(self, seq: int, chat: int | None = None) -> list[LogEvent]:
        """Return the events after that number, of one chat or of all chats."""
        newer = self._events[max(seq, 0) :]
        return newer if chat is None else [event for event in newer if event["chat"] == chat]
