"""Rules for every address: headers, limits, health checks, errors without detail, logs without secrets."""

import logging
from collections.abc import AsyncIterator, Sequence

import httpx
import pytest
from prometheus_client import Counter
from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse, Response
from starlette.types import Message, Receive, Scope, Send

from storage import StoreUnavailable
from tests.web.app_fixture import WebFixture
from verification import AttemptId, AttemptStatus, Method
from web.middleware import ErrorMiddleware
from web.serving import LOOPBACK, listen, serving

PROTECTION = {
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}


@pytest.mark.parametrize("path", ["/", "/v/nothing", "/nowhere", "/healthz", "/metrics", "/a/b/c/d"])
async def test_every_answer_carries_the_protective_headers(web_app: WebFixture, path: str) -> None:
    answer = await web_app.phone("browser").get(path)

    assert {name: answer.headers[name] for name in PROTECTION} == PROTECTION
    assert "noindex" in answer.headers["x-robots-tag"]
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "form-action 'self'" in policy
    assert "frame-ancestors 'self' http://127.0.0.1:* http://localhost:*" in policy


@pytest.mark.parametrize("path", ["/nowhere", "/v/", "/v", "/v/a/b", "/v/assets/../../app.py", "/v/assets/none.css"])
async def test_an_unknown_address_shows_a_friendly_page(web_app: WebFixture, path: str) -> None:
    answer = await web_app.phone("browser").get(path)

    assert answer.status_code == 404
    assert "没有找到这个页面" in answer.text


async def test_another_http_method_is_refused_with_the_allowed_ones(web_app: WebFixture) -> None:
    answer = await web_app.phone("browser").put("/v/nothing")

    assert answer.status_code == 405
    assert {"GET", "POST"} <= set(answer.headers["allow"].split(", "))


async def test_a_form_that_is_too_large_is_refused(web_app: WebFixture) -> None:
    scan_code = await web_app.begin(Method.WECHAT)

    answer = await web_app.phone("wechat").post(scan_code.phone_url, content=b"x" * (16 * 1024 + 1))

    assert answer.status_code == 413
    assert "太大" in answer.text


async def test_a_form_without_a_length_is_cut_off_at_the_limit(web_app: WebFixture) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b"x" * 1024

    scan_code = await web_app.begin(Method.WECHAT)

    answer = await web_app.phone("wechat").post(scan_code.phone_url, content=endless())

    assert answer.status_code == 413


@pytest.mark.parametrize(
    ("headers", "taken"),
    [
        ({}, True),
        ({"Origin": "null"}, True),
        ({"Origin": "http://127.0.0.1"}, True),
        ({"Origin": "https://verify.example"}, True),  # a proxy rewrote the host that the request names
        ({"Origin": "null", "Sec-Fetch-Site": "same-origin"}, True),
        ({"Origin": "https://elsewhere.example", "Sec-Fetch-Site": "same-origin"}, True),  # a proxy rewrote the host
        ({"Sec-Fetch-Site": "none"}, True),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Origin": "https://elsewhere.example"}, False),
        ({"Origin": "https://verify.example.evil.example"}, False),
        ({"Origin": "file://"}, False),
        ({"Origin": "http://[broken"}, False),
    ],
)
async def test_a_form_sent_from_another_site_does_nothing(
    web_app: WebFixture, headers: dict[str, str], taken: bool
) -> None:
    scan_code = await web_app.begin(Method.QQ)

    answer = await web_app.phone("qq").post(
        scan_code.phone_url, data={"stage": "check", "press": "confirm"}, headers=headers
    )

    assert answer.status_code == (200 if taken else 403)
    assert (web_app.store.committed.attempts[AttemptId("a0")].status is AttemptStatus.SUCCEEDED) is taken


async def test_the_page_works_below_a_proxy_prefix(web_app: WebFixture) -> None:
    scan_code = await web_app.begin(Method.QQ)
    token = scan_code.phone_url.rpartition("/")[2]

    async with behind_prefix(web_app, "/phone/qq") as client:
        page = await client.get(f"/phone/qq/v/{token}?lang=en")
        style = await client.get(page.url.join("../v/assets/phone.css"))
        after = await client.post(page.url, data={"stage": "check", "press": "confirm"})

    assert 'href="../v/assets/phone.css"' in page.text
    assert style.status_code == 200
    assert "Verified (simulated)" in after.text
    assert after.url.path == f"/phone/qq/v/{token}"


