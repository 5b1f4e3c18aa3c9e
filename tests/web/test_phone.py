"""The phone page as a person sees it: each method to each result, and the rules on the way."""

import asyncio
import html
import re
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any, TypeVar
from urllib.parse import urlencode

import httpx
import pytest

from tests.web.app_fixture import IDENTITY, OPERATOR, RIGHT_APP, START, TTL, WebFixture
from tests.web.memory_store import MemoryStore, MemoryUnit
from verification import AttemptId, AttemptStatus, Method, Reason, ScanCode
from verification.attempts import TYPED_METHODS
from verification.ids import Contact
from verification.ports import NoticeKind

T = TypeVar("T")

CHOICES = {
    "pass": None,
    "mismatch": Reason.MISMATCH,
    "declined": Reason.DECLINED,
    "face_covered": Reason.FACE_COVERED,
    "face_differs": Reason.FACE_DIFFERS,
    "face_out_of_frame": Reason.FACE_OUT_OF_FRAME,
}
WAYS = {
    Method.WECHAT: ["go_authorise", "authorise"],
    Method.QQ: ["confirm"],
    Method.FACE: ["quick", "next", "recognise"],
    Method.NETID: ["go_authorise", "authorise"],
}
FACE_ONLY = {"face_covered", "face_differs", "face_out_of_frame"}
ENDS = [
    *[(method, choice) for method in TYPED_METHODS for choice in CHOICES if choice not in FACE_ONLY],
    *[(Method.FACE, choice) for choice in sorted(FACE_ONLY)],
    *[(Method.NETID, choice) for choice in ("pass", "declined")],
]


class PhoneClient:
    """A person's phone: opens the page, and presses its buttons."""

    def __init__(self, client: httpx.AsyncClient, address: str) -> None:
        self._client = client
        self.address = address
        self.page = httpx.Response(0)

    async def open(self) -> "PhoneClient":
        self.page = await self._client.get(self.address)
        return self

    async def press(self, button: str, *, stage: str | None = None, **fields: str) -> httpx.Response:
        shown = re.search(r'name="stage" value="(\w+)"', self.page.text)
        form = {"stage": stage or (shown[1] if shown else ""), "press": button, **fields}
        self.page = await self._client.post(self.page.url if stage is None else self.address, data=form)
        return self.page

    @property
    def text(self) -> str:
        """The visible text."""
        return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", self.page.text)))

    @property
    def buttons(self) -> list[str]:
        return re.findall(r'<button[^>]* value="(\w+)"', self.page.text)


class SlowStore(MemoryStore):
    """Counts how many transactions are open at a time; each is open until all that can begin have begun."""

    def __init__(self) -> None:
        super().__init__()
        self.open = self.most_open = 0

    async def transact(self, lock_key: str, body: Callable[[MemoryUnit], Coroutine[Any, Any, T]]) -> T:
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        for _ in range(1000):
            await asyncio.sleep(0)
        self.open -= 1
        return await super().transact(lock_key, body)


async def phone_at(web_app: WebFixture, method: Method, app: str | None = None, query: str = "") -> PhoneClient:
    scan_code = await web_app.begin(method)
    return await PhoneClient(web_app.phone(app or RIGHT_APP[method]), scan_code.phone_url + query).open()


def status(web_app: WebFixture) -> AttemptStatus:
    return web_app.store.committed.attempts[AttemptId("a0")].status


def notices(web_app: WebFixture) -> list[tuple[NoticeKind, AttemptStatus]]:
    return [(notice.kind, notice.status) for notice in web_app.store.committed.notices]


@pytest.mark.parametrize(("method", "choice"), ENDS)
async def test_each_method_ends_as_chosen(web_app: WebFixture, method: Method, choice: str) -> None:
    phone = await phone_at(web_app, method)

    for button in WAYS[method]:
        page = await phone.press(button, choice=choice, agree="yes")
        assert page.status_code == 200

    attempt = web_app.store.committed.attempts[AttemptId("a0")]
    assert attempt.status is (AttemptStatus.SUCCEEDED if CHOICES[choice] is None else AttemptStatus.FAILED)
    assert attempt.reason is CHOICES[choice]


async def test_a_choice_made_on_the_first_page_holds_to_the_end(web_app: WebFixture) -> None:
    phone = await phone_at(web_app, Method.WECHAT)

    await phone.press("go_authorise", choice="mismatch")
    await phone.press("authorise")

    assert web_app.store.committed.attempts[AttemptId("a0")].reason is Reason.MISMATCH


