"""The pages of the simulated providers, written down once more: every stage, button and choice of every method."""

from itertools import product

import pytest

from verification.attempts import AttemptStatus, Method, Passed, Reason, Rejected, Verdict
from verification.providers.simulated.stages import (
    PAGE_TRANSITIONS,
    Advanced,
    ButtonPress,
    Decided,
    FormError,
    NotAdvanced,
    PageButton,
    PageStage,
    SimulatedPage,
    Transition,
    VerdictChoice,
    apply_press,
    offered_choices,
)

# Method and stage: each button with the stage it leads to, `!` for the verdict, `-reason` for a rejection;
# `confirming` and `ticked` are said where they hold.
PAGES = {
    "wechat check": "go_authorise>authorise:confirming decline-declined",
    "wechat authorise": "authorise! decline-declined",
    "qq check": "confirm!card_needed decline-declined",
    "qq card_needed": "bind_card>card_binding no_card-no_card decline-declined",
    "qq card_binding": "card_done>card_bound no_card-no_card decline-declined",
    "qq card_bound": "confirm! decline-declined",
    "face welcome": "quick>agreement decline-declined",
    "face agreement": "next>recognition:confirming:ticked decline-declined",
    "face recognition": "recognise! decline-declined",
    "netid check": "go_authorise>authorise:confirming decline-declined",
    "netid authorise": "authorise! decline-declined",
}
CHOICES = {
    Method.WECHAT: "pass mismatch declined",
    Method.QQ: "pass mismatch declined no_card",
    Method.FACE: "pass mismatch declined face_covered face_differs face_out_of_frame",
    Method.NETID: "pass declined",
}
WITHOUT_CHOICES = ("card_needed", "card_binding")
PAGES_OF = [(method, stage) for method in Method for stage in PAGE_TRANSITIONS[method]]


def choices(method: Method, stage: PageStage) -> list[str]:
    if stage in WITHOUT_CHOICES:
        return []
    return [word for word in CHOICES[method].split() if (stage, word) != ("card_bound", "no_card")]


def verdict(method: Method, stage: PageStage, choice: VerdictChoice) -> Verdict:
    if choice not in choices(method, stage):
        # Forged: never a pass.
        return Rejected(Reason.DECLINED)
    return Passed() if choice is VerdictChoice.PASS else Rejected(Reason(choice.value))


def expected(method: Method, stage: PageStage, press: ButtonPress) -> Transition:
    written = {
        cell.split(sign)[0]: cell for cell in PAGES[f"{method} {stage}"].split() for sign in ">!-" if sign in cell
    }
    cell = written.get(press.button)
    if cell is None:
        return NotAdvanced(FormError.WRONG_STAGE)
    if "-" in cell:
        return Decided(Rejected(Reason(cell.split("-")[1])))
    if cell.endswith("ticked") and not press.ticked:
        return NotAdvanced(FormError.UNTICKED)
    if "!" in cell and (press.choice is not VerdictChoice.NO_CARD or cell.endswith("!")):
        return Decided(verdict(method, stage, press.choice))
    to = PageStage(cell.replace("!", ">").split(">")[1].split(":")[0])
    status = AttemptStatus.CONFIRMING if ":confirming" in cell else AttemptStatus.OPENED
    kept = press.choice if press.choice in choices(method, to) else VerdictChoice.PASS
    return Advanced(SimulatedPage(to, kept), status)


def test_the_stages_are_those_of_the_table() -> None:
    assert [f"{method} {stage}" for method, stage in PAGES_OF] == list(PAGES)


@pytest.mark.parametrize(("method", "stage"), PAGES_OF)
def test_every_press_at_every_stage_leads_where_the_table_says(method: Method, stage: PageStage) -> None:
    assert [choice.value for choice in offered_choices(method, stage)] == choices(method, stage)
    for button, choice, ticked in product(PageButton, VerdictChoice, (False, True)):
        press = ButtonPress(button, choice, ticked)

        assert apply_press(method, stage, press) == expected(method, stage, press), press
