"""The phone page as a person meets it: each way to each end, and what holds along the way."""

import html
import re
from datetime import timedelta
from urllib.parse import urlencode

import httpx
import pytest

from tests.web.app_fixture import IDENTITY, RIGHT_APP, START, TTL, WebFixture
from verification import AttemptId, AttemptStatus, Method, Reason, ScanCode
from verification.ports import NoticeKind

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
}
FACE_ONLY = {"face_covered", "face_differs", "face_out_of_frame"}
ENDS = [(method, choice) for method in Method for choice in CHOICES if method is Method.FACE or choice not in FACE_ONLY]


class PhoneClient:
    """A person's phone: opens the page, and presses what stands on it."""

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
        """What a person reads."""
        return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", self.page.text)))

    @property
    def buttons(self) -> list[str]:
        return re.findall(r'<button[^>]* value="(\w+)"', self.page.text)


async def phone_at(house: WebFixture, method: Method, app: str | None = None, query: str = "") -> PhoneClient:
    opening = await house.begin(method)
    return await PhoneClient(house.phone(app or RIGHT_APP[method]), opening.phone_url + query).open()


def status(house: WebFixture) -> AttemptStatus:
    return house.store.kept.attempts[AttemptId("a0")].status


def news(house: WebFixture) -> list[tuple[NoticeKind, AttemptStatus]]:
    return [(notice.kind, notice.status) for notice in house.store.kept.notices]


@pytest.mark.parametrize(("method", "choice"), ENDS)
async def test_each_way_ends_as_chosen(house: WebFixture, method: Method, choice: str) -> None:
    phone = await phone_at(house, method)

    for button in WAYS[method]:
        page = await phone.press(button, choice=choice, agree="yes")
        assert page.status_code == 200

    attempt = house.store.kept.attempts[AttemptId("a0")]
    assert attempt.status is (AttemptStatus.SUCCEEDED if CHOICES[choice] is None else AttemptStatus.FAILED)
    assert attempt.reason is CHOICES[choice]


async def test_a_choice_made_on_the_first_page_holds_to_the_end(house: WebFixture) -> None:
    phone = await phone_at(house, Method.WECHAT)

    await phone.press("go_authorise", choice="mismatch")
    await phone.press("authorise")

    assert house.store.kept.attempts[AttemptId("a0")].reason is Reason.MISMATCH


async def test_the_wechat_way_tells_the_chat_of_each_stage(house: WebFixture) -> None:
    phone = await phone_at(house, Method.WECHAT)

    await phone.press("go_authorise")
    await phone.press("authorise")

    assert news(house) == [
        (NoticeKind.PROGRESS, AttemptStatus.OPENED),
        (NoticeKind.PROGRESS, AttemptStatus.CONFIRMING),
        (NoticeKind.ENDED, AttemptStatus.SUCCEEDED),
    ]


async def test_a_qq_without_a_card_is_led_to_bind_one_and_passes(house: WebFixture) -> None:
    phone = await phone_at(house, Method.QQ)

    await phone.press("confirm", choice="no_card")
    assert phone.buttons == ["bind_card", "no_card", "decline"]
    await phone.press("bind_card")
    await phone.press("card_done")
    await phone.press("confirm")

    assert status(house) is AttemptStatus.SUCCEEDED


async def test_a_qq_left_without_a_card_fails_for_that_reason(house: WebFixture) -> None:
    phone = await phone_at(house, Method.QQ)

    await phone.press("confirm", choice="no_card")
    await phone.press("no_card")

    assert house.store.kept.attempts[AttemptId("a0")].reason is Reason.NO_CARD
    assert "QQ 未绑定银行卡" in phone.text


async def test_without_a_tick_the_agreement_stays_and_says_so_kindly(house: WebFixture) -> None:
    phone = await phone_at(house, Method.FACE)
    await phone.press("quick", choice="face_covered")

    await phone.press("next", choice="face_covered")

    assert "请先勾选同意" in phone.text
    assert "next" in phone.buttons
    assert status(house) is AttemptStatus.OPENED
    assert re.search(r'value="face_covered" checked', phone.page.text)


@pytest.mark.parametrize("method", Method)
async def test_a_person_may_decline_at_once(house: WebFixture, method: Method) -> None:
    phone = await phone_at(house, method)

    await phone.press("decline")

    assert house.store.kept.attempts[AttemptId("a0")].reason is Reason.DECLINED


