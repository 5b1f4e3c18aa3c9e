"""Finds the FAQ's topics for rules, and counts the questions that people ask in their own words."""

from collections.abc import Mapping, Sequence

from prometheus_client import CollectorRegistry, Counter

from bot.content.search import TopicSearch
from bot.content.topics import Entry


class FaqMatcher:
    """Finds topics, and counts questions by the topic that answers; the questions themselves are not stored here."""

    def __init__(self, topics: Mapping[str, Sequence[Entry]], registry: CollectorRegistry) -> None:
        self.topics_in = TopicSearch(topics).topics
        self._counter = Counter(
            "bot_questions", "Questions in people's own words, by the topic that answered", ["topic"], registry=registry
        )

    def count(self, topic: str) -> None:
        """Count one question; an empty topic means that no topic answers it."""
        self._counter.labels(topic or "none").inc()