async def test_each_stage_of_wechat_posts_a_notice_to_the_chat(web_app: WebFixture) -> None:
    phone = await phone_at(web_app, Method.WECHAT)

    await phone.press("go_authorise")
    await phone.press("authorise")

    assert notices(web_app) == [
        (NoticeKind.PROGRESS, AttemptStatus.OPENED),
        (NoticeKind.PROGRESS, AttemptStatus.CONFIRMING),
        (NoticeKind.ENDED, AttemptStatus.SUCCEEDED),
    ]


async def test_a_qq_without_a_card_is_led_to_bind_one_and_passes(web_app: WebFixture) -> None:
    phone = await phone_at(web_app, Method.QQ)

    await phone.press("confirm", choice="no_card")
    assert phone.buttons == ["bind_card", "no_card", "decline"]
    await phone.press("bind_card")
    await phone.press("card_done")
    await phone.press("confirm")

    assert status(web_app) is AttemptStatus.SUCCEEDED


async def test_a_qq_left_without_a_card_fails_for_that_reason(web_app: WebFixture) -> None:
    phone = await phone_at(web_app, Method.QQ)

    await phone.press("confirm", choice="no_card")
    await phone.press("no_card")

    assert web_app.store.committed.attempts[AttemptId("a0")].reason is Reason.NO_CARD
    assert "QQ 未绑定银行卡" in phone.text


async def test_without_a_tick_the_agreement_stays_and_says_so_kindly(web_app: WebFixture) -> None:
    phone = await phone_at(web_app, Method.FACE)
    await phone.press("quick", choice="face_covered")

    await phone.press("next", choice="face_covered")

    assert "请先勾选同意" in phone.text
    assert "next" in phone.buttons
    assert status(web_app) is AttemptStatus.OPENED
    assert re.search(r'value="face_covered" checked', phone.page.text)


@pytest.mark.parametrize("method", Method)
async def test_a_person_may_decline_at_once(web_app: WebFixture, method: Method) -> None:
    phone = await phone_at(web_app, method)

    await phone.press("decline")

    assert web_app.store.committed.attempts[AttemptId("a0")].reason is Reason.DECLINED


async def test_a_page_without_a_typed_identity_shows_none(web_app: WebFixture) -> None:
    scan_code = await web_app.begin(Method.NETID, identity=None)
    phone = await PhoneClient(web_app.phone("browser"), scan_code.phone_url).open()
    first = phone.text
    await phone.press("go_authorise")

    assert "Telegram 10*****45" in first
    assert not [word for word in ("姓名 ", "身份证号", "—") if word in first + phone.text]


@pytest.mark.parametrize("method", TYPED_METHODS)
async def test_the_page_shows_account_and_match_code_and_only_masked_data(web_app: WebFixture, method: Method) -> None:
    phone = await phone_at(web_app, method)
    pages = []
    for button in [*WAYS[method][:-1], None]:
        pages.append(phone.text)
        if button:
            await phone.press(button, agree="yes")

    for text in pages:
        assert "47" in text
        assert "Telegram 10*****45" in text
        assert "王*明" in text
        assert "110105********002X" in text
        assert "100012345" not in text
        assert IDENTITY.name.plain not in text
        assert IDENTITY.number.plain not in text
        assert "模拟页面" in text


async def test_after_the_verdict_the_page_shows_only_its_kind(web_app: WebFixture) -> None:
    phone = await phone_at(web_app, Method.QQ)
    await phone.press("confirm")

    await phone.open()

    assert phone.page.status_code == 200
    assert "认证成功" in phone.text
    assert "回到 Telegram 聊天继续" in phone.text
    assert "王*明" not in phone.text
    assert "telegram:" not in phone.text
    assert "47" not in phone.text
    assert not phone.buttons


async def test_a_person_of_another_front_end_is_not_sent_to_the_chat(web_app: WebFixture) -> None:
    phone = await phone_at(web_app, Method.QQ)
    web_app.store.put(AttemptId("a0"), contact=Contact("api.shop:cloud:1"))
    await phone.press("confirm")

    await phone.open()

    assert "请回到显示二维码的地方继续" in phone.text
    assert "Telegram" not in phone.text


async def test_a_success_without_a_free_slot_shows_the_quota_as_reason(web_app: WebFixture) -> None:
    for account in ("shop:1", "shop:2", "shop:3"):
        other = await web_app.begin(Method.QQ, account)
        await (await PhoneClient(web_app.phone("qq"), other.phone_url).open()).press("confirm")
    phone = await PhoneClient(web_app.phone("qq"), (await late_request(web_app)).phone_url).open()

    await phone.press("confirm")

    assert "这个身份证号已认证 3 个账号" in phone.text


