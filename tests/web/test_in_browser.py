"""The phone page in a real browser: nothing is cut off or blocked, and a press works without any script."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

import pytest
import pytest_asyncio
import uvicorn
from starlette.responses import HTMLResponse
from starlette.types import ASGIApp

from tests.browser import running_browser
from tests.web.app_fixture import PHONES, RIGHT_APP, WebFixture
from tests.web.test_form import FakeForm
from verification import AttemptId, AttemptStatus, Method
from web.dependencies import FormAnswers, FormResult, FormStatus

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]
PATHS = {
    Method.WECHAT: [{}, {"press": "go_authorise"}, {"press": "authorise"}],
    Method.QQ: [
        {},
        {"press": "confirm", "choice": "no_card"},
        {"press": "bind_card"},
        {"press": "card_done"},
        {"press": "confirm"},
    ],
    Method.FACE: [{}, {"press": "quick"}, {"press": "next"}, {"press": "next", "agree": "yes"}, {"press": "recognise"}],
    Method.NETID: [{}, {"press": "go_authorise"}, {"press": "authorise"}],
}
FRAME = '<!doctype html><iframe width="360" height="700" src="{address}"></iframe>'


@asynccontextmanager
async def served(app: ASGIApp) -> AsyncIterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="auto"))
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(server.serve(sockets=[listening]))
            try:
                yield f"http://127.0.0.1:{listening.getsockname()[1]}"
            finally:
                server.should_exit = True


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chromium() -> AsyncIterator[Browser]:
    async with running_browser() as browser:
        yield browser


@dataclass(frozen=True)
class Appearance:
    """A screen width, a language and a colour scheme."""

    width: int
    language: str
    scheme: Literal["light", "dark"]


LOOKS = [Appearance(320, "en", "dark"), Appearance(390, "zh", "light")]
QUICK = [(Method.QQ, LOOKS[0])]


@pytest.mark.parametrize(
    ("method", "look"),
    [
        pytest.param(method, look, marks=() if (method, look) in QUICK else pytest.mark.slow("browser"))
        for method in Method
        for look in LOOKS
    ],
    ids=str,
)
async def test_every_stage_fits_the_phone_and_nothing_is_blocked(
    web_app: WebFixture, chromium: Browser, method: Method, look: Appearance
) -> None:
    web_app.now = datetime.now(UTC)
    scan_code = await web_app.begin(method)
    complaints: list[str] = []
    async with served(web_app.app) as base:
        context = await chromium.new_context(
            java_script_enabled=False,
            viewport={"width": look.width, "height": 844},
            user_agent=PHONES[RIGHT_APP[method]],
            color_scheme=look.scheme,
        )
        page = await context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        await page.goto(f"{base}/v/{scan_code.phone_url.rpartition('/')[2]}?lang={look.language}")
        for form in PATHS[method]:
            await follow(page, form)

            body = await page.locator("body").bounding_box()
            widest = await page.locator("main").evaluate("main => Math.ceil(main.scrollWidth - main.clientWidth)")
            assert body is not None
            assert body["width"] <= look.width
            assert widest <= 0
        await context.close()

    assert complaints == []
    assert web_app.store.committed.attempts[AttemptId("a0")].status is AttemptStatus.SUCCEEDED


async def test_the_page_works_inside_a_frame_of_the_same_machine(web_app: WebFixture, chromium: Browser) -> None:
    web_app.now = datetime.now(UTC)
    scan_code = await web_app.begin(Method.QQ)
    async with served(web_app.app) as base:
        framed = FRAME.format(address=f"{base}/v/{scan_code.phone_url.rpartition('/')[2]}")
        async with served(HTMLResponse(framed)) as outer:
            page = await chromium.new_page(user_agent=PHONES["qq"])
            await page.goto(outer.replace("127.0.0.1", "localhost"))
            frame = page.frame_locator("iframe")

            await frame.locator("button.go").click()
            await frame.get_by_text("认证成功").wait_for()
            await page.close()

    assert web_app.store.committed.attempts[AttemptId("a0")].status is AttemptStatus.SUCCEEDED


@pytest.mark.parametrize("look", [LOOKS[1], pytest.param(LOOKS[0], marks=pytest.mark.slow("browser"))], ids=str)
async def test_the_private_form_fits_the_phone_and_works_without_any_script(
    chromium: Browser, look: Appearance
) -> None:
    form = FakeForm(FormResult(FormStatus.WRONG, {"number": "号码里可能有一位打错了。" * 3}))
    async with served(WebFixture(more={"form": form}).app) as base:
        context = await chromium.new_context(
            java_script_enabled=False, viewport={"width": look.width, "height": 640}, color_scheme=look.scheme
        )
        page = await context.new_page()
        await page.goto(f"{base}/f/known?lang={look.language}")
        await send(page)
        widest = await page.locator("main").evaluate("main => Math.ceil(main.scrollWidth - main.clientWidth)")
        button = await page.locator("button.go").bounding_box()
        kept = await page.input_value("#name")
        await context.close()

    assert (form.taken, kept, widest) == ([FormAnswers("王小明", "11010519491231002X")], "王小明", 0)
    assert button is not None
    assert button["y"] + button["height"] <= 640


async def test_a_mini_app_tells_whose_it_is_and_closes_itself_once_the_form_is_taken(chromium: Browser) -> None:
    form, complaints = FakeForm(FormResult(FormStatus.WRONG, {"number": "?"})), list[str]()
    async with served(WebFixture(more={"form": form}).app) as base:
        page = await chromium.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        await page.add_init_script("window.TelegramWebviewProxy = { postEvent: (kind) => document.title = kind };")
        await page.goto(f"{base}/f/known#tgWebAppData=user%3D1%26hash%3D2&tgWebAppVersion=9.1")
        await send(page)
        form.result = FormResult(FormStatus.TAKEN)
        await page.locator("button.go").click()
        from playwright.async_api import expect

        await expect(page).to_have_title("web_app_close")
        await page.close()

    assert [answers.init_data for answers in form.taken] == ["user=1&hash=2"] * 2
    assert [text for text in complaints if "422" not in text] == []


async def send(page: Page) -> None:
    await page.fill("#name", "王小明")
    await page.fill("#number", "11010519491231002X")
    async with page.expect_navigation():
        await page.click("button.go")


async def follow(page: Page, form: dict[str, str]) -> None:
    if "choice" in form:
        await page.check(f"input[value={form['choice']}]")
    if "agree" in form:
        await page.check("input[name=agree]")
    if "press" in form:
        async with page.expect_navigation():
            await page.click(f"button[value={form['press']}]")
