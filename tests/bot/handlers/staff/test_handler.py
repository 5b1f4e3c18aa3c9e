"""The commands of support staff on a running bot: who may use them, the audit log, and repeated updates."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from telegram import Update

from bot.handlers.dialogue import DialogueContext
from bot.handlers.staff.command_parser import ButtonAction, StaffCommand
from bot.handlers.staff.delivery import ReplyTarget, StaffReplySender
from bot.handlers.staff.handler import StaffHandler
from bot.handlers.staff.replies import StaffReply
from bot.handlers.staff.service import StaffRequest, StaffService
from playground.world import serializers
from storage import StoreUnavailable
from tests.bot.app_fixture import RunningBot, running_bot
from tests.bot.handlers.staff_fixture import CATALOGUE
from tests.open_unit import open_unit
from tests.simulator_fixture import ChatUser, Simulator, plain, said, simulator
from verification.ids import Actor
from verification.support.funnel import Cohort, FunnelIncrement, FunnelStep, beijing_day
from verification.support.store import AuditEntry

ACCOUNT, MASKED = "100012345", "10*****45"
UNKNOWN = plain(CATALOGUE.text("zh", "misc.unknown_command"))
CLOSED = CATALOGUE.text("zh", "misc.closed_question")
WORDS = {
    StaffCommand.LINK: f"/link {ACCOUNT} spring",
    StaffCommand.LINKS: "/links",
    StaffCommand.ATTEMPT: "/attempt 0A1B-2C3D",
    StaffCommand.FUNNEL: "/funnel",
    StaffCommand.SHARE: "/share wechat",
}
PRESSES = [
    f"s:{verb}:0123456789abcdef" for verb in ButtonAction if verb not in {ButtonAction.LIST, ButtonAction.POSTER}
]
PRESSES += ["s:list::0:", "s:poster:wechat", "s:card:0123456789abcdef:0:spring"]

Json = dict[str, Any]


def staffed(*guests: ChatUser) -> Json:
    return {"staff_ids": ",".join(str(guest.id) for guest in guests)}


async def audit_log(bot: RunningBot) -> Sequence[AuditEntry]:
    """The audit log, without the entries of this test's own reading."""
    return [entry for entry in await bot.app.support.audit_log(Actor("test"), limit=100) if entry.actor != "test"]


async def make_link(guest: ChatUser) -> str:
    """Make a link as a staff member; gives its id."""
    await guest.says(WORDS[StaffCommand.LINK])
    await guest.sees("认证链接")
    _, data = guest.button("撤销") or (0, "")
    return data.rpartition(":")[2]


async def answer_to(guest: ChatUser, bot: RunningBot, text: str) -> list[str]:
    """The bot's replies to a text."""
    before = len(guest.everything_said())
    await guest.says(text)
    await bot.wait_until_quiet()
    return guest.everything_said()[before:]


async def test_authz_for_anybody_else_every_staff_command_is_unknown(tmp_path: Path) -> None:
    async with simulator() as telegram:
        staff, foreign = await telegram.new_user(), await telegram.new_user("李雷")
        async with running_bot(telegram, tmp_path, **staffed(staff)) as bot:
            nonsense = await answer_to(foreign, bot, "/no_such_command")
            answers = [await answer_to(foreign, bot, words) for words in WORDS.values()]
            help_of_people = await answer_to(foreign, bot, "/help")
            noted = await audit_log(bot)

    assert nonsense == [UNKNOWN]
    assert answers == [nonsense] * len(WORDS)
    assert (len(help_of_people), noted) == (1, [])


async def test_authz_for_anybody_else_every_staff_button_is_old(tmp_path: Path) -> None:
    async with simulator() as telegram:
        staff, foreign = await telegram.new_user(), await telegram.new_user("李雷")
        async with running_bot(telegram, tmp_path, **staffed(staff)) as bot:
            link = await make_link(staff)
            await foreign.says("/start")
            await bot.wait_until_quiet()
            at = foreign.messages()[-1]["id"]
            before = foreign.transcript()
            for data in ["no:such:data", *PRESSES, f"s:really:{link}", f"s:code:{link}"]:
                await foreign.press_raw(at, data)
                await bot.wait_until_quiet()
            toasts, after, noted = foreign.toasts(), foreign.transcript(), await audit_log(bot)

    assert toasts == [CLOSED] * (len(PRESSES) + 3)
    assert after == before
    assert [entry.action for entry in noted] == ["link"]


