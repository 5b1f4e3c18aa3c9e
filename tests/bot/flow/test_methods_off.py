"""Methods that are switched off: over all seven combinations, questions, texts and the FAQ name only what is on."""

from collections.abc import Iterator
from itertools import combinations

import pytest
from msgspec.structs import replace

from bot.content.catalogue import LANGUAGES, Catalogue, load
from bot.content.telegram_html import TAGS, find_error
from bot.flow import effects as e
from bot.flow import states
from bot.flow.events import (
    AttemptRefusal,
    AttemptRefused,
    Choice,
    CodeExpired,
    CodeExpiring,
    Commanded,
    Event,
    MethodSuggested,
    ReaskRequested,
    Said,
    SideTapped,
    Tapped,
)
from bot.flow.events import Command as Word
from bot.flow.machine import advance, choices, offered_choices
from bot.flow.prompts import prompt
from bot.flow.rows import RuleContext
from bot.flow.states import State
from tests.bot.flow.effect_texts import choices_in, texts_in
from tests.bot.flow.samples import ATTEMPT, CONTEXT, FEW_EVENTS, QUESTION_ID, STATES, opening, quick_tries, scanning
from tests.fakes import make_identity
from verification.attempts import TYPED_METHODS, Method

COMBINATIONS = [on for size in (1, 2, 3) for on in combinations(TYPED_METHODS, size)]
QUICK_COMBINATIONS = [(Method.QQ,), (Method.WECHAT, Method.FACE)]
NAMES = {
    Method.WECHAT: ("微信", "WeChat"),
    Method.QQ: ("QQ",),
    Method.FACE: ("人脸", "刷脸", "ace recogn", "your face"),
    Method.NETID: ("网号", "network identity"),
}
ABOUT_THE_CONSOLE = {"console_path", "overseas", "enterprise", "how_many", "register", "limit_reached", "notice"} | {
    *("takes_how_long", "incomplete_papers"),
}
"""Topics that tell what the console asks for, or how many accounts an app may have: true whatever is on here."""
with_each_combination = pytest.mark.parametrize("on", COMBINATIONS, ids="+".join)


def context_with(on: tuple[Method, ...], suggested: Method | None = None) -> RuleContext:
    return replace(CONTEXT, methods=on, suggested_method=suggested)


def names_of_methods_off(text: str, on: tuple[Method, ...]) -> list[str]:
    return [name for method in Method if method not in on for name in NAMES[method] if name in text]


def states_with(on: tuple[Method, ...]) -> Iterator[State]:
    """Every sample whose method is on; what a state with another method says is about its past."""
    for state in STATES:
        if not isinstance(state, states.Attempting | states.Verified) or state.method in on:
            yield state


def counts(event: Event) -> bool:
    """Whether an event may lead to another question: a side message and an earlier question's button never do."""
    return not isinstance(event, SideTapped) and not (isinstance(event, Tapped) and event.question_id != QUESTION_ID)


def steps(on: tuple[Method, ...], *, is_quick: bool) -> Iterator[tuple[State, Event, State, e.Effect]]:
    # One state of each kind and method: buttons depend on nothing else.
    each = {(type(state), getattr(state, "method", None)): state for state in states_with(on)}
    context = context_with(on, Method.QQ)
    tries = ((state, FEW_EVENTS) for state in each.values()) if is_quick else quick_tries(each.values())
    for state, events in tries:
        for event in filter(counts, events):
            step = advance(state, event, context)
            yield from ((state, event, step.state, effect) for effect in step.effects)


def answer(catalogue: Catalogue, language: str, topic: str) -> str:
    entry = catalogue.entry(language, topic)
    assert entry is not None
    return entry.answer


def buttons_of_methods_off(effect: e.Effect, state: State, on: tuple[Method, ...]) -> list[Choice]:
    offered = choices_in(effect) if isinstance(effect, e.AskQuestion | e.ShowCode | e.EditCaption) else ()
    own = state.method if isinstance(state, states.Attempting) else None
    wrong = [Choice(method.value) for method in Method if method not in on]
    if set(on) <= ({Method.FACE} if isinstance(state, states.AgreeingFace) else {own}):
        wrong.append(Choice.OTHER_METHOD)
    return [choice for choice in offered if choice in wrong]


