"""Stores updates that cannot be handled, sealed, so that the mistake can be found, and apologises to the person."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from telegram import Bot
from telegram.constants import ChatType

from bot.content.catalogue import Catalogue, language_of
from bot.handlers.api.calls import best_effort
from bot.handlers.background import BackgroundReplies
from bot.handlers.incoming import person_of
from verification.dialogue_store import DialogueStore, PendingDeletion
from verification.ids import PersonId


class DeadLetters:
    """Stores dead letters."""

    def __init__(
        self,
        bot: Bot,
        catalogue: Catalogue,
        store: DialogueStore,
        clock: Callable[[], datetime],
        background: BackgroundReplies,
        default_language: str,
    ) -> None:
        self._bot = bot
        self._catalogue = catalogue
        self._store = store
        self._clock = clock
        self._background = background
        self._default_language = default_language

    async def add(self, raw: Mapping[str, Any]) -> None:
        """Store a raw update, and send its person an apology if it came from a private chat."""
        event_id = f"telegram:{raw.get('update_id')}"
        await self._store.store_dead_letter(event_id, person=_sender_of(raw), raw=json.dumps(raw), now=self._clock())
        message = _mapping(raw.get("message"))
        chat, sender = _mapping(message.get("chat")), _mapping(message.get("from"))
        chat_id, message_id = chat.get("id"), message.get("message_id")
        if chat.get("type") != ChatType.PRIVATE or not isinstance(chat_id, int):
            return
        person = person_of(chat_id)
        if isinstance(message_id, int):
            # The message was not parsed, so it may hold an ID number.
            deletion = PendingDeletion(person, message_id, self._clock())
            await self._store.transact(person, lambda unit: unit.schedule_deletion(deletion))
        text = self._catalogue.text(self._language(sender.get("language_code")), "misc.trouble")
        self._background.add(chat_id, lambda: best_effort(lambda: self._bot.send_message(chat_id, text)))

    def _language(self, code: object) -> str:
        return (language_of(code) if isinstance(code, str) else None) or self._default_language


def _sender_of(raw: Mapping[str, Any]) -> PersonId | None:
    """The sender of an update of any kind, if it has one."""
    contents = [_mapping(value) for value in raw.values()]
    chats = [_mapping(value.get("chat")) for value in contents]
    senders = [_mapping(value.get("from")) for value in contents]
    ids = [source.get("id") for source in (*senders, *(chat for chat in chats if chat.get("type") == ChatType.PRIVATE))]
    return next((person_of(number) for number in ids if isinstance(number, int)), None)


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
