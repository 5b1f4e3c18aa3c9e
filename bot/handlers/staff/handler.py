"""Handles the commands and buttons of support staff, before the dialogue's handler.

Every command and every press checks whether the sender is on the staff. For anybody else the update goes on to the
dialogue, where the command is unknown and the button old. Every other message of a staff member goes to their own
dialogue as well.
"""

from collections import deque
from collections.abc import Callable

from msgspec.structs import replace
from telegram import CallbackQuery, Message, Update
from telegram.constants import ChatType
from telegram.ext import BaseHandler

from bot.content.catalogue import language_of
from bot.engine.messages import FRONT_END
from bot.engine.runner import Runner
from bot.handlers import incoming
from bot.handlers.dialogue import DialogueContext
from bot.handlers.incoming import command_in, person_of
from bot.handlers.staff.command_parser import StaffCommand, read_button_data
from bot.handlers.staff.delivery import ReplyTarget, StaffReplySender
from bot.handlers.staff.service import StaffRequest, StaffService, TypedCommand
from verification.dialogue_store import DialogueStore
from verification.record import Record

_REMEMBERED = 1000

IsStaff = Callable[[int], bool]


class _ParsedRequest(Record):
    """A staff member's request and where its replies go."""

    request: StaffRequest
    target: ReplyTarget

    def in_language(self, language: str) -> "_ParsedRequest":
        """The same request in another language."""
        return _ParsedRequest(replace(self.request, language=language), replace(self.target, language=language))


class StaffHandler(BaseHandler[object, DialogueContext, None]):
    """Answers the requests of support staff."""

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
        # Telegram may deliver an update again: the last thousand requests are not answered twice.
        self._answered: deque[str] = deque(maxlen=_REMEMBERED)
        super().__init__(self._handle)

    def check_update(self, update: object) -> bool:
        """Whether the update is a command or a button of a staff member."""
        return self._parse(update) is not None

    async def _handle(self, update: object, _: DialogueContext) -> None:
        parsed = self._parse(update)
        if parsed is None:
            return
        request = parsed.request
        if request.request_id not in self._answered:
            language = await self._dialogue_language(request.staff_id)
            if language is not None:
                parsed = parsed.in_language(language)
            replies = await self._service.answer(parsed.request)
            self._answered.append(request.request_id)
            self._delivery.show(replies, parsed.target)
        if isinstance(request.action, TypedCommand) and request.action.command is StaffCommand.HELP:
            # A staff member can verify an account too, so /help shows both help texts.
            await self._forward_to_dialogue(update)

    async def _dialogue_language(self, staff: int) -> str | None:
        """The language of the staff member's own dialogue, if they have one."""
        person = person_of(staff)
        saved = await self._store.transact(person, lambda unit: unit.dialogue(person))
        return None if saved is None else saved.language

    async def _forward_to_dialogue(self, update: object) -> None:
        envelope = incoming.parse_update(update.to_dict()) if isinstance(update, Update) else None
        if envelope is not None:
            await self._runner.handle(envelope)

    def _parse(self, update: object) -> _ParsedRequest | None:
        if not isinstance(update, Update):
            return None
        if update.callback_query is not None:
            return self._parse_query(update.update_id, update.callback_query)
        return None if update.message is None else self._parse_message(update.update_id, update.message)

    def _parse_message(self, update_id: int, message: Message) -> _ParsedRequest | None:
        user = message.from_user
        typed = _typed_command(message)
        if typed is None or user is None or message.chat.type != ChatType.PRIVATE or not self._is_staff(user.id):
            return None
        language = language_of(user.language_code) or self._default_language
        return _ParsedRequest(
            StaffRequest(staff_id=user.id, request_id=f"{FRONT_END}:{update_id}", language=language, action=typed),
            ReplyTarget(chat=message.chat.id, language=language),
        )

    def _parse_query(self, update_id: int, query: CallbackQuery) -> _ParsedRequest | None:
        message, button = query.message, read_button_data(query.data or "")
        if button is None or message is None or message.chat.type != ChatType.PRIVATE:
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
                action=button,
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
    command = None if message.forward_origin else command_in(message.to_dict())
    return TypedCommand(StaffCommand(command[0]), command[1]) if command and command[0] in set(StaffCommand) else None
