"""A bot that swallows errors: it edits a message that is gone, and goes on as if nothing had happened."""

import contextlib
import os

from telegram import InlineKeyboardButton, InlineKeyboardMarkup, Update
from telegram.error import BadRequest
from telegram.ext import ApplicationBuilder, CommandHandler, ContextTypes, MessageHandler, filters

KEYS = [["一", "二"], ["三"]]


async def start(update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
    """Send a keyboard."""
    assert update.message
    rows = [[InlineKeyboardButton(label, callback_data=label) for label in row] for row in KEYS]
    await update.message.reply_text("请选", reply_markup=InlineKeyboardMarkup(rows))


async def careless(update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
    """Fail silently, and answer nevertheless for `/go`."""
    assert update.message
    assert update.message.text
    with contextlib.suppress(BadRequest):
        await context.bot.edit_message_text("x", update.message.chat_id, 1)
    if update.message.text == "继续":
        await update.message.reply_text("好")


def main() -> None:
    """Poll for updates."""
    token, base = os.environ["BOT_TOKEN"], os.environ["BOT_API_URL"]
    app = ApplicationBuilder().token(token).base_url(f"{base}/bot").build()
    app.add_handler(CommandHandler("start", start))
    app.add_handler(MessageHandler(filters.TEXT, careless))
    app.run_polling()


if __name__ == "__main__":
    main()
