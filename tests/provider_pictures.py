"""Draws docs/pictures/provider-pages.*.png and network-identity.*.png: our pages as a phone shows them.

The first are those around a real provider's own, the others those of the simulated network identity. `make pictures`
runs it. The pages are those of the web application, in Chromium; the real provider is a stand-in.
"""

import asyncio
import io
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

from PIL import Image
from playwright.async_api import Page

from tests.browser import running_browser
from tests.provider_server import FakeProviderServer, nobody
from tests.web.app_fixture import PHONES, START, WebFixture
from verification import AttemptId, AttemptStatus, Identity, Method, Passed, Reason, Rejected, ScanCode
from verification.ports import Provider, ProviderSession
from verification.providers.http import HttpProvider
from verification.providers.simulated.provider import SimulatedProvider
from web.serving import listen, serving

FOLDER = Path(__file__).parents[1] / "docs" / "pictures"
LANGUAGES = ("zh", "en")
WIDTH, HEIGHT, GAP = 390, 800, 12  # pixels


class OpenProvider(HttpProvider):
    """A provider whose sessions are open already."""

    async def open(self, attempt: AttemptId, identity: Identity | None, return_url: str) -> ProviderSession:
        """Give an address that nobody opens."""
        del attempt, identity, return_url
        return ProviderSession("https://verify.example.org/start")


@asynccontextmanager
async def served() -> AsyncIterator[tuple[WebFixture, str]]:
    """Serve the web application; yields it and its address."""
    endpoint = FakeProviderServer(base="https://api.example.org").service(frozenset({"verify.example.org"}))
    lifetime = timedelta(minutes=30)
    face = OpenProvider(Method.FACE, endpoint, nobody, lambda: START, callback_url="", session_lifetime=lifetime)
    providers: dict[Method, Provider] = {Method.FACE: face, Method.NETID: SimulatedProvider(Method.NETID)}
    web_app, listener = WebFixture(providers=providers), listen("127.0.0.1", 0)
    async with serving(web_app.app, listener):
        yield web_app, f"http://127.0.0.1:{listener.getsockname()[1]}"


def path(code: ScanCode) -> str:
    """The path of an attempt's page."""
    return f"/v/{code.phone_url.rpartition('/')[2]}"


async def provider_pages(web_app: WebFixture) -> AsyncIterator[str]:
    """Lead attempts to each page around a provider's own; yields the path that shows it."""
    passing, failing = [await web_app.begin(Method.FACE, f"telegram:10001234{each}") for each in (5, 6)]
    yield path(passing)
    for each in (passing, failing):
        await web_app.core.progress(each.attempt, AttemptStatus.OPENED, None)
    yield f"{path(passing)}/back"
    await web_app.core.complete(passing.attempt, Passed())
    yield path(passing)
    await web_app.core.complete(failing.attempt, Rejected(Reason.FACE_UNCLEAR))
    yield path(failing)


async def network_identity_pages(web_app: WebFixture) -> AsyncIterator[str]:
    """Lead an attempt through the simulated network identity; yields the path that shows each page."""
    where = path(await web_app.begin(Method.NETID, identity=None))
    yield where
    async with web_app.phone("browser") as phone:
        for stage, press in (("check", "go_authorise"), ("authorise", "authorise")):
            await phone.post(where, data={"stage": stage, "press": press, "choice": "pass"})
            yield where


PICTURES = {"provider-pages": provider_pages, "network-identity": network_identity_pages}


async def shot(page: Page, address: str) -> Image.Image:
    """Take a picture of a page once it is still."""
    await page.goto(address)
    await page.evaluate("document.fonts.ready")
    return Image.open(io.BytesIO(await page.screenshot(animations="disabled"))).convert("RGB")


async def draw(page: Page, name: str, language: str) -> None:
    """Draw the pages of one picture beside each other."""
    async with served() as (web_app, base):
        shots = [await shot(page, f"{base}{where}?lang={language}") async for where in PICTURES[name](web_app)]
    picture = Image.new("RGB", (len(shots) * (WIDTH + GAP) - GAP, HEIGHT), "#888")
    for position, each in enumerate(shots):
        picture.paste(each, (position * (WIDTH + GAP), 0))
    file = FOLDER / f"{name}.{language}.png"
    picture.quantize(64).save(file, optimize=True)
    sys.stdout.write(f"{file.name}: {file.stat().st_size:,} bytes\n")


async def main() -> None:
    """Draw each picture in each language."""
    async with running_browser() as chromium:
        page = await chromium.new_page(
            user_agent=PHONES["wechat"], viewport={"width": WIDTH, "height": HEIGHT}, reduced_motion="reduce"
        )
        for name in PICTURES:
            for language in LANGUAGES:
                await draw(page, name, language)


if __name__ == "__main__":
    asyncio.run(main())
