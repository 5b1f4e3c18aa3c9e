"""Rewrites the links of a page so that they lead through the simulator.

Only start tags with a link are written anew; the rest of the page stays unchanged.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from html.parser import HTMLParser

RewriteLink = Callable[[str], str]

_LINK_ATTRIBUTES = frozenset({"href", "src", "action", "formaction", "poster", "data"})
_REFRESH = re.compile(r"(?is)^(\s*[\d.]+\s*[;,]\s*(?:url\s*=\s*)?)(['\"]?)(.+?)\2\s*$")


def rewrite_links(source: str, rewrite: RewriteLink) -> tuple[str, str]:
    """Return the page with its links rewritten, and its title."""
    page = _LinkRewriter(rewrite)
    page.feed(source)
    page.close()
    return "".join(page.out), "".join(page.title).strip()


def rewrite_refresh(value: str, rewrite: RewriteLink) -> str:
    """Return the value of a Refresh header, or of its meta tag, with its URL rewritten."""
    match = _REFRESH.match(value)
    return f"{match[1]}{match[2]}{rewrite(match[3])}{match[2]}" if match else value


class _LinkRewriter(HTMLParser):
    def __init__(self, rewrite: RewriteLink) -> None:
        super().__init__(convert_charrefs=False)
        self.out: list[str] = []
        self.title: list[str] = []
        self._rewrite = rewrite
        self._in_title = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._in_title = tag == "title"
        source = self.get_starttag_text() or ""
        written = [self._attribute(tag, attrs, name, value) for name, value in attrs]
        if written == [value for _, value in attrs]:
            self.out.append(source)
            return
        pairs = "".join(_pair(name, value) for (name, _), value in zip(attrs, written, strict=True))
        self.out.append(f"<{tag}{pairs}{' /' if source.endswith('/>') else ''}>")

    handle_startendtag = handle_starttag

    def handle_endtag(self, tag: str) -> None:
        self._in_title = False
        self.out.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        self.out.append(data)
        if self._in_title:
            self.title.append(data)

    def handle_entityref(self, name: str) -> None:
        self.handle_reference(f"&{name};")

    def handle_charref(self, name: str) -> None:
        self.handle_reference(f"&#{name};")

    def handle_reference(self, reference: str) -> None:
        self.out.append(reference)
        if self._in_title:
            self.title.append(html.unescape(reference))

    def handle_comment(self, data: str) -> None:
        self.out.append(f"<!--{data}-->")

    def handle_decl(self, decl: str) -> None:
        self.out.append(f"<!{decl}>")

    def unknown_decl(self, data: str) -> None:
        self.out.append(f"<![{data}]{']' if data.startswith('CDATA[') else ''}>")

    def handle_pi(self, data: str) -> None:
        self.out.append(f"<?{data}>")

    def _attribute(self, tag: str, attrs: list[tuple[str, str | None]], name: str, value: str | None) -> str | None:
        if not value:
            return value
        if (
            tag == "meta"
            and name == "content"
            and ("http-equiv", "refresh") in [(key, (given or "").lower()) for key, given in attrs]
        ):
            return rewrite_refresh(value, self._rewrite)
        return self._rewrite(value) if name in _LINK_ATTRIBUTES else value


def _pair(name: str, value: str | None) -> str:
    return f" {name}" if value is None else f' {name}="{html.escape(value)}"'
