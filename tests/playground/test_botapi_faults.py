"""Faults on order: what the network and the server can do to a bot."""

from __future__ import annotations

from collections.abc import AsyncIterator
from itertools import pairwise

import aiohttp
import pytest

from tests.playground.simulator import TOKEN, RunningPlayground, running_playground


@pytest.fixture
async def stand() -> AsyncIterator[RunningPlayground]:
    async with running_playground() as stand:
        yield stand


async def test_a_429_says_how_long_to_wait_and_ends_by_itself(stand: RunningPlayground) -> None:
    user = await stand.person()
    await stand.sim("/faults", method="sendMessage", kind="429", times=2, retry_after=7)

    first = await stand.call("sendMessage", chat_id=user, text="a")
    await stand.refusal("sendMessage", chat_id=user, text="a")

    assert first == {
        "ok": False,
        "error_code": 429,
        "description": "Too Many Requests: retry after 7",
        "parameters": {"retry_after": 7},
    }
    assert await stand.result("sendMessage", chat_id=user, text="a")


@pytest.mark.parametrize(("kind", "executed"), [("lost", 1), ("drop", 0)])
async def test_a_connection_can_end_before_or_after_the_call_is_done(
    stand: RunningPlayground, kind: str, executed: int
) -> None:
    user = await stand.person()
    await stand.sim("/faults", method="sendMessage", kind=kind)

    with pytest.raises(aiohttp.ClientConnectionError):
        await stand.call("sendMessage", chat_id=user, text="a")

    told = [event for event in await stand.events("message") if event["from"] == "bot"]
    assert len(told) == executed


@pytest.mark.parametrize(("kind", "status"), [("502", 502), ("garbage", 200), ("401", 401), ("500", 500)])
async def test_other_answers_than_the_bots_own_can_be_ordered(stand: RunningPlayground, kind: str, status: int) -> None:
    await stand.sim("/faults", method="*", kind=kind)

    async with stand.http.get(f"{stand.url}/bot{TOKEN}/getMe") as answer:
        assert answer.status == status
    assert await stand.result("getMe")


async def test_a_slow_answer_comes_in_the_end_and_orders_can_be_taken_back(stand: RunningPlayground) -> None:
    await stand.sim("/faults", method="getMe", kind="slow", seconds=0)
    assert await stand.result("getMe")

    await stand.sim("/faults", method="getMe", kind="502", times=99)
    await stand.sim("/faults", "DELETE")

    assert await stand.result("getMe")
    assert await stand.try_sim("/faults", kind="earthquake") == (
        400,
        {"error": "kind: one of 401, 403, 429, 500, 502, lost, drop, slow, garbage, duplicate"},
    )


async def test_too_many_messages_into_a_chat_are_refused_until_the_seconds_it_says(stand: RunningPlayground) -> None:
    busy, other = await stand.person(), await stand.person("李雷")
    await stand.sim("/limits", per_chat=0.01, burst=2)

    sent = [await stand.call("sendMessage", chat_id=busy, text="a") for _ in range(3)]
    await stand.result("deleteMessage", chat_id=busy, message_id=sent[0]["result"]["message_id"])
    await stand.result("sendMessage", chat_id=other, text="a")
    calls = await stand.sim("/calls", "GET")

    assert [told["ok"] for told in sent] == [True, True, False]
    assert sent[2]["description"] == f"Too Many Requests: retry after {sent[2]['parameters']['retry_after']}"
    assert 90 < sent[2]["parameters"]["retry_after"] <= 100
    assert [(call["method"], call["status"]) for call in calls if call["chat"] == str(busy)] == [
        ("sendMessage", 200),
        ("sendMessage", 200),
        ("sendMessage", 429),
        ("deleteMessage", 200),
    ]
    assert all(earlier["at"] <= later["at"] for earlier, later in pairwise(calls))


async def test_too_many_messages_over_all_are_refused_until_the_limit_is_lifted(stand: RunningPlayground) -> None:
    users = [await stand.person() for _ in range(3)]
    await stand.sim("/limits", overall=0.5)
    first = await stand.call("sendMessage", chat_id=users[0], text="a")
    second = await stand.call("sendMessage", chat_id=users[1], text="a")
    await stand.sim("/limits")

    assert (first["ok"], second["ok"], second["parameters"]) == (True, False, {"retry_after": 1})
    assert await stand.result("sendMessage", chat_id=users[2], text="a")
    assert await stand.try_sim("/limits", overall=0) == (400, {"error": "overall: a number greater than 0 is needed"})
