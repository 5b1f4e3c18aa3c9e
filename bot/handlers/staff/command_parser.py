"""Parses what support staff type and press.

Arguments may come in any order and in several spellings; the data of a button are checked as untrusted input. Nothing
here reads the store. An argument that makes no sense is a `CommandProblem`, whose value names the text of the reply.
"""

import re
import unicodedata
from calendar import monthrange
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from enum import StrEnum

from msgspec.structs import replace

from verification.attempts import Method
from verification.ids import Account
from verification.invitations import InvalidLinkRequest, LinkId, is_link_id, read_account, read_campaign
from verification.record import Record
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
_MAX_DAYS = 365
_LONGEST_TTL = 30 * 1440
_LAST_MONTH = 12
_UNITS_OF_TIME = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds", "秒"), 1 / 60),
    **dict.fromkeys(("", "m", "min", "mins", "minute", "minutes", "分", "分钟"), 1),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours", "小时"), 60),
    **dict.fromkeys(("d", "day", "days", "天", "日"), 1440),
    **dict.fromkeys(("w", "week", "weeks", "周", "星期"), 10_080),
    **dict.fromkeys(("mo", "month", "months", "月", "个月"), 43_200),
    **dict.fromkeys(("y", "year", "years", "年"), 525_600),
}
"""How many minutes each unit that people write has; without a unit, a number of days in /funnel."""
_LENGTH = re.compile(rf"(\d{{1,9}}(?:\.\d{{1,9}})?)({'|'.join(sorted(_UNITS_OF_TIME, key=len, reverse=True))})")
_LIKE_DATE = re.compile(r"\d{4}年?|\d{8}|\d{2,4}[./年月-]\d{1,2}([./月-]\d{1,2})?[月日号]?|\d{1,2}月(\d{1,2}[日号]?)?")
_DAYS_OF_WORD = {
    **dict.fromkeys(("yesterday", "昨天", "昨日"), 2),
    **dict.fromkeys(("前天",), 3),
    **dict.fromkeys(("week", "本周", "这周"), 7),
    **dict.fromkeys(("上周",), 14),
    **dict.fromkeys(("month", "本月"), 30),
    **dict.fromkeys(("上月", "上个月"), 60),
    **dict.fromkeys(("year", "今年", "去年"), _MAX_DAYS),
}
"""How many days, today included, reach back over what a word means."""
_CAMPAIGN_MARK = "#"
"""Written before a campaign that looks like a time: `#618`."""
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
    FUNNEL = "funnel"


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


class NotUnderstood(Record):
    """A word of a command that was not understood, and the arguments that may have been meant, the nearest first."""

    word: str
    command: StaffCommand
    meanings: tuple[str, ...]


class LinkArguments(Record, kw_only=True):
    """The arguments of /link."""

    account: Account
    campaign: str = ""
    ttl: timedelta | None = None
    method: Method | None = None
    language: str | None = None


class ListPage(Record):
    """A page of the list of links; a campaign of None means the links of all campaigns."""

    page: int = 0
    campaign: str | None = None


class ButtonData(Record):
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
        case ButtonAction.POSTER | ButtonAction.FUNNEL:
            is_valid = list_page is None
        case _:
            is_valid = is_link_id(about)
    return button if is_valid else None


def read_link(text: str) -> LinkArguments | CommandProblem | NotUnderstood:
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


def read_funnel(text: str, today: date) -> FunnelQuery | CommandProblem | NotUnderstood:
    """Read the arguments of /funnel: a campaign and a period, which is the last seven days by default."""
    words = _words(text)

    def is_valid(meaning: str) -> bool:
        return isinstance(read_funnel(meaning, today), FunnelQuery)

    period: tuple[date, date] | None = None
    campaign: str | None = None
    for place, word in enumerate(words):
        try:
            found = _period(word, today)
            if found is not None and period is not None:
                return _second_time(StaffCommand.FUNNEL, words, place)
            if found is None and _is_like_time(word):
                return _not_understood(StaffCommand.FUNNEL, words, place, _nearest_period(word, today), is_valid)
            if found is None and campaign is not None:
                return CommandProblem.PERIOD
            if found is None:
                campaign = read_campaign(word.removeprefix(_CAMPAIGN_MARK))
        except ValueError:
            return CommandProblem.PERIOD
        period = found or period
    since, until = period or (today - timedelta(days=_DEFAULT_DAYS - 1), today)
    return FunnelQuery(since=since, until=until, campaign=campaign)


