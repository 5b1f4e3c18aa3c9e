"""From the choice of a way to its result: the attempt, its code, its verdict."""

from dataclasses import replace

from bot.flow import states
from bot.flow.effects import Begin, Busy, Caption, Discard, Drop, Picture, Record, Settle, Stamp, Tell, Word
from bot.flow.events import Declined, Event, Faded, Lapsed, Opened, Passed, Progressed, Refusal, Rejected, Said, Sent
from bot.flow.prompts import CONSENT_VERSION, FACE_CONSENT, caption_of, deadline, method_values, prompt
from bot.flow.rows import Moment, Step
from bot.flow.rules.common import answered, ask, begin, choosing, failed, in_place, in_vain, unwanted
from bot.flow.states import State
from verification.attempts import Method, Reason
from verification.identity import mask_account

_STAGES = tuple(states.Stage)
"""In their order: news that was overtaken on its way changes nothing."""

_REASONS = {Refusal.QUOTA: Reason.QUOTA, Refusal.TOO_MANY: Reason.TOO_MANY, Refusal.BUSY: Reason.BUSY}


def wechat_chosen(state: states.ChoosingMethod, _: Event, moment: Moment) -> Step:
    return begin(state, Method.WECHAT, moment, Settle("method.done", {"method": Word("method.wechat")}))


def qq_chosen(state: states.ChoosingMethod, _: Event, moment: Moment) -> Step:
    return begin(state, Method.QQ, moment, Settle("method.done", {"method": Word("method.qq")}))


def face_chosen(state: states.ChoosingMethod, _: Event, moment: Moment) -> Step:
    asking = states.AgreeingFace(account=state.account, mark=moment.mark, identity=state.identity)
    return ask(asking, Settle("method.done", {"method": Word("method.face")}))


def face_agreed(state: states.AgreeingFace, _: Event, moment: Moment) -> Step:
    consent = Record(FACE_CONSENT, CONSENT_VERSION)
    return begin(state, Method.FACE, moment, consent, Settle("face_consent.done", {"at": moment.now}))


def other_way(state: states.Identified, _: Event, moment: Moment) -> Step:
    return ask(choosing(state, moment))


# The code


def opened(state: states.Opening, event: Opened, _: Moment) -> Step:
    if event.attempt != state.attempt:
        return Step(state, (Drop(event.attempt),))
    scanning = states.Scanning(
        account=state.account,
        mark=state.mark,
        identity=state.identity,
        method=state.method,
        attempt=state.attempt,
        link=event.link,
        match_code=event.match_code,
        expires_at=event.expires_at,
    )
    return Step(scanning, (in_place(prompt(scanning)),))


def declined(state: states.Opening, event: Declined, moment: Moment) -> Step:
    if event.attempt != state.attempt:
        return Step(state)
    if event.refusal is Refusal.VERIFIED:
        return ask(_verified(state, state.method, moment))
    if event.refusal is Refusal.UNBOUND:
        return _link_ended(moment)
    reason = _REASONS.get(event.refusal, Reason.UNAVAILABLE)
    return ask(failed(state, reason, moment, event.until))


def taken_back(state: states.Scanning, event: Declined, moment: Moment) -> Step:
    """The link that allowed this code was taken back."""
    if event.attempt != state.attempt or event.refusal is not Refusal.UNBOUND:
        return Step(state)
    return _link_ended(moment)


def opening_resumed(state: states.Opening, _: Event, __: Moment) -> Step:
    return Step(state, (Busy(), Begin(state.attempt, state.account, state.identity, state.method)))


def still_opening(state: states.Opening, _: Event, __: Moment) -> Step:
    begin = Begin(state.attempt, state.account, state.identity, state.method)
    return Step(state, (Discard(), Tell("opening.wait"), begin))


def nobody_waits(state: State, event: Opened, _: Moment) -> Step:
    shown = isinstance(state, states.Scanning) and state.attempt == event.attempt
    return Step(state) if shown else Step(state, (Drop(event.attempt),))


def attempt_left(state: states.Attempting, event: Event, moment: Moment) -> Step:
    step = other_way(state, event, moment)
    return Step(step.state, (*step.effects, Drop(state.attempt)))


