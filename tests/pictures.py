"""Draws docs/pictures/walk.webp: one conversation in the real chat page and on the simulated phone.

`make pictures` runs it. It starts the playground by its command with an empty data folder, drives the page in Chromium,
and takes a picture of each step. It needs Debian's `chromium`, `fonts-noto-cjk` and `fonts-noto-color-emoji`.
"""

import asyncio
import io
import os
import re
import shutil
import sys
import tempfile
import tomllib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image
from playwright.async_api import Page, async_playwright, expect

ROOT = Path(__file__).parents[1]
PICTURE = ROOT / "docs" / "pictures" / "walk.webp"
NAME, NUMBER = "王小明", "11010519491231002X"
VIEW_WIDTH, VIEW_HEIGHT = 1020, 790  # CSS pixels, and pixels of the picture; below 1080 the list of people is hidden
START_WITHIN = 60.0  # seconds
MAX_BYTES = 1_500_000
PAINTED = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
ADDRESS = re.compile(rb"(?i)\bchat\b.*?(http://\S+)")
ARGUMENTS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--lang=zh-CN"]
"""Chromium refuses to run as root with its sandbox, and containers run as root."""


@dataclass(slots=True)
class Frames:
    """The pictures of the walk, each with the time it stays, in milliseconds."""

    page: Page
    images: list[Image.Image] = field(default_factory=list)
    durations: list[int] = field(default_factory=list)

    async def take(self, seconds: float = 1.4) -> None:
        """Take a picture of the page once it is still."""
        await self.page.evaluate("document.fonts.ready")
        shot = await self.page.screenshot(animations="disabled", caret="hide")
        self.images.append(Image.open(io.BytesIO(shot)).convert("RGB"))
        self.durations.append(round(seconds * 1000))

    def save(self, file: Path) -> None:
        """Write the pictures as one animation that repeats."""
        first, *rest = self.images
        first.save(
            file,
            save_all=True,
            append_images=rest,
            duration=self.durations,
            loop=0,
            quality=80,
            method=6,
            minimize_size=True,
        )


@dataclass(frozen=True, slots=True)
class Texts:
    """Texts of the bot and of the phone pages, by key."""

    chat: dict[str, dict[str, str]]
    pages: dict[str, dict[str, dict[str, str]]]

    @classmethod
    def load(cls) -> "Texts":
        """Read the Chinese texts."""
        folder = ROOT / "bot" / "texts"
        chat, pages = (tomllib.loads((folder / file).read_text("utf-8")) for file in ("zh.toml", "pages.zh.toml"))
        return cls(chat, pages)

    def choice(self, key: str) -> str:
        """Return the label of a button in the chat."""
        return self.chat["choice"][key]

    def press(self, key: str) -> str:
        """Return the label of a button on the phone."""
        return self.pages["page"]["press"][key]


async def main() -> None:
    """Walk, draw, save."""
    async with playground() as address, chat_page(address) as page:
        frames = Frames(page)
        await walk(page, frames, Texts.load())
    frames.save(PICTURE)
    size = PICTURE.stat().st_size
    sys.stdout.write(f"{PICTURE.relative_to(ROOT)}: {len(frames.images)} frames, {size:,} bytes\n")
    if size > MAX_BYTES:
        raise SystemExit(f"the picture is larger than {MAX_BYTES:,} bytes")


@asynccontextmanager
async def playground() -> AsyncIterator[str]:
    """Run the playground as `make run` does, with nothing stored; yields the address of the chat page."""
    with tempfile.TemporaryDirectory(prefix="pictures-") as folder:
        own = ("BOT_TOKEN", "DATABASE_URL", "STAFF_IDS")
        env = {name: value for name, value in os.environ.items() if name not in own}
        env |= {"DATA_DIR": folder, "PORT": "0", "LOG_LEVEL": "ERROR"}
        process = await asyncio.create_subprocess_exec(
            sys.executable, str(ROOT / "run_bot.py"), env=env, cwd=folder, stdout=asyncio.subprocess.PIPE
        )
        try:
            async with asyncio.timeout(START_WITHIN):
                yield await printed_address(process)
        finally:
            process.terminate()
            await process.wait()


