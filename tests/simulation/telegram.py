"""The Bot API without a network: python-telegram-bot's extension point, connected directly to the simulator."""

import asyncio
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from telegram.error import NetworkError, TimedOut
from telegram.request import BaseRequest, RequestData
from telegram.warnings import PTBDeprecationWarning, PTBUserWarning

from bot.handlers.api.transport import NotSent
from playground.botapi.fields import CallFields, Upload
from playground.botapi.json_response import ascii_json
from playground.botapi.methods.table import METHODS
from playground.world.errors import ApiError, too_many_requests
from playground.world.world import World
from tests.simulation.fault_schedule import CallFault, FaultSchedule
from tests.simulation.process_life import ProcessLife

Answer = tuple[int, bytes]
_CONNECT = 5.0
_READ = 10.0
_PNG = b"\x89PNG"
_HTML = b"<html><body><h1>Bad Gateway</h1></body></html>"
_PAGES: Mapping[CallFault, Answer] = {
    CallFault.BAD_GATEWAY: (502, _HTML),
    CallFault.BAD_GATEWAY_DONE: (502, _HTML),
    CallFault.GARBAGE: (200, b"<html>Please log in"),
    CallFault.GARBAGE_DONE: (200, b"<html>Please log in"),
}
_REFUSALS: Mapping[CallFault, ApiError] = {
    CallFault.BROKEN: ApiError(500, "Internal Server Error: restart"),
    CallFault.TOO_MANY: too_many_requests(3),
    CallFault.TOO_MANY_LONG: too_many_requests(120),
    CallFault.TOO_MANY_SILENT: ApiError(429, "Too Many Requests"),
}


@dataclass(frozen=True, slots=True)
class TelegramCall:
    """A call that reached Telegram, or did not: its content, and whether the answer arrived."""

    method: str
    chat: int | None
    message: int | None
    fault: CallFault | None
    done: bool


class CallObserver(Protocol):
    """Listens to the network."""

    def heard(self, call: TelegramCall) -> None:
        """Note the outcome of a call."""

    def confirmed(self, offset: int) -> None:
        """Note that Telegram is about to forget all updates before this one."""

    def brought(self, update: Mapping[str, Any]) -> None:
        """Note that an update is on its way to the program."""


class SimulatedNetwork:
    """Connects every process of the program with Telegram."""

    def __init__(self, world: World, weather: FaultSchedule, listener: CallObserver) -> None:
        self._world = world
        self._weather = weather
        self._listener = listener

    async def carry(self, name: str, data: RequestData | None, life: ProcessLife) -> Answer:
        """Deliver a call and its answer, unless a fault meets either."""
        await life.gate()
        await asyncio.sleep(self._weather.delay())
        await life.gate()
        fate = self._weather.next_call_fault(name)
        if fate is None or fate.done:
            answer = await self._done(name, data, fate)
        else:
            self._note(name, data, fate, None)
            answer = _not_done(fate)
        await self._back(fate, life)
        return _PAGES.get(fate, answer) if fate is not None else answer

    async def _back(self, fate: CallFault | None, life: ProcessLife) -> None:
        await life.suffer(fate, self._weather.delay())
        if fate is CallFault.UNSENT:
            raise NotSent("ClientConnectorError")
        if fate in (CallFault.CUT, CallFault.CUT_DONE):
            raise NetworkError("ServerDisconnectedError")

    async def _done(self, name: str, data: RequestData | None, fate: CallFault | None) -> Answer:
        fields = self._fields(data)
        if name == "getUpdates":
            self._listener.confirmed(fields.integer("offset"))
        try:
            result = await METHODS[name.lower()].handler(self._world, fields)
        except ApiError as refused:
            self._note(name, data, fate, None)
            return refused.code, ascii_json(refused.body()).encode()
        for update in result if name == "getUpdates" else ():
            self._listener.brought(update)
        message = result.get("message_id") if isinstance(result, dict) else None
        self._note(name, data, fate, message, done=True)
        return 200, ascii_json({"ok": True, "result": result}).encode()

    def _note(
        self, name: str, data: RequestData | None, fate: CallFault | None, message: int | None, *, done: bool = False
    ) -> None:
        facts = data.parameters if data is not None else {}
        chat, about = facts.get("chat_id"), facts.get("message_id")
        about = about if isinstance(about, int) else None
        self._listener.heard(TelegramCall(name, chat if isinstance(chat, int) else None, message or about, fate, done))

    def _fields(self, data: RequestData | None) -> CallFields:
        values: dict[str, str] = dict(data.json_parameters) if data is not None else {}
        uploads: dict[str, Upload] = {}
        for name, (file_name, content, kind) in (data.multipart_data if data is not None else {}).items():
            if _bytes(content).startswith(_PNG):
                # Recompressing every picture, as the simulator does, would take most of a story's time.
                file = self._world.files.store_photo([(_bytes(content), 760, 760)])[-1]["file_id"]
                values = {key: value.replace(f"attach://{name}", file) for key, value in values.items()}
                values.setdefault(name, file)
            else:
                uploads[name] = Upload(file_name, kind, _bytes(content))
        return CallFields(values, uploads)


class SimulatedTransport(BaseRequest):
    """The calls of one process."""

    def __init__(self, network: SimulatedNetwork, life: ProcessLife) -> None:
        self._network = network
        self._life = life

    @property
    def read_timeout(self) -> float:
        """Seconds to wait for an answer, unless a call says otherwise."""
        return _READ

    async def initialize(self) -> None:
        """Suppress the library's announcements of changes."""
        warnings.filterwarnings("ignore", ".*In a future major version attribute", PTBDeprecationWarning)
        warnings.filterwarnings("ignore", "Please use 'Bot.", PTBUserWarning)

    async def shutdown(self) -> None:
        """Nothing is open."""

    async def do_request(
        self,
        url: str,
        method: str,
        request_data: RequestData | None = None,
        read_timeout: Any = BaseRequest.DEFAULT_NONE,
        write_timeout: Any = BaseRequest.DEFAULT_NONE,
        connect_timeout: Any = BaseRequest.DEFAULT_NONE,
        pool_timeout: Any = BaseRequest.DEFAULT_NONE,
    ) -> Answer:
        """Make one call; see `BaseRequest.do_request`."""
        reading = float(read_timeout) if isinstance(read_timeout, int | float) else _READ
        try:
            async with asyncio.timeout(reading + _CONNECT):
                return await self._network.carry(url.rpartition("/")[2], request_data, self._life)
        except TimeoutError:
            await self._life.gate()
            raise TimedOut from None


def _not_done(fate: CallFault) -> Answer:
    refused = _REFUSALS.get(fate)
    return (refused.code, ascii_json(refused.body()).encode()) if refused is not None else (200, b"")


def _bytes(content: object) -> bytes:
    assert isinstance(content, bytes)
    return content
