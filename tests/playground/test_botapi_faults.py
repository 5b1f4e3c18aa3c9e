"""Injected faults and flood limits."""

from __future__ import annotations

from collections.abc import AsyncIterator
from itertools import pairwise

import aiohttp
import pytest

from tests.playground.simulator import TOKEN, RunningPlayground, running_playground


@pytest.fixture
async def simulator() -> AsyncIterator[RunningPlayground]:
    async with running_playground() as simulator:
        yield simulator


async def test_a_429_has_retry_after_and_ends_after_its_calls(simulator: RunningPlayground) -> None:
    user = await simulator.person()
    await simulator.sim("/faults", method="sendMessage", kind="429", times=2, retry_after=7)

    first = await simulator.call("sendMessage", chat_id=user, text="a")
    await simulator.refusal("sendMessage", chat_id=user, text="a")

    assert first == {
        "ok": False,
        "error_code": 429,
        "description": "Too Many Requests: retry after 7",
        "parameters": {"retry_after": 7},
    }
    assert await simulator.result("sendMessage", chat_id=user, text="a")


@pytest.mark.parametrize(("kind", "executed"), [("lost", 1), ("drop", 0)])
async def test_a_connection_can_be_cut_before_or_after_the_call_is_executed(
    simulator: RunningPlayground, kind: str, executed: int
) -> None:
    user = await simulator.person()
    await simulator.sim("/faults", method="sendMessage", kind=kind)

    with pytest.raises(aiohttp.ClientConnectionError):
        await simulator.call("sendMessage", chat_id=user, text="a")

    reply = [event for event in await simulator.events("message") if event["from"] == "bot"]
    assert len(reply) == executed


@pytest.mark.parametrize(("kind", "status"), [("502", 502), ("garbage", 200), ("401", 401), ("500", 500)])
async def test_a_fault_can_replace_the_answer(simulator: RunningPlayground, kind: str, status: int) -> None:
    await simulator.sim("/faults", method="*", kind=kind)

    async with simulator.http.get(f"{simulator.url}/bot{TOKEN}/getMe") as answer:
        assert answer.status == status
    assert await simulator.result("getMe")


async def test_a_slow_call_is_answered_and_faults_can_be_removed(simulator: RunningPlayground) -> None:
    await simulator.sim("/faults", method="getMe", kind="slow", seconds=0)
    assert await simulator.result("getMe")

    await simulator.sim("/faults", method="getMe", kind="502", times=99)
    await simulator.sim("/faults", "DELETE")

    assert await simulator.result("getMe")
    assert await simulator.try_sim("/faults", kind="earthquake") == (
        400,
        {"error": "kind: one of 401, 403, 429, 500, 502, lost, drop, slow, garbage, duplicate"},
    )


async def test_too_many_messages_to_a_chat_get_429_until_retry_after(simulator: RunningPlayground) -> None:
    busy, other = await simulator.person(), await simulator.person("李雷")
    await simulator.sim("/limits", per_chat=0.01, burst=2)

    sent = [await simulator.call("sendMessage", chat_id=busy, text="a") for _ in range(3)]
    await simulator.result("deleteMessage", chat_id=busy, message_id=sent[0]["result"]["message_id"])
    await simulator.result("sendMessage", chat_id=other, text="a")
    calls = await simulator.sim("/calls", "GET")

    assert [reply["ok"] for reply in sent] == [True, True, False]
    assert sent[2]["description"] == f"Too Many Requests: retry after {sent[2]['parameters']['retry_after']}"
    assert 90 < sent[2]["parameters"]["retry_after"] <= 100
    assert [(call["method"], call["status"]) for call in calls if call["chat"] == str(busy)] == [
        ("sendMessage", 200),
        ("sendMessage", 200),
        ("sendMessage", 429),
        ("deleteMessage", 200),
    ]
    assert all(earlier["at"] <= later["at"] for earlier, later in pairwise(calls))


async def test_too_many_messages_in_all_chats_get_429_until_the_limit_is_removed(simulator: RunningPlayground) -> None:
    users = [await simulator.person() for _ in range(3)]
    await simulator.sim("/limits", overall=0.5)
    first = await simulator.call("sendMessage", chat_id=users[0], text="a")
    second = await simulator.call("sendMessage", chat_id=users[1], text="a")
    await simulator.sim("/limits")

    assert (first["ok"], second["ok"], second["parameters"]) == (True, False, {"retry_after": 1})
    assert await simulator.result("sendMessage", chat_id=users[2], text="a")
    assert await simulator.try_sim("/limits", overall=0) == (
        400,
        {"error": "overall: a number greater than 0 is needed"},
    )
