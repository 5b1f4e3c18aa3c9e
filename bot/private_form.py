"""The private form: takes name and number from a page of ours, as a turn of the dialogue.

A token names a person and the question that waits for the answer, sealed. The form is open as long as that question is
the current one, so it works once, and the answer may as well come from the chat. What is typed here never passes
through Telegram: the chat shows it masked.
"""

import base64
import binascii
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from bot.content.catalogue import Catalogue
from bot.content.telegram_html import strip_tags
from bot.engine.messages import Envelope
from bot.flow import codec, states
from bot.flow.events import FormSent
from bot.init_data import user_of
from bot.handlers.incoming import person_of
from verification.dialogue_store import Dialogue, DialogueStore, DialogueUnit
from verification.identity import Identity, Name, Number, read_name, read_number
from verification.ids import PersonId
from web.dependencies import FormAnswers, FormResult, FormStatus

_OPEN = states.AskingName | states.CheckingName | states.AskingNumber | states.ChangingName | states.ChangingNumber
"""The states in which the form may be sent."""


class _Question(NamedTuple):
    person: PersonId
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivateForm:
    """The form of this bot; `handle` commits a turn, and `bot_token` is what Telegram signs with."""

    store: DialogueStore
    handle: Callable[[Envelope], Awaitable[None]]
    catalogue: Catalogue
    now: Callable[[], datetime]
    public_url: str
    bot_token: str

    def url(self, person: PersonId, question_id: str) -> str:
        """The form's address for a question to a person."""
        sealed = self.store.seal_token(f"{person} {question_id}")
        return f"{self.public_url}/f/{base64.urlsafe_b64encode(sealed).decode().rstrip('=')}"

    async def status(self, token: str) -> FormStatus:
        """Whether the form is open."""
        question = self._question(token)
        return FormStatus.UNKNOWN if question is None else await self._status(question)

    async def send(self, token: str, answers: FormAnswers, language: str) -> FormResult:
        """Take the answers as the person's turn, once; problems are in this language."""
        question = self._question(token)
        if question is None:
            return FormResult(FormStatus.UNKNOWN)
        if answers.init_data and not self._is_theirs(question, answers.init_data):
            return FormResult(FormStatus.NOT_YOURS)
        status = await self._status(question)
        if status is not FormStatus.OPEN:
            return FormResult(status)
        name, number = read_name(answers.name), read_number(answers.number, self.now().date())
        if not (isinstance(name, Name) and isinstance(number, Number)):
            return FormResult(FormStatus.WRONG, self._problems(language, {"name": name, "number": number}))
        event = FormSent(question_id=question.id, identity=Identity(name, number))
        await self.handle(Envelope(question.person, event, f"form:{question.person}:{question.id}"))
        return FormResult(FormStatus.TAKEN)

    def _question(self, token: str) -> _Question | None:
        """The question that a token names; None when it is not one of ours."""
        try:
            sealed = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        except (ValueError, binascii.Error):
            return None
        text = self.store.open_token(sealed)
        if text is None:
            return None
        person, _, question_id = text.rpartition(" ")
        return _Question(PersonId(person), question_id)

    def _is_theirs(self, question: _Question, init_data: str) -> bool:
        user = user_of(init_data, self.bot_token, self.now())
        return user is not None and person_of(user) == question.person

    async def _status(self, question: _Question) -> FormStatus:
        async def load(unit: DialogueUnit) -> Dialogue | None:
            return await unit.dialogue(question.person)

        dialogue = await self.store.transact(question.person, load)
        state = None if dialogue is None else codec.load(dialogue.text)
        is_open = isinstance(state, _OPEN) and state.question_id == question.id
        return FormStatus.OPEN if is_open else FormStatus.OVER

    def _problems(self, language: str, found: Mapping[str, object]) -> Mapping[str, str]:
        return {
            field: strip_tags(self.catalogue.text(language, f"problem.{field}.{problem}"))
            for field, problem in found.items()
            if not isinstance(problem, Name | Number)
        }
