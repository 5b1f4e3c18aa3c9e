"""A small bot with the rarer things: a reply keyboard, a document, buttons that link and copy."""

import os
from typing import Any

from telegram import (
    CopyTextButton,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    ReplyKeyboardMarkup,
    ReplyKeyboardRemove,
    Update,
)
from telegram.ext import Application, CommandHandler


async def keys(update: Update, _: Any) -> None:
    if update.message:
        await update.message.reply_text("选一个", reply_markup=ReplyKeyboardMarkup([["/plain", "/shop"]]))


async def plain(update: Update, _: Any) -> None:
    if update.message:
        stray = {"colour": "red"}
        await update.message.reply_text("键盘收起", reply_markup=ReplyKeyboardRemove(), api_kwargs=stray)


async def shop(update: Update, _: Any) -> None:
    link = InlineKeyboardButton("去商店", url=os.environ["SHOP_URL"])
    copy = InlineKeyboardButton("复制", copy_text=CopyTextButton("A-17"))
    if update.message:
        buttons = InlineKeyboardMarkup([[link], [copy, InlineKeyboardButton("复制", callback_data="x")]])
        await update.message.reply_document(b"a,b", "账单", filename="bill-7.csv", reply_markup=buttons)


def main() -> None:
    app = Application.builder().token(os.environ["BOT_TOKEN"]).base_url(f"{os.environ['BOT_API_URL']}/bot").build()
    app.add_handlers([CommandHandler("keys", keys), CommandHandler("plain", plain), CommandHandler("shop", shop)])
    app.run_polling()


if __name__ == "__main__":
    main()
