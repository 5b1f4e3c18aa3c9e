"""Every reply as the chat shows it, and what becomes of the question that was there."""

import json

import pytest

from bot.engine.messages import MessageRef
from bot.flow import effects as e
from bot.flow.events import Choice
from bot.handlers.incoming import person_of
from tests.bot.handlers.staff_fixture import CATALOGUE, SenderFixture, sender_fixture
from tests.fakes import NOON
from tests.simulator_fixture import said
from verification.dialogue_store import Consent, LinkBinding, PastAttempt, PersonRecords
from verification.ids import Account, PersonId

LINK = "http://127.0.0.1:8080/v/abcdefghijklmnopqrstuvwx"
OTHER_LINK = "http://127.0.0.1:8080/v/zyxwvutsrqponmlkjihgfedc"
VALUES: e.Values = {"account": "telegram:71******12"}
METHOD: e.Values = {**VALUES, "method": e.TextKey("method.wechat"), "ticket": "0A1B-2C3D"}
SCAN: e.Values = {
    **METHOD,
    "code": "42",
    "until": e.ClockTime(NOON),
    "left": e.RemainingTime(NOON),
    "steps": e.TextKey("scan.steps.wechat"),
}
ROWS: e.Rows = ((e.ChoiceButton(Choice.NEW_CODE), e.ChoiceButton(Choice.CANCEL)),)

QUESTION = e.AskQuestion(question_id="m1", text="idle.ask", values=VALUES, rows=((e.ChoiceButton(Choice.BEGIN),),))
OTHER_QUESTION = e.AskQuestion(
    question_id="m2", text="method.ask", values=VALUES, rows=((e.ChoiceButton(Choice.WECHAT),),)
)
TYPED = e.AskQuestion(question_id="m3", text="name.ask", values=VALUES, placeholder="name.placeholder")
CODE = e.ShowCode(question_id="m4", link=LINK, text="scan.waiting", values=SCAN, rows=ROWS)
NEW_CODE = e.ShowCode(question_id="m5", link=OTHER_LINK, text="scan.waiting", values=SCAN, rows=ROWS, in_place=True)
CAPTION = e.EditCaption(question_id="m4", text="scan.opened", values=SCAN, rows=ROWS)
STAMP = e.ReplaceCodeWithPicture(question_id="m4", picture=e.Picture.VERIFIED, text="stamp.verified", values=METHOD)
EXPIRED = e.ReplaceCodeWithPicture(
    question_id="m6", picture=e.Picture.EXPIRED, text="expired.ask", values=METHOD, rows=ROWS, in_place=False
)


def panel_id(place: SenderFixture) -> int:
    return int(json.loads(place.panel)["id"])


async def test_a_question_stands_with_its_buttons_and_is_remembered() -> None:
    async with sender_fixture() as place:
        await place.show(QUESTION)

        [message] = place.guest.waiting_messages()
        assert "目前没有正在进行的认证" in said(message)
        assert message["buttons"][0][0]["data"] == "q:begin:m1"
        assert (panel_id(place), message["markup"]) == (message["id"], "inline")


async def test_a_note_is_said_above_the_question() -> None:
    async with sender_fixture() as place:
        await place.show(e.AskQuestion(question_id="m1", text="idle.ask", values=VALUES, rows=(), note="misc.resumed"))

        text = said(place.guest.messages()[-1])
        assert text.index("欢迎回来") < text.index("目前没有正在进行的认证")


async def test_a_question_for_a_text_opens_the_input_field_with_an_example() -> None:
    async with sender_fixture() as place:
        await place.show(TYPED)

        message = place.guest.messages()[-1]
        assert (message["markup"], message["placeholder"]) == ("force", "例如：王小明")


@pytest.mark.parametrize("first", [QUESTION, TYPED, CODE], ids=["buttons", "typed", "code"])
@pytest.mark.parametrize("second", [OTHER_QUESTION, TYPED, CODE, EXPIRED], ids=["buttons", "typed", "code", "card"])
async def test_inv09_of_two_questions_only_the_newer_stays_armed(first: e.Reply, second: e.Reply) -> None:
    async with sender_fixture() as place:
        await place.show(first)
        old = panel_id(place)
        await place.show(second)

        armed = [message["id"] for message in place.guest.waiting_messages()]
        assert armed == [panel_id(place)]
        assert old not in armed


