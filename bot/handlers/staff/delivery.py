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
from bot.engine.messages import Undelivered, Unreachable
from bot.handlers.api.calls import best_effort, call, done
from bot.handlers.side_messages import Screen
from bot.handlers.staff.replies import Answer, Filed, Pictured, Toasted, Told

log = logging.getLogger(__name__)

HTML = ParseMode.HTML
_NO_PREVIEW = LinkPreviewOptions(is_disabled=True)
_PATIENCE = 2.0
_LAST_PATIENCE = 5.0
_PAUSES = (0.5, 2.0, 8.0, 30.0)


@dataclass(frozen=True, slots=True)
class Where:
    """Whose chat, in which language, and what was pressed there, if anything."""

    chat: int
    language: str
    query_id: str | None = None
    pressed: int | None = None
    on_picture: bool = False


class Delivery:
    """Shows answers until they are shown, or there is no hope for it."""

    def __init__(
        self, bot: Bot, catalogue: Catalogue, pauses: Sequence[float] = _PAUSES, patience: float = _PATIENCE
    ) -> None:
        self._bot = bot
        self._catalogue = catalogue
        self._pauses = pauses
        self._patience = patience
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
                    await asyncio.wait(self._showing, timeout=_LAST_PATIENCE)
                for task in self._showing:
                    task.cancel()

    async def show(self, answers: Sequence[Answer], where: Where) -> None:
        """Show answers in their order; returns when they are shown, or that takes too long to be waited for."""
        if self._group is None:
            return
        task = self._group.create_task(self._show_all(answers, where))
        self._showing.add(task)
        task.add_done_callback(self._showing.discard)
        await asyncio.wait({task}, timeout=self._patience)

    async def _show_all(self, answers: Sequence[Answer], where: Where) -> None:
        if where.query_id is not None and not any(isinstance(answer, Toasted) for answer in answers):
            await self._toast("", where)
        try:
            for answer in answers:
                await self._insist(answer, where)
        except Unreachable:
            log.info("somebody of support cannot be written to")
        except Exception as error:
            # Whatever it was, it may not stop anybody else's answers.
            log.warning("an answer for support was given up (%s)", type(error).__name__)

    async def _insist(self, answer: Answer, where: Where) -> None:
        again = False
        for pause in self._pauses:
            try:
                return await self._show(answer, where, again=again)
            except Undelivered as error:
                if again and error.perhaps:
                    # It may stand there twice already.
                    raise
                again = error.perhaps
            await asyncio.sleep(pause)
        return await self._show(answer, where, again=again)

    async def _show(self, answer: Answer, where: Where, *, again: bool) -> None:
        match answer:
            case Toasted(text):
                await self._toast(text, where)
            case Told(screen, in_place):
                if not (in_place and where.pressed is not None and await self._rewritten(screen, where.pressed, where)):
                    await self._send(self._noted(screen.text, where, again=again), screen.markup, where)
            case Pictured(picture, screen):
                text = self._noted(screen.text, where, again=again)
                await call(
                    lambda: self._bot.send_photo(
                        where.chat, picture, text, parse_mode=HTML, reply_markup=screen.markup
                    ),
                    repeatable=False,
                )
            case Filed(content, name, caption):
                text = self._noted(caption, where, again=again)
                await call(
                    lambda: self._bot.send_document(where.chat, content, text, filename=name, parse_mode=HTML),
                    repeatable=False,
                )

    def _noted(self, text: str, where: Where, *, again: bool) -> str:
        return f"{self._catalogue.text(where.language, 'misc.repeated')}\n\n{text}" if again else text

    async def _send(self, text: str, markup: InlineKeyboardMarkup | None, where: Where) -> None:
        await call(
            lambda: self._bot.send_message(
                where.chat, text, HTML, reply_markup=markup, link_preview_options=_NO_PREVIEW
            ),
            repeatable=False,
        )

    async def _rewritten(self, screen: Screen, here: int, where: Where) -> bool:
        if where.on_picture:
            return await done(
                lambda: self._bot.edit_message_caption(
                    where.chat, here, caption=screen.text, parse_mode=HTML, reply_markup=screen.markup
                )
            )
        return await done(
            lambda: self._bot.edit_message_text(
                screen.text,
                where.chat,
                here,
                parse_mode=HTML,
                reply_markup=screen.markup,
                link_preview_options=_NO_PREVIEW,
            )
        )

    async def _toast(self, text: str, where: Where) -> None:
        query = where.query_id
        if query is not None:
            await best_effort(lambda: self._bot.answer_callback_query(query, text or None))
