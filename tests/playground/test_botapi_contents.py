"""What a bot can send besides texts: files by upload, URL and file_id, places, dice, polls, albums, invoices."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from telegram import Bot, InputMediaPhoto, InputMediaVideo, LabeledPrice, Message
from telegram.request import HTTPXRequest

from tests.playground.simulator import TOKEN, RunningPlayground, running_playground
from tests.playground.test_botapi_files import picture

URL = "https://files.example/a/cat.mp4?x=1"
STICKER = "CAACAgIAAxkBAAEBQJ5hYzYpAAFm2mR5c0v3bX8kQ9wZ0aXbY7tRr2mVd"  # of another bot


@pytest.fixture
async def simulator() -> AsyncIterator[RunningPlayground]:
    async with running_playground() as simulator:
        yield simulator


@pytest.fixture
async def bot(simulator: RunningPlayground) -> AsyncIterator[Bot]:
    """The library's own client, so that every answer is one that a library can read."""
    async with Bot(TOKEN, base_url=f"{simulator.url}/bot", request=HTTPXRequest()) as bot:
        yield bot


FILE_KINDS = ("photo", "audio", "document", "video", "animation", "voice", "video_note", "sticker")


@pytest.mark.parametrize("kind", FILE_KINDS)
async def test_a_file_is_sent_by_upload_by_url_and_again_by_its_file_id(
    simulator: RunningPlayground, bot: Bot, kind: str
) -> None:
    user = await simulator.person()
    send = getattr(bot, f"send_{kind}")
    content = picture(64, 64) if kind == "photo" else b"content"

    uploaded: Message = await send(user, content)
    fetched: Message = await send(user, URL)
    media = uploaded.photo[-1] if kind == "photo" else getattr(uploaded, kind)
    again: Message = await send(user, media.file_id)

    for message in (uploaded, fetched, again):
        assert getattr(message, kind)
    assert (again.photo[-1] if kind == "photo" else getattr(again, kind)).file_unique_id == media.file_unique_id
    texts = [event["text"] for event in await simulator.events("remark")]
    assert [text.partition(": ")[2] for text in texts] == [
        "the simulator fetches no URL: sample content stands for the file"
    ]
    shown = [event["message"]["kind"] for event in await simulator.events("message")][-3:]
    assert shown == [kind] * 3


async def test_a_file_id_of_another_bot_is_taken_and_said_to_be_a_sample(simulator: RunningPlayground) -> None:
    user = await simulator.person()

    sent = await simulator.result("sendSticker", chat_id=user, sticker=STICKER)

    assert sent["sticker"]["width"] == 512
    assert "sample content" in (await simulator.events("remark"))[-1]["text"]


async def test_a_file_keeps_its_kind_when_it_is_sent_by_its_file_id(simulator: RunningPlayground) -> None:
    user = await simulator.person()
    voice = (await simulator.upload("sendVoice", chat_id=user, voice=b"OggS"))["result"]["voice"]["file_id"]

    assert "voice" in await simulator.result("sendDocument", chat_id=user, document=voice)
    assert await simulator.refusal("sendPhoto", chat_id=user, photo=voice) == (
        "Bad Request: can't use file of type Voice as Photo"
    )


