"""The phone: opens pages as an app, parses them, uses HTML forms."""

from collections.abc import AsyncIterator, Callable

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from playground.phone.apps import Gesture, PhoneApp
from playground.phone.browser import USER_AGENTS, LabelMatcher, Phone, PhoneError
from playground.phone.page_parser import read_page

CONSENT = """<!doctype html><title>授权</title><style>p{}</style>
<h1>身份授权</h1><p>王小明，请 <b>确认</b></p><p hidden>秘密</p><template>模板</template>
<form method="post" action="/agree?x=1"><input type="hidden" name="token" value="t&amp;1">
<label><input type="checkbox" name="agree" value="yes" required> 我已阅读并同意《服务协议》</label>
<label for="r1">人脸被遮挡</label><input type="radio" name="result" value="covered" id="r1">
<label for="r2">通过</label><input type="radio" name="result" value="ok" id="r2" checked>
<select name="city"><option value="bj">北京</option><option selected>上海</option></select>
<input name="off" value="1" disabled><button type="button">脚本</button>
<button name="go" value="1">前往授权</button><input type="submit" name="go" value="拒绝" formaction="/refuse"></form>
<a href="other?a=1">其他方式</a><button>无处</button><button disabled>灰色</button>"""


async def echo(request: web.Request) -> web.Response:
    form = "&".join(f"{name}={value!s}" for name, value in (await request.post()).items())
    origin = request.headers.get("Origin", "")
    assert origin == (f"http://{request.host}" if request.method == "POST" else "")
    return web.Response(text=f"<p>{request.method} {request.path_qs} {form}</p>", content_type="text/html")


async def agent(request: web.Request) -> web.Response:
    seen = int(request.cookies.get("seen", "0")) + 1
    answer = web.Response(text=f"<p>{request.headers['User-Agent']}</p><i>visit {seen}</i>", content_type="text/html")
    answer.set_cookie("seen", str(seen))
    return answer


async def consent(_: web.Request) -> web.Response:
    return web.Response(text=CONSENT, content_type="text/html")


async def moved(_: web.Request) -> web.Response:
    raise web.HTTPFound("/consent")


@pytest.fixture
async def site() -> AsyncIterator[Callable[[str], str]]:
    app = web.Application()
    app.router.add_get("/consent", consent)
    app.router.add_get("/moved", moved)
    app.router.add_get("/agent", agent)
    app.router.add_route("*", "/{path:agree|refuse|other|search}", echo)
    async with TestServer(app) as server:
        yield lambda path: str(server.make_url(path))


@pytest.fixture
async def phone() -> AsyncIterator[Phone]:
    async with Phone() as phone:
        yield phone


def label(words: str) -> LabelMatcher:
    return LabelMatcher(words, matches_exactly=words.__eq__, matches_partly=lambda actual: words in actual)


def shown(phone: Phone) -> str:
    return phone.page.text if phone.page else ""


@pytest.mark.parametrize(
    ("app", "token"),
    [
        (PhoneApp.WECHAT, "MicroMessenger/"),
        (PhoneApp.QQ, " QQ/"),
        (PhoneApp.BROWSER, "Chrome/"),
        (PhoneApp.ROBOT, "Bot/"),
    ],
)
async def test_each_app_shows_its_own_user_agent(
    phone: Phone, site: Callable[[str], str], app: PhoneApp, token: str
) -> None:
    await phone.open(app, site("/agent"))

    assert token in shown(phone)
    assert ("MicroMessenger" in USER_AGENTS[app]) is (app is PhoneApp.WECHAT)


async def test_each_app_keeps_its_own_cookies(phone: Phone, site: Callable[[str], str]) -> None:
    for app in (PhoneApp.WECHAT, PhoneApp.WECHAT, PhoneApp.QQ):
        await phone.open(app, site("/agent"))

    assert shown(phone).endswith("visit 1")


async def test_a_redirect_is_followed(phone: Phone, site: Callable[[str], str]) -> None:
    await phone.open(PhoneApp.WECHAT, site("/moved"))

    assert (phone.status, phone.address) == (200, site("/consent"))


