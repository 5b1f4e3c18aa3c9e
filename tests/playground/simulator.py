"""A stand-in to test against: it serves, knows one person, and speaks as a bot and as people do."""

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

TOKEN = "7000000001:stand-in-token"
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class RunningPlayground:
    """One stand-in that serves, and a connection to it."""

    playground: Playground
    url: str
    http: aiohttp.ClientSession

    async def call(self, method: str, /, **fields: Any) -> Json:
        """Call a method of the Bot API with JSON; return the whole answer."""
        async with self.http.post(f"{self.url}/bot{TOKEN}/{method}", json=fields) as answer:
            told: Json = await answer.json()
            assert told["ok"] == (answer.status == 200)
            return told

    async def result(self, method: str, /, **fields: Any) -> Any:
        """Call a method that must succeed; return its result."""
        told = await self.call(method, **fields)
        assert told["ok"], told
        return told["result"]

    async def refusal(self, method: str, /, **fields: Any) -> str:
        """Call a method that must be refused; return the words."""
        told = await self.call(method, **fields)
        assert not told["ok"], told
        return str(told["description"])

    async def upload(self, method: str, /, **fields: Any) -> Json:
        """Call a method with a form; bytes become files."""
        form = aiohttp.FormData()
        for name, value in fields.items():
            named = {"filename": f"{name}.bin"} if isinstance(value, bytes) else {}
            form.add_field(name, value if isinstance(value, bytes) else str(value), **named)
        async with self.http.post(f"{self.url}/bot{TOKEN}/{method}", data=form) as answer:
            told: Json = await answer.json()
            return told

    async def sim(self, path: str, method: str = "POST", /, **order: Any) -> Any:
        """Let people do something that must be possible."""
        status, told = await self.try_sim(path, method, **order)
        assert status == 200, told
        return told

    async def try_sim(self, path: str, method: str = "POST", /, **order: Any) -> tuple[int, Any]:
        """Let people do something; return the status and the answer."""
        body = None if method == "GET" else order
        async with self.http.request(method, f"{self.url}/sim{path}", json=body) as answer:
            return answer.status, await answer.json()

    async def person(self, first_name: str = "王小明", *, started: bool = True, **facts: Any) -> int:
        """Let somebody in, by default one who has written already; return the id."""
        someone = await self.sim("/users", first_name=first_name, **facts)
        if started:
            await self.sim(f"/chats/{someone['id']}/messages", user=someone["id"], text="/start")
            await self.result("getUpdates", offset=-1)
            await self.forget()
        return int(someone["id"])

    async def forget(self) -> None:
        """Confirm every update that waits."""
        waiting = await self.result("getUpdates")
        if waiting:
            await self.result("getUpdates", offset=waiting[-1]["update_id"] + 1)

    async def says(self, user: int, text: str, **facts: Any) -> int:
        """Let somebody write; return the message's id."""
        told = await self.sim(f"/chats/{user}/messages", user=user, text=text, **facts)
        return int(told["message_id"])

    async def events(self, *kinds: str) -> list[Json]:
        """Return the events of these kinds."""
        told = await self.sim("/events", "GET")
        return [event for event in told["events"] if event["kind"] in kinds]


@asynccontextmanager
async def running_playground() -> AsyncIterator[RunningPlayground]:
    """Serve a stand-in for one test."""
    world = World(token=TOKEN)
    playground = Playground(world, Recorder(world, BotTexts()).routes())
    playground.world.updates.slows_repeats = False  # tests ask again at once
    async with serve_playground(playground) as url, aiohttp.ClientSession() as http:
        yield RunningPlayground(playground, url, http)
