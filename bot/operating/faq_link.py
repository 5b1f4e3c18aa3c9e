"""A link to a topic of the FAQ, with its QR code for a terminal and for print."""

from difflib import get_close_matches
from pathlib import Path

from telegram import Bot
from telegram.error import InvalidToken, TelegramError

from bot import qr
from bot.catalogue import FOLDER, LANGUAGES
from bot.handlers.transport import AiohttpRequest
from bot.operating.findings import Impossible, Say
from bot.settings import BadSetting, Settings
from bot.topics import read

_PRINT_SIDE = 1600


def check(topic: str, folder: Path = FOLDER) -> None:
    """Raise `BadSetting` when there is no such topic, and say which are near."""
    known = [entry.id for entry in read(folder, LANGUAGES)[LANGUAGES[0]]]
    if topic not in known:
        near = get_close_matches(topic, known, 1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
        raise BadSetting(f"TOPIC: no question has the id {topic!r}; {hint}")


async def name_of(settings: Settings) -> str:
    """Ask Telegram for the bot's user name."""
    if settings.bot_token is None:
        raise BadSetting("BOT_TOKEN: missing; without it, give the bot's name by --bot NAME")
    bot = Bot(
        settings.bot_token.get_secret_value(),
        base_url=f"{settings.bot_api_url}/bot",
        request=AiohttpRequest(),
        get_updates_request=AiohttpRequest(connections=1),
    )
    try:
        async with bot:
            return bot.username
    except InvalidToken:
        raise BadSetting("BOT_TOKEN: Telegram refuses this token") from None
    except TelegramError as error:
        raise Impossible(f"BOT_API_URL: no answer from {settings.bot_api_url} ({type(error).__name__})") from None


def show(link: str, say: Say, *, png: Path | None, svg: Path | None, in_colour: bool) -> int:
    """Draw the link's code, say the link, and write the code where it is wanted."""
    modules = qr.matrix(link)
    for line in qr.lines(modules):
        say(f"\x1b[97;40m{line}\x1b[0m" if in_colour else line)
    say(link)
    if png is not None:
        _write(png, qr.png(modules, _PRINT_SIDE))
    if svg is not None:
        _write(svg, qr.svg(modules).encode())
    return 0


def _write(file: Path, drawing: bytes) -> None:
    try:
        file.write_bytes(drawing)
    except OSError as error:
        raise Impossible(f"{file}: cannot be written ({error.strerror})") from None
