"""Simulated providers: the phone's side of the three ways, played out without checking anything.

Each way is a table of stages, their buttons and what follows. Whoever tries it out chooses how it ends. The functions
here are pure and never raise for what a person did: a press that does not fit comes back as `Stayed`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from verification.attempts import AttemptId, AttemptStatus, Method, Passed, Reason, Rejected, Verdict
from verification.identity import Identity
from verification.ports import ProviderSession


class PageStage(StrEnum):
    """What the phone shows."""

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
    """How the person trying it out wants it to end."""

    PASS = "pass"  # noqa: S105 - the opposite of failing, not a password
    MISMATCH = "mismatch"
    DECLINED = "declined"
    NO_CARD = "no_card"
    FACE_COVERED = "face_covered"
    FACE_DIFFERS = "face_differs"
    FACE_OUT_OF_FRAME = "face_out_of_frame"

    @property
    def verdict(self) -> Verdict:
        """The verdict this choice stands for."""
        return Passed() if self is VerdictChoice.PASS else Rejected(Reason(self.value))


@dataclass(frozen=True, slots=True)
class SimulatedPage:
    """Where the phone stands: what an attempt's `page` keeps."""

    stage: PageStage
    choice: VerdictChoice = VerdictChoice.PASS

    @property
    def text(self) -> str:
        """The form in which an attempt keeps it."""
        return f"{self.stage} {self.choice}"


@dataclass(frozen=True, slots=True)
class ButtonPress:
    """What came from the phone: a button, and what was chosen and ticked above it."""

    button: PageButton
    choice: VerdictChoice = VerdictChoice.PASS
    ticked: bool = False


class FormError(StrEnum):
    """Why a press led nowhere."""

    WRONG_STAGE = "elsewhere"
    UNTICKED = "unticked"


@dataclass(frozen=True, slots=True)
class Advanced:
    """The next page, and how far the attempt has come with it."""

    page: SimulatedPage
    status: AttemptStatus


@dataclass(frozen=True, slots=True)
class Decided:
    """The end of this way."""

    verdict: Verdict


@dataclass(frozen=True, slots=True)
class NotAdvanced:
    """Nothing happened, and why."""

    error: FormError


Transition = Advanced | Decided | NotAdvanced


@dataclass(frozen=True, slots=True)
class _Advance:
    to: PageStage
    status: AttemptStatus = AttemptStatus.OPENED
    if_ticked: bool = False


@dataclass(frozen=True, slots=True)
class _Decide:
    """Give the chosen verdict; where a card can be bound first, its lack is not the end."""

    without_card: PageStage | None = None


@dataclass(frozen=True, slots=True)
class _Reject:
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
}
"""Every stage of every way, each with its buttons in the order they stand on the page; the first stage comes first."""

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
}


class SimulatedProvider:
    """A provider that asks nobody and proves nothing."""

    def __init__(self, method: Method) -> None:
        self._method = method

    @property
    def simulated(self) -> bool:
        """Always: what it says must never be taken for a verification."""
        return True

    async def open(self, attempt: AttemptId, identity: Identity) -> ProviderSession:
        """Begin at the first page; neither the attempt nor the identity matters to it."""
        del attempt, identity
        return ProviderSession(provider_state=first_page(self._method).text)


def first_page(method: Method) -> SimulatedPage:
    """The page a scanned code leads to."""
    return SimulatedPage(next(iter(PAGE_TRANSITIONS[method])))


def read_page(method: Method, text: str) -> SimulatedPage:
    """Read back what `Page.text` gave; anything else is the first page, where nothing has been agreed to yet."""
    stage, _, choice = text.partition(" ")
    try:
        page = SimulatedPage(PageStage(stage), VerdictChoice(choice))
    except ValueError:
        return first_page(method)
    return page if page.stage in PAGE_TRANSITIONS[method] else first_page(method)


def offered_buttons(method: Method, stage: PageStage) -> tuple[PageButton, ...]:
    """List the buttons of a stage, the one that leads on first."""
    return tuple(PAGE_TRANSITIONS[method][stage])


def offered_choices(method: Method, stage: PageStage) -> tuple[VerdictChoice, ...]:
    """List the ends a person may choose from here; a bound card cannot be missing."""
    match stage:
        case PageStage.CARD_NEEDED | PageStage.CARD_BINDING:
            return ()
        case PageStage.CARD_BOUND:
            return tuple(choice for choice in _CHOICES[method] if choice is not VerdictChoice.NO_CARD)
        case _:
            return _CHOICES[method]


def apply_press(method: Method, stage: PageStage, pressed: ButtonPress) -> Transition:
    """Say what a press leads to from this stage."""
    rule = PAGE_TRANSITIONS[method].get(stage, {}).get(pressed.button)
    match rule:
        case None:
            return NotAdvanced(FormError.WRONG_STAGE)
        case _Advance(if_ticked=True) if not pressed.ticked:
            return NotAdvanced(FormError.UNTICKED)
        case _Advance(to, status):
            return Advanced(_page_with_choice(method, to, pressed.choice), status)
        case _Decide(without_card=PageStage() as to) if pressed.choice is VerdictChoice.NO_CARD:
            return Advanced(_page_with_choice(method, to, pressed.choice), AttemptStatus.OPENED)
        case _Decide():
            return Decided(_verdict(method, stage, pressed.choice))
        case _:
            return Decided(Rejected(rule.reason))


def _page_with_choice(method: Method, stage: PageStage, choice: VerdictChoice) -> SimulatedPage:
    return SimulatedPage(stage, choice if choice in offered_choices(method, stage) else VerdictChoice.PASS)


def _verdict(method: Method, stage: PageStage, choice: VerdictChoice) -> Verdict:
    """The chosen verdict; one this stage does not offer was forged, and a forged one never passes."""
    return choice.verdict if choice in offered_choices(method, stage) else Rejected(Reason.DECLINED)
