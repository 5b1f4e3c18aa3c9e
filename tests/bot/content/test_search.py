"""The FAQ search finds the topic for what people write, mistyped too."""

import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.faq import QUESTIONS as MEASURED
from bench.faq import measure, read
from bot.content.catalogue import load
from bot.content.search import MAX_RESULTS, TopicSearch, normalize
from bot.content.topics import Entry
from tests.each_case import each_case

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


@each_case("topic, text", QUESTIONS)
def test_a_question_of_a_person_finds_its_topic_first(topic: str, text: str) -> None:
    assert SEARCH.topics(text)[:1] == (topic,)


@each_case("text", NO_QUESTIONS)
def test_a_text_that_is_no_question_finds_nothing(text: str) -> None:
    assert SEARCH.topics(text) == ()


def test_every_topic_has_test_questions() -> None:
    assert {topic for topic, _ in QUESTIONS} == {topic.id for topic in FAQ["zh"]}


@each_case("topic", FAQ["zh"] + FAQ["en"], lambda topic: topic.title)
def test_a_title_finds_its_own_topic_first(topic: Entry) -> None:
    assert SEARCH.topics(topic.title)[0] == topic.id


@settings(max_examples=30)
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


@pytest.mark.parametrize("name", ["tuning", "held_out"])
def test_most_typed_questions_find_their_topic_and_few_a_wrong_one(name: str) -> None:
    score = measure(SEARCH.topics, list(read(MEASURED / f"{name}.txt")))

    assert score.precision >= 0.97
    assert score.recall >= 0.9


def test_the_language_of_the_chat_does_not_matter_nor_do_case_width_and_spaces() -> None:
    mixed = search(entry("icp", "备案 ICP 怎么做", "website filing"), entry("fee", "收费吗", "what does it cost"))

    for text in ("ＩＣＰ备案", "备案 icp 怎么做", "about my Website   FILING!"):
        assert mixed.topics(text) == ("icp",), text


def test_a_mistyped_word_is_found_and_a_common_word_of_a_phrase_is_not() -> None:
    accounts = search(
        entry("how_many", "How many accounts can one ID verify?", "how many accounts"),
        entry("close", "How do I close my accounts?"),
        entry("find", "Where are my accounts?"),
    )

    assert accounts.topics("how mny acounts") == ("how_many",)
    assert accounts.topics("accounts") == ()


def test_endings_of_words_do_not_matter() -> None:
    two = search(entry("a", "Face recognition failed"), entry("b", "Close the bank account"))

    assert two.topics("my face fails") == ("a",)
    assert two.topics("is it snow?") == ()


def test_a_word_and_its_other_ways_to_write_are_the_same() -> None:
    two = search(entry("a", "刷脸失败怎么办"), entry("b", "绑定银行卡"))

    assert two.topics("人脸识别老失败") == ("a",)


def test_all_parts_of_a_keyword_must_occur_in_any_order() -> None:
    two = search(entry("a", "x y z", "摄像头 + 失败"), entry("b", "绑定银行卡"))

    assert two.topics("老是失败，摄像头不行") == ("a",)
    assert two.topics("摄像头") == ()


def test_topics_are_ordered_by_score_and_weak_ones_are_left_out() -> None:
    three = search(entry("a", "x", "账号"), entry("b", "y", "企业账号转让"), entry("c", "z", "企业账号"))

    assert three.topics("我要企业账号转让")[0] == "b"
    assert "a" not in three.topics("我要企业账号转让")


def test_a_phrase_of_another_matter_competes_with_the_topics() -> None:
    payment = search(entry("payment", "认证收费吗", "多少钱"), entry("b", "绑定银行卡"))

    assert payment.topics("认证多少钱") == ("payment",)
    assert payment.topics("云服务器多少钱") == ()


def test_traditional_characters_match_simplified_ones() -> None:
    assert normalize("帳號滿了怎麼辦？") == "账号满了怎么办"


def test_every_title_and_keyword_answers_the_same_in_traditional_characters() -> None:
    entries = tomllib.loads(Path(__file__).with_name("faq_traditional.toml").read_text(encoding="utf-8"))["topic"]
    written = [(topic.title, *topic.keywords) for topic in FAQ["zh"]]
    traditional = [(topic["title"], *topic["keywords"]) for topic in entries]

    assert [[normalize(text) for text in texts] for texts in traditional] == [
        [normalize(text) for text in texts] for texts in written
    ]
    assert [SEARCH.topics(texts[0])[:1] for texts in traditional] == [(topic.id,) for topic in FAQ["zh"]]
