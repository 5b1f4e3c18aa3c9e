"""A bot of pyTelegramBotAPI as its examples have it: decorators, next-step handlers, threads."""

import os
from pathlib import Path

import telebot
from telebot import types

telebot.apihelper.API_URL = os.environ["BOT_API_URL"] + "/bot{0}/{1}"
bot = telebot.TeleBot(os.environ["BOT_TOKEN"])
names: dict[int, str] = {}
KEYS = types.InlineKeyboardMarkup()
KEYS.row(*(types.InlineKeyboardButton(word, callback_data=word) for word in ("Yes", "No")))


@bot.message_handler(commands=["start"])
def start(message: types.Message) -> None:
    bot.send_message(message.chat.id, "What is your name?")
    bot.register_next_step_handler(message, named)


@bot.message_handler(commands=["cancel"])
def cancel(message: types.Message) -> None:
    bot.send_message(message.chat.id, "Bye.")


def named(message: types.Message) -> None:
    if message.text == "/cancel":
        cancel(message)
        return
    names[message.chat.id] = message.text
    bot.send_message(message.chat.id, f"Hello {message.text}, do you agree?", reply_markup=KEYS)


@bot.callback_query_handler(func=lambda _: True)
def chosen(query: types.CallbackQuery) -> None:
    verdict = "agreed" if query.data == "Yes" else "declined"
    chat = query.message.chat.id
    bot.answer_callback_query(query.id, "Noted")
    bot.edit_message_text(f"{names[chat]} {verdict}.", chat, query.message.message_id)


@bot.message_handler(commands=["photo"])
def photo(message: types.Message) -> None:
    picture = Path(__file__).with_name("picture.png").read_bytes()
    bot.send_photo(message.chat.id, picture, caption="A picture")


@bot.message_handler(commands=["poll"])
def poll(message: types.Message) -> None:
    bot.send_poll(message.chat.id, "Tea or coffee?", ["Tea", "Coffee"], is_anonymous=False)


@bot.poll_answer_handler()
def voted(answer: types.PollAnswer) -> None:
    bot.send_message(answer.user.id, f"You chose {answer.option_ids[0]}")


@bot.message_handler(commands=["pay"])
def pay(message: types.Message) -> None:
    bot.send_invoice(message.chat.id, "Tea", "A cup", "tea", "", "XTR", [types.LabeledPrice("Tea", 5)])


@bot.pre_checkout_query_handler(func=lambda _: True)
def checkout(query: types.PreCheckoutQuery) -> None:
    bot.answer_pre_checkout_query(query.id, ok=True)


@bot.message_handler(content_types=["successful_payment"])
def paid(message: types.Message) -> None:
    payment = message.successful_payment
    bot.send_message(message.chat.id, f"Paid {payment.total_amount} {payment.currency}")


@bot.message_handler(content_types=["document"])
def document(message: types.Message) -> None:
    bot.send_message(message.chat.id, f"Got {message.document.file_name}")


bot.infinity_polling()
