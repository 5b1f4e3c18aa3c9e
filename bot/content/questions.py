"""Gives rules the FAQ search and the word lists, and counts the questions that people ask in their own words."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from prometheus_client import CollectorRegistry, Counter

from bot.content import vocabulary
from bot.content.search import TopicSearch
from bot.content.topics import Entry
from bot.flow.rows import RuleContext


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

    def with_understanding(self, new_context: Callable[[], RuleContext]) -> Callable[[], RuleContext]:
        """The same contexts, with the search and the word lists for rules."""
        words = vocabulary.load()
        return lambda: replace(new_context(), topics_in=self.topics_in, words=words)
