"""Checks Telegram: whether it answers, where it sends the updates, and whether another program receives them."""

from telegram import Bot, WebhookInfo
from telegram.error import Conflict, InvalidToken, TelegramError

from bot.cli.report import Finding, ok, problem, warning
from bot.engine.messages import FRONT_END
from bot.handlers.api.transport import BotApiRequest, describe_no_answer
from bot.logs import redact
from bot.settings import Settings, setting_for_telegram
from storage import StorageError, open_database, sqlite_path
from web import webhooks

_MANY = 100
_LISTEN_SECONDS = 5


def make_bot(settings: Settings, token: str) -> Bot:
    """A bot for a few calls to Telegram; use it as a context manager."""
    return Bot(
        token,
        base_url=f"{settings.bot_api_url}/bot",
        request=BotApiRequest(proxy=settings.proxy),
        get_updates_request=BotApiRequest(connections=1, proxy=settings.proxy),
    )


async def check_telegram(settings: Settings) -> list[Finding]:
    """Ask Telegram, without confirming an update."""
    if settings.bot_token is None:
        if name := setting_for_telegram(settings):
            return [problem(f"BOT_TOKEN: missing, but {name} is set")]
        return [warning("BOT_TOKEN: none, so the program starts the playground")]
    token = settings.bot_token.get_secret_value()
    try:
        async with make_bot(settings, token) as bot:
            info = await bot.get_webhook_info()
            found = [ok(f"Telegram answers, as @{bot.username}"), *_webhook_findings(settings, info)]
            return found if settings.webhook_url or info.url else [*found, await _polling_finding(settings, bot)]
    except InvalidToken:
        return [problem("BOT_TOKEN: Telegram refuses this token")]
    except TelegramError as error:
        return [problem(describe_no_answer(settings.bot_api, error))]


def _webhook_findings(settings: Settings, info: WebhookInfo) -> list[Finding]:
    wanted = settings.webhook_url + webhooks.TELEGRAM_PATH if settings.webhook_url else ""
    found = []
    if info.url and info.url != wanted:
        # The address is not ours and may contain a secret, so it is not printed.
        found.append(problem("webhook: Telegram sends the updates to an address that is not this program's"))
    elif wanted and not info.url:
        found.append(warning("webhook: not set; starting the bot sets it"))
    else:
        found.append(ok(f"updates: by {'webhook' if wanted else 'polling'}, {info.pending_update_count} waiting"))
    if info.pending_update_count > _MANY:
        found.append(warning(f"updates: {info.pending_update_count} wait to be received"))
    if info.last_error_message:
        found.append(warning(f"webhook: at {info.last_error_date} Telegram had: {redact(info.last_error_message)}"))
    return found


async def _polling_finding(settings: Settings, bot: Bot) -> Finding:
    if await _one_of_ours_polls(settings):
        return ok("polling: a program with this database polls")
    try:
        # Telegram allows one poll at a time: this one ends the other program's, whose next one ends this one with a
        # 409. Without an offset no update is confirmed, so none is lost.
        await bot.get_updates(limit=1, timeout=_LISTEN_SECONDS)
    except Conflict:
        return problem("polling: another program polls with this token, and has another database")
    return ok("polling: no program polls now")


async def _one_of_ours_polls(settings: Settings) -> bool:
    path = sqlite_path(settings.store_url)
    if path is not None and not path.exists():
        return False
    try:
        async with open_database(settings.store_url) as database, database.polling_lease(FRONT_END, _busy):
            return False
    except _Busy:
        return True
    except (StorageError, ValueError):
        # The checks of the database report this error.
        return False


class _Busy(Exception):
    """Another program has the polling lease."""


def _busy() -> None:
    raise _Busy
