"""Sends the replies to support staff, through the rate limiter of all calls.

The reply to an update is sent in the background, and tried again up to four times: the updates of all people would
wait for it otherwise.
"""

import asyncio
import logging
from collections.abc import Sequence

from telegram import Bot, InlineKeyboardMarkup, LinkPreviewOptions
from telegram.constants import ParseMode

from bot.content.catalogue import Catalogue
from bot.engine.messages import BotBlocked, DeliveryFailed
from bot.handlers.api.calls import best_effort, call, call_idempotent
from bot.handlers.background import BackgroundReplies
from bot.handlers.side_messages import MessageContent
from bot.handlers.staff.replies import FileReply, PhotoReply, StaffReply, TextReply, ToastReply
from verification.record import Record

log = logging.getLogger(__name__)

HTML = ParseMode.HTML
_NO_PREVIEW = LinkPreviewOptions(is_disabled=True)
_RETRY_DELAYS = (0.5, 2.0, 8.0, 30.0)


class ReplyTarget(Record, kw_only=True):
    """Where a reply goes: the chat, the language, and the pressed button's message, if any."""

    chat: int
    language: str
    query_id: str | None = None
    message_id: int | None = None
    on_picture: bool = False


class StaffReplySender:
    """Sends replies until they arrive or the last retry fails."""

    def __init__(
        self,
        bot: Bot,
        catalogue: Catalogue,
        background: BackgroundReplies,
        retry_delays: Sequence[float] = _RETRY_DELAYS,
    ) -> None:
        self._bot = bot
        self._catalogue = catalogue
        self._background = background
        self._retry_delays = retry_delays

    def show(self, replies: Sequence[StaffReply], target: ReplyTarget) -> None:
        """Send replies in order, after those that wait for the same chat."""
        self._background.add(target.chat, lambda: self._show_all(replies, target))

    async def _show_all(self, replies: Sequence[StaffReply], target: ReplyTarget) -> None:
        if target.query_id is not None and not any(isinstance(reply, ToastReply) for reply in replies):
            await self._toast("", target)
        try:
            for reply in replies:
                await self._show_with_retries(reply, target)
        except BotBlocked:
            log.info("a staff member has blocked the bot or has no chat with it")

    async def _show_with_retries(self, reply: StaffReply, target: ReplyTarget) -> None:
        maybe_duplicate = False
        for delay in self._retry_delays:
            try:
                return await self._show(reply, target, maybe_duplicate=maybe_duplicate)
            except DeliveryFailed as error:
                if maybe_duplicate and error.maybe_delivered:
                    # The reply may have arrived twice already.
                    raise
                maybe_duplicate = error.maybe_delivered
            await asyncio.sleep(delay)
        return await self._show(reply, target, maybe_duplicate=maybe_duplicate)

    async def _show(self, reply: StaffReply, target: ReplyTarget, *, maybe_duplicate: bool) -> None:
        match reply:
            case ToastReply(text):
                await self._toast(text, target)
            case TextReply(content, in_place):
                if not (
                    in_place and target.message_id is not None and await self._edit(content, target.message_id, target)
                ):
                    await self._send(
                        self._with_duplicate_note(content.text, target, maybe_duplicate=maybe_duplicate),
                        content.markup,
                        target,
                    )
            case PhotoReply(picture, content):
                text = self._with_duplicate_note(content.text, target, maybe_duplicate=maybe_duplicate)
                await call(
                    lambda: self._bot.send_photo(
                        target.chat, picture, text, parse_mode=HTML, reply_markup=content.markup
                    ),
                    idempotent=False,
                )
            case FileReply(content=file, name=name, caption=caption):
                text = self._with_duplicate_note(caption, target, maybe_duplicate=maybe_duplicate)
                await call(
                    lambda: self._bot.send_document(target.chat, file, text, filename=name, parse_mode=HTML),
                    idempotent=False,
                )

    def _with_duplicate_note(self, text: str, target: ReplyTarget, *, maybe_duplicate: bool) -> str:
        return f"{self._catalogue.text(target.language, 'misc.repeated')}\n\n{text}" if maybe_duplicate else text

    async def _send(self, text: str, markup: InlineKeyboardMarkup | None, target: ReplyTarget) -> None:
        await call(
            lambda: self._bot.send_message(
                target.chat, text, HTML, reply_markup=markup, link_preview_options=_NO_PREVIEW
            ),
            idempotent=False,
        )

    async def _edit(self, content: MessageContent, message_id: int, target: ReplyTarget) -> bool:
        if target.on_picture:
            return await call_idempotent(
                lambda: self._bot.edit_message_caption(
                    target.chat, message_id, caption=content.text, parse_mode=HTML, reply_markup=content.markup
                )
            )
        return await call_idempotent(
            lambda: self._bot.edit_message_text(
                content.text,
                target.chat,
                message_id,
                parse_mode=HTML,
                reply_markup=content.markup,
                link_preview_options=_NO_PREVIEW,
            )
        )

    async def _toast(self, text: str, target: ReplyTarget) -> None:
        query = target.query_id
        if query is not None:
            await best_effort(lambda: self._bot.answer_callback_query(query, text or None))
