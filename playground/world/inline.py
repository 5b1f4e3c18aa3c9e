"""What bots answered to inline queries: what each person sees above the field, and what the server keeps for others.

As on the public server an answer is kept for `cache_time` seconds and given to everybody who types the same, unless
the bot said that it is personal.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from playground.world.records import InlineAnswer


@dataclass(frozen=True, slots=True)
class CachedAnswer:
    """An answer for whoever asks the same before it expires."""

    answer: InlineAnswer
    expires: float


@dataclass(slots=True)
class InlineAnswers:
    """The newest answer for every person, and those that are kept."""

    shown: dict[int, tuple[str, InlineAnswer]] = field(default_factory=dict)
    _cached: dict[tuple[str, int | None], CachedAnswer] = field(default_factory=dict)

    def cache(self, words: str, user: int | None, kept: CachedAnswer) -> None:
        """Keep an answer for one person, or for all."""
        self._cached[words, user] = kept

    def find(self, words: str, user: int, now: float) -> InlineAnswer | None:
        """Return an answer that is still good for this person."""
        for key in ((words, user), (words, None)):
            kept = self._cached.get(key)
            if kept is not None and kept.expires > now:
                return kept.answer
        return None
