"""The first Markdown: the entities it becomes, and its error."""

from __future__ import annotations

from typing import Any

import pytest

from playground.botapi.formatting.legacy_markdown import read_legacy_markdown
from playground.botapi.formatting.markup import InvalidMarkup


@pytest.mark.parametrize(
    ("source", "text", "entities"),
    [
        ("*王* _b_", "王 b", [("bold", 0, 1), ("italic", 2, 1)]),
        ("a. (b)! - c", "a. (b)! - c", []),
        (r"snake\_case \*", "snake_case *", []),
        (r"\a", r"\a", []),
        ("`a*b`", "a*b", [("code", 0, 3)]),
        ("```python\nx=1```", "x=1", [("pre", 0, 3)]),
        ("```\nx```", "x", [("pre", 0, 1)]),
        ("[t](http://a.b)", "t", [("text_link", 0, 1)]),
        ("[t](nowhere)", "t", []),
        ("[t]", "t", []),
        ("[t](http://a.b", "t", [("text_link", 0, 1)]),
        ("** 🙂*b*", " 🙂b", [("bold", 3, 1)]),
    ],
)
def test_legacy_markdown_becomes_text_and_entities(source: str, text: str, entities: list[Any]) -> None:
    read, found = read_legacy_markdown(source)

    assert read == text
    assert [(e["type"], e["offset"], e["length"]) for e in found] == entities


@pytest.mark.parametrize(("source", "offset"), [("a_b", 1), ("王*b", 3), ("[a", 0), ("```a``", 0)])
def test_an_open_entity_is_refused_with_its_byte_offset(source: str, offset: int) -> None:
    with pytest.raises(InvalidMarkup, match=f"Can't find end of the entity starting at byte offset {offset}$"):
        read_legacy_markdown(source)
