"""The simulator answers any call with a result or an error of the Bot API."""

from __future__ import annotations

import asyncio
import json
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.botapi.fields import CallFields
from playground.botapi.methods.table import HANDLERS, METHODS, ApiMethod
from playground.world import user_actions
from playground.world.errors import ApiError
from playground.world.world import QueryPurpose, World

WORDS = st.sampled_from(
    [
        "",
        " ",
        "0",
        "1",
        "-1",
        "²",
        "٣",
        "x",
        "true",
        "HTML",
        "MarkdownV2",
        "<b>",
        "*",
        "\ud800",
        "photo",
        "commands",
        "chat",
    ]
)
LEAVES = st.none() | st.booleans() | st.integers(-5, 2**40) | st.floats(allow_nan=False) | WORDS
NAMES = st.sampled_from(
    [
        "type",
        "text",
        "offset",
        "length",
        "url",
        "inline_keyboard",
        "keyboard",
        "callback_data",
        "copy_text",
        "style",
        "media",
        "caption",
        "parse_mode",
        "command",
        "description",
        "message_id",
        "chat_id",
        "id",
        "is_disabled",
        "force_reply",
        "input_field_placeholder",
    ]
)
TREES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4))
SHAPES = st.sampled_from(
    [
        {"inline_keyboard": [[{"text": "a", "callback_data": []}]]},
        {"inline_keyboard": [[{"text": "a", "callback_data": "b", "style": []}]]},
        {"keyboard": [[{"text": "a", "style": {}}]]},
        [{"type": "bold", "offset": "0", "length": 1}],
        [{"type": [], "offset": 0, "length": 1}],
        {"type": "photo", "media": "attach://x", "caption": 1},
        {"type": []},
        [{"id": []}],
        [{"command": "a", "description": "b"}],
        [{"type": "article", "id": 1, "title": "a", "input_message_content": {"message_text": "b"}}],
        [{"type": "article", "id": "1", "title": "a", "input_message_content": {"message_text": []}}],
        [{"type": "photo", "id": "1", "photo_file_id": []}],
        [{"type": "photo", "id": "1", "photo_url": "http://a.b", "reply_markup": []}],
        [{"type": [], "id": {}}],
    ]
)


# The methods without a function of their own share one, so two of them stand for all.
TRIED = [METHODS[name.lower()] for name in (*HANDLERS, "setStickerKeywords", "uploadStickerFile")]
each_method = pytest.mark.parametrize("method", TRIED, ids=lambda method: method.name)


@each_method
@settings(max_examples=5, deadline=None)
@given(data=st.data())
def test_no_call_breaks_the_server(method: ApiMethod, data: st.DataObject) -> None:
    check_call(method, data)


@pytest.mark.slow("fuzz")
@each_method
@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_no_call_of_many_breaks_the_server(method: ApiMethod, data: st.DataObject) -> None:
    check_call(method, data)


def check_call(method: ApiMethod, data: st.DataObject) -> None:
    world = World(token="7000000001:x", username="demo_bot", rng=random.Random(1))
    person = world.add_person("王小明")
    typed = user_actions.write_text(world, world.chats[person.id], person.id, "/start")
    own = world.add_message(person.id, world.profile.id, text="a")
    world.add_query(person.id, person.id)
    query = world.add_query(person.id, person.id, QueryPurpose.INLINE, text="3个账号").id
    known = {
        "chat_id": st.just(str(person.id)) | WORDS,
        "message_id": st.sampled_from([str(typed.id), str(own.id), "²"]),
        "timeout": st.just("0"),
        "inline_query_id": st.just(query) | WORDS,
        "text": WORDS | st.text(max_size=20),
    }
    values: dict[str, Any] = {}
    for name in sorted(method.signature.fields):
        if data.draw(st.booleans(), label=name):
            trees = (TREES | SHAPES).map(json.dumps)
            values[name] = data.draw(known.get(name, WORDS | trees), label=name)

    try:
        answer = asyncio.run(_answer(method, world, values))
    except ApiError as refused:
        answer = refused.body()

    assert json.dumps(answer)


async def _answer(method: ApiMethod, world: World, values: dict[str, str]) -> Any:
    return await method.handler(world, CallFields(values, {}))
