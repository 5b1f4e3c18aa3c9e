"""How the chat shows every reply, and what happens to the panel that was there."""

import json
from datetime import timedelta

import pytest

from bot.content.catalogue import Catalogue, Operator, load
from bot.engine.messages import MessageRef
from bot.flow import effects as e
from bot.flow.events import Choice
from bot.handlers.incoming import person_of
from bot.handlers.panels import Panel, PanelKind
from bot.handlers.side_messages import TOPICS_A_PAGE, render_faq, render_records
from tests.bot.handlers.staff_fixture import CATALOGUE, SenderFixture, sender_fixture
from tests.fakes import NOON
from tests.simulator_fixture import said
from verification.dialogue_store import Consent, LinkBinding, PastAttempt, PersonRecords
from verification.ids import Account, PersonId

LINK = "http://127.0.0.1:8080/v/abcdefghijklmnopqrstuvwx"
OTHER_LINK = "http://127.0.0.1:8080/v/zyxwvutsrqponmlkjihgfedc"
VALUES: e.Values = {"account": "telegram:71******12", "mark": ""}
METHOD: e.Values = {**VALUES, "method": e.TextKey("method.wechat"), "ticket": "0A1B-2C3D", "details": ""}
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
    question_id="m2",
    text="type.ask",
    values={**VALUES, "facts": e.TextKey("type.facts")},
    rows=((e.ChoiceButton(Choice.WECHAT),),),
)
NAME = "王小明"
MASKED: e.Values = {**METHOD, "name": "王*明", "number": "110105********002X"}
CHECK = e.AskQuestion(
    question_id="m7",
    text="confirm.ask",
    values={**MASKED, "name": e.Sensitive(NAME)},
    rows=((e.ChoiceButton(Choice.WECHAT),),),
)
TYPED = e.AskQuestion(question_id="m3", text="name.ask", values=VALUES, rows=((e.ChoiceButton(Choice.BACK),),))
CODE = e.ShowCode(question_id="m4", link=LINK, text="scan.waiting", values=SCAN, rows=ROWS)
NEW_CODE = e.ShowCode(question_id="m5", link=OTHER_LINK, text="scan.waiting", values=SCAN, rows=ROWS, in_place=True)
CAPTION = e.EditCaption(question_id="m4", text="scan.opened", values=SCAN, rows=ROWS)
VERIFIED = e.AskQuestion(
    question_id="m4",
    text="verified.ask",
    values={**METHOD, "at": NOON, "mark": ""},
    closed_code=e.ClosedCode(e.Picture.VERIFIED, "stamp.verified", {**METHOD, "mark": ""}),
)
EXPIRED = e.ReplaceCodeWithPicture(
    question_id="m6", picture=e.Picture.EXPIRED, text="expired.ask", values=METHOD, rows=ROWS
)


def panel_id(sender: SenderFixture) -> int:
    return int(json.loads(sender.panel)["id"])


async def test_a_question_has_its_buttons_and_becomes_the_panel() -> None:
    async with sender_fixture() as sender:
        await sender.show(QUESTION)

        [message] = sender.guest.waiting_messages()
        assert "目前没有正在进行的认证" in said(message)
        assert message["buttons"][0][0]["data"] == "q:begin:m1"
        assert (panel_id(sender), message["markup"]) == (message["id"], "inline")


async def test_a_note_is_above_the_question() -> None:
    async with sender_fixture() as sender:
        await sender.show(e.AskQuestion(question_id="m1", text="idle.ask", values=VALUES, rows=(), note="misc.resumed"))

        text = said(sender.guest.messages()[-1])
        assert text.index("欢迎回来") < text.index("目前没有正在进行的认证")


