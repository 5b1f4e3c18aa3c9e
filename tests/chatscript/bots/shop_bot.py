"""A small bot with rarer features: a reply keyboard, a document, buttons that link and copy."""

import os
from typing import Any

from telegram import (
    CopyTextButton,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InlineQueryResultArticle,
    InlineQueryResultsButton,
    InputTextMessageContent,
    ReplyKeyboardMarkup,
    ReplyKeyboardRemove,
    Update,
)
from telegram.ext import Application, CallbackQueryHandler, CommandHandler, InlineQueryHandler


async def keys(update: Update, _: Any) -> None:
    if update.message:
        await update.message.reply_text("选一个", reply_markup=ReplyKeyboardMarkup([["/plain", "/shop"]]))


async def plain(update: Update, _: Any) -> None:
    if update.message:
        stray = {"colour": "red"}
        await update.message.reply_text("键盘收起", reply_markup=ReplyKeyboardRemove(), api_kwargs=stray)


async def shop(update: Update, _: Any) -> None:
    link = InlineKeyboardButton("去商店", url=os.environ["SHOP_URL"])
    share = InlineKeyboardButton("分享", switch_inline_query="水果")
    copy = InlineKeyboardButton("复制", copy_text=CopyTextButton("A-17"))
    if update.message:
        buttons = InlineKeyboardMarkup([[link, share], [copy, InlineKeyboardButton("复制", callback_data="x")]])
        await update.message.reply_document(b"a,b", "账单", filename="bill-7.csv", reply_markup=buttons)


def article(title: str, words: str, keys: InlineKeyboardMarkup | None = None) -> InlineQueryResultArticle:
    return InlineQueryResultArticle(title, title, InputTextMessageContent(words, "HTML"), reply_markup=keys)


async def offer(update: Update, _: Any) -> None:
    if update.inline_query is None:
        return
    words = update.inline_query.query
    likes = InlineKeyboardMarkup([[InlineKeyboardButton("👍 0", callback_data="0")]])
    found = [article("水果", "<b>苹果</b> 3 元"), article("蔬菜", "白菜 2 元", likes)] if words != "无" else []
    more = InlineQueryResultsButton("去商店", start_parameter="keys") if words == "更多" else None
    await update.inline_query.answer(found, cache_time=0, is_personal=True, button=more)


async def like(update: Update, _: Any) -> None:
    if update.callback_query and update.callback_query.inline_message_id:
        count = InlineKeyboardMarkup([[InlineKeyboardButton("👍 1", callback_data="1")]])
        await update.callback_query.answer("谢谢")
        await update.callback_query.edit_message_reply_markup(count)


def main() -> None:
    app = Application.builder().token(os.environ["BOT_TOKEN"]).base_url(f"{os.environ['BOT_API_URL']}/bot").build()
    app.add_handlers([CommandHandler("keys", keys), CommandHandler("plain", plain), CommandHandler("shop", shop)])
    app.add_handlers([InlineQueryHandler(offer), CallbackQueryHandler(like), CommandHandler("start", keys)])
    app.run_polling()


if __name__ == "__main__":
    main()
