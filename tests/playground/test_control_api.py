"""The control API: actions of people, the updates that the bot gets, and waiting until it is idle."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
from telegram import ChatMemberAdministrator, Update

from tests.playground.simulator import RunningPlayground, running_playground


@pytest.fixture
async def simulator() -> AsyncIterator[RunningPlayground]:
    async with running_playground() as simulator:
        yield simulator


async def test_a_person_has_a_name_a_language_and_a_private_chat(simulator: RunningPlayground) -> None:
    person = await simulator.sim("/users", first_name="李雷", language_code="en", username="lilei")
    await simulator.sim(f"/users/{person['id']}", "PATCH", language_code="zh-hans")
    await simulator.says(person["id"], "你好")

    message = (await simulator.result("getUpdates"))[-1]["message"]

    assert message["chat"] == {"id": person["id"], "type": "private", "first_name": "李雷", "username": "lilei"}
    assert message["from"]["language_code"] == "zh-hans"
    assert [each["first_name"] for each in await simulator.sim("/users", "GET")] == ["李雷"]


@pytest.mark.parametrize("kind", ["sticker", "photo", "voice", "contact", "location", "document", "poll", "video_note"])
async def test_everything_people_send_can_be_read_by_a_library(simulator: RunningPlayground, kind: str) -> None:
    user = await simulator.person()
    await simulator.sim(f"/chats/{user}/messages", user=user, kind=kind)

    raw = (await simulator.result("getUpdates"))[-1]
    update = Update.de_json(raw)

    assert update.message is not None
    assert update.message.effective_attachment


async def test_an_edited_and_a_forwarded_text_are_marked(simulator: RunningPlayground) -> None:
    user = await simulator.person()
    typed = await simulator.says(user, "王小名")
    await simulator.sim(f"/chats/{user}/messages/{typed}/edit", user=user, text="王小明")
    await simulator.says(user, "别人的话", forward=True)

    *_, edited, forwarded = await simulator.result("getUpdates")

    assert edited["edited_message"]["text"] == "王小明"
    assert forwarded["message"]["forward_origin"]["type"] == "hidden_user"


async def test_a_command_is_marked_as_one(simulator: RunningPlayground) -> None:
    user = await simulator.person()
    await simulator.says(user, "/start abc_DEF-1")

    message = (await simulator.result("getUpdates"))[-1]["message"]

    assert message["entities"] == [{"type": "bot_command", "offset": 0, "length": 6}]


async def test_a_text_that_is_too_long_is_sent_in_parts(simulator: RunningPlayground) -> None:
    user = await simulator.person()
    await simulator.says(user, "王" * 5000)

    assert [len(update["message"]["text"]) for update in await simulator.result("getUpdates")] == [4096, 904]


async def test_in_a_group_the_bot_gets_the_messages_that_address_it(simulator: RunningPlayground) -> None:
    user = await simulator.person()
    group = (await simulator.sim("/chats", type="group", title="客服群", members=[user]))["id"]
    for text in ("大家好", "/start", "/start@another_bot", "@demo_bot 你好"):
        await simulator.sim(f"/chats/{group}/messages", user=user, text=text)

    joined, came, *updates = await simulator.result("getUpdates")

    assert joined["my_chat_member"]["new_chat_member"]["status"] == "member"
    assert [member["username"] for member in came["message"]["new_chat_members"]] == ["demo_bot"]
    assert [update["message"]["text"] for update in updates] == ["/start", "@demo_bot 你好"]


async def test_in_a_channel_the_bot_is_an_administrator_and_gets_all_posts(simulator: RunningPlayground) -> None:
    user = await simulator.person()
    channel = (await simulator.sim("/chats", type="channel", title="公告", members=[user]))["id"]
    await simulator.sim(f"/chats/{channel}/messages", user=user, text="大家好")

    joined, post = await simulator.result("getUpdates")

    member = Update.de_json(joined).my_chat_member
    assert member is not None
    assert isinstance(member.new_chat_member, ChatMemberAdministrator)
    assert (post["channel_post"]["text"], post["channel_post"]["sender_chat"]["id"]) == ("大家好", channel)


async def test_a_bot_that_leaves_gets_an_update(simulator: RunningPlayground) -> None:
    user = await simulator.person()
    group = (await simulator.sim("/chats", type="supergroup", title="客服群", members=[user]))["id"]
    await simulator.forget()

    await simulator.result("leaveChat", chat_id=group)

    (reply,) = await simulator.result("getUpdates")
    assert reply["my_chat_member"]["new_chat_member"]["status"] == "left"
    assert reply["my_chat_member"]["from"]["is_bot"]


async def test_in_a_group_without_privacy_mode_the_bot_gets_everything(simulator: RunningPlayground) -> None:
    user = await simulator.person()
    group = (await simulator.sim("/chats", type="group", title="客服群", members=[user], privacy=False))["id"]
    await simulator.sim(f"/chats/{group}/messages", user=user, text="大家好")

    assert (await simulator.result("getUpdates"))[-1]["message"]["text"] == "大家好"


@pytest.mark.parametrize(
    ("path", "fields", "status", "error"),
    [
        ("/users", {}, 400, "first_name: a text is needed"),
        ("/chats", {"type": "party"}, 400, "members: at least one person is needed"),
        ("/chats/1/messages", {"user": 1, "text": "a"}, 404, "there is no chat 1"),
        ("/chats/x/messages", {"user": 1, "text": "a"}, 400, "chat: a whole number is needed"),
        ("/faults", {"kind": "lost", "times": 0}, 400, "times: at least 1"),
        ("/clock", {"seconds": -1}, 400, "seconds: at least 0"),
    ],
)
async def test_a_refused_request_says_why(
    simulator: RunningPlayground, path: str, fields: dict[str, object], status: int, error: str
) -> None:
    assert await simulator.try_sim(path, **fields) == (status, {"error": error})


async def test_the_clock_can_be_moved_forward(simulator: RunningPlayground) -> None:
    user = await simulator.person()
    typed = await simulator.says(user, "11010519491231002X")
    await simulator.says(user, "a")
    assert len(await simulator.result("getUpdates")) == 2

    await simulator.sim("/clock", seconds=48 * 3600 + 60)

    assert await simulator.result("getUpdates") == []
    refused = await simulator.refusal("deleteMessage", chat_id=user, message_id=typed)
    assert refused == "Bad Request: message can't be deleted"


async def test_a_body_that_is_not_json_is_refused(simulator: RunningPlayground) -> None:
    async with simulator.http.post(f"{simulator.url}/sim/users", data=b"name=x") as answer:
        assert (answer.status, await answer.json()) == (400, {"error": "a JSON object is needed"})


async def test_a_person_cannot_write_in_a_chat_of_others(simulator: RunningPlayground) -> None:
    user, other = await simulator.person(), await simulator.person("李雷")

    assert (await simulator.try_sim(f"/chats/{user}/messages", user=other, text="a")) == (
        409,
        {"error": "李雷 is not in this chat"},
    )


async def test_the_bot_is_idle_when_it_confirmed_everything_and_waits(simulator: RunningPlayground) -> None:
    user = await simulator.person()
    await simulator.says(user, "a")
    waiting = await simulator.result("getUpdates")
    assert not (await simulator.sim("/idle", "GET"))["idle"]

    async with asyncio.TaskGroup() as tasks:
        offset = waiting[-1]["update_id"] + 1
        poll = tasks.create_task(simulator.call("getUpdates", offset=offset, timeout=30))
        assert (await simulator.sim("/idle?wait=5", "GET"))["idle"]
        await simulator.says(user, "b")
        assert not (await simulator.sim("/idle", "GET"))["idle"]
        await asyncio.wait([poll])


async def test_a_request_waits_for_events_and_filters_them_by_chat(simulator: RunningPlayground) -> None:
    user, other = await simulator.person(), await simulator.person("李雷")
    last = (await simulator.sim("/events", "GET"))["last"]

    async with asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(simulator.sim(f"/events?after={last}&chat={user}&wait=5", "GET"))
        await simulator.result("sendMessage", chat_id=other, text="b")
        await simulator.result("sendMessage", chat_id=user, text="a")

    reply = waiting.result()
    assert [event["message"]["text"] for event in reply["events"]] == ["a"]
    assert reply["last"] == last + 2


async def test_the_stream_continues_after_the_last_event_id(simulator: RunningPlayground) -> None:
    user = await simulator.person()
    last = (await simulator.sim("/events", "GET"))["last"]
    await simulator.result("sendMessage", chat_id=user, text="你好")

    async with simulator.http.get(f"{simulator.url}/sim/stream", headers={"last-event-id": str(last)}) as answer:
        lines = [(await answer.content.readline()).decode().strip() for _ in range(5)]

    assert lines[0] == "event: hello"
    assert json.loads(lines[4].removeprefix("data: "))["message"]["text"] == "你好"


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "attacker.example"},
        {"Host": "attacker.example:80"},
        {"Origin": "http://attacker.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Host": ""},
    ],
)
async def test_a_foreign_page_is_refused(simulator: RunningPlayground, headers: dict[str, str]) -> None:
    async with simulator.http.get(f"{simulator.url}/sim/users", headers=headers) as answer:
        assert answer.status in {400, 403}
