"""A client of /sim: what people do in the chats of a playground, and what they see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import aiohttp

from chatscript.match.chat_view import ButtonPosition, ChatEvent, parse_event

_SLACK = 10.0


class SimulatorRefused(Exception):
    """The playground refuses what somebody wanted to do; the message says why."""


@dataclass(frozen=True, slots=True)
class EventBatch:
    """What happened since the last look, what Telegram ignores of it, and whether the bot has nothing more to do."""

    events: Sequence[ChatEvent]
    remarks: Sequence[str]
    last: int
    idle: bool


@dataclass(frozen=True, slots=True)
class BotStatus:
    """The bot's name, whether it is there, what it called last, and which call of it went to no method."""

    username: str
    connected: bool
    seconds_since_poll: float | None
    last_method: str | None
    misdirected_call: str | None


class SimulatorClient:
    """Speaks to one playground; an async context manager."""

    def __init__(self, base_url: str) -> None:
        self._http = aiohttp.ClientSession(base_url)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.close()

    async def add_person(self, first_name: str, language: str) -> int:
        """Let somebody new in; his id is also the id of his private chat."""
        told = await self._post("/sim/users", first_name=first_name, language_code=language)
        return int(told["id"])

    async def change_person(self, person: int, **facts: object) -> None:
        """Change the language of somebody's client, or let him block the bot."""
        await self._call("PATCH", f"/sim/users/{person}", json=facts)

    async def add_group(self, title: str, members: Sequence[int]) -> int:
        """Open a group with the bot in it."""
        told = await self._post("/sim/chats", type="group", title=title, members=list(members))
        return int(told["id"])

    async def write(self, chat: int, person: int, text: str, *, forward: bool = False) -> None:
        """Write a text."""
        await self._post(f"/sim/chats/{chat}/messages", user=person, text=text, forward=forward)

    async def send(self, chat: int, person: int, kind: str, caption: str) -> None:
        """Send something else than a text."""
        words = {"caption": caption} if caption else {}
        await self._post(f"/sim/chats/{chat}/messages", user=person, kind=kind, **words)

    async def edit(self, chat: int, person: int, message: int, text: str) -> None:
        """Change one's own message."""
        await self._post(f"/sim/chats/{chat}/messages/{message}/edit", user=person, text=text)

    async def tap(self, chat: int, person: int, spot: ButtonPosition) -> None:
        """Press a button where it is, or as an old client would that still shows it."""
        place: dict[str, object] = {"row": spot.row, "column": spot.column}
        if not spot.is_present:
            place = {"data": spot.button.data}
        elif spot.is_only_label:
            place = {"label": spot.button.label}
        await self._post(f"/sim/chats/{chat}/messages/{spot.message}/tap", user=person, **place)

    async def forge_press(self, chat: int, person: int, message: int, data: str) -> None:
        """Press a button that nobody offered."""
        await self._post(f"/sim/chats/{chat}/messages/{message}/tap", user=person, data=data)

    async def type_inline_query(self, chat: int, person: int, words: str) -> None:
        """Type something behind the bot's name."""
        await self._post(f"/sim/chats/{chat}/inline", user=person, query=words)

    async def choose_inline_result(self, chat: int, person: int, result: str | None) -> None:
        """Choose a result of an inline query; none is the button above them."""
        which: dict[str, object] = {"button": True} if result is None else {"result": result}
        await self._post(f"/sim/chats/{chat}/inline/choose", user=person, **which)

    async def advance_clock(self, seconds: float) -> None:
        """Let time pass in the playground."""
        await self._post("/sim/clock", seconds=int(seconds))

    async def inject_fault(self, **facts: object) -> None:
        """Let the next calls of a method go wrong."""
        await self._post("/sim/faults", **facts)

    async def events_after(self, after: int, wait: float) -> EventBatch:
        """Return what happened after an event; waits a while for the first."""
        told = await self._get("/sim/events", after=after, wait=wait)
        events = [event for event in map(parse_event, told["events"]) if event is not None]
        remarks = [event["text"] for event in told["events"] if event["kind"] == "remark"]
        return EventBatch(events, remarks, told["last"], told["idle"])

    async def all_events(self) -> Sequence[Mapping[str, Any]]:
        """Return all that happened, as the playground tells it."""
        events: Sequence[Mapping[str, Any]] = (await self._get("/sim/events", after=0))["events"]
        return events

    async def file(self, id: str) -> tuple[str, bytes]:
        """Return the type and the bytes of a file."""
        async with self._http.get(f"/sim/files/{id}") as answer:
            return answer.content_type, await answer.read()

    async def wait_idle(self, wait: float) -> bool:
        """Wait until the bot took everything, and tell whether it did."""
        return bool((await self._get("/sim/idle", wait=wait))["idle"])

    async def bot_status(self) -> BotStatus:
        """Ask after the bot."""
        told = await self._get("/sim/bot")
        last, astray = told["last_method"], told["astray"]
        return BotStatus(told["username"], bool(told["connected"]), told["last_poll_seconds_ago"], last, astray)

    async def read_qr(self, file: str) -> str | None:
        """Read the QR code in a picture."""
        text: str | None = (await self._get(f"/sim/files/{file}/qr"))["text"]
        return text

    async def _post(self, path: str, **body: object) -> Mapping[str, Any]:
        return await self._call("POST", path, json=body)

    async def _get(self, path: str, **query: float) -> Mapping[str, Any]:
        params = {name: str(value) for name, value in query.items()}
        patience = aiohttp.ClientTimeout(query.get("wait", 0) + _SLACK)
        return await self._call("GET", path, params=params, timeout=patience)

    async def _call(self, method: str, path: str, **how: Any) -> Mapping[str, Any]:
        async with self._http.request(method, path, **how) as answer:
            told: Mapping[str, Any] = await answer.json()
            if answer.status >= 400:
                raise SimulatorRefused(told.get("error", f"{method} {path}: {answer.status}"))
            return told
