"""The Bot API methods of the dialogue, called without the library's objects for what is sent and received.

They have the names and arguments of `telegram.Bot`, and go through the same transport and rate limiter. The library
checks about twenty arguments that we never use, and builds a whole message from each answer; of an answer only the
message's id and its photo's file id are read here. What is called rarely goes through the library.
"""

import json
from collections.abc import Callable, Coroutine
from typing import Any, cast

from telegram import Bot, InlineKeyboardMarkup, InputFile, InputMediaPhoto, LinkPreviewOptions
from telegram.error import TelegramError
from telegram.ext import ExtBot
from telegram.request import RequestData

from verification.record import Record

Keyboard = InlineKeyboardMarkup | dict[str, Any]
"""An inline keyboard: the library's, or as the Bot API takes it."""
_File = tuple[str, bytes, str]


class SentMessage(Record):
    """A message that was sent; `photo_file_id` names its photo on Telegram's servers."""

    message_id: int
    photo_file_id: str | None = None


class CallData(Record):
    """The parameters and files of a call, with the attributes of `RequestData` that a transport reads."""

    parameters: dict[str, Any]
    multipart_data: dict[str, _File]

    @property
    def contains_files(self) -> bool:
        """Whether the call brings a file."""
        return bool(self.multipart_data)

    @property
    def json_parameters(self) -> dict[str, str]:
        """The parameters as the fields of a form: everything but text is JSON."""
        return {name: value if isinstance(value, str) else json.dumps(value) for name, value in self.parameters.items()}


