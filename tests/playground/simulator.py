"""A running simulator for tests, with calls as a bot and actions as a person."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp

from chatscript.language.bot_texts import BotTexts
from chatscript.record.recorder import Recorder
from playground.server.app import Playground, serve_playground
from playground.world.world import World

TOKEN = "7000000001:simulator-token"
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class RunningPlayground:
    """A served simulator and an HTTP session."""

    playground: Playground
    url: str
    http: aiohttp.ClientSession

    async def call(self, method: str, /, **fields: Any) -> Json:
        """Call a method of the Bot API with JSON and return the whole answer."""
        async with self.http.post(f"{self.url}/bot{TOKEN}/{method}", json=fields) as answer:
            reply: Json = await answer.json()
            assert reply["ok"] == (answer.status == 200)
            return reply

    async def result(self, method: str, /, **fields: Any) -> Any:
        """Call a method that must succeed and return its result."""
        reply = await self.call(method, **fields)
        assert reply["ok"], reply
        return reply["result"]

    async def refusal(self, method: str, /, **fields: Any) -> str:
        """Call a method that must be refused and return the description."""
        reply = await self.call(method, **fields)
        assert not reply["ok"], reply
        return str(reply["description"])

    async def upload(self, method: str, /, **fields: Any) -> Json:
        """Call a method with a form; bytes become files."""
        form = aiohttp.FormData()
        for name, value in fields.items():
            named = {"filename": f"{name}.bin"} if isinstance(value, bytes) else {}
            form.add_field(name, value if isinstance(value, bytes) else str(value), **named)
        async with self.http.post(f"{self.url}/bot{TOKEN}/{method}", data=form) as answer:
            reply: Json = await answer.json()
            return reply

    async def sim(self, path: str, method: str = "POST", /, **fields: Any) -> Any:
        """Call the control API; the call must succeed."""
        status, reply = await self.try_sim(path, method, **fields)
        assert status == 200, reply
        return reply

    async def try_sim(self, path: str, method: str = "POST", /, **fields: Any) -> tuple[int, Any]:
        """Call the control API and return the status and the answer."""
        body = None if method == "GET" else fields
        async with self.http.request(method, f"{self.url}/sim{path}", json=body) as answer:
            return answer.status, await answer.json()

    async def person(self, first_name: str = "王小明", *, started: bool = True, **facts: Any) -> int:
        """Add a person, by default one who has started the bot, and return the id."""
        added = await self.sim("/users", first_name=first_name, **facts)
        if started:
            await self.sim(f"/chats/{added['id']}/messages", user=added["id"], text="/start")
            await self.result("getUpdates", offset=-1)
            await self.forget()
        return int(added["id"])

    async def forget(self) -> None:
        """Confirm every pending update."""
        waiting = await self.result("getUpdates")
        if waiting:
            await self.result("getUpdates", offset=waiting[-1]["update_id"] + 1)

    async def says(self, user: int, text: str, **facts: Any) -> int:
        """Write as a person and return the message's id."""
        reply = await self.sim(f"/chats/{user}/messages", user=user, text=text, **facts)
        return int(reply["message_id"])

    async def events(self, *kinds: str) -> list[Json]:
        """Return the events of these kinds."""
        reply = await self.sim("/events", "GET")
        return [event for event in reply["events"] if event["kind"] in kinds]


@asynccontextmanager
async def running_playground() -> AsyncIterator[RunningPlayground]:
    """Serve a simulator for one test."""
    world = World(token=TOKEN)
    playground = Playground(world, Recorder(world, BotTexts()).routes())
    playground.world.updates.slows_repeats = False  # tests repeat calls at once
    async with serve_playground(playground) as url, aiohttp.ClientSession() as http:
        yield RunningPlayground(playground, url, http)
