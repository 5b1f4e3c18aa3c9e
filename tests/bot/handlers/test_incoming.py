"""The parsing of updates: every kind that Telegram sends, and arbitrary ones."""

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot import links
from bot.engine.messages import Envelope
from bot.flow.events import (
    Command,
    Commanded,
    Event,
    LinkOpened,
    MessageKind,
    MethodSuggested,
    Said,
    Sent,
    SideMessage,
    SideTapped,
    Tapped,
)
from bot.handlers import incoming
from tests.fakes import make_sealing
from verification.attempts import Method
from verification.invitations import LinkId, link_token

# The library warns that durations will become timedeltas; the bot reads none of them.
pytestmark = pytest.mark.filterwarnings("ignore:.*In a future major version:DeprecationWarning")

TOKEN = link_token(LinkId("0123456789abcdef"), make_sealing().index)
ME = {"id": 200012345, "is_bot": False, "first_name": "李雷", "language_code": "zh-hans"}
HERE = {"id": 200012345, "type": "private", "first_name": "李雷"}
GROUP = {"id": -1000012345, "type": "group", "title": "群"}
FILE = {"file_id": "f", "file_unique_id": "u"}
SIZE = {**FILE, "width": 90, "height": 90}
Json = dict[str, Any]


def read(**content: Any) -> Envelope | None:
    return incoming.parse_update({"update_id": 7, **content})


def message(chat: Json = HERE, **facts: Any) -> Json:
    return {"message_id": 5, "date": 1_790_000_000, "chat": chat, "from": ME, **facts}


def command(text: str) -> Json:
    length = len(text.split()[0])
    return message(text=text, entities=[{"type": "bot_command", "offset": 0, "length": length}])


def query(data: str | None, **facts: Any) -> Json:
    pressed = {"message_id": 6, "date": 1_790_000_000, "chat": HERE, "text": "?"}
    fields = {"id": "99", "from": ME, "chat_instance": "1", "message": pressed, "data": data, **facts}
    return {name: value for name, value in fields.items() if value is not None}


KINDS: list[tuple[Json, MessageKind]] = [
    ({"photo": [SIZE], "caption": "11010519491231002X"}, MessageKind.PHOTO),
    (
        {"sticker": {**SIZE, "type": "regular", "is_animated": False, "is_video": False}},
        MessageKind.STICKER,
    ),
    ({"voice": {**FILE, "duration": 1}}, MessageKind.VOICE),
    ({"contact": {"phone_number": "+8613800138000", "first_name": "李雷"}}, MessageKind.CONTACT),
    ({"location": {"longitude": 116.4, "latitude": 39.9}}, MessageKind.LOCATION),
    (
        {
            "venue": {"location": {"longitude": 1.0, "latitude": 1.0}, "title": "t", "address": "a"},
            "location": {"longitude": 1.0, "latitude": 1.0},
        },
        MessageKind.LOCATION,
    ),
    ({"document": {**FILE, "file_name": "card.pdf"}}, MessageKind.FILE),
    ({"animation": {**SIZE, "duration": 1}, "document": FILE}, MessageKind.FILE),
    ({"video": {**SIZE, "duration": 1}}, MessageKind.FILE),
    ({"video_note": {**FILE, "length": 240, "duration": 1}}, MessageKind.FILE),
    ({"audio": {**FILE, "duration": 1}}, MessageKind.FILE),
    (
        {
            "poll": {
                "id": "1",
                "question": "?",
                "options": [],
                "total_voter_count": 0,
                "is_closed": False,
                "is_anonymous": True,
                "type": "regular",
                "allows_multiple_answers": False,
                "allows_revoting": False,
                "members_only": False,
            }
        },
        MessageKind.OTHER,
    ),
    ({"dice": {"emoji": "🎲", "value": 3}}, MessageKind.OTHER),
    ({"story": {"chat": HERE, "id": 1}}, MessageKind.OTHER),
    ({"game": {"title": "g", "description": "d", "photo": []}}, MessageKind.OTHER),
    ({"paid_media": {"star_count": 1, "paid_media": []}}, MessageKind.FILE),
    ({"checklist": {"title": "t", "tasks": []}}, MessageKind.OTHER),
]


