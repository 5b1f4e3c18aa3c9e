"""Sends replies as messages, in as few calls as do it.

The panel is the one message that carries the live keyboard. In a private chat at most one message has buttons that
answer a question. A question that follows from a button of the panel takes its place in the same message, and a code to
scan takes the place of the question before it. What is typed is deleted together with the question that it answers, and
the next question is a new message. A question that comes for another reason is sent first and the old panel removed
after it, so that a crash in between leaves two panels rather than none; only the newer one works, because buttons carry
the id of their question (docs/decisions/0020).
"""

import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress

from msgspec.structs import replace
from telegram import Bot, InputMediaPhoto, LinkPreviewOptions
from telegram.constants import ParseMode
from telegram.error import BadRequest

from bot.content.catalogue import Catalogue
from bot.engine.messages import BotBlocked, DeliveryFailed, ReplyContext, TurnKind
from bot.flow import effects as e
from bot.handlers import keyboards, side_messages
from bot.handlers.api.calls import MessageGone, best_effort, call, call_idempotent
from bot.handlers.api.methods import BotMethods, Keyboard, SentMessage
from bot.handlers.api.rate_limiter import Priority, priority
from bot.handlers.chat_actions import ChatActions
from bot.handlers.incoming import chat_of
from bot.handlers.keyboards import PlainMarkup
from bot.handlers.panels import Panel, PanelKind
from bot.images import cards
from verification.dialogue_store import PersonRecords
from verification.errors import describe_error
from verification.ids import PersonId

log = logging.getLogger(__name__)

HTML = ParseMode.HTML
_NO_PREVIEW = LinkPreviewOptions(is_disabled=True)
"""Without this, Telegram's servers would open the links to show a preview."""

_CAPTION_ABOVE = True
"""A chat shows the end of a new message: a code below its caption is on the screen whole, with the buttons under it."""

_MESSAGES = e.SendText | e.ShowFaq | e.ShowLanguages | e.ShowRecords | e.SendExport
"""The side replies that stand below the panel."""


ScheduleDeletion = Callable[[PersonId, int], Awaitable[None]]
"""Schedules a message's deletion for later."""

FormUrl = Callable[[PersonId, str], str | None]
"""The address of the private form for a question, by the question's id; None where phones do not reach our pages."""


