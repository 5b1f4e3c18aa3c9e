"""A Chromium for tests. A module's tests share one, since its start takes longer than most of them.

Playwright takes a quarter of a second to be imported: only the worker that starts a browser imports it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from tests.selection import CHROMIUM

if TYPE_CHECKING:
    from playwright.async_api import Browser, Locator
    from playwright.async_api._generated import LocatorAssertions

_ARGUMENTS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking")


@asynccontextmanager
async def running_browser() -> AsyncIterator[Browser]:
    """Start Chromium, and leave none behind; each test opens a context of its own."""
    from playwright.async_api import async_playwright

    async with async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path=CHROMIUM, args=_ARGUMENTS)
        yield browser
        await browser.close()


def expect(found: Locator) -> LocatorAssertions:
    """Playwright's, which waits until what is claimed is true."""
    from playwright.async_api import expect

    return expect(found)
