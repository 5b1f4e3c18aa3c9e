"""The methods that bypass the library: each sends what the library's own sends, and reads the answer as it does."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, Counter
from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup, InputMediaPhoto, LinkPreviewOptions
from telegram.error import BadRequest, TelegramError
from telegram.ext import ExtBot
from telegram.request import BaseRequest, RequestData

from bot.handlers.api.methods import BotMethods, SentMessage
from bot.handlers.api.rate_limiter import RateLimiter
from tests.simulator_fixture import TOKEN

PNG = b"\x89PNG\r\n\x1a\n"
BUTTONS = InlineKeyboardMarkup([[InlineKeyboardButton("是", callback_data="q:yes:1", style="primary")]])
NO_PREVIEW = LinkPreviewOptions(is_disabled=True)
MESSAGE = {"message_id": 7, "date": 1, "chat": {"id": 1, "type": "private"}}

Methods = Any
"""The library's bot, or ours."""


class Recorder(BaseRequest):
    """Keeps calls, and gives one answer."""

    def __init__(self, result: object, status: int = 200) -> None:
        self.calls: list[tuple[str, dict[str, Any], dict[str, str], list[bytes]]] = []
        self._answer = status, json.dumps(result if status != 200 else {"ok": True, "result": result}).encode()

    @property
    def read_timeout(self) -> float:
        return 1

    async def initialize(self) -> None:
        pass

    async def shutdown(self) -> None:
        pass

    async def do_request(
        self, url: str, method: str, request_data: RequestData | None = None, *_: Any, **__: Any
    ) -> tuple[int, bytes]:
        assert request_data is not None
        files = request_data.multipart_data
        assert request_data.contains_files == bool(files)
        # The library makes up a name for an attached file.
        named = json.dumps([request_data.parameters, request_data.json_parameters])
        for name in files:
            named = named.replace(f"attach://{name}", "attach://file")
        parameters, form = json.loads(named)
        contents = [content for _, content, _ in files.values() if isinstance(content, bytes)]
        self.calls.append((url, parameters, form, contents))
        return self._answer


@pytest.mark.parametrize(
    ("result", "make"),
    [
        (MESSAGE, lambda bot: bot.send_message(1, "您好", "HTML")),
        (MESSAGE, lambda bot: bot.send_message(1, "a", "HTML", reply_markup=BUTTONS, link_preview_options=NO_PREVIEW)),
        (MESSAGE, lambda bot: bot.send_photo(1, PNG, "您好", parse_mode="HTML", reply_markup=BUTTONS)),
        (MESSAGE, lambda bot: bot.send_photo(1, "a-file-id", "您好", parse_mode="HTML")),
        (MESSAGE, lambda bot: bot.send_document(1, b"{}", "您好", filename="my-data.json", parse_mode="HTML")),
        (
            MESSAGE,
            lambda bot: bot.edit_message_text(
                "您好", 1, 7, parse_mode="HTML", reply_markup=BUTTONS, link_preview_options=NO_PREVIEW
            ),
        ),
        (MESSAGE, lambda bot: bot.edit_message_text("您好", 1, 7, parse_mode="HTML")),
        (
            MESSAGE,
            lambda bot: bot.edit_message_caption(1, 7, caption="您好", parse_mode="HTML", reply_markup=BUTTONS),
        ),
        (
            MESSAGE,
            lambda bot: bot.edit_message_media(
                InputMediaPhoto(PNG, caption="您好", parse_mode="HTML"), 1, 7, reply_markup=BUTTONS
            ),
        ),
        (MESSAGE, lambda bot: bot.edit_message_media(InputMediaPhoto("a-file-id", caption="您好"), 1, 7)),
        (MESSAGE, lambda bot: bot.edit_message_reply_markup(1, 7)),
        (True, lambda bot: bot.delete_message(1, 7)),
        (True, lambda bot: bot.delete_messages(1, [7, 8])),
        (True, lambda bot: bot.answer_callback_query("q")),
        (True, lambda bot: bot.answer_callback_query("q", "您好", show_alert=True)),
        (True, lambda bot: bot.send_chat_action(1, "upload_photo")),
    ],
)
async def test_each_method_sends_what_the_librarys_own_sends(
    result: object, make: Callable[[Methods], Awaitable[object]]
) -> None:
    recorder = Recorder(result)
    bot = Bot(TOKEN, request=recorder, get_updates_request=recorder)

    await make(bot)
    await make(BotMethods(bot))

    librarys, ours = recorder.calls
    assert ours == librarys


@pytest.mark.parametrize(
    ("answer", "sent"),
    [
        (MESSAGE, SentMessage(7)),
        (MESSAGE | {"photo": []}, SentMessage(7)),
        (MESSAGE | {"photo": [{"file_id": "small"}, {"file_id": "large"}]}, SentMessage(7, "large")),
    ],
)
async def test_of_a_sent_message_its_id_and_its_photo_are_known(answer: object, sent: SentMessage) -> None:
    recorder = Recorder(answer)

    assert await BotMethods(Bot(TOKEN, request=recorder)).send_photo(1, PNG, "a", parse_mode="HTML") == sent


@pytest.mark.parametrize("answer", [True, {}, {"message_id": "7"}, [MESSAGE]])
async def test_an_answer_without_a_message_is_an_error_whose_outcome_is_unknown(answer: object) -> None:
    with pytest.raises(TelegramError, match="Invalid server response"):
        await BotMethods(Bot(TOKEN, request=Recorder(answer))).send_message(1, "a", "HTML")


async def test_calls_go_through_the_rate_limiter_and_its_count() -> None:
    registry = CollectorRegistry()
    calls = Counter("bot_calls", "Calls", ["method", "outcome"], registry=registry)
    refusal = {"ok": False, "error_code": 400, "description": "Bad Request: message to delete not found"}
    sending, refusing = (
        BotMethods(ExtBot(TOKEN, request=recorder, rate_limiter=RateLimiter(calls)))
        for recorder in (Recorder(MESSAGE), Recorder(refusal, 400))
    )

    await sending.send_message(1, "a", "HTML")
    with pytest.raises(BadRequest, match="not found"):
        await refusing.delete_message(1, 7)

    assert registry.get_sample_value("bot_calls_total", {"method": "sendMessage", "outcome": "done"}) == 1
    assert registry.get_sample_value("bot_calls_total", {"method": "deleteMessage", "outcome": "refused"}) == 1
