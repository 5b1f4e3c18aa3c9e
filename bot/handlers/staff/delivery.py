"""Brings answers into the chats of support's people, at the pace of all other calls.

An update waits for its answer, so that one which a crash takes is asked again. It waits no longer than anybody else's
may have to: behind that, the answer finds its way by itself, and is tried again where it does not.
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
    """Whose chat, in which language, and what was pressed there, if anything."""

    chat: int
    language: str
    query_id: str | None = None
    message_id: int | None = None
    on_picture: bool = False


class StaffReplySender:
    """Shows answers until they are shown, or there is no hope for it."""

    def __init__(
        self, bot: Bot, catalogue: Catalogue, retry_delays: Sequence[float] = _RETRY_DELAYS, wait: float = _WAIT
    ) -> None:
        self._bot = bot
        self._catalogue = catalogue
        self._retry_delays = retry_delays
        self._wait = wait
        self._group: asyncio.TaskGroup | None = None
        self._showing: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Show answers until left; what is under way then has a few seconds."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            try:
                yield
            finally:
                self._group = None
                if self._showing:
                    await asyncio.wait(self._showing, timeout=_SHUTDOWN_TIMEOUT)
                for task in self._showing:
                    task.cancel()

    async def show(self, answers: Sequence[StaffReply], target: ReplyTarget) -> None:
        """Show answers in their order; returns when they are shown, or that takes too long to be waited for."""
        if self._group is None:
            return
        task = self._group.create_task(self._show_all(answers, target))
        self._showing.add(task)
        task.add_done_callback(self._showing.discard)
        await asyncio.wait({task}, timeout=self._wait)

    async def _show_all(self, answers: Sequence[StaffReply], target: ReplyTarget) -> None:
        if target.query_id is not None and not any(isinstance(answer, ToastReply) for answer in answers):
            await self._toast("", target)
        try:
            for answer in answers:
                await self._show_with_retries(answer, target)
        except BotBlocked:
            log.info("somebody of support cannot be written to")
        except Exception as error:
            # Whatever it was, it may not stop anybody else's answers.
            log.warning("an answer for support was given up (%s)", type(error).__name__)

    async def _show_with_retries(self, answer: StaffReply, target: ReplyTarget) -> None:
        again = False
        for pause in self._retry_delays:
            try:
                return await self._show(answer, target, maybe_duplicate=again)
            except DeliveryFailed as error:
                if again and error.maybe_delivered:
                    # It may stand there twice already.
                    raise
                again = error.maybe_delivered
            await asyncio.sleep(pause)
        return await self._show(answer, target, maybe_duplicate=again)

    async def _show(self, answer: StaffReply, target: ReplyTarget, *, maybe_duplicate: bool) -> None:
        match answer:
            case ToastReply(text):
                await self._toast(text, target)
            case TextReply(screen, in_place):
                if not (
                    in_place and target.message_id is not None and await self._edit(screen, target.message_id, target)
                ):
                    await self._send(
                        self._with_duplicate_note(screen.text, target, maybe_duplicate=maybe_duplicate),
                        screen.markup,
                        target,
                    )
            case PhotoReply(picture, screen):
                text = self._with_duplicate_note(screen.text, target, maybe_duplicate=maybe_duplicate)
                await call(
                    lambda: self._bot.send_photo(
                        target.chat, picture, text, parse_mode=HTML, reply_markup=screen.markup
                    ),
                    idempotent=False,
                )
            case FileReply(content=content, name=name, caption=caption):
                text = self._with_duplicate_note(caption, target, maybe_duplicate=maybe_duplicate)
                await call(
                    lambda: self._bot.send_document(target.chat, content, text, filename=name, parse_mode=HTML),
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

    async def _edit(self, screen: MessageContent, here: int, target: ReplyTarget) -> bool:
        if target.on_picture:
            return await call_idempotent(
                lambda: self._bot.edit_message_caption(
                    target.chat, here, caption=screen.text, parse_mode=HTML, reply_markup=screen.markup
                )
            )
        return await call_idempotent(
            lambda: self._bot.edit_message_text(
                screen.text,
                target.chat,
                here,
                parse_mode=HTML,
                reply_markup=screen.markup,
                link_preview_options=_NO_PREVIEW,
            )
        )

    async def _toast(self, text: str, target: ReplyTarget) -> None:
        query = target.query_id
        if query is not None:
            await best_effort(lambda: self._bot.answer_callback_query(query, text or None))
