"""Reads the FAQ from `texts/faq.*.toml`, and checks it completely before the bot starts.

Operators edit these files, so a mistake is reported in one line: the file, the entry, and what is wrong.
"""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from string import Formatter
from urllib.parse import urlsplit

from msgspec import field

from bot.content import telegram_html
from bot.content.conditions import conditions
from verification.attempts import TYPED_METHODS, Method
from verification.record import Record

TAGS = frozenset({"b", "i", "code", "a", "blockquote"})
_KEYS = ("id", "title", "answer", "links", "keywords", "method")
_CONDITIONS = conditions(tuple(Method))
_VALUES = {"days": 30, "methods": "", "scans": "", "operator": "", "contact": "", "services": ""}
_ID = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_LONGEST_ID = 40
"""An id is part of callback data and of a start link, which have at most 64 bytes each (Bot API)."""
_LABEL = 64
_MESSAGE = 4096
_LINKS = 8
_LETTER = re.compile(r"\w")
_KEYWORD = 60


class BadTopics(Exception):
    """The FAQ has a mistake; the message is one line."""


class _EntryProblem(Exception):
    """What is wrong with an entry, without the file and the entry's name."""


class Entry(Record, kw_only=True):
    """One topic of the FAQ; `keywords` are the words that people use for it.

    A topic with a `method` matters only where that method is on; so does a link whose address is in `link_methods`.
    """

    id: str
    title: str
    answer: str
    links: tuple[tuple[str, str], ...]
    keywords: tuple[str, ...] = ()
    method: Method | None = None
    link_methods: Mapping[str, Method] = field(default_factory=dict)


def read(folder: Path, languages: Sequence[str]) -> dict[str, tuple[Entry, ...]]:
    """The entries of every language, with the same ids in each; raises `BadTopics` on the first mistake."""
    paths = {language: folder / f"faq.{language}.toml" for language in languages}
    found = {language: _read(path) for language, path in paths.items()}
    model, *others = languages
    for language in others:
        _compare(paths[language], found[language], paths[model].name, found[model])
    return found


def _read(path: Path) -> tuple[Entry, ...]:
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadTopics(f"{_name(path)}: {error}") from None
    listed = table.get("topic")
    if set(table) != {"topic"} or not isinstance(listed, list) or not listed:
        raise BadTopics(f"{_name(path)}: it holds entries that begin with [[topic]], and nothing else")
    entries: dict[str, Entry] = {}
    for number, raw in enumerate(listed, 1):
        try:
            entry = _entry(raw)
            _check_unique(entry, entries.values())
        except _EntryProblem as problem:
            raise BadTopics(f"{_location(path, raw, number)}: {problem}") from None
        entries[entry.id] = entry
    return tuple(entries.values())


def _entry(raw: object) -> Entry:
    if not isinstance(raw, Mapping):
        raise _EntryProblem("write it as [[topic]] with its keys below")
    unknown = sorted(set(raw) - set(_KEYS))
    if unknown:
        raise _EntryProblem(f"{unknown[0]}: there is no such key; there are {', '.join(_KEYS)}")
    entry = Entry(
        id=_text(raw, "id"),
        title=_text(raw, "title"),
        answer=_text(raw, "answer"),
        links=tuple(_links(raw)),
        keywords=tuple(_keywords(raw)),
        method=_method(raw),
        link_methods=_link_methods(raw),
    )
    _check_id(entry.id)
    _check_label(entry.title, "title")
    _check_answer(entry)
    return entry


def _check_id(name: str) -> None:
    if not _ID.fullmatch(name) or len(name) > _LONGEST_ID:
        raise _EntryProblem(f"id: write it in a-z, 0-9 and single _, at most {_LONGEST_ID} of them")


def _check_label(label: str, key: str) -> None:
    """A label is shown on a button as it is."""
    if telegram_html.telegram_length(label) > _LABEL or "\n" in label:
        raise _EntryProblem(f"{key}: one line of at most {_LABEL} characters fits on a button")


def _check_answer(entry: Entry) -> None:
    try:
        names = {name for _, name, _, _ in Formatter().parse(entry.answer) if name is not None}
        shown = entry.answer.format(**_VALUES, **_CONDITIONS)
    except (ValueError, LookupError):
        names, shown = {""}, ""
    if names - {*_VALUES, *_CONDITIONS}:
        known = ", ".join([*(f"{{{name}}}" for name in _VALUES), *(f"{{{name}:…}}" for name in _CONDITIONS)])
        raise _EntryProblem(f"answer: the only things in braces may be {known}; write other braces twice")
    error = telegram_html.find_error(shown, TAGS)
    if error:
        raise _EntryProblem(
            f"answer: {error}; the tags are {', '.join(sorted(TAGS))}, and < > & are written &lt; &gt; &amp;"
        )
    size = telegram_html.telegram_length(f"{entry.title}\n\n{shown}")
    if size > _MESSAGE:
        raise _EntryProblem(f"answer: with its title it has {size} characters; a Telegram message holds {_MESSAGE}")