@pytest.mark.parametrize(
    ("method", "fields", "refusal"),
    [
        ("sendPhoto", {"photo": "attach://none"}, "there is no photo in the request"),
        ("sendVideoNote", {}, "there is no video note in the request"),
        ("sendVideo", {"video": "abc"}, "wrong file identifier/HTTP URL specified"),
        ("sendVideo", {"video": "http://localhost/a"}, "wrong file identifier/HTTP URL specified: Wrong HTTP URL"),
        ("sendLocation", {"longitude": 1}, "latitude is empty"),
        ("sendLocation", {"latitude": 1}, "longitude is empty"),
        ("sendLocation", {"latitude": 91, "longitude": 1}, "wrong location specified"),
        ("sendVenue", {"latitude": 1, "longitude": 1, "title": "a"}, 'parameter "address" is required'),
        ("sendContact", {"phone_number": "1"}, 'parameter "first_name" is required'),
        ("sendDice", {"emoji": "🙂"}, "DICE_EMOJI_INVALID"),
        ("sendPoll", {"question": "a", "options": "{"}, "can't parse options JSON object"),
        ("sendPoll", {"question": "a", "options": {}}, "expected an Array of String as options"),
        ("sendPoll", {"question": "a", "options": [1]}, "expected an option to be of type String"),
        ("sendPoll", {"question": "a", "options": []}, "poll must have at least 1 option"),
        ("sendPoll", {"question": "a", "options": ["b"] * 13}, "poll can't have more than 12 options"),
        ("sendPoll", {"question": "a", "options": ["b" * 101]}, "poll options length must not exceed 100"),
        ("sendPoll", {"question": "a", "options": [" "]}, "poll options must be non-empty"),
        ("sendPoll", {"question": " ", "options": ["b"]}, "poll question must be non-empty"),
        ("sendPoll", {"question": "a" * 301, "options": ["b"]}, "poll question length must not exceed 300"),
        ("sendPoll", {"question": "a", "options": ["b"], "type": "x"}, "unsupported poll type specified"),
        ("sendPoll", {"question": "a", "options": ["b"], "type": "quiz"}, "wrong correct option ID specified"),
        (
            "sendPoll",
            {"question": "a", "options": ["b"], "type": "quiz", "correct_option_id": 1},
            "wrong correct option ID specified",
        ),
        ("sendChecklist", {}, 'parameter "checklist" is required'),
        ("sendChecklist", {"checklist": {"title": "a"}}, "can't parse InputChecklist: expected an Object with a title"),
        (
            "sendChecklist",
            {"checklist": {"title": "a", "tasks": []}},
            "can't parse InputChecklist: expected a title and 1-30 tasks",
        ),
        ("sendGame", {}, 'parameter "game_short_name" is required'),
        ("sendRichMessage", {}, "can't parse InputRichMessage: expected an Object"),
        ("sendMediaGroup", {"media": []}, "media group must include 2-10 items"),
        ("sendMediaGroup", {"media": [1, 2]}, "can't parse InputMedia: expected an Object"),
        ("sendMediaGroup", {"media": [{"type": "x"}] * 2}, 'can\'t parse InputMedia: type "x" is unsupported'),
        ("sendMediaGroup", {"media": [{"type": "photo"}] * 2}, "can't parse InputMedia: media not found"),
        (
            "sendMediaGroup",
            {"media": [{"type": "photo", "media": "attach://a"}] * 2},
            "can't parse InputMedia: media not found",
        ),
        (
            "sendMediaGroup",
            {"media": [{"type": "photo", "media": URL}, {"type": "audio", "media": URL}]},
            "can't use the media of the specified type in the album",
        ),
        ("sendPaidMedia", {"star_count": 1}, "there is no paid media in the request"),
        ("sendPaidMedia", {"media": [1]}, "wrong number of stars specified"),
        ("sendMessageDraft", {"text": "a"}, "invalid draft_id specified"),
        ("sendMessage", {"text": "a", "message_thread_id": 5}, "message thread not found"),
    ],
)
async def test_a_wrong_content_is_refused_in_telegrams_words(
    simulator: RunningPlayground, method: str, fields: dict[str, Any], refusal: str
) -> None:
    user = await simulator.person()

    described = await simulator.refusal(method, chat_id=user, **fields)

    assert described.startswith(f"Bad Request: {refusal}")


