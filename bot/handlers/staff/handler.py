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

from bot.content.catalogue import language_of
from bot.engine.runner import Runner
from bot.handlers import incoming
from bot.handlers.dialogue import DialogueContext
from bot.handlers.incoming import FRONT_END, command_in, person_of
from bot.handlers.staff.command_parser import StaffCommand, read_button_data
from bot.handlers.staff.delivery import ReplyTarget, StaffReplySender
from bot.handlers.staff.service import StaffRequest, StaffService, TypedCommand
from verification.dialogue_store import DialogueStore

_REMEMBERED = 1000

IsStaff = Callable[[int], bool]


@dataclass(frozen=True, slots=True)
class _ParsedRequest:
    """What somebody of support asked for, and where."""

    request: StaffRequest
    target: ReplyTarget

    def in_language(self, language: str) -> "_ParsedRequest":
        """The same, in another language."""
        return _ParsedRequest(replace(self.request, language=language), replace(self.target, language=language))


class StaffHandler(BaseHandler[object, DialogueContext, None]):
    """Takes what support's people ask for."""

    def __init__(
        self,
        is_staff: IsStaff,
        service: StaffService,
        delivery: StaffReplySender,
        runner: Runner,
        store: DialogueStore,
        default_language: str,
    ) -> None:
        self._is_staff = is_staff
        self._service = service
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
        asked = taken.request
        if asked.request_id not in self._answered:
            chosen = await self._dialogue_language(asked.staff_id)
            if chosen is not None:
                taken = taken.in_language(chosen)
            answers = await self._service.answer(taken.request)
            self._answered.append(asked.request_id)
            await self._delivery.show(answers, taken.target)
        if isinstance(asked.action, TypedCommand) and asked.action.command is StaffCommand.HELP:
            # They are people too, and hear what people hear.
            await self._forward_to_dialogue(update)

    async def _dialogue_language(self, staff: int) -> str | None:
        """The language of their own dialogue, if they have one: by /language, or as their client was then."""
        person = person_of(staff)
        async with self._store.unit(person) as unit:
            kept = await unit.dialogue(person)
        return None if kept is None else kept.language

    async def _forward_to_dialogue(self, update: object) -> None:
        envelope = incoming.parse_update(update)
        if envelope is not None:
            await self._runner.handle(envelope)

    def _read(self, update: object) -> _ParsedRequest | None:
        if not isinstance(update, Update):
            return None
        if update.callback_query is not None:
            return self._of_press(update.update_id, update.callback_query)
        return None if update.message is None else self._of_words(update.update_id, update.message)

    def _of_words(self, update_id: int, message: Message) -> _ParsedRequest | None:
        user = message.from_user
        typed = _typed_command(message)
        if typed is None or user is None or message.chat.type != ChatType.PRIVATE or not self._is_staff(user.id):
            return None
        language = language_of(user.language_code) or self._default_language
        return _ParsedRequest(
            StaffRequest(staff_id=user.id, request_id=f"{FRONT_END}:{update_id}", language=language, action=typed),
            ReplyTarget(chat=message.chat.id, language=language),
        )

    def _of_press(self, update_id: int, query: CallbackQuery) -> _ParsedRequest | None:
        message, press = query.message, read_button_data(query.data or "")
        if press is None or message is None or message.chat.type != ChatType.PRIVATE:
            return None
        if not self._is_staff(query.from_user.id):
            return None
        language = language_of(query.from_user.language_code) or self._default_language
        on_picture = isinstance(message, Message) and bool(message.photo)
        return _ParsedRequest(
            StaffRequest(
                staff_id=query.from_user.id,
                request_id=f"{FRONT_END}:{update_id}",
                language=language,
                action=press,
                on_picture=on_picture,
            ),
            ReplyTarget(
                chat=message.chat.id,
                language=language,
                query_id=query.id,
                message_id=message.message_id,
                on_picture=on_picture,
            ),
        )


def _typed_command(message: Message) -> TypedCommand | None:
    command = None if message.forward_origin else command_in(message)
    return TypedCommand(StaffCommand(command[0]), command[1]) if command and command[0] in set(StaffCommand) else None