@pytest.mark.parametrize("first", [QUESTION, TYPED, CODE], ids=["buttons", "typed", "code"])
@pytest.mark.parametrize("second", [OTHER_QUESTION, TYPED, CODE, EXPIRED], ids=["buttons", "typed", "code", "card"])
async def test_inv09_of_two_questions_only_the_newer_keeps_its_buttons(first: e.Reply, second: e.Reply) -> None:
    async with sender_fixture() as sender:
        await sender.show(first)
        old = panel_id(sender)
        await sender.show(second)

        armed = [message["id"] for message in sender.guest.waiting_messages()]
        assert armed == [panel_id(sender)]
        assert old not in armed


async def test_a_panel_that_cannot_be_deleted_now_is_scheduled_and_the_next_question_is_asked_once() -> None:
    async with sender_fixture() as sender:
        await sender.show(QUESTION)
        old = panel_id(sender)
        await sender.guest.simulator.inject_fault("deleteMessage", "502", times=3)
        await sender.show(OTHER_QUESTION)

        assert [message["id"] for message in sender.guest.waiting_messages()] == [old, panel_id(sender)]
        assert sender.scheduled_deletions == [(person_of(sender.guest.id), old)]


async def test_an_answered_question_stays_as_a_record_without_buttons() -> None:
    async with sender_fixture() as sender:
        await sender.show(QUESTION)
        answered = panel_id(sender)
        await sender.show(e.RecordAnswer("type.done"))
        await sender.show(OTHER_QUESTION)

        record = next(message for message in sender.guest.messages() if message["id"] == answered)
        assert (said(record), record["buttons"]) == ("✓ 认证类型：个人认证", [])


async def test_a_record_made_before_a_crash_stays_when_the_question_is_asked_again() -> None:
    async with sender_fixture() as sender:
        await sender.show(QUESTION)
        before = sender.panel
        await sender.show(e.RecordAnswer("type.done"))
        sender.panel = before  # the process crashed before it stored that the question was answered
        await sender.show(OTHER_QUESTION, after_crash=True)

        assert any(said(message) == "✓ 认证类型：个人认证" for message in sender.guest.messages())
        assert [message["id"] for message in sender.guest.waiting_messages()] == [panel_id(sender)]


async def test_a_name_in_clear_leaves_the_chat_when_the_question_is_asked_again_after_a_crash() -> None:
    async with sender_fixture() as sender:
        await sender.show(CHECK)
        assert NAME in said(sender.guest.messages()[-1])
        await sender.show(OTHER_QUESTION, after_crash=True)

        assert NAME not in str(sender.guest.messages())


@pytest.mark.parametrize("reply", [e.RecordAnswer("confirm.done", MASKED), OTHER_QUESTION], ids=["record", "question"])
async def test_a_name_in_clear_leaves_the_chat_even_when_telegram_deletes_its_message_no_more(reply: e.Reply) -> None:
    async with sender_fixture() as sender:
        await sender.show(CHECK)
        checked = panel_id(sender)
        await sender.guest.simulator.sim("/clock", seconds=49 * 3600)
        await sender.show(reply)

        [message] = [message for message in sender.guest.messages() if message["id"] == checked]
        assert message["buttons"] == []
        assert NAME not in str(sender.guest.messages())


async def test_a_question_with_a_forced_reply_of_an_earlier_release_is_deleted_when_it_is_answered() -> None:
    async with sender_fixture() as sender:
        await sender.show(TYPED)
        sender.panel = Panel(panel_id(sender), PanelKind.TYPED).dump()
        await sender.show(e.RecordAnswer("type.done"))

        assert sender.panel == ""
        assert [message["from"] for message in sender.guest.messages()] == ["user"]


async def test_recording_an_answer_without_a_panel_does_nothing() -> None:
    async with sender_fixture() as sender:
        await sender.show(e.RecordAnswer("type.done"))

        assert [message["from"] for message in sender.guest.messages()] == ["user"]


async def test_a_code_can_be_scanned_and_leads_to_its_link() -> None:
    async with sender_fixture() as sender:
        await sender.show(CODE)

        assert sender.guest.scanned_link(sender.guest.messages()[-1]) == LINK


