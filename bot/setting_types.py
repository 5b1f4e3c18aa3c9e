"""The kinds of values that settings have; each refuses what cannot be used, in a sentence that quotes no value."""

import re
from collections.abc import Callable, Sequence
from datetime import timedelta
from ipaddress import ip_network
from typing import Annotated, TypeVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, SecretStr

from bot.proxies import parse_proxy
from verification.callers.keys import read_callers
from verification.providers.addresses import parse_base_url
from verification.signing import WebhookSigner
from verification.support.service import is_valid_ttl

_Text = TypeVar("_Text", str, SecretStr)
_DURATION = re.compile(r"(\d{1,6})\s*([smhd])")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_USER_NAME = re.compile(r"@[A-Za-z][A-Za-z0-9_]{3,31}")
_EMAIL = re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
_OPERATOR_NAME = 64
_CONTACT = 256
_OUR_LANGUAGE = re.compile(r"(zh|en)(?![a-z])")
_LOCALES = re.compile(r"[_:.@]|^(c|posix)$")


def parse_duration(text: str) -> timedelta:
    """Read a duration such as `30s`, `10m`, `2h` or `7d`; raises `ValueError`."""
    match = _DURATION.fullmatch(text.strip().lower())
    if match is None:
        raise ValueError("write a number and a unit: 30s, 10m, 2h")
    return timedelta(seconds=int(match[1]) * _UNITS[match[2]])


def split_list(text: str) -> list[str]:
    """The entries of a list with commas between them, in lower case."""
    return [entry for each in text.split(",") if (entry := each.strip().lower())]


def _duration(text: object) -> object:
    return text if isinstance(text, timedelta) else parse_duration(str(text))


def _duration_until(is_valid: Callable[[timedelta], bool], limits: str) -> AfterValidator:
    def check(duration: timedelta) -> timedelta:
        if not is_valid(duration):
            raise ValueError(f"write a time from {limits}")
        return duration

    return AfterValidator(check)


def _flag(text: object) -> object:
    if isinstance(text, bool):
        return text
    if str(text) not in ("0", "1"):
        raise ValueError("write 1 or 0")
    return str(text) == "1"


def _language(text: object) -> object:
    language = str(text).lower()
    if found := _OUR_LANGUAGE.match(language):
        return found[1]
    # Desktops set LANGUAGE for themselves ("de_DE:de"), so a list of locales is a hint and never refused.
    if _LOCALES.search(language):
        return "zh"
    raise ValueError("write zh or en")


def _readable(read: Callable[[str], object], *, may_be_empty: bool = False) -> AfterValidator:
    """Accepts a text that `read` accepts; what that raises says what is wrong.

    `may_be_empty` is for settings whose default is the empty text: defaults are checked, too.
    """

    def check(text: _Text) -> _Text:
        written = text.get_secret_value() if isinstance(text, SecretStr) else text
        if written or not may_be_empty:
            read(written)
        return text

    return AfterValidator(check)


def _matching(pattern: str, problem: str, *, may_be_empty: bool = False) -> AfterValidator:
    def check(text: str) -> None:
        if not re.fullmatch(pattern, text):
            raise ValueError(problem)

    return _readable(check, may_be_empty=may_be_empty)


def _list_of(pattern: str, kind: str, problem: str) -> AfterValidator:
    def check(text: str) -> None:
        if not all(re.fullmatch(pattern, entry) for entry in split_list(text)):
            raise ValueError(problem)
        _check_once(split_list(text), kind)

    return _readable(check)


def _check_once(items: Sequence[str], kind: str) -> None:
    twice = [number for number, item in enumerate(items, 1) if item in items[: number - 1]]
    if twice:
        raise ValueError(f"{kind} {twice[0]} is listed twice")


def _one_of(*kinds: str) -> AfterValidator:
    return _matching("|".join(kinds), f"this release has only the providers: {', '.join(kinds)}")


def _check_networks(text: str) -> None:
    for network in split_list(text):
        try:
            ip_network(network)
        except ValueError:
            raise ValueError("write addresses and networks with commas between them: 10.1.2.3,172.18.0.0/16") from None


def _check_callers(text: str) -> None:
    _check_once([caller.key for caller in read_callers(text)], "key")


