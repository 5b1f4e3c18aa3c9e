"""The check of the FAQ's files: each mistake of an operator is one line with the file, the entry and the mistake."""

from pathlib import Path

import pytest

from bot.content.catalogue import FOLDER, LANGUAGES, load
from bot.content.topics import BadTopics, read

ONE = """[[topic]]
id = "one"
title = "One?"
keywords = ["first", "a + b"]
answer = "Yes, <b>one</b>, {days} days."
links = [{ label = "Here", url = "https://example.org/one" }]
"""
TWO = """[[topic]]
id = "two"
title = "Two?"
answer = "No."
"""


def written(folder: Path, zh: str, en: str | None = None) -> Path:
    texts = folder / "texts"
    texts.mkdir()
    (texts / "faq.zh.toml").write_text(zh, encoding="utf-8")
    (texts / "faq.en.toml").write_text(zh if en is None else en, encoding="utf-8")
    return texts


def complaint(folder: Path, zh: str, en: str | None = None) -> str:
    with pytest.raises(BadTopics) as raised:
        read(written(folder, zh, en), LANGUAGES)
    assert "\n" not in str(raised.value)
    return str(raised.value)


def test_entries_are_read_in_order_with_all_fields(tmp_path: Path) -> None:
    one, two = read(written(tmp_path, ONE + TWO), LANGUAGES)["zh"]

    assert (one.id, one.title, one.keywords) == ("one", "One?", ("first", "a + b"))
    assert one.links == (("Here", "https://example.org/one"),)
    assert (two.id, two.links, two.keywords) == ("two", (), ())


MISTAKES = {
    "id: it is missing": ('id = "two"\n', ""),
    "id: write a text": ('id = "two"', "id = 2"),
    "id: write it in a-z, 0-9 and single _, at most 40 of them": ('id = "two"', 'id = "Two!"'),
    "id: write it in a-z, 0-9 and single _": ('id = "two"', f'id = "{"t" * 41}"'),
    "id: another entry has it already": ('id = "two"', 'id = "one"'),
    "title: it is missing": ('title = "Two?"\n', ""),
    'title: the entry "one" has it already': ('title = "Two?"', 'title = "One?"'),
    "title: one line of at most 64 characters fits on a button": ('"Two?"', f'"{"t" * 65}"'),
    "answer: it is missing": ('answer = "No."\n', ""),
    "answer: write a text": ('answer = "No."', 'answer = ["No."]'),
    "answer: the only things in braces may be {days}, {methods}, {scans}, {operator}, {contact}, {services}, {if_": (
        '"No."',
        '"In {weeks} weeks."',
    ),
    "write other braces twice": ('"No."', '"A brace { alone."'),
    "answer: the only things in braces": ('"No."', '"{days.__class__}"'),
    "answer: <b> is never closed; the tags are a, b, blockquote, code, i": ('"No."', '"<b>No."'),
    "answer: <h1> is not allowed": ('"No."', '"<h1>No.</h1>"'),
    "answer: bare &": ('"No."', '"This & that"'),
    "answer: with its title it has 4106 characters; a Telegram message holds 4096": ('"No."', f'"{"a" * 4100}"'),
    "answers: there is no such key; there are id, title, answer, links, keywords": (
        'answer = "No."',
        'answers = "No."',
    ),
    "links: write a list of at most 8": ('"No."', '"No."\nlinks = "https://example.org"'),
    "links: number 1: write { label = ": ('"No."', '"No."\nlinks = ["https://example.org"]'),
    "links: number 1: url: write an address that begins with https://": (
        '"No."',
        '"No."\nlinks = [{ label = "A", url = "http://example.org" }]',
    ),
    "links: number 2: url: write an address": (
        '"No."',
        '"No."\nlinks = [{ label = "A", url = "https://a.org" }, { label = "B", url = "https://b .org" }]',
    ),
    "links: number 1: label: one line": (
        '"No."',
        f'"No."\nlinks = [{{ label = "{"a" * 65}", url = "https://a.org" }}]',
    ),
    "keywords: write a list": ('"No."', '"No."\nkeywords = "one, two"'),
    "keywords: '?': write words of 2 to 60 letters": ('"No."', '"No."\nkeywords = ["?"]'),
    "keywords: 'a +': write": ('"No."', '"No."\nkeywords = ["a +"]'),
}


@pytest.mark.parametrize("expected", MISTAKES)
def test_a_mistake_is_reported_with_file_entry_and_reason(tmp_path: Path, expected: str) -> None:
    right, wrong = MISTAKES[expected]
    assert right in TWO

    message = complaint(tmp_path, ONE + TWO.replace(right, wrong))

    assert message.startswith("texts/faq.zh.toml: entry ")
    assert expected in message


def test_an_entry_without_an_id_is_named_by_its_number(tmp_path: Path) -> None:
    message = complaint(tmp_path, ONE + TWO.replace('id = "two"\n', ""))

    assert message == "texts/faq.zh.toml: entry number 2: id: it is missing"


@pytest.mark.parametrize(
    ("zh", "en", "expected"),
    [
        (ONE + TWO, ONE, 'texts/faq.en.toml: entry "two": it is missing; faq.zh.toml has it'),
        (ONE, ONE + TWO, 'texts/faq.zh.toml: entry "two": it is missing; faq.en.toml has it'),
        (ONE + TWO, TWO + ONE, 'texts/faq.en.toml: entry "two": here faq.zh.toml has "one"; the order is the same'),
        (ONE, ONE.replace("org/one", "org/eins"), 'texts/faq.en.toml: entry "one": links: the addresses differ'),
    ],
)
def test_both_languages_must_have_the_same_entries(tmp_path: Path, zh: str, en: str, expected: str) -> None:
    assert complaint(tmp_path, zh, en).startswith(expected)


def test_a_file_that_is_not_toml_is_reported_with_the_line(tmp_path: Path) -> None:
    message = complaint(tmp_path, ONE + "title = Two\n")

    assert message.startswith("texts/faq.zh.toml: ")
    assert "line 7" in message


@pytest.mark.parametrize("zh", ["", "topic = []", 'topic = "x"', ONE + "[other]\nx = 1\n"])
def test_a_file_without_entries_or_with_other_tables_is_refused(tmp_path: Path, zh: str) -> None:
    assert "it holds entries that begin with [[topic]], and nothing else" in complaint(tmp_path, zh)


def test_a_missing_file_is_reported(tmp_path: Path) -> None:
    texts = written(tmp_path, ONE)
    (texts / "faq.en.toml").unlink()

    with pytest.raises(BadTopics, match=r"texts/faq\.en\.toml: .*No such file"):
        read(texts, LANGUAGES)


def test_the_real_files_are_valid() -> None:
    topics = read(FOLDER, LANGUAGES)

    assert topics == load(days=30).faq
    assert len(topics["zh"]) >= 29
