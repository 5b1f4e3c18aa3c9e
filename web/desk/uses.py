"""Who used the desk, in whatever way, and what for."""

from starlette.responses import Response

from verification.support import Support
from web.desk.asked import page_in
from web.desk.frame import Frame, Visit

_PAGE = 50


class UsePages:
    """The page of uses."""

    def __init__(self, support: Support, frame: Frame) -> None:
        self._support = support
        self._frame = frame

    async def show(self, visit: Visit) -> Response:
        """List the newest; looking is one of them."""
        page = page_in(visit.asked)
        uses = await self._support.uses(visit.actor, _PAGE + 1, (page - 1) * _PAGE)
        return self._frame.page(visit, "uses.html", uses=uses[:_PAGE], page=page, more=len(uses) > _PAGE)