@pytest.mark.parametrize("method", Method)
async def test_the_page_shows_account_and_match_code_and_only_masked_data(house: WebFixture, method: Method) -> None:
    phone = await phone_at(house, method)
    pages = []
    for button in [*WAYS[method][:-1], None]:
        pages.append(phone.text)
        if button:
            await phone.press(button, agree="yes")

    for text in pages:
        assert "47" in text
        assert "telegram:10*****45" in text
        assert "王*明" in text
        assert "110105********002X" in text
        assert "100012345" not in text
        assert IDENTITY.name.plain not in text
        assert IDENTITY.number.plain not in text
        assert "模拟页面" in text


async def test_after_the_verdict_the_page_tells_only_its_kind(house: WebFixture) -> None:
    phone = await phone_at(house, Method.QQ)
    await phone.press("confirm")

    await phone.open()

    assert phone.page.status_code == 200
    assert "认证通过" in phone.text
    assert "回到 Telegram 聊天继续" in phone.text
    assert "王*明" not in phone.text
    assert "telegram:" not in phone.text
    assert "47" not in phone.text
    assert not phone.buttons


async def test_a_success_without_a_place_left_is_told_as_such(house: WebFixture) -> None:
    for account in ("shop:1", "shop:2", "shop:3"):
        other = await house.begin(Method.QQ, account)
        await (await PhoneClient(house.phone("qq"), other.phone_url).open()).press("confirm")
    phone = await PhoneClient(house.phone("qq"), (await late_request(house)).phone_url).open()

    await phone.press("confirm")

    assert "这个身份证号已认证 3 个账号" in phone.text


async def late_request(house: WebFixture) -> ScanCode:
    """An attempt begun while a place was free, judged when none is."""
    taken = house.store.kept.slots.pop(IDENTITY.number.plain)
    opening = await house.begin(Method.QQ, "shop:4")
    house.store.kept.slots[IDENTITY.number.plain] = taken
    return opening


async def test_a_double_press_changes_nothing_more(house: WebFixture) -> None:
    phone = await phone_at(house, Method.WECHAT)
    await phone.press("go_authorise")

    page = await phone.press("go_authorise", stage="check", choice="mismatch")

    assert page.status_code == 200
    assert phone.buttons == ["authorise", "decline"]
    assert status(house) is AttemptStatus.CONFIRMING
    assert 'value="pass" checked' in page.text


async def test_a_press_from_a_page_left_behind_after_the_verdict_shows_the_verdict(house: WebFixture) -> None:
    phone = await phone_at(house, Method.QQ)
    await phone.press("confirm")

    await phone.press("decline", stage="check")

    assert "认证通过" in phone.text
    assert status(house) is AttemptStatus.SUCCEEDED


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
async def test_a_form_that_is_not_of_this_stage_just_shows_the_page(house: WebFixture, body: bytes) -> None:
    phone = await phone_at(house, Method.WECHAT)

    page = await house.phone("wechat").post(phone.address, content=body)

    assert page.status_code == 200
    assert "核对实名信息" in page.text
    assert status(house) is AttemptStatus.OPENED


async def test_a_forged_choice_is_not_taken(house: WebFixture) -> None:
    phone = await phone_at(house, Method.WECHAT)

    await phone.press("go_authorise", choice="face_covered")

    assert 'value="pass" checked' in phone.page.text


async def test_a_press_of_another_way_moves_nothing(house: WebFixture) -> None:
    phone = await phone_at(house, Method.WECHAT)

    await phone.press("confirm")

    assert "这个按钮不属于当前步骤" in phone.text
    assert status(house) is AttemptStatus.OPENED


async def test_opening_gives_the_full_time_again(house: WebFixture) -> None:
    opening = await house.begin(Method.WECHAT)
    house.now += TTL - timedelta(seconds=1)

    phone = await PhoneClient(house.phone("wechat"), opening.phone_url).open()

    assert "剩余约 10 分钟" in phone.text
    assert f'content="{int(TTL.total_seconds()) + 1}"' in phone.page.text


async def test_reloading_gives_no_more_time(house: WebFixture) -> None:
    phone = await phone_at(house, Method.WECHAT)
    house.now += timedelta(minutes=7)

    await phone.open()

    assert "剩余约 3 分钟，请在北京时间 12:10 前完成" in phone.text