@pytest.mark.parametrize(
    ("on", "is_quick"),
    [
        *((on, True) for on in QUICK_COMBINATIONS),
        *(pytest.param(on, False, marks=pytest.mark.slow("products")) for on in COMBINATIONS),
    ],
    ids=lambda value: "quick" if value is True else "all" if value is False else "+".join(value),
)
def test_no_button_leads_to_a_method_that_is_off(on: tuple[Method, ...], *, is_quick: bool) -> None:
    wrong = {
        (type(before).__name__, str(event), choice)
        for before, event, after, effect in steps(on, is_quick=is_quick)
        for choice in buttons_of_methods_off(effect, after, on)
    }

    assert wrong == set()


@with_each_combination
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_texts_of_every_state_name_only_what_is_on(on: tuple[Method, ...], language: str) -> None:
    catalogue = load(days=30, methods=on)
    asked = {replace_question(state) for state in states_with(on)}
    wrong = {
        (type(state).__name__, key, name)
        for state in asked
        for effect in advance(state, Commanded(Word.START), context_with(on)).effects
        for key, values in texts_in(effect)
        for name in names_of_methods_off(own_names_removed(catalogue, language, key, values, state), on)
    }

    assert wrong == set()


def choosing_method() -> states.Confirming:
    return next(
        state
        for state in STATES
        if isinstance(state, states.Confirming) and state.is_checked and state.suggested is None
    )


def replace_question(state: State) -> State:
    """A state in which the suggestion of a link does not hide the question."""
    return replace(state, suggested=None) if isinstance(state, states.Confirming) else state


def own_names_removed(catalogue: Catalogue, language: str, key: str, values: e.Values, state: State) -> str:
    """The text; the app that the state's own method is done with may be named, and what the console does, too."""
    text = catalogue.text(language, key, values)
    if isinstance(state, states.ReadingOverseas | states.Scanning):
        return text.replace("微信", "").replace("WeChat", "")
    return text


@with_each_combination
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_faq_and_the_profile_name_only_what_is_on(on: tuple[Method, ...], language: str) -> None:
    catalogue = load(days=30, methods=on)
    answers = {
        entry.id: " ".join((entry.title, *(label for label, _ in entry.links), answer(catalogue, language, entry.id)))
        for entry in catalogue.faq[language]
        if entry.id not in ABOUT_THE_CONSOLE
    }
    texts = answers | {
        key: catalogue.text(language, key, {"name": "", "number": ""})
        for key in ("about.short", "about.description", "misc.help", "confirm.ask_again", "face_consent.ask_again")
        if key != "face_consent.ask_again" or Method.FACE in on
    }

    assert {key: found for key, text in texts.items() if (found := names_of_methods_off(text, on))} == {}
    assert len(answers) > 15


@with_each_combination
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_with_conditions_is_well_formed_in_each_combination(on: tuple[Method, ...], language: str) -> None:
    catalogue = load(days=30, methods=on)
    written = {key: text for key, text in catalogue.texts[language].items() if "{if_" in text}
    shown = {
        key: text.format_map({**dict.fromkeys(PLACEHOLDERS, "x"), **catalogue.constants[language]})
        for key, text in written.items()
    }
    answers = {entry.id: answer(catalogue, language, entry.id) for entry in catalogue.faq[language]}

    assert {key: find_error(text, TAGS) for key, text in (shown | answers).items() if find_error(text, TAGS)} == {}
    assert [key for key, text in (shown | answers).items() if "\n\n\n" in text or "  " in text] == []


PLACEHOLDERS = [
    "account",
    "method",
    "until",
    "left",
    "steps",
    "code",
    "mark",
    "ticket",
    "reason",
    "days",
    "name",
    "number",
]


# What was offered before


@pytest.mark.parametrize("method", TYPED_METHODS)
@pytest.mark.parametrize("typed", [False, True])
def test_an_old_button_or_word_of_a_method_that_is_off_is_answered_with_those_that_are_on(
    method: Method, typed: bool
) -> None:
    on = tuple(other for other in TYPED_METHODS if other is not method)
    choosing = choosing_method()
    event: Event = (
        Said({"wechat": "微信扫码", "qq": "QQ 扫码", "face": "人脸识别"}[method])
        if typed
        else Tapped(choice=method.value, question_id=QUESTION_ID)
    )

    step = advance(choosing, event, context_with(on))
    (question,) = step.effects

    assert isinstance(step.state, states.Confirming)
    assert isinstance(question, e.AskQuestion)
    assert question.note == "method.off"
    assert [Method(choice.value) for choice in choices_in(question) if choice.value in set(Method)] == list(on)


