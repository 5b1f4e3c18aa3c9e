"""The parts of the program in groups: what it takes from outside, and what the container makes of it."""

from collections.abc import Callable, Coroutine

from starlette.applications import Starlette
from telegram.ext import ExtBot

from bot.clock import Clock
from bot.content.catalogue import Catalogue
from bot.engine.notices import NoticeDispatcher
from bot.engine.reminders import ReminderLoop
from bot.engine.replicas import Replicas
from bot.engine.runner import Runner
from bot.engine.turns import Advance
from bot.flow.machine import advance
from bot.handlers.api.rate_limiter import RateLimiter
from bot.handlers.background import BackgroundReplies
from bot.handlers.dialogue import DialogueHandler
from bot.handlers.groups import GroupHandler
from bot.handlers.inline import InlineHandler
from bot.handlers.outgoing import ReplySender
from bot.handlers.staff.delivery import StaffReplySender
from bot.handlers.staff.handler import StaffHandler
from bot.intake import AnyApplication, Poller, UpdateIntake
from bot.jobs.cleanup import Cleanup
from bot.jobs.result_webhook import ResultEndpoint, ResultSender
from bot.providers import ConfiguredProviders
from bot.settings import Settings
from storage import SqlStore, StoreUnavailable
from verification.ports import Notice
from verification.provider_polling import ProviderPoller
from verification.record import Record
from verification.support.service import SupportService


class AppDeps(Record, kw_only=True):
    """What the program takes from outside; a test or the simulation gives it another world here."""

    store: SqlStore
    make_bot: Callable[[RateLimiter], ExtBot[None]]
    clock: Clock
    new_token: Callable[[], str]
    new_match_code: Callable[[], str]
    public_url: str
    providers: ConfiguredProviders
    catalogue: Catalogue
    advance: Advance = advance
    result_endpoint: ResultEndpoint | None = None

    def phone_url(self, token: str) -> str:
        """The address that an attempt's code holds."""
        return f"{self.public_url}/v/{token}"


def is_outage(error: BaseException) -> bool:
    """Whether the error passes by itself: the database is away."""
    return isinstance(error, StoreUnavailable)


class Announcements:
    """Carries notices, and "there may be news", from the core to the loops that tell it.

    It is made before the core, and the loops subscribe when they are made. An announcement that nobody hears is no
    loss: each loop also looks at the store by itself.
    """

    def __init__(self) -> None:
        self._listeners: list[Callable[[Notice | None], None]] = []

    def subscribe(self, listener: Callable[[Notice | None], None]) -> None:
        """Call the listener at every announcement from now on."""
        self._listeners.append(listener)

    def announce(self, notice: Notice | None) -> None:
        """Call every listener."""
        for listener in self._listeners:
            listener(notice)


class Senders(Record):
    """The bot, and what sends messages with it; `background` sends what no update waits for."""

    bot: ExtBot[None]
    replies: ReplySender
    background: BackgroundReplies
    staff_replies: StaffReplySender


class Engine(Record):
    """What runs dialogues; `replicas` is None where this process is the only one that writes to people."""

    runner: Runner
    replicas: Replicas | None


class Handlers(Record):
    """The handlers of updates, in the order in which they are asked."""

    staff: StaffHandler
    dialogue: DialogueHandler
    groups: GroupHandler
    inline: InlineHandler


class Intake(Record):
    """Where updates come in: each goes through `updates`, and `poller` fetches them where there is no webhook."""

    application: AnyApplication
    updates: UpdateIntake
    poller: Poller


class Jobs(Record):
    """The loops that work while the program runs."""

    notices: NoticeDispatcher
    cleanup: Cleanup
    provider_poller: ProviderPoller
    result_sender: ResultSender
    reminders: ReminderLoop | None

    def loops(self) -> tuple[Coroutine[object, object, None], ...]:
        """One endless coroutine for each job."""
        always = (self.notices.run(), self.cleanup.run(), self.provider_poller.run(), self.result_sender.run())
        return always if self.reminders is None else (*always, self.reminders.run())


class BotApp(Record):
    """The built program; `metrics_app` serves the metrics alone, at an address of their own."""

    settings: Settings
    deps: AppDeps
    support: SupportService
    senders: Senders
    engine: Engine
    handlers: Handlers
    intake: Intake
    jobs: Jobs
    web_app: Starlette
    metrics_app: Starlette
