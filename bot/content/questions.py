"""Questions in people's own words: the search that rules are given, and the numbers of what was asked."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from prometheus_client import CollectorRegistry, Counter

from bot.content.search import Search
from bot.content.topics import Entry
from bot.flow.rows import Moment


class Questions:
    """Finds topics, and counts the questions by the topic that answered; no word of them is kept."""

    def __init__(self, topics: Mapping[str, Sequence[Entry]], registry: CollectorRegistry) -> None:
        self.topics_in = Search(topics).topics
        self._counted = Counter(
            "bot_questions", "Questions in people's own words, by the topic that answered", ["topic"], registry=registry
        )

    def count(self, topic: str) -> None:
        """Count one question; an empty topic is that none answered."""
        self._counted.labels(topic or "none").inc()

    def given_to(self, moment: Callable[[], Moment]) -> Callable[[], Moment]:
        """The same moments, in which rules may look questions up."""
        return lambda: replace(moment(), topics_in=self.topics_in)