def behind_prefix(web_app: WebFixture, prefix: str) -> httpx.AsyncClient:
    async def stripped(scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"].removeprefix(prefix)
        await web_app.app({**scope, "path": path, "raw_path": path.encode()}, receive, send)

    transport = httpx.ASGITransport(stripped)
    headers = dict(web_app.phone("qq").headers)
    return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", headers=headers, follow_redirects=True)


async def test_the_liveness_check_answers(web_app: WebFixture) -> None:
    assert (await web_app.phone("browser").get("/healthz")).status_code == 200


async def test_the_readiness_check_names_what_is_not_ready(web_app: WebFixture) -> None:
    client = web_app.phone("browser")
    ready = await client.get("/readyz")
    web_app.not_ready["telegram"] = "no webhook is set"

    unready = await client.get("/readyz")

    assert (ready.status_code, unready.status_code) == (200, 503)
    assert ready.json() == {"ready": True, "parts": {"store": True, "telegram": True}, "reasons": {}}
    assert unready.json() == {
        "ready": False,
        "parts": {"store": True, "telegram": False},
        "reasons": {"telegram": "no webhook is set"},
    }


async def test_metrics_show_the_registry(web_app: WebFixture) -> None:
    Counter("turns", "Turns taken.", registry=web_app.registry).inc(3)

    answer = await web_app.phone("browser").get("/metrics")

    assert "turns_total 3.0" in answer.text


async def test_with_a_key_the_metrics_answer_only_to_it() -> None:
    web_app = WebFixture(more={"metrics_key": "key-of-the-metrics-0123"})
    async with web_app.phone("browser") as browser:
        none = await browser.get("/metrics")
        wrong = await browser.get("/metrics", headers={"Authorization": "Bearer key-of-the-metrics-0124"})
        right = await browser.get("/metrics", headers={"Authorization": "Bearer key-of-the-metrics-0123"})

    assert (none.status_code, wrong.status_code, right.status_code) == (401, 401, 200)
    assert none.headers["www-authenticate"] == "Bearer"


async def test_metrics_at_an_address_of_their_own_are_not_beside_the_pages() -> None:
    web_app = WebFixture(more={"serves_metrics": False})
    async with web_app.phone("browser") as browser:
        beside = await browser.get("/metrics")
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(web_app.metrics_app), base_url="http://127.0.0.1"
    ) as scraper:
        alone, pages = await scraper.get("/metrics"), await scraper.get("/")

    assert (beside.status_code, alone.status_code, pages.status_code) == (404, 200, 404)


async def test_in_production_browsers_keep_to_https_and_no_page_of_this_machine_may_frame() -> None:
    web_app = WebFixture(more={"framed": False})
    async with web_app.phone("browser") as browser:
        answer = await browser.get("/")

    assert answer.headers["strict-transport-security"] == "max-age=31536000"
    assert answer.headers["content-security-policy"].endswith("frame-ancestors 'self'")


async def test_without_https_a_browser_is_not_told_to_keep_to_it() -> None:
    web_app = WebFixture(more={"public_url": "http://127.0.0.1:8080"})
    async with web_app.phone("browser") as browser:
        assert "strict-transport-security" not in (await browser.get("/")).headers


async def test_robots_txt_disallows_everything(web_app: WebFixture) -> None:
    assert "Disallow: /" in (await web_app.phone("browser").get("/robots.txt")).text


async def test_an_error_shows_no_detail_and_logs_no_secret(
    web_app: WebFixture, caplog: pytest.LogCaptureFixture
) -> None:
    scan_code = await web_app.begin(Method.WECHAT)

    def broken(alone_with: str) -> None:
        raise RuntimeError(f"{alone_with} 王小明")

    web_app.store.before_unit = broken
    with caplog.at_level(logging.DEBUG, logger="web"):
        answer = await web_app.phone("wechat").get(scan_code.phone_url)

    assert answer.status_code == 500
    assert answer.headers["cache-control"] == "no-store"
    assert "出了一点问题" in answer.text
    assert "RuntimeError" not in answer.text
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("web")]
    assert len(ours) == 1
    assert "RuntimeError in broken" in ours[0]
    assert "王小明" not in ours[0]
    assert "token-0" not in ours[0]


async def test_during_a_database_outage_a_page_answers_503_with_retry_after(web_app: WebFixture) -> None:
    scan_code = await web_app.begin(Method.WECHAT)

    def away(_: str) -> None:
        raise StoreUnavailable("away")

    web_app.store.before_unit = away
    answer = await web_app.phone("wechat").get(scan_code.phone_url)

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert "出了一点问题" in answer.text


async def test_an_error_in_the_middle_of_an_answer_starts_no_second_one() -> None:
    async def breaking(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise RuntimeError

    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.request"}

    await ErrorMiddleware(breaking, lambda *_: Response(status_code=500))({"type": "http"}, receive, send)

    assert [message["status"] for message in sent] == [200]


async def test_a_visitor_who_leaves_is_no_error(web_app: WebFixture, caplog: pytest.LogCaptureFixture) -> None:
    async def leave(_: Scope, receive: Receive, __: Send) -> None:
        await receive()
        raise ClientDisconnect

    async def nothing() -> Message:
        return {"type": "http.disconnect"}

    async def say(_: Message) -> None:
        raise AssertionError

    serve = ErrorMiddleware(leave, answer=lambda _, error: PlainTextResponse(str(error)))
    await serve({"type": "http"}, nothing, say)

    assert caplog.records == []


@pytest.mark.parametrize(
    ("proxies", "said", "seen"),
    [
        (LOOPBACK, {"X-Forwarded-For": "203.0.113.7"}, {"client": "203.0.113.7", "forwarded": "believed"}),
        (["10.0.0.1"], {"X-Forwarded-For": "203.0.113.7"}, {"client": "127.0.0.1", "forwarded": "ignored"}),
        (LOOPBACK, {}, {"client": "127.0.0.1", "forwarded": "none"}),
    ],
)
async def test_a_caller_learns_whom_the_program_takes_it_for(
    web_app: WebFixture, proxies: Sequence[str], said: dict[str, str], seen: dict[str, str]
) -> None:
    listener = listen("127.0.0.1", 0)
    async with serving(web_app.app, listener, proxies), httpx.AsyncClient() as client:
        answer = await client.get(f"http://127.0.0.1:{listener.getsockname()[1]}/seen-as", headers=said)

    assert answer.json() == seen
