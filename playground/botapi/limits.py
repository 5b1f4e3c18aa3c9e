"""Telegram's limits on order: so many messages a chat, and so many over all, or a 429 with the seconds to wait."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field

from playground.world.api_errors import too_many_requests

_SECOND = 1.0


@dataclass(frozen=True, slots=True)
class FloodLimits:
    """What is allowed: messages a second into one chat, so many of them at once, and messages a second over all."""

    per_chat: float = math.inf
    burst: int = 1
    overall: float = math.inf


@dataclass(slots=True)
class FloodLimiter:
    """The limits in force, and what was sent under them."""

    limits: FloodLimits = field(default_factory=FloodLimits)
    _recent: deque[float] = field(default_factory=deque)
    _whole_at: dict[str, float] = field(default_factory=dict)

    def set_limits(self, rates: FloodLimits) -> None:
        """Let these hold from now on; what was sent before is forgotten."""
        self.limits = rates
        self._recent.clear()
        self._whole_at.clear()

    def admit(self, method: str, chat: str, now: float) -> None:
        """Count a message; raises `Refused` when it is one too many."""
        if not method.startswith(("send", "edit")) or method == "sendChatAction":
            return
        while self._recent and now - self._recent[0] >= _SECOND:
            self._recent.popleft()
        whole = max(self._whole_at.get(chat, now), now)
        wait = whole - now - (self.limits.burst - 1) / self.limits.per_chat
        if len(self._recent) >= self.limits.overall:
            wait = max(wait, self._recent[0] + _SECOND - now)
        if wait > 0:
            raise too_many_requests(math.ceil(wait))
        self._recent.append(now)
        self._whole_at[chat] = whole + 1 / self.limits.per_chat
