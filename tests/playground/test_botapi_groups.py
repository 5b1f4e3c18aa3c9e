"""Copies, forwards, reactions, pins, members, invite links and topics."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from telegram import Bot, ChatPermissions, ReactionTypeEmoji
from telegram.request import HTTPXRequest

from tests.playground.simulator import TOKEN, RunningPlayground, running_playground


@pytest.fixture
async def simulator() -> AsyncIterator[RunningPlayground]:
    async with running_playground() as simulator:
        yield simulator


@pytest.fixture
async def bot(simulator: RunningPlayground) -> AsyncIterator[Bot]:
    """The library's own client, so that every answer is one that a library can read."""
    async with Bot(TOKEN, base_url=f"{simulator.url}/bot", request=HTTPXRequest()) as bot:
        yield bot


async def group_of(simulator: RunningPlayground, *members: int, **facts: Any) -> int:
    made = await simulator.sim("/chats", type="supergroup", title="群", members=list(members), **facts)
    await simulator.forget()
    return int(made["id"])


async def test_a_message_is_copied_and_forwarded(simulator: RunningPlayground, bot: Bot) -> None:
    first, second = await simulator.person(), await simulator.person("李")
    own = await simulator.says(first, "你好")
    photo = await bot.send_photo(first, "https://files.example/a.jpg", caption="图")

    copied = await bot.copy_message(second, first, own)
    changed = await bot.copy_message(second, first, photo.message_id, caption="新")
    forwarded = await bot.forward_message(second, first, own)
    twice = await bot.forward_message(first, second, forwarded.message_id)
    several = await bot.copy_messages(second, first, [own, photo.message_id, 1], remove_caption=True)
    passed_on = await bot.forward_messages(second, first, [own])

    shown = await simulator.sim(f"/chats/{second}/messages", "GET")
    texts = {message["id"]: message["text"] or message["caption"] for message in shown}
    assert (texts[copied.message_id], texts[changed.message_id]) == ("你好", "新")
    assert [texts[sent.message_id] for sent in several] == ["你好", ""]
    assert len(passed_on) == 1
    for message in (forwarded, twice):
        assert message.forward_origin is not None
        assert message.forward_origin.to_dict()["sender_user"]["id"] == first


@pytest.mark.parametrize("verb", ["copy", "forward"])
async def test_what_cannot_be_copied_or_forwarded_is_refused(simulator: RunningPlayground, verb: str) -> None:
    user = await simulator.person()
    kept = await simulator.result("sendMessage", chat_id=user, text="a", protect_content=True)
    fields = {"chat_id": user, "from_chat_id": user}
    past = "copied" if verb == "copy" else "forwarded"

    async def refusal(method: str, **more: Any) -> str:
        return (await simulator.refusal(method, **{**fields, **more})).removeprefix("Bad Request: ")

    assert await refusal(f"{verb}Message", message_id=kept["message_id"]) == f"message can't be {past}"
    assert await refusal(f"{verb}Message", message_id=1) == f"message to {verb} not found"
    assert await refusal(f"{verb}Message") == "message identifier is not specified"
    assert await refusal(f"{verb}Message", from_chat_id=5, message_id=1) == "chat not found"
    assert await refusal(f"{verb}Messages", message_ids=[1]) == f"there are no messages to {verb}"


async def test_a_forwarded_post_of_a_channel_names_the_channel(simulator: RunningPlayground) -> None:
    user = await simulator.person()
    channel = (await simulator.sim("/chats", type="channel", title="频道", members=[user]))["id"]
    post = await simulator.result("sendMessage", chat_id=channel, text="a")

    sent = await simulator.result("forwardMessage", chat_id=user, from_chat_id=channel, message_id=post["message_id"])

    assert sent["forward_origin"]["chat"]["title"] == "频道"


async def test_a_reaction_is_set_and_taken_back(simulator: RunningPlayground, bot: Bot) -> None:
    user = await simulator.person()
    own = await simulator.says(user, "你好")

    assert await bot.set_message_reaction(user, own, "👍")
    assert await bot.set_message_reaction(user, own, [ReactionTypeEmoji("❤")])
    assert (await simulator.sim(f"/chats/{user}/messages", "GET"))[-1]["reactions"][str(_bot_id())] == ["❤"]
    assert await bot.set_message_reaction(user, own, [])

    assert [event["text"] for event in await simulator.events("reaction")] == ["👍", "❤", ""]
    assert (await simulator.sim(f"/chats/{user}/messages", "GET"))[-1]["reactions"] == {}


def _bot_id() -> int:
    return int(TOKEN.partition(":")[0])


@pytest.mark.parametrize(
    ("reaction", "refusal"),
    [
        ([{"type": "emoji", "emoji": "🏠"}], "REACTION_INVALID"),
        ([{"type": "custom_emoji", "custom_emoji_id": "1"}], "REACTION_INVALID"),
        ([{"type": "word"}], "invalid reaction type specified"),
        ([1], "can't parse reaction types: expected an Object"),
        ([{"type": "emoji", "emoji": "👍"}] * 2, "REACTIONS_TOO_MANY"),
    ],
)
async def test_a_wrong_reaction_is_refused(simulator: RunningPlayground, reaction: list[Any], refusal: str) -> None:
    user = await simulator.person()
    own = await simulator.says(user, "你好")
    fields = {"chat_id": user, "message_id": own, "reaction": reaction}

    assert await simulator.refusal("setMessageReaction", **fields) == f"Bad Request: {refusal}"


