"""deploy/Caddyfile, served by Caddy itself where it is installed: what comes through, is hidden, and is logged."""

import asyncio
import os
import re
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from tests.crash.process import free_port
from tests.simulator_fixture import PATIENCE

CADDYFILE = Path(__file__).parents[1] / "deploy" / "Caddyfile"
CADDY = shutil.which("caddy")
FOR_A_TEST = {
    # Several of them run on one machine, which must not come to trust their certificates.
    "{\n\tlog": "{{\n\tadmin off\n\tskip_install_trust\n\thttp_port {http_port}\n\tlog",
    "health_interval 5s": "health_interval 50ms",
    "lb_try_duration 5s": "lb_try_duration 200ms",
    "bot1:8080 bot2:8080": "{programs}",
}
pytestmark = [pytest.mark.skipif(CADDY is None, reason="Caddy is not installed"), pytest.mark.slow("installation")]


@dataclass
class Program:
    """A program behind the proxy: it answers `/readyz` as it is told, and notes everything else."""

    is_ready: bool
    port: int = 0
    heard: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)

    async def answer(self, request: web.BaseRequest) -> web.Response:
        if request.path == "/readyz":
            return web.Response(status=200 if self.is_ready else 503)
        self.heard.append((request.path_qs, request.headers))
        return web.Response(text="from the program")


@dataclass
class Proxy:
    """The proxy, by https with a certificate of its own."""

    url: str
    log: Path
    session: aiohttp.ClientSession

    async def status(self, path: str, headers: Mapping[str, str] | None = None) -> int:
        async with self.session.get(f"{self.url}{path}", headers=headers) as answer:
            return answer.status

    async def answers(self, path: str, status: int) -> None:
        """Wait until it answers so."""
        async with asyncio.timeout(PATIENCE):
            while True:
                try:
                    if await self.status(path) == status:
                        return
                except aiohttp.ClientConnectorError:
                    pass
                await asyncio.sleep(0.02)


@asynccontextmanager
async def proxy(folder: Path, *programs: Program) -> AsyncIterator[Proxy]:
    async with AsyncExitStack() as stack:
        for program in programs:
            runner = web.ServerRunner(web.Server(program.answer), shutdown_timeout=0)
            stack.push_async_callback(runner.cleanup)
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            program.port = runner.addresses[0][1]
        session = await stack.enter_async_context(aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=False)))
        found = Proxy(f"https://localhost:{free_port()}", folder / "log", session)
        await stack.enter_async_context(caddy(folder, found, programs))
        await found.answers("/healthz", 404)
        yield found


@asynccontextmanager
async def caddy(folder: Path, found: Proxy, programs: tuple[Program, ...]) -> AsyncIterator[None]:
    values = {"programs": " ".join(f"127.0.0.1:{each.port}" for each in programs), "http_port": free_port()}
    text = CADDYFILE.read_text(encoding="utf-8")
    for written, changed in FOR_A_TEST.items():
        assert text.count(written) == 1
        text = text.replace(written, changed.format(**values))
    (folder / "Caddyfile").write_text(text, encoding="utf-8")
    env = {"PATH": os.environ["PATH"], "HOME": str(folder), "DOMAIN": found.url.removeprefix("https://")}
    arguments = ("run", "--adapter", "caddyfile", "--config", str(folder / "Caddyfile"))
    with found.log.open("wb") as log:
        process = await asyncio.create_subprocess_exec(str(CADDY), *arguments, env=env, stderr=log)
    try:
        yield
    finally:
        process.kill()
        await process.wait()


async def test_a_program_that_is_not_ready_gets_nothing_until_it_is(tmp_path: Path) -> None:
    ready, other = Program(is_ready=True), Program(is_ready=False)
    async with proxy(tmp_path, ready, other) as front:
        async with asyncio.timeout(PATIENCE):
            # It takes both for ready until it has asked them.
            while other.heard or not ready.heard:
                other.heard.clear()
                assert {await front.status("/v/one") for _ in range(10)} == {200}

        ready.is_ready = False
        await front.answers("/v/two", 503)
        other.is_ready = True
        await front.answers("/v/three", 200)

    assert other.heard[-1][0] == "/v/three"


async def test_what_is_for_operators_is_hidden_and_what_a_phone_says_of_its_address_is_not_passed_on(
    tmp_path: Path,
) -> None:
    program = Program(is_ready=True)
    async with proxy(tmp_path, program) as front:
        await front.answers("/v/one", 200)
        hidden = ("/metrics", "/METRICS", "/%6detrics", "//metrics", "/readyz", "/readyz?x=1", "/healthz")
        assert {path: await front.status(path) for path in hidden} == dict.fromkeys(hidden, 404)
        await front.status("/v/two", {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "gopher"})

    path, headers = program.heard[-1]
    assert (path, headers["X-Forwarded-For"], headers["X-Forwarded-Proto"]) == ("/v/two", "127.0.0.1", "https")


async def test_its_log_names_no_address_and_no_header(tmp_path: Path) -> None:
    secrets = {"X-Telegram-Bot-Api-Secret-Token": "a-secret-of-telegram"}
    async with proxy(tmp_path, Program(is_ready=False)) as front:
        await front.answers("/f/a-secret-address?of=the-form", 503)
        assert await front.status("/telegram/deeper", secrets) == 503
        async with asyncio.timeout(PATIENCE):
            while '"uri":"/telegram' not in (log := front.log.read_text(encoding="utf-8")):  # noqa: ASYNC110 - a file cannot notify
                await asyncio.sleep(0.02)

    assert '"uri":"/f"' in log
    assert not re.search("a-secret|the-form|deeper", log)
