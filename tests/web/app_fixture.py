"""The web application for tests: the real core and pages over a store in memory, and phones that open them."""

import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from prometheus_client import CollectorRegistry

from storage import StoreUnavailable
from tests.web.memory_store import MemoryStore
from verification import AttemptId, AttemptRequest, Core, Identity, Method, Name, Number, ScanCode
from verification.core import CoreDeps
from verification.ids import Account, Contact
from verification.ports import Provider
from verification.providers.handover import HandoverPages
from verification.providers.simulated.provider import SimulatedProvider
from web.app import TelegramRoute, WebDeps, metrics_app, web_app
from web.dependencies import ApiRoute

TEXTS = Path(__file__).parents[2] / "bot" / "texts"
IDENTITY = Identity(Name("王小明"), Number("11010519491231002X"))
START = datetime(2026, 3, 1, 4, 0, tzinfo=UTC)
TTL = timedelta(minutes=10)

PHONES = {
    "wechat": "Mozilla/5.0 (Linux; Android 14; V2148A) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/116.0 "
    "Mobile Safari/537.36 XWEB/1160065 MMWEBSDK/20231202 MicroMessenger/8.0.47 NetType/WIFI Language/zh_CN",
    "qq": "Mozilla/5.0 (Linux; Android 14; V2148A) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/109.0 "
    "MQQBrowser/6.2 TBS/046 Mobile Safari/537.36 V1_AND_SQ_9.0.8_5394_YYB_D QQ/9.0.8.13725 NetType/WIFI",
    "browser": "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/17.4 Mobile/15E148 Safari/604.1",
    "robot": "TelegramBot (like TwitterBot)",
}
OPERATOR = "Example Cloud · @support"
RIGHT_APP = {Method.WECHAT: "wechat", Method.QQ: "qq", Method.FACE: "wechat", Method.NETID: "browser"}


def flat(table: Mapping[str, object], before: str = "") -> Iterator[tuple[str, str]]:
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from flat(value, f"{before}{key}.")
        else:
            yield before + key, str(value)


def page_texts(language: str, pages: str = "pages") -> dict[str, str]:
    return dict(flat(tomllib.loads((TEXTS / f"{pages}.{language}.toml").read_text("utf-8"))))


def filled_page_texts(language: str) -> dict[str, str]:
    """The texts as the catalogue fills them in."""
    return page_texts(language) | {"page.operator": OPERATOR}


@dataclass
class WebFixture:
    """What a test of the web application needs, with a clock that is set by hand."""

    now: datetime = START
    store: MemoryStore = field(default_factory=MemoryStore)
    not_ready: dict[str, str] = field(default_factory=lambda: {"store": "", "telegram": ""})
    telegram: TelegramRoute | None = None
    api: ApiRoute | None = None
    providers: Mapping[Method, Provider] = field(
        default_factory=lambda: {method: SimulatedProvider(method) for method in Method}
    )
    notified: list[str] = field(default_factory=list)
    returned: list[str] = field(default_factory=list)
    more: Mapping[str, Any] = field(default_factory=dict)
    tokens: int = 0
    seconds: float = 0.0
    monotonic_clock: Callable[[], float] | None = None

    def __post_init__(self) -> None:
        deps = CoreDeps(self._clock, self._token, lambda: "47", lambda token: f"http://127.0.0.1/v/{token}")
        self.core = Core(self.store, self.providers, deps, ttl=TTL)
        self.registry = CollectorRegistry()
        facts: dict[str, Any] = {
            "core": self.core,
            "providers": self.providers,
            "pages": {method: each if each.simulated else HandoverPages() for method, each in self.providers.items()},
            "pollable": {method: each for method, each in self.providers.items() if not each.simulated},
            "texts": {language: filled_page_texts(language) for language in ("zh", "en")},
            "ready": self._ready,
            "registry": self.registry,
            "clock": self._clock,
            "public_url": "https://verify.example/pages",
            "notify_provider_news": self._notify,
            "telegram": self.telegram,
            "api": self.api,
            "monotonic_clock": self.monotonic_clock or (lambda: self.seconds),
            "is_outage": lambda error: isinstance(error, StoreUnavailable),
        }
        deps_of_web = WebDeps(**(facts | dict(self.more)))
        self.app, self.metrics_app = web_app(deps_of_web), metrics_app(deps_of_web)

    def _notify(self, attempt: AttemptId, *, returned: bool = False) -> None:
        self.notified.append(attempt)
        if returned:
            self.returned.append(attempt)

    async def begin(
        self, method: Method, account: str = "telegram:100012345", identity: Identity | None = IDENTITY
    ) -> ScanCode:
        request = AttemptRequest(
            AttemptId(f"a{self.tokens}"),
            Account(account),
            contact=Contact("telegram:100012345"),
            identity=identity,
            method=method,
        )
        return await self.core.begin(request)

    def phone(self, app: str, *, prefix: str = "") -> httpx.AsyncClient:
        """A phone that opens addresses in this app."""
        transport = httpx.ASGITransport(self.app, root_path=prefix)
        return httpx.AsyncClient(
            transport=transport,
            base_url="http://127.0.0.1",
            headers={"User-Agent": PHONES.get(app, app)},
            follow_redirects=True,
        )

    def _clock(self) -> datetime:
        return self.now

    def _token(self) -> str:
        self.tokens += 1
        return f"token-{self.tokens:022}"

    async def _ready(self) -> Mapping[str, str]:
        return self.not_ready
