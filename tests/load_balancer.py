"""A plain round-robin before several programs: each request goes to the next one that takes it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
from aiohttp import web
from yarl import URL

_HOP_BY_HOP = {"connection", "transfer-encoding", "content-length", "content-encoding", "keep-alive"}


@dataclass
class LoadBalancer:
    """The addresses behind, and whose turn it is."""

    behind: list[str]
    url: str = ""
    session: aiohttp.ClientSession = field(init=False, repr=False)
    turn: int = 0

    async def pass_on(self, request: web.BaseRequest) -> web.StreamResponse:
        """Hand a request on; who is dead is left out, and an answer that breaks off is not asked for again."""
        body = await request.read()
        for _ in self.behind:
            self.turn += 1
            target = URL(self.behind[self.turn % len(self.behind)]).join(URL(request.path_qs, encoded=True))
            try:
                async with self.session.request(
                    request.method, target, headers=request.headers, data=body, allow_redirects=False
                ) as answer:
                    headers = [
                        (name, value) for name, value in answer.headers.items() if name.lower() not in _HOP_BY_HOP
                    ]
                    return web.Response(status=answer.status, body=await answer.read(), headers=dict(headers))
            except aiohttp.ClientConnectorError:
                continue
            except (aiohttp.ClientError, ConnectionError):
                break
        return web.Response(status=502)


@asynccontextmanager
async def load_balancer(*behind: str) -> AsyncIterator[LoadBalancer]:
    """Serve until left; give its own address as `url`."""
    balancer = LoadBalancer(list(behind))
    runner = web.ServerRunner(web.Server(balancer.pass_on), shutdown_timeout=0)
    async with aiohttp.ClientSession() as balancer.session:
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        balancer.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield balancer
        finally:
            await runner.cleanup()