async def late_request(web_app: WebFixture) -> ScanCode:
    """An attempt that begins while a quota slot is free, and gets its verdict when none is."""
    taken = web_app.store.committed.slots.pop(IDENTITY.number.plain)
    scan_code = await web_app.begin(Method.QQ, "shop:4")
    web_app.store.committed.slots[IDENTITY.number.plain] = taken
    return scan_code


async def test_every_page_says_who_runs_the_bot(web_app: WebFixture) -> None:
    phone = await phone_at(web_app, Method.WECHAT)
    assert f'<footer class="operator">{OPERATOR}</footer>' in phone.page.text

    await phone.press("decline")
    assert OPERATOR in phone.page.text


async def test_a_double_press_changes_nothing_more(web_app: WebFixture) -> None:
    phone = await phone_at(web_app, Method.WECHAT)
    await phone.press("go_authorise")

    page = await phone.press("go_authorise", stage="check", choice="mismatch")

    assert page.status_code == 200
    assert phone.buttons == ["authorise", "decline"]
    assert status(web_app) is AttemptStatus.CONFIRMING
    assert 'value="pass" checked' in page.text


async def test_a_press_from_an_old_page_after_the_verdict_shows_the_verdict(web_app: WebFixture) -> None:
    phone = await phone_at(web_app, Method.QQ)
    await phone.press("confirm")

    await phone.press("decline", stage="check")

    assert "认证成功" in phone.text
    assert status(web_app) is AttemptStatus.SUCCEEDED


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"press=authorise",
        b"stage=check&press=nonsense",
        b"stage=check",
        b"\xff\xfe",
        urlencode([("x", "1")] * 50).encode(),
        b"stage=authorise&press=authorise&choice=pass",
    ],
)
async def test_a_form_of_another_stage_just_shows_the_page(web_app: WebFixture, body: bytes) -> None:
    phone = await phone_at(web_app, Method.WECHAT)

    page = await web_app.phone("wechat").post(phone.address, content=body)

    assert page.status_code == 200
    assert "核对资料" in page.text
    assert status(web_app) is AttemptStatus.OPENED


async def test_a_forged_choice_is_ignored(web_app: WebFixture) -> None:
    phone = await phone_at(web_app, Method.WECHAT)

    await phone.press("go_authorise", choice="face_covered")

    assert 'value="pass" checked' in phone.page.text


async def test_a_press_of_another_method_changes_nothing(web_app: WebFixture) -> None:
    phone = await phone_at(web_app, Method.WECHAT)

    await phone.press("confirm")

    assert "这个按钮不属于当前步骤" in phone.text
    assert status(web_app) is AttemptStatus.OPENED


async def test_opening_restarts_the_time_limit(web_app: WebFixture) -> None:
    scan_code = await web_app.begin(Method.WECHAT)
    web_app.now += TTL - timedelta(seconds=1)

    phone = await PhoneClient(web_app.phone("wechat"), scan_code.phone_url).open()

    assert "剩余约 10 分钟" in phone.text
    assert f'content="{int(TTL.total_seconds()) + 1}"' in phone.page.text


async def test_reloading_does_not_restart_the_time_limit(web_app: WebFixture) -> None:
    phone = await phone_at(web_app, Method.WECHAT)
    web_app.now += timedelta(minutes=7)

    await phone.open()

    assert "剩余约 3 分钟，请在北京时间 12:10 前完成" in phone.text


async def test_an_expired_attempt_is_410_even_before_the_sweep(web_app: WebFixture) -> None:
    phone = await phone_at(web_app, Method.WECHAT)
    web_app.now = START + TTL

    await phone.open()

    assert phone.page.status_code == 410
    assert "二维码已过期" in phone.text
    assert "王*明" not in phone.text


async def test_a_press_after_expiry_is_too_late(web_app: WebFixture) -> None:
    phone = await phone_at(web_app, Method.QQ)
    web_app.now = START + TTL

    await phone.press("confirm")

    assert phone.page.status_code == 410
    assert status(web_app) is AttemptStatus.OPENED


async def test_a_replaced_attempt_is_410(web_app: WebFixture) -> None:
    phone = await phone_at(web_app, Method.WECHAT)
    await web_app.begin(Method.QQ)

    await phone.press("go_authorise")

    assert phone.page.status_code == 410
    assert "已作废" in phone.text


async def test_an_attempt_expired_by_the_sweep_is_410(web_app: WebFixture) -> None:
    phone = await phone_at(web_app, Method.WECHAT)
    web_app.now += TTL
    await web_app.core.expire_due()

    await phone.open()

    assert phone.page.status_code == 410


