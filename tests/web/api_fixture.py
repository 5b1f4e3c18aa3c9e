"""The API over a store of its own, and programs that call it."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from typing import Any

import httpx

from bot.images import qr
from storage import SqlStore
from tests.open_unit import open_unit
from tests.web.app_fixture import START, TTL, WebFixture
from verification.attempts import Method
from verification.callers.attempts import CallerAttempts
from verification.callers.keys import is_api_caller, read_callers
from verification.core import Core, CoreDeps
from verification.ids import Actor
from verification.ports import Provider
from verification.providers.simulated.provider import SimulatedProvider
from verification.support.service import SupportService
from verification.support.store import AuditEntry
from web.dependencies import ApiRoute, QrCodes

FIRST = "first-key-of-a-program-00000"
SECOND = "second-key-of-a-program-0000"
NAMED = "key-of-a-ticket-system-00000"
OTHER = "key-of-a-front-end-000000000"
SHOP = "key-of-a-shop-00000000000000"
KEYS = f"{FIRST},{SECOND},tickets:links:{NAMED},console:attempts+accounts:{OTHER},shop:{SHOP}"

Json = dict[str, Any]


def all_simulated() -> dict[Method, Provider]:
    return {method: SimulatedProvider(method) for method in Method}


@dataclass
class ApiFixture:
    """The web application with its API, and the core of it."""

    store: SqlStore
    providers: Mapping[Method, Provider] = field(default_factory=all_simulated)
    posts_results: bool = False
    monotonic_clock: Callable[[], float] | None = None

    def __post_init__(self) -> None:
        self.web = WebFixture(monotonic_clock=self.monotonic_clock)
        numbers = count()
        self.core = Core(
            self.store,
            self.providers,
            CoreDeps(
                clock=lambda: self.web.now,
                token=lambda: f"token-{next(numbers):022}",
                match_code=lambda: "47",
                phone_url=self.phone_url,
                hears_by_webhook=is_api_caller,
            ),
            ttl=TTL,
            posts_results=self.posts_results,
        )
        self.web.api = ApiRoute(
            callers=read_callers(KEYS),
            support=SupportService(self.store, lambda: self.web.now, timedelta(minutes=30)),
            attempts=CallerAttempts(
                self.store,
                self.core,
                lambda: self.web.now,
                lambda: str(next(numbers)),
                [method for method, provider in self.providers.items() if provider.simulated],
            ),
            link_url=lambda token: f"https://t.me/example_bot?start={token}",
            phone_url=self.phone_url,
            qr=QrCodes(svg=lambda link: f"<svg>{link}</svg>", png=str.encode, text=qr.terminal_text),
            new_id=lambda: str(next(numbers)),
        )
        self.web.__post_init__()

    @staticmethod
    def phone_url(token: str) -> str:
        return f"http://127.0.0.1/v/{token}"

    async def uses(self) -> list[tuple[str, str, str]]:
        """The audit log, newest first."""
        entry = AuditEntry(actor=Actor("test"), action="uses", subject="", at=START)
        async with self.store.support_unit(entry) as desk:
            found = await desk.audit_log(limit=20)
        return [(use.actor, use.action, use.subject) for use in found if use.actor != "test"]

    async def notices(self) -> int:
        """How many notices are stored, of any front end."""
        async with open_unit(self.store, "test") as unit:
            [(number,)] = await unit._connection.fetch("SELECT count(*) FROM notices")
        return int(number)


@asynccontextmanager
async def caller(
    web_app: WebFixture, key: str | None = FIRST, address: str = "127.0.0.1"
) -> AsyncIterator[httpx.AsyncClient]:
    headers = {} if key is None else {"Authorization": f"Bearer {key}"}
    transport = httpx.ASGITransport(web_app.app, client=(address, 50000))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", headers=headers) as client:
        yield client
