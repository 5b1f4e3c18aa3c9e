"""What support may do, over the real store: each use is noted with its actor, and every edge of a link is tried."""

from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from storage import SqlStore, open_store
from storage.unit import SqlUnit
from tests.fakes import NOON, FakeClock, make_attempt, make_sealing
from tests.open_unit import open_unit
from tests.sqlite_file import sqlite_url
from verification.attempts import AttemptId, Method, reference_code
from verification.ids import Account, Actor
from verification.invitations import (
    InvalidLinkRequest,
    Link,
    LinkRequestConflict,
    LinkState,
    Purpose,
    is_link_id,
    link_token,
    looks_like_link_token,
    read_account,
    read_campaign,
)
from verification.support.funnel import FunnelQuery
from verification.support.service import LinkRequest, SupportService, is_valid_ttl
from verification.support.store import UnansweredQuestion

SINCE, UNTIL = date(2026, 11, 1), date(2026, 11, 23)
TTL = timedelta(minutes=30)
ACTOR = Actor("telegram:7")
WANTED = LinkRequest(
    account=Account("100012345"),
    idempotency_key="request-1",
    campaign="spring",
    ttl=timedelta(hours=2),
    method=Method.QQ,
    language="en",
)
INSTANT = timedelta(microseconds=1)


@pytest.fixture
async def kept(tmp_path: Path) -> AsyncIterator[SqlStore]:
    async with open_store(sqlite_url(tmp_path), sealing=make_sealing()) as store:
        yield store


@pytest.fixture
def service(kept: SqlStore, clock: FakeClock) -> SupportService:
    return SupportService(kept, clock, TTL)


async def test_a_link_suggests_only_a_method_that_is_on(kept: SqlStore, clock: FakeClock) -> None:
    service = SupportService(kept, clock, TTL, (Method.WECHAT, Method.FACE))

    with pytest.raises(InvalidLinkRequest, match=r"^the method qq is off; there is: wechat, face$"):
        await service.create_link(ACTOR, replace(WANTED, method=Method.QQ))
    assert await service.links(ACTOR) == []
    for method in (None, Method.FACE):
        wanted = replace(WANTED, method=method, idempotency_key=f"key-{method}")
        assert (await service.create_link(ACTOR, wanted)).link.method is method


@pytest.mark.parametrize(
    ("ttl", "valid"),
    [
        (timedelta(), False),
        (timedelta(minutes=1) - INSTANT, False),
        (timedelta(minutes=1), True),
        (timedelta(days=30), True),
        (timedelta(days=30) + INSTANT, False),
    ],
)
async def test_a_link_waits_from_a_minute_to_thirty_days(ttl: timedelta, valid: bool, service: SupportService) -> None:
    assert is_valid_ttl(ttl) is valid
    if valid:
        assert (await service.create_link(ACTOR, replace(WANTED, ttl=ttl))).link.expires_at == NOON + ttl
    else:
        with pytest.raises(InvalidLinkRequest, match="30 days"):
            await service.create_link(ACTOR, replace(WANTED, ttl=ttl))
        assert await service.links(ACTOR) == []


async def test_a_link_holds_what_was_wanted_and_its_token_opens_it(service: SupportService, kept: SqlStore) -> None:
    made = await service.create_link(ACTOR, WANTED)

    assert made.link == Link(
        id=made.link.id,
        account=Account("100012345"),
        campaign="spring",
        made_by=ACTOR,
        made_at=NOON,
        expires_at=NOON + timedelta(hours=2),
        method=Method.QQ,
        language="en",
    )
    assert made.token == service.link_token(made.link.id) == link_token(made.link.id, kept.keyed_digest)
    assert made.token.startswith(f"a{made.link.id}")
    assert (len(made.token), made.verified) == (39, False)
    assert await service.link(ACTOR, made.link.id) == made.link


async def test_without_a_ttl_of_its_own_a_link_has_that_of_the_service(service: SupportService) -> None:
    made = await service.create_link(ACTOR, replace(WANTED, ttl=None))

    assert made.link.expires_at == NOON + TTL


