"""Draws the pictures of the testers' documents: a script that fails, and a bot of another library in the browser.

`make pictures` runs it. It needs what `tests.pictures` needs.
"""

import asyncio
import io
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.async_api import Page, expect

from tests.pictures import ROOT, START_WITHIN, chat_page, printed_address, to_the_end

FOLDER = ROOT / "docs" / "pictures"
BOT = ROOT / "tests" / "chatscript" / "bots" / "foreign" / "ptb_bot.py"
BROKEN = """title: A script that fails

> /start
< {t:type.ask} [*]
> [{t:choice.personal}]
~ 🔐 请先同意隐私协议... [*]
"""


def draw_failure(folder: Path) -> None:
    """Play a script that fails, as a tester does who wants to see it."""
    (folder / "broken.chat").write_text(BROKEN, encoding="utf-8")
    command = [sys.executable, str(ROOT / "run_bot.py"), "play", "broken.chat", "--show", str(FOLDER / "failure.png")]
    if subprocess.run(command, cwd=folder, check=False, stdout=subprocess.DEVNULL).returncode != 1:
        raise SystemExit("the script should fail by one line")


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
            shot = await page.screenshot(animations="disabled", caret="hide")
        Image.open(io.BytesIO(shot)).convert("RGB").quantize(128).save(FOLDER / "any-bot.png", optimize=True)
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
    """Draw both."""
    with tempfile.TemporaryDirectory(prefix="pictures-") as folder:
        draw_failure(Path(folder))
        asyncio.run(draw_any_bot(Path(folder)))
    for name in ("failure.png", "any-bot.png"):
        sys.stdout.write(f"{name}: {(FOLDER / name).stat().st_size:,} bytes\n")


if __name__ == "__main__":
    main()
