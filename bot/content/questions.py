"""Questions in people's own words: the search that rules are given, and the numbers of what was asked."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from prometheus_client import CollectorRegistry, Counter

from bot.content.search import TopicSearch
from bot.content.topics import Entry
from bot.flow.rows import RuleContext


class FaqMatcher:
    """Finds topics, and counts the questions by the topic that answered; no word of them is kept."""

    def __init__(self, topics: Mapping[str, Sequence[Entry]], registry: CollectorRegistry) -> None:
        self.topics_in = TopicSearch(topics).topics
        self._counter = Counter(
            "bot_questions", "Questions in people's own words, by the topic that answered", ["topic"], registry=registry
        )

    def count(self, topic: str) -> None:
        """Count one question; an empty topic is that none answered."""
        self._counter.labels(topic or "none").inc()

    def with_topics_in(self, moment: Callable[[], RuleContext]) -> Callable[[], RuleContext]:
        """The same moments, in which rules may look questions up."""
        return lambda: replace(moment(), topics_in=self.topics_in)
