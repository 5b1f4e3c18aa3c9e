"""The page before a provider's own: it shows whose account it is, and only a press leads on."""

import html
import re
from datetime import timedelta

import httpx
import pytest

from tests.provider_server import FakeProviderServer, nobody
from tests.web.app_fixture import PHONES, START, TTL, WebFixture
from verification import AttemptId, AttemptStatus, Identity, Method, Reason
from verification.ports import NoticeKind, ProviderSession
from verification.providers.http import HttpProvider
from verification.providers.simulated import SimulatedProvider

A0 = AttemptId("a0")
AWAY = "https://verify.example.org/a0?b=c&d=%22"


class AlwaysOpeningProvider(HttpProvider):
    """One that has opened its session already."""

    async def open(self, attempt: AttemptId, identity: Identity) -> ProviderSession:
        return ProviderSession(AWAY)


def http(hosts: frozenset[str] = frozenset({"verify.example.org"})) -> HttpProvider:
    service = FakeProviderServer(base="https://api.example.org").service(hosts)
    return AlwaysOpeningProvider(Method.WECHAT, service, nobody, lambda: START, callback="", session_lifetime=TTL)


async def phone_at(house: WebFixture, app: str = "wechat") -> tuple[httpx.AsyncClient, str]:
    opening = await house.begin(Method.WECHAT)
    return house.phone(app), opening.phone_url


@pytest.fixture
def house() -> WebFixture:
    return WebFixture(providers={Method.WECHAT: http()})


def status(house: WebFixture) -> AttemptStatus:
    return house.store.kept.attempts[A0].status


def read(page: httpx.Response) -> str:
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.text)))


async def test_it_shows_whose_account_it_is_and_what_to_compare(house: WebFixture) -> None:
    phone, link = await phone_at(house)

    page = await phone.get(link)

    assert page.status_code == 200
    assert all(shown in read(page) for shown in ("telegram:10*****45", "47", "王*明", "110105********002X"))
    assert "verify.example.org" not in page.text
    assert "模拟" not in page.text


async def test_looking_moves_nothing_however_often(house: WebFixture) -> None:
    phone, link = await phone_at(house)
    for agent in (PHONES["wechat"], PHONES["robot"], ""):
        await phone.get(link, headers={"User-Agent": agent})
        await phone.head(link)

    assert status(house) is AttemptStatus.WAITING
    assert not house.store.kept.notices


async def test_a_press_opens_and_sends_the_phone_on(house: WebFixture) -> None:
    phone, link = await phone_at(house)

    page = await phone.post(link, data={"press": "leave"})

    assert status(house) is AttemptStatus.OPENED
    assert [notice.kind for notice in house.store.kept.notices] == [NoticeKind.PROGRESS]
    [refresh] = re.findall(r'http-equiv="refresh" content="0;url=([^"]+)"', page.text)
    [away] = re.findall(r'<a class="button go" href="([^"]+)"', page.text)
    assert html.unescape(refresh) == html.unescape(away) == AWAY
    assert page.headers["referrer-policy"] == "no-referrer"


async def test_a_second_press_leads_on_again_and_changes_nothing(house: WebFixture) -> None:
    phone, link = await phone_at(house)
    await phone.post(link, data={"press": "leave"})
    kept = house.store.kept

    page = await phone.post(link, data={"press": "leave"})

    assert "verify.example.org" in page.text
    assert house.store.kept.attempts == kept.attempts
    assert house.store.kept.notices == kept.notices


async def test_somebody_who_comes_back_may_go_again(house: WebFixture) -> None:
    phone, link = await phone_at(house)
    await phone.post(link, data={"press": "leave"})
    await house.core.progress(A0, AttemptStatus.CONFIRMING, AWAY)

    assert "核对无误，前往验证" in read(await phone.get(link))
    assert "verify.example.org" in (await phone.post(link, data={"press": "leave"})).text
    assert status(house) is AttemptStatus.CONFIRMING


async def test_whoever_did_not_ask_for_it_declines(house: WebFixture) -> None:
    phone, link = await phone_at(house)

    page = await phone.post(link, data={"press": "decline"})

    assert "已拒绝认证" in read(page)
    assert house.store.kept.attempts[A0].reason is Reason.DECLINED


@pytest.mark.parametrize("body", [b"", b"press=", b"press=authorise", b"\xff", b"a&" * 99])
async def test_a_press_that_is_none_of_this_page_shows_the_page(house: WebFixture, body: bytes) -> None:
    phone, link = await phone_at(house)

    page = await phone.post(link, content=body)

    assert "核对无误，前往验证" in read(page)
    assert status(house) is AttemptStatus.WAITING


async def test_a_form_of_another_site_leads_nowhere(house: WebFixture) -> None:
    phone, link = await phone_at(house)

    page = await phone.post(link, data={"press": "leave"}, headers={"Sec-Fetch-Site": "cross-site"})

    assert page.status_code == 403
    assert status(house) is AttemptStatus.WAITING


@pytest.mark.parametrize("press", ["leave", "decline"])
async def test_after_its_time_nothing_leads_on(house: WebFixture, press: str) -> None:
    phone, link = await phone_at(house)
    house.now += TTL

    page = await phone.post(link, data={"press": press})

    assert (page.status_code, status(house)) == (410, AttemptStatus.WAITING)
    assert "verify.example.org" not in page.text


async def test_a_verdict_that_comes_between_is_what_a_press_shows(house: WebFixture) -> None:
    phone, link = await phone_at(house)

    def verdict(alone_with: str) -> None:
        if alone_with == A0:
            house.store.put(A0, status=AttemptStatus.SUCCEEDED, identity=None)

    house.store.meanwhile = verdict
    page = await phone.post(link, data={"press": "leave"})

    assert "认证通过" in read(page)
    assert "模拟" not in page.text


async def test_an_address_that_is_not_allowed_any_more_leads_nowhere() -> None:
    house = WebFixture(providers={Method.WECHAT: http()})
    _, link = await phone_at(house)
    house.store.put(A0, provider_state="https://other.example.org/a0")

    page = await house.phone("wechat").get(link)

    assert page.status_code == 404


async def test_in_another_app_it_says_which_one_is_meant_and_leads_on_all_the_same(house: WebFixture) -> None:
    phone, link = await phone_at(house, "browser")

    page = await phone.get(link)

    assert "扫一扫" in read(page)
    assert "核对无误，前往验证" in read(page)


async def test_where_another_way_is_simulated_every_page_says_that_it_is_a_test() -> None:
    house = WebFixture(providers={Method.WECHAT: http(), Method.QQ: SimulatedProvider(Method.QQ)})
    phone, link = await phone_at(house)
    simulated = await house.begin(Method.QQ, "telegram:200000001")

    assert "部分认证方式是模拟的" in read(await phone.get(link))
    assert "部分认证方式是模拟的" in read(await phone.get("/"))
    assert "资料不会发给任何机构" in read(await phone.get(simulated.phone_url))


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_both_languages_have_their_words_for_it(house: WebFixture, language: str) -> None:
    phone, link = await phone_at(house)
    house.now += timedelta(seconds=1)

    shown = [
        await phone.get(f"{link}?lang={language}"),
        await phone.post(f"{link}?lang={language}", data={"press": "leave"}),
    ]

    assert [page.status_code for page in shown] == [200, 200]
    assert all(f'lang="{"zh-Hans" if language == "zh" else "en"}"' in page.text for page in shown)
