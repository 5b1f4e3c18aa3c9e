"""Records the chats of a simulator as a script.

A script starts with an empty chat, so chats in which something happened before the recording are left out.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.routing import BaseRoute

from chatscript.language.bot_texts import BotTexts
from chatscript.record.script_writer import write_script
from playground.server.control_request import read_control_request, sim_route
from playground.world.event_log import LogEvent
from playground.world.files import read_qr_code
from playground.world.world import World

_MAX_WAIT = 60.0  # seconds


class Recorder:
    """The recorder of one simulator, and its routes for the chat page."""

    def __init__(self, world: World, bot_texts: BotTexts) -> None:
        self._world = world
        self._bot_texts = bot_texts
        self._since = 0
        self._until: int | None = 0
        self._codes: dict[str, str | None] = {}
        self.staff: frozenset[int] = frozenset()
        """The people whom the bot treats as support staff."""

    @property
    def is_recording(self) -> bool:
        """Whether a recording is in progress."""
        return self._until is None

    def start(self) -> None:
        """Start a recording."""
        self._since, self._until = self._world.log.last, None

    def stop(self) -> None:
        """End the recording."""
        if self.is_recording:
            self._until = self._world.log.last

    async def script(self) -> str:
        """Return the script of the current or last recording."""
        events = self._events()
        for event in events:
            await self._read_code(event)
        return write_script(events, self._bot_texts, self._codes, self.staff)

    async def write_continuously(self, file: Path) -> None:
        """Write the script to the file after every event, until the world closes."""
        log, written = self._world.log, -1

        def has_new_events() -> bool:
            return log.last > written

        while not self._world.closed:
            if await self._world.changes.wait_for(has_new_events, _MAX_WAIT):
                written = log.last
                await self.write(file)

    async def write(self, file: Path) -> None:
        """Write the script to the file, which always holds a complete script."""
        script = await self.script()
        temporary = file.with_name(f".{file.name}.new")
        await asyncio.to_thread(temporary.write_text, script, encoding="utf-8")
        temporary.replace(file)

    def routes(self) -> list[BaseRoute]:
        """Return the routes of the record button on the chat page."""
        return [sim_route("/record", self.get_recording), sim_route("/record", self.set_recording, "POST")]

    async def get_recording(self, request: Request) -> Any:
        """Return whether a recording is in progress, and its script."""
        return {"on": self.is_recording, "script": await self.script()}

    async def set_recording(self, request: Request) -> Any:
        """Start or end a recording."""
        control = await read_control_request(request)
        (self.start if control.flag("on", default=True) else self.stop)()
        return {"on": self.is_recording, "script": await self.script()}

    def _events(self) -> list[LogEvent]:
        events = self._world.log.after(0)[: self._until]
        used_before = {event["chat"] for event in events[: self._since] if event["kind"] == "message"}
        return [
            event
            for event in events
            if event["kind"] == "person" or (event["seq"] > self._since and event["chat"] not in used_before)
        ]

    async def _read_code(self, event: LogEvent) -> None:
        photo = (event.get("message") or {}).get("photo")
        if photo and event["from"] == "bot" and photo["file_id"] not in self._codes:
            file = self._world.files.get(photo["file_id"])
            self._codes[photo["file_id"]] = await asyncio.to_thread(read_qr_code, file.content) if file else None
