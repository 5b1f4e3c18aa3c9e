"""Leaves groups and channels: the bot collects no data there; it sends the link to its private chat once and leaves."""

from telegram import Chat, InlineKeyboardButton, InlineKeyboardMarkup, Update
from telegram.constants import ChatMemberStatus, ChatType
from telegram.ext import BaseHandler

from bot.content.catalogue import Catalogue, language_of
from bot.handlers.api.calls import best_effort
from bot.handlers.background import BackgroundReplies
from bot.handlers.dialogue import DialogueContext

_PRESENT = {ChatMemberStatus.MEMBER, ChatMemberStatus.ADMINISTRATOR, ChatMemberStatus.RESTRICTED}


class GroupHandler(BaseHandler[object, DialogueContext, None]):
    """Leaves every chat that is not private, when the bot is added to it or gets a message there."""

    def __init__(self, catalogue: Catalogue, background: BackgroundReplies, default_language: str) -> None:
        self._catalogue = catalogue
        self._background = background
        self._default_language = default_language
        super().__init__(self._leave)

    def check_update(self, update: object) -> bool:
        """Whether the update comes from a group or channel that the bot is in."""
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

        async def say_goodbye() -> None:
            if chat.type != ChatType.CHANNEL:
                markup = InlineKeyboardMarkup([[button]])
                await best_effort(lambda: context.bot.send_message(chat.id, text, reply_markup=markup))
            await best_effort(lambda: context.bot.leave_chat(chat.id))

        self._background.add(chat.id, say_goodbye)
