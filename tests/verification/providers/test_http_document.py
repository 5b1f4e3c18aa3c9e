"""The OpenAPI document of the protocol says what the code sends and understands, and no more."""

import json
from collections.abc import Mapping

import pytest

from bot.http_client import http_client
from tests.fakes import FakeClock, make_attempt, make_identity
from tests.provider_document import CALLBACK, SCHEMAS, SESSIONS, check_body, documented
from tests.provider_server import SIGNING, FakeProviderServer, nobody, provider
from tests.web.app_fixture import START, WebFixture
from verification.attempts import AttemptId, Method, Passed, Reason, Rejected
from verification.errors import ProviderUnavailable
from verification.providers.simulated.provider import SimulatedProvider
from web.webhooks import CALLBACK_PATH

BODY = b'{"session":"a1"}'


def words(schema: str, name: str) -> list[str]:
    enum: list[str] = SCHEMAS[schema]["properties"][name]["enum"]
    return enum


def test_every_example_is_as_its_schema_says() -> None:
    put, get = SESSIONS["put"], SESSIONS["get"]
    described = [put["requestBody"], put["responses"]["201"], get["responses"]["200"], CALLBACK["requestBody"]]

    for each in described:
        check_body(each, json.dumps(each["content"]["application/json"]["example"]).encode())


def test_the_document_names_every_reason_that_a_provider_may_give() -> None:
    ours = (Reason.QUOTA, Reason.BUSY)

    assert {*words("SessionState", "reason")} == {*Reason} - {*ours}


async def test_every_call_and_answer_is_as_the_document_says() -> None:
    async with provider() as server, http_client(loopback_only=True) as call:
        for method in words("NewSession", "method"):
            ours = server.http(documented(call), FakeClock(), Method(method))
            await ours.open(AttemptId("a1"), make_identity(), "https://bot.example.org/v/token/back")

            await ours.poll(make_attempt())

        assert [verb for verb, _ in server.asked] == ["PUT", "GET"] * 3


async def test_every_state_and_reason_of_the_document_is_understood() -> None:
    async with provider() as server, http_client(loopback_only=True) as call:
        ours = server.http(documented(call), FakeClock())
        answers = []
        for state in words("SessionState", "state"):
            server.states["a1"] = {"state": state}
            answers.append((await ours.poll(make_attempt())).news)
        for reason in words("SessionState", "reason"):
            server.states["a1"] = {"state": "failed", "reason": reason}
            answer = (await ours.poll(make_attempt())).news
            assert isinstance(answer, Rejected)
            assert answer.reason == reason

    assert answers[:3] == ["waiting", "opened", "confirming"]
    assert answers[3] == Passed()
    assert isinstance(answers[4], Rejected)


@pytest.mark.parametrize("state", ["", "pass", "succeeded", "expired", "reserved"])
async def test_a_state_that_the_document_does_not_name_is_no_answer(state: str) -> None:
    async with provider() as server, http_client(loopback_only=True) as call:
        server.states["a1"] = {"state": state}

        with pytest.raises(ProviderUnavailable, match="state is unknown"):
            await server.http(call, FakeClock()).poll(make_attempt())


async def test_the_answers_to_a_callback_are_those_of_the_document() -> None:
    http = FakeProviderServer(base="https://api.example.org").http(nobody, lambda: START)
    at = WebFixture(providers={Method.WECHAT: http, Method.QQ: SimulatedProvider(Method.QQ)})

    async def post(body: bytes, headers: Mapping[str, str], method: Method = Method.WECHAT) -> str:
        path = CALLBACK_PATH.format(method=method)
        return str((await at.phone("x").post(path, content=body, headers=dict(headers))).status_code)

    answers = {
        await post(BODY, SIGNING.headers("m1", START, BODY)),
        await post(b"{}", SIGNING.headers("m1", START, b"{}")),
        await post(BODY, {}),
        await post(BODY, SIGNING.headers("m1", START, BODY), Method.QQ),
        await post(b"x" * 20_000, {}),
    }

    assert answers == CALLBACK["responses"].keys()
