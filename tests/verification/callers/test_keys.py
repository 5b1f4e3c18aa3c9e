"""The setting of API keys: names, scopes, and keys of the first releases."""

import pytest

from verification.callers.keys import CallerScope, is_api_caller, read_callers
from verification.ids import Account, FrontEnd

KEY = "0123456789abcdef01234567"
OTHER = "another-key_of-a-program"


def test_a_name_alone_gives_every_scope_and_scopes_give_only_themselves() -> None:
    shop, tickets, both = read_callers(f"shop:{KEY},tickets:links:{OTHER}, desk-2:links+accounts:{KEY}a")

    assert (shop.name, shop.key, shop.scopes) == ("shop", KEY, frozenset(CallerScope))
    assert (tickets.name, tickets.key, tickets.scopes) == ("tickets", OTHER, frozenset({CallerScope.LINKS}))
    assert (both.name, both.scopes) == ("desk-2", frozenset({CallerScope.LINKS, CallerScope.ACCOUNTS}))


def test_a_key_without_a_name_is_known_by_its_position_and_may_only_use_links() -> None:
    first, _, third = read_callers(f"{KEY},shop:{OTHER},{KEY}b")

    assert [(each.actor, each.scopes) for each in (first, third)] == [
        ("api:1", frozenset({CallerScope.LINKS})),
        ("api:3", frozenset({CallerScope.LINKS})),
    ]


def test_a_caller_is_a_front_end_of_its_own() -> None:
    [shop] = read_callers(f"shop:{KEY}")

    assert (shop.actor, shop.front_end) == ("api:shop", "api.shop")
    assert shop.contact_of(Account("cloud:7")) == "api.shop:cloud:7"
    assert [is_api_caller(FrontEnd(name)) for name in ("api.shop", "api.1", "telegram", "api", "apish")] == [
        True,
        True,
        False,
        False,
        False,
    ]
    assert KEY not in repr(shop)


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ("", "a key is 24 to 128"),
        (f"{KEY},", "a key is 24 to 128"),
        ("too-short", "a key is 24 to 128"),
        (f"shop:{KEY} x", "a key is 24 to 128"),
        (f"Shop:{KEY}", "a name of a key is"),
        (f"1:{KEY}", "a name of a key is"),
        (f":{KEY}", "a name of a key is"),
        (f"{'x' * 33}:{KEY}", "a name of a key is"),
        (f"shop::{KEY}", "the scopes of a key are links, attempts, accounts"),
        (f"shop:links+:{KEY}", "the scopes of a key are"),
        (f"shop:everything:{KEY}", "the scopes of a key are"),
        (f"a:links:b:{KEY}", "write KEY, name:KEY or name:scope"),
        (f"shop:{KEY},shop:{OTHER}", "two keys are named shop"),
    ],
)
def test_a_setting_that_cannot_be_read_is_refused_without_quoting_a_key(setting: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence.replace("+", r"\+")) as refused:
        read_callers(setting)

    assert KEY not in str(refused.value)
