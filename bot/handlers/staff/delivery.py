"""Sends the replies to support staff, through the rate limiter of all calls.

An update is confirmed when its reply is shown, so that after a crash Telegram sends the update again. It waits for two
seconds at most, because the updates of all people wait for it; after that the reply is delivered in the background, and
tried again up to four times.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from telegram import Bot, InlineKeyboardMarkup, LinkPreviewOptions
from telegram.constants import ParseMode

from bot.content.catalogue import Catalogue
from bot.engine.messages import BotBlocked, DeliveryFailed
from bot.handlers.api.calls import best_effort, call, call_idempotent
from bot.handlers.side_messages import MessageContent
from bot.handlers.staff.replies import FileReply, PhotoReply, StaffReply, TextReply, ToastReply

log = logging.getLogger(__name__)

HTML = ParseMode.HTML
_NO_PREVIEW = LinkPreviewOptions(is_disabled=True)
_WAIT = 2.0
_SHUTDOWN_TIMEOUT = 5.0
_RETRY_DELAYS = (0.5, 2.0, 8.0, 30.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyTarget:
    """Where a reply goes: the chat, the language, and the pressed button's message, if any."""

    chat: int
    language: str
    query_id: str | None = None
    message_id: int | None = None
    on_picture: bool = False


class StaffReplySender:
    """Sends replies until they arrive or the last retry fails."""

    def __init__(
        self, bot: Bot, catalogue: Catalogue, retry_delays: Sequence[float] = _RETRY_DELAYS, wait: float = _WAIT
    ) -> None:
        self._bot = bot
        self._catalogue = catalogue
        self._retry_delays = retry_delays
        self._wait = wait
        self._group: asyncio.TaskGroup | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Send replies while the context is open; those in progress at its end have five seconds to finish."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            try:
                yield
            finally:
                self._group = None
                if self._tasks:
                    await asyncio.wait(self._tasks, timeout=_SHUTDOWN_TIMEOUT)
                for task in self._tasks:
                    task.cancel()

    async def show(self, replies: Sequence[StaffReply], target: ReplyTarget) -> None:
        """Send replies in order; returns when they are shown, or after two seconds."""
        if self._group is None:
            return
        task = self._group.create_task(self._show_all(replies, target))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        await asyncio.wait({task}, timeout=self._wait)

    async def _show_all(self, replies: Sequence[StaffReply], target: ReplyTarget) -> None:
        if target.query_id is not None and not any(isinstance(reply, ToastReply) for reply in replies):
            await self._toast("", target)
        try:
            for reply in replies:
                await self._show_with_retries(reply, target)
        except BotBlocked:
            log.info("a staff member has blocked the bot or has no chat with it")
        except Exception as error:
            # An error in one reply must not end the task group, and with it the bot.
            log.warning("a reply to support staff is abandoned (%s)", type(error).__name__)

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
