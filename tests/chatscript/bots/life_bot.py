"""A bot that uses much of the Bot API: polls, dice, payments, keys that ask, reactions, replies, files, slow turns."""

import asyncio
import os
from typing import Any

from telegram import KeyboardButton, LabeledPrice, ReactionTypeEmoji, ReplyKeyboardMarkup, Update, WebAppInfo
from telegram.ext import (
    ApplicationBuilder,
    ChatMemberHandler,
    CommandHandler,
    MessageHandler,
    MessageReactionHandler,
    PollAnswerHandler,
    PreCheckoutQueryHandler,
    filters,
)

COMES_OR_GOES = filters.StatusUpdate.NEW_CHAT_MEMBERS | filters.StatusUpdate.LEFT_CHAT_MEMBER
PAGE = WebAppInfo("https://127.0.0.1:1/app")


async def command(update: Update, _: Any) -> None:
    """Do what the command asks for."""
    message = update.message
    assert message
    assert message.from_user
    assert message.text
    match message.text:
        case "/poll":
            await message.reply_poll("去哪里？", ["北京", "上海"], is_anonymous=False)
        case "/pay":
            await message.reply_invoice("单", "明细", "p1", "XTR", [LabeledPrice("费", 5)])
        case "/dice":
            await message.reply_dice(emoji="🎯")
            await message.reply_venue(39.9, 116.4, "大厅", "长安街 1 号")
            await message.reply_markdown("*粗*")
        case "/keys":
            keys = [
                [KeyboardButton("号码", request_contact=True), KeyboardButton("位置", request_location=True)],
                [KeyboardButton("网页", web_app=PAGE), KeyboardButton("文字")],
            ]
            await message.reply_text("请选", reply_markup=ReplyKeyboardMarkup(keys))
        case "/mark":
            await message.set_reaction(ReactionTypeEmoji("👍"))
            await message.pin()
            await message.unpin()
        case "/both":
            await asyncio.gather(*(message.reply_text(word) for word in ("一", "二 2", "三")))
            await message.reply_text("完")
        case "/slow":
            await message.reply_chat_action("typing")
            await asyncio.sleep(2.5)
            await message.reply_text("想好了")
        case "/quiet":
            await asyncio.sleep(2.5)
            await message.reply_text("久等了")
        case _:
            await message.reply_text("?")


async def anything(update: Update, _: Any) -> None:
    """Say what came."""
    message = update.message
    assert message
    assert message.from_user
    if message.successful_payment:
        said = f"已付 {message.successful_payment.total_amount}"
    elif message.contact:
        said = f"{message.contact.first_name} {message.contact.phone_number} @{message.from_user.username}"
    elif message.location:
        said = f"位置 {message.location.latitude}"
    elif message.web_app_data:
        said = f"网页说 {message.web_app_data.data}"
    elif message.document:
        content = await (await message.document.get_file()).download_as_bytearray()
        said = f"{message.document.file_name}: {content.decode()}"
    elif message.reply_to_message:
        said = f"回复了 {message.reply_to_message.text}"
    else:
        said = str(message.text)
    await message.reply_text(said)


async def voted(update: Update, context: Any) -> None:
    """Name the vote."""
    assert update.poll_answer
    assert update.poll_answer.user
    await context.bot.send_message(update.poll_answer.user.id, f"选了 {update.poll_answer.option_ids}")


async def checkout(update: Update, _: Any) -> None:
    """Accept every payment."""
    assert update.pre_checkout_query
    await update.pre_checkout_query.answer(ok=True)


async def member_changed(update: Update, context: Any) -> None:
    """Say what became of whom."""
    changed = update.chat_member or update.my_chat_member
    assert changed
    if changed.chat.type != "private" and changed.new_chat_member.status not in ("left", "kicked"):
        who = changed.new_chat_member
        count = len(await changed.chat.get_administrators())
        await context.bot.send_message(changed.chat.id, f"{who.user.first_name} {who.status}, {count}")


async def reacted(update: Update, context: Any) -> None:
    """Say thanks for a reaction."""
    assert update.message_reaction
    await context.bot.send_message(update.message_reaction.chat.id, "谢谢")


def main() -> None:
    """Poll for updates of every kind."""
    token, base = os.environ["BOT_TOKEN"], os.environ["BOT_API_URL"]
    builder = ApplicationBuilder().token(token).base_url(f"{base}/bot").base_file_url(f"{base}/file/bot")
    app = builder.concurrent_updates(True).build()
    names = ["poll", "pay", "dice", "keys", "mark", "both", "slow", "quiet"]
    app.add_handlers([CommandHandler(names, command), PollAnswerHandler(voted), PreCheckoutQueryHandler(checkout)])
    app.add_handlers([MessageReactionHandler(reacted), MessageHandler(filters.ALL & ~COMES_OR_GOES, anything)])
    app.add_handler(ChatMemberHandler(member_changed, ChatMemberHandler.ANY_CHAT_MEMBER))
    app.run_polling(allowed_updates=Update.ALL_TYPES)


if __name__ == "__main__":
    main()
