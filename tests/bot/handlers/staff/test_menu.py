"""The command menus of support staff in their private chats."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from telegram import Bot

from bot.handlers.api.transport import BotApiRequest
from bot.handlers.commands_menu import publish_profile
from bot.handlers.staff.menu import publish_staff_menus
from tests.bot.handlers.staff_fixture import CATALOGUE
from tests.simulator_fixture import TOKEN, Simulator, simulator

STAFF_COMMANDS = ["link", "links", "attempt", "funnel", "share"]


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


async def test_staff_see_their_commands_before_everybodys_in_both_languages(tmp_path: Path) -> None:
    async with simulator() as telegram, a_bot(telegram) as bot:
        staff, other = (await telegram.new_user()).id, (await telegram.new_user()).id
        await publish_staff_menus(bot, CATALOGUE, {staff}, tmp_path / "menus")
        before = changes(telegram)
        await publish_staff_menus(bot, CATALOGUE, {staff}, tmp_path / "menus")

        everybody = menu(telegram, other)
        assert menu(telegram, staff) == menu(telegram, staff, "en") == STAFF_COMMANDS + everybody
        assert not set(STAFF_COMMANDS) & set(everybody)
        assert changes(telegram) == before, "nothing differed"


async def test_authz_a_former_staff_member_loses_the_menu(tmp_path: Path) -> None:
    path = tmp_path / "menus"
    async with simulator() as telegram, a_bot(telegram) as bot:
        staff, other = (await telegram.new_user()).id, (await telegram.new_user()).id
        await publish_staff_menus(bot, CATALOGUE, {staff, other}, path)
        await telegram.inject_fault("deleteMyCommands", "500")
        await publish_staff_menus(bot, CATALOGUE, {other}, path)
        recorded = path.read_text(encoding="ascii").split()
        await publish_staff_menus(bot, CATALOGUE, frozenset(), path)

        assert sorted(recorded) == sorted([str(staff), str(other)]), "what failed is tried again"
        assert menu(telegram, staff) == menu(telegram, other) == menu(telegram, 0)
        assert path.read_text(encoding="ascii") == ""


async def test_a_staff_member_without_a_chat_does_not_affect_the_others(tmp_path: Path) -> None:
    async with simulator() as telegram, a_bot(telegram) as bot:
        first, second = sorted([(await telegram.new_user()).id, (await telegram.new_user()).id])
        await telegram.inject_fault("setMyCommands", "403")
        await publish_staff_menus(bot, CATALOGUE, {first, second}, tmp_path / "menus")

        assert menu(telegram, first) == menu(telegram, 0)
        assert menu(telegram, second)[: len(STAFF_COMMANDS)] == STAFF_COMMANDS


async def test_a_bot_without_staff_makes_no_call(tmp_path: Path) -> None:
    async with simulator() as telegram, a_bot(telegram) as bot:
        before = len(telegram.playground.world.traffic.recent_calls)
        await publish_staff_menus(bot, CATALOGUE, frozenset(), tmp_path / "menus")

        assert len(telegram.playground.world.traffic.recent_calls) == before