async def test_an_expired_code_is_gone_even_before_the_sweep(house: WebFixture) -> None:
    phone = await phone_at(house, Method.WECHAT)
    house.now = START + TTL

    await phone.open()

    assert phone.page.status_code == 410
    assert "二维码已过期" in phone.text
    assert "王*明" not in phone.text


async def test_a_press_after_expiry_is_too_late(house: WebFixture) -> None:
    phone = await phone_at(house, Method.QQ)
    house.now = START + TTL

    await phone.press("confirm")

    assert phone.page.status_code == 410
    assert status(house) is AttemptStatus.OPENED


async def test_a_replaced_code_is_gone(house: WebFixture) -> None:
    phone = await phone_at(house, Method.WECHAT)
    await house.begin(Method.QQ)

    await phone.press("go_authorise")

    assert phone.page.status_code == 410
    assert "已作废" in phone.text


async def test_a_swept_code_is_gone(house: WebFixture) -> None:
    phone = await phone_at(house, Method.WECHAT)
    house.now += TTL
    await house.core.expire_due()

    await phone.open()

    assert phone.page.status_code == 410


@pytest.mark.parametrize("token", ["unknown", "x" * 300, "%00", "a.b", "..%2f", "%3Cb%3E", "token-1 "])
async def test_an_unknown_or_malformed_token_is_the_same_neutral_404(house: WebFixture, token: str) -> None:
    client = house.phone("browser")
    pages = [await client.get(f"/v/{token}"), await client.post(f"/v/{token}", content=b"press=confirm")]

    for page in pages:
        assert page.status_code == 404
        assert page.text == (await client.get("/v/nothing")).text


async def test_an_attempt_whose_code_was_never_given_out_has_no_page(house: WebFixture) -> None:
    phone = await phone_at(house, Method.WECHAT)
    house.store.put(AttemptId("a0"), status=AttemptStatus.RESERVED)

    await phone.open()

    assert phone.page.status_code == 404


async def test_markup_in_an_account_is_shown_as_text(house: WebFixture) -> None:
    opening = await house.begin(Method.WECHAT, '<b>"x"</b>&:abcdefgh')

    phone = await PhoneClient(house.phone("wechat"), opening.phone_url).open()

    assert "<b>&#34;" not in phone.page.text.replace("<b>接下来</b>", "")
    assert "&lt;b&gt;&#34;x&#34;&lt;/b&gt;&amp;:ab" in phone.page.text


@pytest.mark.parametrize(("method", "app"), [(m, a) for m in Method for a in ("wechat", "qq", "browser")])
async def test_the_wrong_app_is_told_but_may_go_on(house: WebFixture, method: Method, app: str) -> None:
    phone = await phone_at(house, method, app)

    told = "「扫一扫」" in phone.text

    assert told is (app != RIGHT_APP[method])
    assert ("你也可以直接在这里继续" in phone.text) is told
    assert WAYS[method][0] in phone.buttons


async def test_english_is_complete_and_kept_through_presses(house: WebFixture) -> None:
    phone = await phone_at(house, Method.FACE, query="?lang=en")
    seen = [phone.text]
    for button in WAYS[Method.FACE]:
        await phone.press(button, agree="yes", choice="face_out_of_frame")
        seen.append(phone.text)

    for text in seen:
        assert not re.search(r"[\u4e00-\u9fff]", text.replace("中文", "").replace("王*明", ""))
    assert "The face was not fully on the screen" in seen[-1]


async def test_an_unknown_language_is_the_first_one(house: WebFixture) -> None:
    phone = await phone_at(house, Method.WECHAT, query="?lang=<b>")

    assert "核对实名信息" in phone.text


async def test_the_page_needs_no_script_and_knows_no_address_but_relative_ones(house: WebFixture) -> None:
    phone = await phone_at(house, Method.FACE)

    addresses = re.findall(r'(?:href|src|action)="([^"]*)"', phone.page.text)

    assert "<script" not in phone.page.text
    assert " style=" not in phone.page.text
    assert addresses
    assert all(not address.startswith(("/", "http")) for address in addresses)


async def test_the_style_is_found_from_the_page(house: WebFixture) -> None:
    phone = await phone_at(house, Method.WECHAT)
    address = re.search(r'rel="stylesheet" href="([^"]+)"', phone.page.text)
    assert address

    style = await house.phone("wechat").get(phone.page.url.join(address[1]))

    assert style.status_code == 200
    assert style.headers["content-type"].startswith("text/css")
