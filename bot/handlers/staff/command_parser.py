"""Parses what support staff type and press.

Arguments may come in any order and in several spellings; the data of a button are checked as untrusted input. Nothing
here reads the store. An argument that makes no sense is a `CommandProblem`, whose value names the text of the reply.
"""

import re
import unicodedata
from calendar import monthrange
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum

from verification.attempts import Method
from verification.ids import Account
from verification.invitations import InvalidLinkRequest, LinkId, is_link_id, read_account, read_campaign
from verification.support.funnel import FunnelQuery
from verification.support.service import is_valid_ttl

STAFF_PREFIX = "s"
"""The first part of the callback data of staff buttons."""

_METHODS = {"wechat": Method.WECHAT, "微信": Method.WECHAT, "qq": Method.QQ, "face": Method.FACE, "人脸": Method.FACE}
_LANGUAGES = {"zh": "zh", "中文": "zh", "en": "en", "英文": "en", "english": "en"}
_TTL = re.compile(r"(\d{1,5})(m|h|d|min|分钟|小时|天)")
_UNITS = {"m": 1, "min": 1, "分钟": 1, "h": 60, "小时": 60, "d": 1440, "天": 1440}
_DAYS = re.compile(r"(\d{1,3})(?:d|天)")
_DATE = re.compile(r"(\d{4})-(\d{1,2})(?:-(\d{1,2}))?")
_TODAY = {"today", "今天"}
_DEFAULT_DAYS = 7
_PAGE = re.compile(r"\d{1,4}")


class StaffCommand(StrEnum):
    """A command of support staff."""

    LINK = "link"
    LINKS = "links"
    ATTEMPT = "attempt"
    FUNNEL = "funnel"
    SHARE = "share"
    HELP = "help"


class ButtonAction(StrEnum):
    """What a staff button does; `CONFIRM_REVOKE` is the second press, which ends a link."""

    LIST = "list"
    CARD = "card"
    CODE = "code"
    PRINT = "print"
    REVOKE = "revoke"
    CONFIRM_REVOKE = "really"
    POSTER = "poster"


class CommandProblem(StrEnum):
    """What is wrong with the arguments of a command; the value names the text that says so."""

    NO_ACCOUNT = "link_how"
    ACCOUNT = "account"
    CAMPAIGN = "campaign"
    WAIT = "wait"
    WORD = "word"
    CODE = "code"
    PERIOD = "period"
    SHARE = "share_how"
    METHOD_OFF = "method_off"


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkArguments:
    """The arguments of /link."""

    account: Account
    campaign: str = ""
    ttl: timedelta | None = None
    method: Method | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class ListPage:
    """A page of the list of links; a campaign of None means the links of all campaigns."""

    page: int = 0
    campaign: str | None = None


@dataclass(frozen=True, slots=True)
class ButtonData:
    """The data of a staff button: the action, the link or public target, and the list page to return to, if any."""

    action: ButtonAction
    about: str = ""
    list_page: ListPage | None = None

    @property
    def link(self) -> LinkId:
        """The link that the button is about."""
        return LinkId(self.about)

    @property
    def callback_data(self) -> str:
        """The callback data: at most 64 bytes, Telegram's limit, and nothing about a person."""
        page = (str(self.list_page.page), self.list_page.campaign or "") if self.list_page else ()
        return ":".join((STAFF_PREFIX, self.action, self.about, *page))


def read_button_data(data: str) -> ButtonData | None:
    """Read callback data; None for data that no staff button has."""
    match data.split(":"):
        case [kind, verb, about]:
            list_page = None
        case [kind, verb, about, page, campaign]:
            list_page = _list_page(page, campaign)
        case _:
            return None
    if kind != STAFF_PREFIX or verb not in set(ButtonAction) or (list_page is None and data.count(":") > 2):
        return None
    button = ButtonData(ButtonAction(verb), about, list_page)
    match button.action:
        case ButtonAction.LIST:
            is_valid = list_page is not None and not about
        case ButtonAction.POSTER:
            is_valid = list_page is None
        case _:
            is_valid = is_link_id(about)
    return button if is_valid else None


def read_link(text: str) -> LinkArguments | CommandProblem:
    """Read the arguments of /link: an account, then the rest in any order."""
    account, *words = _words(text) or [""]
    if not account:
        return CommandProblem.NO_ACCOUNT
    try:
        arguments = LinkArguments(account=read_account(account))
    except InvalidLinkRequest:
        return CommandProblem.ACCOUNT
    return _add_words(arguments, words)


def read_links(text: str) -> ListPage | CommandProblem:
    """Read the argument of /links: a campaign, or nothing."""
    try:
        return ListPage(campaign=read_campaign("".join(_words(text))) or None)
    except InvalidLinkRequest:
        return CommandProblem.CAMPAIGN


def read_funnel(text: str, today: date) -> FunnelQuery | CommandProblem:
    """Read the arguments of /funnel: a campaign and a period, which is the last seven days by default."""
    since, until = today - timedelta(days=_DEFAULT_DAYS - 1), today
    campaign: str | None = None
    for word in _words(text):
        try:
            period = _period(word, today)
            if period is not None:
                since, until = period
            elif campaign is None:
                campaign = read_campaign(word)
            else:
                return CommandProblem.PERIOD
        except ValueError:
            return CommandProblem.PERIOD
    return FunnelQuery(since=since, until=until, campaign=campaign)


def method_in(word: str) -> Method | None:
    """The method that a word names, if any."""
    return _METHODS.get(word.casefold())


def language_in(word: str) -> str | None:
    """The language that a word names, if any."""
    return _LANGUAGES.get(word.casefold())


def _words(text: str) -> list[str]:
    return unicodedata.normalize("NFKC", text).split()


def _add_words(arguments: LinkArguments, words: Iterable[str]) -> LinkArguments | CommandProblem:
    for word in words:
        extended = _add_word(arguments, word)
        if isinstance(extended, CommandProblem):
            return extended
        arguments = extended
    return arguments


def _add_word(arguments: LinkArguments, word: str) -> LinkArguments | CommandProblem:
    if method := method_in(word):
        return CommandProblem.WORD if arguments.method else replace(arguments, method=method)
    if language := language_in(word):
        return CommandProblem.WORD if arguments.language else replace(arguments, language=language)
    if match := _TTL.fullmatch(word.casefold()):
        ttl = timedelta(minutes=int(match[1]) * _UNITS[match[2]])
        return replace(arguments, ttl=ttl) if is_valid_ttl(ttl) else CommandProblem.WAIT
    if arguments.campaign:
        return CommandProblem.WORD
    try:
        return replace(arguments, campaign=read_campaign(word))
    except InvalidLinkRequest:
        return CommandProblem.CAMPAIGN


def _period(word: str, today: date) -> tuple[date, date] | None:
    """The first and last day that a word names, if any; raises `ValueError` for a date that does not exist."""
    if word.casefold() in _TODAY:
        return today, today
    if match := _DAYS.fullmatch(word.casefold()):
        return today - timedelta(days=max(int(match[1]), 1) - 1), today
    match = _DATE.fullmatch(word)
    return None if match is None else _dates(int(match[1]), int(match[2]), match[3])


def _dates(year: int, month: int, day: str | None) -> tuple[date, date]:
    first = date(year, month, int(day or 1))
    if day is not None:
        return first, first
    return first, first.replace(day=monthrange(year, month)[1])


def _list_page(page: str, campaign: str) -> ListPage | None:
    try:
        return ListPage(int(page), read_campaign(campaign) or None) if _PAGE.fullmatch(page) else None
    except InvalidLinkRequest:
        return None
