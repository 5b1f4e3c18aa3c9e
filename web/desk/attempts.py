"""The desk's pages of attempts, of questions, and of the audit log."""

from collections.abc import Mapping

from starlette.responses import Response

from verification.ids import Account
from verification.support.funnel import beijing_day
from verification.support.service import SupportService
from verification.support.store import read_reference_code
from web.dependencies import UtcNow
from web.desk.forms import PERIODS, period_days, read_page_number, read_period, read_text, recent_months
from web.desk.layout import DeskLayout, DeskRequest, redirect

_ATTEMPTS_PER_PAGE = 20
_MAX_OF_ACCOUNT = 50


class AttemptPages:
    """The pages of attempts; names and numbers in them are masked."""

    def __init__(self, support: SupportService, frame: DeskLayout) -> None:
        self._support = support
        self._frame = frame

    async def index(self, visit: DeskRequest) -> Response:
        """List the newest attempts."""
        page = read_page_number(visit.query)
        attempts = await self._support.attempts(
            visit.actor, limit=_ATTEMPTS_PER_PAGE + 1, skip=(page - 1) * _ATTEMPTS_PER_PAGE
        )
        return self._frame.page(
            visit,
            "attempts.html",
            attempts=attempts[:_ATTEMPTS_PER_PAGE],
            page=page,
            more=len(attempts) > _ATTEMPTS_PER_PAGE,
            searched=None,
        )

    async def search(self, visit: DeskRequest) -> Response:
        """Find attempts by a reference code or an account; a POST, so that no address holds the search text."""
        searched = read_text(visit.form, "sought")
        if not searched:
            return redirect(visit.request, "/attempts")
        code = read_reference_code(searched)
        found = None if code is None else await self._show(visit, code)
        if found is not None:
            return found
        attempts = await self._support.attempts(visit.actor, account=Account(searched), limit=_MAX_OF_ACCOUNT)
        return self._frame.page(visit, "attempts.html", attempts=attempts, page=1, more=False, searched=searched)

    async def show(self, visit: DeskRequest) -> Response:
        """Show the attempts of a reference code."""
        code = read_reference_code(visit.request.path_params["code"])
        found = None if code is None else await self._show(visit, code)
        return found or self._frame.message(visit, "no_attempt", 404)

    async def _show(self, visit: DeskRequest, code: str) -> Response | None:
        attempts, disputes = await self._support.attempt(visit.actor, code)
        if not (attempts or disputes):
            return None
        shown = attempts[0].code if attempts else disputes[0].code
        return self._frame.page(visit, "attempt.html", code=shown, attempts=attempts, disputes=disputes)


Titles = Mapping[str, Mapping[str, str]]


class QuestionPages:
    """The page of questions."""

    def __init__(self, support: SupportService, frame: DeskLayout, clock: UtcNow, titles: Titles) -> None:
        self._support = support
        self._frame = frame
        self._clock = clock
        self._titles = titles

    async def show(self, visit: DeskRequest) -> Response:
        """Show the FAQ topics of a period by how often they were asked for, and the latest unanswered questions."""
        today, period = beijing_day(self._clock()), read_period(visit.query)
        since, until = period_days(period, today)
        counts, unanswered_questions = await self._support.questions(visit.actor, since=since, until=until)
        titles = self._titles[self._frame.language(visit.request)]
        topics = [(titles.get(topic, topic), count) for topic, count in counts.items() if topic]
        answered, unanswered = sum(count for _, count in topics), counts.get("", 0)
        return self._frame.page(
            visit,
            "questions.html",
            topics=sorted(topics, key=lambda each: (-each[1], each[0])),
            answered=answered,
            unanswered=unanswered,
            answered_share=answered / (answered + unanswered) if answered + unanswered else None,
            unanswered_questions=unanswered_questions,
            period=period,
            periods=PERIODS,
            months=recent_months(today),
        )


_ENTRIES_PER_PAGE = 50


class AuditLogPages:
    """The page of the audit log."""

    def __init__(self, support: SupportService, frame: DeskLayout) -> None:
        self._support = support
        self._frame = frame

    async def show(self, visit: DeskRequest) -> Response:
        """List the newest entries; this call adds one too."""
        page = read_page_number(visit.query)
        entries = await self._support.audit_log(
            visit.actor, limit=_ENTRIES_PER_PAGE + 1, skip=(page - 1) * _ENTRIES_PER_PAGE
        )
        return self._frame.page(
            visit, "uses.html", entries=entries[:_ENTRIES_PER_PAGE], page=page, more=len(entries) > _ENTRIES_PER_PAGE
        )
