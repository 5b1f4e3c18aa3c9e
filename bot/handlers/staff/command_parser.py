"""What support's people write and press: words in any order, forgiving in their form; data of buttons, read anew.

Nothing here looks anything up. What cannot be meant is a `Slip`, which names the text that tells of it.
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
"""What the data of support's buttons begin with."""

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
    """What support's people may ask for."""

    LINK = "link"
    LINKS = "links"
    ATTEMPT = "attempt"
    FUNNEL = "funnel"
    SHARE = "share"
    HELP = "help"


class ButtonAction(StrEnum):
    """What support's buttons do; `REALLY` is the second press that ends a link."""

    LIST = "list"
    CARD = "card"
    CODE = "code"
    PRINT = "print"
    REVOKE = "revoke"
    CONFIRM_REVOKE = "really"
    POSTER = "poster"


class CommandProblem(StrEnum):
    """Words that cannot be meant, by the text that says so."""

    NO_ACCOUNT = "link_how"
    ACCOUNT = "account"
    CAMPAIGN = "campaign"
    WAIT = "wait"
    WORD = "word"
    CODE = "code"
    PERIOD = "period"
    SHARE = "share_how"


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkArguments:
    """What a link is wanted for."""

    account: Account
    campaign: str = ""
    ttl: timedelta | None = None
    method: Method | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class ListPage:
    """A page of the list of links; a campaign of None is all of them."""

    page: int = 0
    campaign: str | None = None


@dataclass(frozen=True, slots=True)
class ButtonData:
    """A pressed button: what it does, to which link or shared word, and to which page it leads back, if to any."""

    action: ButtonAction
    about: str = ""
    list_page: ListPage | None = None

    @property
    def link(self) -> LinkId:
        """The link it is about."""
        return LinkId(self.about)

    @property
    def callback_data(self) -> str:
        """The button's data: at most 64 bytes, and nothing of anybody's."""
        where = (str(self.list_page.page), self.list_page.campaign or "") if self.list_page else ()
        return ":".join((STAFF_PREFIX, self.action, self.about, *where))


def read_button_data(data: str) -> ButtonData | None:
    """Read the data of a pressed button; None for what none of ours has."""
    match data.split(":"):
        case [kind, verb, about]:
            spot = None
        case [kind, verb, about, page, campaign]:
            spot = _list_page(page, campaign)
        case _:
            return None
    if kind != STAFF_PREFIX or verb not in set(ButtonAction) or (spot is None and data.count(":") > 2):
        return None
    press = ButtonData(ButtonAction(verb), about, spot)
    match press.action:
        case ButtonAction.LIST:
            known = spot is not None and not about
        case ButtonAction.POSTER:
            known = spot is None
        case _:
            known = is_link_id(about)
    return press if known else None


def read_link(text: str) -> LinkArguments | CommandProblem:
    """Read what stands behind /link: an account, then words in any order."""
    account, *words = _words(text) or [""]
    if not account:
        return CommandProblem.NO_ACCOUNT
    try:
        wanted = LinkArguments(account=read_account(account))
    except InvalidLinkRequest:
        return CommandProblem.ACCOUNT
    return _add_words(wanted, words)


def read_links(text: str) -> ListPage | CommandProblem:
    """Read what stands behind /links: a campaign, or nothing."""
    try:
        return ListPage(campaign=read_campaign("".join(_words(text))) or None)
    except InvalidLinkRequest:
        return CommandProblem.CAMPAIGN


def read_funnel(text: str, today: date) -> FunnelQuery | CommandProblem:
    """Read what stands behind /funnel: a campaign and a period, seven days if none is given."""
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
    """The way a word names."""
    return _METHODS.get(word.casefold())


def language_in(word: str) -> str | None:
    """The language a word names."""
    return _LANGUAGES.get(word.casefold())


def _words(text: str) -> list[str]:
    return unicodedata.normalize("NFKC", text).split()


def _add_words(wanted: LinkArguments, words: Iterable[str]) -> LinkArguments | CommandProblem:
    for word in words:
        fuller = _add_word(wanted, word)
        if isinstance(fuller, CommandProblem):
            return fuller
        wanted = fuller
    return wanted


def _add_word(wanted: LinkArguments, word: str) -> LinkArguments | CommandProblem:
    if method := method_in(word):
        return CommandProblem.WORD if wanted.method else replace(wanted, method=method)
    if language := language_in(word):
        return CommandProblem.WORD if wanted.language else replace(wanted, language=language)
    if match := _TTL.fullmatch(word.casefold()):
        ttl = timedelta(minutes=int(match[1]) * _UNITS[match[2]])
        return replace(wanted, ttl=ttl) if is_valid_ttl(ttl) else CommandProblem.WAIT
    if wanted.campaign:
        return CommandProblem.WORD
    try:
        return replace(wanted, campaign=read_campaign(word))
    except InvalidLinkRequest:
        return CommandProblem.CAMPAIGN


def _period(word: str, today: date) -> tuple[date, date] | None:
    """The days that a word names; raises `ValueError` for days that no calendar has."""
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