async def test_the_same_request_gives_the_same_link_and_keeps_its_first_time(
    service: SupportService, clock: FakeClock
) -> None:
    first = await service.create_link(ACTOR, WANTED)
    clock.advance(minutes=5)

    assert await service.create_link(ACTOR, WANTED) == first
    assert await service.create_link(ACTOR, replace(WANTED, ttl=None)) == first
    assert (await service.create_link(Actor("telegram:8"), WANTED)).link.id != first.link.id
    assert (await service.create_link(ACTOR, replace(WANTED, idempotency_key="request-2"))).link.id != first.link.id


@pytest.mark.parametrize(
    "changed",
    [
        replace(WANTED, account=Account("100012346")),
        replace(WANTED, campaign="autumn"),
        replace(WANTED, ttl=timedelta(hours=3)),
        replace(WANTED, method=Method.FACE),
        replace(WANTED, method=None),
        replace(WANTED, language="zh"),
        replace(WANTED, language=None),
    ],
)
async def test_the_same_request_for_anything_else_is_refused(service: SupportService, changed: LinkRequest) -> None:
    first = await service.create_link(ACTOR, WANTED)
    with pytest.raises(LinkRequestConflict):
        await service.create_link(ACTOR, changed)

    assert await service.links(ACTOR) == [first.link]


async def test_links_are_listed_by_campaign_account_and_state(service: SupportService, clock: FakeClock) -> None:
    spring = (await service.create_link(ACTOR, WANTED)).link
    clock.advance(seconds=1)
    autumn = (
        await service.create_link(
            ACTOR, LinkRequest(account=Account("200056789"), idempotency_key="request-2", campaign="autumn")
        )
    ).link
    clock.advance(minutes=30)

    assert await service.links(ACTOR) == [autumn, spring]
    assert await service.links(ACTOR, campaign="spring") == [spring]
    assert await service.links(ACTOR, account=Account("200056789")) == [autumn]
    assert await service.links(ACTOR, state=LinkState.EXPIRED) == [autumn]
    assert await service.links(ACTOR, state=LinkState.WAITING) == [spring]
    assert await service.links(ACTOR, limit=1) == [autumn]
    assert await service.links(ACTOR, limit=1, skip=1) == [spring]


async def test_of_many_links_twenty_are_listed_at_a_time(service: SupportService) -> None:
    for number in range(21):
        await service.create_link(ACTOR, LinkRequest(account=Account("100012345"), idempotency_key=f"request-{number}"))

    assert len(await service.links(ACTOR)) == 20
    assert len(await service.links(ACTOR, skip=20)) == 1
    assert len(await service.audit_log(ACTOR)) == 20


async def test_of_the_unanswered_questions_the_latest_hundred_are_listed(
    service: SupportService, kept: SqlStore
) -> None:
    async def keep(unit: SqlUnit) -> None:
        for number in range(101):
            at = NOON + timedelta(minutes=number)
            await unit.add_unanswered(UnansweredQuestion(id=str(number), text="能不能用护照", at=at))

    await kept.transact("keep", keep)
    _, unanswered = await service.questions(ACTOR, since=SINCE, until=UNTIL)

    assert [each.at for each in unanswered] == [NOON + timedelta(minutes=number) for number in range(100, 0, -1)]


async def test_a_revoked_link_says_since_when(service: SupportService, clock: FakeClock) -> None:
    made = await service.create_link(ACTOR, WANTED)
    clock.advance(minutes=1)
    revoked = await service.revoke(ACTOR, made.link.id)

    assert revoked is not None
    assert revoked.revoked_at == NOON + timedelta(minutes=1)
    assert await service.revoke(ACTOR, type(made.link.id)("0" * 16)) is None