@pytest.mark.parametrize(("content", "kind"), KINDS, ids=[next(iter(content)) for content, _ in KINDS])
def test_a_message_that_is_not_a_text_is_known_only_by_its_kind(content: Json, kind: MessageKind) -> None:
    envelope = read(message=message(**content))

    assert envelope is not None
    assert envelope.event == Sent(kind)


def test_a_text_becomes_an_event_named_by_its_update() -> None:
    envelope = read(message=message(text="王小明"))

    assert envelope is not None
    assert (envelope.event, envelope.event_id) == (Said("王小明"), "telegram:7")
    assert (envelope.person, envelope.language) == ("telegram:200012345", "zh")
    assert (envelope.origin.message_id, envelope.origin.query_id) == (5, None)


@pytest.mark.parametrize(
    ("code", "language"),
    [("zh-hans", "zh"), ("zh-hant-TW", "zh"), ("ZH", "zh"), ("en-GB", "en"), ("de", "en"), (None, None), ("", None)],
)
def test_the_clients_language_comes_with_the_event(code: str | None, language: str | None) -> None:
    someone = {**ME, "language_code": code} if code is not None else {"id": 1, "is_bot": False, "first_name": "x"}

    envelope = read(message={**message(text="hi"), "from": someone})

    assert envelope is not None
    assert envelope.language == language


@pytest.mark.parametrize(
    ("text", "event"),
    [
        ("/start", Commanded(Command.START)),
        ("/START", Commanded(Command.START)),
        ("/start@demo_bot  ", Commanded(Command.START)),
        ("/start faq_three_accounts", Commanded(Command.FAQ, "three_accounts")),
        ("/start way_face", MethodSuggested(Method.FACE)),
        ("/start lang_en", Commanded(Command.LANGUAGE, "en")),
        ("/faq", Commanded(Command.FAQ)),
        ("/unknown", Commanded(Command.UNKNOWN)),
        ("/nonsense 110105", Commanded(Command.UNKNOWN, "110105")),
    ],
)
def test_a_command_is_recognised_in_any_case_and_with_any_address(text: str, event: Event) -> None:
    envelope = read(message=command(text))

    assert envelope is not None
    assert envelope.event == event


@pytest.mark.parametrize(
    "payload",
    [
        TOKEN,
        TOKEN[:-1],
        f"{TOKEN}x",
        TOKEN.upper(),
        "some-token",
        "faq",
        "way_",
        "way_alipay",
        "lang_fr",
        "a" * 4000,
        "王小明",
    ],
)
def test_inv14_any_other_start_payload_is_taken_as_a_link_token(payload: str) -> None:
    envelope = read(message=command(f"/start {payload}"))

    assert envelope is not None
    assert envelope.event == LinkOpened(payload)
    assert payload not in repr(envelope)


WRITTEN = [
    TOKEN,
    f" {TOKEN}\n",
    links.to_account("example_bot", token=TOKEN),
    f"t.me/example_bot?start={TOKEN}",
    f"http://T.me/example_bot/?start={TOKEN}",
    f"https://telegram.me/example_bot?start={TOKEN}#x",
    f"https://example_bot.t.me/?start={TOKEN}",
    f"tg://resolve?domain=example_bot&start={TOKEN}",
    f"tg:resolve?start={TOKEN}&domain=example_bot",
    f"你好，请点 https://t.me/example_bot?start={TOKEN} 完成认证，谢谢",
]


@pytest.mark.parametrize("text", WRITTEN)
def test_a_typed_link_is_the_same_as_a_pressed_one(text: str) -> None:
    envelope = read(message=message(text=text))

    assert envelope is not None
    assert envelope.event == LinkOpened(TOKEN)