async def test_a_question_that_cannot_be_taken_away_now_is_left_for_later_and_the_next_is_put_once() -> None:
    async with sender_fixture() as place:
        await place.show(QUESTION)
        old = panel_id(place)
        await place.guest.simulator.inject_fault("deleteMessage", "502", times=3)
        await place.show(OTHER_QUESTION)

        assert [message["id"] for message in place.guest.waiting_messages()] == [old, panel_id(place)]
        assert place.scheduled_deletions == [(person_of(place.guest.id), old)]


async def test_a_settled_question_stays_as_a_record_without_buttons() -> None:
    async with sender_fixture() as place:
        await place.show(QUESTION)
        settled = panel_id(place)
        await place.show(e.RecordAnswer("type.done"))
        await place.show(OTHER_QUESTION)

        record = next(message for message in place.guest.messages() if message["id"] == settled)
        assert (said(record), record["buttons"]) == ("认证类型：个人认证 ✓", [])


async def test_what_was_settled_before_a_crash_stays_a_record_when_the_question_is_asked_again() -> None:
    async with sender_fixture() as place:
        await place.show(QUESTION)
        before = place.panel
        await place.show(e.RecordAnswer("type.done"))
        place.panel = before  # the process died before it could note that the question was settled
        await place.show(OTHER_QUESTION, again=True)

        assert any(said(message) == "认证类型：个人认证 ✓" for message in place.guest.messages())
        assert [message["id"] for message in place.guest.waiting_messages()] == [panel_id(place)]


async def test_a_question_that_was_typed_into_vanishes_when_it_is_settled() -> None:
    async with sender_fixture() as place:
        await place.show(TYPED)
        await place.show(e.RecordAnswer("type.done"))

        assert place.panel == ""
        assert [message["from"] for message in place.guest.messages()] == ["user"]


async def test_settling_without_a_question_does_nothing() -> None:
    async with sender_fixture() as place:
        await place.show(e.RecordAnswer("type.done"))

        assert [message["from"] for message in place.guest.messages()] == ["user"]


async def test_a_code_can_be_scanned_and_leads_to_its_link() -> None:
    async with sender_fixture() as place:
        await place.show(CODE)

        assert place.guest.scanned_link(place.guest.messages()[-1]) == LINK


async def test_a_new_code_takes_the_place_of_the_old_one_in_its_message() -> None:
    async with sender_fixture() as place:
        await place.show(CODE)
        before = panel_id(place)
        await place.show(NEW_CODE)

        assert panel_id(place) == before
        assert place.guest.scanned_link(place.guest.messages()[-1]) == OTHER_LINK
        assert len(place.guest.messages()) == 2


@pytest.mark.parametrize("first", [None, QUESTION], ids=["nothing", "a question"])
async def test_a_code_in_place_of_no_code_is_a_new_message(first: e.Reply | None) -> None:
    async with sender_fixture() as place:
        if first is not None:
            await place.show(first)
        await place.show(NEW_CODE)

        [armed] = place.guest.waiting_messages()
        assert place.guest.scanned_link(armed) == OTHER_LINK


async def test_progress_changes_what_stands_under_the_code_and_keeps_the_code() -> None:
    async with sender_fixture() as place:
        await place.show(CODE)
        before = panel_id(place)
        await place.show(CAPTION)

        message = place.guest.messages()[-1]
        assert (message["id"], place.guest.scanned_link(message)) == (before, LINK)
        assert "已在手机上打开" in said(message)


async def test_progress_without_a_code_on_the_screen_is_still_told() -> None:
    async with sender_fixture() as place:
        await place.show(CAPTION)

        assert "已在手机上打开" in said(place.guest.messages()[-1])
        assert [message["id"] for message in place.guest.waiting_messages()] == [panel_id(place)]


async def test_a_stamp_takes_the_code_away_and_leaves_nothing_to_press() -> None:
    async with sender_fixture() as place:
        await place.show(CODE)
        shown = panel_id(place)
        await place.show(STAMP)

        message = place.guest.messages()[-1]
        kept = place.simulator.playground.world.files.get(message["photo"]["file_id"])
        assert (message["id"], message["buttons"], place.panel) == (shown, [], "")
        assert kept is not None
        assert "已通过" in said(message)
        with pytest.raises(AssertionError, match="no code"):
            place.guest.scanned_link(message)


