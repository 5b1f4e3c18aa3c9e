"""What takes the panel's place, what is deleted with it, and how a record goes along with it."""

import pytest
from msgspec.structs import replace

from bot.engine.messages import DeliveryFailed, MessageRef
from bot.flow import effects as e
from bot.flow.events import Choice
from bot.handlers.incoming import person_of
from bot.handlers.panels import Panel, PanelKind
from playground.world.files import FileStore
from tests.bot.handlers.staff_fixture import SenderFixture, sender_fixture
from tests.bot.handlers.test_outgoing import (
    CODE,
    EXPIRED,
    NEW_CODE,
    OTHER_QUESTION,
    QUESTION,
    ROWS,
    TYPED,
    VALUES,
    VERIFIED,
)
from tests.fakes import NOON
from tests.simulator_fixture import said

AGREED = e.RecordAnswer("consent.done", {"at": NOON}, stays=True)
RECORD = "✓ 已同意收集姓名和身份证号、聊天内容出境"
NAME = e.AskQuestion(
    question_id="m7", text="name.ask", values=VALUES, rows=((e.ChoiceButton(Choice.BACK),),), keeps_record=True
)
METHOD = replace(OTHER_QUESTION, question_id="m8", keeps_record=True)


def panel(sender: SenderFixture) -> Panel:
    loaded = Panel.load(sender.panel)
    assert loaded is not None
    return loaded


async def agreed(sender: SenderFixture) -> None:
    """Ask a question, and record by its button that the person agrees."""
    await sender.show(QUESTION)
    press = await sender.pressed(panel(sender).id)
    await sender.show(AGREED, press)
    await sender.show(NAME, press)


def calls(sender: SenderFixture) -> list[str]:
    return [call.method for call in sender.simulator.playground.world.traffic.recent_calls]


async def test_a_question_that_follows_from_a_button_takes_the_panel_s_place() -> None:
    async with sender_fixture() as sender:
        await sender.show(QUESTION)
        press, before = await sender.pressed(panel(sender).id), panel(sender)
        await sender.show(e.RecordAnswer("type.done"), press)
        await sender.show(OTHER_QUESTION, press)

        [armed] = sender.guest.waiting_messages()
        assert (armed["id"], panel(sender)) == (before.id, before)
        assert "你要认证哪一类" in said(armed)
        assert calls(sender)[-2:] == ["sendMessage", "editMessageText"]


async def test_a_press_on_another_message_does_not_change_the_panel_into_the_next_question() -> None:
    async with sender_fixture() as sender:
        await sender.show(e.ShowLanguages())
        side = sender.guest.messages()[-1]["id"]
        await sender.show(QUESTION)
        old = panel(sender).id
        await sender.show(OTHER_QUESTION, await sender.pressed(side))

        ids = [message["id"] for message in sender.guest.messages()]
        assert (side in ids, old in ids, ids[-1]) == (True, False, panel(sender).id)


async def test_a_question_for_a_text_goes_on_in_the_panel_s_place_with_its_buttons() -> None:
    async with sender_fixture() as sender:
        await agreed(sender)

        message = sender.guest.messages()[-1]
        assert (panel(sender).kind, message["buttons"][0][0]["data"]) == (PanelKind.TEXT, "q:back:m7")
        assert [RECORD in said(message), "1/4" in said(message)] == [True, True]


async def test_an_answer_is_deleted_with_its_question_in_one_call_and_the_record_goes_along() -> None:
    async with sender_fixture() as sender:
        await agreed(sender)
        old, typed = panel(sender).id, await sender.guest.says("韩梅梅")
        await sender.show(e.DeleteUserMessage(with_panel=True), MessageRef(typed))
        await sender.show(METHOD, MessageRef(typed))

        assert calls(sender)[-2:] == ["deleteMessages", "sendMessage"]
        assert not {old, typed} & {message["id"] for message in sender.guest.messages()}
        assert said(sender.guest.messages()[-1]).startswith(RECORD)


async def test_an_answer_without_a_panel_is_deleted_alone() -> None:
    async with sender_fixture() as sender:
        typed = await sender.guest.says("韩梅梅")
        await sender.show(e.DeleteUserMessage(with_panel=True), MessageRef(typed))

        assert (sender.panel, typed in [message["id"] for message in sender.guest.messages()]) == ("", False)


async def test_an_answer_that_cannot_be_deleted_now_fails_the_turn() -> None:
    async with sender_fixture() as sender:
        await sender.show(TYPED)
        typed = await sender.guest.says("韩梅梅")
        await sender.simulator.inject_fault("deleteMessages", "502", times=3)

        with pytest.raises(DeliveryFailed):
            await sender.show(e.DeleteUserMessage(with_panel=True), MessageRef(typed))


async def test_a_refused_deletion_leaves_the_panel_to_be_removed_by_the_next_question() -> None:
    async with sender_fixture() as sender:
        await sender.show(TYPED)
        typed = await sender.guest.says("韩梅梅")
        await sender.simulator.inject_fault("deleteMessages", "403")
        await sender.show(e.DeleteUserMessage(with_panel=True), MessageRef(typed))
        await sender.show(QUESTION, MessageRef(typed))

        assert [message["id"] for message in sender.guest.waiting_messages()] == [panel(sender).id]