async def test_authz_a_former_staff_member_has_no_access(tmp_path: Path) -> None:
    async with simulator() as telegram:
        staff, other = await telegram.new_user(), await telegram.new_user("李雷")
        async with running_bot(telegram, tmp_path, **staffed(staff, other)) as bot:
            link = await make_link(staff)
            await bot.wait_until_quiet()
        async with running_bot(telegram, tmp_path, **staffed(other)) as bot:
            answers = [await answer_to(staff, bot, words) for words in WORDS.values()]
            await staff.taps("撤销")
            await bot.wait_until_quiet()
            await staff.press_raw(staff.messages()[0]["id"], f"s:really:{link}")
            await bot.wait_until_quiet()
            noted = await audit_log(bot)

    assert answers == [[UNKNOWN]] * len(WORDS)
    assert staff.toasts() == [CLOSED, CLOSED]
    assert [entry.action for entry in noted] == ["link"]


async def test_authz_staff_commands_do_not_work_in_a_group(tmp_path: Path) -> None:
    async with simulator() as telegram:
        staff = await telegram.new_user()
        async with running_bot(telegram, tmp_path, **staffed(staff)) as bot:
            await staff.says("/start")
            group = (await telegram.sim("/chats", members=[staff.id], title="群"))["id"]
            there = ChatUser(telegram, staff.id, group)
            await telegram.wait_until(there.everything_said)
            await bot.wait_until_quiet()
            before = len(there.everything_said())
            await telegram.sim(f"/chats/{group}/messages", user=staff.id, text="/links")
            await bot.wait_until_quiet()
            texts, noted = there.everything_said(), await audit_log(bot)

    hello = plain(CATALOGUE.text("zh", "group.hello"))
    assert before == 1
    assert set(texts) == {hello}
    assert noted == []


async def test_every_use_is_in_the_audit_log_with_its_actor_and_no_account_in_clear(tmp_path: Path) -> None:
    async with simulator() as telegram:
        staff = await telegram.new_user()
        async with running_bot(telegram, tmp_path, **staffed(staff)) as bot:
            link = await make_link(staff)
            for words in (WORDS[StaffCommand.LINKS], WORDS[StaffCommand.ATTEMPT], WORDS[StaffCommand.FUNNEL]):
                await answer_to(staff, bot, words)
            for data in (f"s:card:{link}:0:", f"s:code:{link}", f"s:really:{link}"):
                await staff.press_raw(staff.messages()[-1]["id"], data)
                await bot.wait_until_quiet()
            for wrong in ("/link", "/link 王小明", "/attempt 1", "/funnel a b", WORDS[StaffCommand.SHARE], "/help"):
                await answer_to(staff, bot, wrong)
            noted = list(reversed(await audit_log(bot)))

    assert {entry.actor for entry in noted} == {f"telegram:{staff.id}"}
    assert [(entry.action, entry.subject.split()[0] if entry.subject else "") for entry in noted] == [
        ("link", link),
        ("links", ""),
        ("attempt", "0a1b2c3d"),
        ("funnel", "all"),
        ("look at link", link),
        ("look at link", link),
        ("revoke", link),
    ]
    assert not any(ACCOUNT in entry.subject for entry in noted)
    assert noted[0].subject == f"{link} {MASKED}"


def command_of(telegram: Simulator, guest: ChatUser, update_id: int, text: str) -> Json:
    """An update as Telegram sends it."""
    world = telegram.playground.world
    message = {
        "message_id": 5,
        "from": serializers.bot_api_person(world.people[guest.id]),
        "chat": world.bot_api_chat(guest.id),
        "date": 1_790_000_000,
        "text": text,
        "entities": [{"type": "bot_command", "offset": 0, "length": len(text.split()[0])}],
    }
    return {"update_id": update_id, "message": message}


async def test_inv03_a_repeated_command_makes_one_link_even_after_a_restart(tmp_path: Path) -> None:
    async with simulator() as telegram:
        staff = await telegram.new_user()
        await staff.says("/start")
        update = command_of(telegram, staff, 900_000_001, WORDS[StaffCommand.LINK])
        for _ in range(2):
            async with running_bot(telegram, tmp_path, **staffed(staff)) as bot:
                await bot.app.intake.updates.handle(update)
                await bot.app.intake.updates.handle(update)
                stored = await bot.app.support.links(Actor("test"))
        links = {staff.scanned_link(message) for message in staff.messages() if message["photo"]}
        shown = sum(1 for message in staff.messages() if message["photo"])

    assert (len(stored), len(links)) == (1, 1)
    assert shown == 2, "once after each start, because the list of answered requests is in memory"


class FailingStaffService(StaffService):
    """A service whose first request fails because the store is unavailable."""

    def __init__(self) -> None:
        self.requests: list[str] = []

    async def answer(self, request: StaffRequest) -> Sequence[StaffReply]:
        self.requests.append(request.request_id)
        if len(self.requests) == 1:
            raise StoreUnavailable("away")
        return []


