"""Shows a link to the bot as text, as a QR code in the terminal, and as files for print."""

from collections.abc import Callable
from difflib import get_close_matches
from pathlib import Path

from telegram.error import InvalidToken, TelegramError

from bot import links
from bot.cli.check_telegram import make_bot
from bot.cli.report import CommandFailed, Say, check_outputs, write
from bot.content.catalogue import FOLDER, LANGUAGES
from bot.content.topics import read
from bot.engine.messages import FRONT_END
from bot.handlers.api.transport import describe_no_answer
from bot.images import qr
from bot.settings import BadSetting, Settings
from storage import StorageError, open_database, sqlite_path
from storage.bot_ownership import BotOwnership
from verification.attempts import Method
from verification.record import Record

_PRINT_SIDE = 1600


class LinkOutput(Record, kw_only=True):
    """Where a link is shown, and the bot's name if an option gave it."""

    say: Say
    bot: str = ""
    png: Path | None = None
    svg: Path | None = None
    in_colour: bool = False


async def show_link(settings: Settings, output: LinkOutput, to: Callable[[str], str], *facts: str) -> int:
    """Print a link's QR code, facts about it and the link last; write the code to the given files.

    `to` makes the link from the bot's user name. Raises `BadSetting` or `CommandFailed`.
    """
    check_outputs(png=output.png, svg=output.svg)
    link = to(await resolve_bot_name(settings, output.bot))
    modules = qr.matrix(link)
    for line in qr.terminal_lines(modules):
        output.say(f"\x1b[97;40m{line}\x1b[0m" if output.in_colour else line)
    for line in (*facts, link):
        output.say(line)
    if output.png is not None:
        write(output.png, qr.png(modules, _PRINT_SIDE))
    if output.svg is not None:
        write(output.svg, qr.svg(modules).encode())
    return 0


async def resolve_bot_name(settings: Settings, given: str = "") -> str:
    """The bot's user name: as given, else from Telegram, else as recorded by its last run with this database.

    Raises `BadSetting` when no name is known or the token is refused, and `CommandFailed` when Telegram is unreachable.
    """
    if given:
        try:
            return links.parse_bot_name(given)
        except ValueError as error:
            raise BadSetting(f"--bot: {error}") from None
    if settings.bot_token is not None:
        return await _ask_telegram(settings, settings.bot_token.get_secret_value())
    known = await _recorded_name(settings)
    if known is None:
        raise BadSetting("BOT_TOKEN: missing; without it, give the bot's name by --bot NAME")
    return known


def check_method(settings: Settings, method: Method) -> None:
    """Raise a `BadSetting` when a method is off."""
    if method not in settings.providers:
        known = ", ".join(each for each in settings.providers if each.takes_identity)
        raise BadSetting(f"PROVIDER_{method.upper()}: {method} is off; there is {known}")


def check_topic(topic: str, folder: Path = FOLDER) -> None:
    """Raise a `BadSetting` that suggests a similar topic when there is no such topic."""
    known = [entry.id for entry in read(folder, LANGUAGES)[LANGUAGES[0]]]
    if topic not in known:
        similar = get_close_matches(topic, known, 1)
        hint = f"did you mean {similar[0]}?" if similar else f"there are {', '.join(known)}"
        raise BadSetting(f"TOPIC: no question has the id {topic!r}; {hint}")


async def _recorded_name(settings: Settings) -> str | None:
    path = sqlite_path(settings.store_url)
    if path is not None and not path.exists():
        return None
    try:
        async with open_database(settings.store_url) as database:
            return await BotOwnership(database, FRONT_END).username()
    except StorageError:
        return None


async def _ask_telegram(settings: Settings, token: str) -> str:
    try:
        async with make_bot(settings, token) as bot:
            return bot.username
    except InvalidToken:
        raise BadSetting("BOT_TOKEN: Telegram refuses this token") from None
    except TelegramError as error:
        raise CommandFailed(describe_no_answer(settings.bot_api, error)) from None
