"""Records what happens in the chats of a playground, for its page and for whoever started it.

A script begins with an empty chat: chats in which something had happened before stay out of it.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.routing import BaseRoute

from chatscript.language.bot_texts import BotTexts
from chatscript.record.script_writer import write_script
from playground.world.event_log import LogEvent
from playground.world.files import read_qr_code
from playground.world.requests import read_control_request, sim_route
from playground.world.world import World

_LOOK_AGAIN = 60.0


class Recorder:
    """Whether it runs, since when, and what it has written."""

    def __init__(self, world: World, bot_texts: BotTexts) -> None:
        self._world = world
        self._bot_texts = bot_texts
        self._since = 0
        self._until: int | None = 0
        self._codes: dict[str, str | None] = {}
        self.staff: frozenset[int] = frozenset()
        """Whom the bot was told to take for support."""

    @property
    def is_recording(self) -> bool:
        """Whether it records now."""
        return self._until is None

    def start(self) -> None:
        """Record from now on."""
        self._since, self._until = self._world.log.last, None

    def stop(self) -> None:
        """Record no more."""
        if self.is_recording:
            self._until = self._world.log.last

    async def script(self) -> str:
        """Return what was recorded last, as a script."""
        events = self._events()
        for event in events:
            await self._read_code(event)
        return write_script(events, self._bot_texts, self._codes, self.staff)

    async def write_continuously(self, file: Path) -> None:
        """Write the script anew with everything that happens."""
        log, written = self._world.log, -1

        def news() -> bool:
            return log.last > written

        while not self._world.closed:
            if await self._world.changes.wait_for(news, _LOOK_AGAIN):
                written = log.last
                await self.write(file)

    async def write(self, file: Path) -> None:
        """Write the script; whoever looks finds the old one or the new one, whole."""
        script = await self.script()
        fresh = file.with_name(f".{file.name}.new")
        await asyncio.to_thread(fresh.write_text, script, encoding="utf-8")
        fresh.replace(file)

    def routes(self) -> list[BaseRoute]:
        """Return the routes of the page's button."""
        return [sim_route("/record", self.get_recording), sim_route("/record", self.set_recording, "POST")]

    async def get_recording(self, request: Request) -> Any:
        """Tell whether it records, and what."""
        return {"on": self.is_recording, "script": await self.script()}

    async def set_recording(self, request: Request) -> Any:
        """Begin or end."""
        order = await read_control_request(request)
        (self.start if order.flag("on", default=True) else self.stop)()
        return {"on": self.is_recording, "script": await self.script()}

    def _events(self) -> list[LogEvent]:
        everything = self._world.log.after(0)[: self._until]
        before = {event["chat"] for event in everything[: self._since] if event["kind"] == "message"}
        return [
            event
            for event in everything
            if event["kind"] == "person" or (event["seq"] > self._since and event["chat"] not in before)
        ]

    async def _read_code(self, event: LogEvent) -> None:
        photo = (event.get("message") or {}).get("photo")
        if photo and event["from"] == "bot" and photo["file_id"] not in self._codes:
            kept = self._world.files.get(photo["file_id"])
            self._codes[photo["file_id"]] = await asyncio.to_thread(read_qr_code, kept.content) if kept else None
