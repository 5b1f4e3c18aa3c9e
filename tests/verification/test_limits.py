from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes import NOON
from verification.limits import DAY, AttemptLimits, RateLimitRecord, refused_until

FEW = AttemptLimits(account=3, person=4, number=5, own_share=2, numbers=2, overall=100)


def tried(
    hours: float, number: str = "n", *, account: bool = True, person: bool = True, same: bool = True, asked: bool = True
) -> RateLimitRecord:
    return RateLimitRecord(
        at=NOON - timedelta(hours=hours),
        number=number,
        asked=asked,
        same_account=account,
        same_person=person,
        same_number=same,
    )


def other(hours: float, number: str, *, asked: bool = True) -> RateLimitRecord:
    return tried(hours, number, account=False, same=False, asked=asked)


def ago(hours: float) -> datetime:
    return NOON - timedelta(hours=hours)


@pytest.mark.parametrize(
    ("tries", "until"),
    [
        ([], None),
        ([tried(3), tried(2)], None),
        ([tried(3), tried(2), tried(1)], ago(3) + DAY),
        ([tried(5), tried(3), tried(2), tried(1)], ago(3) + DAY),
        ([tried(3, asked=False), tried(2), tried(1)], None),
        ([tried(each, account=False) for each in (4, 3, 2, 1)], ago(4) + DAY),
    ],
)
def test_an_account_and_a_person_may_try_so_often_a_day(tries: list[RateLimitRecord], until: datetime | None) -> None:
    assert refused_until(tries, FEW) == until


def test_only_so_many_different_numbers_may_be_tried_even_when_nobody_was_asked() -> None:
    tries = [other(3, "x", asked=False), other(2, "y", asked=False), other(1, "x", asked=False)]

    assert refused_until(tries[:1], FEW) is None
    # Whoever waits until the older of the two is a day old may try a third.
    assert refused_until(tries, FEW) == ago(2) + DAY


def test_a_number_tried_before_may_be_tried_again() -> None:
    assert refused_until([other(3, "x"), tried(2), tried(1, account=False)], FEW) is None


def strangers(count: int) -> list[RateLimitRecord]:
    return [tried(10 - each / 10, account=False, person=False) for each in range(count)]


def test_what_strangers_do_with_a_number_never_takes_its_owner_s_first_tries() -> None:
    assert refused_until(strangers(50), FEW) is None
    assert refused_until([*strangers(50), tried(1)], FEW) is None


def test_with_a_number_that_is_tried_often_one_s_own_share_is_all_one_has() -> None:
    own = [tried(2), tried(1)]

    assert refused_until([*strangers(2), *own], FEW) is None
    # Four of five: the oldest stranger's try leaves the day first, before one's own.
    assert refused_until([*strangers(3), *own], FEW) == ago(10) + DAY
    assert refused_until([*strangers(50), *own], FEW) == min(ago(2), sorted(t.at for t in strangers(50))[-3]) + DAY


KINDS = st.builds(
    RateLimitRecord,
    at=st.integers(0, 23 * 60).map(lambda minutes: NOON - timedelta(minutes=minutes)),
    number=st.sampled_from("abcdefg"),
    asked=st.booleans(),
    same_account=st.booleans(),
    same_person=st.booleans(),
    same_number=st.booleans(),
)


@given(st.lists(KINDS, max_size=40))
def test_whoever_waits_as_long_as_told_may_try(tries: list[RateLimitRecord]) -> None:
    until = refused_until(tries, FEW)

    assert until is None or until > NOON
    if until is not None:
        left = [each for each in tries if each.at > until - DAY]
        assert refused_until(left, FEW) is None


@given(st.lists(KINDS, max_size=40), KINDS)
def test_a_try_more_never_lets_anybody_in_sooner(tries: list[RateLimitRecord], more: RateLimitRecord) -> None:
    before, after = refused_until(tries, FEW), refused_until([*tries, more], FEW)

    assert before is None or (after is not None and after >= before) or more.same_number