async def test_a_new_code_replaces_the_old_one_in_its_message() -> None:
    async with sender_fixture() as sender:
        await sender.show(CODE)
        before = panel_id(sender)
        await sender.show(NEW_CODE)

        assert panel_id(sender) == before
        assert sender.guest.scanned_link(sender.guest.messages()[-1]) == OTHER_LINK
        assert len(sender.guest.messages()) == 2


@pytest.mark.parametrize("first", [None, QUESTION], ids=["nothing", "a question"])
async def test_a_code_in_place_of_no_code_is_a_new_message(first: e.Reply | None) -> None:
    async with sender_fixture() as sender:
        if first is not None:
            await sender.show(first)
        await sender.show(NEW_CODE)

        [armed] = sender.guest.waiting_messages()
        assert sender.guest.scanned_link(armed) == OTHER_LINK


async def test_progress_changes_the_caption_and_keeps_the_code() -> None:
    async with sender_fixture() as sender:
        await sender.show(CODE)
        before = panel_id(sender)
        await sender.show(CAPTION)

        message = sender.guest.messages()[-1]
        assert (message["id"], sender.guest.scanned_link(message)) == (before, LINK)
        assert "已在手机上打开" in said(message)


async def test_progress_without_a_code_on_the_screen_is_a_new_message() -> None:
    async with sender_fixture() as sender:
        await sender.show(CAPTION)

        assert "已在手机上打开" in said(sender.guest.messages()[-1])
        assert [message["id"] for message in sender.guest.waiting_messages()] == [panel_id(sender)]


async def test_a_result_is_told_before_its_code_becomes_a_picture_without_buttons() -> None:
    async with sender_fixture() as sender:
        await sender.show(CODE)
        shown = panel_id(sender)
        await sender.show(VERIFIED)

        _, closed, result = sender.guest.messages()
        file = sender.simulator.playground.world.files.get(closed["photo"]["file_id"])
        assert (closed["id"], closed["buttons"], panel_id(sender)) == (shown, [], result["id"])
        assert file is not None
        assert "已通过" in said(closed)
        calls = [call.method for call in sender.simulator.playground.world.traffic.recent_calls]
        assert calls[-2:] == ["sendMessage", "editMessageMedia"]
        with pytest.raises(AssertionError, match="no code"):
            sender.guest.scanned_link(closed)


async def test_a_result_whose_code_the_person_deleted_is_told_once() -> None:
    async with sender_fixture() as sender:
        await sender.show(CODE)
        world = sender.simulator.playground.world
        code = world.message(sender.guest.id, panel_id(sender))
        assert code is not None
        world.delete_message(code)
        await sender.show(VERIFIED)

        _, result = sender.guest.messages()
        assert (result["id"], sender.scheduled_deletions) == (panel_id(sender), [])


def check_told_once(sender: SenderFixture, code: int) -> None:
    """The result is the panel, and the code, which could not be closed, is deleted later."""
    assert sender.scheduled_deletions == [(person_of(sender.guest.id), code)]
    assert panel_id(sender) == sender.guest.messages()[-1]["id"] != code


async def test_a_result_is_told_once_while_telegram_does_not_change_its_code_which_is_deleted_later() -> None:
    async with sender_fixture() as sender:
        await sender.show(CODE)
        code = panel_id(sender)
        await sender.simulator.inject_fault("editMessageMedia", "502", times=3)
        await sender.show(VERIFIED)

        check_told_once(sender, code)


async def test_a_result_is_told_once_where_telegram_refuses_the_caption_of_its_code() -> None:
    async with sender_fixture() as sender:
        await sender.show(CODE)
        code = panel_id(sender)
        sender.panel = Panel(code, PanelKind.PHOTO, "✓" * 1025).dump()
        await sender.show(VERIFIED)

        check_told_once(sender, code)


