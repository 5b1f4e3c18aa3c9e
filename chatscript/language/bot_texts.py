"""The bot's own sentences, read from its TOML files, as patterns that scripts can name by key.

`<texts>/<language>.toml` and `<texts>/<part>.<language>.toml` together: nested tables become dotted keys, and a list of
tables with an `id` is keyed by it. Values are Telegram HTML with `{placeholders}`: the tags
go, a placeholder stands for any text.
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

Sentence = tuple[LiteralText | Wildcard, ...]

_TAG = re.compile(r"</?[a-zA-Z][^<>]*>|</>")
_PLACEHOLDER = re.compile(r"\{\{|\}\}|\{[^{}]*\}")


class BotTextsUnreadable(Exception):
    """A file of texts that is no TOML."""


@dataclass(frozen=True, slots=True)
class BotTexts:
    """Every sentence of every language."""

    languages: Mapping[str, Mapping[str, Sentence]] = field(default_factory=dict)

    def language_for(self, code: str, default: str) -> str:
        """Choose the catalogue that serves a Telegram language code: `zh-hans` is served by `zh`."""
        short = code.partition("-")[0]
        return short if short in self.languages else default

    def sentence(self, language: str, key: str) -> Sentence:
        """Return a sentence; its key has been checked."""
        return self.languages[language][key]

    def find_problem(self, language: str, key: str, *, typed: bool) -> str | None:
        """Tell why a key cannot stand where it stands, or None."""
        known = self.languages.get(language)
        if known is None:
            there = ", ".join(self.languages) or "none"
            return f"the bot has no texts in {language!r} (there: {there})"
        if key not in known:
            near = get_close_matches(key, known, 1)
            return f"no text {key!r} in {language!r}" + (f"; did you mean {near[0]!r}?" if near else "")
        if typed and any(isinstance(part, Wildcard) for part in known[key]):
            return f"{key!r} has placeholders, so nobody can type it"
        return None


def load_bot_texts(folder: Path) -> BotTexts:
    """Read every language in a folder; a folder that is not there gives an empty catalogue."""
    languages: dict[str, dict[str, Sentence]] = {}
    for path in sorted(folder.glob("*.toml")):
        try:
            tables = tomllib.loads(path.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise BotTextsUnreadable(f"{path}: {error}") from None
        language = path.stem.rpartition(".")[2]
        found = {key: parse_sentence(value) for key, value in _flatten(tables, "")}
        languages.setdefault(language, {}).update(found)
    return BotTexts(languages)


def parse_sentence(markup: str) -> Sentence:
    """Turn a marked-up sentence into what a person reads, with its holes."""
    parts: list[LiteralText | Wildcard] = []
    position = 0
    plain = _TAG.sub("", markup)
    for hole in _PLACEHOLDER.finditer(plain):
        parts.append(LiteralText(html.unescape(plain[position : hole.start()])))
        doubled = hole.group() in ("{{", "}}")
        parts.append(LiteralText(hole.group()[0]) if doubled else Wildcard())
        position = hole.end()
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
