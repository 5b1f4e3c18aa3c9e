"""The bot's texts, read from its TOML files, as patterns that scripts name by key.

`<texts>/<language>.toml` and `<texts>/<part>.<language>.toml` together are one language. Nested tables become dotted
keys; a list of tables that have an `id` is keyed by it. Values are Telegram HTML with `{placeholders}`: tags are
removed, and a placeholder matches any text.
"""

from __future__ import annotations

import html
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path

from chatscript.language.patterns import LiteralText, Wildcard

DEFAULT_LANGUAGE = "zh"

TextParts = tuple[LiteralText | Wildcard, ...]

_TAG = re.compile(r"</?[a-zA-Z][^<>]*>|</>")
_PLACEHOLDER = re.compile(r"\{\{|\}\}|\{[^{}]*\}")


class BotTextsUnreadable(Exception):
    """A file of texts is not valid TOML."""


@dataclass(frozen=True, slots=True)
class BotTexts:
    """All texts of all languages."""

    languages: Mapping[str, Mapping[str, TextParts]] = field(default_factory=dict)

    def language_for(self, code: str, default: str) -> str:
        """Return the language of the texts for a Telegram language code: `zh` for `zh-hans`."""
        short = code.partition("-")[0]
        return short if short in self.languages else default

    def sentence(self, language: str, key: str) -> TextParts:
        """Return the text of a key that has been checked before."""
        return self.languages[language][key]

    def find_problem(self, language: str, key: str, *, typed: bool) -> str | None:
        """Return why a key cannot be used, or None. `typed` means that a person types its text."""
        known = self.languages.get(language)
        if known is None:
            existing = ", ".join(self.languages) or "none"
            return f"the bot has no texts in {language!r} (it has: {existing})"
        if key not in known:
            near = get_close_matches(key, known, 1)
            return f"no text {key!r} in {language!r}" + (f"; did you mean {near[0]!r}?" if near else "")
        if typed and any(isinstance(part, Wildcard) for part in known[key]):
            return f"{key!r} has placeholders, so a person cannot type it"
        return None


def load_bot_texts(folder: Path) -> BotTexts:
    """Read every language in a folder; a missing folder gives no texts. Raises `BotTextsUnreadable`."""
    languages: dict[str, dict[str, TextParts]] = {}
    for path in sorted(folder.glob("*.toml")):
        try:
            tables = tomllib.loads(path.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise BotTextsUnreadable(f"{path}: {error}") from None
        language = path.stem.rpartition(".")[2]
        texts = {key: parse_sentence(value) for key, value in _flatten(tables, "")}
        languages.setdefault(language, {}).update(texts)
    return BotTexts(languages)


def parse_sentence(markup: str) -> TextParts:
    """Turn Telegram HTML into the text that a person reads, with a wildcard for each placeholder."""
    parts: list[LiteralText | Wildcard] = []
    position = 0
    plain = _TAG.sub("", markup)
    for placeholder in _PLACEHOLDER.finditer(plain):
        parts.append(LiteralText(html.unescape(plain[position : placeholder.start()])))
        doubled = placeholder.group() in ("{{", "}}")
        parts.append(LiteralText(placeholder.group()[0]) if doubled else Wildcard())
        position = placeholder.end()
    parts.append(LiteralText(html.unescape(plain[position:])))
    return tuple(part for part in parts if part != LiteralText(""))


def _flatten(value: object, key: str) -> Iterator[tuple[str, str]]:
    match value:
        case str():
            yield key, value
        case dict():
            for name, inner in value.items():
                yield from _flatten(inner, f"{key}.{name}" if key else str(name))
        case list():
            for number, inner in enumerate(value):
                name = inner.get("id", number) if isinstance(inner, dict) else number
                yield from _flatten(inner, f"{key}.{name}")
        case _:
            pass
