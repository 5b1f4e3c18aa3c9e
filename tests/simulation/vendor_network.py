"""The calls to a vendor without a network: its stand-in, behind the session of our own HTTP client.

The program signs its calls, reads the answers and maps the codes as it always does. What the vendor proved is noted
here, and whether its last answer said so, so that the ledger can tell whether more or less was granted.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import cast

import aiohttp
from yarl import URL

from bot.http_client import TIMEOUT, HttpClient
from storage.database import Value
from storage.encryption.sealing import IndexKind
from tests.fakes import make_sealing
from tests.simulation.fault_schedule import CallFault, FaultSchedule
from tests.simulation.phone import asked
from tests.simulation.process_life import ProcessLife
from tests.simulation.vendors import SimulatedVendor, VendorCheck, Verdict

VENDOR = "vendor"
"""The name of a call to a vendor in the schedule of faults."""

_ANSWERS: Mapping[CallFault, tuple[int, bytes]] = {
    CallFault.BROKEN: (500, b""),
    CallFault.BAD_GATEWAY: (502, b"<html>"),
    CallFault.BAD_GATEWAY_DONE: (502, b"<html>"),
    CallFault.TOO_MANY: (429, b""),
    CallFault.TOO_MANY_LONG: (429, b""),
    CallFault.TOO_MANY_SILENT: (429, b""),
    CallFault.GARBAGE: (200, b"<html>Please log in"),
    CallFault.GARBAGE_DONE: (200, b"<html>Please log in"),
}
_CONNECTION_FAULTS = {CallFault.UNSENT, CallFault.CUT, CallFault.CUT_DONE}


class VendorNetwork:
    """Connects every process of the program with a vendor, and notes what the vendor proved and last answered."""

    def __init__(self, vendor: SimulatedVendor, faults: FaultSchedule) -> None:
        self.vendor = vendor
        self._faults = faults
        self._sealing = make_sealing()
        self._proven = set[tuple[Value, str]]()
        self._proving = set[str]()
        self._last_told = dict[Value, bool]()

    def conclude(self, check: VendorCheck, apply: Verdict) -> None:
        """Give a check its result."""
        if apply():
            self._proven.add((self._index(check), check.number))
            self._proving.add(check.key)
        else:
            self._proving.discard(check.key)

    def has_proven(self, token_index: Value, number: str) -> bool:
        """Whether the vendor proved that the person of an attempt has this number."""
        return (token_index, number) in self._proven

    def was_last_told_of_a_pass(self, token_index: Value) -> bool:
        """Whether the last call about an attempt brought a proof."""
        return self._last_told.get(token_index, False)

    def client(self, life: ProcessLife) -> HttpClient:
        """The client of one process."""
        return HttpClient(cast("aiohttp.ClientSession", _Session(self, life)), loopback_only=False)

    async def carry(self, request: "_Request", life: ProcessLife) -> tuple[int, bytes]:
        """Deliver a call and its answer, unless a fault meets either."""
        check = self.vendor.check_of_call(request.body)
        self._note(check, is_proof=False)
        await life.gate()
        await asyncio.sleep(self._faults.delay())
        await life.gate()
        fault = self._faults.next_call_fault(VENDOR)
        is_right = (fault is None or fault is CallFault.SLOW) and not self.vendor.is_broken
        answer = (0, b"")
        if fault is None or fault.done:
            answer = await asked(self.vendor.app, str(request.url), request.verb, request.body, request.headers)
        is_proof = check is not None and check.key in self._proving and self.vendor.pass_mark in answer[1]
        await life.suffer(fault, self._faults.delay())
        if fault in _CONNECTION_FAULTS:
            raise aiohttp.ServerDisconnectedError
        self._note(check, is_proof=is_right and is_proof)
        return _ANSWERS.get(fault, answer) if fault is not None else answer

    def _note(self, check: VendorCheck | None, *, is_proof: bool) -> None:
        if check is not None:
            self._last_told[self._index(check)] = is_proof

    def _index(self, check: VendorCheck) -> bytes:
        return self._sealing.index(IndexKind.TOKEN, check.return_url.split("/")[-2])


@dataclass(frozen=True, slots=True)
class _Request:
    verb: str
    url: URL
    headers: Mapping[str, str]
    body: bytes


class _Session:
    """What our HTTP client uses of aiohttp's session."""

    def __init__(self, network: VendorNetwork, life: ProcessLife) -> None:
        self._network = network
        self._life = life

    @asynccontextmanager
    async def request(
        self, verb: str, url: URL, *, headers: Mapping[str, str], data: bytes | None, allow_redirects: bool
    ) -> AsyncIterator["_Answer"]:
        assert not allow_redirects
        sent = {"host": url.authority, **{name.lower(): value for name, value in headers.items()}}
        try:
            async with asyncio.timeout(TIMEOUT.total):
                status, body = await self._network.carry(_Request(verb, url, sent, data or b""), self._life)
        except TimeoutError:
            await self._life.gate()
            raise
        yield _Answer(status, _Content(body))


@dataclass(frozen=True, slots=True)
class _Content:
    body: bytes

    async def iter_any(self) -> AsyncIterator[bytes]:
        yield self.body


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    content: _Content
