"""The commands that support's people see in their own chats."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from telegram import Bot

from bot.handlers.api.transport import AiohttpRequest
from bot.handlers.commands_menu import publish_profile
from bot.handlers.staff.menu import publish_staff_menus
from tests.bot.handlers.staff_fixture import CATALOGUE
from tests.simulator_fixture import TOKEN, Simulator, simulator

THEIRS = ["link", "links", "attempt", "funnel", "share"]


@asynccontextmanager
async def a_bot(place: Simulator) -> AsyncIterator[Bot]:
    """A bot that knows how to speak to this town."""
    request = AiohttpRequest()
    async with Bot(TOKEN, f"{place.url}/bot", request=request, get_updates_request=AiohttpRequest()) as bot:
        await publish_profile(bot, CATALOGUE)
        yield bot


def menu(place: Simulator, person: int, language: str = "zh") -> list[str]:
    return [command["command"] for command in place.playground.world.profile.commands_for(person, language)]


def changes(place: Simulator) -> int:
    return sum(call.method == "setMyCommands" for call in place.playground.world.traffic.recent_calls)


async def test_support_sees_its_commands_above_everybodys_in_both_languages(tmp_path: Path) -> None:
    async with simulator() as place, a_bot(place) as bot:
        staff, other = (await place.new_user()).id, (await place.new_user()).id
        await publish_staff_menus(bot, CATALOGUE, {staff}, tmp_path / "menus")
        before = changes(place)
        await publish_staff_menus(bot, CATALOGUE, {staff}, tmp_path / "menus")

        everybody = menu(place, other)
        assert menu(place, staff) == menu(place, staff, "en") == THEIRS + everybody
        assert not set(THEIRS) & set(everybody)
        assert changes(place) == before, "nothing differed"


async def test_authz_whoever_is_no_longer_of_support_loses_the_menu(tmp_path: Path) -> None:
    kept = tmp_path / "menus"
    async with simulator() as place, a_bot(place) as bot:
        staff, other = (await place.new_user()).id, (await place.new_user()).id
        await publish_staff_menus(bot, CATALOGUE, {staff, other}, kept)
        await place.inject_fault("deleteMyCommands", "500")
        await publish_staff_menus(bot, CATALOGUE, {other}, kept)
        remembered = kept.read_text(encoding="ascii").split()
        await publish_staff_menus(bot, CATALOGUE, frozenset(), kept)

        assert sorted(remembered) == sorted([str(staff), str(other)]), "what failed is tried again"
        assert menu(place, staff) == menu(place, other) == menu(place, 0)
        assert kept.read_text(encoding="ascii") == ""


async def test_whoever_has_never_opened_the_chat_keeps_nobody_from_their_menu(tmp_path: Path) -> None:
    async with simulator() as place, a_bot(place) as bot:
        first, second = sorted([(await place.new_user()).id, (await place.new_user()).id])
        await place.inject_fault("setMyCommands", "403")
        await publish_staff_menus(bot, CATALOGUE, {first, second}, tmp_path / "menus")

        assert menu(place, first) == menu(place, 0)
        assert menu(place, second)[: len(THEIRS)] == THEIRS


async def test_a_bot_without_support_asks_nothing_of_telegram(tmp_path: Path) -> None:
    async with simulator() as place, a_bot(place) as bot:
        before = len(place.playground.world.traffic.recent_calls)
        await publish_staff_menus(bot, CATALOGUE, frozenset(), tmp_path / "menus")

        assert len(place.playground.world.traffic.recent_calls) == before
