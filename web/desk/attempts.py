"""Attempts at the desk: the newest, those of an account, and one by the code that its person reads out."""

from collections.abc import Mapping

from starlette.responses import Response

from verification.support.funnel import day_of
from verification.support.service import Support
from verification.support.store import read_code
from web.dependencies import Clock
from web.desk.forms import PERIODS, days_of, months_before, page_in, period_in, typed_in
from web.desk.layout import Frame, Visit, on_to

_ATTEMPTS_A_PAGE = 20
_OF_ONE_ACCOUNT = 50


class AttemptPages:
    """The pages of attempts; nothing in them names anybody."""

    def __init__(self, support: Support, frame: Frame) -> None:
        self._support = support
        self._frame = frame

    async def index(self, visit: Visit) -> Response:
        """List the newest."""
        page = page_in(visit.asked)
        attempts = await self._support.attempts(
            visit.actor, limit=_ATTEMPTS_A_PAGE + 1, skip=(page - 1) * _ATTEMPTS_A_PAGE
        )
        return self._frame.page(
            visit,
            "attempts.html",
            attempts=attempts[:_ATTEMPTS_A_PAGE],
            page=page,
            more=len(attempts) > _ATTEMPTS_A_PAGE,
            sought=None,
        )

    async def search(self, visit: Visit) -> Response:
        """Find by a code or an account; asked by a form, so that no address holds what was typed."""
        sought = typed_in(visit.form, "sought")
        if not sought:
            return on_to(visit.request, "/attempts")
        code = read_code(sought)
        attempts = [] if code is None else await self._support.attempt(visit.actor, code)
        if attempts:
            return self._frame.page(visit, "attempt.html", attempts=attempts)
        attempts = await self._support.attempts(visit.actor, account=sought, limit=_OF_ONE_ACCOUNT)
        return self._frame.page(visit, "attempts.html", attempts=attempts, page=1, more=False, sought=sought)

    async def show(self, visit: Visit) -> Response:
        """Show one."""
        code = read_code(visit.request.path_params["code"])
        attempts = [] if code is None else await self._support.attempt(visit.actor, code)
        if not attempts:
            return self._frame.message(visit, "no_attempt", 404)
        return self._frame.page(visit, "attempt.html", attempts=attempts)


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


_ENTRIES_A_PAGE = 50


class UsePages:
    """The page of uses."""

    def __init__(self, support: Support, frame: Frame) -> None:
        self._support = support
        self._frame = frame

    async def show(self, visit: Visit) -> Response:
        """List the newest; looking is one of them."""
        page = page_in(visit.asked)
        uses = await self._support.uses(visit.actor, _ENTRIES_A_PAGE + 1, (page - 1) * _ENTRIES_A_PAGE)
        return self._frame.page(
            visit, "uses.html", uses=uses[:_ENTRIES_A_PAGE], page=page, more=len(uses) > _ENTRIES_A_PAGE
        )
