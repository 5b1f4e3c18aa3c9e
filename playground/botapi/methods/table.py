"""The table of methods: the fields that each one knows (Bot API 10.0) and the function that executes it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from playground.botapi.fields import CallFields
from playground.botapi.methods import bot_profile, callback_answers, deleting, editing, inline_answers, polling, sending
from playground.world.world import World

MethodHandler = Callable[[World, CallFields], Awaitable[Any]]

_TARGET = "business_connection_id chat_id message_thread_id direct_messages_topic_id"
_SEND_OPTIONS = (
    "disable_notification protect_content allow_paid_broadcast message_effect_id suggested_post_parameters "
    "reply_parameters reply_markup"
)
_EDIT_TARGET = "business_connection_id chat_id message_id inline_message_id reply_markup"
_CAPTION = "caption parse_mode caption_entities"


@dataclass(frozen=True, slots=True)
class ApiMethod:
    """One method of the Bot API."""

    name: str
    fields: frozenset[str]
    handler: MethodHandler


def _table(*rows: tuple[str, str, MethodHandler]) -> dict[str, ApiMethod]:
    # The public server ignores the case of method names.
    return {name.lower(): ApiMethod(name, frozenset(fields.split()), handler) for name, fields, handler in rows}


METHODS = _table(
    ("getMe", "", bot_profile.get_me),
    ("getUpdates", "offset limit timeout allowed_updates", polling.get_updates),
    (
        "setWebhook",
        "url certificate ip_address max_connections allowed_updates drop_pending_updates secret_token",
        polling.set_webhook,
    ),
    ("deleteWebhook", "drop_pending_updates", polling.delete_webhook),
    ("getWebhookInfo", "", polling.get_webhook_info),
    ("logOut", "", bot_profile.return_true),
    ("close", "", bot_profile.return_true),
    (
        "sendMessage",
        f"{_TARGET} text parse_mode entities link_preview_options {_SEND_OPTIONS}",
        sending.send_message,
    ),
    (
        "sendPhoto",
        f"{_TARGET} photo {_CAPTION} show_caption_above_media has_spoiler {_SEND_OPTIONS}",
        sending.send_photo,
    ),
    (
        "sendDocument",
        f"{_TARGET} document thumbnail {_CAPTION} disable_content_type_detection {_SEND_OPTIONS}",
        sending.send_document,
    ),
    ("sendChatAction", "business_connection_id chat_id message_thread_id action", sending.send_chat_action),
    (
        "editMessageText",
        f"{_EDIT_TARGET} text parse_mode entities link_preview_options",
        editing.edit_message_text,
    ),
    ("editMessageCaption", f"{_EDIT_TARGET} {_CAPTION} show_caption_above_media", editing.edit_message_caption),
    ("editMessageMedia", f"{_EDIT_TARGET} media", editing.edit_message_media),
    ("editMessageReplyMarkup", _EDIT_TARGET, editing.edit_message_reply_markup),
    ("deleteMessage", "chat_id message_id", deleting.delete_message),
    ("deleteMessages", "chat_id message_ids", deleting.delete_messages),
    ("leaveChat", "chat_id", deleting.leave_chat),
    (
        "answerCallbackQuery",
        "callback_query_id text show_alert url cache_time",
        callback_answers.answer_callback_query,
    ),
    (
        "answerInlineQuery",
        "inline_query_id results cache_time is_personal next_offset button",
        inline_answers.answer_inline_query,
    ),
    ("getFile", "file_id", bot_profile.get_file),
    ("getChat", "chat_id", bot_profile.get_chat),
    ("setMyCommands", "commands scope language_code", bot_profile.set_my_commands),
    ("getMyCommands", "scope language_code", bot_profile.get_my_commands),
    ("deleteMyCommands", "scope language_code", bot_profile.delete_my_commands),
    ("setMyDescription", "description language_code", bot_profile.set_my_description),
    ("getMyDescription", "language_code", bot_profile.get_my_description),
    ("setMyShortDescription", "short_description language_code", bot_profile.set_my_short_description),
    ("getMyShortDescription", "language_code", bot_profile.get_my_short_description),
    ("setMyName", "name language_code", bot_profile.set_my_name),
    ("getMyName", "language_code", bot_profile.get_my_name),
    ("setChatMenuButton", "chat_id menu_button", bot_profile.set_chat_menu_button),
    ("getChatMenuButton", "chat_id", bot_profile.get_chat_menu_button),
)
