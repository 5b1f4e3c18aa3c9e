"""Links that bring a person to the account they were made for: one use, short life, signed, revocable.

A link's token is its id with a signature: the token can be shown again from the key, and a forged one is refused
without a look into the store. The first person who opens the link in time is bound to it; for everybody else it is
invalid.
"""

import hmac
import re
from base64 import urlsafe_b64encode
from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from typing import NewType

from verification.attempts import Method
from verification.ids import Account, Actor, PersonId
from verification.record import Record

LinkId = NewType("LinkId", str)
"""Sixteen hexadecimal digits: they only tell links apart; the signature is the secret part."""

_FIRST_LETTER = "a"
"""Every token begins with it, because Telegram takes a start parameter with `_tgr_` for an affiliate link."""
_ID = re.compile(r"[0-9a-f]{16}")
_TOKEN = re.compile(rf"{_FIRST_LETTER}([0-9a-f]{{16}})[A-Za-z0-9_-]{{22}}")
_SIGNATURE_BYTES = 16
_ACCOUNT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@:+-]{0,63}")
_CAMPAIGN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")
CHAT_ACCOUNT_PREFIX = "telegram:"
"""Accounts of people who came without a link begin with this prefix; no link can be made for them."""


class Purpose(StrEnum):
    """What a keyed digest is for; the values keep equal texts of different kinds apart."""

    LINK = "link-signature"
    LINK_REQUEST = "link-request"
    DESK = "desk-session"
    CALLER_REQUEST = "caller-request"


KeyedDigest = Callable[[Purpose, str], bytes]
"""A function that computes a digest of 32 bytes with the secret key."""


class LinkState(StrEnum):
    """How far a link has come."""

    WAITING = "waiting"
    OPENED = "opened"
    VERIFIED = "verified"
    EXPIRED = "expired"
    REVOKED = "revoked"


class Link(Record, kw_only=True):
    """A link as the store holds it; `person` opened it first, `verified` says whether its account is verified now.

    `method` and `language` are suggestions for the person, if any. Times are UTC. `expired` says that somebody was
    refused it after its time; then it stays expired, even when the clock goes back.
    """

    id: LinkId
    account: Account
    campaign: str
    made_by: Actor
    made_at: datetime
    expires_at: datetime
    method: Method | None = None
    language: str | None = None
    person: PersonId | None = None
    opened_at: datetime | None = None
    revoked_at: datetime | None = None
    verified: bool = False
    expired: bool = False

    def state(self, now: datetime) -> LinkState:
        """The state at this time."""
        if self.revoked_at is not None:
            return LinkState.REVOKED
        if self.opened_at is not None:
            return LinkState.VERIFIED if self.verified else LinkState.OPENED
        return LinkState.WAITING if now < self.expires_at and not self.expired else LinkState.EXPIRED


class InvalidLinkRequest(ValueError):
    """A link cannot be made as requested; the message says what to write instead."""


class LinkRequestConflict(InvalidLinkRequest):
    """The same request made a different link before."""


def is_account(text: str) -> bool:
    """Whether a text may be an account, of a link or of a chat."""
    return _ACCOUNT.fullmatch(text) is not None


def read_account(text: str) -> Account:
    """Parse an account for which a link may be made; raises `InvalidLinkRequest`."""
    account = text.strip()
    if not is_account(account):
        raise InvalidLinkRequest(
            "an account is 1 to 64 letters, digits or . _ @ : + - and begins with a letter or digit"
        )
    if account.casefold().startswith(CHAT_ACCOUNT_PREFIX):
        raise InvalidLinkRequest(f"accounts that begin with {CHAT_ACCOUNT_PREFIX} belong to chats and need no link")
    return Account(account)


def read_campaign(text: str) -> str:
    """Parse a campaign's name, which may be empty; raises `InvalidLinkRequest`."""
    campaign = text.strip()
    if text and not _CAMPAIGN.fullmatch(campaign):
        raise InvalidLinkRequest("a campaign is 1 to 32 letters, digits, _ or -, and begins with a letter or digit")
    return campaign


def is_link_id(text: str) -> bool:
    """Whether the whole text is a link's id."""
    return _ID.fullmatch(text) is not None


def link_id_for(request: str, keyed: KeyedDigest) -> LinkId:
    """The id of the link for a request: repeating a request gives the same link."""
    return LinkId(keyed(Purpose.LINK_REQUEST, request)[:8].hex())


def link_token(link: LinkId, keyed: KeyedDigest) -> str:
    """The token that opens a link: 39 characters of `[A-Za-z0-9_-]`."""
    signature = keyed(Purpose.LINK, link)[:_SIGNATURE_BYTES]
    return f"{_FIRST_LETTER}{link}{urlsafe_b64encode(signature).decode().rstrip('=')}"


def looks_like_link_token(text: str) -> bool:
    """Whether a text has the form of a token; `read_link_token` checks the signature."""
    return _TOKEN.fullmatch(text) is not None


def read_link_token(text: str, keyed: KeyedDigest) -> LinkId | None:
    """The link that a token opens; None when the token is not signed with our key."""
    match = _TOKEN.fullmatch(text)
    if match is None:
        return None
    link = LinkId(match[1])
    return link if hmac.compare_digest(link_token(link, keyed), text) else None
