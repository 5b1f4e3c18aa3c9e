"""Daily limits: how many attempts an account, a person and an ID number may make.

A day is the last 24 hours. Each attempt leaves a rate limit record. A record counts in full when a provider was called
for it; one that was refused for the quota, that only asked about the quota, or whose provider was unavailable counts
only towards the different numbers of a person. When strangers use up the limit of a number, its owner still has
`own_share` attempts.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import ClassVar

from verification.record import Record

DAY = timedelta(days=1)


class AttemptLimits(Record, kw_only=True):
    """The most attempts a day: per account, per person, per number, and of all people together (`overall`).

    `numbers` is how many different numbers a person may try; `own_share` is how many attempts with a number a person
    has even when others have reached the limit of that number.
    """

    account: int = 20
    person: int = 30
    number: int = 20
    own_share: int = 3
    numbers: int = 5
    overall: int = 5000


class RateLimitRecord(Record, kw_only=True):
    """An earlier attempt that shares the account, the person or the number with the requested one.

    `number` is an opaque key that only tells numbers apart; `provider_called` says whether a provider was called.
    """

    hidden: ClassVar[frozenset[str]] = frozenset({"number"})

    at: datetime
    number: str
    provider_called: bool
    same_account: bool
    same_person: bool
    same_number: bool


def refused_until(records: Sequence[RateLimitRecord], limits: AttemptLimits) -> datetime | None:
    """When an attempt is allowed again, in UTC; None when it is allowed now."""
    with_provider = [each for each in records if each.provider_called]
    waits = [
        _free_at([each.at for each in with_provider if each.same_account], limits.account),
        _free_at([each.at for each in with_provider if each.same_person], limits.person),
        _free_at(_other_numbers(records), limits.numbers),
    ]
    number_free_at = _free_at([each.at for each in with_provider if each.same_number], limits.number)
    own_share_free_at = _free_at(
        [each.at for each in with_provider if each.same_number and each.same_person], limits.own_share
    )
    if number_free_at is not None and own_share_free_at is not None:
        waits.append(min(number_free_at, own_share_free_at))
    return max((wait for wait in waits if wait is not None), default=None)


def _other_numbers(records: Iterable[RateLimitRecord]) -> list[datetime]:
    """When this person last tried each other number."""
    last = dict[str, datetime]()
    for each in records:
        if each.same_person and not each.same_number:
            last[each.number] = max(each.at, last.get(each.number, each.at))
    return list(last.values())


def _free_at(times: Sequence[datetime], limit: int) -> datetime | None:
    """When fewer than `limit` of these times lie within a day; None when that is so now."""
    return sorted(times)[-limit] + DAY if len(times) >= limit else None
