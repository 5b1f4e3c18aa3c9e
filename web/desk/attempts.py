"""Attempts at the desk: the newest, those of an account, and one by the code that its person reads out."""

from collections.abc import Mapping

from starlette.responses import Response

from verification.ids import Account
from verification.support.funnel import beijing_day
from verification.support.service import SupportService
from verification.support.store import read_reference_code
from web.dependencies import UtcNow
from web.desk.forms import PERIODS, period_days, read_page_number, read_period, read_text, recent_months
from web.desk.layout import DeskLayout, DeskRequest, redirect

_ATTEMPTS_A_PAGE = 20
_OF_ONE_ACCOUNT = 50


class AttemptPages:
    """The pages of attempts; nothing in them names anybody."""

    def __init__(self, support: SupportService, frame: DeskLayout) -> None:
        self._support = support
        self._frame = frame

    async def index(self, visit: DeskRequest) -> Response:
        """List the newest."""
        page = read_page_number(visit.query)
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

    async def search(self, visit: DeskRequest) -> Response:
        """Find by a code or an account; asked by a form, so that no address holds what was typed."""
        sought = read_text(visit.form, "sought")
        if not sought:
            return redirect(visit.request, "/attempts")
        code = read_reference_code(sought)
        attempts = [] if code is None else await self._support.attempt(visit.actor, code)
        if attempts:
            return self._frame.page(visit, "attempt.html", attempts=attempts)
        attempts = await self._support.attempts(visit.actor, account=Account(sought), limit=_OF_ONE_ACCOUNT)
        return self._frame.page(visit, "attempts.html", attempts=attempts, page=1, more=False, sought=sought)

    async def show(self, visit: DeskRequest) -> Response:
        """Show one."""
        code = read_reference_code(visit.request.path_params["code"])
        attempts = [] if code is None else await self._support.attempt(visit.actor, code)
        if not attempts:
            return self._frame.message(visit, "no_attempt", 404)
        return self._frame.page(visit, "attempt.html", attempts=attempts)


Titles = Mapping[str, Mapping[str, str]]


class QuestionPages:
    """The page of questions."""

    def __init__(self, support: SupportService, frame: DeskLayout, clock: UtcNow, titles: Titles) -> None:
        self._support = support
        self._frame = frame
        self._clock = clock
        self._titles = titles

    async def show(self, visit: DeskRequest) -> Response:
        """Show the topics of a period by how often they were asked for, and the last questions in vain."""
        today, period = beijing_day(self._clock()), read_period(visit.query)
        since, until = period_days(period, today)
        counted, missed = await self._support.questions(visit.actor, since=since, until=until)
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
            months=recent_months(today),
        )


_ENTRIES_A_PAGE = 50


class AuditLogPages:
    """The page of uses."""

    def __init__(self, support: SupportService, frame: DeskLayout) -> None:
        self._support = support
        self._frame = frame

    async def show(self, visit: DeskRequest) -> Response:
        """List the newest; looking is one of them."""
        page = read_page_number(visit.query)
        uses = await self._support.audit_log(visit.actor, limit=_ENTRIES_A_PAGE + 1, skip=(page - 1) * _ENTRIES_A_PAGE)
        return self._frame.page(
            visit, "uses.html", uses=uses[:_ENTRIES_A_PAGE], page=page, more=len(uses) > _ENTRIES_A_PAGE
        )
