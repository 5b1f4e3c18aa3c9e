"""The page before a provider's own page: it shows the account, and only a press continues."""

import html
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import ClassVar, TypeVar

import httpx
import pytest

from tests.provider_server import FakeProviderServer, nobody
from tests.web.app_fixture import PHONES, START, TTL, WebFixture
from verification import Attempt, AttemptId, AttemptStatus, Core, Identity, Method, Reason, Rejected
from verification.attempts import ProviderApp
from verification.errors import ProviderUnavailable
from verification.ports import NoticeKind, PhoneRedirect, Provider, ProviderSession
from verification.providers.http import HttpProvider
from verification.providers.simulated.provider import SimulatedProvider

A0 = AttemptId("a0")
AWAY = "https://verify.example.org/a0?b=c&d=%22"


class AlwaysOpeningProvider(HttpProvider):
    """A provider whose session is open already."""

    async def open(self, attempt: AttemptId, identity: Identity | None, return_url: str) -> ProviderSession:
        return ProviderSession(AWAY)


class AbsentProvider(AlwaysOpeningProvider):
    """A provider that knows no address for a phone at the moment."""

    async def leave(self, attempt: Attempt, client: Mapping[str, str]) -> PhoneRedirect:
        raise ProviderUnavailable("away")


class CancelledWhileLeaving(AlwaysOpeningProvider):
    """A provider that is asked while the person cancels in the chat."""

    core: ClassVar[Core]

    async def leave(self, attempt: Attempt, client: Mapping[str, str]) -> PhoneRedirect:
        await self.core.cancel(attempt.id)
        return await super().leave(attempt, client)


class CountsPhones(AlwaysOpeningProvider):
    """A provider that makes a new address for each press."""

    presses = 0
    return_url = ""

    async def open(self, attempt: AttemptId, identity: Identity | None, return_url: str) -> ProviderSession:
        self.return_url = return_url
        return await super().open(attempt, identity, return_url)

    async def leave(self, attempt: Attempt, client: Mapping[str, str]) -> PhoneRedirect:
        self.presses += 1
        url = f"https://verify.example.org/a0?n={self.presses}"
        return PhoneRedirect(url, url)


P = TypeVar("P", bound=HttpProvider)


def http(kind: type[P]) -> P:
    service = FakeProviderServer(base="https://api.example.org").service(frozenset({"verify.example.org"}))
    return kind(Method.WECHAT, service, nobody, lambda: START, callback_url="", session_lifetime=TTL)


async def phone_at(web_app: WebFixture, app: str = "wechat") -> tuple[httpx.AsyncClient, str]:
    scan_code = await web_app.begin(Method.WECHAT)
    return web_app.phone(app), scan_code.phone_url


@pytest.fixture
def web_app() -> WebFixture:
    return WebFixture(providers={Method.WECHAT: http(AlwaysOpeningProvider)})


def status(web_app: WebFixture) -> AttemptStatus:
    return web_app.store.committed.attempts[A0].status


def read(page: httpx.Response) -> str:
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.text)))


async def test_the_page_shows_the_account_and_the_match_code(web_app: WebFixture) -> None:
    phone, link = await phone_at(web_app)

    page = await phone.get(link)

    assert page.status_code == 200
    assert all(shown in read(page) for shown in ("Telegram 10*****45", "47", "王*明", "110105********002X"))
    assert "verify.example.org" not in page.text
    assert "模拟" not in page.text


async def test_an_attempt_whose_method_was_switched_off_shows_that_it_is_closed() -> None:
    providers: dict[Method, Provider] = {
        Method.WECHAT: http(AlwaysOpeningProvider),
        Method.QQ: SimulatedProvider(Method.QQ),
    }
    web_app = WebFixture(providers=providers)
    phone, link = await phone_at(web_app)
    del providers[Method.WECHAT]
    await web_app.core.end_attempts_of_methods_off()

    page = await phone.get(link)

    assert page.status_code == 410
    assert status(web_app) is AttemptStatus.CANCELLED


async def test_a_get_changes_nothing_however_often(web_app: WebFixture) -> None:
    phone, link = await phone_at(web_app)
    for agent in (PHONES["wechat"], PHONES["robot"], ""):
        await phone.get(link, headers={"User-Agent": agent})
        await phone.head(link)

    assert status(web_app) is AttemptStatus.WAITING
    assert not web_app.store.committed.notices


async def test_a_press_marks_the_attempt_opened_and_forwards_the_phone(web_app: WebFixture) -> None:
    phone, link = await phone_at(web_app)

    page = await phone.post(link, data={"press": "leave"})

    assert status(web_app) is AttemptStatus.OPENED
    assert [notice.kind for notice in web_app.store.committed.notices] == [NoticeKind.PROGRESS]
    [refresh] = re.findall(r'http-equiv="refresh" content="0;url=([^"]+)"', page.text)
    [away] = re.findall(r'<a class="button go" href="([^"]+)"', page.text)
    assert html.unescape(refresh) == html.unescape(away) == AWAY
    assert page.headers["referrer-policy"] == "no-referrer"