async def test_a_question_that_does_not_rest_on_the_record_leaves_it_as_a_message_of_its_own() -> None:
    async with sender_fixture() as sender:
        await agreed(sender)
        old = panel(sender).id
        await sender.show(METHOD, await sender.pressed(old))
        await sender.show(QUESTION, await sender.pressed(old))

        record, question = sender.guest.messages()[-2:]
        assert (record["id"], record["buttons"], said(record).startswith(RECORD)) == (old, [], True)
        assert "\n" not in said(record)
        assert (question["id"], RECORD in said(question)) == (panel(sender).id, False)


async def test_a_record_that_cannot_be_left_now_is_scheduled_for_deletion_and_the_question_is_asked_once() -> None:
    async with sender_fixture() as sender:
        await agreed(sender)
        old = panel(sender).id
        await sender.simulator.inject_fault("editMessageText", "502", times=3)
        await sender.show(QUESTION)

        assert sender.scheduled_deletions == [(person_of(sender.guest.id), old)]


async def test_both_records_come_back_below_the_card_that_closes_the_panel() -> None:
    async with sender_fixture() as sender:
        await agreed(sender)
        press = await sender.pressed(panel(sender).id)
        await sender.show(METHOD, press)
        await sender.show(e.RecordAnswer("face_consent.done", {"at": NOON}, stays=True), press)
        for code in (NEW_CODE, e.EditCaption(question_id="m5", text="scan.opened", values=CODE.values, rows=ROWS)):
            await sender.show(code)
            assert RECORD not in said(sender.guest.messages()[-1])
        await sender.show(VERIFIED)

        _, closed, _ = sender.guest.messages()
        lines = [line.partition(" · ")[0] for line in said(closed).splitlines()]
        assert lines[-3:] == ["", RECORD, "✓ 已单独同意使用人脸识别"]


async def test_a_code_takes_the_place_of_the_question_before_it() -> None:
    async with sender_fixture() as sender:
        await sender.show(OTHER_QUESTION)
        before = panel(sender).id
        await sender.show(NEW_CODE)

        message = sender.guest.messages()[-1]
        assert panel(sender) == Panel(before, PanelKind.PHOTO)
        assert sender.guest.scanned_link(message) == NEW_CODE.link
        assert len(sender.guest.messages()) == 2


async def test_a_record_goes_along_with_a_question_that_is_asked_again_after_a_crash() -> None:
    async with sender_fixture() as sender:
        await agreed(sender)
        old = panel(sender).id
        await sender.show(METHOD, after_crash=True)

        assert old not in [message["id"] for message in sender.guest.messages()]
        assert said(sender.guest.messages()[-1]).startswith(RECORD)


async def test_a_record_goes_along_with_a_picture_in_a_message_of_its_own() -> None:
    async with sender_fixture() as sender:
        await agreed(sender)
        await sender.show(EXPIRED)

        assert panel(sender).record.startswith(RECORD)
        assert len(sender.guest.messages()) == 2


async def test_a_card_that_telegram_no_longer_knows_is_uploaded_again() -> None:
    async with sender_fixture() as sender:
        await sender.show(CODE)
        await sender.show(VERIFIED)
        await sender.show(CODE)
        sender.simulator.playground.world.files = FileStore()
        await sender.show(VERIFIED)
        await sender.show(CODE)
        await sender.show(VERIFIED)

        cards = [message["photo"]["file_id"] for message in sender.guest.messages() if message.get("photo")]
        first, second, third = cards
        assert first != second == third


@pytest.mark.parametrize("kept", [Panel(7, PanelKind.TYPED), Panel(8, PanelKind.TEXT, "已同意 ✓")])
def test_a_panel_is_read_as_it_was_stored(kept: Panel) -> None:
    assert Panel.load(kept.dump()) == kept


def test_a_panel_that_an_earlier_release_stored_has_no_record() -> None:
    assert Panel.load('{"id": 7, "form": "typed"}') == Panel(7, PanelKind.TYPED)
    assert Panel.load("") is None


async def test_a_panel_with_other_messages_below_it_is_not_changed_into_the_next_question() -> None:
    async with sender_fixture() as sender:
        await sender.show(QUESTION)
        old = panel(sender).id
        await sender.show(e.ShowFaq("which_way"))
        press = await sender.pressed(old)
        await sender.show(e.RecordAnswer("type.done"), press)
        await sender.show(OTHER_QUESTION, press)

        record, topic, question = sender.guest.messages()[1:]
        assert (record["id"], said(record)) == (old, "✓ 认证类型：个人认证")
        assert (topic["id"] != panel(sender).id, question["id"]) == (True, panel(sender).id)


async def test_a_code_does_not_take_the_place_of_a_question_with_messages_below_it() -> None:
    async with sender_fixture() as sender:
        await sender.show(OTHER_QUESTION)
        await sender.show(e.SendText("misc.slow_down"))
        await sender.show(NEW_CODE)

        assert [message["id"] for message in sender.guest.waiting_messages()] == [panel(sender).id]
        assert panel(sender).id == sender.guest.messages()[-1]["id"]


async def test_a_code_after_a_crash_is_a_new_message_because_an_edit_makes_no_sound() -> None:
    async with sender_fixture() as sender:
        await sender.show(OTHER_QUESTION)
        old = panel(sender).id
        await sender.show(e.ShowChatAction(), after_crash=True)
        await sender.show(NEW_CODE)

        assert old not in [message["id"] for message in sender.guest.messages()]
        assert sender.guest.scanned_link(sender.guest.messages()[-1]) == NEW_CODE.link
