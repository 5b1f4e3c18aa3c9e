"""The entities that Telegram finds in a text by itself: commands, mentions, links, hashtags, e-mail addresses.

Offsets and lengths count UTF-16 units: https://core.telegram.org/bots/api#messageentity
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from playground.world.records import Json

_FOUND = re.compile(
    r"(?P<url>https?://[^\s<>\"“”，。；、（）《》]+)"
    r"|(?P<email>[\w.+-]+@[\w-]+\.[A-Za-z]{2,})"
    r"|(?<![\w/@])(?P<bot_command>/[A-Za-z0-9_]{1,64}(?:@[A-Za-z0-9_]{3,32})?)(?![\w/])"
    r"|(?<![\w@])(?P<mention>@[A-Za-z][A-Za-z0-9_]{3,31})\b"
    r"|(?<!\w)(?P<hashtag>\#\w{1,256})"
)
_UNTOUCHED = frozenset({"code", "pre", "text_link", "text_mention"})


def utf16_length(text: str) -> int:
    """Return the length in UTF-16 units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def utf16_cut(text: str, offset: int, length: int) -> str:
    """Return the part of a text that an entity covers; `offset` and `length` are UTF-16 units."""
    units = text.encode("utf-16-le", "surrogatepass")
    return units[2 * offset : 2 * (offset + length)].decode("utf-16-le", "replace")


def add_found_entities(text: str, explicit: Sequence[Json]) -> tuple[Json, ...]:
    """Return the explicit entities, and those found outside code and links, sorted."""
    opaque = [span for entity in explicit if entity["type"] in _UNTOUCHED for span in [_span(entity)]]
    found = [entity for entity in _find(text) if not any(_overlap(_span(entity), span) for span in opaque)]
    return sort_entities([*explicit, *found])


def sort_entities(entities: Iterable[Json]) -> tuple[Json, ...]:
    """Sort as Telegram does: by offset, the longer first."""
    return tuple(sorted(entities, key=lambda entity: (entity["offset"], -entity["length"])))


def _find(text: str) -> Iterable[Json]:
    for match in _FOUND.finditer(text):
        kind = match.lastgroup
        word = match.group().rstrip(".,;:!?)") if kind == "url" else match.group()
        yield {"type": kind, "offset": utf16_length(text[: match.start()]), "length": utf16_length(word)}


def _span(entity: Json) -> tuple[int, int]:
    return entity["offset"], entity["offset"] + entity["length"]


def _overlap(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return one[0] < other[1] and other[0] < one[1]
