"""The page stages of the simulated providers, each stage with each press."""

from itertools import product

import pytest

from tests.each_case import each_case
from verification import AttemptId, AttemptStatus, Identity, Method, Name, Number, Passed, Reason, Rejected
from verification.attempts import APP_OF_METHOD, TYPED_METHODS
from verification.providers.simulated.provider import SimulatedProvider
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
    first_page,
    offered_buttons,
    offered_choices,
    read_page,
)

GOOD_PATHS = {
    Method.WECHAT: [(PageStage.CHECK, PageButton.GO_AUTHORISE), (PageStage.AUTHORISE, PageButton.AUTHORISE)],
    Method.QQ: [(PageStage.CHECK, PageButton.CONFIRM)],
    Method.FACE: [
        (PageStage.WELCOME, PageButton.QUICK),
        (PageStage.AGREEMENT, PageButton.NEXT),
        (PageStage.RECOGNITION, PageButton.RECOGNISE),
    ],
    Method.NETID: [(PageStage.CHECK, PageButton.GO_AUTHORISE), (PageStage.AUTHORISE, PageButton.AUTHORISE)],
}
DECIDING = {
    (Method.WECHAT, PageStage.AUTHORISE, PageButton.AUTHORISE),
    (Method.QQ, PageStage.CHECK, PageButton.CONFIRM),
    (Method.QQ, PageStage.CARD_BOUND, PageButton.CONFIRM),
    (Method.FACE, PageStage.RECOGNITION, PageButton.RECOGNISE),
    (Method.NETID, PageStage.AUTHORISE, PageButton.AUTHORISE),
}


def walk(method: Method, choice: VerdictChoice) -> list[Transition]:
    """Every transition of the default path, with the same choice throughout."""
    return [apply_press(method, stage, ButtonPress(press, choice, ticked=True)) for stage, press in GOOD_PATHS[method]]


@each_case("method, stage", product(Method, PageStage))
def test_every_press_at_every_stage_gives_a_valid_transition(method: Method, stage: PageStage) -> None:
    for press, choice, ticked in product(PageButton, VerdictChoice, (True, False)):
        pressed = ButtonPress(press, choice, ticked)

        check_turn(method, stage, pressed, apply_press(method, stage, pressed))


def check_turn(method: Method, stage: PageStage, pressed: ButtonPress, turn: Transition) -> None:
    there = stage in PAGE_TRANSITIONS[method] and pressed.button in offered_buttons(method, stage)
    match turn:
        case Advanced(page, status):
            assert there
            assert page.stage in PAGE_TRANSITIONS[method]
            assert status in (AttemptStatus.OPENED, AttemptStatus.CONFIRMING)
            assert page.choice in (*offered_choices(method, page.stage), VerdictChoice.PASS)
        case Decided(Passed()):
            assert (method, stage, pressed.button) in DECIDING
            assert pressed.choice is VerdictChoice.PASS
        case Decided(Rejected()):
            assert there
        case NotAdvanced(FormError.UNTICKED):
            assert (stage, pressed.button, pressed.ticked) == (PageStage.AGREEMENT, PageButton.NEXT, False)
        case NotAdvanced(FormError.WRONG_STAGE):
            assert not there


@pytest.mark.parametrize("method", Method)
def test_each_method_passes_by_default(method: Method) -> None:
    *moves, last = walk(method, VerdictChoice.PASS)

    assert all(isinstance(turn, Advanced) for turn in moves)
    assert last == Decided(Passed())


@pytest.mark.parametrize("method", Method)
def test_each_press_leads_to_the_next_stage_of_the_method(method: Method) -> None:
    stages = [stage for stage, _ in GOOD_PATHS[method]]

    assert [turn.page.stage for turn in walk(method, VerdictChoice.PASS) if isinstance(turn, Advanced)] == stages[1:]


@pytest.mark.parametrize(
    ("method", "choice", "reason"),
    [
        *[(method, VerdictChoice.MISMATCH, Reason.MISMATCH) for method in TYPED_METHODS],
        *[(method, VerdictChoice.DECLINED, Reason.DECLINED) for method in Method],
        (Method.FACE, VerdictChoice.FACE_COVERED, Reason.FACE_COVERED),
        (Method.FACE, VerdictChoice.FACE_DIFFERS, Reason.FACE_DIFFERS),
        (Method.FACE, VerdictChoice.FACE_OUT_OF_FRAME, Reason.FACE_OUT_OF_FRAME),
    ],
)
def test_a_chosen_failure_is_the_verdict_of_the_last_press(
    method: Method, choice: VerdictChoice, reason: Reason
) -> None:
    assert walk(method, choice)[-1] == Decided(Rejected(reason))


@pytest.mark.parametrize(
    ("method", "stage"), [(method, stage) for method in Method for stage in PAGE_TRANSITIONS[method]]
)
def test_every_stage_can_be_declined(method: Method, stage: PageStage) -> None:
    assert apply_press(method, stage, ButtonPress(PageButton.DECLINE)) == Decided(Rejected(Reason.DECLINED))


