"""What both bots on python-telegram-bot do in the chat; they differ in how they keep states and make calls."""

from dataclasses import dataclass

from telegram import (
    Bot,
    CallbackQuery,
    ForceReply,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputMediaPhoto,
    LinkPreviewOptions,
    Message,
)
from telegram.constants import ChatAction, ParseMode

from bench.peers.walk import CARD, TEXTS, caption, makes

HTML = ParseMode.HTML
_NO_PREVIEW = LinkPreviewOptions(is_disabled=True)
_FORCE_REPLY = ForceReply(input_field_placeholder=TEXTS["placeholder"])
KEYBOARDS = {
    name: InlineKeyboardMarkup([[InlineKeyboardButton(label, callback_data=data)] for label, data in buttons])
    for name, buttons in TEXTS["keyboards"].items()
}


@dataclass(frozen=True, slots=True)
class PhoneEvent:
    """Something that happened on a phone; it comes through the application's queue, as an update does."""

    chat: int
    name: str


async def say(bot: Bot, chat: int, text: str, keyboard: str = "") -> int:
    """Send a text with a keyboard, or one that asks for a reply."""
    markup = KEYBOARDS[keyboard] if keyboard else _FORCE_REPLY
    return (await bot.send_message(chat, text, HTML, reply_markup=markup, link_preview_options=_NO_PREVIEW)).id


async def leave_receipt(query: CallbackQuery, step: str, text: str) -> None:
    """Put what was chosen in the place of the question."""
    if makes(f"{step} receipt"):
        await query.edit_message_text(text, HTML, link_preview_options=_NO_PREVIEW)


async def delete_both(message: Message, asked: int, what: str) -> None:
    """Delete what a person typed, and the question."""
    bot, chat = message.get_bot(), message.chat.id
    if makes(f"second deletion of the {what}"):
        await bot.delete_message(chat, message.id)
        await bot.delete_message(chat, asked)
    elif makes(f"deletion of the {what}"):
        await bot.delete_messages(chat, [message.id, asked])


async def send_code(bot: Bot, chat: int, link: str, image: bytes) -> int:
    """Send the QR code."""
    if makes("chat action"):
        await bot.send_chat_action(chat, ChatAction.UPLOAD_PHOTO)
    markup = KEYBOARDS["scan"]
    return (await bot.send_photo(chat, image, caption(link, "waiting"), parse_mode=HTML, reply_markup=markup)).id


async def show_event(bot: Bot, event: PhoneEvent, code: int, link: str) -> None:
    """Show what happened on the phone, below the code, or as the result."""
    if event.name != "passed":
        if makes(f"progress: {event.name}"):
            text, markup = caption(link, event.name), KEYBOARDS["scan"]
            await bot.edit_message_caption(event.chat, code, caption=text, parse_mode=HTML, reply_markup=markup)
        return
    await say(bot, event.chat, TEXTS["result"], "result")
    if makes("stamp"):
        await bot.edit_message_media(InputMediaPhoto(CARD, TEXTS["stamp"], HTML), event.chat, code)
