"""The stage machines of the simulated providers, every stage with every press."""

from itertools import product

import pytest

from verification import AttemptId, Identity, Method, Name, Number, Passed, Reason, Rejected, Status
from verification.providers.simulated import (
    TABLE,
    Choice,
    Hitch,
    Judged,
    Moved,
    Page,
    Press,
    Pressed,
    Simulated,
    Stage,
    Stayed,
    Turn,
    advance,
    first_page,
    offered_choices,
    offered_presses,
    read_page,
)

GOOD_PATHS = {
    Method.WECHAT: [(Stage.CHECK, Press.GO_AUTHORISE), (Stage.AUTHORISE, Press.AUTHORISE)],
    Method.QQ: [(Stage.CHECK, Press.CONFIRM)],
    Method.FACE: [
        (Stage.WELCOME, Press.QUICK),
        (Stage.AGREEMENT, Press.NEXT),
        (Stage.RECOGNITION, Press.RECOGNISE),
    ],
}
DECIDING = {
    (Method.WECHAT, Stage.AUTHORISE, Press.AUTHORISE),
    (Method.QQ, Stage.CHECK, Press.CONFIRM),
    (Method.QQ, Stage.CARD_BOUND, Press.CONFIRM),
    (Method.FACE, Stage.RECOGNITION, Press.RECOGNISE),
}


def walk(method: Method, choice: Choice) -> list[Turn]:
    """Every turn of the straight way, with the same choice all along."""
    return [advance(method, stage, Pressed(press, choice, ticked=True)) for stage, press in GOOD_PATHS[method]]


@pytest.mark.parametrize(("method", "stage"), list(product(Method, Stage)))
def test_no_press_on_any_stage_leads_astray(method: Method, stage: Stage) -> None:
    for press, choice, ticked in product(Press, Choice, (True, False)):
        pressed = Pressed(press, choice, ticked)

        check_turn(method, stage, pressed, advance(method, stage, pressed))


def check_turn(method: Method, stage: Stage, pressed: Pressed, turn: Turn) -> None:
    there = stage in TABLE[method] and pressed.press in offered_presses(method, stage)
    match turn:
        case Moved(page, status):
            assert there
            assert page.stage in TABLE[method]
            assert status in (Status.OPENED, Status.CONFIRMING)
            assert page.choice in (*offered_choices(method, page.stage), Choice.PASS)
        case Judged(Passed()):
            assert (method, stage, pressed.press) in DECIDING
            assert pressed.choice is Choice.PASS
        case Judged(Rejected()):
            assert there
        case Stayed(Hitch.UNTICKED):
            assert (stage, pressed.press, pressed.ticked) == (Stage.AGREEMENT, Press.NEXT, False)
        case Stayed(Hitch.ELSEWHERE):
            assert not there


@pytest.mark.parametrize("method", Method)
def test_each_way_passes_when_nothing_else_is_chosen(method: Method) -> None:
    *moves, last = walk(method, Choice.PASS)

    assert all(isinstance(turn, Moved) for turn in moves)
    assert last == Judged(Passed())


@pytest.mark.parametrize("method", Method)
def test_each_move_leads_to_the_next_stage_of_the_way(method: Method) -> None:
    stages = [stage for stage, _ in GOOD_PATHS[method]]

    assert [turn.page.stage for turn in walk(method, Choice.PASS) if isinstance(turn, Moved)] == stages[1:]


@pytest.mark.parametrize(
    ("method", "choice", "reason"),
    [
        *[(method, Choice.MISMATCH, Reason.MISMATCH) for method in Method],
        *[(method, Choice.DECLINED, Reason.DECLINED) for method in Method],
        (Method.FACE, Choice.FACE_COVERED, Reason.FACE_COVERED),
        (Method.FACE, Choice.FACE_DIFFERS, Reason.FACE_DIFFERS),
        (Method.FACE, Choice.FACE_OUT_OF_FRAME, Reason.FACE_OUT_OF_FRAME),
    ],
)
def test_a_chosen_failure_is_the_verdict_of_the_last_press(method: Method, choice: Choice, reason: Reason) -> None:
    assert walk(method, choice)[-1] == Judged(Rejected(reason))


