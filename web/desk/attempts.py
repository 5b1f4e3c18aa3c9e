"""Attempts at the desk: the newest, those of an account, and one by the code that its person reads out."""

from starlette.responses import Response

from verification.desk import read_code
from verification.support import Support
from web.desk.asked import page_in, typed_in
from web.desk.frame import Frame, Visit, on_to

_PAGE = 20
_OF_ONE_ACCOUNT = 50


class AttemptPages:
    """The pages of attempts; nothing in them names anybody."""

    def __init__(self, support: Support, frame: Frame) -> None:
        self._support = support
        self._frame = frame

    async def index(self, visit: Visit) -> Response:
        """List the newest."""
        page = page_in(visit.asked)
        attempts = await self._support.attempts(visit.actor, limit=_PAGE + 1, skip=(page - 1) * _PAGE)
        return self._frame.page(
            visit, "attempts.html", attempts=attempts[:_PAGE], page=page, more=len(attempts) > _PAGE, sought=None
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
