"""What several rules need."""

from dataclasses import replace
from datetime import datetime

from bot.flow import codec, states
from bot.flow.effects import Begin, Busy, Count, Discard, Effect, Reply, ShowCode, ShowFaq, Stamp
from bot.flow.events import Kind, Sent
from bot.flow.prompts import prompt
from bot.flow.rows import Moment, Step
from bot.flow.states import State
from bot.flow.typed_input import asks, asks_surely
from bot.flow.unanswered import kept_of
from verification.attempts import AttemptId, Method, Reason


def ask(state: State, *before: Effect) -> Step:
    return Step(state, (*before, prompt(state)))


def in_place(question: Reply) -> Reply:
    """A code is changed where it stands; any other question is put anew."""
    return replace(question, in_place=True) if isinstance(question, ShowCode | Stamp) else question


def begin(state: states.Identified, method: Method, moment: Moment, *before: Effect) -> Step:
    attempt = AttemptId(f"attempt-{moment.fresh_id}")
    opening = states.Opening(
        account=state.account, mark=moment.mark, identity=state.identity, method=method, attempt=attempt
    )
    return Step(opening, (*before, Busy(), Begin(attempt, state.account, state.identity, method)))


def choosing(state: states.Identified, moment: Moment) -> states.ChoosingMethod:
    return states.ChoosingMethod(account=state.account, mark=moment.mark, identity=state.identity, suggested=moment.way)


def holds_secret(state: State, text: str) -> bool:
    """Whether a text holds what the chat must not keep, at whatever moment it came: a long number, or the name."""
    match state:
        case states.AskingNumber():
            known = state.name.plain in text
        case states.Identified():
            known = state.identity.name.plain in text
        case states.ReadingInvitation():
            known = holds_secret(codec.load(state.former), text)
        case _:
            known = False
    return known or sum(character.isdigit() for character in text) >= 15


def unwanted(event: Sent) -> tuple[Effect, ...]:
    """Pictures and files may show a card, forwarded and edited texts may hold its number: none of them stays."""
    stays = event.kind in (Kind.STICKER, Kind.VOICE, Kind.LOCATION, Kind.OTHER)
    return () if stays else (Discard(),)


def answered(state: State, text: str, moment: Moment, *before: Effect) -> Step | None:
    """The FAQ's answer to a question in the person's own words, beside the step; None when it has none.

    Somebody who has no question before them yet is asked whether to begin.
    """
    topics = moment.topics_in(text)
    if not topics:
        return None
    best, *others = topics
    question = (prompt(state),) if isinstance(state, states.Idle) else ()
    return Step(touched(state), (*before, ShowFaq(best, others=tuple(others)), *question, Count(best)))


def in_vain(state: State, text: str) -> tuple[Effect, ...]:
    """Count a question that nothing answers; what asks nothing is none."""
    return (Count("", kept_of(text, state)),) if asks(text) else ()


def answered_instead(state: State, text: str, moment: Moment, *, may_be_meant: bool) -> Step | None:
    """The same where a name or number is asked: only what asks, and what cannot be meant as the answer."""
    if asks_surely(text) or (asks(text) and not may_be_meant):
        return answered(state, text, moment, Discard())
    return None


def touched(state: State) -> State:
    return replace(state, touched=True) if isinstance(state, states.Scanning) else state


def failed(state: states.Attempting, reason: Reason, moment: Moment, until: datetime | None = None) -> states.Failed:
    return states.Failed(
        account=state.account,
        mark=moment.mark,
        identity=state.identity,
        method=state.method,
        attempt=state.attempt,
        reason=reason,
        until=until,
    )