async def test_a_stamp_with_buttons_is_the_question_now() -> None:
    async with sender_fixture() as place:
        await place.show(CODE)
        await place.show(EXPIRED)

        assert [message["id"] for message in place.guest.waiting_messages()] == [panel_id(place)]
        assert len(place.guest.messages()) == 2


@pytest.mark.parametrize(
    ("first", "second", "sign"),
    [
        (QUESTION, OTHER_QUESTION, "第 4 步"),
        (CODE, NEW_CODE, "等待扫码"),
        (CODE, CAPTION, "已在手机上打开"),
        (CODE, STAMP, "已通过"),
    ],
    ids=["question", "new code", "progress", "stamp"],
)
async def test_what_the_person_deleted_is_sent_anew(first: e.Reply, second: e.Reply, sign: str) -> None:
    async with sender_fixture() as place:
        await place.show(first)
        world = place.simulator.playground.world
        gone = world.message(place.guest.id, panel_id(place))
        assert gone is not None
        world.delete_message(gone)
        await place.show(second)

        assert sign in said(place.guest.messages()[-1])


async def test_a_settled_question_that_the_person_deleted_is_no_fault() -> None:
    async with sender_fixture() as place:
        await place.show(QUESTION)
        world = place.simulator.playground.world
        gone = world.message(place.guest.id, panel_id(place))
        assert gone is not None
        world.delete_message(gone)
        await place.show(e.RecordAnswer("type.done"))
        await place.show(OTHER_QUESTION)

        assert len(place.guest.waiting_messages()) == 1


async def test_showing_the_same_again_is_a_success() -> None:
    async with sender_fixture() as place:
        await place.show(CODE)
        await place.show(CAPTION)
        await place.show(CAPTION)

        assert len(place.guest.messages()) == 2
        assert len(place.guest.waiting_messages()) == 1


async def test_a_word_beside_the_question_leaves_the_question_armed() -> None:
    async with sender_fixture() as place:
        await place.show(QUESTION)
        await place.show(e.SendText("misc.help", rows=((e.TopicButton(),), (e.UrlButton("console"),))))

        assert [message["id"] for message in place.guest.waiting_messages()] == [panel_id(place)]
        assert "我能做什么" in said(place.guest.messages()[-1])


async def test_a_toast_answers_the_press_and_a_silent_one_too() -> None:
    async with sender_fixture() as place:
        await place.show(QUESTION)
        await place.show(e.ShowToast("misc.closed_question"), await place.pressed(panel_id(place)))
        await place.show(e.ShowToast(""), await place.pressed(panel_id(place)))

        told = [(event["text"], event["alert"]) for event in place.guest.events("toast")]
        assert told == [(CATALOGUE.text("zh", "misc.closed_question"), False), ("", False)]


async def test_a_toast_for_a_press_nobody_waits_for_any_more_is_no_fault() -> None:
    async with sender_fixture() as place:
        await place.show(e.ShowToast("misc.closed_question"), MessageRef(1, "12345"))

        assert place.guest.events("toast") == []


async def test_a_press_on_an_old_question_disarms_that_one_only() -> None:
    async with sender_fixture() as place:
        await place.show(QUESTION)
        old, place.panel = panel_id(place), ""
        await place.show(OTHER_QUESTION)
        await place.show(e.RemoveButtons(), await place.pressed(old))

        assert [message["id"] for message in place.guest.waiting_messages()] == [panel_id(place)]


async def test_a_second_press_on_the_live_question_does_not_disarm_it() -> None:
    async with sender_fixture() as place:
        await place.show(CODE)
        await place.show(e.RemoveButtons(), await place.pressed(panel_id(place)))

        assert [message["id"] for message in place.guest.waiting_messages()] == [panel_id(place)]


async def test_what_the_person_wrote_is_deleted_and_deleting_it_twice_is_no_fault() -> None:
    async with sender_fixture() as place:
        written = await place.guest.says("韩梅梅")
        await place.show(e.DeleteUserMessage(), MessageRef(written))
        await place.show(e.DeleteUserMessage(), MessageRef(written))

        assert written not in [message["id"] for message in place.guest.messages()]


async def test_being_busy_shows_and_leaves_nothing() -> None:
    async with sender_fixture() as place:
        await place.show(e.ShowChatAction())

        assert [event["action"] for event in place.guest.events("action")] == ["upload_photo"]


