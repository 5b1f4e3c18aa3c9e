"""How much processor time a call to the Bot API takes in the bot, without the server's share.

Run: `python -m bench.telegram_calls 2000`. The same sendMessage with two buttons is made that often, one call after the
other, against a server in another process: by the library with its own client, by the library with our transport, and
by our own methods. Each way is measured five times in turn; the smallest figure is the least disturbed one.
"""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import cast

import httptools
from prometheus_client import CollectorRegistry, Counter
from telegram import InlineKeyboardButton, InlineKeyboardMarkup, LinkPreviewOptions
from telegram.ext import ExtBot
from telegram.request import BaseRequest, HTTPXRequest

from bot.handlers.api.methods import BotMethods
from bot.handlers.api.rate_limiter import RateLimiter
from bot.handlers.api.transport import BotApiRequest

TOKEN = "7000000002:stand-in-token-of-the-benchmark"  # noqa: S105 - it is valid only for our own server
REPETITIONS = 5
CHAT, TEXT = 100012345, "请选择认证方式。" * 8
BUTTONS = InlineKeyboardMarkup([[InlineKeyboardButton(name, callback_data=f"q:{name}:1")] for name in ("是", "否")])
NO_PREVIEW = LinkPreviewOptions(is_disabled=True)
MESSAGE = {
    "message_id": 123,
    "from": {"id": 7000000002, "is_bot": True, "first_name": "Bot", "username": "a_bot"},
    "chat": {"id": CHAT, "first_name": "小明", "type": "private"},
    "date": 1790000000,
    "text": TEXT,
    "reply_markup": BUTTONS.to_dict(),
}
BODY = json.dumps({"ok": True, "result": MESSAGE}).encode()
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY


class AnsweringServer(asyncio.Protocol):
    """Answers every request with the same message."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start to read requests."""
        self._transport = cast("asyncio.Transport", transport)
        self._parser = httptools.HttpRequestParser(self)

    def data_received(self, data: bytes) -> None:
        """Read a part of a request."""
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        """Answer a request."""
        self._transport.write(ANSWER)


async def serve() -> None:
    """Serve on a free port, which is printed, until killed."""
    server = await asyncio.get_running_loop().create_server(AnsweringServer, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


@contextmanager
def server_process() -> Iterator[str]:
    """Run the server in a process of its own; gives its address."""
    command = [sys.executable, "-m", "bench.telegram_calls", "serve"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline() if process.stdout else 0)}"
        finally:
            process.kill()


def make_bot(url: str, request: BaseRequest) -> ExtBot[None]:
    """A bot with our rate limiter, which counts calls and delays none."""
    calls = Counter("bot_calls", "Calls", ["method", "outcome"], registry=CollectorRegistry())
    return ExtBot(
        TOKEN,
        f"{url}/bot",
        request=request,
        get_updates_request=request,
        rate_limiter=RateLimiter(calls, enabled=False),
    )


def call_of(bot: "ExtBot[None] | BotMethods") -> Callable[[], Awaitable[object]]:
    """The call that is measured."""
    return lambda: bot.send_message(CHAT, TEXT, "HTML", reply_markup=BUTTONS, link_preview_options=NO_PREVIEW)


async def microseconds(make: Callable[[], Awaitable[object]], calls: int) -> float:
    """Processor time of one call."""
    began = time.process_time()
    for _ in range(calls):
        await make()
    return (time.process_time() - began) / calls * 1e6


async def measure(calls: int) -> None:
    """Measure each way, and print the table."""
    with server_process() as url:
        async with HTTPXRequest(connection_pool_size=100) as librarys, BotApiRequest() as ours:
            ways = {
                "the library, its own client": call_of(make_bot(url, librarys)),
                "the library, our transport": call_of(make_bot(url, ours)),
                "our methods and transport": call_of(BotMethods(make_bot(url, ours))),
            }
            for make in ways.values():
                await microseconds(make, 100)
            figures = [
                {name: await microseconds(make, calls) for name, make in ways.items()} for _ in range(REPETITIONS)
            ]
    for name in ways:
        print(f"{name:30} {min(each[name] for each in figures):6.0f} µs of CPU per call")


def main() -> None:
    """Serve, or measure."""
    import uvloop

    uvloop.run(serve() if sys.argv[1:] == ["serve"] else measure(int((*sys.argv[1:], "2000")[0])))


if __name__ == "__main__":
    main()