@pytest.mark.parametrize(("method", "stage"), [(method, stage) for method in Method for stage in TABLE[method]])
def test_every_stage_can_be_declined(method: Method, stage: Stage) -> None:
    assert advance(method, stage, Pressed(Press.DECLINE)) == Judged(Rejected(Reason.DECLINED))


def test_a_missing_card_leads_to_binding_one_and_back_to_passing() -> None:
    needed = advance(Method.QQ, Stage.CHECK, Pressed(Press.CONFIRM, Choice.NO_CARD))
    binding = advance(Method.QQ, Stage.CARD_NEEDED, Pressed(Press.BIND_CARD))
    bound = advance(Method.QQ, Stage.CARD_BINDING, Pressed(Press.CARD_DONE))
    passed = advance(Method.QQ, Stage.CARD_BOUND, Pressed(Press.CONFIRM))

    assert needed == Moved(Page(Stage.CARD_NEEDED), Status.OPENED)
    assert binding == Moved(Page(Stage.CARD_BINDING), Status.OPENED)
    assert bound == Moved(Page(Stage.CARD_BOUND), Status.OPENED)
    assert passed == Judged(Passed())


@pytest.mark.parametrize("stage", [Stage.CARD_NEEDED, Stage.CARD_BINDING])
def test_leaving_without_a_card_ends_for_that_reason(stage: Stage) -> None:
    assert advance(Method.QQ, stage, Pressed(Press.NO_CARD)) == Judged(Rejected(Reason.NO_CARD))


def test_the_agreement_must_be_ticked_before_going_on() -> None:
    assert advance(Method.FACE, Stage.AGREEMENT, Pressed(Press.NEXT)) == Stayed(Hitch.UNTICKED)


def test_declining_needs_no_tick() -> None:
    assert advance(Method.FACE, Stage.AGREEMENT, Pressed(Press.DECLINE)) == Judged(Rejected(Reason.DECLINED))


def test_confirming_begins_with_the_authorisation_and_with_the_agreement() -> None:
    authorising = advance(Method.WECHAT, Stage.CHECK, Pressed(Press.GO_AUTHORISE))
    agreeing = advance(Method.FACE, Stage.AGREEMENT, Pressed(Press.NEXT, ticked=True))

    assert isinstance(authorising, Moved)
    assert isinstance(agreeing, Moved)
    assert authorising.status is agreeing.status is Status.CONFIRMING


def test_a_choice_is_carried_to_the_next_stage() -> None:
    turn = advance(Method.WECHAT, Stage.CHECK, Pressed(Press.GO_AUTHORISE, Choice.MISMATCH))

    assert isinstance(turn, Moved)
    assert turn.page.choice is Choice.MISMATCH


def test_the_four_reasons_of_a_failed_face_recognition_can_be_chosen() -> None:
    offered = offered_choices(Method.FACE, Stage.RECOGNITION)

    assert {Choice.FACE_COVERED, Choice.FACE_DIFFERS, Choice.MISMATCH, Choice.FACE_OUT_OF_FRAME} <= set(offered)


def test_once_bound_a_card_cannot_be_missing() -> None:
    assert Choice.NO_CARD in offered_choices(Method.QQ, Stage.CHECK)
    assert Choice.NO_CARD not in offered_choices(Method.QQ, Stage.CARD_BOUND)


@pytest.mark.parametrize(("method", "choice"), list(product(Method, Choice)))
def test_a_page_is_read_back_as_it_was_kept(method: Method, choice: Choice) -> None:
    for stage in TABLE[method]:
        assert read_page(method, Page(stage, choice).text) == Page(stage, choice)


@pytest.mark.parametrize("text", ["", "check", "nonsense", "recognition nonsense", "\0 \0", "welcome  pass"])
def test_an_unknown_page_is_the_first_one(text: str) -> None:
    assert read_page(Method.WECHAT, text) == first_page(Method.WECHAT)


def test_a_page_of_another_way_is_the_first_one() -> None:
    assert read_page(Method.QQ, Page(Stage.RECOGNITION).text) == Page(Stage.CHECK)


@pytest.mark.parametrize("method", Method)
async def test_a_simulated_provider_opens_at_the_first_page_and_says_that_it_is_one(method: Method) -> None:
    provider = Simulated(method)

    session = await provider.open(AttemptId("a1"), Identity(Name("王小明"), Number("11010519491231002X")))

    assert read_page(method, session.page) == first_page(method)
    assert provider.simulated
