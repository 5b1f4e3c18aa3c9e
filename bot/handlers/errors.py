"""What a handler raised: `Application.process_update` returns normally all the same, so it is kept for the intake."""

from telegram import Update

from bot.handlers.dialogue import DialogueContext


class Failures:
    """The errors of updates under way, by update."""

    def __init__(self) -> None:
        self._by_update: dict[int, BaseException] = {}

    async def note(self, update: object, context: DialogueContext) -> None:
        """Remember what an update's handler raised."""
        if isinstance(update, Update) and context.error is not None:
            self._by_update[update.update_id] = context.error

    def take(self, update_id: int) -> BaseException | None:
        """What this update's handler raised, once."""
        return self._by_update.pop(update_id, None)