async def test_messages_are_pinned_and_unpinned(simulator: RunningPlayground, bot: Bot) -> None:
    user = await simulator.person()
    ids = [await simulator.says(user, text) for text in "ab"]

    for id in ids:
        assert await bot.pin_chat_message(user, id)
    assert (await bot.get_chat(user)).pinned_message.message_id == ids[-1]  # type: ignore[union-attr]
    assert await bot.unpin_chat_message(user)
    assert await bot.unpin_chat_message(user, ids[0])
    assert await bot.unpin_all_chat_messages(user)

    assert await simulator.refusal("unpinChatMessage", chat_id=user) == "Bad Request: message to unpin not found"
    assert [event["message_id"] for event in await simulator.events("unpin")] == ids[::-1]
    await bot.pin_chat_message(user, ids[0])
    assert await bot.unpin_all_chat_messages(user)
    assert (await bot.get_chat(user)).pinned_message is None


async def test_members_have_their_status(simulator: RunningPlayground, bot: Bot) -> None:
    owner, member, other = [await simulator.person(name) for name in "甲乙丙"]
    group = await group_of(simulator, owner, member)

    statuses = [(await bot.get_chat_member(group, id)).status for id in (owner, member, other, _bot_id())]

    assert statuses == ["creator", "member", "left", "member"]
    assert [m.status for m in await bot.get_chat_administrators(group)] == ["creator"]
    assert (await bot.get_chat_member_count(group), await bot.get_chat_member_count(owner)) == (3, 2)
    assert (await bot.get_chat_member(owner, owner)).status == "member"
    assert await simulator.refusal("getChatAdministrators", chat_id=owner) == (
        "Bad Request: there are no administrators in the private chat"
    )
    assert await simulator.refusal("getChatMember", chat_id=group) == "Bad Request: invalid user_id specified"
    assert await simulator.refusal("getChatMember", chat_id=group, user_id=9) == "Bad Request: user not found"


async def test_an_administrator_manages_the_group(simulator: RunningPlayground, bot: Bot) -> None:
    owner, member = await simulator.person("甲"), await simulator.person("乙")
    group = await group_of(simulator, owner, member, admin=True)

    assert await bot.restrict_chat_member(group, member, ChatPermissions.no_permissions())
    assert await bot.set_chat_permissions(group, ChatPermissions.all_permissions())
    assert await bot.promote_chat_member(group, member, can_pin_messages=True)
    assert (await bot.get_chat_member(group, member)).status == "administrator"
    assert await bot.promote_chat_member(group, member)
    assert (await bot.get_chat_member(group, member)).status == "member"
    assert await bot.promote_chat_member(group, member, can_pin_messages=True)
    assert await bot.set_chat_title(group, "新群")
    assert await bot.set_chat_description(group, "说明")
    assert await bot.ban_chat_member(group, member)
    assert (await bot.get_chat_member(group, member)).status == "kicked"
    assert await bot.unban_chat_member(group, member, only_if_banned=True)
    assert (await bot.get_chat_member(group, member)).status == "left"

    described = await bot.get_chat(group)
    assert (described.title, described.description) == ("新群", "说明")
    (update,) = await simulator.result("getUpdates")
    assert update["message"]["left_chat_member"]["id"] == member
    assert [m.status for m in await bot.get_chat_administrators(group)] == ["creator", "administrator"]


async def test_a_new_member_is_greeted_by_a_reply(simulator: RunningPlayground, bot: Bot) -> None:
    owner, other = await simulator.person("甲"), await simulator.person("乙")
    group = await group_of(simulator, owner)

    await simulator.sim(f"/chats/{group}/roles", user=other, role="member")

    (update,) = await simulator.result("getUpdates")
    assert [who["id"] for who in update["message"]["new_chat_members"]] == [other]
    assert await bot.send_message(group, "你好", reply_to_message_id=update["message"]["message_id"])


async def test_an_unknown_role_is_refused(simulator: RunningPlayground) -> None:
    owner = await simulator.person("甲")
    group = await group_of(simulator, owner)

    status, answer = await simulator.try_sim(f"/chats/{group}/roles", user=owner, role="king")

    assert (status, answer["error"]) == (400, "role: one of administrator, member, left is needed")


async def test_unbanning_removes_a_member(simulator: RunningPlayground, bot: Bot) -> None:
    owner, member = await simulator.person("甲"), await simulator.person("乙")
    group = await group_of(simulator, owner, member, admin=True)

    assert await bot.unban_chat_member(group, member)

    assert (await bot.get_chat_member(group, member)).status == "left"


