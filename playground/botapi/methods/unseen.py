"""The methods that change nothing that a person could see in a chat of the simulator.

Their fields are checked by the table of signatures, and they answer as on a server where nothing of the kind exists
yet. A remark says that the simulator does not model them, so that nobody takes the answer for more than it is.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from playground.botapi.fields import CallFields
from playground.botapi.methods.chats import chat_of
from playground.botapi.methods.sending import MethodHandler
from playground.botapi.methods.signatures import FieldType, Signature
from playground.world.errors import bad_request
from playground.world.files import MEDIA_KINDS
from playground.world.world import World

# What the public server says of a missing field; of any other it says that the parameter is required.
_MISSING = {
    "chat_id": "chat_id is empty",
    "message_id": "message identifier is not specified",
    "user_id": "invalid user_id specified",
}
_RIGHTS = (
    "is_anonymous can_manage_chat can_delete_messages can_manage_video_chats can_restrict_members can_promote_members "
    "can_change_info can_invite_users can_post_stories can_edit_stories can_delete_stories"
)
_NO_GIFTS = {"total_count": 0, "gifts": []}
_SIM_TOKEN = "7000000002:managed-bot"  # noqa: S105 - valid nowhere
# The answers by the type of the result, as long as nothing of the kind exists.
_RESULTS: dict[str, Any] = {
    "True": True,
    "Message or True": True,
    "UserProfilePhotos": {"total_count": 0, "photos": []},
    "UserProfileAudios": {"total_count": 0, "audios": []},
    "UserChatBoosts": {"boosts": []},
    "OwnedGifts": _NO_GIFTS,
    "Gifts": {"gifts": []},
    "StarAmount": {"amount": 0},
    "StarTransactions": {"transactions": []},
    "Sticker[]": [],
    "Message[]": [],
    "GameHighScore[]": [],
    "ChatAdministratorRights": dict.fromkeys(_RIGHTS.split(), False),
    "BotAccessSettings": {"is_access_restricted": False},
    "SentWebAppMessage": {},
    "SentGuestMessage": {"inline_message_id": "sim"},
    "PreparedInlineMessage": {"id": "sim", "expiration_date": 2**31 - 1},
    "PreparedKeyboardButton": {"id": "sim"},
    "String": _SIM_TOKEN,
}
# What these methods ask for does not exist in the simulator; these are the public server's words for that.
_ABSENT = {
    "StickerSet": "STICKERSET_INVALID",
    "BusinessConnection": "business connection not found",
    "Story": "business connection not found",
}
_ABSENT_BY_METHOD = {
    "refundStarPayment": "CHARGE_NOT_FOUND",
    "editUserStarSubscription": "CHARGE_NOT_FOUND",
    "answerWebAppQuery": "query is too old and response timeout expired or query ID is invalid",
    "answerGuestQuery": "query is too old and response timeout expired or query ID is invalid",
    "approveSuggestedPost": "message to approve not found",
    "declineSuggestedPost": "message to decline not found",
    "approveChatJoinRequest": "HIDE_REQUESTER_MISSING",
    "declineChatJoinRequest": "HIDE_REQUESTER_MISSING",
}


def unseen(signature: Signature) -> MethodHandler:
    """Return the handler of a method that the simulator only checks."""

    async def check_and_answer(world: World, fields: CallFields) -> Any:
        check_fields(signature, fields)
        if "chat_id" in fields and "chat_id" in signature.required:
            chat_of(world, fields)
        # Before a refusal, too: Telegram may know what the simulator does not have.
        fields.remark("the simulator checks the fields of this method, but does not model what it does")
        absent = _ABSENT_BY_METHOD.get(signature.name) or _ABSENT.get(signature.result)
        if absent:
            raise bad_request(absent)
        return await _upload(world, fields) if signature.result == "File" else _RESULTS[signature.result]

    return check_and_answer


def check_fields(signature: Signature, fields: CallFields) -> None:
    """Check that the required fields are there and that every value has its type. Raises `ApiError`."""
    for name in signature.required:
        if name not in fields or not (fields.text(name).strip() or fields.upload(name)):
            raise bad_request(_missing(name, signature.fields[name]))
    for name, type in signature.fields.items():
        if fields.text(name) and type in _CHECKS:
            _CHECKS[type](name, fields)


def _missing(name: str, type: FieldType) -> str:
    if type is FieldType.FILE:
        return f"there is no {name.replace('_', ' ')} in the request"
    return _MISSING.get(name, f'parameter "{name}" is required')


def _check_number(name: str, fields: CallFields) -> None:
    given = fields.text(name).strip().removeprefix("-")
    if not given.replace(".", "", 1).isdecimal():
        raise bad_request(f'field "{name}" must be a Number')


def _json_check(type: type[Any], word: str) -> Callable[[str, CallFields], None]:
    def check(name: str, fields: CallFields) -> None:
        try:
            value = json.loads(fields.text(name))
        except ValueError:
            raise bad_request(f"can't parse {name.replace('_', ' ')} JSON object") from None
        if not isinstance(value, type):
            raise bad_request(f"expected {word} as {name.replace('_', ' ')}")

    return check


_CHECKS: dict[FieldType, Callable[[str, CallFields], None]] = {
    FieldType.INTEGER: _check_number,
    FieldType.FLOAT: _check_number,
    FieldType.ARRAY: _json_check(list, "an Array"),
    FieldType.OBJECT: _json_check(dict, "an Object"),
}


async def _upload(world: World, fields: CallFields) -> Any:
    upload = fields.upload("sticker")
    if upload is None:
        raise bad_request("there is no sticker file in the request")
    stored = world.files.store(upload.content, kind="document", name=upload.name, type=MEDIA_KINDS["sticker"].type)
    return {"file_id": stored.id, "file_unique_id": stored.unique_id, "file_size": len(upload.content)}
