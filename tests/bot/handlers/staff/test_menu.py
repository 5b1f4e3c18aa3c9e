"""The command menus of support staff in their private chats."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from telegram import Bot

from bot.handlers.api.transport import BotApiRequest
from bot.handlers.commands_menu import publish_profile
from bot.handlers.staff.menu import publish_staff_menus
from storage import open_store
from storage.bot_ownership import BotOwnership
from tests.bot.handlers.staff_fixture import CATALOGUE
from tests.fakes import TELEGRAM, make_sealing
from tests.simulator_fixture import TOKEN, Simulator, simulator

STAFF_COMMANDS = ["link", "links", "attempt", "funnel", "share"]


@pytest.fixture
async def record(tmp_path: Path) -> AsyncIterator[BotOwnership]:
    """Where the menus are noted: the store, as in the program."""
    async with open_store(f"sqlite:///{tmp_path}/bot.sqlite3", sealing=make_sealing()) as store:
        yield store.bot_ownership(TELEGRAM)


@asynccontextmanager
async def a_bot(telegram: Simulator) -> AsyncIterator[Bot]:
    """A bot that calls the simulator, with its profile published."""
    request = BotApiRequest()
    async with Bot(TOKEN, f"{telegram.url}/bot", request=request, get_updates_request=BotApiRequest()) as bot:
        await publish_profile(bot, CATALOGUE)
        yield bot


def menu(telegram: Simulator, person: int, language: str = "zh") -> list[str]:
    return [command["command"] for command in telegram.playground.world.profile.commands_for(person, language)]


def changes(telegram: Simulator) -> int:
    return sum(call.method == "setMyCommands" for call in telegram.playground.world.traffic.recent_calls)


async def test_staff_see_their_commands_before_everybodys_in_both_languages(record: BotOwnership) -> None:
    async with simulator() as telegram, a_bot(telegram) as bot:
        staff, other = (await telegram.new_user()).id, (await telegram.new_user()).id
        await publish_staff_menus(bot, CATALOGUE, {staff}, record)
        before = changes(telegram)
        await publish_staff_menus(bot, CATALOGUE, {staff}, record)

        everybody = menu(telegram, other)
        assert menu(telegram, staff) == menu(telegram, staff, "en") == STAFF_COMMANDS + everybody
        assert not set(STAFF_COMMANDS) & set(everybody)
        assert changes(telegram) == before, "nothing differed"


async def test_authz_a_former_staff_member_loses_the_menu(record: BotOwnership) -> None:
    async with simulator() as telegram, a_bot(telegram) as bot:
        staff, other = (await telegram.new_user()).id, (await telegram.new_user()).id
        await publish_staff_menus(bot, CATALOGUE, {staff, other}, record)
        await telegram.inject_fault("deleteMyCommands", "500")
        await publish_staff_menus(bot, CATALOGUE, {other}, record)
        recorded = await record.people_with_menu()
        await publish_staff_menus(bot, CATALOGUE, frozenset(), record)

        assert recorded == {staff, other}, "what failed is tried again"
        assert menu(telegram, staff) == menu(telegram, other) == menu(telegram, 0)
        assert await record.people_with_menu() == frozenset()


async def test_a_staff_member_without_a_chat_does_not_affect_the_others(record: BotOwnership) -> None:
    async with simulator() as telegram, a_bot(telegram) as bot:
        first, second = sorted([(await telegram.new_user()).id, (await telegram.new_user()).id])
        await telegram.inject_fault("setMyCommands", "403")
        await publish_staff_menus(bot, CATALOGUE, {first, second}, record)

        assert menu(telegram, first) == menu(telegram, 0)
        assert menu(telegram, second)[: len(STAFF_COMMANDS)] == STAFF_COMMANDS


async def test_a_bot_without_staff_makes_no_call(record: BotOwnership) -> None:
    async with simulator() as telegram, a_bot(telegram) as bot:
        before = len(telegram.playground.world.traffic.recent_calls)
        await publish_staff_menus(bot, CATALOGUE, frozenset(), record)

        assert len(telegram.playground.world.traffic.recent_calls) == before