def _check_address(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("write an address with http:// or https://")
    if parts.port == 0:
        raise ValueError("write a port from 1 to 65535, or none")


def _check_own_address(url: str) -> None:
    _check_address(url)
    parts = urlsplit(url)
    if parts.username is not None or parts.query or parts.fragment:
        raise ValueError("write an address without user, query and fragment")


def _check_api(url: str) -> None:
    if parse_base_url(url.rstrip("/")).path:
        raise ValueError("write an address without a path")


def _check_database(url: str) -> None:
    if url.startswith(("postgresql://", "postgres://")):
        _check_server(url)
    elif not re.fullmatch(r"sqlite:///(?!:memory:$).+", url):
        raise ValueError("write sqlite:///data/bot.sqlite3 or postgresql://user:password@host/name")


def _check_server(url: str) -> None:
    try:
        parts = urlsplit(url)
        misread = "@" in parts.path or bool(parts.fragment) or parts.port == 0
    except ValueError:
        misread = True
    # Otherwise a part of the password is taken for the host or the database, and printed in an error.
    if misread:
        raise ValueError("cannot be read; in a password, write / as %2F, ? as %3F, # as %23, @ as %40, : as %3A")


def _check_private_key(key: str) -> None:
    # Imported where it is used: the start of all other bots would take it in for nothing.
    from verification.providers.alipay.signer import MerchantKey

    MerchantKey(key)


def _check_public_key(key: str) -> None:
    from verification.providers.alipay.signer import PlatformKey

    PlatformKey(key)


def _check_name(name: str) -> None:
    if len(name) > _OPERATOR_NAME or not name.isprintable():
        raise ValueError(f"write a name of at most {_OPERATOR_NAME} characters, in one line")


def _check_contact(contact: str) -> None:
    is_page = contact.startswith(("https://", "http://")) and "." in (urlsplit(contact).hostname or "")
    is_written_well = not re.search(r"[\s<>\"]", contact) and len(contact) <= _CONTACT
    if not (is_written_well and (is_page or _USER_NAME.fullmatch(contact) or _EMAIL.fullmatch(contact))):
        raise ValueError("write a web address (https://…), an e-mail address or a Telegram name (@support)")


def _in_case(convert: Callable[[str], str]) -> BeforeValidator:
    return BeforeValidator(lambda text: convert(text) if isinstance(text, str) else text)


_NoSlash = AfterValidator(lambda url: url.rstrip("/"))

Capitals, SmallLetters = _in_case(str.upper), _in_case(str.lower)
Flag = Annotated[bool, BeforeValidator(_flag)]
Language = Annotated[str, BeforeValidator(_language)]

Duration = Annotated[timedelta, BeforeValidator(_duration)]
LinkDuration = Annotated[Duration, _duration_until(is_valid_ttl, "1m to 30d")]
CodeDuration = Annotated[
    Duration, _duration_until(lambda ttl: timedelta(seconds=1) <= ttl <= timedelta(hours=2), "1s to 2h")
]

BotToken = Annotated[
    SecretStr, _matching(r"\d{3,20}:[A-Za-z0-9_-]{20,}", "this is not a token as BotFather gives it (123456:ABC…)")
]
Key = Annotated[
    SecretStr,
    _matching(
        r"[A-Za-z0-9_-]{24,128}",
        "a key is 24 to 128 letters, digits, _ or -; make one by: openssl rand -hex 24",
    ),
]
SigningSecret = Annotated[SecretStr, _readable(WebhookSigner)]
ApiKeys = Annotated[SecretStr, _readable(_check_callers)]
ProxyUrl = Annotated[SecretStr, _readable(parse_proxy)]
DatabaseUrl = Annotated[SecretStr, _readable(_check_database, may_be_empty=True)]

Address = Annotated[str, _readable(_check_address, may_be_empty=True), _NoSlash]
OwnAddress = Annotated[str, _readable(_check_own_address, may_be_empty=True), _NoSlash]
GatewayUrl = Annotated[str, _readable(parse_base_url)]
EndpointUrl = Annotated[str, _readable(parse_base_url, may_be_empty=True)]
ServiceUrl = Annotated[str, _readable(parse_base_url, may_be_empty=True), _NoSlash]
ApiUrl = Annotated[str, _readable(_check_api), _NoSlash]

Hosts = Annotated[
    str,
    _list_of(
        r"[a-z0-9.-]+(:\d{1,5})?|\[[0-9a-f:]+\](:\d{1,5})?",
        "host",
        "write hosts with commas between them, without https:// and paths",
    ),
]
Networks = Annotated[str, _readable(_check_networks, may_be_empty=True)]
TelegramIds = Annotated[
    str, _list_of(r"\d{1,15}", "id", "write Telegram ids with commas between them: 100012345,100054321")
]
OperatorName = Annotated[str, _readable(_check_name, may_be_empty=True), AfterValidator(str.strip)]
OperatorContact = Annotated[str, _readable(_check_contact, may_be_empty=True)]

_PROVIDERS = ("simulated", "http", "off")
Provider = Annotated[str, _one_of(*_PROVIDERS)]
FaceProvider = Annotated[str, _one_of(*_PROVIDERS, "tencent", "alipay")]
NetidProvider = Annotated[str, _one_of("simulated", "off")]

_TENCENT_WORD = r"[A-Za-z0-9_-]{1,128}"
TencentKey = Annotated[
    SecretStr, _matching(_TENCENT_WORD, "this is not a key as the console of Tencent Cloud gives it")
]
TencentRule = Annotated[
    str, _matching(_TENCENT_WORD, "this is not a RuleId as the console of FaceID gives it", may_be_empty=True)
]
AlipayApp = Annotated[
    str, _matching(r"\d{16}", "this is not an APPID as Alipay's console gives it: 16 digits", may_be_empty=True)
]
AlipayPrivateKey = Annotated[SecretStr, _readable(_check_private_key)]
AlipayPublicKey = Annotated[str, _readable(_check_public_key, may_be_empty=True)]
