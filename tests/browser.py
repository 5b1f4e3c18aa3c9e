"""A Chromium for tests. A module's tests share one, since its start takes longer than most of them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Browser, async_playwright

from tests.selection import CHROMIUM

_ARGUMENTS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking")


@asynccontextmanager
async def running_browser() -> AsyncIterator[Browser]:
    """Start Chromium, and leave none behind; each test opens a context of its own."""
    async with async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path=CHROMIUM, args=_ARGUMENTS)
        yield browser
        await browser.close()
