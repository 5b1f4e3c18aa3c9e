from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes import NOON
from verification.limits import DAY, AttemptLimits, RateLimitRecord, refused_until

FEW = AttemptLimits(account=3, person=4, number=5, own_share=2, numbers=2, overall=100)


def record(
    hours: float,
    number: str = "n",
    *,
    account: bool = True,
    person: bool = True,
    same: bool = True,
    provider_called: bool = True,
) -> RateLimitRecord:
    return RateLimitRecord(
        at=NOON - timedelta(hours=hours),
        number=number,
        provider_called=provider_called,
        same_account=account,
        same_person=person,
        same_number=same,
    )


def other(hours: float, number: str, *, provider_called: bool = True) -> RateLimitRecord:
    return record(hours, number, account=False, same=False, provider_called=provider_called)


def ago(hours: float) -> datetime:
    return NOON - timedelta(hours=hours)


@pytest.mark.parametrize(
    ("records", "until"),
    [
        ([], None),
        ([record(3), record(2)], None),
        ([record(3), record(2), record(1)], ago(3) + DAY),
        ([record(5), record(3), record(2), record(1)], ago(3) + DAY),
        ([record(3, provider_called=False), record(2), record(1)], None),
        ([record(each, account=False) for each in (4, 3, 2, 1)], ago(4) + DAY),
    ],
)
def test_an_account_and_a_person_have_a_daily_limit(records: list[RateLimitRecord], until: datetime | None) -> None:
    assert refused_until(records, FEW) == until


def test_different_numbers_are_limited_even_without_a_provider_call() -> None:
    records = [
        other(3, "x", provider_called=False),
        other(2, "y", provider_called=False),
        other(1, "x", provider_called=False),
    ]

    assert refused_until(records[:1], FEW) is None
    # A third number is allowed when the older of the two records is a day old.
    assert refused_until(records, FEW) == ago(2) + DAY


def test_a_number_tried_before_may_be_tried_again() -> None:
    assert refused_until([other(3, "x"), record(2), record(1, account=False)], FEW) is None


def strangers(count: int) -> list[RateLimitRecord]:
    return [record(10 - each / 10, account=False, person=False) for each in range(count)]


def test_strangers_never_use_up_the_owners_share_of_a_number() -> None:
    assert refused_until(strangers(50), FEW) is None
    assert refused_until([*strangers(50), record(1)], FEW) is None


def test_of_a_number_at_its_limit_a_person_has_only_their_own_share() -> None:
    own = [record(2), record(1)]

    assert refused_until([*strangers(2), *own], FEW) is None
    # Four of five: the oldest record of a stranger leaves the day before the person's own.
    assert refused_until([*strangers(3), *own], FEW) == ago(10) + DAY
    assert refused_until([*strangers(50), *own], FEW) == min(ago(2), sorted(t.at for t in strangers(50))[-3]) + DAY


KINDS = st.builds(
    RateLimitRecord,
    at=st.integers(0, 23 * 60).map(lambda minutes: NOON - timedelta(minutes=minutes)),
    number=st.sampled_from("abcdefg"),
    provider_called=st.booleans(),
    same_account=st.booleans(),
    same_person=st.booleans(),
    same_number=st.booleans(),
)


@given(st.lists(KINDS, max_size=40))
def test_after_the_reported_wait_an_attempt_is_allowed(records: list[RateLimitRecord]) -> None:
    until = refused_until(records, FEW)

    assert until is None or until > NOON
    if until is not None:
        left = [each for each in records if each.at > until - DAY]
        assert refused_until(left, FEW) is None


@given(st.lists(KINDS, max_size=40), KINDS)
def test_another_record_never_shortens_the_wait(records: list[RateLimitRecord], more: RateLimitRecord) -> None:
    before, after = refused_until(records, FEW), refused_until([*records, more], FEW)

    assert before is None or (after is not None and after >= before) or more.same_number
