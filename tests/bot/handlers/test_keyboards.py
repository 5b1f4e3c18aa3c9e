"""Buttons have short data without a person's data, and addresses only where a phone can open them."""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from itertools import product
from typing import Any, get_args

import pytest
from telegram import InlineKeyboardButton, InlineKeyboardMarkup

from bot.content import catalogue as texts
from bot.flow import codec, states
from bot.flow.effects import (
    AskQuestion,
    ChoiceButton,
    CopyLinkButton,
    FormButton,
    OpenLinkButton,
    ReplaceCodeWithPicture,
    Rows,
    ShowCode,
    UrlButton,
)
from bot.flow.events import Choice
from bot.flow.prompts import prompt
from bot.flow.states import State
from bot.handlers.keyboards import PlainMarkup, is_public, keyboard
from tests.fakes import NOON, make_identity
from tests.simulator_fixture import NAME, NUMBER
from verification.attempts import AttemptId, Method, ProviderApp, Reason
from verification.ids import Account

CATALOGUE = texts.load(days=30, simulated=tuple(Method))
ACCOUNT = Account("telegram:7123456789012")
QUESTION_ID = "f" * 10
LINK = "https://bot.example.org/v/abcdefghijklmnopqrstuvwx"


def every_state() -> Iterator[State]:
    """Each class of state with each of its methods, stages and reasons."""
    person = make_identity(NUMBER, NAME)
    facts: dict[str, Iterable[Any]] = {
        "account": [ACCOUNT],
        "question_id": [QUESTION_ID],
        "name": [person.name],
        "number": [person.number],
        "identity": [person],
        "method": list(Method),
        "attempt": [AttemptId("attempt-1")],
        "link": [LINK],
        "match_code": ["42"],
        "expires_at": [NOON + timedelta(minutes=10)],
        "stage": list(states.PhoneStage),
        "simulated": (False, True),
        "touched": [False],
        "reason": list(Reason),
        "at": [NOON],
        "until": [None, NOON],
        "former": [codec.dump(states.Idle(account=ACCOUNT, question_id=QUESTION_ID))],
        "suggested": [None, *Method],
        "is_checked": [False, True],
        "app": list(ProviderApp),
        "since": [None],
        "is_scanned": [False, True],
        "is_below": [False],
    }
    for kind in get_args(State):
        names = kind.__struct_fields__
        for values in product(*(facts[name] for name in names)):
            yield kind(**dict(zip(names, values, strict=True)))


def buttons_of(markup: PlainMarkup | None) -> list[InlineKeyboardButton]:
    return [button for row in rows_in(markup) for button in row]


def rows_in(markup: PlainMarkup | None) -> tuple[tuple[InlineKeyboardButton, ...], ...]:
    """The keyboard as the library reads it, which knows every field."""
    return InlineKeyboardMarkup.de_json(markup, None).inline_keyboard if markup else ()


def rows_of(state: State) -> Rows:
    question = prompt(state)
    return question.rows if isinstance(question, AskQuestion | ShowCode | ReplaceCodeWithPicture) else ()


@pytest.mark.parametrize("language", texts.LANGUAGES)
def test_no_button_of_any_question_holds_a_persons_data_or_more_than_64_bytes(language: str) -> None:
    pressed = [
        button
        for state in every_state()
        for button in buttons_of(keyboard(CATALOGUE, language, rows_of(state), QUESTION_ID))
        if button.callback_data is not None
    ]

    assert pressed
    for button in pressed:
        data = str(button.callback_data)
        assert 1 <= len(data.encode()) <= 64
        assert not any(secret in data + button.text for secret in (NAME, NUMBER, "7123456789012", LINK))


@pytest.mark.parametrize("language", texts.LANGUAGES)
def test_every_keyboard_stays_within_telegrams_limits(language: str) -> None:
    for state in every_state():
        markup = keyboard(CATALOGUE, language, rows_of(state), QUESTION_ID)
        rows = rows_in(markup)
        assert all(0 < len(row) <= 8 for row in rows)
        assert all(len(button.text) <= 64 for row in rows for button in row)


def test_each_choice_has_one_word_of_data_in_a_question() -> None:
    for state in every_state():
        data = [button.callback_data for button in buttons_of(keyboard(CATALOGUE, "zh", rows_of(state), QUESTION_ID))]
        pressed = [text for text in data if text]
        assert len(pressed) == len(set(pressed))


