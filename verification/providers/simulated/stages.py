"""The stages of the simulated pages, and what a press at each of them leads to.

Each method is a table of page stages, their buttons and the resulting transition. The person who tries it out chooses
the verdict. The functions here are pure and never raise for a person's action: a press that does not fit returns
`NotAdvanced`.
"""

from collections.abc import Mapping
from enum import StrEnum

from verification.attempts import AttemptStatus, Method, Passed, Reason, Rejected, Verdict
from verification.record import Record


class PageStage(StrEnum):
    """The page that the phone shows."""

    CHECK = "check"
    AUTHORISE = "authorise"
    CARD_NEEDED = "card_needed"
    CARD_BINDING = "card_binding"
    CARD_BOUND = "card_bound"
    WELCOME = "welcome"
    AGREEMENT = "agreement"
    RECOGNITION = "recognition"


class PageButton(StrEnum):
    """A button of the phone page."""

    GO_AUTHORISE = "go_authorise"
    AUTHORISE = "authorise"
    CONFIRM = "confirm"
    BIND_CARD = "bind_card"
    CARD_DONE = "card_done"
    NO_CARD = "no_card"
    QUICK = "quick"
    NEXT = "next"
    RECOGNISE = "recognise"
    DECLINE = "decline"


class VerdictChoice(StrEnum):
    """The verdict that the person chooses."""

    PASS = "pass"  # noqa: S105 - the opposite of failing, not a password
    MISMATCH = "mismatch"
    DECLINED = "declined"
    NO_CARD = "no_card"
    FACE_COVERED = "face_covered"
    FACE_DIFFERS = "face_differs"
    FACE_OUT_OF_FRAME = "face_out_of_frame"

    @property
    def verdict(self) -> Verdict:
        """The verdict of this choice."""
        return Passed() if self is VerdictChoice.PASS else Rejected(Reason(self.value))


class SimulatedPage(Record):
    """The current page of the phone, as an attempt's `provider_state` holds it."""

    stage: PageStage
    choice: VerdictChoice = VerdictChoice.PASS

    @property
    def text(self) -> str:
        """The stored form; `read_page` parses it."""
        return f"{self.stage} {self.choice}"


class ButtonPress(Record):
    """A press on the phone: the button, and the choice and tick of the form."""

    button: PageButton
    choice: VerdictChoice = VerdictChoice.PASS
    ticked: bool = False


class FormError(StrEnum):
    """Why a press changed nothing."""

    WRONG_STAGE = "elsewhere"
    UNTICKED = "unticked"


class Advanced(Record):
    """The next page, and the attempt's status with it."""

    page: SimulatedPage
    status: AttemptStatus


class Decided(Record):
    """The verdict; this was the last page."""

    verdict: Verdict


class NotAdvanced(Record):
    """Nothing changed, and why."""

    error: FormError


Transition = Advanced | Decided | NotAdvanced


class _Advance(Record):
    to: PageStage
    status: AttemptStatus = AttemptStatus.OPENED
    if_ticked: bool = False


class _Decide(Record):
    """Give the chosen verdict; where a card can be bound first, `NO_CARD` leads to that page instead."""

    without_card: PageStage | None = None


class _Reject(Record):
    reason: Reason


_Rule = _Advance | _Decide | _Reject

_DECLINE: Mapping[PageButton, _Rule] = {PageButton.DECLINE: _Reject(Reason.DECLINED)}
_WITHOUT_CARD: Mapping[PageButton, _Rule] = {PageButton.NO_CARD: _Reject(Reason.NO_CARD)}

PAGE_TRANSITIONS: Mapping[Method, Mapping[PageStage, Mapping[PageButton, _Rule]]] = {
    Method.WECHAT: {  # G9
        PageStage.CHECK: {PageButton.GO_AUTHORISE: _Advance(PageStage.AUTHORISE, AttemptStatus.CONFIRMING), **_DECLINE},
        PageStage.AUTHORISE: {PageButton.AUTHORISE: _Decide(), **_DECLINE},
    },
    Method.QQ: {  # G10, G11
        PageStage.CHECK: {PageButton.CONFIRM: _Decide(without_card=PageStage.CARD_NEEDED), **_DECLINE},
        PageStage.CARD_NEEDED: {PageButton.BIND_CARD: _Advance(PageStage.CARD_BINDING), **_WITHOUT_CARD, **_DECLINE},
        PageStage.CARD_BINDING: {PageButton.CARD_DONE: _Advance(PageStage.CARD_BOUND), **_WITHOUT_CARD, **_DECLINE},
        PageStage.CARD_BOUND: {PageButton.CONFIRM: _Decide(), **_DECLINE},
    },
    Method.FACE: {  # G12
        PageStage.WELCOME: {PageButton.QUICK: _Advance(PageStage.AGREEMENT), **_DECLINE},
        PageStage.AGREEMENT: {
            PageButton.NEXT: _Advance(PageStage.RECOGNITION, AttemptStatus.CONFIRMING, if_ticked=True),
            **_DECLINE,
        },
        PageStage.RECOGNITION: {PageButton.RECOGNISE: _Decide(), **_DECLINE},
    },
    Method.NETID: {
        PageStage.CHECK: {PageButton.GO_AUTHORISE: _Advance(PageStage.AUTHORISE, AttemptStatus.CONFIRMING), **_DECLINE},
        PageStage.AUTHORISE: {PageButton.AUTHORISE: _Decide(), **_DECLINE},
    },
}
"""All stages of all methods, with their buttons in page order; the first stage is the start."""

