"""Renders formatted text as HTML: Telegram's entities become tags, and the text is escaped."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from urllib.parse import urlsplit

from playground.world.entities import utf16_cut, utf16_length
from playground.world.records import Json

_PLAIN = {"bold": "strong", "italic": "em", "underline": "u", "strikethrough": "s", "code": "code"}
_BLOCKS = frozenset({"pre", "blockquote", "expandable_blockquote"})


def render_entities(text: str, entities: Sequence[Json]) -> str:
    """Render a text with its entities, which must be sorted as Telegram sorts them."""
    return _render_range(text, 0, utf16_length(text), entities)


def _render_range(text: str, start: int, end: int, entities: Sequence[Json]) -> str:
    rendered: list[str] = []
    position = start
    while entities:
        entity, *others = entities
        begin, stop = max(entity["offset"], position), min(entity["offset"] + entity["length"], end)
        if begin < stop:
            covered = utf16_cut(text, begin, stop - begin)
            inner = _render_range(text, begin, stop, [other for other in others if other["offset"] < stop])
            rendered += [escape(utf16_cut(text, position, begin - position)), _render_entity(entity, inner, covered)]
            position = stop
            # A block element ends the line; the newline after it would add an empty line.
            if entity["type"] in _BLOCKS and utf16_cut(text, position, 1) == "\n":
                position += 1
            others = [other for other in others if other["offset"] + other["length"] > stop]
        entities = others
    return "".join([*rendered, escape(utf16_cut(text, position, end - position))])


def _render_entity(entity: Json, inner: str, covered: str) -> str:
    kind = str(entity["type"])
    if tag := _PLAIN.get(kind):
        return f"<{tag}>{inner}</{tag}>"
    match kind:
        case "pre":
            return f"<pre><code>{inner}</code></pre>"
        case "blockquote" | "expandable_blockquote":
            return f"<blockquote>{inner}</blockquote>"
        case "text_link" | "url":
            return render_link(entity.get("url", covered), inner)
        case "spoiler":
            return f'<span class="spoiler shown"><span class="spoiled">{inner}</span></span>'
        case _:
            return f'<span class="tinted">{inner}</span>'


def render_link(address: str, inner: str, cls: str = "tinted") -> str:
    """Render a link; an address that is not http or https becomes a span."""
    if urlsplit(address).scheme not in {"http", "https"}:
        return f'<span class="{cls}">{inner}</span>'
    return f'<a class="{cls}" href="{escape(address)}" rel="noopener noreferrer">{inner}</a>'
