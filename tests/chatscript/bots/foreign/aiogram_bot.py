"""A bot of aiogram as its documentation has it: a router, a state machine in memory, long polling."""

import asyncio
import os
from pathlib import Path

from aiogram import Bot, Dispatcher, F, Router
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.filters import Command
from aiogram.fsm.context import FSMContext
from aiogram.fsm.state import State, StatesGroup
from aiogram.types import (
    CallbackQuery,
    FSInputFile,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    LabeledPrice,
    Message,
    PollAnswer,
    PreCheckoutQuery,
)

KEYS = InlineKeyboardMarkup(
    inline_keyboard=[[InlineKeyboardButton(text=word, callback_data=word) for word in ("Yes", "No")]]
)
router = Router()


class Talk(StatesGroup):
    name = State()
    consent = State()


@router.message(Command("start"))
async def start(message: Message, state: FSMContext) -> None:
    await state.set_state(Talk.name)
    await message.answer("What is your name?")


@router.message(Command("cancel"))
async def cancel(message: Message, state: FSMContext) -> None:
    await state.clear()
    await message.answer("Bye.")


@router.message(Talk.name, F.text)
async def named(message: Message, state: FSMContext) -> None:
    await state.update_data(name=message.text)
    await state.set_state(Talk.consent)
    await message.answer(f"Hello {message.text}, do you agree?", reply_markup=KEYS)


@router.callback_query(Talk.consent)
async def chosen(query: CallbackQuery, state: FSMContext) -> None:
    verdict = "agreed" if query.data == "Yes" else "declined"
    await query.answer("Noted")
    await query.message.edit_text(f"{(await state.get_data())['name']} {verdict}.")
    await state.clear()


@router.message(Command("photo"))
async def photo(message: Message) -> None:
    await message.answer_photo(FSInputFile(Path(__file__).with_name("picture.png")), caption="A picture")


@router.message(Command("poll"))
async def poll(message: Message) -> None:
    await message.answer_poll("Tea or coffee?", ["Tea", "Coffee"], is_anonymous=False)


@router.poll_answer()
async def voted(answer: PollAnswer, bot: Bot) -> None:
    await bot.send_message(answer.user.id, f"You chose {answer.option_ids[0]}")


@router.message(Command("pay"))
async def pay(message: Message) -> None:
    prices = [LabeledPrice(label="Tea", amount=5)]
    await message.answer_invoice("Tea", "A cup", payload="tea", currency="XTR", prices=prices)


@router.pre_checkout_query()
async def checkout(query: PreCheckoutQuery) -> None:
    await query.answer(ok=True)


@router.message(F.successful_payment)
async def paid(message: Message) -> None:
    payment = message.successful_payment
    await message.answer(f"Paid {payment.total_amount} {payment.currency}")


@router.message(F.document)
async def document(message: Message) -> None:
    await message.answer(f"Got {message.document.file_name}")


async def main() -> None:
    session = AiohttpSession(api=TelegramAPIServer.from_base(os.environ["BOT_API_URL"]))
    dispatcher = Dispatcher()
    dispatcher.include_router(router)
    await dispatcher.start_polling(Bot(os.environ["BOT_TOKEN"], session=session))


asyncio.run(main())