@with_each_combination
def test_a_typed_number_means_the_button_at_that_place(on: tuple[Method, ...]) -> None:
    choosing = choosing_method()
    question = advance(choosing, Commanded(Word.START), context_with(on)).effects[0]

    assert choices_in(question) == offered_choices(choosing, on)
    for number, method in enumerate(on, 1):
        after = advance(choosing, Said(str(number)), context_with(on)).state
        assert isinstance(after, states.AgreeingFace) if method is Method.FACE else after.method is method  # type: ignore[union-attr]


@pytest.mark.parametrize("method", TYPED_METHODS)
def test_an_attempt_whose_method_is_off_ends_with_a_true_word_and_leads_to_the_others(method: Method) -> None:
    on = tuple(other for other in TYPED_METHODS if other is not method)

    step = advance(scanning(method), CodeExpired(ATTEMPT), context_with(on))

    question, cancel = step.effects
    assert isinstance(question, e.AskQuestion)
    assert question.closed_code is not None
    assert question.closed_code.text == "stamp.withdrawn"
    assert (question.text, question.note) == ("confirm.ask", "method.off")
    assert cancel == e.CancelAttempt(ATTEMPT)
    assert isinstance(step.state, states.Confirming)


@pytest.mark.parametrize("method", TYPED_METHODS)
def test_a_code_of_a_method_that_is_off_is_not_renewed(method: Method) -> None:
    on = tuple(other for other in TYPED_METHODS if other is not method)
    shown = scanning(method, touched=True)

    assert advance(shown, CodeExpiring(ATTEMPT), context_with(on)).effects == ()
    pressed = advance(shown, Tapped(choice=Choice.NEW_CODE, question_id=QUESTION_ID), context_with(on))
    assert isinstance(pressed.state, states.Confirming)
    assert e.CancelAttempt(ATTEMPT) in pressed.effects


@pytest.mark.parametrize("method", TYPED_METHODS)
def test_a_refusal_because_the_method_is_off_leads_to_the_others(method: Method) -> None:
    on = tuple(other for other in TYPED_METHODS if other is not method)

    step = advance(opening(method), AttemptRefused(ATTEMPT, AttemptRefusal.METHOD_OFF), context_with(on))

    assert isinstance(step.state, states.Confirming)
    assert isinstance(step.effects[0], e.AskQuestion)
    assert step.effects[0].note == "method.off"


@pytest.mark.parametrize("method", TYPED_METHODS)
def test_a_link_that_suggests_a_method_that_is_off_says_so_and_nothing_is_remembered(method: Method) -> None:
    on = tuple(other for other in TYPED_METHODS if other is not method)
    for state in states_with(on):
        step = advance(state, MethodSuggested(method), context_with(on))

        assert not any(isinstance(effect, e.SetSuggestedMethod) for effect in step.effects)
        assert (
            not isinstance(step.state, states.Attempting) or step.state == state or isinstance(state, states.Scanning)
        )


def test_the_consent_to_face_recognition_that_is_off_becomes_the_choice_of_a_method() -> None:
    (agreeing,) = [state for state in STATES if isinstance(state, states.AgreeingFace)]
    on = (Method.WECHAT, Method.QQ)

    for event in (Said("你好"), Commanded(Word.START), Tapped(choice=Choice.AGREE, question_id=QUESTION_ID)):
        step = advance(agreeing, event, context_with(on))

        assert isinstance(step.state, states.Confirming)
        assert any(
            isinstance(effect, e.AskQuestion) and effect.text.startswith("confirm.ask") for effect in step.effects
        )


def test_with_all_methods_on_nothing_is_left_out() -> None:
    for state in STATES:
        assert offered_choices(state, tuple(Method)) == offered_choices(state)
        without_data = isinstance(state, states.Attempting) and state.identity is None
        assert {*choices(type(state))} - {*offered_choices(state)} <= ({Choice.CHANGE_DATA} if without_data else set())
        step = advance(state, Commanded(Word.START), CONTEXT)
        if step.state == state and isinstance(prompt(state), e.AskQuestion):
            assert choices_in(step.effects[-1]) == choices_in(prompt(state))


def test_the_button_of_a_method_that_rests_says_so_and_stays() -> None:
    choosing = states.Confirming(account=opening().account, question_id=QUESTION_ID, identity=make_identity())
    [question] = advance(choosing, ReaskRequested(), replace(CONTEXT, resting=frozenset({Method.FACE}))).effects

    assert isinstance(question, e.AskQuestion)
    buttons = [button for row in question.rows for button in row if isinstance(button, e.ChoiceButton)]
    assert [button.choice for button in buttons if button.is_resting] == [Choice.FACE]
    assert {Choice.WECHAT, Choice.QQ} <= {button.choice for button in buttons}
