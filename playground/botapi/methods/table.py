"""The table of methods: every signature of the Bot API with the function that executes it.

A method without a function of its own changes nothing that a person would see; it is only checked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from playground.botapi.methods import (
    bot_profile,
    contents,
    copying,
    deleting,
    editing,
    inline_answers,
    marks,
    members,
    polling,
    query_answers,
    sending,
)
from playground.botapi.methods.sending import MethodHandler, file_content, sender
from playground.botapi.methods.signatures import SIGNATURES, Signature
from playground.botapi.methods.unseen import unseen

# Names of earlier versions that the public server still answers.
_EARLIER = {"getChatMembersCount": "getChatMemberCount", "kickChatMember": "banChatMember"}


@dataclass(frozen=True, slots=True)
class ApiMethod:
    """One method of the Bot API."""

    signature: Signature
    handler: MethodHandler

    @property
    def name(self) -> str:
        """The name as the documentation spells it."""
        return self.signature.name


_FILES = ("photo", "live_photo", "audio", "document", "video", "animation", "voice", "video_note", "sticker")
_CONTENTS = {
    "sendMessage": sending.text_content,
    "sendRichMessage": contents.rich_message,
    "sendPaidMedia": sending.paid_media,
    "sendLocation": contents.location,
    "sendVenue": contents.venue,
    "sendContact": contents.contact,
    "sendPoll": contents.poll,
    "sendChecklist": contents.checklist,
    "sendDice": contents.dice,
    "sendInvoice": contents.invoice,
    "sendGame": contents.game,
} | {f"send{kind.title().replace('_', '')}": file_content(kind) for kind in _FILES}

HANDLERS: Mapping[str, MethodHandler] = {name: sender(read) for name, read in _CONTENTS.items()} | {
    "getMe": bot_profile.get_me,
    "getUpdates": polling.get_updates,
    "setWebhook": polling.set_webhook,
    "deleteWebhook": polling.delete_webhook,
    "getWebhookInfo": polling.get_webhook_info,
    "logOut": bot_profile.return_true,
    "close": bot_profile.return_true,
    "sendMediaGroup": sending.send_media_group,
    "sendMessageDraft": sending.send_message_draft,
    "sendChatAction": sending.send_chat_action,
    "copyMessage": copying.copy_message,
    "copyMessages": copying.copy_messages,
    "forwardMessage": copying.forward_message,
    "forwardMessages": copying.forward_messages,
    "setMessageReaction": marks.set_message_reaction,
    "pinChatMessage": marks.pin_chat_message,
    "unpinChatMessage": marks.unpin_chat_message,
    "unpinAllChatMessages": marks.unpin_all_chat_messages,
    "editMessageText": editing.edit_message_text,
    "editMessageCaption": editing.edit_message_caption,
    "editMessageMedia": editing.edit_message_media,
    "editMessageReplyMarkup": editing.edit_message_reply_markup,
    "editMessageLiveLocation": editing.edit_message_live_location,
    "stopMessageLiveLocation": editing.stop_message_live_location,
    "editMessageChecklist": editing.edit_message_checklist,
    "stopPoll": editing.stop_poll,
    "deleteMessage": deleting.delete_message,
    "deleteMessages": deleting.delete_messages,
    "leaveChat": deleting.leave_chat,
    "answerCallbackQuery": query_answers.answer_callback_query,
    "answerInlineQuery": inline_answers.answer_inline_query,
    "answerPreCheckoutQuery": query_answers.answer_pre_checkout_query,
    "answerShippingQuery": query_answers.answer_shipping_query,
    "createInvoiceLink": query_answers.create_invoice_link,
    "getFile": bot_profile.get_file,
    "getChat": bot_profile.get_chat,
    "getChatMember": members.get_chat_member,
    "getChatAdministrators": members.get_chat_administrators,
    "getChatMemberCount": members.get_chat_member_count,
    "banChatMember": members.ban_chat_member,
    "unbanChatMember": members.unban_chat_member,
    "restrictChatMember": members.restrict_chat_member,
    "promoteChatMember": members.promote_chat_member,
    "setChatTitle": members.set_chat_title,
    "setChatDescription": members.set_chat_description,
    "setChatPermissions": members.set_chat_permissions,
    "exportChatInviteLink": members.export_chat_invite_link,
    "createChatInviteLink": members.create_chat_invite_link,
    "createChatSubscriptionInviteLink": members.create_chat_invite_link,
    "editChatInviteLink": members.edit_chat_invite_link,
    "editChatSubscriptionInviteLink": members.edit_chat_invite_link,
    "revokeChatInviteLink": members.revoke_chat_invite_link,
    "createForumTopic": members.create_forum_topic,
    "editForumTopic": members.topic_changer(members.rename_topic),
    "closeForumTopic": members.topic_changer(members.close_topic),
    "reopenForumTopic": members.topic_changer(members.reopen_topic),
    "deleteForumTopic": members.topic_changer(members.delete_topic),
    "setMyCommands": bot_profile.set_my_commands,
    "getMyCommands": bot_profile.get_my_commands,
    "deleteMyCommands": bot_profile.delete_my_commands,
    "setMyDescription": bot_profile.set_my_description,
    "getMyDescription": bot_profile.get_my_description,
    "setMyShortDescription": bot_profile.set_my_short_description,
    "getMyShortDescription": bot_profile.get_my_short_description,
    "setMyName": bot_profile.set_my_name,
    "getMyName": bot_profile.get_my_name,
    "setChatMenuButton": bot_profile.set_chat_menu_button,
    "getChatMenuButton": bot_profile.get_chat_menu_button,
}


def _methods() -> dict[str, ApiMethod]:
    known = {
        name: ApiMethod(signature, HANDLERS.get(name) or unseen(signature)) for name, signature in SIGNATURES.items()
    }
    earlier = {name.lower(): known[now] for name, now in _EARLIER.items()}
    # The public server ignores the case of method names.
    return {name.lower(): method for name, method in known.items()} | earlier


METHODS = _methods()