@pytest.mark.parametrize(
    ("text", "event"),
    [
        ("https://t.me/example_bot?start=faq_icp", Commanded(Command.FAQ, "icp")),
        ("t.me/example_bot?start=way_qq", MethodSuggested(Method.QQ)),
        ("t.me/example_bot?start=lang_zh", Commanded(Command.LANGUAGE, "zh")),
        ("t.me/example_bot?start=", Commanded(Command.START)),
        (f"t.me/example_bot?start={'a' * 4000}", LinkOpened("a" * 4000)),
        *(
            (text, Said(text))
            for text in ("t.me/example_bot", f"x {TOKEN}", TOKEN[:-1], "https://example.com/?start=a")
        ),
    ],
)
def test_other_links_may_be_typed_too_and_any_other_text_is_a_text(text: str, event: Event | LinkOpened) -> None:
    envelope = read(message=message(text=text))

    assert envelope is not None
    assert envelope.event == event


@pytest.mark.parametrize("name", ["link", "links", "attempt", "funnel", "desk", "Funnel", "link@demo_bot"])
def test_authz_a_staff_command_is_unknown_to_the_dialogue(name: str) -> None:
    theirs, nonsense = read(message=command(f"/{name} telegram:1")), read(message=command("/nonsense telegram:1"))

    assert theirs is not None
    assert nonsense is not None
    assert theirs.event == nonsense.event


def test_a_command_in_the_middle_of_a_text_is_text() -> None:
    text = "请看 /start"
    entities = [{"type": "bot_command", "offset": 3, "length": 6}]

    envelope = read(message=message(text=text, entities=entities))

    assert envelope is not None
    assert envelope.event == Said(text)


def test_inv12_a_forwarded_text_is_no_answer_even_when_it_is_a_command() -> None:
    origin = {"type": "hidden_user", "sender_user_name": "韩梅梅", "date": 1_790_000_000}

    envelope = read(message={**command("/cancel"), "forward_origin": origin})

    assert envelope is not None
    assert envelope.event == Sent(MessageKind.FORWARDED)


@pytest.mark.parametrize("content", [{"text": "11010519491231002X"}, {"photo": [SIZE]}])
def test_inv12_an_edit_is_an_edit_and_nothing_else(content: Json) -> None:
    envelope = read(edited_message=message(edit_date=1_790_000_001, **content))

    assert envelope is not None
    assert envelope.event == Sent(MessageKind.EDITED)


def test_a_text_sent_through_another_bot_is_still_the_persons_own() -> None:
    envelope = read(message=message(text="个人认证", via_bot={"id": 9, "is_bot": True, "first_name": "b"}))

    assert envelope is not None
    assert envelope.event == Said("个人认证")


@pytest.mark.parametrize(
    "content",
    [
        {"message": message(GROUP, text="王小明")},
        {"edited_message": message(GROUP, text="王小明")},
        {"channel_post": {**message({"id": -1, "type": "channel", "title": "c"}, text="x")}},
        {"message": {**message(text="x"), "from": {**ME, "is_bot": True}}},
        {"message": {name: value for name, value in message(text="x").items() if name != "from"}},
        {"message": message(pinned_message=message(text="x"))},
        {"message": message(new_chat_title="x")},
        {"message": message(message_auto_delete_timer_changed={"message_auto_delete_time": 86400})},
        {"message": message()},
        {"business_message": {**message(text="x"), "business_connection_id": "b"}},
        {
            "my_chat_member": {
                "chat": HERE,
                "from": ME,
                "date": 1_790_000_000,
                "old_chat_member": {"status": "member", "user": ME},
                "new_chat_member": {"status": "left", "user": ME},
            }
        },
        {"my_chat_member": {}},
        {"my_chat_member": {"chat": HERE, "from": ME}},
        {"inline_query": {"id": "1", "from": ME, "query": "王小明", "offset": ""}},
        {"something_new": {"id": 1}},
        {},
    ],
)
def test_an_update_outside_a_private_dialogue_is_left_to_other_handlers(content: Json) -> None:
    assert read(**content) is None


