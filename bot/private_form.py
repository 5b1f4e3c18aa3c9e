"""The private form: takes name and number from a page of ours, as a turn of the dialogue.

What is typed there never passes through Telegram: the chat shows it masked only. A token names a person, the question
that waits for the answer and the time until which it counts, sealed. The form is open as long as that question is the
current one, so it works once, and the answer may as well come from the chat. The turn is committed before the page
answers, as the turn of an update is before the update is confirmed.
"""

import base64
import hmac
import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import ClassVar, NamedTuple
from urllib.parse import parse_qsl

from bot.content.catalogue import Catalogue
from bot.content.telegram_html import strip_tags
from bot.engine.messages import Envelope
from bot.flow import codec, states
from bot.flow.events import FormSent
from bot.flow.rows import RuleContext
from bot.flow.rules.details import ELSEWHERE, NAME_TO_CHECK, read_form
from bot.handlers.incoming import person_of
from bot.handlers.keyboards import is_public
from verification.dialogue_store import Dialogue, DialogueStore, DialogueUnit
from verification.identity import Identity
from verification.ids import PersonId
from verification.record import Record
from web.dependencies import FormAnswers, FormResult, FormStatus

_VALID_FOR = timedelta(hours=24)
_MAX_FIELDS = 32
"""Of what Telegram says of a Mini App."""
_TYPED = states.AskingName | states.CheckingName | states.AskingNumber | states.ChangingName | states.ChangingNumber
"""The states whose question the form may answer."""
_ELSEWHERE = {f"problem.number.{problem}" for problem in ELSEWHERE}


class _Question(NamedTuple):
    person: PersonId
    id: str
    until: float


class FormLinks(Record, kw_only=True):
    """Makes and reads the addresses of the form."""

    store: DialogueStore
    public_url: str
    now: Callable[[], datetime]

    def url(self, person: PersonId, question_id: str) -> str | None:
        """The form's address for a question to a person; None where other devices do not reach our pages."""
        if not is_public(self.public_url):
            return None
        until = int((self.now() + _VALID_FOR).timestamp())
        token = base64.urlsafe_b64encode(self.store.seal_token(f"{person} {question_id} {until}"))
        return f"{self.public_url}/f/{token.decode().rstrip('=')}"

    def question(self, token: str) -> _Question | None:
        """The question that a token names; None when it is not one of ours."""
        try:
            sealed = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        except ValueError:
            return None
        text = self.store.open_token(sealed)
        if text is None:
            return None
        person, question_id, until = text.rsplit(" ", 2)
        return _Question(PersonId(person), question_id, float(until))


class PrivateForm(Record, kw_only=True):
    """The form of this bot; `handle` commits a turn, and `bot_token` is what Telegram signs with."""

    hidden: ClassVar[frozenset[str]] = frozenset({"bot_token"})

    links: FormLinks
    handle: Callable[[Envelope], Awaitable[None]]
    catalogue: Catalogue
    new_rule_context: Callable[[], RuleContext]
    bot_token: str

    async def status(self, token: str) -> FormStatus:
        """Whether the form is open."""
        question = self.links.question(token)
        return FormStatus.UNKNOWN if question is None else await self._status(question)

    async def send(self, token: str, answers: FormAnswers, language: str) -> FormResult:
        """Take the answers as the person's turn, once; problems are in this language."""
        question = self.links.question(token)
        if question is None:
            return FormResult(FormStatus.UNKNOWN)
        if answers.init_data and not self._is_theirs(question, answers.init_data):
            return FormResult(FormStatus.NOT_YOURS)
        status = await self._status(question)
        if status is not FormStatus.OPEN:
            return FormResult(status)
        is_checked = answers.checked == answers.name
        found = read_form(answers.name, answers.number, self.new_rule_context(), is_checked=is_checked)
        if not isinstance(found, Identity):
            return self._wrong(found, language)
        event = FormSent(question_id=question.id, identity=found)
        await self.handle(Envelope(question.person, event, f"form:{question.person}:{question.id}"))
        # Another answer may have been quicker.
        state = await self._state(question)
        is_taken = isinstance(state, states.Identified) and state.identity == found
        return FormResult(FormStatus.TAKEN if is_taken else FormStatus.OVER)

    def _is_theirs(self, question: _Question, init_data: str) -> bool:
        user = user_of(init_data, self.bot_token, self.links.now())
        return user is not None and person_of(user) == question.person

    async def _status(self, question: _Question) -> FormStatus:
        state = await self._state(question)
        is_asked = isinstance(state, _TYPED) and state.question_id == question.id
        in_time = self.links.now().timestamp() < question.until
        return FormStatus.OPEN if is_asked and in_time else FormStatus.OVER

    async def _state(self, question: _Question) -> states.State | None:
        async def load(unit: DialogueUnit) -> Dialogue | None:
            return await unit.dialogue(question.person)

        dialogue = await self.links.store.transact(question.person, load)
        return None if dialogue is None else codec.load(dialogue.text)

    def _wrong(self, problems: Mapping[str, str], language: str) -> FormResult:
        is_elsewhere = problems.get("number") in _ELSEWHERE
        return FormResult(
            FormStatus.WRONG,
            {field: strip_tags(self.catalogue.text(language, key)) for field, key in problems.items()},
            asks_check=problems.get("name") == NAME_TO_CHECK,
            elsewhere=self.catalogue.text(language, "link.international.url") if is_elsewhere else "",
        )


def user_of(init_data: str, bot_token: str, now: datetime) -> int | None:
    """The id of the person who opened the Mini App; None when Telegram did not sign it for this bot, or long ago.

    The rule: https://core.telegram.org/bots/webapps#validating-data-received-via-the-mini-app
    """
    try:
        facts = dict(parse_qsl(init_data, strict_parsing=True, max_num_fields=_MAX_FIELDS))
        signature = facts.pop("hash")
        text = "\n".join(f"{key}={value}" for key, value in sorted(facts.items()))
        key = hmac.digest(b"WebAppData", bot_token.encode(), "sha256")
        expected = hmac.digest(key, text.encode(), "sha256").hex()
        if not hmac.compare_digest(expected.encode(), signature.encode()):
            return None
        if now.timestamp() - int(facts["auth_date"]) > _VALID_FOR.total_seconds():
            return None
        user = json.loads(facts["user"])["id"]
    except (ValueError, KeyError, TypeError):
        return None
    return user if isinstance(user, int) else None
