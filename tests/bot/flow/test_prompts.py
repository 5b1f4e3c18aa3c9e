"""Every text key of the flow has its sentence in both languages, filled in, within Telegram's limits."""

import html
import re
from collections.abc import Iterable, Iterator
from datetime import timedelta
from functools import cache
from itertools import product

import pytest
from msgspec.structs import replace

from bot.content.catalogue import LANGUAGES, load
from bot.flow import effects as e
from bot.flow.events import Command, Event
from bot.flow.machine import advance, offered_choices
from bot.flow.prompts import prompt
from bot.flow.rows import RuleContext, Step
from bot.flow.states import Confirming, PhoneStage, State
from bot.flow.typed_input import match_choice, match_command
from tests.bot.flow.effect_texts import buttons, caption_in, texts_in
from tests.bot.flow.samples import (
    ACCOUNT,
    CONTEXT,
    EVENTS,
    FEW_EVENTS,
    ONE_OF_EACH,
    QUESTION_ID,
    QUICK_STATES,
    STATES,
    all_quick_steps,
    label,
    opening,
    private_identity,
    scanning,
)
from tests.fakes import NOON
from verification.attempts import Method, ProviderApp

CATALOGUE = load(days=30, simulated=tuple(Method))
SECTIONS = (
    *(
        "idle",
        "type",
        "invitation",
        "enterprise",
        "overseas",
        "consent",
        "name",
        "number",
        "other_name",
        "other_number",
        "confirm",
    ),
    *("method", "face_consent", "opening", "scan", "stamp", "expired", "failed", "reason", "verified"),
    *("status", "problem", "sent"),
)
in_each_language = pytest.mark.parametrize("language", LANGUAGES)


IN_OTHER_APPS: tuple[State, ...] = (
    *(replace(scanning(Method.QQ), app=app) for app in (ProviderApp.WECHAT, ProviderApp.ALIPAY, ProviderApp.ANY)),
    replace(scanning(Method.WECHAT), app=ProviderApp.QQ),
)


WAITING_LONG: tuple[State, ...] = (
    replace(opening(), since=NOON - timedelta(days=1)),
    replace(scanning(stage=PhoneStage.OPENED), since=NOON - timedelta(days=1)),
    *(replace(scanning(stage=stage), expires_at=NOON) for stage in PhoneStage),
)


OTHERS = (
    *map(opening, (Method.QQ, Method.FACE)),
    *map(scanning, (Method.QQ, Method.FACE)),
    *IN_OTHER_APPS,
    *WAITING_LONG,
)
QUICK = (*QUICK_STATES, *OTHERS)
ALL = (*STATES, *IN_OTHER_APPS, *WAITING_LONG)
of_each_state = pytest.mark.parametrize(
    "reaching", [pytest.param(QUICK, id="quick"), pytest.param(ALL, id="all", marks=pytest.mark.slow("products"))]
)


def caused(states: Iterable[State], events: Iterable[Event], context: RuleContext) -> Iterator[Step]:
    return (advance(state, event, context) for state, event in product(states, events))


@cache
def reached(states: tuple[State, ...]) -> tuple[e.Effect, ...]:
    """Every effect that these samples cause, each once."""
    by_face_alone = replace(CONTEXT, methods=(Method.FACE,))
    if states is ALL:
        steps = [step for context in (CONTEXT, by_face_alone) for step in caused(states, EVENTS, context)]
    else:
        steps = [step for _, _, step in all_quick_steps()]
        steps += caused(OTHERS, FEW_EVENTS, CONTEXT)
        steps += caused(ONE_OF_EACH, FEW_EVENTS, by_face_alone)
    return tuple({repr(effect): effect for step in steps for effect in step.effects}.values())


def length(markup: str) -> int:
    """The length that Telegram counts: without tags, in UTF-16 code units."""
    return len(html.unescape(re.sub(r"<[^<>]+>", "", markup)).encode("utf-16-le")) // 2


@in_each_language
@of_each_state
def test_every_text_of_every_effect_exists_and_is_filled_in(language: str, reaching: tuple[State, ...]) -> None:
    for effect in reached(reaching):
        for key, values in (*texts_in(effect), *caption_in(effect)):
            shown = CATALOGUE.text(language, key, values)

            assert shown.strip(), key
            assert not re.search(r"[{}]", shown), key


