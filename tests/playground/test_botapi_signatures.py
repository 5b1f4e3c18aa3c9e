"""The table of methods agrees with the signatures of python-telegram-bot, and every method of it answers."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator

import pytest
from telegram import Bot

from playground.botapi.methods.signatures import SIGNATURES
from playground.botapi.methods.table import HANDLERS
from tests.playground.simulator import RunningPlayground, running_playground

# Arguments that the library takes apart or adds itself; the server never sees them.
CONVENIENCES = frozenset(
    [
        *["self", "read_timeout", "write_timeout", "connect_timeout", "pool_timeout", "api_kwargs"],
        *["filename", "location", "venue", "contact", "current_offset"],
    ]
)
# What the library (Bot API 10.0) does not know yet.
NEWER_METHODS = frozenset(
    [
        "answerChatJoinRequestQuery",
        "deleteEphemeralMessage",
        "editEphemeralMessageCaption",
        "editEphemeralMessageMedia",
        "editEphemeralMessageReplyMarkup",
        "editEphemeralMessageText",
        "sendChatJoinRequestWebApp",
        "sendRichMessage",
        "sendRichMessageDraft",
    ]
)


def library_methods() -> dict[str, set[str]]:
    """Return the fields of each method by the library's own signature."""
    named = {name: getattr(Bot, name) for name in dir(Bot) if "_" not in name}
    methods = {name: found for name, found in named.items() if inspect.isfunction(found)}
    parameters = {name: set(inspect.signature(method).parameters) for name, method in methods.items()}
    return {name: given - CONVENIENCES for name, given in parameters.items() if "api_kwargs" in given}


def test_the_table_has_every_method_of_the_library_and_the_newer_ones() -> None:
    assert set(SIGNATURES) - set(library_methods()) == NEWER_METHODS
    assert set(library_methods()) <= set(SIGNATURES)


def test_the_table_has_every_field_of_the_library() -> None:
    lacking = {name: fields - set(SIGNATURES[name].fields) for name, fields in library_methods().items()}

    # The library gives the caption of an album to its first item.
    assert {name: fields for name, fields in lacking.items() if fields} == {
        "sendMediaGroup": {"caption", "caption_entities", "parse_mode"}
    }


def test_the_required_fields_are_those_of_the_library() -> None:
    differing = {}
    for name in library_methods():
        given = inspect.signature(getattr(Bot, name)).parameters.items()
        required = {field for field, value in given if value.default is inspect.Parameter.empty} - CONVENIENCES
        if required != set(SIGNATURES[name].required):
            differing[name] = required ^ set(SIGNATURES[name].required)

    # The library computes, renames or relaxes these itself.
    assert differing == {
        "editMessageLiveLocation": {"latitude", "longitude"},
        "editMessageText": {"text"},
        "sendContact": {"first_name", "phone_number"},
        "sendLocation": {"latitude", "longitude"},
        "sendVenue": {"latitude", "longitude", "title", "address"},
        "transferGift": {"star_count"},
    }


def test_every_function_of_its_own_belongs_to_a_method() -> None:
    assert set(HANDLERS) <= set(SIGNATURES)


@pytest.fixture
async def simulator() -> AsyncIterator[RunningPlayground]:
    async with running_playground() as simulator:
        yield simulator


VALUES = {"Integer": 1, "Float": 1.5, "Boolean": True, "String": "a", "Array": [], "Object": {}}
# These ask for what a simulator without business accounts, payments in Stars and sticker sets cannot have.
ABSENT = frozenset(
    [
        "answerGuestQuery",
        "answerWebAppQuery",
        "approveChatJoinRequest",
        "approveSuggestedPost",
        "declineChatJoinRequest",
        "declineSuggestedPost",
        "editStory",
        "editUserStarSubscription",
        "getBusinessConnection",
        "getStickerSet",
        "postStory",
        "refundStarPayment",
        "repostStory",
    ]
)


async def test_a_method_that_nobody_sees_is_checked_and_called_a_gap(simulator: RunningPlayground) -> None:
    user = await simulator.person()
    unseen = sorted(set(SIGNATURES) - set(HANDLERS))
    refused: set[str] = set()
    for name in unseen:
        fields = SIGNATURES[name].fields
        given = {field: VALUES[type] for field, type in fields.items() if type in VALUES}
        given |= {"chat_id": user} if "chat_id" in fields else {}
        files = {field: b"a" for field, type in fields.items() if type == "File"}
        texts = {field: value if isinstance(value, str) else repr(value).lower() for field, value in given.items()}
        reply = await simulator.upload(name, **texts, **files) if files else await simulator.call(name, **given)
        refused |= set() if reply["ok"] else {name}

    gap = "the simulator checks the fields of this method, but does not model what it does"
    assert refused == ABSENT
    assert [event["text"] for event in await simulator.events("remark")] == [f"{name}: {gap}" for name in unseen]


@pytest.mark.parametrize(
    ("method", "fields", "refusal"),
    [
        ("setStickerSetTitle", {"name": "a"}, 'parameter "title" is required'),
        ("setUserEmojiStatus", {}, "invalid user_id specified"),
        ("setChatPhoto", {"chat_id": 1}, "there is no photo in the request"),
        ("getUserProfilePhotos", {"user_id": 1, "limit": "many"}, 'field "limit" must be a Number'),
        ("setStickerEmojiList", {"sticker": "a", "emoji_list": "{"}, "can't parse emoji list JSON object"),
        ("setStickerEmojiList", {"sticker": "a", "emoji_list": {}}, "expected an Array as emoji list"),
        ("deleteChatPhoto", {"chat_id": 77}, "chat not found"),
        ("getBusinessConnection", {"business_connection_id": "a"}, "business connection not found"),
        ("getStickerSet", {"name": "a"}, "STICKERSET_INVALID"),
    ],
)
async def test_a_wrong_call_of_a_method_that_nobody_sees_is_refused(
    simulator: RunningPlayground, method: str, fields: dict[str, object], refusal: str
) -> None:
    assert await simulator.refusal(method, **fields) == f"Bad Request: {refusal}"
