"""The dialogue as a python-telegram-bot handler that keeps no state in memory.

It does the work of `ConversationHandler`, but the runner loads a person's state from the store for every update.
"""

from collections.abc import Callable, Mapping
from typing import Any

from telegram import Update
from telegram.ext import Application, BaseHandler, CallbackContext, ExtBot

from bot.engine.messages import Envelope
from bot.engine.runner import Runner
from bot.handlers import incoming


class DialogueContext(CallbackContext[ExtBot[None], dict[Any, Any], dict[Any, Any], dict[Any, Any]]):
    """A handler's context that carries the envelope."""

    envelope: Envelope | None = None


class DialogueHandler(BaseHandler[object, DialogueContext, None]):
    """Passes every private message and pressed button to the runner.

    Nearly all updates come by `take`, without the library's objects. As a handler of the library it takes what another
    handler was asked about first: the messages of support staff.
    """

    def __init__(self, runner: Runner, is_staff: Callable[[int], bool] = lambda _: False) -> None:
        self._runner = runner
        self._is_staff = is_staff

        async def handle(_: object, context: DialogueContext) -> None:
            if context.envelope is not None:
                await runner.handle(context.envelope)

        super().__init__(handle)

    async def take(self, raw: Mapping[str, Any]) -> bool:
        """Handle an update as Telegram sends it, if it belongs to a dialogue and to no handler before this one."""
        envelope = incoming.parse_update(raw)
        if envelope is None or self._is_staff(incoming.chat_of(envelope.person)):
            return False
        await self._runner.handle(envelope)
        return True

    def check_update(self, update: object) -> Envelope | None:
        """The envelope when the update belongs to a dialogue; it reads nothing but the update."""
        return incoming.parse_update(update.to_dict()) if isinstance(update, Update) else None

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
    """The errors that handlers raised, by update id, until the intake takes them."""

    def __init__(self) -> None:
        self._by_update: dict[int, BaseException] = {}

    async def record(self, update: object, context: DialogueContext) -> None:
        """Record what an update's handler raised."""
        if isinstance(update, Update) and context.error is not None:
            self._by_update[update.update_id] = context.error

    def pop(self, update_id: int) -> BaseException | None:
        """Remove and return what this update's handler raised, if anything."""
        return self._by_update.pop(update_id, None)
