"""Checks Telegram's HTML (Bot API, "HTML style"), and computes its length as Telegram counts it.

The check is stricter than the server, which accepts a bare `>` or `&`: such a text is probably a mistake of its author.
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
    """The first error of a text in words, or None."""
    stack: list[str] = []
    found = next((wrong for piece in _TOKEN.finditer(source) for wrong in _errors_in(piece, stack, tags)), None)
    if found is None and stack:
        return f"<{stack[-1]}> is never closed"
    return found


def strip_tags(source: str) -> str:
    """The text that a person reads, without markup."""
    return html.unescape(re.sub(r"<[^<>]+>", "", source))


def telegram_length(source: str) -> int:
    """The length of a text as Telegram counts it: without tags, in UTF-16 code units."""
    return len(strip_tags(source).encode("utf-16-le", "surrogatepass")) // 2


def _errors_in(piece: re.Match[str], stack: list[str], tags: Set[str]) -> Iterator[str]:
    """The errors of one token; updates `stack`, the open tags."""
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