async def test_places_contacts_and_dice_are_shown_with_what_a_person_reads(
    simulator: RunningPlayground, bot: Bot
) -> None:
    user = await simulator.person()

    await bot.send_location(user, 39.9, 116.4, horizontal_accuracy=5, live_period=60)
    await bot.send_venue(user, 39.9, 116.4, "大厅", "长安街", foursquare_id="1")
    await bot.send_contact(user, "+8613800138000", "王", last_name="小明")
    dice = await bot.send_dice(user, emoji="🎯")

    titles = [event["message"]["title"] for event in await simulator.events("message")]
    assert dice.dice is not None
    assert titles[-4:] == ["39.9, 116.4", "大厅, 长安街", "王 小明 +8613800138000", f"🎯 {dice.dice.value}"]


async def test_a_live_location_moves_and_ends(simulator: RunningPlayground, bot: Bot) -> None:
    user = await simulator.person()
    sent = await bot.send_location(user, 1, 1, live_period=60)

    moved = await bot.edit_message_live_location(user, sent.message_id, latitude=2, longitude=3, heading=90)
    ended = await bot.stop_message_live_location(user, sent.message_id)

    assert isinstance(moved, Message)
    assert moved.location is not None
    assert (moved.location.latitude, moved.location.heading) == (2, 90)
    assert isinstance(ended, Message)
    assert ended.location is not None
    assert ended.location.live_period is None
    for method, more in (("editMessageLiveLocation", {"latitude": 1, "longitude": 1}), ("stopMessageLiveLocation", {})):
        fields = {"chat_id": user, "message_id": sent.message_id, **more}
        assert await simulator.refusal(method, **fields) == "Bad Request: message can't be edited"


async def test_a_poll_is_sent_and_closed(simulator: RunningPlayground, bot: Bot) -> None:
    user = await simulator.person()
    sent = await bot.send_poll(user, "去哪里？", ["北京", "上海"], is_anonymous=False, open_period=60)

    poll = await bot.stop_poll(user, sent.message_id)

    assert poll.is_closed
    assert [option.text for option in poll.options] == ["北京", "上海"]
    assert await simulator.refusal("stopPoll", chat_id=user, message_id=sent.message_id) == (
        "Bad Request: poll has already been closed"
    )
    text = await simulator.result("sendMessage", chat_id=user, text="a")
    assert await simulator.refusal("stopPoll", chat_id=user, message_id=text["message_id"]) == (
        "Bad Request: message with poll to stop not found"
    )


async def test_a_quiz_keeps_its_solution(bot: Bot, simulator: RunningPlayground) -> None:
    user = await simulator.person()

    sent = await bot.send_poll(user, "1+1?", ["1", "2"], type="quiz", correct_option_ids=[1], explanation="*二*")

    assert sent.poll is not None
    assert (sent.poll.type, sent.poll.explanation) == ("quiz", "*二*")


async def test_an_album_is_several_messages_with_one_id(simulator: RunningPlayground, bot: Bot) -> None:
    user = await simulator.person()

    sent = await bot.send_media_group(user, [InputMediaPhoto(URL, caption="一"), InputMediaVideo(b"video")])

    assert len({message.media_group_id for message in sent}) == 1
    assert (bool(sent[0].photo), bool(sent[1].video), sent[0].caption) == (True, True, "一")


async def test_a_checklist_is_sent_and_changed(simulator: RunningPlayground) -> None:
    user = await simulator.person()
    tasks = [{"id": 1, "text": "姓名"}, {"id": 2, "text": "<b>证件</b>", "parse_mode": "HTML"}]
    fields = {"chat_id": user, "business_connection_id": "a"}

    sent = await simulator.result("sendChecklist", **fields, checklist={"title": "要办的事", "tasks": tasks})
    changed = await simulator.result(
        "editMessageChecklist",
        **fields,
        message_id=sent["message_id"],
        checklist={"title": "办完了", "tasks": tasks[:1]},
    )

    assert [task["text"] for task in sent["checklist"]["tasks"]] == ["姓名", "证件"]
    assert changed["checklist"]["title"] == "办完了"
    assert "no business connections" in (await simulator.events("remark"))[0]["text"]
    text = await simulator.result("sendMessage", chat_id=user, text="a")
    fields |= {"message_id": text["message_id"], "checklist": {"title": "a", "tasks": tasks}}
    assert await simulator.refusal("editMessageChecklist", **fields) == (
        "Bad Request: there is no checklist in the message to edit"
    )


