"""A client of the simulator's control API (/sim): the actions of people, and what they see."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from starlette.types import ASGIApp, Message

from chatscript.match.chat_view import ButtonPosition, ChatEvent, parse_event
from playground.world.records import Json


@dataclass(frozen=True, slots=True)
class SimulatorAnswer:
    """An answer of the control API."""

    status: int
    type: str
    body: bytes


Ask = Callable[[str, str, bytes], Awaitable[SimulatorAnswer]]
"""Sends a request: its method, its path with the query, and its body."""


def ask_in_process(app: ASGIApp) -> Ask:
    """Send requests to a simulator of this process, which takes a third of the time of a request by HTTP."""

    async def ask(method: str, target: str, body: bytes) -> SimulatorAnswer:
        path, _, query = target.partition("?")
        scope = {"type": "http", "method": method, "path": path, "query_string": query.encode(), "headers": _HEADERS}
        messages: list[Message] = []

        async def receive() -> Message:
            return {"type": "http.request", "body": body}

        async def send(message: Message) -> None:
            messages.append(message)

        await asyncio.sleep(0)  # who asks again and again leaves time for the calls of the bot
        # A task of its own, as in a server: what ends a wait is thrown into this one, not into the simulator's frames.
        await asyncio.ensure_future(app(scope, receive, send))
        headers = dict(messages[0]["headers"])
        content = b"".join(message["body"] for message in messages[1:])
        return SimulatorAnswer(messages[0]["status"], headers[b"content-type"].decode(), content)

    return ask


_HEADERS = ((b"host", b"localhost"),)


class SimulatorRefused(Exception):
    """The simulator refuses an action; the message says why."""


@dataclass(frozen=True, slots=True)
class EventBatch:
    """New events, remarks and refused calls, the number of the last event, and whether the bot is idle."""

    events: Sequence[ChatEvent]
    remarks: Sequence[str]
    refusals: Sequence[str]
    last: int
    idle: bool


@dataclass(frozen=True, slots=True)
class BotStatus:
    """The bot's username, whether it is connected, its last call, and its last call to an unknown address."""

    username: str
    connected: bool
    seconds_since_poll: float | None
    last_method: str | None
    misdirected_call: str | None


