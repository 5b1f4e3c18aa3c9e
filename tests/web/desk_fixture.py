"""The desk for tests: the real pages and support service over a real store, and browsers that open them."""

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from pathlib import Path

import httpx
from msgspec.structs import replace
from prometheus_client import CollectorRegistry
from starlette.applications import Starlette

from bot.images import qr
from storage import SqlStore, open_store
from tests.fakes import FakeClock, make_attempt, make_deps, make_identity, make_sealing
from tests.open_unit import open_unit
from tests.sqlite_file import sqlite_url
from tests.web.app_fixture import filled_page_texts, page_texts
from verification import Core, Method, Reason
from verification.attempts import AttemptId
from verification.ids import Actor
from verification.invitations import Link
from verification.providers.simulated.provider import SimulatedProvider
from verification.support.funnel import STEPS, Cohort, FunnelIncrement, beijing_day
from verification.support.service import LinkRequest, SupportService
from verification.support.store import AuditEntry, Dispute, UnansweredQuestion
from web.app import WebDeps, web_app
from web.dependencies import DeskRoute, QrCodes

KEY = "key-of-the-desk-0123456789"
BASE = "http://127.0.0.1"
TOPICS = {"zh": {"icp": "备案主体名称"}, "en": {"icp": "Filing and names"}}
URL = re.compile(r'value="(https://t\.me/[^"?]+\?start=[^"]+)"')
_PROOF = re.compile(r'name="proof" value="([^"]+)"')
_FRESH = re.compile(r'name="fresh" value="([^"]+)"')


@dataclass
class DeskFixture:
    """What a test of the desk needs; with `key` None the program has no desk."""

    store: SqlStore
    key: str | None = KEY
    public: str = BASE
    clock: FakeClock = field(default_factory=FakeClock)
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    seconds: float = 0.0

    def __post_init__(self) -> None:
        self.support = SupportService(self.store, self.clock, timedelta(minutes=30))
        self.app: Starlette = web_app(self._deps())

    def _deps(self) -> WebDeps:
        providers = {method: SimulatedProvider(method) for method in Method}
        numbers = count(1)
        desk = (
            None
            if self.key is None
            else DeskRoute(
                key=self.key,
                support=self.support,
                sign_outs=self.store,
                keyed_digest=self.store.keyed_digest,
                link_url=lambda token: f"https://t.me/realname_bot?start={token}",
                qr=QrCodes(qr.page_svg, qr.print_png, qr.terminal_text),
                topics=TOPICS,
                new_id=lambda: f"fresh-{next(numbers)}",
                secure=self.public.startswith("https:"),
            )
        )
        return WebDeps(
            core=Core(self.store, providers, make_deps(self.clock), ttl=timedelta(minutes=10)),
            providers=providers,
            pages={},
            pollable={},
            texts={language: filled_page_texts(language) | page_texts(language, "desk") for language in ("zh", "en")},
            ready=_ready,
            registry=self.registry,
            clock=self.clock,
            public_url="https://verify.example",
            monotonic_clock=lambda: self.seconds,
            desk=desk,
        )

    def visitor(self, address: str = "203.0.113.7", *, base: str = BASE) -> "DeskBrowser":
        """A browser that is not signed in."""
        transport = httpx.ASGITransport(self.app, client=(address, 50000))
        return DeskBrowser(transport=transport, base_url=base, follow_redirects=True)

    @asynccontextmanager
    async def signed_in(self, name: str = "anna", language: str = "zh") -> AsyncIterator["DeskBrowser"]:
        """A browser that is signed in."""
        async with self.visitor() as visitor:
            answer = await visitor.sign_in(name)
            assert answer.status_code == 200, answer.text
            if language != "zh":
                await visitor.get(f"/desk?lang={language}")
            yield visitor

    async def link(self, account: str = "100012345", **more: object) -> Link:
        """A link that another actor made."""
        request = LinkRequest(account=account, idempotency_key=f"{account}{more}", **more)  # type: ignore[arg-type]
        return (await self.support.create_link(Actor("telegram:100054321"), request)).link

    async def attempt(self, digits: str = "0a1b2c3d4e5f", account: str = "100012345", **changes: object) -> None:
        """An attempt of an account, with a name and a number while they are stored."""
        attempt = make_attempt(f"attempt-{digits}", account, contact="telegram:100054321", identity=make_identity())
        async with open_unit(self.store, "begin") as unit:
            await unit.save_attempt(replace(attempt, **changes))

    async def verify(self, account: str) -> None:
        """Verify an account."""
        async with open_unit(self.store, "verdict") as unit:
            await unit.take_slot(make_attempt("verdict", account), make_identity(), self.clock())

    async def journeys(self, campaign: str = "", language: str = "zh", *, steps: int, times: int = 1) -> None:
        """Count `times` journeys of this many steps today; from the QR code on by WeChat."""
        cohort = Cohort(day=beijing_day(self.clock()), campaign=campaign, language=language)
        reached = STEPS[:steps]
        increments = [
            FunnelIncrement(cohort, step, bucket=index * 5 if index else None) for index, step in enumerate(reached)
        ]
        increments += [FunnelIncrement(cohort, step, Method.WECHAT, bucket=12) for step in reached[4:]]
        for _ in range(times):
            async with open_unit(self.store, "turn") as unit:
                await unit.add_to_funnel(increments)

    async def questions(self, topic: str, times: int = 1, text: str = "") -> None:
        """Count questions; an unanswered one has a text and no topic."""
        async with open_unit(self.store, "turn") as unit:
            for _ in range(times):
                await unit.count_question(topic, beijing_day(self.clock()))
            if text:
                await unit.add_unanswered(UnansweredQuestion(id=text, text=text, at=self.clock()))

    async def dispute(self, attempt: str, method: Method | None) -> None:
        """Store a dispute about an attempt, or about the quota."""
        reason = Reason.QUOTA if method is None else Reason.MISMATCH
        async with open_unit(self.store, "turn") as unit:
            await unit.add_dispute(
                Dispute(attempt=AttemptId(f"attempt-{attempt}"), reason=reason, method=method, at=self.clock())
            )

    async def audit_log(self) -> list[AuditEntry]:
        """The audit entries so far, newest first."""
        return list(await self.support.audit_log(Actor("test"), limit=500))[1:]


class DeskBrowser(httpx.AsyncClient):
    """A browser: it keeps cookies, and sends the hidden fields of forms."""

    async def sign_in(self, name: str = "anna", key: str = KEY, **more: str) -> httpx.Response:
        """Fill in the sign-in form."""
        return await self.post("/desk/sign-in", data={"name": name, "key": key}, headers=more)

    async def fill(
        self, page: str, to: str | None = None, headers: Mapping[str, str] | None = None, **fields: str
    ) -> httpx.Response:
        """Fill in the form of a page and send it."""
        html = (await self.get(page)).text
        fields_held = {"proof": _PROOF.findall(html)[0]}
        fields_held |= {"fresh": found[1]} if (found := _FRESH.search(html)) else {}
        return await self.post(to or page, data=fields_held | fields, headers=headers)

    async def proof(self) -> str:
        """The proof in the forms of this session."""
        return str(_PROOF.findall((await self.get("/desk/links")).text)[0])


@asynccontextmanager
async def desk_fixture(folder: Path, *, key: str | None = KEY, public: str = BASE) -> AsyncIterator[DeskFixture]:
    """A desk over its own store."""
    async with open_store(sqlite_url(folder), sealing=make_sealing()) as store:
        yield DeskFixture(store, key, public)


async def _ready() -> Mapping[str, str]:
    return {"store": ""}
