"""Callbacks of providers: only signed and fresh ones count, and no input causes an error."""

from collections.abc import Mapping
from datetime import timedelta

import httpx
import pytest

from tests.provider_server import OTHER_SECRET, SIGNING, FakeProviderServer, nobody
from tests.web.app_fixture import START, TTL, WebFixture
from verification import AttemptId, Method
from verification.providers.http import HttpProvider
from verification.providers.simulated.provider import SimulatedProvider
from verification.signing import WebhookSigner

BODY = b'{"session":"a1"}'


def web_app() -> WebFixture:
    http = FakeProviderServer(base="https://api.example.org").http(nobody, lambda: START)
    return WebFixture(providers={Method.WECHAT: http, Method.QQ: SimulatedProvider(Method.QQ)})


async def post_callback(at: WebFixture, body: bytes, headers: dict[str, str], method: str = "wechat") -> httpx.Response:
    return await at.phone("x").post(f"/callbacks/{method}", content=body, headers=headers)


async def test_a_signed_callback_is_accepted() -> None:
    at = web_app()

    answer = await post_callback(at, BODY, SIGNING.headers("m1", START, BODY))

    assert (answer.status_code, at.notified) == (202, ["a1"])


@pytest.mark.parametrize(
    "headers",
    [
        {},
        SIGNING.headers("m1", START, b"{}"),
        SIGNING.headers("m1", START - timedelta(minutes=6), BODY),
        SIGNING.headers("m1", START + timedelta(minutes=6), BODY),
        WebhookSigner(OTHER_SECRET).headers("m1", START, BODY),
        SIGNING.headers("m1", START, BODY) | {"webhook-signature": "v1,!"},
        SIGNING.headers("m1", START, BODY) | {"webhook-timestamp": "9" * 400},
    ],
)
async def test_inv18_a_callback_without_a_valid_signature_is_ignored(headers: dict[str, str]) -> None:
    at = web_app()

    answer = await post_callback(at, BODY, headers)

    assert (answer.status_code, answer.content, at.notified) == (401, b"", [])


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b'{"session":{}}', b"[" * 16_000])
async def test_inv18_a_signed_callback_with_a_foreign_body_is_refused(body: bytes) -> None:
    at = web_app()

    answer = await post_callback(at, body, SIGNING.headers("m1", START, body))

    assert (answer.status_code, answer.content, at.notified) == (400, b"", [])


async def test_inv18_a_callback_that_is_too_large_is_refused() -> None:
    at = web_app()
    body = b" " * (16 * 1024 + 1)

    answer = await post_callback(at, body, SIGNING.headers("m1", START, body))

    assert (answer.status_code, at.notified) == (413, [])


@pytest.mark.parametrize("method", ["qq", "face", "nothing", "WECHAT"])
async def test_a_method_without_an_http_provider_has_no_callback_address(method: str) -> None:
    at = web_app()

    answer = await post_callback(at, BODY, SIGNING.headers("m1", START, BODY), method)

    assert (answer.status_code, at.notified) == (404, [])


async def test_a_callback_address_accepts_only_post() -> None:
    answer = await web_app().phone("browser").get("/callbacks/wechat")

    assert answer.status_code == 405


async def test_nothing_of_a_callback_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    body = b'{"session":"planted-canary"}'
    caplog.set_level("DEBUG")

    await post_callback(web_app(), body, SIGNING.headers("planted-canary", START, body))
    await post_callback(web_app(), body, {"webhook-id": "planted-canary"})

    assert "planted-canary" not in caplog.text


class WithoutCallbacks(HttpProvider):
    """A provider that only sends the phone back, and never calls."""

    def read_callback(self, headers: Mapping[str, str], body: bytes) -> AttemptId | None:
        return None


async def test_a_provider_that_makes_no_callbacks_has_no_address_for_them() -> None:
    service = FakeProviderServer(base="https://api.example.org").service()
    quiet = WithoutCallbacks(Method.WECHAT, service, nobody, lambda: START, callback_url="", session_lifetime=TTL)
    at = WebFixture(providers={Method.WECHAT: quiet})

    answer = await post_callback(at, BODY, SIGNING.headers("m1", START, BODY))

    assert (answer.status_code, at.notified) == (404, [])
