"""The bot's answers to inline queries: the one each person sees, and those the server caches.

As on the public server, an answer is cached for `cache_time` seconds and shown to everybody who types the same query.
A personal answer is cached for one person. https://core.telegram.org/bots/api#answerinlinequery
"""

from __future__ import annotations

from dataclasses import dataclass, field

from playground.world.records import InlineAnswer


@dataclass(frozen=True, slots=True)
class CachedAnswer:
    """An answer, and when it expires, in seconds since 1970."""

    answer: InlineAnswer
    expires: float


@dataclass(slots=True)
class InlineAnswers:
    """The answer that each person sees now, and the cached ones."""

    shown: dict[int, tuple[str, InlineAnswer]] = field(default_factory=dict)
    _cached: dict[tuple[str, int | None], CachedAnswer] = field(default_factory=dict)

    def cache(self, query: str, user: int | None, cached: CachedAnswer) -> None:
        """Cache an answer for one person, or for everybody when `user` is None."""
        self._cached[query, user] = cached

    def find(self, query: str, user: int, now: float) -> InlineAnswer | None:
        """Return the cached answer to this person's query, unless it has expired."""
        for key in ((query, user), (query, None)):
            cached = self._cached.get(key)
            if cached is not None and cached.expires > now:
                return cached.answer
        return None
