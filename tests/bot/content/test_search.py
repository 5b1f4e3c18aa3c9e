"""The FAQ search finds the topic for what people write, mistyped too."""

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.content.catalogue import load
from bot.content.search import MAX_RESULTS, TopicSearch, normalize
from bot.content.topics import Entry

FAQ = load(days=30).faq
SEARCH = TopicSearch(FAQ)
WRITTEN = [
    line.split(" ", 1)
    for line in Path(__file__).with_name("questions.txt").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
]
QUESTIONS = [(topic, text) for topic, text in WRITTEN if topic != "-"]
NO_QUESTIONS = [text for topic, text in WRITTEN if topic == "-"]


def search(*topics: Entry) -> TopicSearch:
    return TopicSearch({"zh": topics})


def entry(id: str, title: str, *keywords: str) -> Entry:
    return Entry(id=id, title=title, answer="", links=(), keywords=keywords)


def normalized_texts(path: Path) -> list[str]:
    topics = tomllib.loads(path.read_text(encoding="utf-8"))["topic"]
    return [normalize(text) for topic in topics for text in (topic["title"], *topic["keywords"], topic["answer"])]


@pytest.mark.parametrize(("topic", "text"), QUESTIONS)
def test_a_question_of_a_person_finds_its_topic_first(topic: str, text: str) -> None:
    assert SEARCH.topics(text)[:1] == (topic,)


@pytest.mark.parametrize("text", NO_QUESTIONS)
def test_a_text_that_is_no_question_finds_nothing(text: str) -> None:
    assert SEARCH.topics(text) == ()


def test_every_topic_has_test_questions() -> None:
    assert {topic for topic, _ in QUESTIONS} == {topic.id for topic in FAQ["zh"]}


@pytest.mark.parametrize("topic", FAQ["zh"] + FAQ["en"], ids=lambda topic: topic.title)
def test_a_title_finds_its_own_topic_first(topic: Entry) -> None:
    assert SEARCH.topics(topic.title)[0] == topic.id


@given(st.text(max_size=300))
def test_any_text_can_be_searched(text: str) -> None:
    found = SEARCH.topics(text)

    assert len(found) <= MAX_RESULTS
    assert len(set(found)) == len(found)
    assert set(found) <= {topic.id for topic in FAQ["zh"]}


def test_the_longest_message_can_be_searched() -> None:
    assert SEARCH.topics("长" * 4096) == ()
    assert SEARCH.topics("一个身份证能认证几个账号？" + "哈" * 4000) == ("how_many",)


def test_an_id_finds_its_own_topic() -> None:
    assert SEARCH.topics("three_accounts") == ("three_accounts",)


def test_the_language_of_the_chat_does_not_matter_nor_do_case_width_and_spaces() -> None:
    mixed = search(entry("icp", "备案 ICP 怎么做", "website filing"))

    for text in ("ＩＣＰ备案", "备案 icp 怎么做", "about my Website   FILING!"):
        assert mixed.topics(text) == (("icp",) if text != "ＩＣＰ备案" else ()), text


def test_a_mistyped_phrase_is_found_and_a_common_word_of_it_is_not() -> None:
    accounts = search(entry("how_many", "How many accounts can one ID verify?", "how many accounts"))

    assert accounts.topics("how mny acounts") == ("how_many",)
    assert accounts.topics("accounts") == ()


def test_words_are_found_from_their_beginning_and_numbers_whole() -> None:
    one = search(entry("a", "x y z", "fail", "3 accounts", "满 3"))

    assert one.topics("it failed") == ("a",)
    assert one.topics("is it snowfail?") == ()
    assert one.topics("13 accounts") == ()
    assert one.topics("满 30 了") == ()
    assert one.topics("满 3 个") == ("a",)


def test_all_parts_of_a_keyword_must_occur_in_any_order() -> None:
    one = search(entry("a", "x y z", "人脸 + 失败"))

    assert one.topics("老是失败，人脸不行") == ("a",)
    assert one.topics("人脸") == ()


def test_topics_are_ordered_by_coverage_and_weak_ones_are_left_out() -> None:
    three = search(entry("a", "x", "账号"), entry("b", "y", "企业账号变更"), entry("c", "z", "企业账号"))

    assert three.topics("我要企业账号变更") == ("b", "c")


def test_traditional_characters_match_simplified_ones() -> None:
    assert normalize("帳號滿了怎麼辦？") == "账号满了怎么办"


def test_every_question_of_the_faq_is_found_in_traditional_characters() -> None:
    texts = Path(__file__).parents[3] / "bot" / "texts" / "faq.zh.toml"
    simplified, traditional = (
        normalized_texts(path) for path in (texts, Path(__file__).with_name("faq_traditional.toml"))
    )

    assert len(simplified) > 100
    assert traditional == simplified
