"""A bot as aiogram's documents write one: a state machine, with a storage on aiosqlite that commits each write.

The events of a person are handled in order, with the library's own isolation.
"""

import asyncio
import json
import logging
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any

import aiosqlite
from aiogram import Bot, Dispatcher, F
from aiogram.client.default import DefaultBotProperties
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.filters import CommandStart
from aiogram.fsm.context import FSMContext
from aiogram.fsm.state import State, StatesGroup
from aiogram.fsm.storage.base import BaseStorage, StorageKey
from aiogram.fsm.storage.memory import SimpleEventIsolation
from aiogram.types import (
    BufferedInputFile,
    CallbackQuery,
    ForceReply,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputMediaPhoto,
    Message,
)

from bench.peers import walk
from bench.peers.walk import CARD, TEXTS, caption, makes

KEYBOARDS = {
    name: InlineKeyboardMarkup(
        inline_keyboard=[[InlineKeyboardButton(text=label, callback_data=data)] for label, data in buttons]
    )
    for name, buttons in TEXTS["keyboards"].items()
}
FORCE_REPLY = ForceReply(input_field_placeholder=TEXTS["placeholder"])


class Steps(StatesGroup):
    """What the bot waits for."""

    type = State()
    consent = State()
    name = State()
    number = State()
    confirm = State()
    method = State()


class SqliteStorage(BaseStorage):
    """States and data in SQLite, each write a commit with synchronous=FULL."""

    def __init__(self, database: aiosqlite.Connection) -> None:
        self._database = database

    async def set_state(self, key: StorageKey, state: State | str | None = None) -> None:
        """Keep a state."""
        await self._write("state", key, state.state if isinstance(state, State) else state)

    async def get_state(self, key: StorageKey) -> str | None:
        """Read a state."""
        value: str | None = await self._read("state", key)
        return value

    async def set_data(self, key: StorageKey, data: Mapping[str, Any]) -> None:
        """Keep data."""
        await self._write("data", key, json.dumps(data))

    async def get_data(self, key: StorageKey) -> dict[str, Any]:
        """Read data."""
        return dict(json.loads(await self._read("data", key) or "{}"))

    async def close(self) -> None:
        """Close the database."""
        await self._database.close()

    async def _write(self, column: str, key: StorageKey, value: str | None) -> None:
        await self._database.execute(
            f"INSERT INTO fsm (chat, person, {column}) VALUES (?, ?, ?)"  # noqa: S608 - a name of this module
            f" ON CONFLICT (chat, person) DO UPDATE SET {column} = excluded.{column}",
            (key.chat_id, key.user_id, value),
        )
        await self._database.commit()

    async def _read(self, column: str, key: StorageKey) -> Any:
        query = f"SELECT {column} FROM fsm WHERE chat = ? AND person = ?"  # noqa: S608 - a name of this module
        async with self._database.execute(query, (key.chat_id, key.user_id)) as cursor:
            row = await cursor.fetchone()
        return row[0] if row else None


async def open_storage() -> SqliteStorage:
    """Open the storage."""
    database = await aiosqlite.connect(walk.DATABASE)
    await database.execute("PRAGMA journal_mode = WAL")
    await database.execute("PRAGMA synchronous = FULL")
    await database.execute(
        "CREATE TABLE IF NOT EXISTS fsm"
        " (chat INTEGER, person INTEGER, state TEXT, data TEXT, PRIMARY KEY (chat, person))"
    )
    await database.commit()
    return SqliteStorage(database)


async def start(message: Message, state: FSMContext) -> None:
    """Ask for the type."""
    await state.set_state(Steps.type)
    await message.answer(TEXTS["start"], reply_markup=KEYBOARDS["type"])


async def choose_type(query: CallbackQuery, state: FSMContext) -> None:
    """Keep the type, and ask for consent."""
    await state.update_data(type=query.data)
    await state.set_state(Steps.consent)
    await leave_receipt(query, "type", TEXTS["type_done"])
    await query.message.answer(TEXTS["consent"], reply_markup=KEYBOARDS["consent"])


async def consent(query: CallbackQuery, state: FSMContext) -> None:
    """Ask for the name."""
    await state.set_state(Steps.name)
    await leave_receipt(query, "consent", TEXTS["consent_done"])
    asked = await query.message.answer(TEXTS["name"], reply_markup=FORCE_REPLY)
    await state.update_data(asked=asked.message_id)


async def take_name(message: Message, state: FSMContext) -> None:
    """Keep the name, and ask for the number."""
    data = await state.update_data(name=message.text)
    await state.set_state(Steps.number)
    asked = await message.answer(TEXTS["number"], reply_markup=FORCE_REPLY)
    await state.update_data(asked=asked.message_id)
    await delete_both(message, data["asked"], "name")


