"""The funnel at the desk: how many come how far, where they are lost, and how long it takes them."""

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.responses import Response

from verification import Method
from verification.support.funnel import METHOD_STEPS, STEPS, Dimension, FunnelQuery, beijing_day
from verification.support.funnel_export import to_csv
from verification.support.funnel_report import FunnelReport, build_reports
from verification.support.service import SupportService
from web.dependencies import UtcNow
from web.desk.forms import NO_CAMPAIGN, PERIODS, FunnelFilters, recent_months
from web.desk.layout import DeskLayout, DeskRequest


@dataclass(frozen=True, slots=True)
class FunnelSummary:
    """What a funnel comes to: how many began, how many arrived."""

    report: FunnelReport

    @property
    def started(self) -> int:
        """How many reached the first step."""
        return self.report.steps[0].count

    @property
    def finished(self) -> int:
        """How many reached the last."""
        return self.report.steps[-1].count

    @property
    def max_count(self) -> int:
        """The highest count of a step; bars are drawn against it."""
        return max(stage.count for stage in self.report.steps)

    @property
    def failures(self) -> int:
        """How many attempts failed, for whatever reason."""
        return sum(count for _, count in self.report.reasons)


class FunnelPages:
    """The pages of the funnel."""

    def __init__(self, support: SupportService, frame: DeskLayout, clock: UtcNow) -> None:
        self._support = support
        self._frame = frame
        self._clock = clock

    async def show(self, visit: DeskRequest) -> Response:
        """Show the funnel, or with `by` one of each group."""
        filters, today = self._filters(visit), beijing_day(self._clock())
        wanted = filters.query(today)
        wholes = [FunnelSummary(report) for report in await self._reports(visit, wanted)]
        return self._frame.page(
            visit,
            "funnel.html",
            wholes=wholes,
            busiest=max((whole.started for whole in wholes), default=0),
            filters=filters,
            wanted=wanted,
            steps=METHOD_STEPS if wanted.method or wanted.by is Dimension.METHOD else STEPS,
            periods=PERIODS,
            months=recent_months(today),
            campaigns=await self._support.campaigns(visit.actor),
            nobodys=NO_CAMPAIGN,
            methods=list(Method),
            dimensions=list(Dimension),
        )

    async def csv(self, visit: DeskRequest) -> Response:
        """Give the same figures as a file."""
        filters = self._filters(visit)
        wanted = filters.query(beijing_day(self._clock()))
        written = to_csv(await self._reports(visit, wanted), wanted)
        named = f'attachment; filename="funnel-{wanted.since}-{wanted.until}.csv"'
        return Response(written, media_type="text/csv", headers={"Content-Disposition": named})

    def _filters(self, visit: DeskRequest) -> FunnelFilters:
        return FunnelFilters.read(visit.query, self._frame.languages)

    async def _reports(self, visit: DeskRequest, wanted: FunnelQuery) -> Sequence[FunnelReport]:
        return build_reports(await self._support.funnel_statistics(visit.actor, wanted), wanted)