def test_only_what_a_person_sees_is_text() -> None:
    page = read_page(CONSENT)

    assert page.title == "授权"
    assert page.text.startswith("身份授权 王小明，请 确认 我已阅读并同意《服务协议》 人脸被遮挡")
    assert not any(hidden in page.text for hidden in ("秘密", "模板", "p{}", "t&1"))


async def test_a_form_is_sent_as_a_browser_sends_it(phone: Phone, site: Callable[[str], str]) -> None:
    await phone.open(PhoneApp.WECHAT, site("/consent"))
    await phone.use_control(Gesture.TICK, label("同意"))
    await phone.use_control(Gesture.CHOOSE, label("人脸被遮挡"))
    await phone.use_control(Gesture.CHOOSE, label("北京"))
    await phone.use_control(Gesture.PRESS, label("前往授权"))

    assert shown(phone) == "POST /agree?x=1 token=t&1&agree=yes&result=covered&city=bj&go=1"


async def test_a_button_can_override_the_target_of_its_form(phone: Phone, site: Callable[[str], str]) -> None:
    await phone.open(PhoneApp.WECHAT, site("/consent"))
    await phone.use_control(Gesture.TICK, label("同意"))
    await phone.use_control(Gesture.PRESS, label("拒绝"))

    assert shown(phone) == "POST /refuse token=t&1&agree=yes&result=ok&city=上海&go=拒绝"


async def test_a_link_is_followed(phone: Phone, site: Callable[[str], str]) -> None:
    await phone.open(PhoneApp.WECHAT, site("/consent"))
    await phone.use_control(Gesture.PRESS, label("其他方式"))

    assert shown(phone) == "GET /other?a=1"


async def test_a_form_without_a_method_is_sent_by_get(phone: Phone, site: Callable[[str], str]) -> None:
    await phone.open(PhoneApp.BROWSER, site("/agent"))
    phone.page = read_page('<form action="search?old=1"><input name="q" value="三个 账号"><button>找</button></form>')
    await phone.use_control(Gesture.PRESS, label("找"))

    assert shown(phone) == "GET /search?q=%E4%B8%89%E4%B8%AA+%E8%B4%A6%E5%8F%B7"


@pytest.mark.parametrize(
    ("gesture", "words", "expected"),
    [
        (Gesture.PRESS, "前往授權", "there: 前往授权, 拒绝, 其他方式, 无处, 灰色); nearest: 前往授权"),
        (Gesture.PRESS, "前往授权", "before this field is filled in: '我已阅读并同意《服务协议》'"),
        (Gesture.PRESS, "无处", "belongs to no form"),
        (Gesture.PRESS, "灰色", "is disabled"),
        (Gesture.PRESS, "脚本", "nothing to press"),
        (Gesture.TICK, "通过", "nothing to tick is labelled '通过'"),
        (Gesture.CHOOSE, "", "matches several"),
    ],
)
async def test_an_impossible_gesture_says_why(
    phone: Phone, site: Callable[[str], str], gesture: Gesture, words: str, expected: str
) -> None:
    await phone.open(PhoneApp.WECHAT, site("/consent"))

    with pytest.raises(PhoneError) as raised:
        await phone.use_control(gesture, label(words))

    assert expected in str(raised.value)


async def test_no_gesture_is_possible_before_a_page_is_open(phone: Phone) -> None:
    with pytest.raises(PhoneError, match="@scan comes first"):
        await phone.use_control(Gesture.PRESS, label("x"))


@pytest.mark.parametrize("address", ["http://127.0.0.1:1/", "weixin://dl/business", "not an address"])
async def test_an_address_that_cannot_be_opened_is_an_error(phone: Phone, address: str) -> None:
    with pytest.raises(PhoneError, match="the phone cannot open"):
        await phone.open(PhoneApp.WECHAT, address)


async def test_a_page_that_refreshes_itself_is_followed(phone: Phone, site: Callable[[str], str]) -> None:
    await phone.open(PhoneApp.BROWSER, site("/agent"))
    phone.page = read_page('<meta http-equiv="refresh" content="2; url=/other?n=1"><p>请稍候</p>')
    await phone.reload()

    assert shown(phone) == "GET /other?n=1"


def test_a_page_with_a_time_limit_is_not_waiting() -> None:
    assert read_page('<meta http-equiv="refresh" content="5">').refresh == ""
    assert read_page('<meta http-equiv="refresh" content="600">').refresh is None
