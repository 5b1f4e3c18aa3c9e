"""The bot's webhook as the server knows it: where updates go, and why the last delivery failed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from playground.world.clock import ChangeCondition
from playground.world.update_queue import UpdateQueue

MIN_CHANGE_INTERVAL = 1.0
"""Seconds between two calls of setWebhook; an earlier one is answered with 429."""


@dataclass(frozen=True, slots=True)
class WebhookTarget:
    """The address that receives updates."""

    url: str
    secret: str
    max_connections: int


class Webhook:
    """The state behind setWebhook, deleteWebhook and getWebhookInfo."""

    def __init__(self, updates: UpdateQueue, changes: ChangeCondition, clock: Callable[[], float]) -> None:
        self.target: WebhookTarget | None = None
        self._updates = updates
        self._changes = changes
        self._clock = clock
        self._changeable_at = 0.0
        self._last_error: tuple[int, str] | None = None

    def try_change(self) -> bool:
        """Return whether the target may change now, and start the wait for the next change if it may."""
        now = self._clock()
        if now < self._changeable_at:
            return False
        self._changeable_at = now + MIN_CHANGE_INTERVAL
        return True

    def set_target(self, target: WebhookTarget) -> None:
        """Deliver to this target from now on. A waiting getUpdates ends with 409."""
        self.target = target
        self._updates.webhook_active = True
        self._updates.end_poll()
        self._changes.notify_all()

    def clear_target(self) -> None:
        """Deliver nowhere."""
        self.target = None
        self._updates.webhook_active = False
        self._changes.notify_all()

    def note_failure(self, reason: str) -> None:
        """Keep the reason of a failed delivery for getWebhookInfo."""
        self._last_error = int(self._clock()), reason
        self._changes.notify_all()

    def info(self) -> dict[str, Any]:
        """Return the target and the last error as getWebhookInfo shows them."""
        shown: dict[str, Any] = {"url": self.target.url if self.target else "", "has_custom_certificate": False}
        if self.target is not None:
            shown["max_connections"] = self.target.max_connections
        if self._last_error is not None:
            shown["last_error_date"], shown["last_error_message"] = self._last_error
        return shown
