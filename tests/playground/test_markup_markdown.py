"""MarkdownV2: the entities it becomes, and its errors."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.botapi.formatting.markdown import read_markdown
from playground.botapi.formatting.markup import InvalidMarkup
from playground.world.entities import utf16_length


@pytest.mark.parametrize(
    ("source", "text", "entities"),
    [
        ("*王*", "王", [("bold", 0, 1)]),
        ("*b _i_ __u__*", "b i u", [("bold", 0, 5), ("italic", 2, 1), ("underline", 4, 1)]),
        ("~s~ ||x||", "s x", [("strikethrough", 0, 1), ("spoiler", 2, 1)]),
        ("`a*b`", "a*b", [("code", 0, 3)]),
        ("```python\nx=1```", "x=1", [("pre", 0, 3)]),
        (r"a\.b \*", "a.b *", []),
        ("🙂*b*", "🙂b", [("bold", 2, 1)]),
        (r"[t](http://a.b/\))", "t", [("text_link", 0, 1)]),
        ("[t](nowhere)", "t", []),
        (">a\n>b\nc", "a\nb\nc", [("blockquote", 0, 3)]),
        (">a||", "a", [("expandable_blockquote", 0, 1)]),
        ("![👍](tg://emoji?id=123)", "👍", [("custom_emoji", 0, 2)]),
        ("![soon](tg://time?unix=1795440000&format=r)", "soon", [("date_time", 0, 4)]),
    ],
)
def test_markdown_becomes_text_and_entities(source: str, text: str, entities: list[Any]) -> None:
    read, found = read_markdown(source)

    assert read == text
    assert [(e["type"], e["offset"], e["length"]) for e in found] == entities


@pytest.mark.parametrize(
    ("source", "refusal"),
    [
        ("a.b", r"Character '.' is reserved and must be escaped with the preceding '\'"),
        ("a>b", r"Character '>' is reserved and must be escaped with the preceding '\'"),
        ("王*b", "Can't find end of Bold entity at byte offset 3"),
        ("```py\nx", "Can't find end of PreCode entity at byte offset 0"),
        ("[t](http://a.b", "Can't find end of a URL at byte offset 4"),
        ("![t]", "The entity must contain a tg://emoji or tg://time URL"),
        ("![t](http://a.b)", "Invalid tg://emoji or tg://time URL specified"),
    ],
)
def test_wrong_markdown_is_refused_with_its_position(source: str, refusal: str) -> None:
    with pytest.raises(InvalidMarkup) as error:
        read_markdown(source)

    assert str(error.value) == refusal


@given(st.text())
def test_escaped_markdown_comes_back_unchanged(text: str) -> None:
    assert read_markdown(re.sub(r"([_*\[\]()~`>#+\-=|{}.!\\])", r"\\\1", text)) == (text, ())


@given(st.text(alphabet=st.sampled_from("_*[]()~`>|!\\\na 𠮷:/.tgime?unx=1"), max_size=60))
def test_no_text_breaks_the_parser(source: str) -> None:
    try:
        text, entities = read_markdown(source)
    except InvalidMarkup:
        return

    assert all(0 <= e["offset"] < e["offset"] + e["length"] <= utf16_length(text) for e in entities)
