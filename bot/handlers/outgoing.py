"""Replies as messages. One message carries the live question; it is edited, settled or taken away, never left armed."""

import json
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from enum import StrEnum

from telegram import Bot, ForceReply, InlineKeyboardMarkup, InputMediaPhoto, LinkPreviewOptions, Message
from telegram.constants import ChatAction, ParseMode
from telegram.error import BadRequest

from bot.content.catalogue import Catalogue
from bot.engine.messages import Undelivered, Unreachable, View
from bot.flow import effects as e
from bot.handlers import keyboards, side_messages
from bot.handlers.api.calls import Gone, best_effort, call, done
from bot.handlers.api.rate_limiter import Urgency, at
from bot.handlers.incoming import chat_of
from bot.images import cards
from verification.dialogue_store import Person, Records

log = logging.getLogger(__name__)

HTML = ParseMode.HTML
_NO_PREVIEW = LinkPreviewOptions(is_disabled=True)
"""Otherwise Telegram's servers would open the links."""


Leave = Callable[[Person, int], Awaitable[None]]
"""Leaves a message to whoever sees to it that it vanishes later."""


class Form(StrEnum):
    """How the live question looks, and so what may become of it: Telegram does not let a forced reply be edited."""

    TEXT = "text"
    TYPED = "typed"
    PHOTO = "photo"


@dataclass(frozen=True, slots=True)
class Panel:
    """The message with the live question."""

    id: int
    form: Form

    def dump(self) -> str:
        """The panel as text."""
        return json.dumps(asdict(self))

    @staticmethod
    def load(text: str) -> "Panel | None":
        """The panel a text holds, if any."""
        if not text:
            return None
        facts = json.loads(text)
        return Panel(facts["id"], Form(facts["form"]))