@pytest.mark.parametrize(
    ("link", "public"),
    [
        ("http://localhost:8080/v/x", False),
        ("http://127.0.0.1:8080/v/x", False),
        ("http://127.1.2.3/v/x", False),
        ("http://[::1]:8080/v/x", False),
        ("http://0.0.0.0:8080/v/x", False),
        ("http://[::]:8080/v/x", False),
        ("http://[::ffff:127.0.0.1]:8080/v/x", False),
        ("http://machine:8080/v/x", False),
        ("", False),
        ("http://192.168.1.5:8080/v/x", True),
        ("http://10.0.0.7/v/x", True),
        ("http://[2001:db8::7]/v/x", True),
        ("https://bot.example.org/v/x", True),
        ("https://bot.example.org:8443/v/x", True),
    ],
)
def test_an_address_is_public_when_another_phone_could_open_it(link: str, public: bool) -> None:
    assert is_public(link) is public


@pytest.mark.parametrize(("link", "labels"), [("http://127.0.0.1:8080/v/x", 1), (LINK, 2)])
def test_opening_on_this_device_is_offered_only_for_a_public_address(link: str, labels: int) -> None:
    markup = keyboard(CATALOGUE, "zh", ((CopyLinkButton(link), OpenLinkButton(link)),), QUESTION_ID)

    assert len(buttons_of(markup)) == labels


@pytest.mark.parametrize(
    ("form_url", "language", "opens"),
    [
        ("https://bot.example.org/f/x", "zh", {"web_app": {"url": "https://bot.example.org/f/x"}}),
        ("https://bot.example.org/f/x", "en", {"web_app": {"url": "https://bot.example.org/f/x?lang=en"}}),
        ("http://bot.example.org/f/x", "zh", {"url": "http://bot.example.org/f/x"}),
    ],
)
def test_the_private_form_is_a_mini_app_where_telegram_allows_one(
    form_url: str, language: str, opens: dict[str, object]
) -> None:
    markup = keyboard(CATALOGUE, language, ((FormButton(),),), QUESTION_ID, form_url=form_url)

    assert markup == {"inline_keyboard": [[{"text": CATALOGUE.text(language, "button.form"), **opens}]]}


def test_the_private_form_has_no_button_where_it_has_no_address() -> None:
    assert keyboard(CATALOGUE, "zh", ((FormButton(),),), QUESTION_ID) is None


def test_a_row_without_buttons_is_left_out() -> None:
    here = OpenLinkButton("http://127.0.0.1/v/x")

    assert keyboard(CATALOGUE, "zh", ((here,),), QUESTION_ID) is None
    markup = keyboard(CATALOGUE, "zh", ((here,), (ChoiceButton(Choice.CANCEL),)), QUESTION_ID)
    assert markup is not None
    assert len(rows_in(markup)) == 1


def test_a_question_without_buttons_has_no_keyboard() -> None:
    assert keyboard(CATALOGUE, "en", (), QUESTION_ID) is None


@pytest.mark.parametrize("language", texts.LANGUAGES)
def test_every_link_is_an_address_that_telegram_accepts(language: str) -> None:
    urls = [
        button.url
        for state in every_state()
        for button in buttons_of(keyboard(CATALOGUE, language, rows_of(state), QUESTION_ID))
        if button.url
    ]

    assert urls
    assert all(is_public(url) and url.startswith("https://") for url in urls)


@pytest.mark.parametrize(
    ("operator", "shown", "url"),
    [
        (
            texts.Operator(),
            "在线客服：https://cloud.tencent.com/online-service",
            "https://cloud.tencent.com/online-service",
        ),
        (
            texts.Operator("示例<云>", "@support", "https://t.me/support"),
            "示例&lt;云&gt;：@support",
            "https://t.me/support",
        ),
        (texts.Operator("", "help@example.org"), "在线客服：help@example.org", None),
    ],
    ids=["the cloud's page", "a Telegram name", "an e-mail address"],
)
def test_a_wish_for_a_human_leads_to_the_operator(operator: texts.Operator, shown: str, url: str | None) -> None:
    catalogue = texts.load(days=30, operator=operator)
    buttons = buttons_of(keyboard(catalogue, "zh", ((UrlButton("operator"),),), ""))

    assert shown in catalogue.text("zh", "misc.human")
    assert [button.url for button in buttons] == ([] if url is None else [url])
