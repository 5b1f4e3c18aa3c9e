"""A server that results are told to: it keeps what came, and answers as it is told."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.provider_server import OTHER_SECRET
from web.serving import listen, serving

SECRET = OTHER_SECRET
PATIENCE = 20.0
PAGE = Path(__file__).parents[1] / "docs" / "integrators" / "results.md"

Json = dict[str, Any]


def as_the_page_says() -> Callable[[dict[str, str], bytes, str], bool]:
    """The check of docs/integrators/results.md, which knows nothing of our own code."""
    example = PAGE.read_text("utf-8").partition("```python\n")[2].partition("```")[0]
    known: Json = {}
    exec(example, known)  # noqa: S102 - our own page, as its readers would run it
    check: Callable[[dict[str, str], bytes, str], bool] = known["is_authentic"]
    return check


@dataclass(frozen=True, slots=True)
class ReceivedMessage:
    """What came, as it came."""

    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        """By which a repetition is known."""
        return self.headers["webhook-id"]


@dataclass
class ResultReceiver:
    """The other side. `answers` are given to the next messages, one each; `before` happens ahead of answering."""

    url: str = ""
    heard: list[ReceivedMessage] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    before: Callable[[], Awaitable[object]] | None = None
    _bell: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def wait_for(self, number: int) -> list[ReceivedMessage]:
        """Wait until so many messages came."""
        async with asyncio.timeout(PATIENCE), self._bell:
            await self._bell.wait_for(lambda: len(self.heard) >= number)
        return self.heard

    async def take(self, request: Request) -> Response:
        """Hear a message, and answer it."""
        message = ReceivedMessage(dict(request.headers), await request.body())
        async with self._bell:
            self.heard.append(message)
            self._bell.notify_all()
        if self.before is not None:
            await self.before()
        status = self.answers.pop(0) if self.answers else 204
        return Response(status_code=status, headers={"location": f"{self.url}/elsewhere"})

    async def elsewhere(self, request: Request) -> Response:
        """Be where no redirect may lead."""
        raise AssertionError("nobody may come here")


@asynccontextmanager
async def result_receiver() -> AsyncIterator[ResultReceiver]:
    """Serve one until left."""
    made = ResultReceiver()
    listener = listen("127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{listener.getsockname()[1]}/results"
    routes = [Route("/results", made.take, methods=["POST"]), Route("/results/elsewhere", made.elsewhere)]
    async with serving(Starlette(routes=routes), listener):
        yield made
