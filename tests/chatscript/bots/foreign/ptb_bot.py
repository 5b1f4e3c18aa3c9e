"""A bot of python-telegram-bot in the style of its examples, with a ConversationHandler in memory."""

# mypy: disable-error-code="union-attr, index, arg-type"

import os
from pathlib import Path

from telegram import InlineKeyboardButton, InlineKeyboardMarkup, LabeledPrice, Update
from telegram.ext import (
    Application,
    CallbackQueryHandler,
    CommandHandler,
    ContextTypes,
    ConversationHandler,
    MessageHandler,
    PollAnswerHandler,
    PreCheckoutQueryHandler,
    filters,
)

NAME, CONSENT = range(2)
PICTURE = Path(__file__).with_name("picture.png")
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


async def photo(update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
    await update.effective_message.reply_photo(PICTURE, caption="A picture")


async def poll(update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
    await update.effective_message.reply_poll("Tea or coffee?", ["Tea", "Coffee"], is_anonymous=False)


async def voted(update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
    answer = update.poll_answer
    await context.bot.send_message(answer.user.id, f"You chose {answer.option_ids[0]}")


async def pay(update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
    await update.effective_message.reply_invoice("Tea", "A cup", "tea", "XTR", [LabeledPrice("Tea", 5)])


async def checkout(update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
    await update.pre_checkout_query.answer(ok=True)


async def paid(update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
    payment = update.effective_message.successful_payment
    await update.effective_message.reply_text(f"Paid {payment.total_amount} {payment.currency}")


async def document(update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
    await update.effective_message.reply_text(f"Got {update.effective_message.document.file_name}")


talk = ConversationHandler(
    [CommandHandler("start", start)],
    {NAME: [MessageHandler(filters.TEXT & ~filters.COMMAND, named)], CONSENT: [CallbackQueryHandler(chosen)]},
    [CommandHandler("cancel", cancel)],
)
bot = Application.builder().token(os.environ["BOT_TOKEN"]).base_url(f"{os.environ['BOT_API_URL']}/bot").build()
bot.add_handlers([talk, CommandHandler("photo", photo), CommandHandler("poll", poll), CommandHandler("pay", pay)])
bot.add_handlers([PollAnswerHandler(voted), PreCheckoutQueryHandler(checkout)])
bot.add_handlers([MessageHandler(filters.SUCCESSFUL_PAYMENT, paid), MessageHandler(filters.Document.ALL, document)])
bot.run_polling()