def new_code(state: states.Attempting, _: Event, moment: Moment) -> Step:
    # The core lets the next attempt replace the last one only where it opens it: a refused one would leave a live code.
    return begin(state, state.method, moment, Drop(state.attempt))


def code_shown_again(state: states.Scanning, _: Event, moment: Moment) -> Step:
    scanning = replace(state, touched=True, mark=moment.mark)
    return Step(scanning, (prompt(scanning, "misc.resumed"),))


def scanning_status(state: states.Scanning, _: Event, __: Moment) -> Step:
    values = {**method_values(state), **deadline(state), "code": state.match_code}
    return Step(replace(state, touched=True), (Tell(f"status.scan.{state.stage}", values),))


def said_while_scanning(state: states.Scanning, event: Said, moment: Moment) -> Step:
    if answer := answered(state, event.text, moment):
        return answer
    values = {"method": Word(f"method.{state.method}")}
    return Step(replace(state, touched=True), (Tell("scan.said", values), *in_vain(state, event.text)))


def sent_while_scanning(state: states.Scanning, event: Sent, _: Moment) -> Step:
    return Step(replace(state, touched=True), (*unwanted(event), Tell(f"sent.{event.kind}")))


def progressed(state: states.Scanning, event: Progressed, _: Moment) -> Step:
    if event.attempt != state.attempt or _STAGES.index(event.stage) < _STAGES.index(state.stage):
        return Step(state)
    scanning = replace(state, stage=event.stage, expires_at=event.expires_at, touched=True)
    return Step(scanning, (Caption(scanning.mark, *caption_of(scanning)),))


def faded(state: states.Scanning, event: Faded, moment: Moment) -> Step:
    """A code renews before it dies while the person is still there; a page in use is left alone."""
    if event.attempt != state.attempt or not state.touched or state.stage is not states.Stage.WAITING:
        return Step(state)
    return new_code(state, event, moment)


def lapsed(state: states.Scanning, event: Lapsed, moment: Moment) -> Step:
    if event.attempt != state.attempt:
        return Step(state)
    expired = states.Expired(
        account=state.account,
        mark=moment.mark,
        identity=state.identity,
        method=state.method,
        attempt=state.attempt,
    )
    return Step(expired, (in_place(prompt(expired)),))


# The result


def rejected(state: states.Scanning, event: Rejected, moment: Moment) -> Step:
    if event.attempt != state.attempt:
        return Step(state)
    stamp = Stamp(state.mark, Picture.FAILED, "stamp.failed", method_values(state))
    return ask(failed(state, event.reason, moment), stamp)


def passed(state: State, event: Passed, moment: Moment) -> Step:
    """A success is told wherever the person has gone meanwhile: a lost outcome is the worst bug."""
    if event.account != state.account:
        return Step(state, (Tell("misc.passed_elsewhere", {"account": mask_account(event.account)}),))
    verified = states.Verified(
        account=event.account, mark=moment.mark, method=event.method, attempt=event.attempt, at=moment.now
    )
    if isinstance(state, states.Scanning):
        return ask(verified, Stamp(state.mark, Picture.VERIFIED, "stamp.verified", method_values(state)))
    return ask(verified)


def passed_before(state: states.Verified, event: Passed, moment: Moment) -> Step:
    """A success that the store told of before its news came names no attempt: the person does not know it yet."""
    if event.account != state.account:
        return passed(state, event, moment)
    if state.attempt:
        return Step(state)
    return ask(replace(state, mark=moment.mark, attempt=event.attempt))


def try_again(state: states.Failed, _: Event, moment: Moment) -> Step:
    return begin(state, state.method, moment, Settle("failed.done", method_values(state)))


def shown_again(state: states.Verified, _: Event, moment: Moment) -> Step:
    return ask(replace(state, mark=moment.mark))


def verified_stays(state: states.Verified, _: Event, __: Moment) -> Step:
    return Step(state, (Tell("verified.stays"),))


def _link_ended(moment: Moment) -> Step:
    idle = states.Idle(account=moment.own, mark=moment.mark)
    return Step(idle, (prompt(idle, "link.ended"),))


def _verified(state: states.Attempting, method: Method, moment: Moment) -> states.Verified:
    return states.Verified(account=state.account, mark=moment.mark, method=method, attempt=state.attempt, at=moment.now)
