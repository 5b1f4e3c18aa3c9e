"""Groups and channels: no data is taken there. The bot says where to find it, once, and leaves."""

import asyncio
from contextlib import suppress

from telegram import Chat, InlineKeyboardButton, InlineKeyboardMarkup, Update
from telegram.constants import ChatMemberStatus, ChatType
from telegram.ext import BaseHandler

from bot.content.catalogue import Catalogue, language_of
from bot.handlers.api.calls import best_effort
from bot.handlers.dialogue import DialogueContext

_PRESENT = {ChatMemberStatus.MEMBER, ChatMemberStatus.ADMINISTRATOR, ChatMemberStatus.RESTRICTED}

_PATIENCE = 2


class GroupHandler(BaseHandler[object, DialogueContext, None]):
    """Answers being added to, or spoken to in, anything but a private chat."""

    def __init__(self, catalogue: Catalogue, default_language: str) -> None:
        self._catalogue = catalogue
        self._default_language = default_language
        super().__init__(self._leave)

    def check_update(self, update: object) -> bool:
        """Whether the update comes from a group or channel the bot is in."""
        if not isinstance(update, Update) or update.effective_chat is None:
            return False
        if update.effective_chat.type == ChatType.PRIVATE:
            return False
        if update.my_chat_member is not None:
            return update.my_chat_member.new_chat_member.status in _PRESENT
        return update.message is not None or update.channel_post is not None

    async def _leave(self, update: object, context: DialogueContext) -> None:
        if not isinstance(update, Update) or update.effective_chat is None:
            return
        chat: Chat = update.effective_chat
        user = update.effective_user
        language = language_of(user.language_code if user else None) or self._default_language
        text = self._catalogue.text(language, "group.hello")
        button = InlineKeyboardButton(self._catalogue.text(language, "group.button"), url=context.bot.link)
        # Everybody's next updates wait for this one: a courtesy may not take long.
        with suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE):
                if chat.type != ChatType.CHANNEL:
                    markup = InlineKeyboardMarkup([[button]])
                    await best_effort(lambda: context.bot.send_message(chat.id, text, reply_markup=markup))
                await best_effort(lambda: context.bot.leave_chat(chat.id))