@pytest.mark.parametrize("thing", [None, "update", 7, object()])
def test_an_object_that_is_not_an_update_is_left_to_other_handlers(thing: object) -> None:
    assert incoming.parse_update(thing) is None


@pytest.mark.parametrize(
    ("data", "event"),
    [
        ("q:confirm:abcdef0123", Tapped(choice="confirm", question_id="abcdef0123")),
        ("q:confirm", Tapped(choice="confirm", question_id="")),
        ("faq:open.which_way", SideTapped(side=SideMessage.FAQ, choice="open.which_way")),
        ("language:en", SideTapped(side=SideMessage.LANGUAGE, choice="en")),
        ("privacy:erase_now:abc", SideTapped(side=SideMessage.PRIVACY, choice="erase_now", question_id="abc")),
        ("", Tapped(choice="", question_id="")),
        (None, Tapped(choice="", question_id="")),
        (":", Tapped(choice="", question_id="")),
        ("x" * 64, Tapped(choice="", question_id="")),
        ("证" * 21, Tapped(choice="", question_id="")),
        ("q:" + "证" * 20, Tapped(choice="证" * 20, question_id="")),
        ("Q:confirm:abc", Tapped(choice="", question_id="")),
        ("q:a:b:c:d", Tapped(choice="a", question_id="b:c:d")),
        ("\x00\x01', DROP", Tapped(choice="", question_id="")),
    ],
)
def test_inv10_the_data_of_a_button_are_parsed_without_trust(data: str | None, event: Event) -> None:
    envelope = read(callback_query=query(data))

    assert envelope is not None
    assert envelope.event == event
    assert (envelope.origin.message_id, envelope.origin.query_id) == (6, "99")


def test_a_button_of_a_message_too_old_to_be_shown_still_gets_an_answer() -> None:
    envelope = read(callback_query=query("q:confirm:abc", message={"chat": HERE, "message_id": 6, "date": 0}))

    assert envelope is not None
    assert envelope.event == Tapped(choice="confirm", question_id="abc")


@pytest.mark.parametrize(
    "facts",
    [
        {"message": None, "inline_message_id": "i"},
        {"message": {"message_id": 6, "date": 1_790_000_000, "chat": GROUP, "text": "?"}},
    ],
)
def test_inv13_a_button_outside_a_private_chat_is_no_part_of_a_dialogue(facts: Json) -> None:
    assert read(callback_query=query("q:confirm:abc", **facts)) is None


def test_of_two_people_each_gets_a_dialogue_of_their_own() -> None:
    other = {"id": 300054321, "type": "private", "first_name": "韩梅梅"}

    mine, theirs = read(message=message(text="x")), read(message=message(other, text="x"))

    assert mine is not None
    assert theirs is not None
    assert mine.person != theirs.person
    assert incoming.chat_of(theirs.person) == 300054321


WORDS = st.text(max_size=30)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.sampled_from(
    [
        "text",
        "caption",
        "photo",
        "voice",
        "entities",
        "forward_origin",
        "contact",
        "via_bot",
        "reply_to_message",
        "poll",
    ]
)
MESSAGES = st.fixed_dictionaries(
    {
        "message_id": st.integers(0, 2**40),
        "date": st.integers(0, 2**31),
        "chat": st.sampled_from([HERE, GROUP]),
    },
    optional={"from": st.sampled_from([ME, {**ME, "is_bot": True}])},
)
QUERIES = st.fixed_dictionaries(
    {"id": WORDS, "from": st.just(ME), "chat_instance": WORDS},
    optional={"data": WORDS, "message": MESSAGES},
)


def parse_quietly(raw: Json) -> None:
    envelope = incoming.parse_update(raw)
    if envelope is None:
        return
    assert envelope.event_id == f"telegram:{raw['update_id']}"
    assert isinstance(incoming.chat_of(envelope.person), int)
    assert isinstance(envelope.origin.message_id, int | None)
    assert isinstance(envelope.origin.query_id, str | None)
    assert envelope.language in ("zh", "en", None)
    event = envelope.event
    assert all(
        isinstance(getattr(event, name), str)
        for name in ("text", "arguments", "choice", "question_id")
        if hasattr(event, name)
    )


