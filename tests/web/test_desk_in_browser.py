"""The desk in a real browser on a phone, without any script: a link from its form to its revocation, and the funnel."""

import pytest

from tests.browser import running_browser
from tests.web.desk_fixture import KEY, DeskFixture
from tests.web.test_in_browser import served
from verification.ids import Actor

pytestmark = [pytest.mark.browser, pytest.mark.slow("browser")]


async def test_support_creates_prints_finds_and_revokes_a_link_and_reads_the_funnel(desk: DeskFixture) -> None:
    await desk.journeys("spring", steps=7, times=2)
    await desk.journeys("spring", steps=4)
    complaints: list[str] = []
    async with served(desk.app) as base, running_browser() as chromium:
        context = await chromium.new_context(java_script_enabled=False, viewport={"width": 390, "height": 844})
        page = await context.new_page()
        page.on("console", lambda message: complaints.append(message.text))

        async def fits() -> None:
            assert await page.locator("html").evaluate("html => html.scrollWidth - html.clientWidth") <= 0

        await page.goto(f"{base}/desk/links")
        await page.get_by_label("你的称呼").fill("anna")
        await page.get_by_label("密钥").fill(KEY)
        await page.get_by_role("button", name="登录").click()
        await page.get_by_text("看到二维码，流失 33%").wait_for()
        await fits()

        await page.get_by_role("link", name="链接", exact=True).click()
        await page.get_by_role("link", name="新建链接").click()
        await page.locator("[name=account]").fill("100012345")
        await page.locator("[name=campaign]").fill("spring")
        await page.get_by_role("button", name="生成链接").click()
        url = await page.locator("input.url").input_value()
        await fits()

        await page.get_by_role("link", name="打印").click()
        await page.get_by_text("云账号实名认证").wait_for()
        await fits()
        paper = await page.pdf(prefer_css_page_size=True)
        await page.get_by_role("link", name="返回链接").click()

        await page.get_by_role("link", name="链接", exact=True).click()
        await page.get_by_role("cell", name="待打开").wait_for()
        await fits()
        await page.get_by_role("link", name="详情").click()
        await page.get_by_role("link", name="撤销链接").click()
        await page.get_by_role("button", name="撤销", exact=True).click()
        await page.get_by_text("已撤销，谁也打不开了。").wait_for()
        await fits()

        await page.get_by_role("button", name="退出").click()
        await page.get_by_role("button", name="登录").wait_for()

    [link] = await desk.support.links(Actor("test"))
    assert url == f"https://t.me/realname_bot?start={desk.support.link_token(link.id)}"
    assert (link.account, link.made_by) == ("100012345", "desk:anna")
    assert link.revoked_at is not None
    assert b"/Count 1" in paper
    assert complaints == []
