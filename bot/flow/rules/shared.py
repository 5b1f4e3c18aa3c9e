"""What several rules need."""

from dataclasses import replace

from bot.flow import states
from bot.flow.effects import Begin, Busy, Discard, Effect, ShowCode
from bot.flow.events import Kind, Said, Sent
from bot.flow.prompts import caption_of, prompt
from bot.flow.rows import Moment, Step
from bot.flow.states import State
from verification.attempts import AttemptId, Method, Reason


def ask(state: State, *before: Effect) -> Step:
    return Step(state, (*before, prompt(state)))


def code(state: states.Scanning, *, in_place: bool) -> ShowCode:
    text, values, rows = caption_of(state)
    return ShowCode(state.mark, state.link, text, values, rows, in_place)


def begin(state: states.Identified, method: Method, moment: Moment, *before: Effect) -> Step:
    attempt = AttemptId(f"attempt-{moment.fresh_id}")
    opening = states.Opening(
        account=state.account, mark=moment.mark, identity=state.identity, method=method, attempt=attempt
    )
    return Step(opening, (*before, Busy(), Begin(attempt, state.account, state.identity, method)))


def secret(state: State, event: Said) -> tuple[Effect, ...]:
    """Whether a text at the wrong moment holds what the chat must not keep: a number of any kind, or the name."""
    digits = sum(character.isdigit() for character in event.text[:200])
    known = isinstance(state, states.Identified) and state.identity.name.plain in event.text
    return (Discard(),) if digits >= 15 or known else ()


def unwanted(event: Sent) -> tuple[Effect, ...]:
    """Pictures and files may show a card, forwarded and edited texts may hold its number: none of them stays."""
    stays = event.kind in (Kind.STICKER, Kind.VOICE, Kind.LOCATION, Kind.OTHER)
    return () if stays else (Discard(),)


def touched(state: State) -> State:
    return replace(state, touched=True) if isinstance(state, states.Scanning) else state


def failed(state: states.Attempting, reason: Reason, moment: Moment) -> states.Failed:
    return states.Failed(
        account=state.account,
        mark=moment.mark,
        identity=state.identity,
        method=state.method,
        attempt=state.attempt,
        reason=reason,
    )
