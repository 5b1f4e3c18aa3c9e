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

_STARTS_WITHIN = 60
"""Seconds; aiogram takes long on a busy machine."""
_LOOKED_AFTER = 0.2
_LOG, _DATA = "bot.log", "data"
_LOG_END = 600
"""Characters."""
_QUIET = 0.3
"""Seconds without a call after which a bot has nothing left to do."""
_KEPT_BY_PHONES = 2
"""Seconds for which a connection of a phone is kept: less than any server does, so that it is not closed while used."""
LOAD_LIMIT = 0.9
"""The share of its core above which the load is the limit, and the run says nothing about the bot."""
COUNTERS = {"commits": "storage_commits_total", "round trips": "storage_round_trips_total"}
"""The metrics of our bot that are shown for each conversation, if it offers them."""


class BotFailed(Exception):
    """A bot did not start, or ended by itself; with the end of its log."""


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

    def __init__(self, api: BotApi, process: MeasuredProcess, people: People, folder: Path, started_in: float) -> None:
        self.api = api
        self.process = process
        self.people = people
        self.started_in = started_in
        self._folder = folder

    @property
    def end_of_log(self) -> str:
        """The last lines that the bot wrote."""
        return (self._folder / _LOG).read_text("utf-8")[-_LOG_END:]

    def memory(self) -> tuple[float, float]:
        """Its resident memory now, and at most so far, in MiB. Raises `BotFailed` if it has ended by itself."""
        if self.process.ended:
            raise BotFailed(self.end_of_log)
        return self.process.memory()

    def stored_bytes(self) -> int:
        """What it keeps."""
        return stored_bytes(self._folder / _DATA)

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
        (folder / _DATA).mkdir()
        server = await stack.enter_async_context(await loop.create_server(api.connection, "127.0.0.1", 0))
        events = await stack.enter_async_context(await asyncio.start_server(event_phone.connected, "127.0.0.1", 0))
        stack.callback(event_phone.close)
        port, events_port = (each.sockets[0].getsockname()[1] for each in (server, events))
        addresses = {"api": f"http://127.0.0.1:{port}", "events": f"127.0.0.1:{events_port}"}
        env = environment_of(bot, folder / _DATA, calls=calls, **addresses)
        began = time.perf_counter()
        process = MeasuredProcess(bot.command, env, folder / _DATA if bot.has_pages else ROOT, folder / _LOG)
        stack.push_async_callback(process.stop)
        people = People(bot.load_scenario(), api, PagePhone(http) if bot.has_pages else event_phone)
        while not (api.polled.is_set() or process.ended or time.perf_counter() - began > _STARTS_WITHIN):
            await asyncio.wait({asyncio.ensure_future(api.polled.wait())}, timeout=_LOOKED_AFTER)
        started = RunningBot(api, process, people, folder, time.perf_counter() - began)
        if not api.polled.is_set():
            raise BotFailed(started.end_of_log)
        yield started


def connections_of_phones() -> aiohttp.ClientSession:
    """As many connections as there are phones, without cookies; to be closed by the caller."""
    connections = aiohttp.TCPConnector(limit=0, keepalive_timeout=_KEPT_BY_PHONES)
    return aiohttp.ClientSession(connector=connections, cookie_jar=aiohttp.DummyCookieJar())


async def measure(bot: Bot, load: Load, *, calls: int) -> Measurement:
    """Run a bot under a load: a few conversations to warm it up, then those that count."""
    async with (
        connections_of_phones() as http,
        running(bot, calls=calls, http=http) as started,
    ):
        await started.wait_until_quiet()
        memory_after_start, _ = started.memory()
        stored = started.stored_bytes()
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
        _, memory_peak = started.memory()
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
            stored=(started.stored_bytes() - stored) / max(times.finished + warm_up.finished, 1),
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
