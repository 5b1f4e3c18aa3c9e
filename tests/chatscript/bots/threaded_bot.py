"""A bot that remembers only after it has asked, and in another thread: it understands no answer that comes before."""

import asyncio
import hashlib
import os
from typing import Any

from telegram import Update
from telegram.ext import ApplicationBuilder, MessageHandler, filters

asked = set[int]()


def remember(chat: int) -> None:
    hashlib.pbkdf2_hmac("sha256", b"a", b"salt", 100_000)  # tens of milliseconds without the lock of the interpreter
    asked.add(chat)


async def said(update: Update, _: Any) -> None:
    message = update.effective_message
    assert message
    if message.text == "/start":
        await message.reply_text("请输入姓名")
        await asyncio.to_thread(remember, message.chat_id)
    else:
        await message.reply_text(f"你好 {message.text}" if message.chat_id in asked else "请先发 /start")


def main() -> None:
    base = ApplicationBuilder().token(os.environ["BOT_TOKEN"]).base_url(f"{os.environ['BOT_API_URL']}/bot")
    app = base.concurrent_updates(True).build()
    app.add_handler(MessageHandler(filters.TEXT, said))
    app.run_polling()


if __name__ == "__main__":
    main()