async def test_paid_media_games_and_rich_messages_are_shown_in_short(simulator: RunningPlayground) -> None:
    user = await simulator.person()
    media = [{"type": "photo", "media": URL}]

    paid = await simulator.result("sendPaidMedia", chat_id=user, star_count=5, media=media, caption="看")
    game = await simulator.result("sendGame", chat_id=user, game_short_name="snake")
    rich = await simulator.result("sendRichMessage", chat_id=user, rich_message={"markdown": "# 题"})

    assert paid["paid_media"]["star_count"] == 5
    assert game["game"]["title"] == "snake"
    assert "rich_message" in rich


async def test_a_draft_is_shown_but_is_no_message(simulator: RunningPlayground, bot: Bot) -> None:
    user = await simulator.person()

    assert await bot.send_message_draft(user, 1, "想一想")

    assert [event["text"] for event in await simulator.events("draft")] == ["想一想"]
    group = await simulator.sim("/chats", type="supergroup", title="群", members=[user])
    assert await simulator.refusal("sendMessageDraft", chat_id=group["id"], draft_id=1) == "Bad Request: chat not found"


PRICES = [{"label": "费", "amount": 100}]
INVOICE: dict[str, Any] = {"title": "单", "description": "明细", "payload": "p1", "currency": "XTR", "prices": PRICES}


async def invoice(simulator: RunningPlayground, user: int, **more: Any) -> int:
    sent = await simulator.result("sendInvoice", chat_id=user, **INVOICE | more)
    return int(sent["message_id"])


async def test_a_payment_asks_the_bot_and_becomes_a_receipt(simulator: RunningPlayground, bot: Bot) -> None:
    user = await simulator.person()
    sent = await bot.send_invoice(user, "单", "明细", "p1", "XTR", [LabeledPrice("费", 100)])

    await simulator.sim(f"/chats/{user}/messages/{sent.message_id}/tap", user=user, label="Pay 100 ⭐")
    (asked,) = await bot.get_updates()
    assert asked.pre_checkout_query is not None
    await bot.answer_pre_checkout_query(asked.pre_checkout_query.id, ok=True)
    (paid,) = await bot.get_updates(offset=asked.update_id + 1)

    assert paid.message is not None
    assert paid.message.successful_payment is not None
    assert (paid.message.successful_payment.total_amount, paid.message.successful_payment.invoice_payload) == (
        100,
        "p1",
    )


async def test_a_refused_payment_is_an_alert(simulator: RunningPlayground) -> None:
    user = await simulator.person()
    message = await invoice(simulator, user)
    await simulator.sim(f"/chats/{user}/messages/{message}/tap", user=user, row=0, column=0)
    query = (await simulator.result("getUpdates"))[0]["pre_checkout_query"]["id"]
    fields = {"pre_checkout_query_id": query, "ok": False}

    assert await simulator.refusal("answerPreCheckoutQuery", **fields) == (
        'Bad Request: parameter "error_message" is required'
    )
    await simulator.result("answerPreCheckoutQuery", **fields, error_message="卖完了")

    assert [(event["text"], event["alert"]) for event in await simulator.events("toast")] == [("卖完了", True)]
    assert "too old" in await simulator.refusal("answerPreCheckoutQuery", pre_checkout_query_id=query, ok=True)


