"""Telegram's HTML: the entities it becomes, and its errors."""

from __future__ import annotations

import html
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.botapi.formatting.html import read_html
from playground.botapi.formatting.markup import InvalidMarkup
from playground.world.entities import utf16_cut, utf16_length


def entity(kind: str, offset: int, length: int, **more: Any) -> dict[str, Any]:
    return {"type": kind, "offset": offset, "length": length, **more}


@pytest.mark.parametrize(
    ("source", "text", "entities"),
    [
        ("<b>王</b>", "王", [entity("bold", 0, 1)]),
        ("<strong>a</strong><em>b</em>", "ab", [entity("bold", 0, 1), entity("italic", 1, 1)]),
        ("<ins>a</ins><strike>b</strike>", "ab", [entity("underline", 0, 1), entity("strikethrough", 1, 1)]),
        ("<tg-spoiler>x</tg-spoiler>", "x", [entity("spoiler", 0, 1)]),
        ('<span class="tg-spoiler">x</span>', "x", [entity("spoiler", 0, 1)]),
        ("𠮷<b>𠮷</b>", "𠮷𠮷", [entity("bold", 2, 2)]),
        ("<b>a<i>b</i></b>", "ab", [entity("bold", 0, 2), entity("italic", 1, 1)]),
        ("<b>a</>", "a", [entity("bold", 0, 1)]),
        ("<B>a</b >", "a", [entity("bold", 0, 1)]),
        ("<b></b>a", "a", []),
        ("<blockquote>q</blockquote>", "q", [entity("blockquote", 0, 1)]),
        ("<blockquote expandable>q</blockquote>", "q", [entity("expandable_blockquote", 0, 1)]),
        ("<code>c</code>", "c", [entity("code", 0, 1)]),
        ("<pre>p</pre>", "p", [entity("pre", 0, 1)]),
        ('<pre><code class="language-python">p</code></pre>', "p", [entity("pre", 0, 1, language="python")]),
        ('<code class="language-python">p</code>', "p", [entity("code", 0, 1)]),
        ('<a href="https://example.com/?a=1&amp;b=2">l</a>', "l", ["https://example.com/?a=1&b=2"]),
        ("<a>example.com</a>", "example.com", ["http://example.com/"]),
        ('<a href="nowhere">l</a>', "l", []),
        ("<a href='http://a.b/c'>l</a>", "l", ["http://a.b/c"]),
        ('<b class="x" data-y=z>a</b>', "a", [entity("bold", 0, 1)]),
        ("Q&A &amp &lt;b&gt; &#65;&#x42; &nbsp;", "Q&A & <b> AB &nbsp;", []),
        ('<tg-emoji emoji-id="5368324170671202286">👍</tg-emoji>', "👍", None),
        ('<tg-time unix="1795440000" format="r">soon</tg-time>', "soon", None),
        ("a > b", "a > b", []),
    ],
)
def test_html_becomes_text_and_entities(source: str, text: str, entities: list[Any] | None) -> None:
    read, found = read_html(source)

    assert read == text
    if entities is not None:
        assert [e["url"] if e["type"] == "text_link" else e for e in found] == entities


def test_a_time_and_an_emoji_have_their_argument() -> None:
    _, moment = read_html('<tg-time unix="1795440000" format="r">soon</tg-time>')
    _, emoji = read_html('<tg-emoji emoji-id="5368324170671202286">👍</tg-emoji>')

    assert moment == (entity("date_time", 0, 4, unix_time=1795440000, date_time_format="r"),)
    assert emoji == (entity("custom_emoji", 0, 2, custom_emoji_id="5368324170671202286"),)


@pytest.mark.parametrize(
    ("source", "refusal"),
    [
        ("王<font>", 'Unsupported start tag "font" at byte offset 3'),
        ("1 < 2 >", 'Unsupported start tag "" at byte offset 2'),
        ("1 < 2", 'Unsupported start tag "" at byte offset 2'),
        ("a<b", "Unclosed start tag at byte offset 1"),
        ("<b>a", 'Can\'t find end tag corresponding to start tag "b"'),
        ("a</b>", "Unexpected end tag at byte offset 1"),
        ("<b>a</b", "Unclosed end tag at byte offset 4"),
        ("<b><i>a</b></i>", 'Unmatched end tag at byte offset 7, expected "</i>", found "</b>"'),
        ("<br/>", 'Unsupported start tag "br/" at byte offset 0'),
        ("<span>a</span>", 'Tag "span" must have class "tg-spoiler" at byte offset 0'),
        ('<a ="x">a</a>', 'Empty attribute name in the tag "a" at byte offset 0'),
        ("<a href=a/b>a</a>", "Unexpected end of name token at byte offset 8"),
        ('<tg-emoji emoji-id="x">a</tg-emoji>', "Invalid custom emoji identifier specified"),
        ('<tg-time unix="1" format="z">a</tg-time>', "Invalid date format used"),
    ],
)
def test_wrong_html_is_refused_with_its_position(source: str, refusal: str) -> None:
    with pytest.raises(InvalidMarkup) as error:
        read_html(source)

    assert str(error.value) == refusal


@given(st.text())
def test_escaped_text_comes_back_unchanged(text: str) -> None:
    assert read_html(html.escape(text, quote=False)) == (text, ())


@given(st.text(alphabet=st.sampled_from("<>/ab =\"'&;#x1𠮷pretg-codeuninspanhf\n \\"), max_size=80))
def test_no_text_breaks_the_parser(source: str) -> None:
    try:
        text, entities = read_html(source)
    except InvalidMarkup:
        return

    assert all(0 <= e["offset"] < e["offset"] + e["length"] <= utf16_length(text) for e in entities)
    assert all(utf16_cut(text, e["offset"], e["length"]) for e in entities)