async def test_a_second_press_forwards_again_and_changes_nothing(web_app: WebFixture) -> None:
    phone, link = await phone_at(web_app)
    await phone.post(link, data={"press": "leave"})
    before = web_app.store.committed

    page = await phone.post(link, data={"press": "leave"})

    assert "verify.example.org" in page.text
    assert web_app.store.committed.attempts == before.attempts
    assert web_app.store.committed.notices == before.notices


async def test_a_person_who_comes_back_may_continue_again(web_app: WebFixture) -> None:
    phone, link = await phone_at(web_app)
    await phone.post(link, data={"press": "leave"})
    await web_app.core.progress(A0, AttemptStatus.CONFIRMING, AWAY)

    assert "核对无误，前往验证" in read(await phone.get(link))
    assert "verify.example.org" in (await phone.post(link, data={"press": "leave"})).text
    assert status(web_app) is AttemptStatus.CONFIRMING


async def test_a_person_may_decline_on_this_page(web_app: WebFixture) -> None:
    phone, link = await phone_at(web_app)

    page = await phone.post(link, data={"press": "decline"})

    assert "已拒绝认证" in read(page)
    assert web_app.store.committed.attempts[A0].reason is Reason.DECLINED


@pytest.mark.parametrize("body", [b"", b"press=", b"press=authorise", b"\xff", b"a&" * 99])
async def test_an_unknown_button_shows_the_page(web_app: WebFixture, body: bytes) -> None:
    phone, link = await phone_at(web_app)

    page = await phone.post(link, content=body)

    assert "核对无误，前往验证" in read(page)
    assert status(web_app) is AttemptStatus.WAITING


async def test_a_form_of_another_site_does_nothing(web_app: WebFixture) -> None:
    phone, link = await phone_at(web_app)

    page = await phone.post(link, data={"press": "leave"}, headers={"Sec-Fetch-Site": "cross-site"})

    assert page.status_code == 403
    assert status(web_app) is AttemptStatus.WAITING


@pytest.mark.parametrize("press", ["leave", "decline"])
async def test_after_expiry_no_press_continues(web_app: WebFixture, press: str) -> None:
    phone, link = await phone_at(web_app)
    web_app.now += TTL

    page = await phone.post(link, data={"press": press})

    assert (page.status_code, status(web_app)) == (410, AttemptStatus.WAITING)
    assert "verify.example.org" not in page.text


async def test_an_address_that_is_no_longer_allowed_is_not_used() -> None:
    web_app = WebFixture(providers={Method.WECHAT: http(AlwaysOpeningProvider)})
    _, link = await phone_at(web_app)
    web_app.store.put(A0, provider_state="https://other.example.org/a0")

    page = await web_app.phone("wechat").post(link, data={"press": "leave"})

    assert page.status_code == 503
    assert "other.example.org" not in page.text
    assert status(web_app) is AttemptStatus.WAITING


async def test_a_provider_that_does_not_answer_sends_no_phone_and_the_attempt_stays() -> None:
    web_app = WebFixture(providers={Method.WECHAT: http(AbsentProvider)})
    phone, link = await phone_at(web_app)

    page = await phone.post(link, data={"press": "leave"})

    assert (page.status_code, status(web_app)) == (503, AttemptStatus.WAITING)
    assert "暂时没有响应" in read(page)


async def test_an_attempt_that_ends_while_the_provider_is_asked_sends_no_phone() -> None:
    web_app = WebFixture(providers={Method.WECHAT: http(CancelledWhileLeaving)})
    phone, link = await phone_at(web_app)
    CancelledWhileLeaving.core = web_app.core

    page = await phone.post(link, data={"press": "leave"})

    assert (page.status_code, status(web_app)) == (410, AttemptStatus.CANCELLED)
    assert "verify.example.org" not in page.text


async def test_what_the_provider_remembers_when_the_phone_leaves_is_stored_at_every_press() -> None:
    web_app = WebFixture(providers={Method.WECHAT: http(CountsPhones)})
    phone, link = await phone_at(web_app)

    pages = [await phone.post(link, data={"press": "leave"}) for _ in range(2)]

    assert ["?n=1" in page.text for page in pages] == [True, False]
    assert web_app.store.committed.attempts[A0].provider_state == "https://verify.example.org/a0?n=2"


async def test_the_provider_learns_where_the_phone_comes_back() -> None:
    provider = http(CountsPhones)
    web_app = WebFixture(providers={Method.WECHAT: provider})
    _, link = await phone_at(web_app)

    assert provider.return_url == f"{link}/back"


