"""The phone pages have the same texts in both languages."""

import re
from pathlib import Path
from string import Formatter

import web
from tests.each_case import each_case
from tests.web.app_fixture import page_texts
from verification import AttemptStatus, Method, Reason
from verification.attempts import TYPED_METHODS
from verification.invitations import LinkState
from verification.providers.simulated.stages import PAGE_TRANSITIONS, FormError, PageButton, VerdictChoice
from verification.support.funnel import Dimension, FunnelStep

ZH, EN = page_texts("zh"), page_texts("en")


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def test_both_languages_have_the_same_keys() -> None:
    assert ZH.keys() == EN.keys()


@each_case("key", ZH)
def test_both_languages_have_the_same_placeholders(key: str) -> None:
    assert placeholders(ZH[key]) == placeholders(EN[key])


@each_case("key", ZH)
def test_texts_are_plain_and_not_empty(key: str) -> None:
    for text in (ZH[key], EN[key]):
        assert text.strip() == text != ""
        assert not re.search(r"[<>]|&\w+;", text)


@each_case("key", EN)
def test_english_has_no_chinese_in_it(key: str) -> None:
    assert not re.search(r"[\u3000-\u30ff\u4e00-\u9fff\uff00-\uffef]", EN[key])


def test_everything_that_the_phone_shows_has_a_text() -> None:
    stages = [
        f"stage.{method}.{stage}.{part}" for method in Method for stage in PAGE_TRANSITIONS[method] for part in PARTS
    ]
    needed = [
        *stages,
        *[f"press.{press}" for press in PageButton],
        *[f"choice.{choice}" for choice in VerdictChoice],
        *[f"hitch.{hitch}" for hitch in FormError],
        *[f"reason.{reason}.{part}" for reason in Reason for part in ("title", "advice")],
        *[f"wrong_app.{app}" for app in (*TYPED_METHODS, "desktop")],
        *[f"one_phone.{step}" for step in ("title", "save", "copy", "here")],
    ]

    assert {f"page.{key}" for key in needed} <= ZH.keys()


def test_everything_that_the_desk_shows_has_a_text() -> None:
    needed = [
        *[f"step.{step}" for step in FunnelStep],
        *[f"state.{state}" for state in LinkState],
        *[f"link.about.{state}" for state in LinkState],
        *[f"status.{status}" for status in AttemptStatus],
        *[f"funnel.dimension.{dimension}" for dimension in Dimension],
        *[f"tongue.{language}" for language in ("zh", "en")],
        *[f"span.{unit}" for unit in ("day", "hour", "minute", "second")],
    ]

    assert {f"desk.{key}" for key in needed} <= page_texts("zh", "desk").keys()


PARTS = ("title", "lead", "next")


def test_no_template_contains_words_outside_the_texts() -> None:
    templates = Path(web.__file__).parent / "templates"
    pages = "".join(path.read_text("utf-8") for path in templates.rglob("*.*"))

    assert set(re.findall(r"[\u4e00-\u9fff]+", pages)) == {"中文"}