class BotMethods:
    """Calls methods of the Bot API; each raises `telegram.error.TelegramError` as the library's own does."""

    def __init__(self, bot: Bot) -> None:
        self._request = bot.request
        self._base_url = bot.base_url
        self._rate_limiter = bot.rate_limiter if isinstance(bot, ExtBot) else None

    async def send_message(
        self,
        chat_id: int,
        text: str,
        parse_mode: str,
        *,
        reply_markup: Keyboard | None = None,
        link_preview_options: LinkPreviewOptions | None = None,
    ) -> SentMessage:
        """Send a text."""
        parameters = {
            "chat_id": chat_id,
            "text": text,
            "parse_mode": parse_mode,
            "reply_markup": _plain(reply_markup),
            "link_preview_options": _plain(link_preview_options),
        }
        return _sent(await self._call("sendMessage", parameters))

    async def send_photo(
        self,
        chat_id: int,
        photo: bytes | str,
        caption: str,
        *,
        parse_mode: str,
        reply_markup: Keyboard | None = None,
        show_caption_above_media: bool | None = None,
    ) -> SentMessage:
        """Send a photo: a new one, or by the file id of one that Telegram has."""
        parameters = {
            "chat_id": chat_id,
            "caption": caption,
            "parse_mode": parse_mode,
            "reply_markup": _plain(reply_markup),
            "show_caption_above_media": show_caption_above_media,
        }
        if isinstance(photo, str):
            return _sent(await self._call("sendPhoto", parameters | {"photo": photo}))
        return _sent(await self._call("sendPhoto", parameters, {"photo": ("photo.png", photo, "image/png")}))

    async def send_document(
        self, chat_id: int, document: bytes, caption: str, *, filename: str, parse_mode: str
    ) -> SentMessage:
        """Send a file."""
        parameters = {"chat_id": chat_id, "caption": caption, "parse_mode": parse_mode}
        file = InputFile(document, filename=filename).field_tuple
        return _sent(await self._call("sendDocument", parameters, {"document": cast("_File", file)}))

    async def edit_message_text(
        self,
        text: str,
        chat_id: int,
        message_id: int,
        *,
        parse_mode: str,
        reply_markup: Keyboard | None = None,
        link_preview_options: LinkPreviewOptions | None = None,
    ) -> None:
        """Replace a message's text and buttons."""
        parameters = {
            "chat_id": chat_id,
            "message_id": message_id,
            "text": text,
            "parse_mode": parse_mode,
            "reply_markup": _plain(reply_markup),
            "link_preview_options": _plain(link_preview_options),
        }
        await self._call("editMessageText", parameters)

    async def edit_message_caption(
        self,
        chat_id: int,
        message_id: int,
        *,
        caption: str,
        parse_mode: str,
        reply_markup: Keyboard | None = None,
        show_caption_above_media: bool | None = None,
    ) -> None:
        """Replace a photo's caption and buttons."""
        parameters = {
            "chat_id": chat_id,
            "message_id": message_id,
            "caption": caption,
            "parse_mode": parse_mode,
            "reply_markup": _plain(reply_markup),
            "show_caption_above_media": show_caption_above_media,
        }
        await self._call("editMessageCaption", parameters)

    async def edit_message_media(
        self,
        media: InputMediaPhoto,
        chat_id: int,
        message_id: int,
        *,
        reply_markup: Keyboard | None = None,
    ) -> SentMessage:
        """Replace a message's photo, caption and buttons."""
        described, files = media.to_dict(), {}
        if isinstance(media.media, InputFile):
            described["media"] = "attach://photo"
            files["photo"] = cast("_File", media.media.field_tuple)
        parameters = {
            "chat_id": chat_id,
            "message_id": message_id,
            "media": described,
            "reply_markup": _plain(reply_markup),
        }
        return _sent(await self._call("editMessageMedia", parameters, files))

    async def edit_message_reply_markup(self, chat_id: int, message_id: int) -> None:
        """Remove a message's buttons."""
        await self._call("editMessageReplyMarkup", {"chat_id": chat_id, "message_id": message_id})

    async def delete_message(self, chat_id: int, message_id: int) -> None:
        """Delete a message."""
        await self._call("deleteMessage", {"chat_id": chat_id, "message_id": message_id})

    async def delete_messages(self, chat_id: int, message_ids: list[int]) -> None:
        """Delete several messages of a chat; those that are gone are passed over."""
        await self._call("deleteMessages", {"chat_id": chat_id, "message_ids": message_ids})

    async def answer_callback_query(
        self, callback_query_id: str, text: str | None = None, *, show_alert: bool | None = None
    ) -> None:
        """Answer the press of a button."""
        parameters = {"callback_query_id": callback_query_id, "text": text, "show_alert": show_alert}
        await self._call("answerCallbackQuery", parameters)

    async def send_chat_action(self, chat_id: int, action: str) -> None:
        """Show for some seconds what the bot is doing."""
        await self._call("sendChatAction", {"chat_id": chat_id, "action": action})

    async def _call(self, endpoint: str, given: dict[str, Any], files: dict[str, _File] | None = None) -> object:
        parameters = {name: value for name, value in given.items() if value is not None}
        data = CallData(parameters, files or {})
        if self._rate_limiter is None:
            return await self._post(endpoint, data)
        # The callback's type names what the library's own calls give.
        post = cast("Callable[..., Coroutine[Any, Any, bool]]", self._post)
        return await self._rate_limiter.process_request(post, (endpoint, data), {}, endpoint, parameters, None)

    async def _post(self, endpoint: str, data: CallData) -> object:
        # Transports read only the attributes that `CallData` has, and the library's class cannot be derived from.
        return await self._request.post(f"{self._base_url}/{endpoint}", cast("RequestData", data))


def _plain(value: Keyboard | LinkPreviewOptions | None) -> dict[str, Any] | None:
    return value if value is None or isinstance(value, dict) else value.to_dict()


def _sent(answer: object) -> SentMessage:
    match answer:
        case {"message_id": int(message_id), "photo": [*_, {"file_id": str(file_id)}]}:
            return SentMessage(message_id, file_id)
        case {"message_id": int(message_id)}:
            return SentMessage(message_id)
        case _:
            raise TelegramError("Invalid server response")