@pytest.mark.parametrize("token", ["unknown", "x" * 300, "%00", "a.b", "..%2f", "%3Cb%3E", "token-1 "])
async def test_an_unknown_or_malformed_token_is_the_same_neutral_404(web_app: WebFixture, token: str) -> None:
    client = web_app.phone("browser")
    pages = [await client.get(f"/v/{token}"), await client.post(f"/v/{token}", content=b"press=confirm")]

    for page in pages:
        assert page.status_code == 404
        assert page.text == (await client.get("/v/nothing")).text


async def test_a_reserved_attempt_has_no_page(web_app: WebFixture) -> None:
    phone = await phone_at(web_app, Method.WECHAT)
    web_app.store.put(AttemptId("a0"), status=AttemptStatus.RESERVED)

    await phone.open()

    assert phone.page.status_code == 404


async def test_markup_in_an_account_is_shown_as_text(web_app: WebFixture) -> None:
    scan_code = await web_app.begin(Method.WECHAT, '<b>"x"</b>&:abcdefgh')

    phone = await PhoneClient(web_app.phone("wechat"), scan_code.phone_url).open()

    assert "<b>&#34;" not in phone.page.text.replace("<b>接下来</b>", "")
    assert "&lt;b&gt;&#34;x&#34;&lt;/b&gt;&amp;:ab" in phone.page.text


@pytest.mark.parametrize(("method", "app"), [(m, a) for m in TYPED_METHODS for a in ("wechat", "qq", "browser")])
async def test_the_wrong_app_gets_a_note_but_may_continue(web_app: WebFixture, method: Method, app: str) -> None:
    phone = await phone_at(web_app, method, app)

    has_note = "「扫一扫」" in phone.text

    assert has_note is (app != RIGHT_APP[method])
    assert ("你也可以直接在这里继续" in phone.text) is has_note
    assert WAYS[method][0] in phone.buttons


async def test_a_person_with_one_phone_is_shown_three_ways_each_with_a_picture(web_app: WebFixture) -> None:
    wrong, right = await phone_at(web_app, Method.QQ, "browser"), await phone_at(web_app, Method.FACE, "wechat")

    assert all(words in wrong.text for words in ("只有这一部手机？", "在相册里选", "「复制链接」", "「在本机打开」"))
    assert wrong.page.text.count("<svg") == right.page.text.count("<svg") + 3
    assert "只有这一部手机？" not in right.text


async def test_wechat_on_a_computer_is_told_that_a_phone_is_needed(web_app: WebFixture) -> None:
    phone = await phone_at(web_app, Method.WECHAT, "Mozilla/5.0 (Windows NT 10.0) MicroMessenger/7.0 WindowsWechat")

    assert "电脑上的微信不能认证，要用手机" in phone.text
    assert "只有这一部手机？" not in phone.text


async def test_english_is_complete_and_stays_after_presses(web_app: WebFixture) -> None:
    phone = await phone_at(web_app, Method.FACE, query="?lang=en")
    seen = [phone.text]
    for button in WAYS[Method.FACE]:
        await phone.press(button, agree="yes", choice="face_out_of_frame")
        seen.append(phone.text)

    for text in seen:
        assert not re.search(r"[\u4e00-\u9fff]", text.replace("中文", "").replace("王*明", ""))
    assert "The face was not fully on the screen" in seen[-1]


async def test_an_unknown_language_is_the_default(web_app: WebFixture) -> None:
    phone = await phone_at(web_app, Method.WECHAT, query="?lang=<b>")

    assert "核对资料" in phone.text


async def test_the_page_has_no_script_and_only_relative_addresses(web_app: WebFixture) -> None:
    phone = await phone_at(web_app, Method.FACE)

    addresses = re.findall(r'(?:href|src|action)="([^"]*)"', phone.page.text)

    assert "<script" not in phone.page.text
    assert " style=" not in phone.page.text
    assert addresses
    assert all(not address.startswith(("/", "http")) for address in addresses)


async def test_the_stylesheet_is_found_from_the_page(web_app: WebFixture) -> None:
    phone = await phone_at(web_app, Method.WECHAT)
    address = re.search(r'rel="stylesheet" href="([^"]+)"', phone.page.text)
    assert address

    style = await web_app.phone("wechat").get(phone.page.url.join(address[1]))

    assert style.status_code == 200
    assert style.headers["content-type"].startswith("text/css")


async def test_many_phones_at_once_are_served_some_at_a_time_and_all_of_them() -> None:
    store = SlowStore()
    web_app = WebFixture(store=store)
    scan_code = await web_app.begin(Method.WECHAT)
    async with web_app.phone("wechat") as client:
        pages = await asyncio.gather(*(client.get(scan_code.phone_url) for _ in range(100)))

    assert {page.status_code for page in pages} == {200}
    assert store.most_open == 32
