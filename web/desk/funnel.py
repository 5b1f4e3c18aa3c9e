"""The funnel at the desk: how many come how far, where they are lost, and how long it takes them."""

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.responses import Response

from verification import Method
from verification.support.funnel import BY_WAY, STEPS, Dimension, Wanted, day_of
from verification.support.funnel_export import as_csv
from verification.support.funnel_report import Report, reports
from verification.support.service import Support
from web.dependencies import Clock
from web.desk.forms import NOBODYS, PERIODS, Filters, months_before
from web.desk.layout import Frame, Visit


@dataclass(frozen=True, slots=True)
class Whole:
    """What a funnel comes to: how many began, how many arrived."""

    report: Report

    @property
    def began(self) -> int:
        """How many reached the first step."""
        return self.report.stages[0].count

    @property
    def arrived(self) -> int:
        """How many reached the last."""
        return self.report.stages[-1].count

    @property
    def most(self) -> int:
        """The highest count of a step; bars are drawn against it."""
        return max(stage.count for stage in self.report.stages)

    @property
    def failures(self) -> int:
        """How many attempts failed, for whatever reason."""
        return sum(count for _, count in self.report.reasons)


class FunnelPages:
    """The pages of the funnel."""

    def __init__(self, support: Support, frame: Frame, clock: Clock) -> None:
        self._support = support
        self._frame = frame
        self._clock = clock

    async def show(self, visit: Visit) -> Response:
        """Show the funnel, or with `by` one of each group."""
        filters, today = self._filters(visit), day_of(self._clock())
        wanted = filters.wanted(today)
        wholes = [Whole(report) for report in await self._reports(visit, wanted)]
        return self._frame.page(
            visit,
            "funnel.html",
            wholes=wholes,
            busiest=max((whole.began for whole in wholes), default=0),
            filters=filters,
            wanted=wanted,
            steps=BY_WAY if wanted.method or wanted.by is Dimension.METHOD else STEPS,
            periods=PERIODS,
            months=months_before(today),
            campaigns=await self._support.campaigns(visit.actor),
            nobodys=NOBODYS,
            methods=list(Method),
            dimensions=list(Dimension),
        )

    async def table(self, visit: Visit) -> Response:
        """Give the same figures as a file."""
        filters = self._filters(visit)
        wanted = filters.wanted(day_of(self._clock()))
        written = as_csv(await self._reports(visit, wanted), wanted)
        named = f'attachment; filename="funnel-{wanted.since}-{wanted.until}.csv"'
        return Response(written, media_type="text/csv", headers={"Content-Disposition": named})

    def _filters(self, visit: Visit) -> Filters:
        return Filters.read(visit.asked, self._frame.languages)

    async def _reports(self, visit: Visit, wanted: Wanted) -> Sequence[Report]:
        return reports(await self._support.figures(visit.actor, wanted), wanted)