_COMMON_CHOICES = (VerdictChoice.PASS, VerdictChoice.MISMATCH, VerdictChoice.DECLINED)
_CHOICES: Mapping[Method, tuple[VerdictChoice, ...]] = {
    Method.WECHAT: _COMMON_CHOICES,
    Method.QQ: (*_COMMON_CHOICES, VerdictChoice.NO_CARD),
    Method.FACE: (
        *_COMMON_CHOICES,
        VerdictChoice.FACE_COVERED,
        VerdictChoice.FACE_DIFFERS,
        VerdictChoice.FACE_OUT_OF_FRAME,
    ),  # G13
    Method.NETID: (VerdictChoice.PASS, VerdictChoice.DECLINED),
}

_STEPS: Mapping[Method, tuple[str, ...]] = {
    Method.WECHAT: ("scan", "check", "authorise", "done"),
    Method.QQ: ("scan", "confirm", "done"),
    Method.FACE: ("scan", "welcome", "agreement", "recognition", "done"),
    Method.NETID: ("scan", "check", "authorise", "done"),
}
_CARD_STEPS = ("scan", "card", "confirm", "done")
_CARD_STAGES = (PageStage.CARD_NEEDED, PageStage.CARD_BINDING, PageStage.CARD_BOUND)


def first_page(method: Method) -> SimulatedPage:
    """The page that a scanned code opens."""
    return SimulatedPage(next(iter(PAGE_TRANSITIONS[method])))


def read_page(method: Method, text: str) -> SimulatedPage:
    """Parse `SimulatedPage.text`; any other text gives the first page, where the person has agreed to nothing."""
    stage, _, choice = text.partition(" ")
    try:
        page = SimulatedPage(PageStage(stage), VerdictChoice(choice))
    except ValueError:
        return first_page(method)
    return page if page.stage in PAGE_TRANSITIONS[method] else first_page(method)


def offered_buttons(method: Method, stage: PageStage) -> tuple[PageButton, ...]:
    """The buttons of a stage, the one that leads forward first."""
    return tuple(PAGE_TRANSITIONS[method][stage])


def offered_choices(method: Method, stage: PageStage) -> tuple[VerdictChoice, ...]:
    """The verdicts that a person may choose at this stage; a bound card cannot be missing."""
    match stage:
        case PageStage.CARD_NEEDED | PageStage.CARD_BINDING:
            return ()
        case PageStage.CARD_BOUND:
            return tuple(choice for choice in _CHOICES[method] if choice is not VerdictChoice.NO_CARD)
        case _:
            return _CHOICES[method]


def progress_steps(method: Method, stage: PageStage) -> tuple[str, ...]:
    """The progress steps of a method at this stage (G16); binding a card replaces them by its own."""
    return _CARD_STEPS if stage in _CARD_STAGES else _STEPS[method]


def current_step(method: Method, stage: PageStage) -> str:
    """Which of the progress steps this stage belongs to."""
    match stage:
        case PageStage.CARD_NEEDED | PageStage.CARD_BINDING:
            return "card"
        case PageStage.CARD_BOUND:
            return "confirm"
        case PageStage.CHECK if method is Method.QQ:
            return "confirm"
        case _:
            return stage.value


def read_press(method: Method, page: SimulatedPage, form: Mapping[str, str]) -> ButtonPress | None:
    """Read a form; None when it is not from this stage, or not one of our forms."""
    try:
        stage, button = PageStage(form.get("stage", "")), PageButton(form.get("press", ""))
    except ValueError:
        return None
    if stage is not page.stage:
        return None
    offered = {choice.value: choice for choice in offered_choices(method, stage)}
    choice: VerdictChoice = offered.get(form.get("choice", ""), page.choice)
    return ButtonPress(button, choice, ticked="agree" in form)


def apply_press(method: Method, stage: PageStage, press: ButtonPress) -> Transition:
    """Return what a press leads to from this stage."""
    rule = PAGE_TRANSITIONS[method].get(stage, {}).get(press.button)
    match rule:
        case None:
            return NotAdvanced(FormError.WRONG_STAGE)
        case _Advance(if_ticked=True) if not press.ticked:
            return NotAdvanced(FormError.UNTICKED)
        case _Advance(to, status):
            return Advanced(_page_with_choice(method, to, press.choice), status)
        case _Decide(without_card=PageStage() as to) if press.choice is VerdictChoice.NO_CARD:
            return Advanced(_page_with_choice(method, to, press.choice), AttemptStatus.OPENED)
        case _Decide():
            return Decided(_verdict(method, stage, press.choice))
        case _:
            return Decided(Rejected(rule.reason))


def _page_with_choice(method: Method, stage: PageStage, choice: VerdictChoice) -> SimulatedPage:
    return SimulatedPage(stage, choice if choice in offered_choices(method, stage) else VerdictChoice.PASS)


def _verdict(method: Method, stage: PageStage, choice: VerdictChoice) -> Verdict:
    """The chosen verdict; a choice that this stage does not offer is forged, and never passes."""
    return choice.verdict if choice in offered_choices(method, stage) else Rejected(Reason.DECLINED)