async def printed_address(process: asyncio.subprocess.Process) -> str:
    """Wait for the line with the address."""
    assert process.stdout is not None
    async for line in process.stdout:
        if found := ADDRESS.search(line):
            return found[1].decode()
    raise SystemExit("the playground ended before it printed its address")


@asynccontextmanager
async def chat_page(address: str) -> AsyncIterator[Page]:
    """Open the chat page in Chromium."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        raise SystemExit("Chromium is missing: apt-get install chromium fonts-noto-cjk fonts-noto-color-emoji")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        page = await browser.new_page(
            viewport={"width": VIEW_WIDTH, "height": VIEW_HEIGHT}, locale="zh-CN", reduced_motion="reduce"
        )
        page.set_default_timeout(15_000)
        await page.goto(address)
        yield page
        await browser.close()


async def walk(page: Page, frames: Frames, texts: Texts) -> None:
    """Verify an account by WeChat, from the first word to the result."""
    await expect(page.locator("#bot-name")).not_to_be_empty()
    await frames.take(1.4)
    await page.locator("#composer").get_by_role("button").click()
    await expect(page.get_by_role("button", name=texts.choice("personal"), exact=True)).to_be_visible()
    await frames.take(2)
    await fill_in(page, frames, texts)
    await scan(page, frames, texts)


async def fill_in(page: Page, frames: Frames, texts: Texts) -> None:
    """Agree, give name and number, choose the method."""
    bot = page.locator(".message.bot")
    await press(page, texts.choice("personal"))
    await expect(page.get_by_role("button", name=texts.choice("agree"), exact=True)).to_be_visible()
    await frames.take(2)
    await press(page, texts.choice("agree"))
    await expect(bot.last).to_contain_text(NAME)
    await say(page, frames, NAME)
    await expect(bot.last).to_contain_text("18")
    await say(page, frames, NUMBER)
    await expect(page.get_by_role("button", name=texts.choice("wechat"), exact=True)).to_be_visible()
    await frames.take(1.8)
    await press(page, texts.choice("wechat"))


async def scan(page: Page, frames: Frames, texts: Texts) -> None:
    """Scan the code and go through the pages on the phone."""
    code = page.locator(".message.bot").last
    await expect(code.locator("img")).to_be_visible()
    await code.scroll_into_view_if_needed()
    await frames.take(2)
    waiting = await code.inner_text()
    await code.locator("img").click()
    await frames.take(1.2)
    await page.locator(".app-tile.wechat").click()
    await expect(code).not_to_have_text(waiting)
    await phone_step(page, frames, texts.press("go_authorise"))
    await phone_step(page, frames, texts.press("authorise"))
    await expect(page.locator(".message.bot").last).to_contain_text("🎉")
    await expect(page.locator(".message.bot").nth(-2)).to_contain_text("✅")  # the code has become a card
    await loaded(page)
    await to_the_end(page)
    await frames.take(3)


async def phone_step(page: Page, frames: Frames, label: str) -> None:
    """Show a page of the phone, then press its button."""
    button = page.frame_locator("#screen iframe").get_by_role("button", name=label, exact=True)
    await expect(button).to_be_visible()
    await loaded(page)
    await frames.take(2)
    await button.click()


async def loaded(page: Page) -> None:
    """Wait until the phone shows the whole page."""
    await expect(page.locator("#screen .progress")).not_to_have_class(re.compile("running"))
    await page.frame_locator("#screen iframe").locator("body").evaluate(PAINTED)


async def to_the_end(page: Page) -> None:
    """Scroll the chat to its newest message."""
    await page.locator("#scroll").evaluate("(chat) => { chat.scrollTop = chat.scrollHeight; }")


async def press(page: Page, label: str) -> None:
    """Press a button in the chat."""
    await page.get_by_role("button", name=label, exact=True).last.click()


async def say(page: Page, frames: Frames, text: str) -> None:
    """Type a text, show it, and send it."""
    field = page.locator("#composer textarea")
    await field.fill(text)
    await frames.take(1)
    await field.press("Enter")


if __name__ == "__main__":
    asyncio.run(main())