async def test_a_result_without_a_code_on_the_screen_takes_the_panel_away() -> None:
    async with sender_fixture() as sender:
        await sender.show(QUESTION)
        await sender.show(VERIFIED)

        assert [message["id"] for message in sender.guest.messages()[1:]] == [panel_id(sender)]


async def test_a_picture_with_buttons_is_the_new_panel() -> None:
    async with sender_fixture() as sender:
        await sender.show(CODE)
        await sender.show(EXPIRED)

        assert [message["id"] for message in sender.guest.waiting_messages()] == [panel_id(sender)]
        assert len(sender.guest.messages()) == 2


@pytest.mark.parametrize(
    ("first", "second", "sign"),
    [
        (QUESTION, OTHER_QUESTION, "你要认证哪一类"),
        (CODE, NEW_CODE, "等待扫码"),
        (CODE, CAPTION, "已在手机上打开"),
    ],
    ids=["question", "new code", "progress"],
)
async def test_a_panel_that_the_person_deleted_is_sent_again(first: e.Reply, second: e.Reply, sign: str) -> None:
    async with sender_fixture() as sender:
        await sender.show(first)
        world = sender.simulator.playground.world
        gone = world.message(sender.guest.id, panel_id(sender))
        assert gone is not None
        world.delete_message(gone)
        await sender.show(second)

        assert sign in said(sender.guest.messages()[-1])


async def test_recording_an_answer_in_a_deleted_panel_is_no_error() -> None:
    async with sender_fixture() as sender:
        await sender.show(QUESTION)
        world = sender.simulator.playground.world
        gone = world.message(sender.guest.id, panel_id(sender))
        assert gone is not None
        world.delete_message(gone)
        await sender.show(e.RecordAnswer("type.done"))
        await sender.show(OTHER_QUESTION)

        assert len(sender.guest.waiting_messages()) == 1


async def test_showing_the_same_again_is_a_success() -> None:
    async with sender_fixture() as sender:
        await sender.show(CODE)
        await sender.show(CAPTION)
        await sender.show(CAPTION)

        assert len(sender.guest.messages()) == 2
        assert len(sender.guest.waiting_messages()) == 1


async def test_a_side_text_leaves_the_panel_with_its_buttons() -> None:
    async with sender_fixture() as sender:
        await sender.show(QUESTION)
        await sender.show(e.SendText("misc.help", rows=((e.TopicButton(),), (e.UrlButton("console"),))))

        assert [message["id"] for message in sender.guest.waiting_messages()] == [panel_id(sender)]
        assert "我能做什么" in said(sender.guest.messages()[-1])


async def test_a_toast_answers_the_press_and_a_silent_one_too() -> None:
    async with sender_fixture() as sender:
        await sender.show(QUESTION)
        await sender.show(e.ShowToast("misc.closed_question"), await sender.pressed(panel_id(sender)))
        await sender.show(e.ShowToast(""), await sender.pressed(panel_id(sender)))

        toasts = [(event["text"], event["alert"]) for event in sender.guest.events("toast")]
        assert toasts == [(CATALOGUE.text("zh", "misc.closed_question"), False), ("", False)]


async def test_a_toast_for_an_expired_query_is_no_error() -> None:
    async with sender_fixture() as sender:
        await sender.show(e.ShowToast("misc.closed_question"), MessageRef(1, "12345"))

        assert sender.guest.events("toast") == []


async def test_a_press_on_an_old_question_removes_only_its_buttons() -> None:
    async with sender_fixture() as sender:
        await sender.show(QUESTION)
        old, sender.panel = panel_id(sender), ""
        await sender.show(OTHER_QUESTION)
        await sender.show(e.RemoveButtons(), await sender.pressed(old))

        assert [message["id"] for message in sender.guest.waiting_messages()] == [panel_id(sender)]


async def test_a_second_press_on_the_panel_keeps_its_buttons() -> None:
    async with sender_fixture() as sender:
        await sender.show(CODE)
        await sender.show(e.RemoveButtons(), await sender.pressed(panel_id(sender)))

        assert [message["id"] for message in sender.guest.waiting_messages()] == [panel_id(sender)]


