"""Draws the pictures of the testers' documents: scripts in the chat page, and a bot of another library in it.

`make pictures` runs it. It needs what `tests.pictures` needs.
"""

import asyncio
import io
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.async_api import Page, expect

from tests.pictures import (
    NAME,
    NUMBER,
    ROOT,
    START_WITHIN,
    Texts,
    chat_page,
    playground,
    press,
    printed_address,
    to_the_end,
)

FOLDER = ROOT / "docs" / "pictures"
BOT = ROOT / "tests" / "chatscript" / "bots" / "foreign" / "ptb_bot.py"
BROKEN = """title: A script that fails

> /start
< {t:type.ask} [*]
> [{t:choice.personal}]
~ 🔐 请先同意隐私协议... [*]
"""
TO_CODE = f"""title: As far as the code

> /start
< {{t:type.ask}} [*]
> [{{t:choice.personal}}]
~ {{t:consent.ask}} [*]
> [{{t:choice.agree}}]
...
> {NAME}
...
> {NUMBER}
...
> [{{t:choice.wechat}}]
~ (photo) {{t:scan.waiting}} [*]
"""


def draw_script(folder: Path, script: str, picture: str, status: int) -> None:
    """Play a script, as a tester does who wants to see it; it must end with this status."""
    (folder / "script.chat").write_text(script, encoding="utf-8")
    command = [sys.executable, str(ROOT / "run_bot.py"), "play", "script.chat", "--show", str(FOLDER / picture)]
    played = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True)
    if played.returncode != status:
        raise SystemExit(f"{picture}: the script ended with {played.returncode}, not {status}:\n{played.stdout}")


async def draw_recorded() -> None:
    """Record a conversation with the button above the chat."""
    texts = Texts.load()
    async with playground() as address, chat_page(address) as page:
        await page.set_viewport_size({"width": 1180, "height": 760})
        await page.locator("#record").click()
        await page.locator("#composer").get_by_role("button").click()
        for key in ("personal", "agree"):
            await press(page, texts.choice(key))
        await expect(page.locator(".message.bot").last).to_contain_text(NAME)
        await page.locator("#composer textarea").fill(NAME)
        await page.locator("#composer textarea").press("Enter")
        await expect(page.locator(".message.bot").last).to_contain_text("18")
        await page.locator("#record").click()
        await expect(page.locator("textarea.script")).to_have_value(re.compile(f"x > {NAME}"))
        await save_screenshot(page, "record.png")


async def save_screenshot(page: Page, picture: str) -> None:
    """Save what the page shows with few colours."""
    shot = await page.screenshot(animations="disabled", caret="hide")
    Image.open(io.BytesIO(shot)).convert("RGB").quantize(128).save(FOLDER / picture, optimize=True)


async def draw_any_bot(folder: Path) -> None:
    """Serve a bot of python-telegram-bot, and talk with it in the browser."""
    words = ["serve", "--bot", f"{sys.executable} {BOT}", "--port", "0"]
    env = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "chatscript.command_line", *words), env=env, cwd=folder, stdout=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(START_WITHIN):
            address = await printed_address(process)
        async with chat_page(address) as page:
            await page.set_viewport_size({"width": 1020, "height": 520})
            await talk(page)
            await save_screenshot(page, "any-bot.png")
    finally:
        process.terminate()
        await process.wait()


async def talk(page: Page) -> None:
    """Answer what the bot asks, as far as its question with buttons."""
    await page.locator("#composer").get_by_role("button").click()
    await expect(page.locator(".message.bot").last).to_contain_text("What is your name?")
    await page.locator("#composer textarea").fill("Ann")
    await page.locator("#composer textarea").press("Enter")
    await expect(page.locator(".message.bot").last).to_contain_text("Hello Ann")
    await to_the_end(page)


def main() -> None:
    """Draw all of them."""
    with tempfile.TemporaryDirectory(prefix="pictures-") as folder:
        draw_script(Path(folder), BROKEN, "failure.png", status=1)
        draw_script(Path(folder), TO_CODE, "conversation.png", status=0)
        asyncio.run(draw_any_bot(Path(folder)))
        asyncio.run(draw_recorded())
    for name in ("failure.png", "conversation.png", "any-bot.png", "record.png"):
        sys.stdout.write(f"{name}: {(FOLDER / name).stat().st_size:,} bytes\n")


if __name__ == "__main__":
    main()
