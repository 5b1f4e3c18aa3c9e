"""A provider over HTTP: what is sent, which answers count, and how its failures are handled."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

import pytest
from msgspec.structs import replace

from bot.http_client import http_client
from tests.fakes import NOON, NUMBER, FakeClock, make_attempt, make_identity
from tests.provider_server import PASSING, SIGNING, FakeProviderServer, ProviderFault, nobody, provider
from tests.reliability import Proof
from tests.virtual_time_loop import run
from verification.attempts import AttemptId, AttemptStatus, Method, Passed, ProviderApp, Reason, Rejected, Verdict
from verification.errors import AttemptNotServed, ProviderUnavailable
from verification.ports import InvalidCallback, PhoneRedirect, ProviderAnswer
from verification.providers.addresses import allowed_phone_url
from verification.providers.http import HttpProvider, ProviderEndpoint, TransientFailure
from verification.signing import InvalidSignature

A1 = AttemptId("a1")
ATTEMPT = make_attempt("a1")
RETURN = "https://bot.example.org/v/token/back"
LASTING = [trouble for trouble in ProviderFault if trouble not in PASSING and trouble is not ProviderFault.HELD]


@dataclass
class ProviderPair:
    """Our provider, and the server on the other side."""

    ours: HttpProvider
    other: FakeProviderServer


@pytest.fixture
async def line() -> AsyncIterator[ProviderPair]:
    async with provider() as other, http_client(loopback_only=True) as call:
        yield ProviderPair(other.http(call, FakeClock()), other)


async def test_a_session_is_opened_with_what_is_to_be_verified(line: ProviderPair) -> None:
    session = await line.ours.open(A1, make_identity(), RETURN)

    assert session.provider_state == f"{line.other.base}/phone/a1"
    assert line.other.sessions["a1"] == {
        "method": "wechat",
        "name": "王小明",
        "number": NUMBER,
        "callback": "https://bot.example.org/callbacks/wechat",
        "return": RETURN,
        "keep_seconds": 1800,
    }


async def test_opening_again_is_the_same_session(line: ProviderPair) -> None:
    assert await line.ours.open(A1, make_identity(), RETURN) == await line.ours.open(A1, make_identity(), RETURN)
    assert list(line.other.sessions) == ["a1"]


@pytest.mark.parametrize("trouble", PASSING)
async def test_inv21_a_transient_failure_is_retried(line: ProviderPair, trouble: ProviderFault, proof: Proof) -> None:
    line.other.troubles = [trouble, trouble]

    assert (await line.ours.open(A1, make_identity(), RETURN)).provider_state
    assert len(line.other.asked) == 3
    proof(cases=1, faults=2)


@pytest.mark.parametrize("trouble", PASSING)
async def test_inv21_tries_to_open_a_session_are_limited(
    line: ProviderPair, trouble: ProviderFault, proof: Proof
) -> None:
    line.other.troubles = [trouble] * 99
    with pytest.raises(ProviderUnavailable):
        await line.ours.open(A1, make_identity(), RETURN)

    assert len(line.other.asked) == 3
    proof(cases=1, faults=3)


@pytest.mark.parametrize("trouble", LASTING)
async def test_inv21_a_permanent_failure_is_not_retried(
    line: ProviderPair, trouble: ProviderFault, caplog: pytest.LogCaptureFixture, proof: Proof
) -> None:
    line.other.troubles = [trouble]
    with pytest.raises(ProviderUnavailable):
        await line.ours.open(A1, make_identity(), RETURN)

    assert len(line.other.asked) == 1
    assert "a1" in caplog.text
    assert not [secret for secret in (NUMBER, "王小明", line.other.base) if secret in caplog.text]
    proof(cases=1, faults=1)


@pytest.mark.parametrize("trouble", [*LASTING, *PASSING])
async def test_inv21_a_poll_is_not_retried(line: ProviderPair, trouble: ProviderFault, proof: Proof) -> None:
    line.other.troubles = [trouble]
    with pytest.raises(ProviderUnavailable):
        await line.ours.poll(ATTEMPT)

    assert line.other.asked == [("GET", "a1")]
    proof(cases=1, faults=1)


@pytest.mark.parametrize(
    ("state", "meant"),
    [
        ({"state": "waiting"}, AttemptStatus.WAITING),
        ({"state": "opened"}, AttemptStatus.OPENED),
        ({"state": "confirming"}, AttemptStatus.CONFIRMING),
        ({"state": "passed"}, Passed()),
        ({"state": "failed", "reason": "face_covered"}, Rejected(Reason.FACE_COVERED)),
        ({"state": "failed", "reason": "face_unclear"}, Rejected(Reason.FACE_UNCLEAR)),
        ({"state": "failed", "reason": "no_photo"}, Rejected(Reason.NO_PHOTO)),
        ({"state": "failed", "reason": "unfinished"}, Rejected(Reason.UNFINISHED)),
        ({"state": "failed", "reason": "too_many"}, Rejected(Reason.TOO_MANY)),
        ({"state": "failed", "reason": "busy"}, Rejected(Reason.UNAVAILABLE)),
        ({"state": "failed", "reason": "a new word"}, Rejected(Reason.UNAVAILABLE)),
        ({"state": "failed", "reason": "quota"}, Rejected(Reason.UNAVAILABLE)),
        ({"state": "failed", "reason": ["mismatch"]}, Rejected(Reason.UNAVAILABLE)),
        ({"state": "failed"}, Rejected(Reason.UNAVAILABLE)),
    ],
)
async def test_an_answer_is_parsed(
    line: ProviderPair, state: dict[str, object], meant: AttemptStatus | Verdict
) -> None:
    line.other.states["a1"] = state

    assert await line.ours.poll(ATTEMPT) == ProviderAnswer(meant)


@pytest.mark.parametrize("state", ["succeeded", "expired", "reserved", "", None, 7, ["passed"]])
async def test_an_unknown_state_is_no_answer(line: ProviderPair, state: object) -> None:
    line.other.states["a1"] = {"state": state}
    with pytest.raises(ProviderUnavailable):
        await line.ours.poll(ATTEMPT)


@pytest.mark.parametrize(
    "url",
    [
        None,
        7,
        "",
        "/phone/a1",
        "//verify.example.org/a1",
        "http://verify.example.org/a1",
        "http://127.0.0.1/phone/a1",
        "https://127.0.0.1/phone/a1",
        "https://evil.example/a1",
        "https://verify.example.org.evil.example/a1",
        "https://verify.example.org:8443/a1",
        "https://verify.example.org@evil.example/a1",
        "https://evil.example\\@verify.example.org/a1",
        "https://user@verify.example.org/a1",
        "javascript:alert(1)//verify.example.org",
        "https://verify.example.org/a 1",
        "https://verify.example.org/\r\nSet-Cookie: a=b",
        "https://verify.example.org/" + "a" * 2048,
        "https://[verify.example.org/a1",
    ],
)
def test_ssrf_a_phone_is_sent_to_a_listed_host_by_https_and_nowhere_else(url: object) -> None:
    service = ProviderEndpoint("https://api.example.org/v1", frozenset({"verify.example.org"}), SIGNING)

    assert allowed_phone_url(url, service.phone_origins) is None
    good = "https://Verify.Example.org/a?b=c#d"
    assert allowed_phone_url(good, service.phone_origins) == good


async def test_the_phone_leaves_to_the_address_of_the_session_and_only_to_listed_origins() -> None:
    ours = FakeProviderServer(base="http://api.example.org").http(nobody, FakeClock())
    attempt = replace(ATTEMPT, provider_state="https://api.example.org/a1")

    assert await ours.leave(attempt, {}) == PhoneRedirect("https://api.example.org/a1", "https://api.example.org/a1")
    assert ours.phone_origins == {"https://api.example.org", "http://api.example.org"}
    assert ProviderEndpoint("https://api.example.org", frozenset({"a.example"}), SIGNING).phone_origins == {
        "https://a.example"
    }
    assert not ours.simulated
    assert ours.app is ProviderApp.WECHAT


async def test_a_forbidden_address_for_phones_opens_no_session(line: ProviderPair) -> None:
    line.other.url = "https://evil.example/a1"
    with pytest.raises(ProviderUnavailable):
        await line.ours.open(A1, make_identity(), RETURN)


@pytest.mark.parametrize("status", [199, 202, 204, 302, 404, 409, 424, 428, 430, 499])
async def test_an_unexpected_status_is_no_answer_even_with_a_good_body(status: int) -> None:
    async def call(verb: str, url: str, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
        return status, b'{"session":"a1","state":"passed"}'

    with pytest.raises(ProviderUnavailable) as refused:
        await FakeProviderServer(base="https://api.example.org").http(call, FakeClock()).poll(ATTEMPT)

    assert not isinstance(refused.value, TransientFailure)


async def test_a_call_goes_to_the_session_and_says_what_its_body_is() -> None:
    calls = []

    async def call(verb: str, url: str, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
        SIGNING.verify(headers, body, NOON)
        calls.append((verb, url, headers.get("content-type")))
        return 201, b'{"session":"a1","state":"waiting","url":"http://api.example.org/phone/a1"}'

    ours = FakeProviderServer(base="http://api.example.org").http(call, FakeClock())
    await ours.open(A1, make_identity(), RETURN)
    await ours.poll(ATTEMPT)

    assert calls == [
        ("PUT", "http://api.example.org/sessions/a1", "application/json"),
        ("GET", "http://api.example.org/sessions/a1", None),
    ]


async def test_without_a_typed_identity_there_is_nothing_to_compare_and_no_session() -> None:
    with pytest.raises(AttemptNotServed):
        await at_the_door().open(AttemptId("attempt-1"), None, "https://bot.example.org/v/a/back")


def test_between_the_tries_to_open_a_session_are_half_a_second_and_two_seconds() -> None:
    tried_at = list[float]()

    async def call(verb: str, url: str, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
        tried_at.append(asyncio.get_running_loop().time())
        raise TransientFailure("away")

    async def story() -> None:
        endpoint = ProviderEndpoint("https://api.example.org", frozenset(), SIGNING)
        ours = HttpProvider(
            Method.QQ, endpoint, call, FakeClock(), callback_url="", session_lifetime=timedelta(hours=1)
        )
        with pytest.raises(ProviderUnavailable):
            await ours.open(A1, make_identity(), RETURN)

    run(story())

    assert [round(at - tried_at[0], 3) for at in tried_at] == [0, 0.5, 2.5]


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 599])
async def test_a_status_that_may_pass_is_a_transient_failure(status: int) -> None:
    async def call(verb: str, url: str, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
        return status, b'{"session":"a1","state":"passed"}'

    with pytest.raises(TransientFailure):
        await FakeProviderServer(base="https://api.example.org").http(call, FakeClock()).poll(ATTEMPT)


def at_the_door() -> HttpProvider:
    return FakeProviderServer(base="https://api.example.org").http(nobody, FakeClock())


@pytest.mark.parametrize("session", ["a1", "0123456789abcdef" * 2])
def test_a_callback_says_which_session_has_news(session: str) -> None:
    body = json.dumps({"session": session, "state": "passed", "more": 1}).encode()

    assert at_the_door().read_callback(SIGNING.headers("m1", NOON, body), body) == session


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b'"a1"',
        b'{"session":7}',
        b'{"session":""}',
        b'{"session":"a 1"}',
        b'{"session":"../a1"}',
        b'{"session":"%s"}' % (b"a" * 65),
        b"{",
        b"\xff\xfe",
        b"[" * 16_000,
    ],
)
def test_inv18_a_signed_callback_with_a_foreign_body_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidCallback):
        at_the_door().read_callback(SIGNING.headers("m1", NOON, body), body)


def test_inv18_a_callback_without_a_signature_is_not_read() -> None:
    with pytest.raises(InvalidSignature):
        at_the_door().read_callback({}, b'{"session":"a1"}')
