"""The desk's page of the funnel: how many people reach each step, where they leave, and how long steps take."""

from collections.abc import Sequence

from starlette.responses import Response

from verification import Method
from verification.record import Record
from verification.support.funnel import METHOD_STEPS, STEPS, Dimension, FunnelQuery, beijing_day
from verification.support.funnel_export import to_csv
from verification.support.funnel_report import FunnelReport, build_reports
from verification.support.service import SupportService
from web.dependencies import UtcNow
from web.desk.forms import NO_CAMPAIGN, PERIODS, FunnelFilters, recent_months
from web.desk.layout import DeskLayout, DeskRequest


class FunnelSummary(Record):
    """The totals of a funnel."""

    report: FunnelReport

    @property
    def started(self) -> int:
        """How many reached the first step."""
        return self.report.steps[0].count

    @property
    def finished(self) -> int:
        """How many reached the last step."""
        return self.report.steps[-1].count

    @property
    def max_count(self) -> int:
        """The highest count of a step; bars are scaled to it."""
        return max(step.count for step in self.report.steps)

    @property
    def failures(self) -> int:
        """How many attempts failed, for any reason."""
        return sum(count for _, count in self.report.reasons)


class FunnelPages:
    """The pages of the funnel."""

    def __init__(self, support: SupportService, frame: DeskLayout, clock: UtcNow) -> None:
        self._support = support
        self._frame = frame
        self._clock = clock

    async def show(self, visit: DeskRequest) -> Response:
        """Show the funnel, or with `by` one per group."""
        filters, today = self._filters(visit), beijing_day(self._clock())
        query = filters.query(today)
        summaries = [FunnelSummary(report) for report in await self._reports(visit, query)]
        return self._frame.page(
            visit,
            "funnel.html",
            summaries=summaries,
            busiest=max((summary.started for summary in summaries), default=0),
            filters=filters,
            query=query,
            steps=METHOD_STEPS if query.method or query.by is Dimension.METHOD else STEPS,
            periods=PERIODS,
            months=recent_months(today),
            campaigns=await self._support.campaigns(visit.actor),
            no_campaign=NO_CAMPAIGN,
            methods=[each for each in Method if each.takes_identity or each in self._support.methods],
            dimensions=list(Dimension),
        )

    async def csv(self, visit: DeskRequest) -> Response:
        """The same numbers as a CSV file."""
        filters = self._filters(visit)
        query = filters.query(beijing_day(self._clock()))
        text = to_csv(await self._reports(visit, query), query)
        disposition = f'attachment; filename="funnel-{query.since}-{query.until}.csv"'
        return Response(text, media_type="text/csv", headers={"Content-Disposition": disposition})

    def _filters(self, visit: DeskRequest) -> FunnelFilters:
        return FunnelFilters.read(visit.query, self._frame.languages)

    async def _reports(self, visit: DeskRequest, query: FunnelQuery) -> Sequence[FunnelReport]:
        return build_reports(await self._support.funnel_statistics(visit.actor, query), query)
