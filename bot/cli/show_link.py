"""Shows a link into the bot: as text, as a QR code in the terminal, and as files for print."""

from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from telegram.error import InvalidToken, TelegramError

from bot import bot_name, links
from bot.cli.check_telegram import bot_with
from bot.cli.report import Impossible, Say, write
from bot.content.catalogue import FOLDER, LANGUAGES
from bot.content.topics import read
from bot.images import qr
from bot.settings import BadSetting, Settings

_PRINT_SIDE = 1600


@dataclass(frozen=True, slots=True)
class Showing:
    """Where a link is shown, and of which bot, where somebody said so."""

    say: Say
    bot: str = ""
    png: Path | None = None
    svg: Path | None = None
    in_colour: bool = False


async def show(settings: Settings, showing: Showing, to: Callable[[str], str], *facts: str) -> int:
    """Draw the code of a bot's link, say facts about it, the link last, and write the code where it is wanted."""
    link = to(await name_of(settings, showing.bot))
    modules = qr.matrix(link)
    for line in qr.lines(modules):
        showing.say(f"\x1b[97;40m{line}\x1b[0m" if showing.in_colour else line)
    for line in (*facts, link):
        showing.say(line)
    if showing.png is not None:
        write(showing.png, qr.png(modules, _PRINT_SIDE))
    if showing.svg is not None:
        write(showing.svg, qr.svg(modules).encode())
    return 0


async def name_of(settings: Settings, given: str = "") -> str:
    """The bot's user name: as given, as Telegram says, or as it was when it last ran here."""
    if given:
        try:
            return links.bot_name(given)
        except ValueError as error:
            raise BadSetting(f"--bot: {error}") from None
    if settings.bot_token is not None:
        return await _asked(settings, settings.bot_token.get_secret_value())
    known = bot_name.read(settings)
    if known is None:
        raise BadSetting("BOT_TOKEN: missing; without it, give the bot's name by --bot NAME")
    return known


def check_topic(topic: str, folder: Path = FOLDER) -> None:
    """Raise `BadSetting` when there is no such topic, and say which are near."""
    known = [entry.id for entry in read(folder, LANGUAGES)[LANGUAGES[0]]]
    if topic not in known:
        near = get_close_matches(topic, known, 1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
        raise BadSetting(f"TOPIC: no question has the id {topic!r}; {hint}")


async def _asked(settings: Settings, token: str) -> str:
    try:
        async with bot_with(settings, token) as bot:
            return bot.username
    except InvalidToken:
        raise BadSetting("BOT_TOKEN: Telegram refuses this token") from None
    except TelegramError as error:
        raise Impossible(f"BOT_API_URL: no answer from {settings.bot_api_url} ({type(error).__name__})") from None
