"""What the bots in Python share: texts, which calls are made, the link and its QR code, and the news of the phone."""

import asyncio
import json
import os
import secrets
import signal
import struct
import zlib
from collections.abc import AsyncIterator, Coroutine
from io import BytesIO
from pathlib import Path
from typing import Any

import qrcode
from qrcode.constants import ERROR_CORRECT_M

TOKEN = os.environ.get("BOT_TOKEN", "")
API = os.environ.get("BOT_API_URL", "")
DATABASE = Path(os.environ.get("DATABASE", "state.db"))
TEXTS: dict[str, Any] = json.loads(Path(__file__).with_name("texts.json").read_text("utf-8"))
ALL_CALLS = 24
OPTIONAL: list[str] = TEXTS["optional"]
"""The calls that a bot can do without, the least missed first."""
_LEFT_OUT = frozenset(OPTIONAL[: ALL_CALLS - int(os.environ.get("CALLS", ALL_CALLS))])
_MASK = 3
_QUIET = 4

_tasks: set[asyncio.Task[Any]] = set()


def makes(call: str) -> bool:
    """Whether this bot makes an optional call."""
    return call not in _LEFT_OUT


def new_link() -> str:
    """A link for a phone."""
    return str(TEXTS["link"]) + secrets.token_urlsafe(12)


def caption(link: str, stage: str) -> str:
    """The caption of the QR code."""
    return str(TEXTS["caption"]).format(link=link, stage=TEXTS[stage])


def library_qr(link: str) -> bytes:
    """A QR code as the library draws it."""
    image = BytesIO()
    qrcode.make(link).save(image)
    return image.getvalue()


def fixed_mask_qr(link: str) -> bytes:
    """A QR code with a fixed mask, written as a one-bit PNG: each module is one byte wide and eight rows high."""
    code = qrcode.QRCode(error_correction=ERROR_CORRECT_M, border=_QUIET, mask_pattern=_MASK)
    code.add_data(link, optimize=0)
    code.make()
    rows = b"".join((b"\0" + bytes(0 if dark else 255 for dark in row)) * 8 for row in code.get_matrix())
    side = 8 * (code.modules_count + 2 * _QUIET)
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 1)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in chunks
    )


CARD = fixed_mask_qr("passed")
"""The picture that takes the place of the code after a pass."""


async def phone_events() -> AsyncIterator[tuple[int, str]]:
    """What happens on the phones: the chat, and `opened`, `confirming` or `passed`."""
    host, port = os.environ["PHONE_EVENTS"].split(":")
    reader, _ = await asyncio.open_connection(host, int(port))
    async for line in reader:
        chat, event = line.decode().split()
        yield int(chat), event


def spawn(work: Coroutine[Any, Any, Any]) -> None:
    """Do something while updates are handled."""
    task = asyncio.ensure_future(work)
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)


async def until_stopped() -> None:
    """Wait until the process is asked to end."""
    stopped = asyncio.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(each, stopped.set)
    await stopped.wait()