class SilentSender(StaffReplySender):
    """Shows nothing, and counts the calls."""

    def __init__(self) -> None:
        self.shown = 0

    def show(self, replies: Sequence[StaffReply], target: ReplyTarget) -> None:
        self.shown += 1


async def test_inv27_a_command_that_cannot_be_committed_shows_nothing_until_it_is_repeated(tmp_path: Path) -> None:
    service, delivery = FailingStaffService(), SilentSender()
    async with simulator() as telegram, running_bot(telegram, tmp_path) as bot:
        staff = await telegram.new_user()
        handler = StaffHandler(
            {staff.id}.__contains__, service, delivery, bot.app.engine.runner, bot.app.deps.store, "zh"
        )
        update = Update.de_json(command_of(telegram, staff, 7, "/links"), bot.app.intake.application.bot)
        context = DialogueContext(bot.app.intake.application)

        with pytest.raises(StoreUnavailable):
            await handler.callback(update, context)
        before = delivery.shown
        for _ in range(2):
            await handler.callback(update, context)

    assert service.requests == ["telegram:7", "telegram:7"]
    assert (before, delivery.shown) == (0, 1)


async def test_inv38_no_account_token_or_code_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "bot")
    async with simulator() as telegram:
        staff = await telegram.new_user()
        async with running_bot(telegram, tmp_path, **staffed(staff)) as bot:
            await telegram.inject_fault("sendPhoto", "500", 1)
            await make_link(staff)
            await answer_to(staff, bot, WORDS[StaffCommand.ATTEMPT])
            tokens = [bot.app.support.link_token(link.id) for link in await bot.app.support.links(Actor("test"))]

    secrets = [ACCOUNT, "0A1B-2C3D", "0a1b2c3d", *tokens]
    assert tokens
    assert [secret for secret in secrets if secret in caplog.text] == []


@pytest.mark.parametrize(("language", "expected"), [("zh-hans", "zh"), ("en-GB", "en"), ("de", "en")])
async def test_staff_are_answered_in_the_language_of_their_client(tmp_path: Path, language: str, expected: str) -> None:
    async with simulator() as telegram:
        staff = await telegram.new_user(language=language)
        async with running_bot(telegram, tmp_path, **staffed(staff)) as bot:
            answers = await answer_to(staff, bot, "/links")

    assert answers == [plain(CATALOGUE.text(expected, "staff.list.none"))]


async def test_staff_are_answered_in_the_language_they_chose(tmp_path: Path) -> None:
    async with simulator() as telegram:
        staff = await telegram.new_user(language="zh-hans")
        async with running_bot(telegram, tmp_path, **staffed(staff)) as bot:
            await staff.says("/language")
            await staff.taps("English")
            await bot.wait_until_quiet()
            answers = await answer_to(staff, bot, "/links")

    assert answers == [plain(CATALOGUE.text("en", "staff.list.none"))]


async def test_staff_can_verify_an_account_too(tmp_path: Path) -> None:
    async with simulator() as telegram:
        staff = await telegram.new_user()
        async with running_bot(telegram, tmp_path, **staffed(staff)) as bot:
            texts = await answer_to(staff, bot, "/help")
            await staff.says("/links", forward=True)
            edited = await staff.says("王小明")
            await staff.edits(edited, "/links")
            await bot.wait_until_quiet()
            noted = await audit_log(bot)

    assert [text.splitlines()[0] for text in texts] == ["客服命令（只有客服看得到）", "我能做什么"]
    assert noted == []


async def test_a_funnel_is_a_picture_with_a_caption(tmp_path: Path) -> None:
    async with simulator() as telegram:
        staff = await telegram.new_user()
        async with running_bot(telegram, tmp_path, **staffed(staff)) as bot:
            cohort = Cohort(day=beijing_day(bot.app.deps.clock.now()), campaign="spring", language="zh")
            async with open_unit(bot.app.deps.store, f"telegram:{staff.id}") as unit:
                await unit.add_to_funnel(
                    [
                        FunnelIncrement(cohort, FunnelStep.STARTED),
                        FunnelIncrement(cohort, FunnelStep.STARTED),
                        FunnelIncrement(cohort, FunnelStep.AGREED),
                    ]
                )
            await staff.says("/funnel spring today")
            shown = await staff.sees("漏斗")
            nothing = await answer_to(staff, bot, "/funnel autumn")

    assert shown["photo"]["width"] > shown["photo"]["height"] > 500
    assert all(words in said(shown) for words in ("spring", "2. 开始　2", "3. 同意　1", "同意 → 确认资料，少了 100 %"))
    assert [text.splitlines()[-1] for text in nothing] == ["这段时间还没有人来。"]
