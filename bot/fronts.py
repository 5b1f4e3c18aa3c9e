"""What the web side is given for each of those who come to it."""

from telegram.ext import ExtBot

from bot import qr
from bot.catalogue import LANGUAGES
from bot.ground import Ground
from bot.intake import Door
from bot.links import to_account
from bot.settings import Settings
from verification.support import Support
from web.parts import ApiRoute, DeskRoute, QrCodes, TelegramRoute


def telegram(settings: Settings, door: Door) -> TelegramRoute | None:
    """Telegram's own, where it delivers by webhook."""
    if not settings.webhook_url or settings.webhook_secret is None:
        return None
    return TelegramRoute(settings.webhook_secret.get_secret_value(), door.take_body)


def desk(settings: Settings, ground: Ground, support: Support, bot: ExtBot[None]) -> DeskRoute | None:
    """Support's desk, where there is a key to it."""
    if settings.desk_key is None:
        return None
    # The bot's name is known once it is connected, and no page is served before.
    return DeskRoute(
        key=settings.desk_key.get_secret_value(),
        support=support,
        keyed=ground.store.keyed,
        link_url=lambda token: to_account(bot.username, token),
        qr=QrCodes(qr.for_page, qr.for_print),
        topics={language: ground.catalogue.titles(language) for language in LANGUAGES},
        fresh=ground.token,
        secure=ground.public.startswith("https:"),
    )


def api(settings: Settings, ground: Ground, support: Support, bot: ExtBot[None]) -> ApiRoute | None:
    """Other programs' calls, where any has a key."""
    if not settings.callers:
        return None
    return ApiRoute(
        keys=settings.callers,
        support=support,
        # The bot's name is known once it is connected, and no call is served before.
        link_url=lambda token: to_account(bot.username, token),
        qr=QrCodes(qr.for_page, qr.for_print),
        fresh=ground.token,
    )
