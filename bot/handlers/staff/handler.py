"""Support's commands as a handler before the dialogue's.

Who is not of support never meets it: to them its commands are as unknown as any, and its buttons as old as any. Whether
somebody is, is asked at every command and every press. Every other word of support's people goes to their own dialogue.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

from telegram import CallbackQuery, Message, Update
from telegram.constants import ChatType
from telegram.ext import BaseHandler

from bot.catalogue import language_of
from bot.handlers import incoming
from bot.handlers.dialogue import DialogueContext
from bot.handlers.incoming import FRONT_END, command_in, person_of
from bot.handlers.staff.clerk import Asked, Clerk, Typed
from bot.handlers.staff.delivery import Delivery, Where
from bot.handlers.staff.words import Command, read_press
from bot.runner import Runner
from verification.keeping import DialogueStore

_REMEMBERED = 1000

IsStaff = Callable[[int], bool]


@dataclass(frozen=True, slots=True)
class _Taken:
    """What somebody of support asked for, and where."""

    asked: Asked
    where: Where

    def spoken(self, language: str) -> "_Taken":
        """The same, in another language."""
        return _Taken(replace(self.asked, language=language), replace(self.where, language=language))


class StaffHandler(BaseHandler[object, DialogueContext, None]):
    """Takes what support's people ask for."""

    def __init__(
        self,
        is_staff: IsStaff,
        clerk: Clerk,
        delivery: Delivery,
        runner: Runner,
        store: DialogueStore,
        default_language: str,
    ) -> None:
        self._is_staff = is_staff
        self._clerk = clerk
        self._delivery = delivery
        self._runner = runner
        self._store = store
        self._default_language = default_language
        # What was answered is not answered twice, however often it comes, as long as nobody forgets.
        self._answered: deque[str] = deque(maxlen=_REMEMBERED)
        super().__init__(self._take)

    def check_update(self, update: object) -> bool:
        """Whether somebody of support wants something of support's."""
        return self._read(update) is not None

    async def _take(self, update: object, _: DialogueContext) -> None:
        taken = self._read(update)
        if taken is None:
            return
        asked = taken.asked
        if asked.request not in self._answered:
            chosen = await self._chosen(asked.staff)
            if chosen is not None:
                taken = taken.spoken(chosen)
            answers = await self._clerk.answer(taken.asked)
            self._answered.append(asked.request)
            await self._delivery.show(answers, taken.where)
        if isinstance(asked.what, Typed) and asked.what.command is Command.HELP:
            # They are people too, and hear what people hear.
            await self._on(update)

    async def _chosen(self, staff: int) -> str | None:
        """The language of their own dialogue, if they have one: by /language, or as their client was then."""
        person = person_of(staff)
        async with self._store.unit(person) as unit:
            kept = await unit.dialogue(person)
        return None if kept is None else kept.language

    async def _on(self, update: object) -> None:
        envelope = incoming.read(update)
        if envelope is not None:
            await self._runner.handle(envelope)

    def _read(self, update: object) -> _Taken | None:
        if not isinstance(update, Update):
            return None
        if update.callback_query is not None:
            return self._of_press(update.update_id, update.callback_query)
        return None if update.message is None else self._of_words(update.update_id, update.message)

    def _of_words(self, update_id: int, message: Message) -> _Taken | None:
        user = message.from_user
        typed = _command(message)
        if typed is None or user is None or message.chat.type != ChatType.PRIVATE or not self._is_staff(user.id):
            return None
        language = language_of(user.language_code) or self._default_language
        return _Taken(
            Asked(user.id, f"{FRONT_END}:{update_id}", language, typed),
            Where(message.chat.id, language),
        )

    def _of_press(self, update_id: int, query: CallbackQuery) -> _Taken | None:
        message, press = query.message, read_press(query.data or "")
        if press is None or message is None or message.chat.type != ChatType.PRIVATE:
            return None
        if not self._is_staff(query.from_user.id):
            return None
        language = language_of(query.from_user.language_code) or self._default_language
        on_picture = isinstance(message, Message) and bool(message.photo)
        return _Taken(
            Asked(query.from_user.id, f"{FRONT_END}:{update_id}", language, press, on_picture),
            Where(message.chat.id, language, query.id, message.message_id, on_picture),
        )


def _command(message: Message) -> Typed | None:
    command = None if message.forward_origin else command_in(message)
    return Typed(Command(command[0]), command[1]) if command and command[0] in set(Command) else None