class ReplySender:
    """Sends replies to private chats."""

    def __init__(
        self,
        bot: Bot,
        catalogue: Catalogue,
        schedule_deletion: ScheduleDeletion,
        form_url: FormUrl = lambda _person, _question_id: None,
    ) -> None:
        self._bot = BotMethods(bot)
        self._form_url = form_url
        self._catalogue = catalogue
        self._schedule_deletion = schedule_deletion
        self._actions = ChatActions(bot)
        self._card_ids: dict[e.Picture, str] = {}

    @property
    def catalogue(self) -> Catalogue:
        """The texts of the replies."""
        return self._catalogue

    async def deliver(self, reply: e.Reply, context: ReplyContext) -> str:
        """Send a reply, and give the panel after it as text; raises `DeliveryFailed` or `BotBlocked`."""
        panel = Panel.load(context.panel)
        self._actions.cancel(context.person)
        with priority(_priority_of(reply, context.kind)):
            match reply:
                case e.AskQuestion() | e.ShowCode() | e.EditCaption() | e.ReplaceCodeWithPicture() | e.RecordAnswer():
                    panel = await self._show_question(reply, context, panel)
                case e.DeleteUserMessage(with_panel=True) if panel is not None:
                    panel = await self._delete_with_panel(panel, context)
                case _:
                    await self._show_side_reply(reply, context, panel)
                    if panel is not None and (isinstance(reply, _MESSAGES) or context.kind.asks_again):
                        # What comes after a crash is a new message, too: an edit makes no sound.
                        panel = replace(panel, is_last=False)
        return panel.dump() if panel else ""

    async def _show_question(self, reply: e.Question, context: ReplyContext, panel: Panel | None) -> Panel | None:
        match reply:
            case e.AskQuestion():
                return await self._ask(reply, context, panel)
            case e.ShowCode():
                picture = cards.qr_png(keyboards.localised(reply.link, language=context.language))
                return (await self._show_photo(reply, picture, context, panel))[0]
            case e.ReplaceCodeWithPicture():
                return await self._with_card(
                    reply.picture, lambda picture: self._show_photo(reply, picture, context, panel)
                )
            case e.EditCaption():
                return await self._edit_caption(reply, context, panel)
            case e.RecordAnswer():
                return await self._record_answer(reply, context, panel)

    async def _ask(self, reply: e.AskQuestion, context: ReplyContext, panel: Panel | None) -> Panel:
        record = panel.record if panel is not None and reply.keeps_record else ""
        text, markup = self._full_text(reply, context, record), self._markup(reply, context)
        shows_name = any(isinstance(value, e.Sensitive) for value in reply.values.values())
        if panel is not None and _is_pressed(panel, context) and panel.record == record:
            message_id = panel.id
            if await call_idempotent(lambda: self._edit(context, message_id, text, markup)):
                return replace(panel, shows_name=shows_name)
        sent = await self._send(context, text, markup)
        new = Panel(sent.message_id, PanelKind.TEXT, record, shows_name=shows_name)
        if reply.closed_code is not None and panel is not None and panel.kind is PanelKind.PHOTO:
            await self._close_code(reply.closed_code, context, panel)
            return new
        return await self._replace_panel(panel, context, new)

    async def _close_code(self, closed: e.ClosedCode, context: ReplyContext, panel: Panel) -> None:
        """Turn a code into a card. What follows from it is in the chat already: raising here would say that twice."""
        caption = "\n\n".join(filter(None, (self._text(context, closed.text, closed.values), panel.record)))

        async def edit(picture: bytes | str) -> tuple[Panel, SentMessage | None]:
            return panel, await self._edit_photo(context, panel.id, picture, caption=caption)

        try:
            await self._with_card(closed.picture, edit)
        except MessageGone:
            pass
        except (DeliveryFailed, BadRequest) as error:
            log.warning("a code could not be closed (%s); deleting it", describe_error(error))
            await self._schedule_deletion(context.person, panel.id)

    async def _with_card(
        self, card: e.Picture, show: Callable[[bytes | str], Awaitable[tuple[Panel, SentMessage | None]]]
    ) -> Panel:
        """Show a card; Telegram keeps its picture, so it is uploaded once for all people."""
        known = self._card_ids.get(card)
        shown = None
        if known is not None:
            with suppress(BadRequest):  # Telegram does not know the picture any more
                shown = await show(known)
        panel, message = shown or await show(cards.card_png(card))
        if message is not None and message.photo_file_id is not None:
            self._card_ids[card] = message.photo_file_id
        return panel

    async def _show_photo(
        self,
        reply: e.ShowCode | e.ReplaceCodeWithPicture,
        picture: bytes | str,
        context: ReplyContext,
        panel: Panel | None,
    ) -> tuple[Panel, SentMessage | None]:
        """Show a picture, uploaded or by its file id; gives the panel, and the message as Telegram returns it."""
        markup, chat = self._markup(reply, context), chat_of(context.person)
        record = panel.record if panel is not None else ""
        above = _CAPTION_ABOVE if isinstance(reply, e.ShowCode) else None
        if reply.in_place and panel is not None and (panel.kind is PanelKind.PHOTO or _makes_way(panel)):
            caption = self._full_text(reply, replace(context, maybe_duplicate=False))
            with suppress(MessageGone):
                edited = await self._edit_photo(context, panel.id, picture, caption=caption, markup=markup, above=above)
                return replace(panel, kind=PanelKind.PHOTO, shows_name=False), edited
        caption = self._full_text(reply, context)
        sent = _required(
            await call(
                lambda: self._bot.send_photo(
                    chat, picture, caption, parse_mode=HTML, reply_markup=markup, show_caption_above_media=above
                ),
                idempotent=False,
            )
        )
        return await self._replace_panel(panel, context, Panel(sent.message_id, PanelKind.PHOTO, record)), sent

    async def _edit_photo(
        self,
        context: ReplyContext,
        message_id: int,
        picture: bytes | str,
        *,
        caption: str,
        markup: PlainMarkup | None = None,
        above: bool | None = None,
    ) -> SentMessage | None:
        media = InputMediaPhoto(picture, caption=caption, parse_mode=HTML, show_caption_above_media=above)
        chat = chat_of(context.person)
        edited = await call(
            lambda: self._bot.edit_message_media(media, chat, message_id, reply_markup=markup), idempotent=True
        )
        return edited if isinstance(edited, SentMessage) else None

    async def _edit_caption(self, reply: e.EditCaption, context: ReplyContext, panel: Panel | None) -> Panel:
        record, markup = panel.record if panel is not None else "", self._markup(reply, context)
        if panel is not None and panel.kind is PanelKind.PHOTO:
            text = self._full_text(reply, replace(context, maybe_duplicate=False))
            chat, message_id = chat_of(context.person), panel.id
            if await call_idempotent(
                lambda: self._bot.edit_message_caption(
                    chat,
                    message_id,
                    caption=text,
                    reply_markup=markup,
                    parse_mode=HTML,
                    show_caption_above_media=_CAPTION_ABOVE,
                )
            ):
                return panel
        sent = await self._send(context, self._full_text(reply, context), markup)
        return await self._replace_panel(panel, context, Panel(sent.message_id, PanelKind.TEXT, record))

    async def _record_answer(self, reply: e.RecordAnswer, context: ReplyContext, panel: Panel | None) -> Panel | None:
        if panel is None:
            return None
        record = "\n".join(filter(None, (panel.record, self._text(context, reply.text, reply.values))))
        if _is_pressed(panel, context):
            # What follows takes the panel's place.
            return replace(panel, record=record) if reply.stays else panel
        if panel.kind is PanelKind.TEXT:
            await call_idempotent(lambda: self._edit(context, panel.id, record, None))
        else:
            await self._remove_panel(panel, context)
        return None

    async def _delete_with_panel(self, panel: Panel, context: ReplyContext) -> Panel:
        """Delete the person's message and the panel that it answers; a question must follow."""
        answer = context.origin.message_id
        ids = [panel.id] if answer is None else [answer, panel.id]
        try:
            await call_idempotent(lambda: self._bot.delete_messages(chat_of(context.person), ids))
        except (BotBlocked, BadRequest) as error:
            log.warning("a message could not be deleted (%s)", describe_error(error))
            return panel
        return replace(panel, kind=PanelKind.DELETED)

    async def _replace_panel(self, old: Panel | None, context: ReplyContext, new: Panel) -> Panel:
        """Remove the old panel, which was not turned into a record, so that only one question can be answered.

        When the question is asked again, the old panel may be a record already, for example of a consent: then only its
        buttons go.
        """
        if old is None or old.kind is PanelKind.DELETED:
            return new
        if context.kind.asks_again and old.kind is PanelKind.TEXT and not (old.record or old.shows_name):
            await self._remove_buttons(chat_of(context.person), message=old.id)
        else:
            await self._remove_panel(old, context, record="" if new.record else old.record)
        return new

    async def _remove_panel(self, panel: Panel, context: ReplyContext, record: str = "") -> None:
        """Delete a panel, or leave its record alone in its place."""
        chat = chat_of(context.person)
        try:
            is_removed = False
            if record and panel.kind is PanelKind.TEXT:
                is_removed = await call_idempotent(lambda: self._edit(context, panel.id, record, None))
            if not is_removed:
                # Nor can a text be edited that became a code before a crash, which only Telegram knows.
                is_removed = await call_idempotent(lambda: self._bot.delete_message(chat, panel.id))
        except DeliveryFailed:
            # The new panel is in the chat already: raising here would ask its question a second time.
            await self._schedule_deletion(context.person, panel.id)
            return
        if not is_removed and panel.shows_name:
            # Telegram deletes no message that is older than 48 hours, but it can still be edited.
            text = self._text(context, "misc.check_closed", {})
            with suppress(DeliveryFailed):
                await call_idempotent(lambda: self._edit(context, panel.id, text, None))
        elif not is_removed:
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
                self._actions.show_soon(context.person)
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
            log.warning("a message could not be deleted (%s)", describe_error(error))

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

    async def _send(self, context: ReplyContext, text: str, markup: Keyboard | None) -> SentMessage:
        sent = await call(
            lambda: self._bot.send_message(
                chat_of(context.person), text, HTML, reply_markup=markup, link_preview_options=_NO_PREVIEW
            ),
            idempotent=False,
        )
        return _required(sent)

    async def _edit(self, context: ReplyContext, message_id: int, text: str, markup: Keyboard | None) -> None:
        await self._bot.edit_message_text(
            text,
            chat_of(context.person),
            message_id,
            parse_mode=HTML,
            reply_markup=markup,
            link_preview_options=_NO_PREVIEW,
        )

    def _full_text(
        self,
        reply: e.AskQuestion | e.ShowCode | e.EditCaption | e.ReplaceCodeWithPicture,
        context: ReplyContext,
        record: str = "",
    ) -> str:
        """The text of a question: the record above it, its notes, and the question itself."""
        note = reply.note if isinstance(reply, e.AskQuestion | e.ShowCode) else None
        keys = ("misc.repeated" if context.maybe_duplicate else None, note, reply.text)
        texts = [self._text(context, key, reply.values) for key in keys if key is not None]
        return "\n\n".join(filter(None, (record, *texts)))

    def _text(self, context: ReplyContext, key: str, values: e.Values) -> str:
        return self._catalogue.text(context.language, key, values)

    def _markup(
        self, reply: e.AskQuestion | e.ShowCode | e.EditCaption | e.ReplaceCodeWithPicture, context: ReplyContext
    ) -> PlainMarkup | None:
        has_form = any(isinstance(button, e.FormButton) for row in reply.rows for button in row)
        form_url = self._form_url(context.person, reply.question_id) if has_form else None
        return keyboards.keyboard(self._catalogue, context.language, reply.rows, reply.question_id, form_url=form_url)


def _makes_way(panel: Panel) -> bool:
    """Whether what follows may take the panel's place; it would be missed above other messages.

    A panel with a picture does not become a text again.
    """
    return panel.kind is PanelKind.TEXT and panel.is_last


def _is_pressed(panel: Panel, context: ReplyContext) -> bool:
    """Whether the person pressed a button of this panel, and what follows may take its place."""
    is_press = context.origin.query_id is not None and not context.kind.asks_again
    return is_press and context.origin.message_id == panel.id and _makes_way(panel)


def _required(message: SentMessage | None) -> SentMessage:
    if message is None:
        raise MessageGone("a message was sent, and Telegram gave none back")
    return message


def _priority_of(reply: e.Reply, kind: TurnKind) -> Priority:
    """Who waits for a reply: results go with the answers, and an edit that only reports progress goes last."""
    if kind is TurnKind.NEWS:
        return Priority.EDIT if isinstance(reply, e.EditCaption) else Priority.ANSWER
    return Priority.ANSWER if kind.is_awaited else Priority.NOTICE
