"""Reads every sentence that a person sees from `bot/texts/*.toml`, and fills it in by language and key.

A text is Telegram HTML with `{placeholders}`. All values are escaped here, so that no text that a person typed can
become markup, and no template is built from a value. `{if_qq:…}` is a part of a text that stands only where the method
is on; `{methods}` names the methods that are on.
"""

import html
import tomllib
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime, timedelta, timezone
from functools import cache
from pathlib import Path

from msgspec import field
from msgspec.structs import replace

from bot.content.conditions import conditions, method_names
from bot.content.topics import Entry as Entry
from bot.content.topics import read
from bot.flow.effects import LANGUAGES as LANGUAGES  # other front-end modules import them from here
from bot.flow.effects import ClockTime, RemainingTime, Sensitive, TextKey, Value
from verification.attempts import Method
from verification.invitations import CHAT_ACCOUNT_PREFIX
from verification.record import Record

FOLDER = Path(__file__).parents[1] / "texts"
_STAFF = "staff."
"""Texts for staff, who read of other people's accounts."""
_BEIJING = timezone(timedelta(hours=8))


class Catalogue(Record):
    """All texts of all languages; any text may use the `constants`, which are markup already.

    `methods` are those that are on; `faq` holds the topics that matter to them.
    """

    texts: Mapping[str, Mapping[str, str]]
    faq: Mapping[str, tuple[Entry, ...]]
    constants: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    methods: tuple[Method, ...] = tuple(Method)

    def text(self, language: str, key: str, values: Mapping[str, Value] | None = None) -> str:
        """The text of a key, filled in; a missing key raises `KeyError`, which a test rules out."""
        shown = {name: self._format_value(language, value) for name, value in (values or {}).items()}
        if "account" in shown and not key.startswith(_STAFF):
            shown["account"] = self._name_account(language, shown["account"])
        return self.texts[language][key].format_map({**self.constants.get(language, {}), **shown})

    def entry(self, language: str, topic: str) -> Entry | None:
        """A topic of the FAQ, with its answer filled in."""
        for entry in self.faq[language]:
            if entry.id == topic:
                return replace(entry, answer=entry.answer.format_map(self.constants.get(language, {})))
        return None

    def titles(self, language: str) -> dict[str, str]:
        """The titles of the FAQ's topics."""
        return {entry.id: entry.title for entry in self.faq[language]}

    def section(self, language: str, prefix: str) -> dict[str, str]:
        """All texts under a prefix, with the prefix."""
        return {key: text for key, text in self.texts[language].items() if key.startswith(prefix)}

    def _name_account(self, language: str, account: str) -> str:
        """A masked account as its owner reads it: the account of the chat itself is named as such."""
        own = account.removeprefix(CHAT_ACCOUNT_PREFIX)
        return account if own == account else self.texts[language]["account.own"].format(id=own)

    def _format_value(self, language: str, value: Value) -> str:
        match value:
            case TextKey(key):
                return self.text(language, key)
            case datetime():
                return _format_time(value, "dt", "%m-%d %H:%M (UTC+8)")
            case ClockTime(at):
                return _format_time(at, "t", self.text(language, "time.clock"))
            case RemainingTime(at):
                return _format_time(at, "r", html.escape(self.text(language, "time.left")))
            case Sensitive(text):
                return html.escape(text, quote=False)
            case _:
                return html.escape(value, quote=False)


class Operator(Record):
    """Who runs the bot, and how people reach them; `url` opens the contact, where a button can. Empty for not given."""

    name: str = ""
    contact: str = ""
    url: str = ""


_NO_OPERATOR = Operator()


def load(
    *,
    days: int,
    methods: tuple[Method, ...] = tuple(Method),
    simulated: Collection[Method] = (),
    operator: Operator = _NO_OPERATOR,
    services: Iterable[str] = ("simulated",),
    folder: Path = FOLDER,
) -> Catalogue:
    """Read all texts; `days` is the retention, and `methods` are those that are on.

    Where some of them are `simulated`, a banner says so before a method is chosen. Without a contact of the operator,
    people are sent to the cloud's own support page. `services` verify: kinds of providers that a text names, or hosts.
    """
    read_texts, faq = _read(folder)
    texts = {language: {**of, "page.operator": _page_operator(of, operator)} for language, of in read_texts.items()}
    constants = {
        language: {
            **_operator_constants(texts[language], operator),
            "services": _service_names(texts[language], services),
            "days": str(days),
            "test": _banner(texts[language], methods, simulated),
            **method_names(texts[language], methods),
            **conditions(methods),
        }
        for language in LANGUAGES
    }
    shown = {language: tuple(_about(faq[language], methods)) for language in LANGUAGES}
    return Catalogue(texts, shown, constants, methods)


def _banner(texts: Mapping[str, str], methods: Collection[Method], simulated: Collection[Method]) -> str:
    if not simulated:
        return ""
    return texts["test_banner" if set(simulated) >= set(methods) else "test_banner_some"]


def _about(entries: Iterable[Entry], methods: Collection[Method]) -> Iterator[Entry]:
    """The topics that matter while these methods are on, with the links that do."""
    for entry in entries:
        if entry.method is None or entry.method in methods:
            off = {url for url, method in entry.link_methods.items() if method not in methods}
            yield replace(entry, links=tuple(link for link in entry.links if link[1] not in off))


def _operator_constants(texts: Mapping[str, str], operator: Operator) -> Mapping[str, str]:
    support_page = texts["operator.contact"]
    return {
        "operator": html.escape(operator.name or texts["operator.name"], quote=False),
        "contact": html.escape(operator.contact or support_page, quote=False),
        "operator_url": operator.url if operator.contact else support_page,
    }


def _page_operator(texts: Mapping[str, str], operator: Operator) -> str:
    """Who runs the bot, for the pages, which escape and format it themselves."""
    name, contact = operator.name or texts["operator.name"], operator.contact or texts["operator.contact"]
    shown = texts["page.operator"].format(operator=name, contact=contact)
    return shown.replace("{", "{{").replace("}", "}}")


def _service_names(texts: Mapping[str, str], services: Iterable[str]) -> str:
    names = dict.fromkeys(texts.get(f"service.{service}", service) for service in services)
    return html.escape(texts["list.or"].join(names), quote=False)


def language_of(code: str | None) -> str | None:
    """Our language for an IETF tag of a Telegram client, such as `zh-hans` or `en-GB`; None without a tag."""
    tag = (code or "").lower()
    if tag.startswith("zh"):
        return "zh"
    return "en" if tag else None


@cache
def _read(folder: Path) -> tuple[Mapping[str, Mapping[str, str]], Mapping[str, tuple[Entry, ...]]]:
    return {language: dict(_texts(folder, language)) for language in LANGUAGES}, read(folder, LANGUAGES)


def _texts(folder: Path, language: str) -> Iterator[tuple[str, str]]:
    for path in (folder / f"{language}.toml", *sorted(folder.glob(f"*.{language}.toml"))):
        if not path.name.startswith("faq."):
            yield from _flat(tomllib.loads(path.read_text(encoding="utf-8")))


def _flat(table: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", str(value)


def _format_time(time: datetime, form: str, fallback: str) -> str:
    """A time that newer clients show in the reader's zone and language (`tg-time`), and older ones in Beijing's."""
    local = time.astimezone(_BEIJING).strftime(fallback)
    return f'<tg-time unix="{int(time.timestamp())}" format="{form}">{local}</tg-time>'
