"""Our page in front of the pages of a real provider: the account, the match code, and the button that continues.

Only the button counts: it means that a person has compared and agreed. A look changes nothing.
"""

from collections.abc import Mapping

from msgspec.structs import replace

from verification.attempts import Attempt, Reason, Rejected
from verification.ports import PagePress, PhonePage

_CHECK = PhonePage(
    text_key="handover.check",
    stage="check",
    steps=("scan", "check", "away", "done"),
    step="check",
    buttons=("leave", "decline"),
    explains_code=True,
)
_AWAY = replace(_CHECK, text_key="handover.away", stage="away", step="away", buttons=())


class HandoverPages:
    """The page before a provider's own, and the one that forwards the phone there."""

    def current(self, attempt: Attempt) -> PhonePage:
        """The same page for every attempt, also for a phone that comes back."""
        del attempt
        return _CHECK

    def look(self, attempt: Attempt) -> None:
        """A look changes nothing."""
        del attempt

    def press(self, attempt: Attempt, form: Mapping[str, str]) -> PagePress:
        """Leave for the provider's pages, or decline; any other press shows the page."""
        del attempt
        match form.get("press"):
            case "leave":
                return PagePress(leaving=_AWAY)
            case "decline":
                return PagePress(move=Rejected(Reason.DECLINED))
            case _:
                return PagePress()
