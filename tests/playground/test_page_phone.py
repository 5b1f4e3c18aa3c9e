"""The phone frame: pages of this machine only, as each app gets them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from yarl import URL

from playground.phone.apps import PhoneApp
from playground.server.phone_frame import frame_url
from playground.server.phone_frame_html import rewrite_links, rewrite_refresh
from tests.playground.simulator import RunningPlayground, running_playground

PAGE = """<!DOCTYPE html><html><head><title>实名 &amp; 认证</title><meta http-equiv="refresh" content="3; url=/s/2">
<link rel=stylesheet href="/static/x.css"></head><body><!-- <a href="/no"> --><a href='next?a=1&amp;b=2'>下一步</a>
<form method=post action="/s/1"><input name=a value="/s/1"><button formaction="/s/3">前往授权</button></form>
<a href="https://example.com/x">外</a><a href="weixin://dl">微信</a><a href="#top">上</a></body></html>"""


@pytest.fixture
async def simulator() -> AsyncIterator[RunningPlayground]:
    async with running_playground() as simulator:
        yield simulator


@pytest.fixture
async def host_port() -> AsyncIterator[str]:
    """Serve pages as a bot's web server does; yields host and port."""

    async def show(request: web.Request) -> web.Response:
        headers = {
            "Content-Security-Policy": "default-src 'none'; style-src 'self'; frame-ancestors 'none'",
            "X-Frame-Options": "DENY",
            "Set-Cookie": "seen=yes; Path=/",
        }
        return web.Response(text=PAGE, content_type="text/html", headers=headers)

    async def tell(request: web.Request) -> web.Response:
        agent, cookie = request.headers["User-Agent"], request.headers.get("Cookie", "")
        return web.json_response({"agent": agent, "cookie": cookie, "query": request.rel_url.raw_query_string})

    async def take(request: web.Request) -> web.Response:
        form = await request.post()
        raise web.HTTPSeeOther(f"/s/2?a={form['a']!s}&from={request.headers['Origin']}")

    app = web.Application()
    app.router.add_get("/s/1", show)
    app.router.add_get("/tell", tell)
    app.router.add_post("/s/1", take)
    async with TestServer(app, host="127.0.0.1") as server:
        yield f"127.0.0.1:{server.port}"


async def fetch(simulator: RunningPlayground, path: str, **facts: str) -> tuple[aiohttp.ClientResponse, str]:
    async with simulator.http.get(URL(simulator.url + path, encoded=True), headers=facts) as answer:
        return answer, await answer.text()


async def test_a_page_is_shown_with_its_links_rewritten(simulator: RunningPlayground, host_port: str) -> None:
    answer, text = await fetch(simulator, f"/phone/wechat/http/{host_port}/s/1")

    here = f"/phone/wechat/http/{host_port}"
    for link in (
        f'href="{here}/static/x.css"',
        f'href="{here}/s/next?a=1&amp;b=2"',
        f'action="{here}/s/1"',
        f'formaction="{here}/s/3"',
        f'content="3; url={here}/s/2"',
        'href="/phone/wechat/https/example.com/x"',
        'href="weixin://dl"',
        'value="/s/1"',
        '<!-- <a href="/no"> -->',
    ):
        assert link in text
    assert answer.status == 200
    _, shown = await fetch(simulator, "/phone/wechat")
    assert json.loads(shown) == {"url": f"http://{host_port}/s/1", "title": "实名 & 认证", "status": 200}


