"""Shows Telegram's chat action, "sending a photo", while a reply takes longer than a moment."""

import asyncio

from telegram import Bot
from telegram.constants import ChatAction

from bot.handlers.api.calls import best_effort
from bot.handlers.incoming import chat_of
from verification.ids import PersonId

DELAY = 0.5
"""Seconds. A reply that comes sooner needs no chat action before it."""


class ChatActions:
    """The chat actions that are about to be shown, by person."""

    def __init__(self, bot: Bot, delay: float = DELAY) -> None:
        self._bot = bot
        self._delay = delay
        self._timers: dict[PersonId, asyncio.TimerHandle] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def show_soon(self, person: PersonId) -> None:
        """Show the action after the delay, unless it is cancelled before."""
        self.cancel(person)
        self._timers[person] = asyncio.get_running_loop().call_later(self._delay, self._show, person)

    def cancel(self, person: PersonId) -> None:
        """Show nothing: a reply is ready."""
        if timer := self._timers.pop(person, None):
            timer.cancel()

    def _show(self, person: PersonId) -> None:
        del self._timers[person]
        action = best_effort(lambda: self._bot.send_chat_action(chat_of(person), ChatAction.UPLOAD_PHOTO))
        task = asyncio.get_running_loop().create_task(action)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
