"""Simulated providers: the phone's side of the three ways, played out without checking anything.

Each way is a table of stages, their buttons and what follows. Whoever tries it out chooses how it ends. The functions
here are pure and never raise for what a person did: a press that does not fit comes back as `Stayed`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from verification.attempts import AttemptId, Method, Outcome, Passed, Reason, Rejected, Status
from verification.identity import Identity
from verification.ports import Session


class Stage(StrEnum):
    """What the phone shows."""

    CHECK = "check"
    AUTHORISE = "authorise"
    CARD_NEEDED = "card_needed"
    CARD_BINDING = "card_binding"
    CARD_BOUND = "card_bound"
    WELCOME = "welcome"
    AGREEMENT = "agreement"
    RECOGNITION = "recognition"


class Press(StrEnum):
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


class Choice(StrEnum):
    """How the person trying it out wants it to end."""

    PASS = "pass"  # noqa: S105 - the opposite of failing, not a password
    MISMATCH = "mismatch"
    DECLINED = "declined"
    NO_CARD = "no_card"
    FACE_COVERED = "face_covered"
    FACE_DIFFERS = "face_differs"
    FACE_OUT_OF_FRAME = "face_out_of_frame"

    @property
    def outcome(self) -> Outcome:
        """The verdict this choice stands for."""
        return Passed() if self is Choice.PASS else Rejected(Reason(self.value))


@dataclass(frozen=True, slots=True)
class Page:
    """Where the phone stands: what an attempt's `page` keeps."""

    stage: Stage
    choice: Choice = Choice.PASS

    @property
    def text(self) -> str:
        """The form in which an attempt keeps it."""
        return f"{self.stage} {self.choice}"


@dataclass(frozen=True, slots=True)
class Pressed:
    """What came from the phone: a button, and what was chosen and ticked above it."""

    press: Press
    choice: Choice = Choice.PASS
    ticked: bool = False


class Hitch(StrEnum):
    """Why a press led nowhere."""

    ELSEWHERE = "elsewhere"
    UNTICKED = "unticked"


@dataclass(frozen=True, slots=True)
class Moved:
    """The next page, and how far the attempt has come with it."""

    page: Page
    status: Status


@dataclass(frozen=True, slots=True)
class Judged:
    """The end of this way."""

    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Stayed:
    """Nothing happened, and why."""

    hitch: Hitch


Turn = Moved | Judged | Stayed


@dataclass(frozen=True, slots=True)
class _Go:
    to: Stage
    status: Status = Status.OPENED
    if_ticked: bool = False


@dataclass(frozen=True, slots=True)
class _Judge:
    """Give the chosen verdict; where a card can be bound first, its lack is not the end."""

    without_card: Stage | None = None


@dataclass(frozen=True, slots=True)
class _End:
    reason: Reason


_Rule = _Go | _Judge | _End

_DECLINE: Mapping[Press, _Rule] = {Press.DECLINE: _End(Reason.DECLINED)}
_WITHOUT_CARD: Mapping[Press, _Rule] = {Press.NO_CARD: _End(Reason.NO_CARD)}

TABLE: Mapping[Method, Mapping[Stage, Mapping[Press, _Rule]]] = {
    Method.WECHAT: {  # G9
        Stage.CHECK: {Press.GO_AUTHORISE: _Go(Stage.AUTHORISE, Status.CONFIRMING), **_DECLINE},
        Stage.AUTHORISE: {Press.AUTHORISE: _Judge(), **_DECLINE},
    },
    Method.QQ: {  # G10, G11
        Stage.CHECK: {Press.CONFIRM: _Judge(without_card=Stage.CARD_NEEDED), **_DECLINE},
        Stage.CARD_NEEDED: {Press.BIND_CARD: _Go(Stage.CARD_BINDING), **_WITHOUT_CARD, **_DECLINE},
        Stage.CARD_BINDING: {Press.CARD_DONE: _Go(Stage.CARD_BOUND), **_WITHOUT_CARD, **_DECLINE},
        Stage.CARD_BOUND: {Press.CONFIRM: _Judge(), **_DECLINE},
    },
    Method.FACE: {  # G12
        Stage.WELCOME: {Press.QUICK: _Go(Stage.AGREEMENT), **_DECLINE},
        Stage.AGREEMENT: {Press.NEXT: _Go(Stage.RECOGNITION, Status.CONFIRMING, if_ticked=True), **_DECLINE},
        Stage.RECOGNITION: {Press.RECOGNISE: _Judge(), **_DECLINE},
    },
}
"""Every stage of every way, each with its buttons in the order they stand on the page; the first stage comes first."""

