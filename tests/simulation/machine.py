"""Runs the bot: starts the program, kills it, and restarts it after its end."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from http import HTTPStatus
from typing import Any, TypeVar

from msgspec.structs import replace
from telegram.ext import ExtBot

from bot.app import run_loops, telegram_session
from bot.clock import Clock
from bot.container.build import build_app
from bot.container.parts import AppDeps, BotApp
from bot.content import catalogue as texts
from bot.flow.rows import RuleContext
from bot.handlers.api.rate_limiter import RateLimiter
from bot.intake import StartupError
from bot.outages import Outage
from bot.providers import ConfiguredProviders, open_providers
from bot.settings import Settings
from playground.botapi.json_response import ascii_json
from playground.world.update_queue import Update
from storage import SqlStore, StoreUnavailable
from storage.migrations import known_migrations, migrate
from tests.fakes import make_sealing
from tests.simulation.disk import SimulatedDatabase
from tests.simulation.fault_schedule import FaultSchedule
from tests.simulation.ledger import CommitChecker
from tests.simulation.phone import VisitedPage, asked, visited
from tests.simulation.process_life import ProcessLife
from tests.simulation.telegram import SimulatedNetwork, SimulatedTransport
from tests.simulation.vendor_network import VendorNetwork
from tests.simulation.vendors import SimulatedAlipay, SimulatedTencent, SimulatedVendor
from tests.simulation.webhook_client import WebhookClient
from tests.simulator_fixture import TOKEN
from verification.attempts import AttemptId, Method
from verification.errors import ProviderUnavailable
from verification.identity import Identity
from verification.ports import ProviderSession
from verification.providers.http import HttpCall
from verification.providers.simulated.provider import SimulatedProvider
from verification.support.service import SupportService
from web import webhooks

T = TypeVar("T")

START = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
SECRET = "the-secret-of-the-webhook"
PUBLIC = "https://verify.example.com"
TTL = timedelta(minutes=10)
_PAUSE = 0.3
_PATIENCE = 30.0
_ROUNDS = 1000
VENDORS: Mapping[str, Callable[[Callable[[], datetime]], SimulatedVendor]] = {
    "tencent": SimulatedTencent,
    "alipay": SimulatedAlipay,
}
_MIGRATIONS = known_migrations()


class Time:
    """The world's clock, and the program's, which may be wrong."""

    def __init__(self, ticks: Callable[[], float]) -> None:
        self._ticks = ticks
        self.passed = 0.0
        self.skew = 0.0

    def world(self) -> float:
        """Seconds since 1970."""
        return START.timestamp() + self._ticks() + self.passed

    def bot(self) -> datetime:
        """The program's time."""
        return datetime.fromtimestamp(self.world() + self.skew, UTC)


class SeededClock(Clock):
    """The program's clock and random source, from the story's seed."""

    def __init__(self, time: Time, rng: random.Random) -> None:
        super().__init__()
        self._time = time
        self._rng = rng

    def now(self) -> datetime:
        return self._time.bot()

    def rule_context(self) -> RuleContext:
        return RuleContext(self.now(), f"{self._rng.getrandbits(128):032x}")

    def token(self) -> str:
        return f"{self._rng.getrandbits(96):024x}"

    def match_code(self) -> str:
        return f"{self._rng.randrange(100):02d}"


class FlakyProvider(SimulatedProvider):
    """A provider that is sometimes unavailable."""

    def __init__(self, method: Method, away: Callable[[], bool]) -> None:
        super().__init__(method)
        self._away = away

    async def open(self, attempt: AttemptId, identity: Identity | None, return_url: str) -> ProviderSession:
        await asyncio.sleep(0.1)
        if self._away():
            raise ProviderUnavailable(attempt)
        return await super().open(attempt, identity, return_url)


MakeStore = Callable[[SimulatedDatabase], SqlStore]


def real_store(database: SimulatedDatabase) -> SqlStore:
    """The store of the product."""
    return SqlStore(database, make_sealing())