async def test_attempts_are_found_by_code_and_account(service: SupportService, kept: SqlStore) -> None:
    attempt = make_attempt("attempt-0a1b2c3d4e5f", "cloud:100012345")
    async with open_unit(kept, "keep") as unit:
        await unit.save_attempt(attempt)

    for found in (
        (await service.attempt(ACTOR, "0a1b2c3d"))[0],
        await service.attempts(ACTOR),
        await service.attempts(ACTOR, account=Account("cloud:100012345")),
    ):
        assert [(each.id, each.code) for each in found] == [(attempt.id, "0A1B-2C3D")]
    assert await service.attempts(ACTOR, account=Account("cloud:1")) == []
    assert await service.attempts(ACTOR, limit=0) == []
    assert await service.attempts(ACTOR, skip=1) == []


async def test_every_use_is_noted_with_its_actor_time_and_a_masked_subject(
    service: SupportService, clock: FakeClock
) -> None:
    made = await service.create_link(Actor("telegram:1"), WANTED)
    await service.link(Actor("telegram:2"), made.link.id)
    await service.links(Actor("telegram:3"), campaign="spring", account=Account("100012345"), state=LinkState.WAITING)
    await service.revoke(Actor("telegram:4"), made.link.id)
    await service.attempt(Actor("telegram:5"), "0a1b2c3d")
    await service.attempts(Actor("telegram:6"), account=Account("cloud:100012345"))
    await service.attempts(Actor("telegram:6"))
    await service.funnel_statistics(Actor("telegram:7"), FunnelQuery(since=SINCE, until=UNTIL, campaign="spring"))
    await service.funnel_statistics(Actor("telegram:7"), FunnelQuery(since=SINCE, until=UNTIL))
    await service.campaigns(Actor("telegram:8"))
    await service.questions(Actor("telegram:9"), since=SINCE, until=UNTIL)
    clock.advance(seconds=1)
    log = await service.audit_log(Actor("telegram:10"), limit=99)

    assert [(each.actor, each.action, each.subject) for each in reversed(log)] == [
        ("telegram:1", "link", f"{made.link.id} 10*****45"),
        ("telegram:2", "look at link", made.link.id),
        ("telegram:3", "links", "spring 10*****45 waiting"),
        ("telegram:4", "revoke", made.link.id),
        ("telegram:5", "attempt", "0a1b2c3d"),
        ("telegram:6", "attempts", "cloud:10*****45"),
        ("telegram:6", "attempts", ""),
        ("telegram:7", "funnel", "spring 2026-11-01..2026-11-23"),
        ("telegram:7", "funnel", "all 2026-11-01..2026-11-23"),
        ("telegram:8", "campaigns", ""),
        ("telegram:9", "questions", "2026-11-01..2026-11-23"),
        ("telegram:10", "uses", ""),
    ]
    assert {each.at for each in log[1:]} == {NOON}
    assert log[0].at == NOON + timedelta(seconds=1)


@pytest.mark.parametrize("length", [1, 63, 64])
def test_an_account_has_up_to_64_characters_and_a_campaign_up_to_32(length: int) -> None:
    assert read_account("1" * length) == "1" * length
    assert read_campaign("1" * (length // 2)) == "1" * (length // 2)
    for refused, read in (("1" * 65, read_account), ("1" * 33, read_campaign)):
        with pytest.raises(InvalidLinkRequest):
            read(refused)


@pytest.mark.parametrize(
    ("text", "whole"),
    [("0123456789abcdef", True), ("0123456789abcde", False), ("0123456789abcdef0", False), ("", False)],
)
def test_a_link_s_id_is_sixteen_hexadecimal_digits(text: str, whole: bool) -> None:
    assert is_link_id(text) is whole
    assert not is_link_id(text.upper() or "x")


@pytest.mark.parametrize("token", ["a" + "0" * 16 + "A" * 22, "a" + "f" * 16 + "_-" * 11])
def test_a_token_is_an_a_the_id_and_22_characters(token: str) -> None:
    assert looks_like_link_token(token)
    assert not any(map(looks_like_link_token, (token[1:], f"{token}A", token[:-1], f"b{token[1:]}", token.upper())))


def test_the_words_that_keep_digests_apart_stay() -> None:
    words = ["link-signature", "link-request", "desk-session", "caller-request"]
    assert [purpose.value for purpose in Purpose] == words
    assert reference_code(AttemptId("attempt-ffffffffffff")) == "FFFF-FFFF"
