"""A small form bot for script tests: asks for a name, confirms it, shows a code, stores its state in a file."""

import io
import json
import os
import time
from pathlib import Path
from typing import Any

import qrcode
from telegram import InlineKeyboardButton as Button
from telegram import InlineKeyboardMarkup, Update
from telegram.ext import Application, CallbackQueryHandler, ChatMemberHandler, MessageHandler, filters

STATE = Path(os.environ["DATA_DIR"], "state.json")
CODE_LIFE = 600


def now() -> float:
    return time.time() + float(Path(os.environ["CLOCK_OFFSET_FILE"]).read_text(encoding="ascii"))


def state() -> dict[str, Any]:
    return dict(json.loads(STATE.read_text(encoding="utf-8"))) if STATE.exists() else {}


def save(**facts: Any) -> None:
    STATE.write_text(json.dumps(state() | facts), encoding="utf-8")


def keys(*rows: list[Button]) -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup(rows)


async def said(update: Update, _: Any) -> None:
    message = update.effective_message
    assert message is not None
    chat, text = message.chat, message.text or ""
    english = (message.from_user and message.from_user.language_code) == "en"
    if update.edited_message:
        await chat.send_message("改过的消息不算")
    elif text == "/start":
        greeting = os.environ.get("GREETING", "Hello" if english else "你好")
        await chat.send_message(f"<b>{greeting}</b>\n{'What is your name?' if english else '请输入姓名'}", "HTML")
    elif text.startswith("/call "):
        await update.get_bot().send_message(int(text.split()[1]), "有人找你")
        await chat.send_message("已通知")
    elif text == "/die":
        print("giving up", flush=True)  # noqa: T201 - the report shows what a bot prints
        os._exit(3)
    elif not text or text == "/noise":
        await chat.send_message("请发文字")
        await (
            chat.send_message("还有一句") if text else chat.send_message(f"收到：{message.effective_attachment}"[:12])
        )
    else:
        save(name=text)
        await message.delete()
        buttons = keys(
            [Button("✅ 确认", callback_data="ok"), Button("修改", callback_data="again")],
            [Button("网站", url="https://example.org/a?b=1")],
        )
        await chat.send_message(f"{text}，请确认", reply_markup=buttons)


async def tapped(update: Update, _: Any) -> None:
    query = update.callback_query
    assert query
    assert query.message
    match query.data:
        case "ok" if not state().get("shown"):
            await query.answer("已确认")
            await query.edit_message_text(f"已确认：{state()['name']}")
            save(shown=now())
            picture = io.BytesIO()
            qrcode.make(os.environ.get("FORM_URL", "https://verify.example/s/x7")).save(picture)
            await query.message.chat.send_photo(
                picture.getvalue(), "请扫码", reply_markup=keys([Button("我已完成", callback_data="done")])
            )
        case "done" if now() - state()["shown"] > CODE_LIFE:
            await query.answer("二维码已过期", show_alert=True)
            await query.delete_message()
        case "again":
            await query.answer()
            await query.edit_message_text("请输入姓名")
        case _:
            await query.answer("按钮已失效")


async def joined(update: Update, _: Any) -> None:
    chat = update.effective_chat
    if chat and chat.type != "private":
        await chat.send_message("请私聊我")
        await chat.leave()


def main() -> None:
    api = os.environ["BOT_API_URL"]
    built = Application.builder().token(os.environ["BOT_TOKEN"])
    app = built.base_url(f"{api}/bot").base_file_url(f"{api}/file/bot").build()
    app.add_handler(CallbackQueryHandler(tapped))
    app.add_handler(ChatMemberHandler(joined))
    app.add_handler(MessageHandler(filters.ALL, said))
    app.run_polling(allowed_updates=Update.ALL_TYPES)


if __name__ == "__main__":
    main()
