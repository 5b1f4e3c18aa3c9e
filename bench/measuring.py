"""One run of one bot under one load, and what it measures."""

import asyncio
import math
import os
import re
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp

from bench.bot_api import BotApi
from bench.bots import ROOT, Bot, environment_of
from bench.people import EventPhone, PagePhone, People, Scenario, Times
from bench.process import MeasuredProcess, machine_seconds, stored_bytes

_STARTS_WITHIN = 30
_QUIET = 0.3
"""Seconds without a call after which a bot has nothing left to do."""
LOAD_LIMIT = 0.9
"""The share of its core above which the load is the limit, and the run says nothing about the bot."""
COUNTERS = {"commits": "storage_commits_total", "thread hops": "storage_thread_hops_total"}
"""The metrics of our bot that are shown for each conversation, if it offers them."""


class BotDidNotStart(Exception):
    """A bot asked for no updates in time."""


@dataclass(frozen=True, slots=True)
class Load:
    """So many people at a time, so many conversations in all, and the round trip of a call in seconds."""

    people: int
    conversations: int
    network: float
    seconds: float
    """When a run is cut off."""
    warm_up: int = 30
    """The conversations held first, without the network's delay."""

    @property
    def name(self) -> str:
        """What it is called in a table."""
        return f"{self.people} {'person' if self.people == 1 else 'people'}, {self.network * 1000:.0f} ms network"


@dataclass(frozen=True, slots=True)
class Measurement:
    """What one run has measured. Times are in seconds, memory in MiB. `conversations` counts answered steps, each as
    its share of a conversation, so that rates are right when a run was cut off."""

    conversations: float
    calls: int
    calls_each: float
    """Of a whole conversation."""
    wall: float
    cpu: float
    load_cpu: float
    other_cpu: float
    """Of other programs, on all cores."""
    steps: Sequence[float]
    results: Sequence[float]
    memory_after_start: float
    memory_peak: float
    start: float
    stored: float
    counters: Mapping[str, float]
    failures: Sequence[str]
    refused: Mapping[str, int]
    cut_off: bool

    @property
    def values(self) -> Mapping[str, float]:
        """The figures of a table, by column."""
        return {
            "calls": self.calls_each,
            "cpu": self.cpu / self.conversations * 1000,
            "cpu per call": self.cpu / max(self.calls, 1) * 1000,
            "rate": self.conversations / self.wall,
            "step p50": quantile(self.steps, 0.5) * 1000,
            "step p99": quantile(self.steps, 0.99) * 1000,
            "result p50": quantile(self.results, 0.5) * 1000,
            "bot share": self.cpu / self.wall,
            "load share": self.load_cpu / self.wall,
            "others": self.other_cpu / self.wall / (os.cpu_count() or 1),
            "memory after start": self.memory_after_start,
            "memory peak": self.memory_peak,
            "start": self.start * 1000,
            "stored": self.stored,
            **self.counters,
        }

    @property
    def is_valid(self) -> bool:
        """Whether the bot was the limit, not the load, and nobody was let down."""
        return self.load_cpu / self.wall <= LOAD_LIMIT and not self.failures


def quantile(values: Sequence[float], share: float) -> float:
    """The value that this share of the values does not exceed; NaN of none."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)] if ordered else math.nan


class RunningBot:
    """A bot that has asked for updates, and the people who can talk to it."""

    def __init__(self, api: BotApi, process: MeasuredProcess, people: People, folder: Path) -> None:
        self.api = api
        self.process = process
        self.people = people
        self.folder = folder
        self.started_in = 0.0

    async def wait_until_quiet(self) -> None:
        """Wait until the bot has made no call for a moment."""
        while time.perf_counter() - self.api.last_call_at < _QUIET:  # noqa: ASYNC110 - quiet is when no event comes
            await asyncio.sleep(_QUIET / 3)

    async def read_counters(self, http: aiohttp.ClientSession) -> Mapping[str, float]:
        """The counters that the bot's own metrics offer; none for a bot without pages."""
        if not self.people.last_link:
            return {}
        parts = urlsplit(self.people.last_link)
        async with http.get(f"{parts.scheme}://{parts.netloc}/metrics") as page:
            text = await page.text()
        found = {name: re.findall(rf"^{metric}(?:{{.*}})? (\S+)$", text, re.M) for name, metric in COUNTERS.items()}
        return {name: sum(map(float, values)) for name, values in found.items() if values}


