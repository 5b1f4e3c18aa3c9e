"""Answers inline queries: `@bot words` in any chat offers answers of the FAQ, in the language of the person who types.

A query never touches a dialogue. Telegram discards it after 30 seconds, so each query is answered in a task of its own
and no update waits for it. A query may stay unanswered: when an error occurs, when 50 others are being answered, or
when the bot stops. The next letter that the person types asks again.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from telegram import (
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InlineQuery,
    InlineQueryResultArticle,
    InlineQueryResultsButton,
    InputTextMessageContent,
    LinkPreviewOptions,
    Update,
)
from telegram.constants import ParseMode
from telegram.ext import BaseHandler

from bot import links
from bot.content import telegram_html
from bot.content.catalogue import Catalogue, Entry, language_of
from bot.handlers.api.calls import best_effort
from bot.handlers.api.rate_limiter import Priority, priority
from bot.handlers.dialogue import DialogueContext
from bot.handlers.side_messages import render_topic
from verification.errors import describe_error

log = logging.getLogger(__name__)

_DEFAULT_TOPICS = 10
"""How many topics an empty query gives."""
_CACHE_SECONDS = 300
_MAX_CONCURRENT = 50
_DESCRIPTION = 120


class InlineHandler(BaseHandler[object, DialogueContext, None]):
    """Answers inline queries from the FAQ alone."""

    def __init__(
        self, catalogue: Catalogue, topics_in: Callable[[str], tuple[str, ...]], default_language: str
    ) -> None:
        self._catalogue = catalogue
        self._topics_in = topics_in
        self._default_language = default_language
        self._group: asyncio.TaskGroup | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        super().__init__(self._handle)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Answer queries while the context is open; queries in progress at its end are cancelled."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            try:
                yield
            finally:
                self._group = None
                for task in self._tasks:
                    task.cancel()

    def check_update(self, update: object) -> bool:
        """Whether the update is an inline query."""
        return isinstance(update, Update) and update.inline_query is not None

    async def _handle(self, update: object, context: DialogueContext) -> None:
        query = update.inline_query if isinstance(update, Update) else None
        if query is None or self._group is None or len(self._tasks) >= _MAX_CONCURRENT:
            return
        task = self._group.create_task(self._answer(query, context.bot.username))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, query: InlineQuery, bot: str) -> None:
        language = language_of(query.from_user.language_code) or self._default_language
        entries = self._entries(query.query, language)
        results = [
            _article(entry, link=links.to_topic(bot, topic=entry.id), label=self._text(language, "open"))
            for entry in entries
        ]
        # Cached per person, because people with the same query may have different languages.
        button = (
            None
            if entries
            else InlineQueryResultsButton(self._text(language, "nothing"), start_parameter=links.FAQ_PREFIX)
        )
        try:
            # During a wait that Telegram asked for, the answer is dropped.
            with priority(Priority.BEST_EFFORT):
                await best_effort(
                    lambda: query.answer(results, cache_time=_CACHE_SECONDS, is_personal=True, button=button)
                )
        except Exception as error:
            # An error in one query must not end the task group, and with it the bot.
            log.warning("an inline query stays unanswered (%s)", describe_error(error))

    def _entries(self, text: str, language: str) -> list[Entry]:
        topics = (
            self._topics_in(text)
            if text.strip()
            else [entry.id for entry in self._catalogue.faq[language][:_DEFAULT_TOPICS]]
        )
        return [entry for topic in topics if (entry := self._catalogue.entry(language, topic)) is not None]

    def _text(self, language: str, key: str) -> str:
        return self._catalogue.text(language, f"inline.{key}")


def _article(entry: Entry, *, link: str, label: str) -> InlineQueryResultArticle:
    rows = [[InlineKeyboardButton(name, url=url)] for name, url in entry.links]
    content = InputTextMessageContent(
        render_topic(entry), ParseMode.HTML, link_preview_options=LinkPreviewOptions(is_disabled=True)
    )
    return InlineQueryResultArticle(
        entry.id,
        entry.title,
        content,
        reply_markup=InlineKeyboardMarkup([*rows, [InlineKeyboardButton(label, url=link)]]),
        description=" ".join(telegram_html.strip_tags(entry.answer).split())[:_DESCRIPTION],
    )
