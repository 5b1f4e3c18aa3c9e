"""A simulated provider and its pages. The pages are ours: the person who tries it out chooses the verdict on them.

A person's first look marks the attempt as opened. A press counts once, and only at the stage that was shown: after a
double press, the back button or a replay the present stage is shown.
"""

from collections.abc import Mapping
from typing import Literal

from verification.attempts import (
    APP_OF_METHOD,
    Attempt,
    AttemptId,
    AttemptStatus,
    Method,
    Passed,
    Progress,
    ProviderApp,
    Verdict,
    furthest,
)
from verification.identity import Identity, NetworkIdentity
from verification.ports import PagePress, PhonePage, ProviderSession
from verification.providers.simulated.stages import (
    Advanced,
    FormError,
    NotAdvanced,
    PageStage,
    SimulatedPage,
    apply_press,
    current_step,
    first_page,
    offered_buttons,
    offered_choices,
    progress_steps,
    read_page,
    read_press,
)

_BODIES: Mapping[PageStage, Literal["agreement", "camera"]] = {
    PageStage.AGREEMENT: "agreement",
    PageStage.RECOGNITION: "camera",
}


class SimulatedProvider:
    """A provider that checks nothing and proves nothing."""

    def __init__(self, method: Method) -> None:
        self._method = method

    @property
    def simulated(self) -> bool:
        """True: its verdict must never count as a verification."""
        return True

    @property
    def app(self) -> ProviderApp:
        """The app that the guide gives the method."""
        return APP_OF_METHOD[self._method]

    async def open(self, attempt: AttemptId, identity: Identity | None, return_url: str) -> ProviderSession:
        """Start at the first page; nothing of what is given is used."""
        del attempt, identity, return_url
        return ProviderSession(provider_state=first_page(self._method).text)

    def current(self, attempt: Attempt) -> PhonePage:
        """The stage that the attempt is at."""
        return self._page(read_page(self._method, attempt.provider_state))

    def look(self, attempt: Attempt) -> Progress | None:
        """A person's first look opens the attempt."""
        if attempt.status is AttemptStatus.WAITING:
            return Progress(AttemptStatus.OPENED, attempt.provider_state)
        return None

    def press(self, attempt: Attempt, form: Mapping[str, str]) -> PagePress:
        """Apply a press to the stage that the attempt is at."""
        page = read_page(self._method, attempt.provider_state)
        press = read_press(self._method, page, form)
        if press is None:
            return PagePress(move=self.look(attempt), shown=self._page(page))
        transition = apply_press(self._method, page.stage, press)
        match transition:
            case NotAdvanced(error):
                same = SimulatedPage(page.stage, press.choice)
                return PagePress(move=self.look(attempt), shown=self._page(same, error))
            case Advanced(to, status):
                return PagePress(move=Progress(furthest(attempt.status, status), to.text))
            case _:
                return PagePress(move=self._naming(transition.verdict, attempt))

    def _naming(self, verdict: Verdict, attempt: Attempt) -> Verdict:
        """The verdict; of a network identity it names the person, who is simulated by who asked."""
        if self._method.takes_identity or not isinstance(verdict, Passed):
            return verdict
        return Passed(NetworkIdentity(f"simulated:{attempt.contact}"))

    def _page(self, page: SimulatedPage, error: FormError | None = None) -> PhonePage:
        return PhonePage(
            text_key=f"stage.{self._method}.{page.stage}",
            stage=page.stage,
            steps=progress_steps(self._method, page.stage),
            step=current_step(self._method, page.stage),
            buttons=offered_buttons(self._method, page.stage),
            body=_BODIES.get(page.stage, "data"),
            choices=offered_choices(self._method, page.stage),
            choice=page.choice,
            explains_code=page.stage is first_page(self._method).stage,
            form_error=error or "",
        )