@pytest.mark.parametrize(
    ("method", "fields", "refusal"),
    [
        ("banChatMember", {"user_id": "owner"}, "can't remove chat owner"),
        ("kickChatMember", {"user_id": "bot"}, "can't restrict self"),
        ("promoteChatMember", {"user_id": "bot"}, "can't promote self"),
        ("promoteChatMember", {"user_id": "other"}, "USER_NOT_PARTICIPANT"),
        ("setChatTitle", {"title": " "}, "CHAT_TITLE_EMPTY"),
        ("setChatTitle", {"title": "a" * 129}, "chat title is too long"),
        ("setChatTitle", {"title": "群"}, "chat title is not modified"),
        ("setChatDescription", {"description": "a" * 256}, "chat description is too long"),
        ("setChatDescription", {"description": ""}, "chat description is not modified"),
        ("editChatInviteLink", {"invite_link": "x"}, "INVITE_HASH_EXPIRED"),
        (
            "createChatInviteLink",
            {"creates_join_request": True, "member_limit": 1},
            "member limit can't be specified for links requiring administrator approval",
        ),
        ("createForumTopic", {"name": "a"}, "the chat is not a forum"),
    ],
)
async def test_a_wrong_call_about_a_group_is_refused(
    simulator: RunningPlayground, method: str, fields: dict[str, Any], refusal: str
) -> None:
    owner, other = await simulator.person("甲"), await simulator.person("乙")
    people = {"owner": owner, "other": other, "bot": _bot_id()}
    group = await group_of(simulator, owner, admin=True)
    given = {name: people.get(value, value) if isinstance(value, str) else value for name, value in fields.items()}

    assert await simulator.refusal(method, chat_id=group, **given) == f"Bad Request: {refusal}"


async def test_a_bot_without_rights_is_refused(simulator: RunningPlayground) -> None:
    owner = await simulator.person()
    group = await group_of(simulator, owner, forum=True)
    small = (await simulator.sim("/chats", type="group", title="小群", members=[owner], admin=True))["id"]
    own = await simulator.says(owner, "a")

    for method, fields, refusal in (
        ("setChatTitle", {"title": "a"}, "not enough rights to change chat title"),
        ("pinChatMessage", {"message_id": own}, "not enough rights to manage pinned messages in the chat"),
        ("createForumTopic", {"name": "a"}, "not enough rights to manage topics"),
    ):
        assert await simulator.refusal(method, chat_id=group, **fields) == f"Bad Request: {refusal}"
    private = await simulator.refusal("setChatTitle", chat_id=owner, title="a")
    assert private == "Bad Request: method is available for supergroup and channel chats only"
    restricted = await simulator.refusal("restrictChatMember", chat_id=small, user_id=owner)
    assert restricted == "Bad Request: method is available only for supergroups"


async def test_invite_links_are_made_changed_and_ended(simulator: RunningPlayground, bot: Bot) -> None:
    group = await group_of(simulator, await simulator.person(), admin=True)

    primary = await bot.export_chat_invite_link(group)
    link = await bot.create_chat_invite_link(group, name="朋友", member_limit=3)
    changed = await bot.edit_chat_invite_link(group, link.invite_link, name="家人")
    ended = await bot.revoke_chat_invite_link(group, link.invite_link)

    assert primary.startswith("https://t.me/+")
    assert (link.member_limit, changed.name, ended.is_revoked) == (3, "家人", True)


async def test_topics_of_a_forum(simulator: RunningPlayground, bot: Bot) -> None:
    user = await simulator.person()
    group = await group_of(simulator, user, admin=True, forum=True)

    topic = await bot.create_forum_topic(group, "话题", icon_custom_emoji_id="1")
    sent = await bot.send_message(group, "a", message_thread_id=topic.message_thread_id)
    assert await bot.edit_forum_topic(group, topic.message_thread_id, name="新话题")
    assert await bot.close_forum_topic(group, topic.message_thread_id)

    assert (sent.message_thread_id, sent.is_topic_message) == (topic.message_thread_id, True)
    key = {"chat_id": group, "message_thread_id": topic.message_thread_id}
    assert await simulator.refusal("sendMessage", text="a", **key) == "Bad Request: TOPIC_CLOSED"
    assert await simulator.refusal("closeForumTopic", **key) == "Bad Request: TOPIC_NOT_MODIFIED"
    assert await bot.reopen_forum_topic(group, topic.message_thread_id)
    assert await simulator.refusal("reopenForumTopic", **key) == "Bad Request: TOPIC_NOT_MODIFIED"
    assert await bot.delete_forum_topic(group, topic.message_thread_id)
    assert await simulator.refusal("sendMessage", text="a", **key) == "Bad Request: message thread not found"
    assert await simulator.refusal("deleteForumTopic", **key) == "Bad Request: message thread not found"
    assert await simulator.refusal("createForumTopic", chat_id=group, name=" ") == "Bad Request: TOPIC_TITLE_EMPTY"


async def test_a_thread_is_ignored_where_there_are_no_topics(simulator: RunningPlayground, bot: Bot) -> None:
    group = await group_of(simulator, await simulator.person())

    assert (await bot.send_message(group, "a", message_thread_id=5)).message_thread_id is None
