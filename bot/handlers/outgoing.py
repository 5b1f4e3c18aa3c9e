"""Sends replies as messages.

The panel is the one message that carries the live keyboard. In a private chat at most one message has buttons that
answer a question, so the panel is edited in place, turned into a record of the answer, or deleted before the next one
is complete. The new question is sent first and the old panel removed after it, so that a crash in between leaves two
panels rather than none; only the newer one works, because buttons carry the id of their question.
"""

import json
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum

from telegram import Bot, ForceReply, InlineKeyboardMarkup, InputMediaPhoto, LinkPreviewOptions, Message
from telegram.constants import ChatAction, ParseMode
from telegram.error import BadRequest

from bot.content.catalogue import Catalogue
from bot.engine.messages import BotBlocked, DeliveryFailed, ReplyContext, TurnKind
from bot.flow import effects as e
from bot.handlers import keyboards, side_messages
from bot.handlers.api.calls import MessageGone, best_effort, call, call_idempotent
from bot.handlers.api.rate_limiter import Priority, priority
from bot.handlers.incoming import chat_of
from bot.images import cards
from verification.dialogue_store import PersonRecords
from verification.ids import PersonId

log = logging.getLogger(__name__)

HTML = ParseMode.HTML
_NO_PREVIEW = LinkPreviewOptions(is_disabled=True)
"""Without this, Telegram's servers would open the links to show a preview."""


ScheduleDeletion = Callable[[PersonId, int], Awaitable[None]]
"""Schedules a message's deletion for later."""


class PanelKind(StrEnum):
    """What kind of message the panel is, and so how it can be changed.

    `TYPED` is a question with a forced reply; Telegram allows no edit of a message with `ForceReply`, so it is deleted.
    """

    TEXT = "text"
    TYPED = "typed"
    PHOTO = "photo"


@dataclass(frozen=True, slots=True)
class Panel:
    """The one message that carries the live keyboard."""

    id: int
    kind: PanelKind

    def dump(self) -> str:
        """The panel as text."""
        return json.dumps({"id": self.id, "form": self.kind})

    @staticmethod
    def load(text: str) -> "Panel | None":
        """The panel in a text, if any."""
        if not text:
            return None
        facts = json.loads(text)
        return Panel(facts["id"], PanelKind(facts["form"]))


