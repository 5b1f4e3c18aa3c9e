"""Telegram's flood limits, as a test sets them. A message over the limit is answered with 429 and the seconds to wait.

https://core.telegram.org/bots/faq#broadcasting-to-users
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field

from playground.world.errors import too_many_requests

_SECOND = 1.0


@dataclass(frozen=True, slots=True)
class FloodLimits:
    """Messages per second to one chat, how many of them may come at once, and messages per second in all chats."""

    per_chat: float = math.inf
    burst: int = 1
    overall: float = math.inf


@dataclass(slots=True)
class FloodLimiter:
    """The current limits, and what was sent under them."""

    limits: FloodLimits = field(default_factory=FloodLimits)
    _recent: deque[float] = field(default_factory=deque)
    _refilled_at: dict[str, float] = field(default_factory=dict)

    def set_limits(self, limits: FloodLimits) -> None:
        """Replace the limits and forget what was sent before."""
        self.limits = limits
        self._recent.clear()
        self._refilled_at.clear()

    def admit(self, method: str, chat: str, now: float) -> None:
        """Count a message. Raises `ApiError` 429 when it exceeds a limit."""
        if not method.startswith(("send", "edit")) or method == "sendChatAction":
            return
        while self._recent and now - self._recent[0] >= _SECOND:
            self._recent.popleft()
        refilled = max(self._refilled_at.get(chat, now), now)
        wait = refilled - now - (self.limits.burst - 1) / self.limits.per_chat
        if len(self._recent) >= self.limits.overall:
            wait = max(wait, self._recent[0] + _SECOND - now)
        if wait > 0:
            raise too_many_requests(math.ceil(wait))
        self._recent.append(now)
        self._refilled_at[chat] = refilled + 1 / self.limits.per_chat