def test_a_missing_card_leads_to_binding_one_and_back_to_passing() -> None:
    needed = apply_press(Method.QQ, PageStage.CHECK, ButtonPress(PageButton.CONFIRM, VerdictChoice.NO_CARD))
    binding = apply_press(Method.QQ, PageStage.CARD_NEEDED, ButtonPress(PageButton.BIND_CARD))
    bound = apply_press(Method.QQ, PageStage.CARD_BINDING, ButtonPress(PageButton.CARD_DONE))
    passed = apply_press(Method.QQ, PageStage.CARD_BOUND, ButtonPress(PageButton.CONFIRM))

    assert needed == Advanced(SimulatedPage(PageStage.CARD_NEEDED), AttemptStatus.OPENED)
    assert binding == Advanced(SimulatedPage(PageStage.CARD_BINDING), AttemptStatus.OPENED)
    assert bound == Advanced(SimulatedPage(PageStage.CARD_BOUND), AttemptStatus.OPENED)
    assert passed == Decided(Passed())


@pytest.mark.parametrize("stage", [PageStage.CARD_NEEDED, PageStage.CARD_BINDING])
def test_leaving_without_a_card_ends_for_that_reason(stage: PageStage) -> None:
    assert apply_press(Method.QQ, stage, ButtonPress(PageButton.NO_CARD)) == Decided(Rejected(Reason.NO_CARD))


def test_the_agreement_must_be_ticked_before_going_on() -> None:
    assert apply_press(Method.FACE, PageStage.AGREEMENT, ButtonPress(PageButton.NEXT)) == NotAdvanced(
        FormError.UNTICKED
    )


def test_declining_needs_no_tick() -> None:
    assert apply_press(Method.FACE, PageStage.AGREEMENT, ButtonPress(PageButton.DECLINE)) == Decided(
        Rejected(Reason.DECLINED)
    )


def test_the_status_becomes_confirming_at_the_authorisation_and_after_the_agreement() -> None:
    authorising = apply_press(Method.WECHAT, PageStage.CHECK, ButtonPress(PageButton.GO_AUTHORISE))
    agreeing = apply_press(Method.FACE, PageStage.AGREEMENT, ButtonPress(PageButton.NEXT, ticked=True))

    assert isinstance(authorising, Advanced)
    assert isinstance(agreeing, Advanced)
    assert authorising.status is agreeing.status is AttemptStatus.CONFIRMING


def test_a_choice_is_carried_to_the_next_stage() -> None:
    turn = apply_press(Method.WECHAT, PageStage.CHECK, ButtonPress(PageButton.GO_AUTHORISE, VerdictChoice.MISMATCH))

    assert isinstance(turn, Advanced)
    assert turn.page.choice is VerdictChoice.MISMATCH


def test_the_four_reasons_of_a_failed_face_recognition_can_be_chosen() -> None:
    offered = offered_choices(Method.FACE, PageStage.RECOGNITION)

    assert {
        VerdictChoice.FACE_COVERED,
        VerdictChoice.FACE_DIFFERS,
        VerdictChoice.MISMATCH,
        VerdictChoice.FACE_OUT_OF_FRAME,
    } <= set(offered)


def test_once_bound_a_card_cannot_be_missing() -> None:
    assert VerdictChoice.NO_CARD in offered_choices(Method.QQ, PageStage.CHECK)
    assert VerdictChoice.NO_CARD not in offered_choices(Method.QQ, PageStage.CARD_BOUND)


@pytest.mark.parametrize(("method", "choice"), list(product(Method, VerdictChoice)))
def test_a_page_is_parsed_from_its_stored_form(method: Method, choice: VerdictChoice) -> None:
    for stage in PAGE_TRANSITIONS[method]:
        assert read_page(method, SimulatedPage(stage, choice).text) == SimulatedPage(stage, choice)


@pytest.mark.parametrize("text", ["", "check", "nonsense", "recognition nonsense", "\0 \0", "welcome  pass"])
def test_an_unknown_page_is_the_first_one(text: str) -> None:
    assert read_page(Method.WECHAT, text) == first_page(Method.WECHAT)


def test_a_page_of_another_method_is_the_first_one() -> None:
    assert read_page(Method.QQ, SimulatedPage(PageStage.RECOGNITION).text) == SimulatedPage(PageStage.CHECK)


@pytest.mark.parametrize("method", Method)
async def test_a_simulated_provider_opens_at_the_first_page_and_says_that_it_is_one(method: Method) -> None:
    provider = SimulatedProvider(method)

    identity = Identity(Name("王小明"), Number("11010519491231002X"))
    session = await provider.open(AttemptId("a1"), identity, "https://bot.example.org/v/token/back")

    assert provider.app is APP_OF_METHOD[method]
    assert read_page(method, session.provider_state) == first_page(method)
    assert provider.simulated