class ReplySender:
    """Sends replies to private chats."""

    def __init__(self, bot: Bot, catalogue: Catalogue, schedule_deletion: ScheduleDeletion) -> None:
        self._bot = bot
        self._catalogue = catalogue
        self._schedule_deletion = schedule_deletion

    @property
    def catalogue(self) -> Catalogue:
        """The texts of the replies."""
        return self._catalogue

    async def deliver(self, reply: e.Reply, context: ReplyContext) -> str:
        """Send a reply, and give the panel after it as text; raises `DeliveryFailed` or `BotBlocked`."""
        panel = Panel.load(context.panel)
        with priority(_priority_of(reply, context.kind)):
            match reply:
                case e.AskQuestion() | e.ShowCode() | e.EditCaption() | e.ReplaceCodeWithPicture() | e.RecordAnswer():
                    panel = await self._show_question(reply, context, panel)
                case _:
                    await self._show_side_reply(reply, context, panel)
        return panel.dump() if panel else ""

    async def _show_question(self, reply: e.Question, context: ReplyContext, panel: Panel | None) -> Panel | None:
        match reply:
            case e.AskQuestion():
                return await self._replace_panel(panel, context, await self._ask(reply, context))
            case e.ShowCode():
                picture = cards.qr_png(keyboards.localised(reply.link, language=context.language))
                return await self._show_photo(reply, picture, context, panel)
            case e.ReplaceCodeWithPicture():
                live = await self._show_photo(reply, cards.card_png(reply.picture), context, panel)
                return live if reply.rows else None
            case e.EditCaption():
                return await self._edit_caption(reply, context, panel)
            case e.RecordAnswer():
                await self._record_answer(reply, context, panel)
                return None

    async def _ask(self, reply: e.AskQuestion, context: ReplyContext) -> Panel:
        text, markup = self._full_text(reply, context), self._markup(reply, context)
        if markup is not None or reply.placeholder is None:
            return Panel((await self._send(context, text, markup)).message_id, PanelKind.TEXT)
        waiting = keyboards.force_reply(self._catalogue, context.language, placeholder=reply.placeholder)
        return Panel((await self._send(context, text, waiting)).message_id, PanelKind.TYPED)

    async def _show_photo(
        self, reply: e.ShowCode | e.ReplaceCodeWithPicture, picture: bytes, context: ReplyContext, panel: Panel | None
    ) -> Panel:
        markup, chat = self._markup(reply, context), chat_of(context.person)
        if reply.in_place and panel is not None and panel.kind is PanelKind.PHOTO:
            caption = self._full_text(reply, replace(context, maybe_duplicate=False))
            media, message_id = InputMediaPhoto(picture, caption=caption, parse_mode=HTML), panel.id
            if await call_idempotent(
                lambda: self._bot.edit_message_media(media, chat, message_id, reply_markup=markup)
            ):
                return panel
        caption = self._full_text(reply, context)
        sent = await call(
            lambda: self._bot.send_photo(chat, picture, caption, parse_mode=HTML, reply_markup=markup),
            idempotent=False,
        )
        return await self._replace_panel(panel, context, Panel(_required(sent).message_id, PanelKind.PHOTO))

    async def _edit_caption(self, reply: e.EditCaption, context: ReplyContext, panel: Panel | None) -> Panel:
        text, markup = self._text(context, reply.text, reply.values), self._markup(reply, context)
        if panel is not None and panel.kind is PanelKind.PHOTO:
            chat, message_id = chat_of(context.person), panel.id
            if await call_idempotent(
                lambda: self._bot.edit_message_caption(
                    chat, message_id, caption=text, reply_markup=markup, parse_mode=HTML
                )
            ):
                return panel
        sent = await self._send(context, self._full_text(reply, context), markup)
        return await self._replace_panel(panel, context, Panel(sent.message_id, PanelKind.TEXT))

    async def _record_answer(self, reply: e.RecordAnswer, context: ReplyContext, panel: Panel | None) -> None:
        if panel is None:
            return
        if panel.kind is not PanelKind.TEXT:
            await self._remove_panel(panel, context)
            return
        text = self._text(context, reply.text, reply.values)
        await call_idempotent(lambda: self._edit(context, panel.id, text, None))

    async def _replace_panel(self, old: Panel | None, context: ReplyContext, new: Panel) -> Panel:
        """Remove the old panel, which was not turned into a record, so that only one question can be answered.

        When the question is asked again, the old panel may be a record already, for example of a consent: then only its
        buttons go.
        """
        if old is not None and context.kind.asks_again and old.kind is PanelKind.TEXT:
            await self._remove_buttons(chat_of(context.person), message=old.id)
        elif old is not None:
            await self._remove_panel(old, context)
        return new

    async def _remove_panel(self, panel: Panel, context: ReplyContext) -> None:
        chat = chat_of(context.person)
        try:
            is_deleted = await call_idempotent(lambda: self._bot.delete_message(chat, panel.id))
        except DeliveryFailed:
            # The new panel is in the chat already: raising here would ask its question a second time.
            await self._schedule_deletion(context.person, panel.id)
            return
        if not is_deleted:
            await self._remove_buttons(chat, message=panel.id)

    async def _remove_buttons(self, chat: int, *, message: int) -> None:
        """Remove a message's buttons. A failure is ignored, but the call has full priority: old buttons mislead."""
        with suppress(DeliveryFailed):
            await call_idempotent(lambda: self._bot.edit_message_reply_markup(chat, message))

    async def _show_side_reply(self, reply: e.Reply, context: ReplyContext, panel: Panel | None) -> None:
        match reply:
            case e.SendText():
                markup = keyboards.keyboard(self._catalogue, context.language, reply.rows, "")
                await self._send(context, self._text(context, reply.text, reply.values), markup)
            case e.ShowToast():
                await self._toast(reply, context)
            case e.RemoveButtons():
                await self._remove_pressed_buttons(context, panel)
            case e.ShowChatAction():
                chat = chat_of(context.person)
                await best_effort(lambda: self._bot.send_chat_action(chat, ChatAction.UPLOAD_PHOTO))
            case e.DeleteUserMessage() if context.origin.message_id is not None:
                await self.delete_user_message(context.person, context.origin.message_id)
            case _:
                await self._show_side_message(reply, context)

    async def _show_side_message(self, reply: e.Reply, context: ReplyContext) -> None:
        records = context.records or PersonRecords((), ())
        match reply:
            case e.ShowFaq():
                content = side_messages.render_faq(self._catalogue, context.language, reply)
                await self._send_or_edit(content, context, in_place=reply.in_place)
            case e.ShowLanguages():
                markup = keyboards.languages(self._catalogue, context.language)
                await self._send(context, self._text(context, "language.ask", {}), markup)
            case e.ShowRecords():
                content = side_messages.render_records(self._catalogue, context.language, reply, records)
                await self._send_or_edit(content, context, in_place=reply.ask_erase)
            case e.EditSideMessage():
                await self._send_or_edit(
                    side_messages.MessageContent(self._text(context, reply.text, {}), None), context, in_place=True
                )
            case e.SendExport():
                await self._export(side_messages.export_json(context.person, reply.account, records), context)

    async def _send_or_edit(
        self, content: side_messages.MessageContent, context: ReplyContext, *, in_place: bool
    ) -> None:
        pressed = context.origin.message_id
        edited = pressed if in_place and context.origin.query_id is not None else None
        if edited is None or not await call_idempotent(
            lambda: self._edit(context, edited, content.text, content.markup)
        ):
            await self._send(context, content.text, content.markup)

    async def _toast(self, reply: e.ShowToast, context: ReplyContext) -> None:
        query = context.origin.query_id
        if query is not None:
            text = self._text(context, reply.text, {}) if reply.text else None
            await best_effort(lambda: self._bot.answer_callback_query(query, text, show_alert=reply.alert or None))

    async def _remove_pressed_buttons(self, context: ReplyContext, panel: Panel | None) -> None:
        pressed = context.origin.message_id
        if pressed is not None and (panel is None or panel.id != pressed):
            await best_effort(lambda: self._bot.edit_message_reply_markup(chat_of(context.person), pressed))

    async def delete_user_message(self, person: PersonId, message_id: int) -> None:
        """Delete a person's message; a message that is gone, too old to delete or unreachable counts as deleted."""
        try:
            await call_idempotent(lambda: self._bot.delete_message(chat_of(person), message_id))
        except (BotBlocked, BadRequest) as error:
            log.warning("a message could not be deleted (%s)", type(error).__name__)

    async def delete_pending(self, person: PersonId, message_id: int) -> None:
        """Delete a scheduled message if the rate limiter allows it at once; raises `DeliveryFailed` if not."""
        with priority(Priority.BEST_EFFORT):
            await self.delete_user_message(person, message_id)

    async def _export(self, content: bytes, context: ReplyContext) -> None:
        caption = self._text(context, "privacy.file_caption", {})
        await call(
            lambda: self._bot.send_document(
                chat_of(context.person), content, caption, filename="my-data.json", parse_mode=HTML
            ),
            idempotent=False,
        )

    async def _send(
        self, context: ReplyContext, text: str, markup: InlineKeyboardMarkup | ForceReply | None
    ) -> Message:
        sent = await call(
            lambda: self._bot.send_message(
                chat_of(context.person), text, HTML, reply_markup=markup, link_preview_options=_NO_PREVIEW
            ),
            idempotent=False,
        )
        return _required(sent)

    async def _edit(
        self, context: ReplyContext, message_id: int, text: str, markup: InlineKeyboardMarkup | None
    ) -> None:
        await self._bot.edit_message_text(
            text,
            chat_of(context.person),
            message_id,
            parse_mode=HTML,
            reply_markup=markup,
            link_preview_options=_NO_PREVIEW,
        )

    def _full_text(
        self, reply: e.AskQuestion | e.ShowCode | e.EditCaption | e.ReplaceCodeWithPicture, context: ReplyContext
    ) -> str:
        """The text of a new message: the notes above the question, and the question."""
        note = reply.note if isinstance(reply, e.AskQuestion | e.ShowCode) else None
        above = [key for key in ("misc.repeated" if context.maybe_duplicate else None, note) if key is not None]
        return "\n\n".join(self._text(context, key, reply.values) for key in (*above, reply.text))

    def _text(self, context: ReplyContext, key: str, values: e.Values) -> str:
        return self._catalogue.text(context.language, key, values)

    def _markup(
        self, reply: e.AskQuestion | e.ShowCode | e.EditCaption | e.ReplaceCodeWithPicture, context: ReplyContext
    ) -> InlineKeyboardMarkup | None:
        return keyboards.keyboard(self._catalogue, context.language, reply.rows, reply.question_id)


def _required(message: Message | None) -> Message:
    if message is None:
        raise MessageGone("a message was sent, and Telegram gave none back")
    return message


def _priority_of(reply: e.Reply, kind: TurnKind) -> Priority:
    """Who waits for a reply: results go with the answers, and an edit that only reports progress goes last."""
    if kind is TurnKind.NEWS:
        return Priority.EDIT if isinstance(reply, e.EditCaption) else Priority.ANSWER
    return Priority.ANSWER if kind.is_awaited else Priority.NOTICE
