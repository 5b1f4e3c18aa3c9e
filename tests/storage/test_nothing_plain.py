import logging
import random
from datetime import timedelta
from pathlib import Path

import pytest

from storage import SqlStore, open_store
from tests.fakes import NOON, NUMBER, FakeClock, FakeProvider, make_deps, make_request, make_sealing
from tests.open_unit import open_unit
from tests.sqlite_file import sqlite_url
from verification.attempts import AttemptStatus, Method, Passed, Reason, Rejected
from verification.core import Core
from verification.ids import PersonId, own_account

PERSON = PersonId("telegram:1")
CANARIES = [
    "王小明",
    NUMBER,
    NUMBER[6:14],
    "token-1",
    "token-2",
    "page-of-a",
    "DIALOGUE-CANARY",
    "PANEL-CANARY",
    "RAW-CANARY",
]


async def a_whole_story(store: SqlStore) -> None:
    core = Core(store, dict.fromkeys(Method, FakeProvider()), make_deps(FakeClock()), ttl=timedelta(minutes=10))
    async with open_unit(store, PERSON) as unit:
        revision = await unit.save_dialogue(PERSON, f"DIALOGUE-CANARY 王小明 {NUMBER}", language="zh", now=NOON)
    await store.mark_shown(PERSON, revision, "PANEL-CANARY")
    await store.store_dead_letter("update:9", person=None, raw=f"RAW-CANARY 王小明 {NUMBER}", now=NOON)
    first = await core.begin(make_request("a1"))
    await core.progress(first.attempt, AttemptStatus.OPENED, "page-of-a1 opened")
    await core.complete(first.attempt, Rejected(Reason.DECLINED))
    second = await core.begin(make_request("a2"))
    await core.complete(second.attempt, Passed())


def files_in(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def found_in(folder: Path) -> set[str]:
    content = b"".join(files_in(folder).values())
    return {canary for canary in CANARIES for form in ("utf-8", "utf-16-le") if canary.encode(form) in content}


async def test_no_file_of_the_store_holds_plain_data_before_or_after_the_verdict(tmp_path: Path) -> None:
    async with open_store(sqlite_url(tmp_path), sealing=make_sealing()) as store:
        await a_whole_story(store)
        assert set(files_in(tmp_path)) == {"bot.sqlite3", "bot.sqlite3-shm", "bot.sqlite3-wal"}
        assert found_in(tmp_path) == set()

    assert found_in(tmp_path) == set()


async def test_inv38_no_plain_data_reaches_a_log_at_any_level(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with open_store(sqlite_url(tmp_path), sealing=make_sealing()) as store:
        await a_whole_story(store)

    assert not [canary for canary in CANARIES if canary in caplog.text]


async def test_after_the_verdict_the_number_cannot_be_recovered(tmp_path: Path) -> None:
    async with open_store(sqlite_url(tmp_path), sealing=make_sealing()) as store:
        await a_whole_story(store)
        async with open_unit(store, "look") as unit:
            ended = [await unit.attempt_by_token(token) for token in ("token-1", "token-2")]

    assert [attempt and attempt.identity for attempt in ended] == [None, None]


async def test_inv39_after_erasing_no_file_holds_even_the_sealed_bytes(tmp_path: Path) -> None:
    sealing = make_sealing()
    async with open_store(sqlite_url(tmp_path), sealing=sealing) as store:
        async with open_unit(store, PERSON) as unit:
            await unit.save_dialogue(PERSON, random.Random(1).randbytes(50_000).hex(), language="zh", now=NOON)
        log = files_in(tmp_path)["bot.sqlite3-wal"]
        async with open_unit(store, PERSON) as unit:
            await unit.erase(PERSON, own_account(PERSON))
        after = b"".join(files_in(tmp_path).values())

    pieces = [log[at : at + 64] for at in range(4_096, len(log), 4_120)]
    sealed = [piece for piece in pieces if piece.strip(b"\0") and len(set(piece)) > 40]
    assert len(sealed) > 10
    assert not [piece for piece in sealed if piece in after]
    assert PERSON.encode() not in after