async def test_a_page_is_sandboxed_and_only_the_chat_page_may_frame_it(
    simulator: RunningPlayground, host_port: str
) -> None:
    answer, _ = await fetch(simulator, f"/phone/qq/http/{host_port}/s/1")

    policy = answer.headers["content-security-policy"]
    assert "style-src 'self'; frame-ancestors 'self'" in policy
    assert "sandbox allow-forms allow-scripts; frame-ancestors 'self'" in policy
    assert "frame-ancestors 'none'" not in policy
    assert "x-frame-options" not in answer.headers
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    ("app", "token"), [("wechat", "MicroMessenger/"), ("qq", " QQ/"), ("browser", "Mobile Safari")]
)
async def test_each_app_has_its_own_user_agent_and_cookies(
    simulator: RunningPlayground, host_port: str, app: str, token: str
) -> None:
    await fetch(simulator, f"/phone/wechat/http/{host_port}/s/1", Cookie="mine=secret")

    _, text = await fetch(simulator, f"/phone/{app}/http/{host_port}/tell?a=%2F&b", Cookie="mine=secret")

    assert token in text
    assert "secret" not in text
    assert ("seen=yes" in text) == (app == "wechat")
    assert '"query": "a=%2F&b"' in text


async def test_a_form_is_forwarded_and_its_redirect_rewritten(simulator: RunningPlayground, host_port: str) -> None:
    url = f"{simulator.url}/phone/wechat/http/{host_port}/s/1"

    async with simulator.http.post(url, data={"a": "1"}, headers={"Origin": "null"}, allow_redirects=False) as answer:
        assert (answer.status, answer.headers["location"]) == (303, f"/phone/wechat/http/{host_port}/s/2?a=1&from=null")
    async with simulator.http.post(url, json={"a": "1"}) as answer:
        assert answer.status == 415


async def test_a_form_has_the_origin_of_its_page(simulator: RunningPlayground, host_port: str) -> None:
    await fetch(simulator, f"/phone/wechat/http/{host_port}/s/1")
    url = f"{simulator.url}/phone/wechat/http/{host_port}/s/1"

    async with simulator.http.post(url, data={"a": "1"}, headers={"Origin": "null"}, allow_redirects=False) as answer:
        assert answer.headers["location"].endswith(f"from=http://{host_port}")


@pytest.mark.parametrize(
    "host_port",
    ["example.com", "10.0.0.1", "169.254.169.254", "127.0.0.1@example.com", "127.1", "2130706433", "[::ffff:1.2.3.4]"],
)
async def test_other_machines_are_never_contacted(simulator: RunningPlayground, host_port: str) -> None:
    _, text = await fetch(simulator, f"/phone/browser/http/{host_port}/x")

    assert "请用真手机打开" in text
    assert f"http://{host_port.split('@')[-1]}" in text or host_port in text


async def test_a_page_that_does_not_answer_gives_a_notice(simulator: RunningPlayground, unused_tcp_port: int) -> None:
    answer, text = await fetch(simulator, f"/phone/browser/http/127.0.0.1:{unused_tcp_port}/<script>")

    assert answer.status == 502
    assert "打不开这个页面" in text
    assert "<script>" not in text
    assert (await fetch(simulator, "/phone/telepathy/http/127.0.0.1/"))[0].status == 404
    assert (await fetch(simulator, "/phone/browser/file/127.0.0.1/"))[0].status == 404


def test_http_links_are_rewritten_and_others_stay() -> None:
    assert frame_url(PhoneApp.QQ, "http://127.0.0.1:1/a?b=c#d") == "/phone/qq/http/127.0.0.1:1/a?b=c#d"
    assert frame_url(PhoneApp.QQ, "mailto:a@b.c") == "mailto:a@b.c"


def test_a_page_without_rewritten_links_stays_unchanged() -> None:
    source = "<!doctype html><p class=a data-x>A &amp; B &#65; <br/><script>if (a<b) '</p>'</script><?x><![CDATA[y]]>"

    assert rewrite_links(source, lambda url: url)[0] == source
    assert rewrite_refresh("5", lambda url: "x") == "5"


async def test_the_phone_does_not_reach_the_simulator_itself(simulator: RunningPlayground) -> None:
    own = URL(simulator.url)
    headers = {"Origin": "null", "Content-Type": "application/x-www-form-urlencoded"}
    address = f"{simulator.url}/phone/browser/http/{own.host}:{own.port}/sim/users"
    async with aiohttp.ClientSession() as http, http.post(address, data=b'{"first_name":"x"}', headers=headers):
        pass

    assert simulator.playground.world.people == {}
