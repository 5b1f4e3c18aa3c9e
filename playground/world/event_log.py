"""The log of everything that happened in the chats, for the page and for the script player."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from playground.world.condition import Bell

Event = dict[str, Any]


class EventLog:
    """Numbered facts in the order in which they happened."""

    def __init__(self, bell: Bell, clock: Callable[[], float]) -> None:
        self._events: list[Event] = []
        self._bell = bell
        self._clock = clock

    @property
    def last(self) -> int:
        """The number of the newest event."""
        return len(self._events)

    def add(self, kind: str, chat: int | None, **facts: Any) -> None:
        """Write down one event and wake who waits for it."""
        self._events.append({"seq": self.last + 1, "at": self._clock(), "kind": kind, "chat": chat, **facts})
        self._bell.ring()

    def after(self, seq: int, chat: int | None = None) -> list[Event]:
        """Return the events behind that number, of one chat or of all."""
        newer = self._events[max(seq, 0) :]
        return newer if chat is None else [event for event in newer if event["chat"] == chat]