@in_each_language
@of_each_state
def test_what_is_shown_fits_into_a_message_a_caption_or_a_toast(language: str, reaching: tuple[State, ...]) -> None:
    limits = {e.ShowCode: 1024, e.EditCaption: 1024, e.ReplaceCodeWithPicture: 1024, e.ShowToast: 200}
    for effect in reached(reaching):
        whole = "\n\n".join(CATALOGUE.text(language, key, values) for key, values in texts_in(effect))

        assert length(whole) <= limits.get(type(effect), 4096), effect
        for key, values in caption_in(effect):
            assert length(CATALOGUE.text(language, key, values)) <= 1024, effect


@in_each_language
@of_each_state
def test_every_button_has_its_label_and_its_target(language: str, reaching: tuple[State, ...]) -> None:
    topics = {entry.id for entry in CATALOGUE.faq[language]}
    for effect in reached(reaching):
        for button in buttons(effect):
            match button:
                case e.ChoiceButton(choice):
                    assert CATALOGUE.text(language, f"choice.{choice}")
                case e.TopicButton(topic):
                    assert topic in topics | {""}
                case e.UrlButton(link):
                    assert CATALOGUE.text(language, f"link.{link}.label")
                    assert CATALOGUE.text(language, f"link.{link}.url").startswith("https://")
                case e.CopyLinkButton(link) | e.OpenLinkButton(link):
                    assert link.startswith("https://")
                case e.LanguagesButton():
                    assert CATALOGUE.text(language, "button.language")


@in_each_language
def test_every_sentence_of_the_dialogue_is_used(language: str) -> None:
    texts = [text for effect in reached(QUICK) for text in (*texts_in(effect), *caption_in(effect))]
    keys_in_values = {value.key for _, values in texts for value in values.values() if isinstance(value, e.TextKey)}
    used = {key for key, _ in texts} | keys_in_values

    sentences = {key for section in SECTIONS for key in CATALOGUE.section(language, f"{section}.")}
    assert sentences - used == set()


@in_each_language
@pytest.mark.parametrize("state", [pytest.param(state, id=label(state)) for state in ONE_OF_EACH])
def test_the_label_and_the_position_of_each_button_may_be_typed(state: State, language: str) -> None:
    choices = offered_choices(state)
    for position, choice in enumerate(choices, 1):
        assert match_choice(CATALOGUE.text(language, f"choice.{choice}"), choices) is choice
        assert match_choice(str(position), choices) is choice
    assert match_choice(str(len(choices) + 1), choices) is None
    assert match_choice("0", choices) is None


@in_each_language
def test_every_question_names_the_account_masked(language: str) -> None:
    for state in STATES:
        question = prompt(state)
        shown = [CATALOGUE.text(language, key, values) for key, values in texts_in(question)]

        assert isinstance(question, e.ShowChatAction) or re.search(r"(Telegram |cloud:)\d{2}\*+\d{2}", shown[0]), state


@in_each_language
def test_the_label_of_a_side_button_may_be_typed_too(language: str) -> None:
    assert match_command(CATALOGUE.text(language, "button.faq")) is Command.FAQ
    assert match_command(CATALOGUE.text(language, "button.language")) is Command.LANGUAGE


REGISTERED = "https://cloud.tencent.com/document/product/378/17985"
FACTS = [
    ("zh", "type.facts", f"3 ICP 增值税专用发票 {REGISTERED}"),
    ("en", "type.facts", f"3 ICP VAT {REGISTERED}"),
    ("zh", "confirm.ask", "ICP"),
    ("en", "confirm.ask", "ICP"),
    ("zh", "verified.ask", "ICP 增值税专用发票"),
    ("en", "verified.ask", "ICP VAT"),
    ("zh", "scan.steps.qq", "立即绑定银行卡"),
    ("zh", "scan.steps.wechat", "授权验证"),
    ("zh", "scan.steps.face", "快速验证"),
    ("zh", "misc.help", "账号信息 基本信息"),
]


@pytest.mark.parametrize(("language", "key", "words"), FACTS)
def test_the_texts_state_the_facts_that_a_person_must_know(language: str, key: str, words: str) -> None:
    text = CATALOGUE.texts[language][key]

    assert [word for word in words.split() if word not in text] == []


@in_each_language
def test_enterprises_and_people_from_overseas_are_sent_to_the_right_pages(language: str) -> None:
    links = CATALOGUE.texts[language]

    assert links["link.enterprise.url"].endswith("/378/10496")
    assert links["link.international.url"] == "https://intl.cloud.tencent.com/"


def test_that_a_private_name_is_not_shown_is_said_until_the_person_has_confirmed_it() -> None:
    asking = Confirming(account=ACCOUNT, question_id=QUESTION_ID, identity=private_identity())
    notes = [getattr(prompt(state), "note", "") for state in (asking, replace(asking, is_checked=True))]

    assert notes == ["confirm.private", None]
