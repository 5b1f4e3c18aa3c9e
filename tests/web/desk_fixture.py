"""The desk put together for tests: the real pages and support over a real store, and people who come to it."""

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import count
from pathlib import Path

import httpx
from prometheus_client import CollectorRegistry
from starlette.applications import Starlette

from bot.images import qr
from storage import Store, open_store
from tests.fakes import Clock, an_attempt, fixed_sealing, identity, outside
from tests.web.app_fixture import words
from verification import Core, Method
from verification.invitations import Link
from verification.providers.simulated import Simulated
from verification.support.funnel import STEPS, Cohort, Tally, day_of
from verification.support.service import Order, Support
from verification.support.store import Missed, Use
from web.app import Parts, web_app
from web.dependencies import DeskRoute, QrCodes

KEY = "key-of-the-desk-0123456789"
BASE = "http://127.0.0.1"
TOPICS = {"zh": {"icp": "备案主体名称"}, "en": {"icp": "Filing and names"}}
URL = re.compile(r'value="(https://t\.me/[^"?]+\?start=[^"]+)"')
_PROOF = re.compile(r'name="proof" value="([^"]+)"')
_FRESH = re.compile(r'name="fresh" value="([^"]+)"')


@dataclass
class DeskHouse:
    """Everything a test of the desk needs; `key` None is a program without a desk."""

    store: Store
    key: str | None = KEY
    public: str = BASE
    clock: Clock = field(default_factory=Clock)
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    seconds: float = 0.0

    def __post_init__(self) -> None:
        self.support = Support(self.store, self.clock, timedelta(minutes=30))
        self.app: Starlette = web_app(self._parts())

    def _parts(self) -> Parts:
        providers = {method: Simulated(method) for method in Method}
        numbers = count(1)
        desk = (
            None
            if self.key is None
            else DeskRoute(
                key=self.key,
                support=self.support,
                keyed=self.store.keyed,
                link_url=lambda token: f"https://t.me/realname_bot?start={token}",
                qr=QrCodes(qr.page_svg, qr.print_png),
                topics=TOPICS,
                fresh=lambda: f"fresh-{next(numbers)}",
                secure=self.public.startswith("https:"),
            )
        )
        return Parts(
            core=Core(self.store, providers, outside(self.clock), ttl=timedelta(minutes=10)),
            providers=providers,
            words={language: words(language) | words(language, "desk") for language in ("zh", "en")},
            ready=_ready,
            registry=self.registry,
            clock=self.clock,
            seconds=lambda: self.seconds,
            desk=desk,
        )

    def visitor(self, address: str = "203.0.113.7", *, base: str = BASE) -> "Visitor":
        """A browser that nobody has signed in with."""
        transport = httpx.ASGITransport(self.app, client=(address, 50000))
        return Visitor(transport=transport, base_url=base, follow_redirects=True)

    @asynccontextmanager
    async def somebody(self, name: str = "anna", language: str = "zh") -> AsyncIterator["Visitor"]:
        """A browser that somebody has signed in with."""
        async with self.visitor() as visitor:
            answer = await visitor.enter(name)
            assert answer.status_code == 200, answer.text
            if language != "zh":
                await visitor.get(f"/desk?lang={language}")
            yield visitor

    async def link(self, account: str = "100012345", **more: object) -> Link:
        """A link that somebody else made."""
        order = Order(account=account, request=f"{account}{more}", **more)  # type: ignore[arg-type]
        return (await self.support.make_link("telegram:100054321", order)).link

    async def attempt(self, digits: str = "0a1b2c3d4e5f", account: str = "100012345", **changes: object) -> None:
        """An attempt of an account, with a name and a number where they are still kept."""
        attempt = an_attempt(f"attempt-{digits}", account, contact="telegram:100054321", identity=identity())
        async with self.store.unit("begin") as unit:
            await unit.save_attempt(replace(attempt, **changes))  # type: ignore[arg-type]

    async def verify(self, account: str) -> None:
        """Let an account be verified."""
        async with self.store.unit("verdict") as unit:
            await unit.take_place(an_attempt("verdict", account), identity(), self.clock())

    async def journeys(self, campaign: str = "", language: str = "zh", *, steps: int, many: int = 1) -> None:
        """People who came so many steps far today; from the code on by WeChat."""
        cohort = Cohort(day_of(self.clock()), campaign, language)
        reached = STEPS[:steps]
        tallies = [Tally(cohort, step, took=place * 5 if place else None) for place, step in enumerate(reached)]
        tallies += [Tally(cohort, step, Method.WECHAT, took=12) for step in reached[4:]]
        for _ in range(many):
            async with self.store.unit("turn") as unit:
                await unit.tally(tallies)

    async def asked(self, topic: str, many: int = 1, text: str = "") -> None:
        """Questions in people's own words; one in vain has a text and no topic."""
        async with self.store.unit("turn") as unit:
            for _ in range(many):
                await unit.count_question(topic, day_of(self.clock()))
            if text:
                await unit.keep_missed(Missed(text, text, self.clock()))

    async def uses(self) -> list[Use]:
        """What was noted so far, the newest first."""
        return list(await self.support.uses("test", 500))[1:]


class Visitor(httpx.AsyncClient):
    """A browser: it keeps cookies, and sends back what the forms hold."""

    async def enter(self, name: str = "anna", key: str = KEY, **more: str) -> httpx.Response:
        """Fill in the form at the door."""
        return await self.post("/desk/sign-in", data={"name": name, "key": key}, headers=more)

    async def fill(
        self, page: str, to: str | None = None, headers: Mapping[str, str] | None = None, **fields: str
    ) -> httpx.Response:
        """Fill in the form of a page and send it."""
        shown = (await self.get(page)).text
        held = {"proof": _PROOF.findall(shown)[0]}
        held |= {"fresh": found[1]} if (found := _FRESH.search(shown)) else {}
        return await self.post(to or page, data=held | fields, headers=headers)

    async def proof(self) -> str:
        """What the forms of this session carry."""
        return str(_PROOF.findall((await self.get("/desk/links")).text)[0])


@asynccontextmanager
async def desk_house(folder: Path, *, key: str | None = KEY, public: str = BASE) -> AsyncIterator[DeskHouse]:
    """A desk over a store of its own."""
    async with open_store(f"sqlite:///{folder / 'bot.sqlite3'}", sealing=fixed_sealing()) as store:
        yield DeskHouse(store, key, public)


async def _ready() -> Mapping[str, bool]:
    return {"store": True}
