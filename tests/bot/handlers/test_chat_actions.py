"""The chat action comes only when the reply takes a moment."""

from bot.flow import effects as e
from bot.handlers.chat_actions import ChatActions
from bot.handlers.incoming import person_of
from tests.bot.handlers.staff_fixture import sender_fixture


async def test_a_chat_action_is_shown_when_no_reply_comes_and_leaves_no_message() -> None:
    async with sender_fixture() as sender:
        await sender.show(e.ShowChatAction())
        await sender.simulator.wait_until(lambda: sender.guest.events("action"))

        assert [event["action"] for event in sender.guest.events("action")] == ["upload_photo"]
        assert len(sender.guest.messages()) == 1


async def test_a_reply_that_comes_at_once_needs_no_chat_action() -> None:
    async with sender_fixture() as sender:
        other = await sender.simulator.new_user("李雷")
        await other.says("/start")
        actions = ChatActions(sender.bot, delay=0.0)
        for guest in (sender.guest, other):
            actions.show_soon(person_of(guest.id))
        actions.cancel(person_of(sender.guest.id))
        await sender.simulator.wait_until(lambda: other.events("action"))

        assert sender.guest.events("action") == []