@dataclass(frozen=True, slots=True)
class Deployment:
    """How the operator set the program up: updates by webhook, the face check's provider, and the network identity."""

    webhook: bool
    face: str
    netid: str

    @property
    def settings(self) -> Settings:
        """The program's settings."""
        return _settings(self)

    @property
    def catalogue(self) -> texts.Catalogue:
        """The program's texts."""
        return _catalogue(self)


@dataclass
class Supervisor:
    """Runs one process of the program after the other."""

    network: SimulatedNetwork
    vendor_network: VendorNetwork | None
    webhook_client: WebhookClient
    deployment: Deployment
    ledger: CommitChecker
    faults: FaultSchedule
    clock: SeededClock
    make_store: MakeStore = real_store
    provider_away: bool = False
    app: BotApp | None = None
    starts: int = 0
    problems: list[BaseException] = field(default_factory=list)
    _life: ProcessLife | None = None
    _main: asyncio.Task[None] | None = None

    @property
    def link_methods(self) -> Sequence[Method]:
        """The methods that a link may ask for."""
        return [method for method in self.deployment.settings.providers if method.takes_identity]

    @property
    def up(self) -> bool:
        """Whether the program runs and is fully started."""
        return self._life is not None and not self._life.over and self.app is not None

    async def start(self) -> None:
        """Start a process."""
        self._life = ProcessLife()
        self.starts += 1
        self._main = asyncio.ensure_future(self._live(self._life))

    async def kill(self) -> None:
        """End it as kill -9 does."""
        if self._life is not None:
            self._life.over = True
            await self._reap()

    async def deliver(self) -> None:
        """Let Telegram deliver updates by itself."""
        self.webhook_client.start(self.post)

    async def shut_down(self) -> None:
        """Stop everything for good."""
        await self.kill()
        for task in self.webhook_client.tasks:
            task.cancel()
        await asyncio.sleep(0)

    async def restart(self) -> None:
        """End it as SIGTERM does, with time to finish current work, and start it again."""
        if self._life is not None and self._main is not None:
            self._life.stop.set()
            await asyncio.wait({self._main, asyncio.ensure_future(self._life.ended.wait())}, timeout=30)
            await self.kill()
        await self.start()

    async def work(self, seconds: float) -> None:
        """Let time pass; a program that ended is restarted after a short pause."""
        until = asyncio.get_running_loop().time() + seconds
        while (left := until - asyncio.get_running_loop().time()) > 0:
            if self._life is None:
                await asyncio.sleep(min(_PAUSE, left))
                await self.start()
                continue
            await self._watch(self._life, left)

    async def visit(self, path: str, form: Mapping[str, str] | None = None) -> VisitedPage | None:
        """Let a phone open a page of the program, or send a form; None without an answer."""
        return await self._answered(lambda app: visited(app.web_app, path, form))

    async def ask_support(self, use: Callable[[SupportService], Coroutine[Any, Any, T]]) -> T | None:
        """Let support use the program's desk; None when the program or the database does not answer."""
        try:
            return await self._answered(lambda app: use(app.support))
        except StoreUnavailable:
            return None

    async def post(self, update: Update) -> bool:
        """Deliver an update to the program's webhook; return whether it was accepted."""
        body = ascii_json(update.to_json()).encode()
        headers = {"x-telegram-bot-api-secret-token": SECRET}
        answer = await self._answered(lambda app: asked(app.web_app, webhooks.TELEGRAM_PATH, "POST", body, headers))
        return answer is not None and answer[0] == HTTPStatus.OK

    async def _answered(self, ask: Callable[[BotApp], Coroutine[Any, Any, T]]) -> T | None:
        life, app = self._life, self.app
        if life is None or app is None or life.over:
            return None
        answer = asyncio.ensure_future(ask(app))
        ended = asyncio.ensure_future(life.ended.wait())
        await asyncio.wait({answer, ended}, timeout=_PATIENCE, return_when=asyncio.FIRST_COMPLETED)
        ended.cancel()
        return answer.result() if answer.done() and not answer.cancelled() and not life.over else None

    async def _watch(self, life: ProcessLife, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await life.ended.wait()
        except TimeoutError:
            return
        await self._reap()

    async def _live(self, life: ProcessLife) -> None:
        try:
            await self._serve(life)
        except* (StoreUnavailable, StartupError) as group:
            # The program cannot start without these: it ends with a message, and its supervisor tries again.
            if self.app is not None:
                self.problems.append(group)
        except* Exception as group:
            self.problems.append(group)
        finally:
            life.ended.set()

    async def _serve(self, life: ProcessLife) -> None:
        def bot(pacer: RateLimiter) -> ExtBot[None]:
            return ExtBot(
                TOKEN,
                base_url="http://127.0.0.1/bot",
                request=SimulatedTransport(self.network, life),
                get_updates_request=SimulatedTransport(self.network, life),
                rate_limiter=pacer,
            )

        database = SimulatedDatabase(self.ledger.disk, self.faults, life)
        await migrate(database, _MIGRATIONS)
        store = self.make_store(database)
        await store.check_keys()
        clock = self.clock
        async with self._providers(life) as providers:
            deps = AppDeps(
                store=store,
                make_bot=bot,
                clock=clock,
                new_token=clock.token,
                new_match_code=clock.match_code,
                public_url=PUBLIC,
                providers=providers,
                catalogue=self.deployment.catalogue,
                advance=self.ledger.advance,
            )
            app = build_app(self.deployment.settings, deps, replica_name="here:8080")
            async with telegram_session(app), run_loops(app):
                self.app = app
                await life.stop.wait()

    @asynccontextmanager
    async def _providers(self, life: ProcessLife) -> AsyncIterator[ConfiguredProviders]:
        """The providers as the program opens them; those that prove nothing are flaky here."""
        settings, outage = self.deployment.settings, Outage("the provider", asyncio.get_running_loop().time, str)
        network = self.vendor_network
        flaky = {method: FlakyProvider(method, lambda: self.provider_away) for method in settings.simulated_methods}

        @asynccontextmanager
        async def open_client(_: str) -> AsyncIterator[HttpCall]:
            assert network is not None
            yield network.client(life)

        async with open_providers(settings, PUBLIC, self.clock.now, outage, open_client) as opened:
            yield replace(
                opened, by_method={method: flaky.get(method) or opened.by_method[method] for method in opened.by_method}
            )

    async def _reap(self) -> None:
        """Cancel the tasks of an ended process, and roll back its open transaction."""
        if self._life is None:
            return
        self._life.over = True
        self.app = None
        self.ledger.disk.roll_back()
        self.ledger.process_died()
        for _ in range(_ROUNDS):
            own = asyncio.all_tasks() - self.webhook_client.tasks - {asyncio.current_task()}
            if not own:
                break
            for task in own:
                task.cancel()
            await asyncio.wait(own, timeout=0.001)
        else:
            raise AssertionError("a task of a dead program does not end")
        self._life.is_reaped = True
        self._life = self._main = None


@cache
def _catalogue(deployment: Deployment) -> texts.Catalogue:
    settings = deployment.settings
    return texts.load(
        days=30,
        methods=tuple(settings.providers),
        simulated=settings.simulated_methods,
        services=settings.verification_services,
    )


@cache
def _settings(deployment: Deployment) -> Settings:
    vendor = {"PROVIDER_FACE": "simulated"}
    if deployment.face in VENDORS:
        vendor = VENDORS[deployment.face](lambda: START).settings
    given: dict[str, Any] = {
        "bot_token": TOKEN,
        "bot_api_url": "http://127.0.0.1",
        "database_url": "",
        "public_url": PUBLIC,
        "webhook_url": "https://bot.example.com" if deployment.webhook else "",
        "webhook_secret": SECRET if deployment.webhook else None,
        "language": "zh",
        "qr_ttl": TTL,
        "provider_netid": deployment.netid,
        "allow_simulated": True,
        **{name.lower(): value for name, value in vendor.items()},
    }
    return Settings(**given)
