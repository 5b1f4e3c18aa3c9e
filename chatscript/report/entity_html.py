"""Formatted text as HTML: Telegram's entities become tags, whatever stands in the text stays text."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from urllib.parse import urlsplit

from playground.world.entities import utf16_cut, utf16_length
from playground.world.records import Json

_PLAIN = {"bold": "strong", "italic": "em", "underline": "u", "strikethrough": "s", "code": "code"}
_BLOCKS = frozenset({"pre", "blockquote", "expandable_blockquote"})


def render_entities(text: str, entities: Sequence[Json]) -> str:
    """Write a text with its entities, which are in Telegram's order."""
    return _render_range(text, 0, utf16_length(text), entities)


def _render_range(text: str, start: int, end: int, entities: Sequence[Json]) -> str:
    written: list[str] = []
    place = start
    while entities:
        entity, *others = entities
        begin, stop = max(entity["offset"], place), min(entity["offset"] + entity["length"], end)
        if begin < stop:
            words = utf16_cut(text, begin, stop - begin)
            inner = _render_range(text, begin, stop, [other for other in others if other["offset"] < stop])
            written += [escape(utf16_cut(text, place, begin - place)), _render_entity(entity, inner, words)]
            place = stop
            # A block ends its line by itself; the line's own end would add an empty one.
            if entity["type"] in _BLOCKS and utf16_cut(text, place, 1) == "\n":
                place += 1
            others = [other for other in others if other["offset"] + other["length"] > stop]
        entities = others
    return "".join([*written, escape(utf16_cut(text, place, end - place))])


def _render_entity(entity: Json, inner: str, words: str) -> str:
    kind = str(entity["type"])
    if tag := _PLAIN.get(kind):
        return f"<{tag}>{inner}</{tag}>"
    match kind:
        case "pre":
            return f"<pre><code>{inner}</code></pre>"
        case "blockquote" | "expandable_blockquote":
            return f"<blockquote>{inner}</blockquote>"
        case "text_link" | "url":
            return render_link(entity.get("url", words), inner)
        case "spoiler":
            return f'<span class="spoiler shown"><span class="spoiled">{inner}</span></span>'
        case _:
            return f'<span class="tinted">{inner}</span>'


def render_link(address: str, inner: str, cls: str = "tinted") -> str:
    """Make a link of the words if the address is one of the web."""
    if urlsplit(address).scheme not in {"http", "https"}:
        return f'<span class="{cls}">{inner}</span>'
    return f'<a class="{cls}" href="{escape(address)}" rel="noopener noreferrer">{inner}</a>'
