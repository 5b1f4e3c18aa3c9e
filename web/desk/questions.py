"""What people asked in their own words: which topics answered, and what nobody has answered yet."""

from collections.abc import Mapping

from starlette.responses import Response

from verification.funnel import day_of
from verification.support import Support
from web.desk.asked import PERIODS, days_of, months_before, period_in
from web.desk.frame import Frame, Visit
from web.parts import Clock

Titles = Mapping[str, Mapping[str, str]]


class QuestionPages:
    """The page of questions."""

    def __init__(self, support: Support, frame: Frame, clock: Clock, titles: Titles) -> None:
        self._support = support
        self._frame = frame
        self._clock = clock
        self._titles = titles

    async def show(self, visit: Visit) -> Response:
        """Show the topics of a period by how often they were asked for, and the last questions in vain."""
        today, period = day_of(self._clock()), period_in(visit.asked)
        counted, missed = await self._support.questions(visit.actor, *days_of(period, today))
        titles = self._titles[self._frame.language(visit.request)]
        topics = [(titles.get(topic, topic), count) for topic, count in counted.items() if topic]
        answered, vain = sum(count for _, count in topics), counted.get("", 0)
        return self._frame.page(
            visit,
            "questions.html",
            topics=sorted(topics, key=lambda each: (-each[1], each[0])),
            answered=answered,
            vain=vain,
            found=answered / (answered + vain) if answered + vain else None,
            missed=missed,
            period=period,
            periods=PERIODS,
            months=months_before(today),
        )
