"""/sim: what people do, what the bot hears of it, and how one waits for quiet."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
from telegram import ChatMemberAdministrator, Update

from tests.playground.simulator import RunningPlayground, running_playground


@pytest.fixture
async def stand() -> AsyncIterator[RunningPlayground]:
    async with running_playground() as stand:
        yield stand


async def test_a_person_has_a_name_a_language_and_a_private_chat(stand: RunningPlayground) -> None:
    someone = await stand.sim("/users", first_name="李雷", language_code="en", username="lilei")
    await stand.sim(f"/users/{someone['id']}", "PATCH", language_code="zh-hans")
    await stand.says(someone["id"], "你好")

    message = (await stand.result("getUpdates"))[-1]["message"]

    assert message["chat"] == {"id": someone["id"], "type": "private", "first_name": "李雷", "username": "lilei"}
    assert message["from"]["language_code"] == "zh-hans"
    assert [each["first_name"] for each in await stand.sim("/users", "GET")] == ["李雷"]


@pytest.mark.parametrize("kind", ["sticker", "photo", "voice", "contact", "location", "document", "poll", "video_note"])
async def test_everything_people_send_can_be_read_by_a_library(stand: RunningPlayground, kind: str) -> None:
    user = await stand.person()
    await stand.sim(f"/chats/{user}/messages", user=user, kind=kind)

    raw = (await stand.result("getUpdates"))[-1]
    update = Update.de_json(raw)

    assert update.message is not None
    assert update.message.effective_attachment


async def test_an_edited_and_a_forwarded_text_say_so(stand: RunningPlayground) -> None:
    user = await stand.person()
    typed = await stand.says(user, "王小名")
    await stand.sim(f"/chats/{user}/messages/{typed}/edit", user=user, text="王小明")
    await stand.says(user, "别人的话", forward=True)

    *_, edited, forwarded = await stand.result("getUpdates")

    assert edited["edited_message"]["text"] == "王小明"
    assert forwarded["message"]["forward_origin"]["type"] == "hidden_user"


async def test_a_command_is_marked_as_one(stand: RunningPlayground) -> None:
    user = await stand.person()
    await stand.says(user, "/start abc_DEF-1")

    message = (await stand.result("getUpdates"))[-1]["message"]

    assert message["entities"] == [{"type": "bot_command", "offset": 0, "length": 6}]


async def test_a_text_that_is_too_long_goes_in_parts_as_clients_send_it(stand: RunningPlayground) -> None:
    user = await stand.person()
    await stand.says(user, "王" * 5000)

    assert [len(update["message"]["text"]) for update in await stand.result("getUpdates")] == [4096, 904]


async def test_in_a_group_the_bot_hears_what_is_meant_for_it(stand: RunningPlayground) -> None:
    user = await stand.person()
    group = (await stand.sim("/chats", type="group", title="客服群", members=[user]))["id"]
    for text in ("大家好", "/start", "/start@another_bot", "@realname_demo_bot 你好"):
        await stand.sim(f"/chats/{group}/messages", user=user, text=text)

    joined, came, *heard = await stand.result("getUpdates")

    assert joined["my_chat_member"]["new_chat_member"]["status"] == "member"
    assert [member["username"] for member in came["message"]["new_chat_members"]] == ["realname_demo_bot"]
    assert [update["message"]["text"] for update in heard] == ["/start", "@realname_demo_bot 你好"]


async def test_in_a_channel_the_bot_is_an_administrator_and_hears_all_posts(stand: RunningPlayground) -> None:
    user = await stand.person()
    channel = (await stand.sim("/chats", type="channel", title="公告", members=[user]))["id"]
    await stand.sim(f"/chats/{channel}/messages", user=user, text="大家好")

    joined, post = await stand.result("getUpdates")

    member = Update.de_json(joined).my_chat_member
    assert member is not None
    assert isinstance(member.new_chat_member, ChatMemberAdministrator)
    assert (post["channel_post"]["text"], post["channel_post"]["sender_chat"]["id"]) == ("大家好", channel)


async def test_a_bot_that_leaves_is_told_that_it_left(stand: RunningPlayground) -> None:
    user = await stand.person()
    group = (await stand.sim("/chats", type="supergroup", title="客服群", members=[user]))["id"]
    await stand.forget()

    await stand.result("leaveChat", chat_id=group)

    (told,) = await stand.result("getUpdates")
    assert told["my_chat_member"]["new_chat_member"]["status"] == "left"
    assert told["my_chat_member"]["from"]["is_bot"]


async def test_in_a_group_without_privacy_the_bot_hears_everything(stand: RunningPlayground) -> None:
    user = await stand.person()
    group = (await stand.sim("/chats", type="group", title="客服群", members=[user], privacy=False))["id"]
    await stand.sim(f"/chats/{group}/messages", user=user, text="大家好")

    assert (await stand.result("getUpdates"))[-1]["message"]["text"] == "大家好"


@pytest.mark.parametrize(
    ("path", "order", "status", "error"),
    [
        ("/users", {}, 400, "first_name: a text is needed"),
        ("/chats", {"type": "party"}, 400, "members: a chat needs at least one person"),
        ("/chats/1/messages", {"user": 1, "text": "a"}, 404, "there is no chat 1"),
        ("/chats/x/messages", {"user": 1, "text": "a"}, 400, "chat: a whole number is needed"),
        ("/faults", {"kind": "lost", "times": 0}, 400, "times: at least 1"),
        ("/clock", {"seconds": -1}, 400, "seconds: time goes forward only"),
    ],
)
async def test_an_order_that_cannot_be_followed_is_told_why(
    stand: RunningPlayground, path: str, order: dict[str, object], status: int, error: str
) -> None:
    assert await stand.try_sim(path, **order) == (status, {"error": error})


async def test_time_passes_on_order(stand: RunningPlayground) -> None:
    user = await stand.person()
    typed = await stand.says(user, "11010519491231002X")
    await stand.says(user, "a")
    assert len(await stand.result("getUpdates")) == 2

    await stand.sim("/clock", seconds=48 * 3600 + 60)

    assert await stand.result("getUpdates") == []
    refused = await stand.refusal("deleteMessage", chat_id=user, message_id=typed)
    assert refused == "Bad Request: message can't be deleted"


async def test_what_is_no_json_is_told_so(stand: RunningPlayground) -> None:
    async with stand.http.post(f"{stand.url}/sim/users", data=b"name=x") as answer:
        assert (answer.status, await answer.json()) == (400, {"error": "a JSON object is needed"})


async def test_nobody_writes_in_a_chat_that_is_not_theirs(stand: RunningPlayground) -> None:
    user, other = await stand.person(), await stand.person("李雷")

    assert (await stand.try_sim(f"/chats/{user}/messages", user=other, text="a")) == (
        409,
        {"error": "李雷 is not in this chat"},
    )


async def test_it_is_quiet_when_the_bot_took_everything_and_waits_for_more(stand: RunningPlayground) -> None:
    user = await stand.person()
    await stand.says(user, "a")
    waiting = await stand.result("getUpdates")
    assert not (await stand.sim("/idle", "GET"))["idle"]

    async with asyncio.TaskGroup() as tasks:
        offset = waiting[-1]["update_id"] + 1
        poll = tasks.create_task(stand.call("getUpdates", offset=offset, timeout=30))
        assert (await stand.sim("/idle?wait=5", "GET"))["idle"]
        await stand.says(user, "b")
        assert not (await stand.sim("/idle", "GET"))["idle"]
        await asyncio.wait([poll])


async def test_events_are_waited_for_and_filtered_by_chat(stand: RunningPlayground) -> None:
    user, other = await stand.person(), await stand.person("李雷")
    last = (await stand.sim("/events", "GET"))["last"]

    async with asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(stand.sim(f"/events?after={last}&chat={user}&wait=5", "GET"))
        await stand.result("sendMessage", chat_id=other, text="b")
        await stand.result("sendMessage", chat_id=user, text="a")

    told = waiting.result()
    assert [event["message"]["text"] for event in told["events"]] == ["a"]
    assert told["last"] == last + 2


async def test_the_stream_goes_on_where_it_was_left(stand: RunningPlayground) -> None:
    user = await stand.person()
    last = (await stand.sim("/events", "GET"))["last"]
    await stand.result("sendMessage", chat_id=user, text="你好")

    async with stand.http.get(f"{stand.url}/sim/stream", headers={"last-event-id": str(last)}) as answer:
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
async def test_a_foreign_page_is_turned_away(stand: RunningPlayground, headers: dict[str, str]) -> None:
    async with stand.http.get(f"{stand.url}/sim/users", headers=headers) as answer:
        assert answer.status in {400, 403}
