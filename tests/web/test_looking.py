"""Looking moves nothing: robots, prefetches and HEAD see nothing of anybody; a person's first look opens."""

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
    "",
]


def status(house: WebFixture) -> AttemptStatus:
    return house.store.kept.attempts[AttemptId("a0")].status


@pytest.mark.parametrize("agent", ROBOTS)
async def test_a_robot_sees_nobody_and_opens_nothing(house: WebFixture, agent: str) -> None:
    opening = await house.begin(Method.WECHAT)

    page = await house.phone(agent).get(opening.phone_url, headers={"User-Agent": agent})

    assert page.status_code == 200
    assert "王*明" not in page.text
    assert "telegram:" not in page.text
    assert status(house) is AttemptStatus.WAITING


@pytest.mark.parametrize(
    "headers", [{"Purpose": "prefetch"}, {"Sec-Purpose": "prefetch;prerender"}, {"X-Purpose": "preview"}]
)
async def test_a_page_fetched_before_anyone_asked_opens_nothing(house: WebFixture, headers: dict[str, str]) -> None:
    opening = await house.begin(Method.WECHAT)

    page = await house.phone("wechat").get(opening.phone_url, headers=headers)

    assert "王*明" not in page.text
    assert status(house) is AttemptStatus.WAITING


async def test_head_opens_nothing(house: WebFixture) -> None:
    opening = await house.begin(Method.WECHAT)

    answer = await house.phone("wechat").head(opening.phone_url)

    assert answer.status_code == 200
    assert status(house) is AttemptStatus.WAITING


async def test_a_person_opens_by_looking_and_only_once(house: WebFixture) -> None:
    opening = await house.begin(Method.WECHAT)
    client = house.phone("wechat")

    await client.get(opening.phone_url)
    await client.get(opening.phone_url)

    assert status(house) is AttemptStatus.OPENED
    assert len(house.store.kept.notices) == 1


async def test_a_person_taken_for_a_robot_needs_one_press_more(house: WebFixture) -> None:
    opening = await house.begin(Method.WECHAT)
    client = house.phone("Mozilla/5.0 (Linux; Android 9; Somebot X) Mobile MicroMessenger/8.0.47")
    assert "继续打开" in (await client.get(opening.phone_url)).text

    first = await client.post(opening.phone_url)
    second = await client.post(opening.phone_url, data={"stage": "check", "press": "go_authorise"})
    last = await client.post(opening.phone_url, data={"stage": "authorise", "press": "authorise"})

    assert "核对实名信息" in first.text
    assert "微信支付授权" in second.text
    assert "认证通过" in last.text