async def test_a_persons_message_is_deleted_and_deleting_it_twice_is_no_error() -> None:
    async with sender_fixture() as sender:
        written = await sender.guest.says("韩梅梅")
        await sender.show(e.DeleteUserMessage(), MessageRef(written))
        await sender.show(e.DeleteUserMessage(), MessageRef(written))

        assert written not in [message["id"] for message in sender.guest.messages()]


async def test_a_topic_opens_in_its_own_message_and_changes_there() -> None:
    async with sender_fixture() as sender:
        await sender.show(QUESTION)
        await sender.show(e.ShowFaq("which_way"))
        topic = sender.guest.messages()[-1]
        await sender.show(e.ShowFaq(in_place=True), await sender.pressed(topic["id"], "faq:list.0"))

        changed = sender.guest.messages()[-1]
        assert (changed["id"], changed["id"] != panel_id(sender)) == (topic["id"], True)
        assert "常见问题" in said(changed)


async def test_an_unknown_topic_and_a_page_out_of_range_give_the_list() -> None:
    async with sender_fixture() as sender:
        await sender.show(e.ShowFaq("no_such_topic"))
        await sender.show(e.ShowFaq(page=999))

        assert all("常见问题" in text for text in sender.guest.bot_texts())


def buttons(shown: e.ShowFaq, catalogue: Catalogue = CATALOGUE) -> list[tuple[str, str | object | None]]:
    markup = render_faq(catalogue, "zh", shown).markup
    assert markup is not None
    return [(button.text, button.url or button.callback_data) for row in markup.inline_keyboard for button in row]


@pytest.mark.parametrize("page", range(6))
def test_each_list_of_topics_ends_with_the_official_page(page: int) -> None:
    official = ("官方常见问题", "https://cloud.tencent.com/document/product/378/55619")

    assert buttons(e.ShowFaq(page=page))[-1] == official
    assert buttons(e.ShowFaq(unanswered=True))[-1] == official


def test_each_list_of_topics_leads_to_its_neighbours_and_no_further() -> None:
    last = (len(CATALOGUE.faq["zh"]) - 1) // TOPICS_A_PAGE
    arrows = [
        [data for _, data in buttons(e.ShowFaq(page=page)) if "faq:list" in str(data)] for page in range(last + 1)
    ]

    between = [[f"faq:list.{page - 1}", f"faq:list.{page + 1}"] for page in range(1, last)]
    assert arrows == [["faq:list.1"], *between, [f"faq:list.{last - 1}"]]


@pytest.mark.parametrize(("count", "earlier"), [(1, ""), (10, ""), (11, "1"), (25, "15")])
def test_the_last_ten_records_are_shown_and_how_many_came_before(count: int, earlier: str) -> None:
    account = Account("telegram:200012345")
    consents = [
        Consent(
            person=person_of(200012345),
            account=account,
            kind="identity",
            version="1",
            language="zh",
            at=NOON + timedelta(days=number),
        )
        for number in range(count)
    ]
    records = PersonRecords(consents, [])
    last = PersonRecords(consents[-10:], [])
    text, shown = (render_records(CATALOGUE, "zh", e.ShowRecords("q", account), each).text for each in (records, last))
    note = CATALOGUE.text("zh", "privacy.more", {"count": earlier}) + "\n" if earlier else ""

    assert note in text
    assert text.replace(note, "") == shown
    assert CATALOGUE.text("zh", "privacy.more", {"count": "0"}) not in shown


def test_one_tap_under_an_answer_says_that_it_did_not_help_and_leads_to_a_human() -> None:
    assert ("没解决我的问题", "faq:unhelpful.icp") in buttons(e.ShowFaq("icp"))
    assert ("联系人工", "https://cloud.tencent.com/online-service") in buttons(e.ShowFaq(unhelpful=True))
    assert "没帮上忙" in render_faq(CATALOGUE, "zh", e.ShowFaq(unhelpful=True)).text


