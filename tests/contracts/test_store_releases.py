"""Data of an earlier release survives the migration of its schema."""

from datetime import timedelta
from pathlib import Path

import pytest

from storage import open_database, open_store
from storage.database import Value
from storage.encryption.sealing import IndexKind
from storage.mapping import attempt_values, dead_letter_aad, dialogue_aad, to_micros
from storage.migrations import known_migrations, migrate
from tests.fakes import NOON, NUMBER, TELEGRAM, make_attempt, make_identity, make_sealing
from tests.open_unit import open_unit
from tests.postgres_server import Server
from tests.reliability import Proof
from verification.attempts import AttemptId, AttemptStatus
from verification.dialogue_store import Consent, Dialogue, PendingDeletion, PendingReply
from verification.ids import PersonId, own_account
from verification.ports import NoticeKind

RELEASES = {"0.1.0": 1}
"""The newest schema that each release knows."""

ANNA, BERT = PersonId("telegram:200000001"), PersonId("telegram:200000002")
NOW = to_micros(NOON)
ATTEMPT = make_attempt("a1", ANNA, status=AttemptStatus.OPENED, provider_state="check pass")
DONE = make_attempt("a2", BERT, status=AttemptStatus.SUCCEEDED)

ATTEMPTS = """
INSERT INTO attempts (id, account, contact, method, status, match_code, created_at, expires_at, token_index, secrets,
                      reason, fading)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
"""
DIALOGUES = """
INSERT INTO dialogues (person, text, language, revision, shown, panel, changed_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
"""
CONSENTS = """
INSERT INTO consents (person, account, kind, version, language, agreed_at) VALUES ($1, $2, $3, $4, $5, $6)
"""
NOTICES = """
INSERT INTO notices (contact, news, attempt, account, method, status, reason, expires_at, posted_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""


def as_0_1_0_wrote() -> list[tuple[str, tuple[Value, ...]]]:
    """Rows of every table as that release wrote them: a step in progress, a verified account, pending work."""
    sealing = make_sealing()
    text, panel = sealing.seal("t", dialogue_aad(ANNA, "text")), sealing.seal("p", dialogue_aad(ANNA, "panel"))
    dead_letter = sealing.seal("{}", dead_letter_aad("telegram:2"))
    number = sealing.index(IndexKind.NUMBER, NUMBER)
    expires_at = to_micros(ATTEMPT.expires_at)
    return [
        (ATTEMPTS, attempt_values(ATTEMPT, sealing)),
        (ATTEMPTS, attempt_values(DONE, sealing)),
        (DIALOGUES, (ANNA, text, "en", 7, 6, panel, NOW)),
        (NOTICES, (ANNA, "progress", "a1", ANNA, "wechat", "opened", None, expires_at, NOW)),
        ("INSERT INTO places VALUES ($1, $2, $3, $4, $5, $6)", (number, 1, BERT, "a2", "wechat", NOW)),
        (
            CONSENTS,
            (ANNA, ANNA, "data", "2026-11", "zh", NOW),
        ),
        ("INSERT INTO litter VALUES ($1, $2, $3)", (ANNA, 55, NOW)),
        ("INSERT INTO seen_events VALUES ($1, $2)", ("telegram:1", NOW)),
        ("INSERT INTO dead_updates VALUES ($1, $2, $3)", ("telegram:2", dead_letter, NOW)),
    ]


@pytest.fixture(params=["sqlite", "postgres"])
async def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database of each kind that has no schema yet."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/bot.sqlite3"
    server: Server = request.getfixturevalue("server")
    return await server.new_database()


@pytest.mark.parametrize("release", RELEASES)
async def test_inv32_all_data_of_an_earlier_release_survives_the_migration(
    url: str, release: str, proof: Proof
) -> None:
    written = as_0_1_0_wrote()
    async with open_database(url) as database:
        await migrate(database, known_migrations()[: RELEASES[release]])
        async with database.transaction() as connection:
            for statement, values in written:
                await connection.fetch(statement, *values)

    async with open_store(url, sealing=make_sealing()) as store:
        pending, deletions = await store.pending_replies(TELEGRAM, 10), await store.pending_deletions(TELEGRAM, 10)
        notices = await store.claim_notices(TELEGRAM, NOON, until=NOON + timedelta(seconds=1), limit=10)
        async with open_unit(store, ANNA) as unit:
            dialogue, records = await unit.dialogue(ANNA), await unit.records(ANNA)
            live, accounts = await unit.live_attempt(own_account(ANNA)), await unit.accounts_of(make_identity())
            again = await unit.mark_seen("telegram:1", NOON)

    assert dialogue == Dialogue(person=ANNA, text="t", language="en", revision=7, shown=6, panel="p")
    assert (pending, deletions) == ([PendingReply(ANNA, 7, None)], [PendingDeletion(ANNA, 55, NOON)])
    assert (live, accounts, again) == (ATTEMPT, frozenset[str]({BERT}), False)
    assert [(notice.attempt, notice.kind) for notice in notices] == [(AttemptId("a1"), NoticeKind.PROGRESS)]
    assert records.consents == [
        Consent(person=ANNA, account=own_account(ANNA), kind="data", version="2026-11", language="zh", at=NOON)
    ]
    proof(cases=len(written))


async def test_what_was_tried_before_the_keyed_indexes_were_shortened_still_counts(url: str) -> None:
    sealing = make_sealing()
    indexes = (
        sealing.index(kind, text)
        for kind, text in ((IndexKind.ACCOUNT, ANNA), (IndexKind.CONTACT, ANNA), (IndexKind.NUMBER, NUMBER))
    )
    async with open_database(url) as database:
        await migrate(database, known_migrations()[:11])
        async with database.transaction() as connection:
            await connection.fetch("INSERT INTO tries VALUES ($1, $2, $3, $4, 1, $5)", "a1", *indexes, NOW)

    async with open_store(url, sealing=sealing) as store, open_unit(store, ANNA) as unit:
        [record] = await unit.rate_limit_records(
            make_attempt("a2", ANNA), make_identity(), NOON - timedelta(days=1), number_limit=1
        )

    assert (record.same_account, record.same_person, record.same_number) == (True, True, True)
