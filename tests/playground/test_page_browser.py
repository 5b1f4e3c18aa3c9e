"""The chat page in Chromium; the test is the bot."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
import pytest_asyncio
import qrcode
from aiohttp import web
from aiohttp.test_utils import TestServer

from playground.server.app import Playground, serve_playground
from playground.world.world import World
from tests.browser import expect, running_browser
from tests.playground.simulator import TOKEN, RunningPlayground, running_playground

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]
long_walk = pytest.mark.slow("browser")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with running_browser() as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="module")
async def simulator() -> AsyncIterator[RunningPlayground]:
    async with running_playground() as simulator:
        yield simulator


@pytest_asyncio.fixture(loop_scope="module")
async def page(browser: Browser) -> AsyncIterator[Page]:
    """Open a page with a storage of its own; an error of its scripts fails the test."""
    errors: list[str] = []
    context = await browser.new_context(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
    page = await context.new_page()
    page.set_default_timeout(10_000)
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    await context.close()
    assert errors == []


async def opened(simulator: RunningPlayground, page: Page, name: str = "王小明") -> int:
    """Open the page at the chat of a person who has pressed Start."""
    user = await simulator.person(name)
    await page.goto(simulator.url)
    await expect(page.locator(".message")).to_have_count(1)
    return user


async def says(simulator: RunningPlayground, user: int, text: str, **facts: Any) -> int:
    sent = await simulator.result("sendMessage", chat_id=user, text=text, parse_mode="HTML", **facts)
    return int(sent["message_id"])


def keyboard(*rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {"inline_keyboard": list(rows)}


async def test_an_empty_chat_begins_with_the_description_and_start(simulator: RunningPlayground, page: Page) -> None:
    await simulator.result("setMyDescription", description="我带您完成实名认证。")
    await page.goto(simulator.url)
    await expect(page.locator("#welcome")).to_contain_text("我带您完成实名认证。")

    await page.get_by_role("button", name="开始").click()

    await expect(page.locator(".message.user")).to_contain_text("/start")
    assert (await simulator.result("getUpdates"))[-1]["message"]["text"] == "/start"


@pytest.mark.slow("browser")
async def test_a_bots_texts_are_shown_formatted_and_never_as_html(simulator: RunningPlayground, page: Page) -> None:
    user = await opened(simulator, page)
    await says(
        simulator,
        user,
        "<b>粗</b> <i>斜</i> &lt;img src=x onerror=alert(1)&gt; <tg-spoiler>藏</tg-spoiler> "
        '<tg-time unix="1" format="r">从前</tg-time>\n<blockquote expandable>引</blockquote>'
        '<a href="https://example.com/">链</a> <a href="javascript:alert(1)">坏</a>',
    )

    words = page.locator(".message.bot .words")
    await expect(words.locator("strong")).to_have_text("粗")
    await expect(words).to_contain_text("<img src=x onerror=alert(1)>")
    await expect(words.locator("img")).to_have_count(0)
    await expect(words.locator("time")).to_contain_text("前")
    await expect(words.locator("a")).to_have_attribute("rel", "noopener noreferrer")
    await words.locator(".spoiler").press("Enter")
    await expect(words.locator(".spoiler")).to_have_class("spoiler shown")
    await expect(words.locator("blockquote")).to_have_text("引展开")


async def test_a_press_spins_until_its_answer_and_toasts_and_alerts_are_shown(
    simulator: RunningPlayground, page: Page
) -> None:
    user = await opened(simulator, page)
    await says(
        simulator, user, "请确认", reply_markup=keyboard([{"text": "确认", "callback_data": "y", "style": "success"}])
    )
    key = page.get_by_role("button", name="确认", exact=True)

    for alert in (False, True):
        await key.click()
        await expect(key).to_have_class("key success pressed")
        query = (await simulator.result("getUpdates"))[-1]["callback_query"]["id"]
        await simulator.result("answerCallbackQuery", callback_query_id=query, text="收到", show_alert=alert)
        await expect(key).to_have_class("key success")

    await expect(page.locator(".toast")).to_have_text("收到")
    await page.get_by_role("alertdialog").get_by_role("button", name="好").click()
    await expect(page.get_by_role("alertdialog")).to_have_count(0)


@long_walk
async def test_edits_are_marked_and_deletions_leave_nothing(simulator: RunningPlayground, page: Page) -> None:
    user = await opened(simulator, page)
    id = await says(simulator, user, "一", reply_markup=keyboard([{"text": "键", "callback_data": "k"}]))
    await expect(page.locator(".key")).to_have_count(1)

    await simulator.result("editMessageText", chat_id=user, message_id=id, text="二")
    await expect(page.locator(".message.bot .words")).to_have_text("二")
    await expect(page.locator(".message.bot .edited")).to_have_text("已编辑")
    await expect(page.locator(".key")).to_have_count(0)

    await simulator.result("deleteMessage", chat_id=user, message_id=id)
    await expect(page.locator(".message.bot")).to_have_count(0)


@long_walk
async def test_a_person_writes_edits_forwards_and_attaches(simulator: RunningPlayground, page: Page) -> None:
    await opened(simulator, page)
    await page.get_by_label("写消息…").fill("王小名")
    await page.keyboard.press("Enter")
    await page.locator(".message.user").last.hover()
    await page.get_by_role("button", name="编辑").last.click()
    await page.get_by_label("写消息…").fill("王小明")
    await page.keyboard.press("Enter")
    await expect(page.locator(".message.user .edited")).to_have_count(1)
    for item in ("贴纸", "图片", "语音", "联系人", "位置", "转发的消息"):
        await page.get_by_role("button", name="发别的东西").click()
        await page.get_by_role("menuitem", name=item).click()
    await expect(page.locator(".message.user")).to_have_count(8)

    updates = await simulator.result("getUpdates")

    assert updates[1]["edited_message"]["text"] == "王小明"
    kinds = {"sticker", "photo", "voice", "contact", "location", "forward_origin"}
    assert kinds <= {name for update in updates[2:] for name in update["message"]}


@long_walk
async def test_commands_are_suggested_by_their_first_letters_and_placeholders_are_shown(
    simulator: RunningPlayground, page: Page
) -> None:
    commands = [{"command": "status", "description": "查看进度"}, {"command": "faq", "description": "常见问题"}]
    await simulator.result("setMyCommands", commands=commands)
    user = await opened(simulator, page)
    await says(
        simulator, user, "号码？", reply_markup={"force_reply": True, "input_field_placeholder": "11010519491231002X"}
    )
    field = page.get_by_placeholder("11010519491231002X")

    await field.press_sequentially("/s")
    await expect(page.get_by_role("menuitem")).to_have_count(1)
    await page.get_by_role("menuitem", name="/status 查看进度").click()

    await expect(page.locator(".message.user").last).to_contain_text("/status")


@long_walk
async def test_a_question_that_forces_a_reply_is_quoted_above_the_field_until_it_is_answered_or_gone(
    simulator: RunningPlayground, page: Page
) -> None:
    user = await opened(simulator, page)
    markup = {"inline_keyboard": [[{"text": "返回", "callback_data": "back"}]], "force_reply": True}
    quote = page.locator("#composer .editing")
    await says(simulator, user, "姓名？", reply_markup=markup)
    await expect(quote).to_contain_text("姓名？")
    await page.locator("textarea").fill("王小明")
    await page.keyboard.press("Enter")
    await expect(quote).to_have_count(0)
    update = (await simulator.result("getUpdates"))[-1]
    assert update["message"]["reply_to_message"]["text"] == "姓名？"

    await says(simulator, user, "号码？", reply_markup=markup)
    await quote.get_by_role("button").click()
    await expect(quote).to_have_count(0)

    sent = await simulator.result("sendMessage", chat_id=user, text="姓名？", reply_markup=markup)
    await expect(quote).to_contain_text("姓名？")
    await simulator.result("deleteMessage", chat_id=user, message_id=sent["message_id"])
    await expect(quote).to_have_count(0)


@long_walk
async def test_a_reply_keyboard_types_its_labels_until_it_is_removed(simulator: RunningPlayground, page: Page) -> None:
    user = await opened(simulator, page)
    await says(simulator, user, "哪种？", reply_markup={"keyboard": [["微信", "QQ"]]})
    await page.locator(".reply-key", has_text="QQ").click()
    await expect(page.locator(".message.user").last).to_contain_text("QQ")

    await says(simulator, user, "好", reply_markup={"remove_keyboard": True})

    await expect(page.locator(".reply-key")).to_have_count(0)


@long_walk
async def test_a_poll_is_voted_in_and_a_key_shares_the_contact(simulator: RunningPlayground, page: Page) -> None:
    user = await opened(simulator, page)
    await simulator.result("sendPoll", chat_id=user, question="去哪里？", options=["北京", "上海"])
    await simulator.result("sendDice", chat_id=user)
    keys = {"keyboard": [[{"text": "我的号码", "request_contact": True}]]}
    await says(simulator, user, "请选", reply_markup=keys)
    await simulator.forget()

    await expect(page.locator(".kind-dice")).to_contain_text("🎲")
    await page.get_by_role("button", name="上海").click()
    await page.get_by_role("button", name="我的号码").click()
    await expect(page.locator(".kind-contact.user")).to_contain_text("王小明")

    updates = await simulator.result("getUpdates")
    assert [next(kind for kind in update if kind != "update_id") for update in updates] == ["poll", "message"]
    assert [option["voter_count"] for option in updates[0]["poll"]["options"]] == [0, 1]
    assert updates[1]["message"]["contact"]["user_id"] == user


@pytest.mark.slow("browser")
async def test_a_scanned_code_opens_in_the_chosen_app(simulator: RunningPlayground, page: Page) -> None:
    async def show(request: web.Request) -> web.Response:
        app = "微信" if "MicroMessenger" in request.headers["User-Agent"] else "别的"
        style = "<link rel=stylesheet href=/x.css>"
        form = "<form method=post action=/go><button>前往授权</button></form>"
        text = f"<!doctype html><title>认证</title>{style}<h1>用{app}打开</h1>{form}"
        policy = {"Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'self'"}
        return web.Response(text=text, content_type="text/html", headers=policy)

    async def style(request: web.Request) -> web.Response:
        return web.Response(text="h1 { color: rgb(1, 2, 3) }", content_type="text/css")

    async def go(request: web.Request) -> web.Response:
        return web.Response(text="<!doctype html><title>完成</title><h1>已授权</h1>", content_type="text/html")

    app = web.Application()
    app.add_routes([web.get("/s/1", show), web.get("/x.css", style), web.post("/go", go)])
    async with TestServer(app, host="127.0.0.1") as server:
        user = await opened(simulator, page)
        picture = io.BytesIO()
        qrcode.make(f"http://127.0.0.1:{server.port}/s/1").save(picture)
        await simulator.upload("sendPhoto", chat_id=user, photo=picture.getvalue(), caption="扫码")

        await page.get_by_role("button", name="用手机扫这个码").last.click()
        await page.get_by_role("button", name="微信").click()
        frame = page.frame_locator("iframe")
        await expect(frame.locator("h1")).to_have_text("用微信打开")
        await expect(frame.locator("h1")).to_have_css("color", "rgb(1, 2, 3)")
        await expect(page.locator(".app-bar.wechat strong")).to_have_text("认证")
        await frame.get_by_role("button", name="前往授权").click()
        await expect(frame.locator("h1")).to_have_text("已授权")

        await page.get_by_role("button", name="返回").click()
        await expect(frame.locator("h1")).to_have_text("用微信打开")


@long_walk
async def test_a_code_that_leads_to_the_bot_is_scanned_by_a_chosen_person(
    simulator: RunningPlayground, page: Page
) -> None:
    user = await opened(simulator, page)
    other = await simulator.person("李雷")
    picture = io.BytesIO()
    qrcode.make("https://t.me/demo_bot?start=abc").save(picture)
    await simulator.upload("sendPhoto", chat_id=user, photo=picture.getvalue(), caption="发给客户")
    await says(simulator, user, "https://t.me/another_bot?start=abc")

    await page.get_by_role("link", name="another_bot").click()
    await expect(page.locator(".toast")).to_have_text("这里只有这一个机器人的聊天。")
    await page.get_by_role("button", name="用手机扫这个码").last.click()
    await page.get_by_role("dialog").get_by_role("button", name="李雷").click()

    await expect(page.locator(".message.user").last).to_contain_text("/start abc")
    assert (await simulator.result("getUpdates"))[-1]["message"]["from"]["id"] == other


@long_walk
async def test_the_bot_can_be_blocked_and_unblocked(simulator: RunningPlayground, page: Page) -> None:
    user = await opened(simulator, page)

    await page.get_by_role("button", name="停用机器人").click()
    await expect(page.locator(".person-last")).to_have_text("已停用机器人")
    refusal = await simulator.refusal("sendMessage", chat_id=user, text="a")
    await page.get_by_role("button", name="恢复机器人").click()
    await expect(page.get_by_label("写消息…")).to_be_visible()

    assert refusal == "Forbidden: bot was blocked by the user"
    assert len(await simulator.result("getUpdates")) == 2


@long_walk
async def test_a_url_button_to_this_machine_opens_on_the_phone_and_a_start_link_in_the_chat(
    simulator: RunningPlayground, page: Page
) -> None:
    user = await opened(simulator, page)
    here = {"text": "打开", "url": "http://127.0.0.1:9/s/1"}
    start = {"text": "再来", "url": "https://t.me/demo_bot?start=abc"}
    away = {"text": "官网", "url": "https://example.com/"}
    await says(simulator, user, "选", reply_markup=keyboard([here], [start], [away]))

    await page.locator(".key", has_text="打开").click()
    await expect(page.locator(".scanned")).to_have_text("http://127.0.0.1:9/s/1")
    await page.locator(".key", has_text="再来").click()
    await expect(page.locator(".message.user").last).to_contain_text("/start abc")
    await expect(page.locator(".key", has_text="官网")).to_have_attribute("target", "_blank")


@long_walk
async def test_another_person_has_another_chat_with_unread_messages(simulator: RunningPlayground, page: Page) -> None:
    user = await opened(simulator, page)
    await page.get_by_role("button", name="新的人").click()
    await page.get_by_label("名字").fill("韩梅梅")
    await page.get_by_label("Telegram 的语言").select_option("en")
    await page.get_by_role("button", name="加入").click()
    await expect(page.get_by_role("button", name="开始")).to_be_visible()

    await says(simulator, user, "给王小明")

    await expect(page.locator(".person", has_text="王小明").locator(".badge")).to_have_text("1")
    await page.locator(".person", has_text="王小明").click()
    await expect(page.locator(".message.bot")).to_contain_text("给王小明")
    await expect(page.locator(".badge")).to_have_count(0)
    languages = {person["first_name"]: person["language_code"] for person in await simulator.sim("/users", "GET")}
    assert languages["韩梅梅"] == "en"


@long_walk
async def test_the_page_can_be_in_english_and_stores_the_choice(simulator: RunningPlayground, page: Page) -> None:
    await opened(simulator, page)

    await page.get_by_role("button", name="EN").click()
    await expect(page.get_by_role("heading", name="Playground")).to_be_visible()
    await page.reload()

    await expect(page.get_by_role("button", name="中文")).to_be_visible()
    assert await page.get_attribute("html", "lang") == "en"


@long_walk
async def test_on_a_narrow_screen_people_and_phone_cover_the_chat(simulator: RunningPlayground, page: Page) -> None:
    await page.set_viewport_size({"width": 390, "height": 844})
    await opened(simulator, page)
    await expect(page.locator("#phone")).not_to_be_in_viewport()

    await page.locator("#phone-open").click()
    await expect(page.locator("#screen")).to_be_in_viewport()
    await page.keyboard.press("Escape")
    await expect(page.locator("#phone")).not_to_be_in_viewport()
    await page.locator("#people-open").click()
    await expect(page.locator(".person")).to_be_in_viewport()

    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.slow("browser")
async def test_a_disconnected_bot_is_shown_in_the_header(simulator: RunningPlayground, page: Page) -> None:
    await opened(simulator, page)
    poll = asyncio.ensure_future(simulator.call("getUpdates", timeout=30))
    await expect(page.locator("#bot-status")).to_have_text("@demo_bot")

    poll.cancel()

    await expect(page.locator("#bot-status")).to_have_text("机器人未连接")
    await expect(page.locator("#trouble")).to_contain_text("按钮只等 150 秒", timeout=15_000)


@long_walk
async def test_the_page_continues_after_a_restart_of_the_simulator(page: Page, unused_tcp_port: int) -> None:
    async with serve_playground(Playground(World(token=TOKEN)), port=unused_tcp_port) as url:
        await page.goto(url)
        await page.get_by_role("button", name="开始").click()
        await expect(page.locator(".message")).to_have_count(1)
    await expect(page.locator("#trouble")).to_contain_text("正在重连")

    async with (
        serve_playground(Playground(World(token=TOKEN)), port=unused_tcp_port) as url,
        aiohttp.ClientSession() as http,
    ):
        await expect(page.locator(".toast")).to_contain_text("已清空", timeout=20_000)
        await expect(page.get_by_role("button", name="开始")).to_be_visible()
        await expect(page.locator(".message")).to_have_count(0)
        async with http.get(f"{url}/sim/users") as answer:
            assert len(await answer.json()) == 1


@long_walk
async def test_inline_results_are_shown_above_the_field_and_one_is_sent(
    simulator: RunningPlayground, page: Page
) -> None:
    await opened(simulator, page)
    field = page.get_by_role("textbox")
    await field.fill("@demo_bot 3个账号")
    world = simulator.playground.world
    assert await world.changes.wait_for(
        lambda: any(update.kind == "inline_query" for update in world.updates.pending()), 5
    )
    query = (await simulator.result("getUpdates"))[-1]["inline_query"]
    content = {"message_text": "一个证件最多认证三个账号。"}
    article = {
        "type": "article",
        "id": "1",
        "title": "几个账号",
        "description": "三个",
        "input_message_content": content,
    }
    button = {"text": "去认证", "start_parameter": "a"}

    await simulator.result("answerInlineQuery", inline_query_id=query["id"], results=[article], button=button)
    await expect(page.get_by_role("menuitem")).to_have_text(["去认证", "几个账号三个"])
    await page.get_by_role("menuitem", name="几个账号").click()

    await expect(page.locator(".message.user").last).to_contain_text("通过 @demo_bot 发送一个证件最多认证三个账号。")
    await expect(field).to_have_value("")
    assert query["query"] == "3个账号"


@long_walk
async def test_a_button_can_start_an_inline_query(simulator: RunningPlayground, page: Page) -> None:
    user = await opened(simulator, page)
    await says(simulator, user, "问答", reply_markup=keyboard([{"text": "分享", "switch_inline_query": "改名"}]))

    await page.get_by_role("button", name="分享", exact=True).click()

    await expect(page.get_by_role("textbox")).to_have_value("@demo_bot 改名")
    world = simulator.playground.world
    assert await world.changes.wait_for(
        lambda: any(update.kind == "inline_query" for update in world.updates.pending()), 5
    )


async def test_the_record_button_gives_the_script_of_what_follows(simulator: RunningPlayground, page: Page) -> None:
    await opened(simulator, page)
    await page.get_by_role("button", name="录制脚本").click()
    await expect(page.locator(".message")).to_have_count(0)
    await page.get_by_role("button", name="开始", exact=True).click()
    await expect(page.locator(".message.user")).to_contain_text("/start")
    person = (await simulator.result("getUpdates"))[-1]["message"]["from"]["id"]
    keys = keyboard([{"text": "✅ 好", "callback_data": "y"}])
    await says(simulator, person, "<b>请选</b>", reply_markup=keys)
    await page.get_by_role("button", name="✅ 好").click()
    await expect(page.locator(".key.pressed")).to_have_count(1)

    await page.get_by_role("button", name="停止录制").click()

    script = await page.get_by_label("录好的脚本").input_value()
    assert script.splitlines()[2:] == ["> /start", "< 请选   [好]", "> [好]"]
    async with page.expect_download() as download:
        await page.get_by_text("存成文件").click()
    assert (await (await download.value).path()).read_text(encoding="utf-8") == script
    await page.get_by_role("button", name="好", exact=True).last.click()
    await expect(page.get_by_role("button", name="录制脚本")).to_have_attribute("aria-pressed", "false")