async def test_a_press_to_leave_means_nothing_on_a_simulated_page() -> None:
    web_app = WebFixture()
    phone, link = await phone_at(web_app)

    page = await phone.post(link, data={"press": "leave"})

    assert (page.status_code, status(web_app)) == (200, AttemptStatus.OPENED)


async def test_in_another_app_the_page_names_the_right_one_and_still_continues(web_app: WebFixture) -> None:
    phone, link = await phone_at(web_app, "browser")

    page = await phone.get(link)

    assert "扫一扫" in read(page)
    assert "核对无误，前往验证" in read(page)


async def test_a_page_of_a_real_attempt_carries_no_banner_beside_simulated_methods() -> None:
    web_app = WebFixture(
        providers={Method.WECHAT: http(AlwaysOpeningProvider), Method.QQ: SimulatedProvider(Method.QQ)}
    )
    phone, link = await phone_at(web_app)
    simulated = await web_app.begin(Method.QQ, "telegram:200000001")

    assert "模拟" not in (await phone.get(link)).text
    assert "部分认证方式是模拟的" in read(await phone.get("/"))
    assert "资料不会发给任何机构" in read(await phone.get(simulated.phone_url))


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_the_page_has_texts_in_both_languages(web_app: WebFixture, language: str) -> None:
    phone, link = await phone_at(web_app)
    web_app.now += timedelta(seconds=1)

    shown = [
        await phone.get(f"{link}?lang={language}"),
        await phone.post(f"{link}?lang={language}", data={"press": "leave"}),
    ]

    assert [page.status_code for page in shown] == [200, 200]
    assert all(f'lang="{"zh-Hans" if language == "zh" else "en"}"' in page.text for page in shown)


# Coming back from the provider's pages


async def test_a_phone_that_comes_back_has_the_provider_polled_and_waits_for_the_result(web_app: WebFixture) -> None:
    phone, link = await phone_at(web_app)
    await phone.post(link, data={"press": "leave"})
    before = web_app.store.committed

    page = await phone.get(f"{link}/back?passed=true&state=passed&n=x&lang=en")

    assert page.status_code == 200
    assert (web_app.notified, web_app.returned) == ([A0], [A0])
    assert "Fetching the result" in read(page)
    assert re.findall(r'http-equiv="refresh" content="([^"]+)"', page.text) == ["2;url=?lang=en&amp;n=1"]
    assert web_app.store.committed.attempts == before.attempts


async def test_the_page_of_a_phone_that_came_back_renews_itself_for_half_a_minute(web_app: WebFixture) -> None:
    phone, link = await phone_at(web_app)
    await phone.post(link, data={"press": "leave"})

    pages = [await phone.get(f"{link}/back?n={count}") for count in (14, 15)]

    assert ["n=15" in pages[0].text, 'http-equiv="refresh"' in pages[1].text] == [True, False]
    assert "结果还没有到" in read(pages[1])


async def test_a_phone_that_comes_back_during_the_grace_still_waits(web_app: WebFixture) -> None:
    phone, link = await phone_at(web_app)
    await phone.post(link, data={"press": "leave"})
    web_app.now += TTL

    assert "正在获取结果" in read(await phone.get(f"{link}/back"))


async def test_a_phone_that_comes_back_after_the_verdict_sees_it(web_app: WebFixture) -> None:
    phone, link = await phone_at(web_app)
    await phone.post(link, data={"press": "leave"})
    await web_app.core.complete(A0, Rejected(Reason.NO_PHOTO))

    assert "没有可以比对的证件照片" in read(await phone.get(f"{link}/back?passed=true"))
    assert web_app.notified == []


async def test_a_phone_that_never_left_is_led_to_the_page_where_it_may(web_app: WebFixture) -> None:
    phone, link = await phone_at(web_app)

    page = await phone.get(f"{link}/back", follow_redirects=True)

    assert str(page.url) == f"{link}?lang=zh"
    assert "核对无误，前往验证" in read(page)
    assert web_app.notified == []


@pytest.mark.parametrize("token", ["unknown", "a.b", "%00", "x" * 300])
async def test_an_unknown_address_to_come_back_to_shows_nothing_of_anybody(web_app: WebFixture, token: str) -> None:
    page = await web_app.phone("wechat").get(f"http://127.0.0.1/v/{token}/back")

    assert (page.status_code, web_app.notified) == (404, [])


class InAlipay(AlwaysOpeningProvider):
    """A provider whose pages need Alipay."""

    @property
    def app(self) -> ProviderApp:
        return ProviderApp.ALIPAY


async def test_the_advice_to_a_phone_in_another_app_names_the_app_that_the_provider_needs() -> None:
    web_app = WebFixture(providers={Method.WECHAT: http(InAlipay)})
    _, link = await phone_at(web_app)

    assert "请用支付宝打开" in read(await web_app.phone("wechat").get(link))