def method_in(word: str) -> Method | None:
    """The method that a word names, if any."""
    return _METHODS.get(word.casefold())


def language_in(word: str) -> str | None:
    """The language that a word names, if any."""
    return _LANGUAGES.get(word.casefold())


def _words(text: str) -> list[str]:
    return unicodedata.normalize("NFKC", text).split()


def _add_words(arguments: LinkArguments, words: Sequence[str]) -> LinkArguments | CommandProblem | NotUnderstood:
    all_words = [arguments.account, *words]
    for place, word in enumerate(words, 1):
        is_ttl = _TTL.fullmatch(word.casefold()) is not None
        if is_ttl and arguments.ttl is not None:
            return _second_time(StaffCommand.LINK, all_words, place)
        if _is_like_time(word) and not is_ttl:
            return _not_understood(StaffCommand.LINK, all_words, place, _nearest_ttl(word), _is_valid_link)
        extended = _add_word(arguments, word)
        if isinstance(extended, CommandProblem):
            return extended
        arguments = extended
    return arguments


def _is_valid_link(text: str) -> bool:
    return isinstance(read_link(text), LinkArguments)


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
        return replace(arguments, campaign=read_campaign(word.removeprefix(_CAMPAIGN_MARK)))
    except InvalidLinkRequest:
        return CommandProblem.CAMPAIGN


def _is_like_time(word: str) -> bool:
    """Whether a word means a date or a length of time, readable or not: such a word is never taken for a campaign."""
    plain = word.casefold()
    return bool(_LENGTH.fullmatch(plain) or _LIKE_DATE.fullmatch(plain)) or plain in _DAYS_OF_WORD


def _not_understood(
    command: StaffCommand, words: Sequence[str], place: int, nearest: str, is_valid: Callable[[str], bool]
) -> NotUnderstood:
    """What a command may have meant: with the nearest time in place of a word, or with the word as a campaign."""
    meant = [nearest, f"{_CAMPAIGN_MARK}{words[place]}"]
    by_time, by_campaign = (" ".join([*words[:place], each, *words[place + 1 :]]) for each in meant)
    return NotUnderstood(words[place], command, (by_time, by_campaign) if is_valid(by_campaign) else (by_time,))


def _second_time(command: StaffCommand, words: Sequence[str], place: int) -> NotUnderstood:
    """A command with two times: without the second one it means something."""
    return NotUnderstood(words[place], command, (" ".join([*words[:place], *words[place + 1 :]]),))


def _nearest_ttl(word: str) -> str:
    """The time to wait that is nearest to a word, as /link takes it: 1 minute to 30 days."""
    match = _LENGTH.fullmatch(word.casefold())
    minutes = round(float(match[1]) * _UNITS_OF_TIME[match[2]]) if match else _LONGEST_TTL
    minutes = min(max(minutes, 1), _LONGEST_TTL)
    unit, length = next((unit, length) for unit, length in (("d", 1440), ("h", 60), ("m", 1)) if minutes >= length)
    return f"{minutes // length}{unit}"


def _nearest_period(word: str, today: date) -> str:
    """The period that is nearest to a word, as /funnel takes it."""
    plain = word.casefold()
    if _LIKE_DATE.fullmatch(plain):
        first, *others = map(int, re.findall(r"\d+", re.sub(r"^(\d{4})(\d\d)(\d\d)$", r"\1-\2-\3", plain)))
        year, month = (first % 100 + 2000, [*others, today.month][0]) if first > _LAST_MONTH else (today.year, first)
        return f"{min(year, today.year)}-{min(max(month, 1), _LAST_MONTH):02}"
    match = _LENGTH.fullmatch(plain)
    days = round(float(match[1]) * _UNITS_OF_TIME[match[2] or "d"] / 1440) if match else _DAYS_OF_WORD.get(plain, 1)
    return f"{min(max(days, 1), _MAX_DAYS)}d"


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
