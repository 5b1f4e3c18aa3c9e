"""A GET by a robot, a prefetch or HEAD shows no data and changes nothing; a person's first GET opens the attempt."""

import pytest

from tests.web.app_fixture import PHONES, WebFixture
from verification import AttemptId, AttemptStatus, Method

ROBOTS = [
    PHONES["robot"],
    "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
    "WhatsApp/2.23.20.0 A",
    "Twitterbot/1.0",
    "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
    "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)",
    "Mozilla/5.0 (Windows NT 6.1; WOW64) AppleWebKit/534+ (KHTML, like Gecko) BingPreview/1.0b",
    "Mozilla/5.0 (compatible; Baiduspider/2.0; +http://www.baidu.com/search/spider.html)",
    "Mozilla/5.0 (compatible; SomeCrawler/1.0)",
    "Mozilla/5.0 (Macintosh) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/96.0 Safari/537.36 LarkUrl2Meta/1.0",
    "Iframely/1.3.1 (+https://iframely.com/docs/about) Atlassian",
    "Mozilla/5.0 (compatible; Rocket.Chat/6.4)",
    "SkypeUriPreview Preview/0.5",
    "kakaotalk-scrap/1.0",
    "Mozilla/5.0 AppleWebKit/605.1 (KHTML, like Gecko) Safari/604.1 (+https://links.example/about)",
    "curl/8.5.0",
    "python-requests/2.32.3",
    "Go-http-client/2.0",
    "okhttp/4.12.0",
    "Dalvik/2.1.0 (Linux; U; Android 14)",
    "",
]


def status(web_app: WebFixture) -> AttemptStatus:
    return web_app.store.committed.attempts[AttemptId("a0")].status


@pytest.mark.parametrize("agent", ROBOTS)
async def test_a_robot_sees_no_data_and_opens_nothing(web_app: WebFixture, agent: str) -> None:
    scan_code = await web_app.begin(Method.WECHAT)

    page = await web_app.phone(agent).get(scan_code.phone_url, headers={"User-Agent": agent})

    assert page.status_code == 200
    assert "王*明" not in page.text
    assert "telegram:" not in page.text
    assert status(web_app) is AttemptStatus.WAITING


@pytest.mark.parametrize(
    "headers", [{"Purpose": "prefetch"}, {"Sec-Purpose": "prefetch;prerender"}, {"X-Purpose": "preview"}]
)
async def test_a_prefetch_opens_nothing(web_app: WebFixture, headers: dict[str, str]) -> None:
    scan_code = await web_app.begin(Method.WECHAT)

    page = await web_app.phone("wechat").get(scan_code.phone_url, headers=headers)

    assert "王*明" not in page.text
    assert status(web_app) is AttemptStatus.WAITING


async def test_head_opens_nothing(web_app: WebFixture) -> None:
    scan_code = await web_app.begin(Method.WECHAT)

    answer = await web_app.phone("wechat").head(scan_code.phone_url)

    assert answer.status_code == 200
    assert status(web_app) is AttemptStatus.WAITING


async def test_a_persons_get_opens_the_attempt_once(web_app: WebFixture) -> None:
    scan_code = await web_app.begin(Method.WECHAT)
    client = web_app.phone("wechat")

    await client.get(scan_code.phone_url)
    await client.get(scan_code.phone_url)

    assert status(web_app) is AttemptStatus.OPENED
    assert len(web_app.store.committed.notices) == 1


async def test_a_person_taken_for_a_robot_presses_one_more_button(web_app: WebFixture) -> None:
    scan_code = await web_app.begin(Method.WECHAT)
    client = web_app.phone("Mozilla/5.0 (Linux; Android 9; Somebot X) Mobile MicroMessenger/8.0.47")
    assert "继续打开" in (await client.get(scan_code.phone_url)).text

    first = await client.post(scan_code.phone_url)
    second = await client.post(scan_code.phone_url, data={"stage": "check", "press": "go_authorise"})
    last = await client.post(scan_code.phone_url, data={"stage": "authorise", "press": "authorise"})

    assert "核对资料" in first.text
    assert "微信支付授权" in second.text
    assert "认证成功" in last.text