async def test_a_flexible_price_asks_for_the_ways_of_shipping_first(simulator: RunningPlayground) -> None:
    user = await simulator.person()
    message = await invoice(simulator, user, currency="CNY", provider_token="t", is_flexible=True)
    await simulator.sim(f"/chats/{user}/messages/{message}/tap", user=user, label="Pay 1.00 CNY")
    asked = (await simulator.result("getUpdates"))[0]
    query = asked["shipping_query"]["id"]

    options = [{"id": "fast", "title": "快", "prices": [{"label": "快", "amount": 50}]}]
    await simulator.result("answerShippingQuery", shipping_query_id=query, ok=True, shipping_options=options)

    checkout = (await simulator.result("getUpdates", offset=asked["update_id"] + 1))[0]["pre_checkout_query"]
    assert (checkout["total_amount"], checkout["shipping_option_id"]) == (150, "fast")
    await simulator.result("answerPreCheckoutQuery", pre_checkout_query_id=checkout["id"], ok=True)
    paid = (await simulator.result("getUpdates"))[-1]["message"]["successful_payment"]
    assert paid["total_amount"] == 150


@pytest.mark.parametrize(
    ("options", "refusal"),
    [
        ([], "there must be at least one shipping option"),
        ([1], "can't parse shipping option: ShippingOption must be an Object"),
        ([{"title": "a"}], "can't parse shipping option: ShippingOption identifier must be non-empty"),
        ([{"id": "a"}], "can't parse shipping option: ShippingOption title must be non-empty"),
        ([{"id": "a", "title": "a"}], "can't parse shipping option prices: expected an Array of labeled prices"),
    ],
)
async def test_wrong_ways_of_shipping_are_refused(
    simulator: RunningPlayground, options: list[Any], refusal: str
) -> None:
    fields = {"shipping_query_id": "1", "ok": True, "shipping_options": json.dumps(options)}

    assert await simulator.refusal("answerShippingQuery", **fields) == f"Bad Request: {refusal}"


async def test_shipping_can_be_refused_and_a_query_that_is_not_there_is_too_old(simulator: RunningPlayground) -> None:
    user = await simulator.person()
    message = await invoice(simulator, user, currency="CNY", provider_token="t", is_flexible=True)
    await simulator.sim(f"/chats/{user}/messages/{message}/tap", user=user, row=0, column=0)
    query = (await simulator.result("getUpdates"))[0]["shipping_query"]["id"]
    fields = {"ok": False, "error_message": "不送"}

    await simulator.result("answerShippingQuery", shipping_query_id=query, **fields)

    assert [event["text"] for event in await simulator.events("toast")] == ["不送"]
    assert "too old" in await simulator.refusal("answerShippingQuery", shipping_query_id=query, **fields)


@pytest.mark.parametrize(
    ("more", "refusal"),
    [
        ({"title": ""}, 'parameter "title" is required'),
        ({"payload": "p" * 129}, "INVOICE_PAYLOAD_INVALID"),
        ({"currency": "stars"}, "CURRENCY_INVALID"),
        ({"currency": "CNY"}, "PAYMENT_PROVIDER_INVALID"),
        ({"prices": []}, "there must be at least one price"),
        ({"prices": PRICES * 2}, "STARS_INVOICE_INVALID"),
        ({"prices": [1]}, "can't parse labeled price: LabeledPrice must be an Object"),
        ({"prices": [{"amount": 1}]}, "can't parse labeled price: LabeledPrice label must be non-empty"),
        ({"prices": [{"label": "a"}]}, "can't parse labeled price: Can't find field \"amount\""),
        ({"reply_markup": {"inline_keyboard": [[{"text": "a", "callback_data": "a"}]]}}, "BUTTON_TYPE_INVALID"),
        ({"reply_markup": {"keyboard": [["a"]]}}, "inline keyboard expected"),
    ],
)
async def test_a_wrong_invoice_is_refused(simulator: RunningPlayground, more: dict[str, Any], refusal: str) -> None:
    user = await simulator.person()

    assert await simulator.refusal("sendInvoice", chat_id=user, **INVOICE | more) == f"Bad Request: {refusal}"