_ENDS = (Choice.PASS, Choice.MISMATCH, Choice.DECLINED)
_CHOICES: Mapping[Method, tuple[Choice, ...]] = {
    Method.WECHAT: _ENDS,
    Method.QQ: (*_ENDS, Choice.NO_CARD),
    Method.FACE: (*_ENDS, Choice.FACE_COVERED, Choice.FACE_DIFFERS, Choice.FACE_OUT_OF_FRAME),  # G13
}


class Simulated:
    """A provider that asks nobody and proves nothing."""

    def __init__(self, method: Method) -> None:
        self._method = method

    @property
    def simulated(self) -> bool:
        """Always: what it says must never be taken for a verification."""
        return True

    async def open(self, attempt: AttemptId, identity: Identity) -> Session:
        """Begin at the first page; neither the attempt nor the identity matters to it."""
        del attempt, identity
        return Session(page=first_page(self._method).text)


def first_page(method: Method) -> Page:
    """The page a scanned code leads to."""
    return Page(next(iter(TABLE[method])))


def read_page(method: Method, text: str) -> Page:
    """Read back what `Page.text` gave; anything else is the first page, where nothing has been agreed to yet."""
    stage, _, choice = text.partition(" ")
    try:
        page = Page(Stage(stage), Choice(choice))
    except ValueError:
        return first_page(method)
    return page if page.stage in TABLE[method] else first_page(method)


def offered_presses(method: Method, stage: Stage) -> tuple[Press, ...]:
    """List the buttons of a stage, the one that leads on first."""
    return tuple(TABLE[method][stage])


def offered_choices(method: Method, stage: Stage) -> tuple[Choice, ...]:
    """List the ends a person may choose from here; a bound card cannot be missing."""
    match stage:
        case Stage.CARD_NEEDED | Stage.CARD_BINDING:
            return ()
        case Stage.CARD_BOUND:
            return tuple(choice for choice in _CHOICES[method] if choice is not Choice.NO_CARD)
        case _:
            return _CHOICES[method]


def advance(method: Method, stage: Stage, pressed: Pressed) -> Turn:
    """Say what a press leads to from this stage."""
    rule = TABLE[method].get(stage, {}).get(pressed.press)
    match rule:
        case None:
            return Stayed(Hitch.ELSEWHERE)
        case _Go(if_ticked=True) if not pressed.ticked:
            return Stayed(Hitch.UNTICKED)
        case _Go(to, status):
            return Moved(_carried(method, to, pressed.choice), status)
        case _Judge(without_card=Stage() as to) if pressed.choice is Choice.NO_CARD:
            return Moved(_carried(method, to, pressed.choice), Status.OPENED)
        case _Judge():
            return Judged(_end(method, stage, pressed.choice))
        case _:
            return Judged(Rejected(rule.reason))


def _carried(method: Method, stage: Stage, choice: Choice) -> Page:
    return Page(stage, choice if choice in offered_choices(method, stage) else Choice.PASS)


def _end(method: Method, stage: Stage, choice: Choice) -> Outcome:
    """The chosen verdict; one this stage does not offer was forged, and a forged one never passes."""
    return choice.outcome if choice in offered_choices(method, stage) else Rejected(Reason.DECLINED)