@asynccontextmanager
async def running(bot: Bot, *, calls: int, http: aiohttp.ClientSession) -> AsyncIterator[RunningBot]:
    """Start a bot in a folder of its own, and wait until it asks for updates."""
    loop = asyncio.get_running_loop()
    api, event_phone = BotApi(), EventPhone()
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        (folder / "data").mkdir()
        server = await stack.enter_async_context(await loop.create_server(api.connection, "127.0.0.1", 0))
        events = await stack.enter_async_context(await asyncio.start_server(event_phone.connected, "127.0.0.1", 0))
        stack.callback(event_phone.close)
        port, events_port = (each.sockets[0].getsockname()[1] for each in (server, events))
        env = environment_of(
            bot,
            folder / "data",
            calls=calls,
            api=f"http://127.0.0.1:{port}",
            events=f"127.0.0.1:{events_port}",
        )
        began = time.perf_counter()
        process = MeasuredProcess(bot.command, env, folder / "data" if bot.has_pages else ROOT, folder / "bot.log")
        stack.push_async_callback(process.stop)
        people = People(bot.load_scenario(), api, PagePhone(http) if bot.has_pages else event_phone)
        running_bot = RunningBot(api, process, people, folder / "data")
        try:
            await asyncio.wait_for(api.polled.wait(), _STARTS_WITHIN)
        except TimeoutError:
            raise BotDidNotStart(f"{bot.key}: {(folder / 'bot.log').read_text('utf-8')[-600:]}") from None
        running_bot.started_in = time.perf_counter() - began
        yield running_bot


async def measure(bot: Bot, load: Load, *, calls: int) -> Measurement:
    """Run a bot under a load: a few conversations to warm it up, then those that count."""
    async with (
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), cookie_jar=aiohttp.DummyCookieJar()) as http,
        running(bot, calls=calls, http=http) as started,
    ):
        await started.wait_until_quiet()
        memory_after_start, _ = started.process.memory()
        stored = stored_bytes(started.folder)
        calls_before = started.api.calls.total()
        warm_up, _ = await started.people.walk(load.people, load.warm_up, seconds=load.seconds)
        await started.wait_until_quiet()
        warm_up_calls = started.api.calls.total() - calls_before

        started.api.network_delay = load.network
        counters = await started.read_counters(http)
        calls_before, machine = started.api.calls.total(), machine_seconds()
        load_cpu, cpu = time.process_time(), started.process.cpu_seconds()
        times, wall = await started.people.walk(load.people, load.conversations, seconds=load.seconds)
        load_cpu = time.process_time() - load_cpu
        machine = machine_seconds() - machine
        other_cpu = max(machine - load_cpu - (started.process.cpu_seconds() - cpu), 0.0)
        await started.wait_until_quiet()
        cpu = started.process.cpu_seconds() - cpu
        made = started.api.calls.total() - calls_before
        counters_after = await started.read_counters(http)

        conversations = _conversations(times, bot.load_scenario())
        cut_off = times.finished + len(times.failures) < load.conversations
        _, memory_peak = started.process.memory()
        return Measurement(
            conversations=conversations,
            calls=made,
            calls_each=warm_up_calls / max(warm_up.finished, 1) if cut_off else made / conversations,
            wall=wall,
            cpu=cpu,
            load_cpu=load_cpu,
            other_cpu=other_cpu,
            steps=[each for name in _plain_steps(bot.load_scenario()) for each in times.steps[name]],
            results=[each for name in _result_steps(bot.load_scenario()) for each in times.steps[name]],
            memory_after_start=memory_after_start,
            memory_peak=memory_peak,
            start=started.started_in,
            stored=(stored_bytes(started.folder) - stored) / max(times.finished + warm_up.finished, 1),
            counters={name: (value - counters[name]) / conversations for name, value in counters_after.items()},
            failures=[*warm_up.failures, *times.failures],
            refused=dict(started.api.refused),
            cut_off=cut_off,
        )


def _plain_steps(scenario: Scenario) -> list[str]:
    return [step.name for step in scenario.steps if not step.is_result]


def _result_steps(scenario: Scenario) -> list[str]:
    return [step.name for step in scenario.steps if step.is_result]


def _conversations(times: Times, scenario: Scenario) -> float:
    answered = sum(len(values) for values in times.steps.values())
    return max(answered, 1) / len(scenario.steps)


def median(values: Sequence[float]) -> float:
    """The median of the values that there are."""
    present = [value for value in values if not math.isnan(value)]
    return statistics.median(present) if present else math.nan
