"""The dialogue as a python-telegram-bot handler whose state is in the store.

It has `ConversationHandler`'s job and none of its memory: what it knows of a person is what the runner loads.
"""

from typing import Any

from telegram import Update
from telegram.ext import Application, BaseHandler, CallbackContext, ExtBot

from bot.engine.messages import Envelope
from bot.engine.runner import Runner
from bot.handlers import incoming


class DialogueContext(CallbackContext[ExtBot[None], dict[Any, Any], dict[Any, Any], dict[Any, Any]]):
    """A context that carries the envelope."""

    envelope: Envelope | None = None


class DialogueHandler(BaseHandler[object, DialogueContext, None]):
    """Takes every private message and button, and hands it to the runner."""

    def __init__(self, runner: Runner) -> None:
        async def handle(_: object, context: DialogueContext) -> None:
            if context.envelope is not None:
                await runner.handle(context.envelope)

        super().__init__(handle)

    def check_update(self, update: object) -> Envelope | None:
        """The envelope, when the update is part of a dialogue; judged by the update alone."""
        return incoming.parse_update(update)

    def collect_additional_context(
        self,
        context: DialogueContext,
        update: object,
        application: Application[Any, DialogueContext, Any, Any, Any, Any],
        check_result: object,
    ) -> None:
        """Put the envelope onto the context."""
        context.envelope = check_result if isinstance(check_result, Envelope) else None


class HandlerErrors:
    """The errors of updates under way, by update."""

    def __init__(self) -> None:
        self._by_update: dict[int, BaseException] = {}

    async def record(self, update: object, context: DialogueContext) -> None:
        """Remember what an update's handler raised."""
        if isinstance(update, Update) and context.error is not None:
            self._by_update[update.update_id] = context.error

    def pop(self, update_id: int) -> BaseException | None:
        """What this update's handler raised, once."""
        return self._by_update.pop(update_id, None)
