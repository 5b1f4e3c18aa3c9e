"""What the program stands on."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from telegram.ext import ExtBot

from bot.catalogue import Catalogue
from bot.clock import Clock
from bot.flow.machine import advance
from bot.handlers.pacing import Pacer
from bot.receiver import Receiver
from bot.turns import Advance
from storage import Store
from verification.attempts import Method
from verification.ports import Provider


@dataclass(frozen=True, slots=True)
class Ground:
    """What the program stands on: everything that is not itself, so that it can be tried in another world."""

    store: Store
    bot: Callable[[Pacer], ExtBot[None]]
    clock: Clock
    token: Callable[[], str]
    match_code: Callable[[], str]
    public: str
    providers: Mapping[Method, Provider]
    catalogue: Catalogue
    advance: Advance = advance
    receiver: Receiver | None = None
