"""A bot of python-telegram-bot in the style of its examples, with a ConversationHandler in memory."""

# mypy: disable-error-code="union-attr, index, arg-type"

import os

from telegram import InlineKeyboardButton, InlineKeyboardMarkup, Update
from telegram.ext import (
    Application,
    CallbackQueryHandler,
    CommandHandler,
    ContextTypes,
    ConversationHandler,
    MessageHandler,
    filters,
)

NAME, CONSENT = range(2)
KEYS = InlineKeyboardMarkup([[InlineKeyboardButton(word, callback_data=word) for word in ("Yes", "No")]])


async def start(update: Update, _: ContextTypes.DEFAULT_TYPE) -> int:
    await update.effective_message.reply_text("What is your name?")
    return NAME


async def named(update: Update, context: ContextTypes.DEFAULT_TYPE) -> int:
    context.user_data["name"] = update.effective_message.text
    await update.effective_message.reply_text(
        f"Hello {update.effective_message.text}, do you agree?", reply_markup=KEYS
    )
    return CONSENT


async def chosen(update: Update, context: ContextTypes.DEFAULT_TYPE) -> int:
    verdict = "agreed" if update.callback_query.data == "Yes" else "declined"
    await update.callback_query.answer("Noted")
    await update.callback_query.edit_message_text(f"{context.user_data['name']} {verdict}.")
    return ConversationHandler.END


async def cancel(update: Update, _: ContextTypes.DEFAULT_TYPE) -> int:
    await update.effective_message.reply_text("Bye.")
    return ConversationHandler.END


talk = ConversationHandler(
    [CommandHandler("start", start)],
    {NAME: [MessageHandler(filters.TEXT & ~filters.COMMAND, named)], CONSENT: [CallbackQueryHandler(chosen)]},
    [CommandHandler("cancel", cancel)],
)
bot = Application.builder().token(os.environ["BOT_TOKEN"]).base_url(f"{os.environ['BOT_API_URL']}/bot").build()
bot.add_handler(talk)
bot.run_polling()