class Outgoing:
    """Shows replies in private chats."""

    def __init__(self, bot: Bot, catalogue: Catalogue, leave: Leave) -> None:
        self._bot = bot
        self._catalogue = catalogue
        self._leave = leave

    @property
    def catalogue(self) -> Catalogue:
        """The texts it speaks with."""
        return self._catalogue

    async def deliver(self, reply: e.Reply, view: View) -> str:
        """Show a reply and say where the panel is now; raises `Undelivered` or `Unreachable`."""
        panel = Panel.load(view.panel)
        with at(Urgency.NEWS if view.unasked else Urgency.ANSWER):
            match reply:
                case e.Ask() | e.ShowCode() | e.Caption() | e.Stamp() | e.Settle():
                    panel = await self._question(reply, view, panel)
                case _:
                    await self._beside(reply, view, panel)
        return panel.dump() if panel else ""

    async def _question(self, reply: e.Question, view: View, panel: Panel | None) -> Panel | None:
        match reply:
            case e.Ask():
                return await self._replace(panel, view, await self._ask(reply, view))
            case e.ShowCode():
                picture = cards.qr_png(keyboards.localised(reply.link, view.language))
                return await self._photo(reply, picture, view, panel)
            case e.Stamp():
                live = await self._photo(reply, cards.card_png(reply.picture), view, panel)
                return live if reply.rows else None
            case e.Caption():
                return await self._caption(reply, view, panel)
            case e.Settle():
                await self._settle(reply, view, panel)
                return None

    async def _ask(self, reply: e.Ask, view: View) -> Panel:
        text, markup = self._sent_text(reply, view), self._markup(reply, view)
        if markup is not None or reply.placeholder is None:
            return Panel((await self._send(view, text, markup)).message_id, Form.TEXT)
        waiting = keyboards.waiting_for_text(self._catalogue, view.language, reply.placeholder)
        return Panel((await self._send(view, text, waiting)).message_id, Form.TYPED)

    async def _photo(self, reply: e.ShowCode | e.Stamp, picture: bytes, view: View, panel: Panel | None) -> Panel:
        markup, chat = self._markup(reply, view), chat_of(view.person)
        if reply.in_place and panel is not None and panel.form is Form.PHOTO:
            caption = self._sent_text(reply, replace(view, repeated=False))
            media, here = InputMediaPhoto(picture, caption=caption, parse_mode=HTML), panel.id
            if await done(lambda: self._bot.edit_message_media(media, chat, here, reply_markup=markup)):
                return panel
        caption = self._sent_text(reply, view)
        sent = await call(
            lambda: self._bot.send_photo(chat, picture, caption, parse_mode=HTML, reply_markup=markup),
            repeatable=False,
        )
        return await self._replace(panel, view, Panel(_sent(sent).message_id, Form.PHOTO))

    async def _caption(self, reply: e.Caption, view: View, panel: Panel | None) -> Panel:
        text, markup = self._text(view, reply.text, reply.values), self._markup(reply, view)
        if panel is not None and panel.form is Form.PHOTO:
            chat, here = chat_of(view.person), panel.id
            if await done(
                lambda: self._bot.edit_message_caption(chat, here, caption=text, reply_markup=markup, parse_mode=HTML)
            ):
                return panel
        sent = await self._send(view, self._sent_text(reply, view), markup)
        return await self._replace(panel, view, Panel(sent.message_id, Form.TEXT))

    async def _settle(self, reply: e.Settle, view: View, panel: Panel | None) -> None:
        if panel is None:
            return
        if panel.form is not Form.TEXT:
            await self._take_away(panel, view)
            return
        text = self._text(view, reply.text, reply.values)
        await done(lambda: self._edit(view, panel.id, text, None))

    async def _replace(self, old: Panel | None, view: View, new: Panel) -> Panel:
        """A question that was not settled leaves with the next one: two armed questions would be one too many.

        After a crash it may be a record already, of what the person agreed to perhaps: then only its buttons go.
        """
        if old is not None and view.again and old.form is Form.TEXT:
            await self._disarmed(chat_of(view.person), old.id)
        elif old is not None:
            await self._take_away(old, view)
        return new

    async def _take_away(self, panel: Panel, view: View) -> None:
        chat = chat_of(view.person)
        try:
            gone = await done(lambda: self._bot.delete_message(chat, panel.id))
        except Undelivered:
            # What takes its place stands in the chat already: to ask that once more would leave two of them.
            await self._leave(view.person, panel.id)
            return
        if not gone:
            await self._disarmed(chat, panel.id)

    async def _disarmed(self, chat: int, message: int) -> None:
        """Take the buttons from a message. Nothing hangs on it, but it waits for its turn: dead buttons mislead."""
        with suppress(Undelivered):
            await done(lambda: self._bot.edit_message_reply_markup(chat, message))

    async def _beside(self, reply: e.Reply, view: View, panel: Panel | None) -> None:
        match reply:
            case e.Tell():
                markup = keyboards.keyboard(self._catalogue, view.language, reply.rows, "")
                await self._send(view, self._text(view, reply.text, reply.values), markup)
            case e.Toast():
                await self._toast(reply, view)
            case e.Disarm():
                await self._disarm(view, panel)
            case e.Busy():
                chat = chat_of(view.person)
                await best_effort(lambda: self._bot.send_chat_action(chat, ChatAction.UPLOAD_PHOTO))
            case e.Discard() if view.origin.message_id is not None:
                await self.discard(view.person, view.origin.message_id)
            case _:
                await self._screen(reply, view)

    async def _screen(self, reply: e.Reply, view: View) -> None:
        kept = view.records or Records((), ())
        match reply:
            case e.ShowFaq():
                screen = side_messages.faq(self._catalogue, view.language, reply)
                await self._put(screen, view, in_place=reply.in_place)
            case e.ShowLanguages():
                markup = keyboards.languages(self._catalogue, view.language)
                await self._send(view, self._text(view, "language.ask", {}), markup)
            case e.ShowRecords():
                screen = side_messages.records(self._catalogue, view.language, reply, kept)
                await self._put(screen, view, in_place=reply.ask_erase)
            case e.Rewrite():
                await self._put(side_messages.Screen(self._text(view, reply.text, {}), None), view, in_place=True)
            case e.Export():
                await self._export(side_messages.exported(view.person, reply.account, kept), view)

    async def _put(self, screen: side_messages.Screen, view: View, *, in_place: bool) -> None:
        pressed = view.origin.message_id
        here = pressed if in_place and view.origin.query_id is not None else None
        if here is None or not await done(lambda: self._edit(view, here, screen.text, screen.markup)):
            await self._send(view, screen.text, screen.markup)

    async def _toast(self, reply: e.Toast, view: View) -> None:
        query = view.origin.query_id
        if query is not None:
            text = self._text(view, reply.text, {}) if reply.text else None
            await best_effort(lambda: self._bot.answer_callback_query(query, text, show_alert=reply.alert or None))

    async def _disarm(self, view: View, panel: Panel | None) -> None:
        pressed = view.origin.message_id
        if pressed is not None and (panel is None or panel.id != pressed):
            await best_effort(lambda: self._bot.edit_message_reply_markup(chat_of(view.person), pressed))

    async def discard(self, person: Person, message_id: int) -> None:
        """Delete a person's message; one that is gone, too old or out of reach is done with."""
        try:
            await done(lambda: self._bot.delete_message(chat_of(person), message_id))
        except (Unreachable, BadRequest) as error:
            log.warning("a message could not be deleted (%s)", type(error).__name__)

    async def sweep(self, person: Person, message_id: int) -> None:
        """Delete it when Telegram lets it be done at once; raises `Undelivered` when not."""
        with at(Urgency.SPARE):
            await self.discard(person, message_id)

    async def _export(self, content: bytes, view: View) -> None:
        caption = self._text(view, "privacy.file_caption", {})
        await call(
            lambda: self._bot.send_document(
                chat_of(view.person), content, caption, filename="my-data.json", parse_mode=HTML
            ),
            repeatable=False,
        )

    async def _send(self, view: View, text: str, markup: InlineKeyboardMarkup | ForceReply | None) -> Message:
        sent = await call(
            lambda: self._bot.send_message(
                chat_of(view.person), text, HTML, reply_markup=markup, link_preview_options=_NO_PREVIEW
            ),
            repeatable=False,
        )
        return _sent(sent)

    async def _edit(self, view: View, message_id: int, text: str, markup: InlineKeyboardMarkup | None) -> None:
        await self._bot.edit_message_text(
            text,
            chat_of(view.person),
            message_id,
            parse_mode=HTML,
            reply_markup=markup,
            link_preview_options=_NO_PREVIEW,
        )

    def _sent_text(self, reply: e.Ask | e.ShowCode | e.Caption | e.Stamp, view: View) -> str:
        """The words of a new message: what is said above the question, and the question."""
        note = reply.note if isinstance(reply, e.Ask | e.ShowCode) else None
        above = [key for key in ("misc.repeated" if view.repeated else None, note) if key is not None]
        return "\n\n".join(self._text(view, key, reply.values) for key in (*above, reply.text))

    def _text(self, view: View, key: str, values: e.Values) -> str:
        return self._catalogue.text(view.language, key, values)

    def _markup(self, reply: e.Ask | e.ShowCode | e.Caption | e.Stamp, view: View) -> InlineKeyboardMarkup | None:
        return keyboards.keyboard(self._catalogue, view.language, reply.rows, reply.mark)


def _sent(message: Message | None) -> Message:
    if message is None:
        raise Gone("a message was sent and is not there")
    return message
