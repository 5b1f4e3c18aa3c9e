"""The programs that call the HTTP API: each has a name, a key and scopes, and is a front end of its own.

Their setting is a list such as `shop:KEY,tickets:links:KEY,KEY`. A name alone gives every scope. A key without a name
is of the first releases: it is known by its position, and may do what it could do then.
"""

import re
from collections.abc import Iterable
from enum import StrEnum
from typing import ClassVar

from verification.ids import Account, Actor, Contact, FrontEnd
from verification.record import Record

_FRONT_END_PREFIX = "api."
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,31}")
_KEY = re.compile(r"[A-Za-z0-9_-]{24,128}")


class CallerScope(StrEnum):
    """What a key may be used for: links into the chat, attempts of the caller's own people, any account's status."""

    LINKS = "links"
    ATTEMPTS = "attempts"
    ACCOUNTS = "accounts"


class ApiCaller(Record, kw_only=True):
    """A program with a key."""

    hidden: ClassVar[frozenset[str]] = frozenset({"key"})

    name: str
    key: str
    scopes: frozenset[CallerScope]

    @property
    def actor(self) -> Actor:
        """Its name in the audit log."""
        return Actor(f"api:{self.name}")

    @property
    def front_end(self) -> FrontEnd:
        """The front end that it is."""
        return FrontEnd(f"{_FRONT_END_PREFIX}{self.name}")

    def contact_of(self, account: Account) -> Contact:
        """The contact of the person who verifies this account through it."""
        return Contact(f"{self.front_end}:{account}")


def is_api_caller(front_end: FrontEnd) -> bool:
    """Whether a front end is a program that calls the HTTP API; it learns from the result webhook what happens."""
    return front_end.startswith(_FRONT_END_PREFIX)


def read_callers(setting: str) -> tuple[ApiCaller, ...]:
    """Read the setting; raises `ValueError`, whose message quotes no key."""
    callers = tuple(_read_caller(entry, position) for position, entry in enumerate(setting.split(","), 1))
    _check_unique(caller.name for caller in callers)
    return callers


def _read_caller(entry: str, position: int) -> ApiCaller:
    *names, key = entry.strip().split(":")
    if not _KEY.fullmatch(key):
        raise ValueError("a key is 24 to 128 letters, digits, _ or -; make one by: openssl rand -hex 24")
    match names:
        case []:
            return ApiCaller(name=str(position), key=key, scopes=frozenset({CallerScope.LINKS}))
        case [name]:
            return ApiCaller(name=_read_name(name), key=key, scopes=frozenset(CallerScope))
        case [name, scopes]:
            return ApiCaller(name=_read_name(name), key=key, scopes=_read_scopes(scopes))
        case _:
            raise ValueError("write KEY, name:KEY or name:scope+scope:KEY")


def _read_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError("a name of a key is 1 to 32 of a-z 0-9 _ - and begins with a letter")
    return name


def _read_scopes(text: str) -> frozenset[CallerScope]:
    try:
        return frozenset(map(CallerScope, text.split("+")))
    except ValueError:
        raise ValueError(f"the scopes of a key are {', '.join(CallerScope)}, with + between them") from None


def _check_unique(names: Iterable[str]) -> None:
    seen = set[str]()
    for name in names:
        if name in seen:
            raise ValueError(f"two keys are named {name}")
        seen.add(name)
