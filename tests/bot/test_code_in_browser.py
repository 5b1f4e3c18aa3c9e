"""The chat page with the bot in it: a person sees the code when it comes, and gets it back, on every size of screen."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from tests.bot.app_fixture import running_bot
from tests.browser import running_browser
from tests.simulator_fixture import ChatUser, go_to_method_choice, simulator

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page

pytestmark = [pytest.mark.browser, pytest.mark.slow("browser"), pytest.mark.asyncio(loop_scope="module")]

SIZES = [(1440, 900), (1366, 700), (360, 740)]

WHOLE_CODE_IS_SEEN = """() => {
    const pictures = document.querySelectorAll(".message.bot .photo img");
    const picture = pictures[pictures.length - 1]?.getBoundingClientRect();
    const chat = document.querySelector("#scroll").getBoundingClientRect();
    return picture && picture.height > 100 && picture.top >= chat.top && picture.bottom <= chat.bottom;
}"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with running_browser() as browser:
        yield browser


@pytest.mark.parametrize(("width", "height"), SIZES)
async def test_a_code_is_on_the_screen_whole_when_it_comes_and_when_it_is_asked_for(
    browser: Browser, tmp_path: Path, width: int, height: int
) -> None:
    async with simulator() as world, running_bot(world, tmp_path):
        guest = await world.new_user()
        context = await browser.new_context(viewport={"width": width, "height": height}, reduced_motion="reduce")
        page = await context.new_page()
        await page.goto(f"{world.url}")
        await go_to_method_choice(guest)
        await page.get_by_role("button", name="微信扫码").last.click()

        await shows_whole_code(page, guest)

        await guest.says("你好")
        await page.get_by_role("button", name="再显示一次二维码").click()
        await shows_whole_code(page, guest)
        await context.close()


async def shows_whole_code(page: Page, guest: ChatUser) -> None:
    await guest.sees("等待扫码")
    await page.wait_for_function(WHOLE_CODE_IS_SEEN)