def _check_unique(entry: Entry, before: Iterable[Entry]) -> None:
    for other in before:
        if entry.id == other.id:
            raise _EntryProblem("id: another entry has it already")
        if entry.title == other.title:
            raise _EntryProblem(f'title: the entry "{other.id}" has it already')


def _links(raw: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    links = raw.get("links", [])
    if not isinstance(links, list) or len(links) > _LINKS:
        raise _EntryProblem(f"links: write a list of at most {_LINKS}")
    for number, link in enumerate(links, 1):
        if not isinstance(link, Mapping) or set(link) - {"method"} != {"label", "url"}:
            raise _EntryProblem(f'links: number {number}: write {{ label = "…", url = "https://…" }}')
        label, url = _text(link, "label", f"links: number {number}: "), _text(link, "url", f"links: number {number}: ")
        _check_label(label, f"links: number {number}: label")
        if not _is_https(url):
            raise _EntryProblem(f"links: number {number}: url: write an address that begins with https://")
        yield label, url


def _link_methods(raw: Mapping[str, object]) -> Mapping[str, Method]:
    links = raw.get("links", [])
    assert isinstance(links, list)  # noqa: S101 - `_links` has checked it
    return {link["url"]: method for link in links if (method := _method(link)) is not None}


def _method(raw: Mapping[str, object]) -> Method | None:
    method = raw.get("method")
    if method is not None and method not in set(Method):
        raise _EntryProblem(f"method: write one of {', '.join(TYPED_METHODS)}")
    return None if method is None else Method(str(method))


def _keywords(raw: Mapping[str, object]) -> Iterator[str]:
    keywords = raw.get("keywords", [])
    if not isinstance(keywords, list):
        raise _EntryProblem('keywords: write a list, ["…", "…"]')
    for word in keywords:
        if not isinstance(word, str) or len(word) > _KEYWORD or not _is_searchable(word):
            raise _EntryProblem(
                f"keywords: {word!r}: write words of 2 to {_KEYWORD} letters, with + between such as must all occur"
            )
        yield word


def _is_searchable(word: str) -> bool:
    return all(map(_LETTER.search, word.split("+"))) and len(_LETTER.findall(word)) >= 2


def _text(raw: Mapping[str, object], key: str, where: str = "") -> str:
    text = raw.get(key)
    if not isinstance(text, str) or not text.strip():
        raise _EntryProblem(f"{where}{key}: " + ("it is missing" if key not in raw else "write a text"))
    return text


def _is_https(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme == "https" and "." in (parts.hostname or "") and not re.search(r'[\s"<>]', url)
    except ValueError:
        return False


def _compare(path: Path, entries: Sequence[Entry], model_name: str, model: Sequence[Entry]) -> None:
    """Raise `BadTopics` unless both languages have the same entries in the same order, with the same links."""
    mine, theirs = [entry.id for entry in entries], [entry.id for entry in model]
    if unpaired := sorted(set(mine) ^ set(theirs)):
        missing, other_file = (path.name, model_name) if unpaired[0] in theirs else (model_name, path.name)
        raise BadTopics(f'{path.parent.name}/{missing}: entry "{unpaired[0]}": it is missing; {other_file} has it')
    for one, other in zip(entries, model, strict=True):
        where = f'{_name(path)}: entry "{one.id}"'
        if one.id != other.id:
            raise BadTopics(f'{where}: here {model_name} has "{other.id}"; the order is the same in both files')
        if [url for _, url in one.links] != [url for _, url in other.links]:
            raise BadTopics(f"{where}: links: the addresses differ from those in {model_name}")
        if (one.method, one.link_methods) != (other.method, other.link_methods):
            raise BadTopics(f"{where}: method: it differs from that in {model_name}")


def _name(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


def _location(path: Path, raw: object, number: int) -> str:
    name = raw.get("id") if isinstance(raw, Mapping) else None
    is_named = isinstance(name, str) and name.strip()
    return f'{_name(path)}: entry "{name}"' if is_named else f"{_name(path)}: entry number {number}"
