"""A bot as python-telegram-bot's examples write one: ConversationHandler, and PicklePersistence written at each update.

Updates are handled one after the other, because a ConversationHandler needs that.
"""

import asyncio
import logging
from typing import Any

from telegram import CallbackQuery, Message, Update
from telegram.ext import (
    Application,
    CallbackContext,
    CallbackQueryHandler,
    CommandHandler,
    ConversationHandler,
    MessageHandler,
    PicklePersistence,
    TypeHandler,
    filters,
)

from bench.peers import walk
from bench.peers.ptb_chat import PhoneEvent, delete_both, leave_receipt, say, send_code, show_event
from bench.peers.walk import TEXTS

Context = CallbackContext[Any, dict[str, Any], dict[str, Any], dict[str, Any]]
TYPE, CONSENT, NAME, NUMBER, CONFIRM, METHOD = range(6)


def pressed(update: Update) -> CallbackQuery:
    """The press of an update."""
    assert update.callback_query is not None
    return update.callback_query


def written(update: Update) -> Message:
    """The message of an update."""
    assert update.message is not None
    return update.message


def kept(context: Context) -> dict[str, Any]:
    """What is kept of a person."""
    assert context.user_data is not None
    return context.user_data


def chat_of(update: Update) -> int:
    """The chat of an update."""
    assert update.effective_chat is not None
    return update.effective_chat.id


async def start(update: Update, context: Context) -> int:
    """Ask for the type."""
    await say(context.bot, chat_of(update), TEXTS["start"], "type")
    return TYPE


async def choose_type(update: Update, context: Context) -> int:
    """Keep the type, and ask for consent."""
    kept(context)["type"] = pressed(update).data
    await pressed(update).answer()
    await leave_receipt(pressed(update), "type", TEXTS["type_done"])
    await say(context.bot, chat_of(update), TEXTS["consent"], "consent")
    return CONSENT


async def consent(update: Update, context: Context) -> int:
    """Ask for the name."""
    await pressed(update).answer()
    await leave_receipt(pressed(update), "consent", TEXTS["consent_done"])
    kept(context)["asked"] = await say(context.bot, chat_of(update), TEXTS["name"])
    return NAME


async def take_name(update: Update, context: Context) -> int:
    """Keep the name, and ask for the number."""
    state, asked = kept(context), kept(context)["asked"]
    state["name"] = written(update).text
    state["asked"] = await say(context.bot, chat_of(update), TEXTS["number"])
    await delete_both(written(update), asked, "name")
    return NUMBER


async def take_number(update: Update, context: Context) -> int:
    """Keep the number, and show both."""
    state = kept(context)
    state["number"] = written(update).text
    await say(context.bot, chat_of(update), TEXTS["confirm"].format(**state), "confirm")
    await delete_both(written(update), state["asked"], "number")
    return CONFIRM


async def confirm(update: Update, context: Context) -> int:
    """Ask for the method."""
    await pressed(update).answer()
    await leave_receipt(pressed(update), "confirm", TEXTS["confirm_done"].format(**kept(context)))
    await say(context.bot, chat_of(update), TEXTS["method"], "method")
    return METHOD


async def choose_method(update: Update, context: Context) -> int:
    """Send the code."""
    link = walk.new_link()
    await pressed(update).answer()
    await leave_receipt(pressed(update), "method", TEXTS["method_done"])
    kept(context)["link"] = link
    kept(context)["code"] = await send_code(context.bot, chat_of(update), link, walk.library_qr(link))
    return ConversationHandler.END


async def take_event(event: PhoneEvent, context: Context) -> None:
    """Keep what happened on the phone, and show it."""
    state = context.application.user_data[event.chat]
    state["stage"] = event.name
    await flush(event.chat, context)
    await show_event(context.bot, event, state["code"], state["link"])


async def flush(person: int, context: Context) -> None:
    """Write everything that is kept."""
    context.application.mark_data_for_update_persistence(user_ids=person)
    await context.application.update_persistence()


async def flush_update(update: Update, context: Context) -> None:
    """Write everything that is kept, after an update."""
    await flush(chat_of(update), context)


def conversation() -> ConversationHandler[Context]:
    """The conversation."""
    text = filters.TEXT & ~filters.COMMAND
    return ConversationHandler(
        entry_points=[CommandHandler("start", start)],
        states={
            TYPE: [CallbackQueryHandler(choose_type, "^type:")],
            CONSENT: [CallbackQueryHandler(consent, "^consent:")],
            NAME: [MessageHandler(text, take_name)],
            NUMBER: [MessageHandler(text, take_number)],
            CONFIRM: [CallbackQueryHandler(confirm, "^confirm:")],
            METHOD: [CallbackQueryHandler(choose_method, "^method:")],
        },
        fallbacks=[CommandHandler("start", start)],
        name="verification",
        persistent=True,
    )


async def main() -> None:
    """Run the bot until it is asked to end."""
    app = (
        Application.builder()
        .token(walk.TOKEN)
        .base_url(f"{walk.API}/bot")
        .job_queue(None)
        .persistence(PicklePersistence(walk.DATABASE))
        .build()
    )
    app.add_handler(conversation())
    app.add_handler(TypeHandler(PhoneEvent, take_event))
    app.add_handler(TypeHandler(Update, flush_update), group=1)
    async with app:
        await app.start()
        assert app.updater is not None
        await app.updater.start_polling()
        walk.spawn(pass_on_events(app))
        await walk.until_stopped()
        await app.updater.stop()
        await app.stop()


async def pass_on_events(app: Application[Any, Any, Any, Any, Any, Any]) -> None:
    """Put what happens on the phones into the queue of updates."""
    async for chat, event in walk.phone_events():
        await app.update_queue.put(PhoneEvent(chat, event))


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    asyncio.run(main())