VALID_UPDATES: list[Json] = [
    {"message": message(text="王小明")},
    {"message": command(f"/start {TOKEN}")},
    {"message": message(photo=[SIZE], caption="x")},
    {"message": {**command("/cancel"), "forward_origin": {"type": "hidden_user", "sender_user_name": "x", "date": 0}}},
    {"edited_message": message(edit_date=1_790_000_001, text="x")},
    {"callback_query": query("q:confirm:abcdef0123")},
    {
        "my_chat_member": {
            "chat": HERE,
            "from": ME,
            "date": 1_790_000_000,
            "old_chat_member": {"status": "kicked", "user": ME, "until_date": 0},
            "new_chat_member": {"status": "member", "user": ME},
        }
    },
]


@st.composite
def damaged(draw: st.DrawFn) -> Json:
    """An update in which up to three fields at any depth have an arbitrary value or are missing."""
    update: Json = {"update_id": 1, **deepcopy(draw(st.sampled_from(VALID_UPDATES)))}
    for _ in range(draw(st.integers(1, 3))):
        inside: Any = update
        while True:
            name = draw(st.sampled_from(list(inside) if isinstance(inside, dict) else list(range(len(inside)))))
            if not isinstance(inside[name], dict | list) or not inside[name] or draw(st.integers(0, 4)) == 0:
                break
            inside = inside[name]
        if isinstance(inside, dict) and len(inside) > 1 and draw(st.integers(0, 4)) == 0:
            del inside[name]
        else:
            inside[name] = draw(ANYTHING)
    return update


@given(damaged())
@example({"update_id": 1, "message": message(text=[])})
@example({"update_id": 1, "message": message(text={"start": "x"})})
@example({"update_id": 1, "message": {**command("/start"), "text": ["/start"]}})
@example({"update_id": 1, "message": message(text="/x", entities=[{"type": "bot_command", "offset": 0, "length": []}])})
@example({"update_id": 1, "message": {**message(text="x"), "chat": None}})
@example({"update_id": 1, "message": message({**HERE, "id": True}, text="x")})
@example({"update_id": 1, "message": {**message(text="x"), "from": {**ME, "language_code": 7}}})
@example({"update_id": 1, "callback_query": {**query("q:confirm:abc"), "from": None}})
@example({"update_id": 1, "callback_query": {**query("q:confirm:abc"), "data": [7]}})
@example({"update_id": [], "callback_query": query("q:confirm:abc")})
def test_inv06_no_update_raises_with_any_value_in_any_field(raw: Json) -> None:
    parse_quietly(raw)


@given(MESSAGES, st.dictionaries(FIELDS, ANYTHING, max_size=3), st.sampled_from(["message", "edited_message"]))
def test_no_message_raises(base: Json, facts: Json, where: str) -> None:
    parse_quietly({"update_id": 1, where: base | facts})


@given(MESSAGES, WORDS, st.lists(st.tuples(st.integers(-5, 50), st.integers(-5, 50)), max_size=2))
def test_no_text_raises_with_any_entities(base: Json, text: str, positions: list[tuple[int, int]]) -> None:
    entities = [{"type": "bot_command", "offset": offset, "length": length} for offset, length in positions]

    parse_quietly({"update_id": 1, "message": base | {"text": text, "entities": entities}})


@given(QUERIES)
def test_no_button_raises(raw: Json) -> None:
    parse_quietly({"update_id": 1, "callback_query": raw})


@given(st.dictionaries(st.sampled_from(["message", "callback_query", "my_chat_member", "poll", "x"]), ANYTHING))
def test_inv06_no_update_that_parses_raises(content: Json) -> None:
    parse_quietly({"update_id": 1, **content})
