"""The least that a durable bot with python-telegram-bot's objects can cost, without any of what ours promises.

One handler in place of the library's; calls as JSON through aiohttp; a state per chat as JSON in SQLite, where all
writes that wait are one transaction with synchronous=FULL; a QR code with a fixed mask. Chats are handled side by side.
"""

import asyncio
import json
import logging
import os
import sqlite3
from collections.abc import Awaitable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

import aiohttp
from telegram import Update
from telegram.ext import Application, BaseUpdateProcessor, CallbackContext, TypeHandler
from telegram.request import BaseRequest, RequestData

from bench.peers import walk
from bench.peers.ptb_chat import PhoneEvent, delete_both, leave_receipt, say, send_code, show_event
from bench.peers.walk import TEXTS

State = dict[str, Any]
Context = CallbackContext[Any, Any, Any, Any]


class AiohttpRequest(BaseRequest):
    """Calls through aiohttp: JSON where there is no file."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None

    @property
    def read_timeout(self) -> float:
        """Seconds that an answer may take."""
        return 60

    async def initialize(self) -> None:
        """Open the session."""
        connector = aiohttp.TCPConnector(limit=512, keepalive_timeout=60)
        self._session = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())

    async def shutdown(self) -> None:
        """Close the session."""
        if self._session is not None:
            await self._session.close()

    async def do_request(
        self, url: str, method: str, request_data: RequestData | None = None, *_: object, **__: object
    ) -> tuple[int, bytes]:
        """Make a call."""
        assert self._session is not None
        if request_data is None or not request_data.contains_files:
            body = None if request_data is None else request_data.parameters
            async with self._session.request(method, url, json=body) as response:
                return response.status, await response.read()
        form = aiohttp.FormData(request_data.json_parameters)
        for name, (filename, content, mime) in (request_data.multipart_data or {}).items():
            form.add_field(name, content, filename=filename, content_type=mime)
        async with self._session.request(method, url, data=form) as response:
            return response.status, await response.read()


class GroupCommitStore:
    """The state of each chat, in memory and in SQLite: all writes that wait are one transaction."""

    def __init__(self) -> None:
        self._states: dict[int, State] = {}
        self._thread = ThreadPoolExecutor(1)
        self._waiting: list[tuple[int, str, asyncio.Future[None]]] = []
        self._writing = False
        self._database = self._thread.submit(self._open).result()

    @staticmethod
    def _open() -> sqlite3.Connection:
        database = sqlite3.connect(walk.DATABASE, isolation_level=None)
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = FULL")
        database.execute("CREATE TABLE IF NOT EXISTS states (chat INTEGER PRIMARY KEY, state TEXT NOT NULL)")
        return database

    def get(self, chat: int) -> State:
        """The state of a chat."""
        return self._states.get(chat, {})

    async def put(self, chat: int, state: State) -> None:
        """Keep a state; returns when it is committed."""
        self._states[chat] = state
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((chat, json.dumps(state), written))
        if not self._writing:
            self._writing = True
            walk.spawn(self._write_all())
        await written

    async def _write_all(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            group, self._waiting = self._waiting, []
            await loop.run_in_executor(self._thread, self._write, [(chat, state) for chat, state, _ in group])
            for _, _, written in group:
                written.set_result(None)
        self._writing = False

    def _write(self, rows: list[tuple[int, str]]) -> None:
        self._database.execute("BEGIN IMMEDIATE")
        self._database.executemany("INSERT OR REPLACE INTO states VALUES (?, ?)", rows)
        self._database.execute("COMMIT")


class PerChat(BaseUpdateProcessor):
    """Handles the updates of one chat in order, and those of different chats side by side."""

    def __init__(self) -> None:
        super().__init__(1024)
        self._last: dict[int, asyncio.Future[None]] = {}

    async def initialize(self) -> None:
        """Nothing to open."""

    async def shutdown(self) -> None:
        """Nothing to close."""

    async def do_process_update(self, update: object, coroutine: Awaitable[Any]) -> None:
        """Handle an update when the one before it is done."""
        chat = update.chat if isinstance(update, PhoneEvent) else chat_of(cast("Update", update))
        before, done = self._last.get(chat), asyncio.get_running_loop().create_future()
        self._last[chat] = done
        try:
            if before is not None:
                await before
            await coroutine
        finally:
            done.set_result(None)
            if self._last[chat] is done:
                del self._last[chat]


def chat_of(update: Update) -> int:
    """The chat of an update."""
    assert update.effective_chat is not None
    return update.effective_chat.id


class Verification:
    """The conversation: each step is kept before its answer is sent."""

    def __init__(self, store: GroupCommitStore) -> None:
        self._store = store

    async def take_update(self, update: Update, context: Context) -> None:
        """Take a message or a press."""
        chat = chat_of(update)
        state = self._store.get(chat)
        if update.callback_query is not None:
            await self._take_press(update, context, state)
        elif update.message is not None and update.message.text == "/start":
            await self._store.put(chat, {"step": "type"})
            await say(context.bot, chat, TEXTS["start"], "type")
        elif update.message is not None and state.get("step") in ("name", "number"):
            await self._take_text(update, context, state)

    async def _take_text(self, update: Update, context: Context, state: State) -> None:
        chat, message, step = chat_of(update), update.message, state["step"]
        assert message is not None
        after = {"name": "number", "number": "confirm"}[step]
        state = {**state, "step": after, step: message.text}
        await self._store.put(chat, state)
        if after == "number":
            asked = await say(context.bot, chat, TEXTS["number"])
            await self._store.put(chat, {**state, "asked": asked})
        else:
            await say(context.bot, chat, TEXTS["confirm"].format(**state), "confirm")
        await delete_both(message, state["asked"], step)

    async def _take_press(self, update: Update, context: Context, state: State) -> None:
        query, chat, bot = update.callback_query, chat_of(update), context.bot
        assert query is not None
        step, _, choice = (query.data or "").partition(":")
        if state.get("step") != step:
            return
        after = {"type": "consent", "consent": "name", "confirm": "method", "method": "scan"}[step]
        link = walk.new_link() if after == "scan" else ""
        state = {**state, "step": after, "link": link} | ({"type": choice} if step == "type" else {})
        await self._store.put(chat, state)
        walk.spawn(query.answer())
        await leave_receipt(query, step, TEXTS[f"{step}_done"].format(**state))
        if after == "scan":
            code = await send_code(bot, chat, link, walk.fixed_mask_qr(link))
            await self._store.put(chat, {**state, "code": code})
        elif after == "name":
            asked = await say(bot, chat, TEXTS["name"])
            await self._store.put(chat, {**state, "asked": asked})
        else:
            await say(bot, chat, TEXTS[after], after)

    async def take_event(self, event: PhoneEvent, context: Context) -> None:
        """Keep what happened on the phone, and show it."""
        state = self._store.get(event.chat)
        await self._store.put(event.chat, {**state, "stage": event.name})
        await show_event(context.bot, event, state["code"], state["link"])


async def main() -> None:
    """Run the bot until it is asked to end."""
    app = (
        Application.builder()
        .token(walk.TOKEN)
        .base_url(f"{walk.API}/bot")
        .job_queue(None)
        .request(AiohttpRequest())
        .get_updates_request(AiohttpRequest())
        .concurrent_updates(PerChat())
        .build()
    )
    verification = Verification(GroupCommitStore())
    app.add_handler(TypeHandler(Update, verification.take_update))
    app.add_handler(TypeHandler(PhoneEvent, verification.take_event))
    async with app:
        await app.start()
        assert app.updater is not None
        await app.updater.start_polling()
        walk.spawn(pass_on_events(app))
        await walk.until_stopped()
        await app.updater.stop()
        await app.stop()


async def pass_on_events(app: Application[Any, Any, Any, Any, Any, Any]) -> None:
    """Put what happens on the phones into the queue of updates."""
    async for chat, event in walk.phone_events():
        await app.update_queue.put(PhoneEvent(chat, event))


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    if os.environ.get("EVENT_LOOP") == "uvloop":
        import uvloop

        uvloop.run(main())
    else:
        asyncio.run(main())
