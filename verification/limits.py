"""How often may be tried within a day: a rule over what was tried, with its numbers as data.

A day is the last 24 hours. A try counts from when a provider is asked; one that was refused for want of a place, or
whose provider was out of order, only counts among the different numbers of a person. What strangers try with somebody's
number never takes that person's own first tries away.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptLimits:
    """The most tries a day: of an account, of a person, with a number, and of all people together.

    `numbers` is how many different numbers a person may try; `own_share` is how many tries with a number a person has
    whatever others did with it.
    """

    account: int = 20
    person: int = 30
    number: int = 20
    own_share: int = 3
    numbers: int = 5
    overall: int = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimitRecord:
    """An earlier try that has something in common with the one that is asked for.

    `number` only tells different numbers apart; `asked` says whether a provider was.
    """

    at: datetime
    number: str = field(repr=False)
    asked: bool
    same_account: bool
    same_person: bool
    same_number: bool


def refused_until(records: Sequence[RateLimitRecord], limits: AttemptLimits) -> datetime | None:
    """When it may be tried again; None when it may be tried now."""
    asked = [each for each in records if each.asked]
    waits = [
        _free_at([each.at for each in asked if each.same_account], limits.account),
        _free_at([each.at for each in asked if each.same_person], limits.person),
        _free_at(_other_numbers(records), limits.numbers),
    ]
    crowded = _free_at([each.at for each in asked if each.same_number], limits.number)
    used_up = _free_at([each.at for each in asked if each.same_number and each.same_person], limits.own_share)
    if crowded is not None and used_up is not None:
        waits.append(min(crowded, used_up))
    return max((wait for wait in waits if wait is not None), default=None)


def _other_numbers(records: Iterable[RateLimitRecord]) -> list[datetime]:
    """When this person last tried each other number."""
    last = dict[str, datetime]()
    for each in records:
        if each.same_person and not each.same_number:
            last[each.number] = max(each.at, last.get(each.number, each.at))
    return list(last.values())


def _free_at(times: Sequence[datetime], limit: int) -> datetime | None:
    """When fewer than `limit` of these are left in the day; None when there are fewer."""
    return sorted(times)[-limit] + DAY if len(times) >= limit else None