async def test_the_pay_button_of_an_invoice_can_have_a_label_of_its_own(simulator: RunningPlayground) -> None:
    user = await simulator.person()
    markup = {"inline_keyboard": [[{"text": "付款", "pay": True}], [{"text": "不要", "callback_data": "n"}]]}
    message = await invoice(simulator, user, reply_markup=markup)

    await simulator.sim(f"/chats/{user}/messages/{message}/tap", user=user, label="付款")

    assert "pre_checkout_query" in (await simulator.result("getUpdates"))[0]
    refused = await simulator.refusal("sendMessage", chat_id=user, text="a", reply_markup=markup)
    assert refused == "Bad Request: BUTTON_TYPE_INVALID"


async def test_a_link_to_an_invoice_is_called_a_gap(simulator: RunningPlayground) -> None:
    assert (await simulator.result("createInvoiceLink", **INVOICE)).startswith("https://t.me/$")
    assert "cannot open" in (await simulator.events("remark"))[-1]["text"]


async def test_a_text_with_the_first_markdown_is_sent(simulator: RunningPlayground) -> None:
    user = await simulator.person()

    sent = await simulator.result("sendMessage", chat_id=user, text="*王* a.b", parse_mode="Markdown")

    assert (sent["text"], sent["entities"]) == ("王 a.b", [{"type": "bold", "offset": 0, "length": 1}])


async def test_the_earlier_fields_of_a_reply_still_work(simulator: RunningPlayground) -> None:
    user = await simulator.person()
    own = await simulator.says(user, "问")

    sent = await simulator.result("sendMessage", chat_id=user, text="答", reply_to_message_id=own)
    missing = {"chat_id": user, "text": "答", "reply_to_message_id": 1}

    assert sent["reply_to_message"]["message_id"] == own
    assert await simulator.refusal("sendMessage", **missing) == "Bad Request: message to be replied not found"
    assert await simulator.result("sendMessage", **missing, allow_sending_without_reply=True)
    assert await simulator.events("remark") == []


async def voting(simulator: RunningPlayground, **more: Any) -> tuple[int, int]:
    user = await simulator.person()
    sent = await simulator.result("sendPoll", chat_id=user, question="去哪里？", options=["北京", "上海"], **more)
    return user, sent["message_id"]


async def tap(simulator: RunningPlayground, user: int, message: int, label: str) -> None:
    await simulator.sim(f"/chats/{user}/messages/{message}/tap", user=user, label=label)


async def test_a_vote_is_counted_and_told_to_the_bot(simulator: RunningPlayground) -> None:
    user, message = await voting(simulator, is_anonymous=False)

    for label in ("北京", "上海", "上海"):
        await tap(simulator, user, message, label)

    updates = await simulator.result("getUpdates")
    counts = [[option["voter_count"] for option in u["poll"]["options"]] for u in updates if "poll" in u]
    assert counts == [[1, 0], [0, 1], [0, 0]]
    assert [u["poll_answer"]["option_ids"] for u in updates if "poll_answer" in u] == [[0], [1], []]


async def test_several_answers_can_be_chosen_where_the_poll_allows_it(simulator: RunningPlayground) -> None:
    user, message = await voting(simulator, allows_multiple_answers=True)

    await tap(simulator, user, message, "北京")
    await tap(simulator, user, message, "上海")

    updates = await simulator.result("getUpdates")
    assert [option["voter_count"] for option in updates[-1]["poll"]["options"]] == [1, 1]
    assert not any("poll_answer" in update for update in updates)


async def test_a_task_is_marked_and_unmarked(simulator: RunningPlayground) -> None:
    user = await simulator.person()
    checklist = {"title": "要办的事", "tasks": [{"id": 7, "text": "姓名"}]}
    sent = await simulator.result("sendChecklist", chat_id=user, business_connection_id="a", checklist=checklist)

    for _ in range(2):
        await tap(simulator, user, sent["message_id"], "姓名")

    marked = [update["message"]["checklist_tasks_done"] for update in await simulator.result("getUpdates")]
    assert marked[0]["marked_as_done_task_ids"] == [7]
    assert marked[1]["marked_as_not_done_task_ids"] == [7]