async def take_number(message: Message, state: FSMContext) -> None:
    """Keep the number, and show both."""
    data = await state.update_data(number=message.text)
    await state.set_state(Steps.confirm)
    await message.answer(TEXTS["confirm"].format(**data), reply_markup=KEYBOARDS["confirm"])
    await delete_both(message, data["asked"], "number")


async def confirm(query: CallbackQuery, state: FSMContext) -> None:
    """Ask for the method."""
    await state.set_state(Steps.method)
    await leave_receipt(query, "confirm", TEXTS["confirm_done"].format(**await state.get_data()))
    await query.message.answer(TEXTS["method"], reply_markup=KEYBOARDS["method"])


async def choose_method(query: CallbackQuery, state: FSMContext) -> None:
    """Send the code."""
    link = walk.new_link()
    await state.update_data(link=link)
    await state.set_state(None)
    await leave_receipt(query, "method", TEXTS["method_done"])
    if makes("chat action"):
        await query.bot.send_chat_action(query.message.chat.id, "upload_photo")
    image = BufferedInputFile(walk.library_qr(link), "code.png")
    code = await query.message.answer_photo(image, caption=caption(link, "waiting"), reply_markup=KEYBOARDS["scan"])
    await state.update_data(code=code.message_id)


async def leave_receipt(query: CallbackQuery, step: str, text: str) -> None:
    """Answer a press, and put what was chosen in the place of the question."""
    await query.answer()
    if makes(f"{step} receipt"):
        await query.message.edit_text(text)


async def delete_both(message: Message, asked: int, what: str) -> None:
    """Delete what a person typed, and the question."""
    bot, chat = message.bot, message.chat.id
    if makes(f"second deletion of the {what}"):
        await bot.delete_message(chat, message.message_id)
        await bot.delete_message(chat, asked)
    elif makes(f"deletion of the {what}"):
        await bot.delete_messages(chat, [message.message_id, asked])


async def take_event(bot: Bot, chat: int, event: str, state: FSMContext) -> None:
    """Keep what happened on the phone, and show it."""
    data = await state.update_data(stage=event)
    code = data["code"]
    if event == "passed":
        await bot.send_message(chat, TEXTS["result"], reply_markup=KEYBOARDS["result"])
        if makes("stamp"):
            media = InputMediaPhoto(media=BufferedInputFile(CARD, "card.png"), caption=TEXTS["stamp"])
            await bot.edit_message_media(media, chat_id=chat, message_id=code)
    elif makes(f"progress: {event}"):
        text, markup = caption(data["link"], event), KEYBOARDS["scan"]
        await bot.edit_message_caption(chat_id=chat, message_id=code, caption=text, reply_markup=markup)


async def take_events(bot: Bot, storage: SqliteStorage, isolation: SimpleEventIsolation) -> None:
    """Take what happens on the phones, each person's in order."""

    async def take(chat: int, event: str, lock: AbstractAsyncContextManager[None], key: StorageKey) -> None:
        async with lock:
            await take_event(bot, chat, event, FSMContext(storage, key))

    async for chat, event in walk.phone_events():
        key = StorageKey(bot.id, chat, chat)
        walk.spawn(take(chat, event, isolation.lock(key), key))


async def main() -> None:
    """Run the bot until it is asked to end."""
    storage, isolation = await open_storage(), SimpleEventIsolation()
    session = AiohttpSession(api=TelegramAPIServer.from_base(walk.API))
    bot = Bot(walk.TOKEN, session, DefaultBotProperties(parse_mode="HTML", link_preview_is_disabled=True))
    dispatcher = Dispatcher(storage=storage, events_isolation=isolation)
    dispatcher.message.register(start, CommandStart())
    dispatcher.message.register(take_name, Steps.name, F.text)
    dispatcher.message.register(take_number, Steps.number, F.text)
    dispatcher.callback_query.register(choose_type, Steps.type, F.data.startswith("type:"))
    dispatcher.callback_query.register(consent, Steps.consent, F.data.startswith("consent:"))
    dispatcher.callback_query.register(confirm, Steps.confirm, F.data.startswith("confirm:"))
    dispatcher.callback_query.register(choose_method, Steps.method, F.data.startswith("method:"))
    polling = asyncio.ensure_future(dispatcher.start_polling(bot, handle_signals=False))
    walk.spawn(take_events(bot, storage, isolation))
    await walk.until_stopped()
    await dispatcher.stop_polling()
    await polling


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    asyncio.run(main())