class SimulatorClient:
    """The client of one simulator. Every action raises `SimulatorRefused`."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    async def add_person(self, first_name: str, language: str) -> int:
        """Add a person and return their id, which is also the id of their private chat."""
        answer = await self._post("/sim/users", first_name=first_name, language_code=language)
        return int(answer["id"])

    async def change_person(self, person: int, **facts: object) -> None:
        """Change a person's name, username, phone number or language, or block or unblock the bot."""
        await self._call("PATCH", f"/sim/users/{person}", facts)

    async def add_group(self, title: str, members: Sequence[int], kind: str = "group") -> int:
        """Create a group or channel with the bot in it and return its id."""
        answer = await self._post("/sim/chats", type=kind, title=title, members=list(members))
        return int(answer["id"])

    async def set_role(self, chat: int, person: int, role: str, *, bot: bool) -> None:
        """Let a person join, leave or become an administrator, or do that with the bot."""
        await self._post(f"/sim/chats/{chat}/roles", user=person, role=role, bot=bot)

    async def write(
        self, chat: int, person: int, text: str, *, forward: bool = False, reply_to: int | None = None
    ) -> None:
        """Write a text."""
        fields = {"forward": forward, "reply_to": reply_to}
        await self._post(f"/sim/chats/{chat}/messages", user=person, text=text, **fields)

    async def react(self, chat: int, person: int, message: int, emoji: str) -> None:
        """React to a message."""
        await self._post(f"/sim/chats/{chat}/messages/{message}/react", user=person, emoji=emoji)

    async def send(self, chat: int, person: int, kind: str, caption: str, file: Path | None = None) -> None:
        """Send an attachment, by default a sample. Raises `OSError` when the file cannot be read."""
        fields = {"caption": caption} if caption else {}
        if file is not None:
            content = await asyncio.to_thread(file.read_bytes)
            fields |= {"base64": base64.b64encode(content).decode(), "file_name": file.name}
        await self._post(f"/sim/chats/{chat}/messages", user=person, kind=kind, **fields)

    async def edit(self, chat: int, person: int, message: int, text: str) -> None:
        """Edit a message of the person's own."""
        await self._post(f"/sim/chats/{chat}/messages/{message}/edit", user=person, text=text)

    async def tap(self, chat: int, person: int, button: ButtonPosition) -> None:
        """Press a button. A button that is gone is pressed by its data, as an old client does that still shows it."""
        position: dict[str, object] = {"row": button.row, "column": button.column}
        if not button.is_present:
            position = {"data": button.button.data}
        elif button.is_only_label:
            position = {"label": button.button.label}
        await self._post(f"/sim/chats/{chat}/messages/{button.message}/tap", user=person, **position)

    async def forge_press(self, chat: int, person: int, message: int, data: str) -> None:
        """Send a button press with this data, whether or not such a button exists."""
        await self._post(f"/sim/chats/{chat}/messages/{message}/tap", user=person, data=data)

    async def type_inline_query(self, chat: int, person: int, text: str) -> None:
        """Type an inline query."""
        await self._post(f"/sim/chats/{chat}/inline", user=person, query=text)

    async def choose_inline_result(self, chat: int, person: int, result: str | None) -> None:
        """Choose a result of the inline query; None presses the button above the results."""
        choice: dict[str, object] = {"button": True} if result is None else {"result": result}
        await self._post(f"/sim/chats/{chat}/inline/choose", user=person, **choice)

    async def advance_clock(self, seconds: float) -> None:
        """Move the simulator's clock forward."""
        await self._post("/sim/clock", seconds=int(seconds))

    async def inject_fault(self, **facts: object) -> None:
        """Inject a fault for the next calls of a method."""
        await self._post("/sim/faults", **facts)

    async def events_after(self, after: int, wait: float) -> EventBatch:
        """Return the events after a number; wait up to `wait` seconds for the first."""
        answer = await self._get("/sim/events", after=after, wait=wait)
        events = [event for event in map(parse_event, answer["events"]) if event is not None]
        remarks = [event["text"] for event in answer["events"] if event["kind"] == "remark"]
        refused = [event for event in answer["events"] if event["kind"] == "refused"]
        refusals = [f"{event['method']}: {event['description']}" for event in refused]
        return EventBatch(events, remarks, refusals, answer["last"], answer["idle"])

    async def calls(self) -> Sequence[Json]:
        """Return the bot's calls, oldest first."""
        calls: Sequence[Json] = await self._get("/sim/calls")
        return calls

    async def all_events(self) -> Sequence[Json]:
        """Return all events as the simulator's JSON."""
        events: Sequence[Json] = (await self._get("/sim/events", after=0))["events"]
        return events

    async def file(self, id: str) -> tuple[str, bytes]:
        """Return the type and the bytes of a file."""
        answer = await self._ask("GET", f"/sim/files/{id}", b"")
        return answer.type, answer.body

    async def wait_idle(self, wait: float) -> bool:
        """Wait up to `wait` seconds until the bot is idle, and return whether it is."""
        return bool((await self._get("/sim/idle", wait=wait))["idle"])

    async def bot_status(self) -> BotStatus:
        """Return the state of the bot."""
        answer = await self._get("/sim/bot")
        return BotStatus(
            username=answer["username"],
            connected=bool(answer["connected"]),
            seconds_since_poll=answer["last_poll_seconds_ago"],
            last_method=answer["last_method"],
            misdirected_call=answer["astray"],
        )

    async def read_qr(self, file: str) -> str | None:
        """Return the text of the QR code in a picture, or None."""
        text: str | None = (await self._get(f"/sim/files/{file}/qr"))["text"]
        return text

    async def _post(self, path: str, **body: object) -> Any:
        return await self._call("POST", path, body)

    async def _get(self, path: str, **query: float) -> Any:
        return await self._call("GET", f"{path}?{urlencode(query)}")

    async def _call(self, method: str, target: str, body: Mapping[str, object] | None = None) -> Any:
        answer = await self._ask(method, target, b"" if body is None else json.dumps(body).encode())
        content = json.loads(answer.body)
        if answer.status >= 400:
            raise SimulatorRefused(content.get("error", f"{method} {target}: {answer.status}"))
        return content
