"""Telegram's HTML: whether a text is well formed, and how long Telegram finds it.

Stricter than the server, where a bare `>` or `&` passes: what is refused here is a slip of whoever wrote the text.
"""

import html
import re
from collections.abc import Iterator, Set

TAGS = frozenset({"b", "strong", "i", "em", "u", "s", "code", "pre", "a", "blockquote", "tg-spoiler", "tg-time"})
_TOKEN = re.compile(r"<(/?)([a-z-]+)([^<>]*)>|(?:&(?:lt|gt|amp|quot|#\d+);)|(?P<bare>[<>&])")
_ATTRIBUTES = {
    "a": r' href="https://[^"\s]+"',
    "tg-time": r' unix="\d+"( format="[A-Za-z]+")?',
    "blockquote": "( expandable)?",
}


def find_error(source: str, tags: Set[str] = TAGS) -> str | None:
    """What is wrong with a text, or None."""
    stack: list[str] = []
    found = next((wrong for piece in _TOKEN.finditer(source) for wrong in _errors_in(piece, stack, tags)), None)
    if found is None and stack:
        return f"<{stack[-1]}> is never closed"
    return found


def strip_tags(source: str) -> str:
    """What a person reads of a text."""
    return html.unescape(re.sub(r"<[^<>]+>", "", source))


def telegram_length(source: str) -> int:
    """How long Telegram finds a text: without tags, in UTF-16 units."""
    return len(strip_tags(source).encode("utf-16-le", "surrogatepass")) // 2


def _errors_in(piece: re.Match[str], stack: list[str], tags: Set[str]) -> Iterator[str]:
    """The fault of one piece, if it has one; `stack` holds the tags that are open, and is kept up."""
    end, tag, rest = piece.group(1, 2, 3)
    if piece["bare"]:
        yield f"bare {piece['bare']}"
    elif tag and end:
        if rest or not stack or stack.pop() != tag:
            yield f"</{tag}{rest}> closes nothing"
    elif tag:
        if tag not in tags or not re.fullmatch(_ATTRIBUTES.get(tag, ""), rest):
            yield f"<{tag}{rest}> is not allowed"
        elif tag in stack or (stack and stack[-1] in {"code", "pre"}):
            yield f"<{tag}> may not stand in <{stack[-1]}>"
        stack.append(tag)