def test_a_contact_without_an_address_has_no_button() -> None:
    by_phone = load(days=30, operator=Operator("客服", "400 910 0100"))

    assert "联系人工" not in [label for label, _ in buttons(e.ShowFaq(unhelpful=True), by_phone)]


async def test_every_topic_can_be_shown_in_both_languages() -> None:
    async with sender_fixture() as sender:
        for sender.language in ("zh", "en"):
            for entry in CATALOGUE.faq[sender.language]:
                await sender.show(e.ShowFaq(entry.id))

        assert len(sender.guest.bot_texts()) == 2 * len(CATALOGUE.faq["zh"])


async def test_languages_are_offered_and_the_choice_becomes_a_sentence() -> None:
    async with sender_fixture() as sender:
        await sender.show(e.ShowLanguages())
        offer = sender.guest.messages()[-1]
        sender.language = "en"
        await sender.show(e.EditSideMessage("language.done"), await sender.pressed(offer["id"], "language:en"))

        changed = sender.guest.messages()[-1]
        assert (changed["id"], changed["buttons"]) == (offer["id"], [])
        assert said(changed) == CATALOGUE.text("en", "language.done")


async def test_records_are_shown_newest_last_and_many_are_counted() -> None:
    person = PersonId("telegram:1")
    records = PersonRecords(
        [
            Consent(person=person, account=Account("telegram:1"), kind="identity", version="v", language="zh", at=NOON)
            for _ in range(25)
        ],
        [],
    )
    async with sender_fixture() as sender:
        await sender.show(e.ShowRecords("m1", Account("telegram:7123456789")), records=records)

        text = said(sender.guest.messages()[-1])
        assert text.count("同意记录") == 10
        assert "15" in text
        assert "7123456789" not in text


async def test_records_and_export_name_the_chats_links_with_masked_accounts() -> None:
    records = PersonRecords(
        [],
        [PastAttempt(account=Account("cloud:200056789"), method="qq", status="failed", reason=None, created_at=NOON)],
        [LinkBinding(Account("cloud:200056789"), NOON)],
    )
    async with sender_fixture() as sender:
        await sender.show(e.ShowRecords("m1", Account("cloud:200056789")), records=records)
        shown = said(sender.guest.messages()[-1])
        await sender.show(e.SendExport(Account("cloud:200056789")), records=records)
        file = sender.simulator.playground.world.files.get(sender.guest.messages()[-1]["document"]["file_id"])

        assert file is not None
        content = json.loads(file.content)
        assert "通过链接绑定的账号：cloud:20*****89" in shown
        assert [link["account"] for link in content["links"]] == ["cloud:20*****89"]
        assert b"200056789" not in file.content


async def test_an_export_is_a_file_without_name_and_number() -> None:
    records = PersonRecords(
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
    async with sender_fixture() as sender:
        await sender.show(e.SendExport(Account("telegram:1")), records=records)

        document = sender.guest.messages()[-1]["document"]
        file = sender.simulator.playground.world.files.get(document["file_id"])
        assert file is not None
        assert document["file_name"] == "my-data.json"
        assert json.loads(file.content)["consents"][0]["kind"] == "identity"


async def test_an_answer_offers_other_topics_below_its_links() -> None:
    async with sender_fixture() as sender:
        await sender.show(e.ShowFaq("how_many", others=("three_accounts", "no_such_topic")))

        labels = [[button["label"] for button in row] for row in sender.guest.messages()[-1]["buttons"]]
        assert labels == [["实名认证常见问题"], ["❓ 提示已认证满 3 个账号怎么办"], ["没解决我的问题"], ["‹ 全部问题"]]


async def test_the_list_says_that_no_topic_answers() -> None:
    async with sender_fixture() as sender:
        await sender.show(e.ShowFaq(unanswered=True))

        assert said(sender.guest.messages()[-1]).startswith("没有找到对得上的问题")
