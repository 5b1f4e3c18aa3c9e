"""Links: their tokens, the accounts they may be made for, and their states."""

import hashlib
from datetime import timedelta

import pytest
from msgspec.structs import replace

from tests.fakes import NOON
from verification.ids import Account, Actor, PersonId
from verification.invitations import (
    InvalidLinkRequest,
    Link,
    LinkId,
    LinkState,
    Purpose,
    link_id_for,
    link_token,
    looks_like_link_token,
    read_account,
    read_campaign,
    read_link_token,
)

LINK = Link(
    id=LinkId("0123456789abcdef"),
    account=Account("100012345"),
    campaign="spring",
    made_by=Actor("telegram:7"),
    made_at=NOON,
    expires_at=NOON + timedelta(minutes=30),
)


def keyed(purpose: Purpose, text: str) -> bytes:
    return hashlib.sha256(f"a key\0{purpose}\0{text}".encode()).digest()


def other_key(purpose: Purpose, text: str) -> bytes:
    return hashlib.sha256(f"other\0{purpose}\0{text}".encode()).digest()


def test_a_token_opens_its_link_and_is_a_valid_start_parameter() -> None:
    for number in range(200):
        token = link_token(link_id_for(f"request {number}", keyed), keyed)

        assert looks_like_link_token(token)
        assert len(token) <= 64
        assert set(token) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")
        assert not token.startswith("_tgr_")
        assert read_link_token(token, keyed) == link_id_for(f"request {number}", keyed)


def test_inv14_a_token_with_any_character_changed_opens_nothing() -> None:
    token = link_token(LINK.id, keyed)

    for index in range(len(token)):
        changed = token[:index] + ("0" if token[index] != "0" else "1") + token[index + 1 :]
        assert read_link_token(changed, keyed) is None
    for other in ("", token[:-1], f"{token}A", f" {token}", f"{token}\n", token.upper()):
        assert read_link_token(other, keyed) is None
    assert read_link_token(link_token(LINK.id, other_key), keyed) is None


def test_the_same_request_has_the_same_link_and_another_has_another() -> None:
    assert link_id_for("a", keyed) == link_id_for("a", keyed) != link_id_for("b", keyed)


@pytest.mark.parametrize("account", ["100012345", "alice@example.org", "a", "A.b-c_d:e+f", "x" * 64])
def test_cloud_accounts_are_accepted(account: str) -> None:
    assert read_account(f" {account} ") == account


@pytest.mark.parametrize(
    "account", ["", "x" * 65, "a b", "-a", "账号", "a/b", "telegram:42", "Telegram:42", "<b>", "a\nb"]
)
def test_malformed_accounts_and_chat_accounts_are_refused(account: str) -> None:
    with pytest.raises(InvalidLinkRequest):
        read_account(account)


def test_a_campaign_is_one_word_or_empty() -> None:
    assert (read_campaign(""), read_campaign(" spring-26_a ")) == ("", "spring-26_a")
    for campaign in ("a b", "春节", "x" * 33, "-a", " ", "\u3000"):
        with pytest.raises(InvalidLinkRequest):
            read_campaign(campaign)


def test_a_link_reports_its_state() -> None:
    opened = replace(LINK, opened_at=NOON, person=PersonId("telegram:1"))

    assert LINK.state(NOON) is LinkState.WAITING
    assert LINK.state(LINK.expires_at) is LinkState.EXPIRED
    assert opened.state(LINK.expires_at) is LinkState.OPENED
    assert replace(opened, verified=True).state(NOON) is LinkState.VERIFIED
    assert replace(LINK, verified=True).state(NOON) is LinkState.WAITING
    assert replace(opened, revoked_at=NOON, verified=True).state(NOON) is LinkState.REVOKED