async def test_a_topic_opens_beside_and_changes_in_its_own_message() -> None:
    async with sender_fixture() as place:
        await place.show(QUESTION)
        await place.show(e.ShowFaq("which_way"))
        beside = place.guest.messages()[-1]
        await place.show(e.ShowFaq(in_place=True), await place.pressed(beside["id"], "faq:list.0"))

        changed = place.guest.messages()[-1]
        assert (changed["id"], changed["id"] != panel_id(place)) == (beside["id"], True)
        assert "常见问题" in said(changed)


async def test_a_topic_nobody_knows_and_a_page_too_far_give_the_list() -> None:
    async with sender_fixture() as place:
        await place.show(e.ShowFaq("no_such_topic"))
        await place.show(e.ShowFaq(page=999))

        assert all("常见问题" in text for text in place.guest.bot_texts())


async def test_every_topic_can_be_shown_in_both_languages() -> None:
    async with sender_fixture() as place:
        for place.language in ("zh", "en"):
            for entry in CATALOGUE.faq[place.language]:
                await place.show(e.ShowFaq(entry.id))

        assert len(place.guest.bot_texts()) == 2 * len(CATALOGUE.faq["zh"])


async def test_languages_are_offered_and_the_offer_becomes_a_sentence() -> None:
    async with sender_fixture() as place:
        await place.show(e.ShowLanguages())
        offer = place.guest.messages()[-1]
        place.language = "en"
        await place.show(e.EditSideMessage("language.done"), await place.pressed(offer["id"], "language:en"))

        changed = place.guest.messages()[-1]
        assert (changed["id"], changed["buttons"]) == (offer["id"], [])
        assert said(changed) == CATALOGUE.text("en", "language.done")


async def test_records_are_shown_newest_last_and_many_are_counted() -> None:
    person = PersonId("telegram:1")
    kept = PersonRecords(
        [
            Consent(person=person, account=Account("telegram:1"), kind="identity", version="v", language="zh", at=NOON)
            for _ in range(25)
        ],
        [],
    )
    async with sender_fixture() as place:
        await place.show(e.ShowRecords("m1", Account("telegram:7123456789")), records=kept)

        text = said(place.guest.messages()[-1])
        assert text.count("同意记录") == 10
        assert "15" in text
        assert "7123456789" not in text


async def test_records_and_export_name_the_links_that_bound_the_chat_and_their_accounts_only_masked() -> None:
    kept = PersonRecords(
        [],
        [PastAttempt(account=Account("cloud:200056789"), method="qq", status="failed", reason=None, created_at=NOON)],
        [LinkBinding(Account("cloud:200056789"), NOON)],
    )
    async with sender_fixture() as place:
        await place.show(e.ShowRecords("m1", Account("cloud:200056789")), records=kept)
        shown = said(place.guest.messages()[-1])
        await place.show(e.SendExport(Account("cloud:200056789")), records=kept)
        file = place.simulator.playground.world.files.get(place.guest.messages()[-1]["document"]["file_id"])

        assert file is not None
        content = json.loads(file.content)
        assert "通过链接绑定的账号：cloud:20*****89" in shown
        assert [link["account"] for link in content["links"]] == ["cloud:20*****89"]
        assert b"200056789" not in file.content


async def test_an_export_is_a_file_without_name_and_number() -> None:
    kept = PersonRecords(
        [
            Consent(
                person=PersonId("telegram:1"),
                account=Account("telegram:1"),
                kind="identity",
                version="v",
                language="zh",
                at=NOON,
            )
        ],
        [],
    )
    async with sender_fixture() as place:
        await place.show(e.SendExport(Account("telegram:1")), records=kept)

        document = place.guest.messages()[-1]["document"]
        file = place.simulator.playground.world.files.get(document["file_id"])
        assert file is not None
        assert document["file_name"] == "my-data.json"
        assert json.loads(file.content)["consents"][0]["kind"] == "identity"


async def test_an_answer_offers_what_else_may_have_been_meant_below_its_links() -> None:
    async with sender_fixture() as place:
        await place.show(e.ShowFaq("how_many", others=("three_accounts", "no_such_topic")))

        labels = [[button["label"] for button in row] for row in place.guest.messages()[-1]["buttons"]]
        assert labels == [["实名认证常见问题"], ["❓ 提示已认证满 3 个账号怎么办"], ["‹ 全部问题"]]


async def test_where_nothing_answers_the_list_says_so() -> None:
    async with sender_fixture() as place:
        await place.show(e.ShowFaq(unanswered=True))

        assert said(place.guest.messages()[-1]).startswith("没有找到对得上的问题")
