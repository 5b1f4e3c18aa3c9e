"""Writes results as an HTML file, or as a picture of it that Chromium takes."""

from __future__ import annotations

import importlib.util
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from chatscript.report.html import render_page
from chatscript.results import CaseResult

_WIDTH = 620
_CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
_QUIET = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking")
_NEEDS = "a .png needs {}; an .html needs nothing"


class BrowserMissing(Exception):
    """Chromium is missing or took no picture; the message is one line."""


def export_problem(path: Path) -> str | None:
    """Return why this file cannot be written, or None. It is called before any case runs."""
    if path.suffix not in (".html", ".png"):
        return f"expected a name that ends in .html or .png, not {path.name}"
    if path.suffix == ".png" and importlib.util.find_spec("playwright") is None:
        return _NEEDS.format("playwright (pip install playwright)")
    if path.suffix == ".png" and _find_chromium() is None:
        return _NEEDS.format(f"Chromium ({', '.join(_CHROMIUM)} in PATH)")
    return None


async def export(path: Path, results: Sequence[CaseResult]) -> None:
    """Write the file and its folder. Raises `OSError` or `BrowserMissing`."""
    if path.suffix == ".html":
        _write(path, results)
        return
    with tempfile.TemporaryDirectory(prefix="chat-") as folder:
        html = Path(folder) / "shown.html"
        _write(html, results)
        await _screenshot(html, path)


def _write(path: Path, results: Sequence[CaseResult]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(render_page(results), encoding="utf-8")


async def _screenshot(html: Path, png: Path) -> None:
    from playwright.async_api import Error, async_playwright

    try:
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=_find_chromium(), args=list(_QUIET))
            view = await browser.new_page(viewport={"width": _WIDTH, "height": 400}, color_scheme="light")
            await view.goto(html.as_uri())
            await view.screenshot(path=png, full_page=True)
            await browser.close()
    except Error as error:
        first = next(iter(error.message.splitlines()), type(error).__name__)
        raise BrowserMissing(f"Chromium made no picture: {first}") from None


def _find_chromium() -> str | None:
    return next(filter(None, map(shutil.which, _CHROMIUM)), None)
