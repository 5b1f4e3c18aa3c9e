"""Rules from the choice of a method to the result: the attempt, its code, its verdict."""

from datetime import timedelta

from msgspec.structs import replace

from bot.flow import states
from bot.flow.effects import (
    CancelAttempt,
    ClosedCode,
    DeleteUserMessage,
    EditCaption,
    Effect,
    Picture,
    RecordAnswer,
    RecordConsent,
    SendText,
    ShowChatAction,
    TextKey,
    Values,
)
from bot.flow.events import (
    AttemptFailed,
    AttemptOpened,
    AttemptPassed,
    AttemptProgressed,
    AttemptRefusal,
    AttemptRefused,
    CodeExpired,
    CodeExpiring,
    Commanded,
    Event,
    Said,
    Sent,
)
from bot.flow.offers import is_offered
from bot.flow.prompts import (
    ABROAD_CONSENT,
    CODE_AGAIN,
    CONSENT_VERSION,
    FACE_CONSENT,
    NETID_CONSENT,
    caption_of,
    deadline,
    mark,
    method_values,
    prompt,
)
from bot.flow.rows import RuleContext, Step
from bot.flow.rules.common import (
    answer_from_faq,
    answer_wish,
    ask,
    ask_below_code,
    choosing_method,
    count_unanswered,
    delete_unwanted,
    failed,
    in_place,
    open_attempt,
    quota_full,
)
from bot.flow.rules.waiting import Wait, wait_of
from bot.flow.states import State
from bot.flow.typed_input import SMALL_TALK, is_about_code, is_done, match_choice
from bot.flow.typed_words import METHODS
from verification.attempts import Method, Reason
from verification.identity import mask_account
from verification.support.funnel import next_beijing_day

_STAGES = tuple(states.PhoneStage)
"""In their order: news of a stage that arrives after news of a later one changes nothing."""

_MOVED = timedelta(minutes=1)
"""By so much a deadline must move before the caption is changed; it shows the deadline in minutes."""

_REASONS = {
    AttemptRefusal.TOO_MANY: Reason.TOO_MANY,
    AttemptRefusal.BUSY: Reason.BUSY,
}


def wechat_chosen(state: states.Confirming, _: Event, context: RuleContext) -> Step:
    return _method_confirmed(state, Method.WECHAT, context)


def qq_chosen(state: states.Confirming, _: Event, context: RuleContext) -> Step:
    return _method_confirmed(state, Method.QQ, context)


def face_chosen(state: states.Confirming, _: Event, context: RuleContext) -> Step:
    return _method_confirmed(state, Method.FACE, context)


def _method_confirmed(state: states.Confirming, method: Method, context: RuleContext) -> Step:
    name, number = state.identity.name.masked, state.identity.number.masked
    values: Values = {"name": name, "number": number, "method": TextKey(f"method.{method}")}
    return _method_taken(state, method, context, RecordAnswer("confirm.done", values))


def _method_taken(
    state: states.Confirming, method: Method, context: RuleContext, *before: Effect, is_below: bool = False
) -> Step:
    """Have a code made; before that, face recognition needs a consent of its own."""
    if method is Method.FACE:
        asking = states.AgreeingFace(account=state.account, question_id=context.question_id, identity=state.identity)
        return ask(asking, *before)
    return open_attempt(state, method, context, *before, is_below=is_below)


def confirmed(state: states.Confirming, event: Event, context: RuleContext) -> Step:
    """The person says that the data are right: that is enough for the method that their link names.

    Somebody without such a link chooses a method, and so does who presses the button of an earlier release: it did not
    say that a code follows.
    """
    if state.suggested is not None and isinstance(event, Said):
        return _method_confirmed(state, state.suggested, context)
    asking = replace(state, question_id=context.question_id)
    return Step(asking, (prompt(asking, "confirm.choose"),))


def face_agreed(state: states.AgreeingFace, _: Event, context: RuleContext) -> Step:
    consent = RecordConsent(kind=FACE_CONSENT, version=CONSENT_VERSION)
    return open_attempt(
        state, Method.FACE, context, consent, RecordAnswer("face_consent.done", {"at": context.now}, stays=True)
    )


def netid_agreed(state: states.Agreeing, _: Event, context: RuleContext) -> Step:
    """The person agrees to being told by a network identity, and types no name and no number."""
    consents = (RecordConsent(kind=kind, version=CONSENT_VERSION) for kind in (NETID_CONSENT, ABROAD_CONSENT))
    record = RecordAnswer("consent.netid_done", {"at": context.now}, stays=True)
    return open_attempt(state, Method.NETID, context, *consents, record)


def other_method_chosen(state: states.StateBase, event: Event, context: RuleContext) -> Step:
    """Offer the methods; one that the person names is taken at once."""
    choosing = choosing_method(state, context)
    if not isinstance(choosing, states.Confirming) or (method := _named_method(choosing, event, context)) is None:
        return ask(choosing)
    if isinstance(state, states.Failed):
        # Any other question makes way for the code, and a code for the next one; a failure stays in the chat.
        values = {**method_values(state), "method": TextKey(f"method.{method}")}
        return _method_taken(choosing, method, context, RecordAnswer("failed.done", values))
    # What takes the place of a code far above would be missed.
    is_below = isinstance(state, states.Opening | states.Scanning | states.Expired)
    return _method_taken(choosing, method, context, is_below=is_below)


def _named_method(choosing: states.Confirming, event: Event, context: RuleContext) -> Method | None:
    if not isinstance(event, Said):
        return None
    offered = [choice for choice in METHODS if is_offered(choosing, choice, context.methods)]
    named = match_choice(event.text, offered, by_position=False)
    return None if named is None else Method(named.value)


# The code


def attempt_opened(state: states.Opening, event: AttemptOpened, context: RuleContext) -> Step:
    if event.attempt != state.attempt:
        return Step(state, (CancelAttempt(event.attempt),))
    scanning = states.Scanning(
        account=state.account,
        question_id=state.question_id,
        identity=state.identity,
        method=state.method,
        attempt=state.attempt,
        link=event.link,
        match_code=event.match_code,
        expires_at=event.expires_at,
        simulated=event.simulated,
        app=event.app,
        since=context.now,
    )
    code = prompt(scanning)
    return Step(scanning, (code if state.is_below else in_place(code),))


def attempt_refused(state: states.Opening, event: AttemptRefused, context: RuleContext) -> Step:
    if event.attempt != state.attempt:
        return Step(state)
    if event.refusal is AttemptRefusal.VERIFIED:
        return ask(_verified(state, state.method, context))
    if event.refusal is AttemptRefusal.UNBOUND:
        return _link_ended(context)
    if event.refusal is AttemptRefusal.QUOTA and state.identity is not None:
        return ask(quota_full(state, state.identity, state.attempt, context))
    reason = _REASONS.get(event.refusal, Reason.UNAVAILABLE)
    return ask(failed(state, reason, context, event.until))


def link_revoked(state: states.Scanning, event: AttemptRefused, context: RuleContext) -> Step:
    """The link that allowed this code was revoked."""
    if event.attempt != state.attempt or event.refusal is not AttemptRefusal.UNBOUND:
        return Step(state)
    return _link_ended(context)


def opening_resumed(state: states.Opening, _: Event, __: RuleContext) -> Step:
    return Step(state, (ShowChatAction(),))


def still_opening(state: states.Opening, _: Event, context: RuleContext) -> Step:
    return Step(state, (DeleteUserMessage(), _opening_words(state, context)))


def opening_status(state: states.Opening, _: Event, context: RuleContext) -> Step:
    return Step(state, (_opening_words(state, context),))


def _opening_words(state: states.Opening, context: RuleContext) -> SendText:
    return SendText(f"status.opening.{wait_of(state, context.now)}", method_values(state))


def said_while_opening(state: states.Opening, event: Said, context: RuleContext) -> Step:
    answer = answer_wish(state, event.text, context) or answer_from_faq(state, event.text, context)
    return answer or still_opening(state, event, context)


def unexpected_attempt_opened(state: State, event: AttemptOpened, _: RuleContext) -> Step:
    is_shown = isinstance(state, states.Scanning) and state.attempt == event.attempt
    return Step(state) if is_shown else Step(state, (CancelAttempt(event.attempt),))


def method_withdrawn(state: State, context: RuleContext) -> Step:
    """The method is switched off: its attempt ends, its code disappears, and the methods that are on are offered."""
    choosing = choosing_method(state, context)
    cancelled = (CancelAttempt(state.attempt),) if isinstance(state, states.Attempting) else ()
    if not isinstance(state, states.Scanning):
        return Step(choosing, (prompt(choosing, "method.off"), *cancelled))
    closed = ClosedCode(Picture.EXPIRED, "stamp.withdrawn", method_values(state))
    return ask_below_code(choosing, closed, "method.off", *cancelled)


def attempt_left(state: states.Attempting, event: Event, context: RuleContext) -> Step:
    step = other_method_chosen(state, event, context)
    return Step(step.state, (*step.effects, CancelAttempt(state.attempt)))


def new_code(state: states.Attempting, event: Event, context: RuleContext) -> Step:
    # The core ends the last attempt only when it opens the next: if it refused the next, the old code would stay valid.
    return open_attempt(state, state.method, context, CancelAttempt(state.attempt), is_below=isinstance(event, Said))


def code_shown_again(state: states.Scanning, event: Event, context: RuleContext) -> Step:
    scanning = replace(state, touched=True, question_id=context.question_id)
    note = "misc.resumed" if isinstance(event, Commanded) else None
    return Step(scanning, (prompt(scanning, note),))


def scanning_status(state: states.Scanning, _: Event, context: RuleContext) -> Step:
    values = {**method_values(state), **deadline(state), "code": state.match_code}
    words = f"status.scan.{wait_of(state, context.now)}"
    return Step(replace(state, touched=True), (SendText(words, values, CODE_AGAIN),))


def said_while_scanning(state: states.Scanning, event: Said, context: RuleContext) -> Step:
    if is_about_code(event.text):
        return code_shown_again(state, event, context)
    remark = context.words.remark(event.text)
    unanswered: tuple[Effect, ...] = ()
    if remark not in SMALL_TALK and not is_done(event.text):
        if answer := answer_wish(state, event.text, context) or answer_from_faq(state, event.text, context):
            return answer
        unanswered = count_unanswered(state, event.text)
    if wait_of(state, context.now) is not Wait.UNSCANNED:
        # "I have scanned it", "nothing happens": what is waited for is the answer.
        status = scanning_status(state, event, context)
        return Step(status.state, (*status.effects, *unanswered))
    values: Values = {"method": TextKey(f"method.{state.method}")}
    hint = SendText("scan.said", values, CODE_AGAIN)
    if remark in SMALL_TALK:
        hint = SendText("scan.remark", {**values, "words": TextKey(f"misc.{remark}")}, CODE_AGAIN)
    return Step(replace(state, touched=True), (hint, *unanswered))


def sent_while_scanning(state: states.Scanning, event: Sent, _: RuleContext) -> Step:
    return Step(
        replace(state, touched=True), (*delete_unwanted(event), SendText(f"sent.{event.kind}", rows=CODE_AGAIN))
    )


def attempt_progressed(state: states.Scanning, event: AttemptProgressed, context: RuleContext) -> Step:
    if event.attempt != state.attempt or _STAGES.index(event.stage) < _STAGES.index(state.stage):
        return Step(state)
    since = state.since if event.stage is state.stage else context.now
    scanning = replace(state, stage=event.stage, touched=True, since=since, expires_at=event.expires_at)
    if state.stage is not states.PhoneStage.WAITING and event.expires_at - state.expires_at < _MOVED:
        # The caption says already that the person goes on with the phone, and until when.
        return Step(scanning)
    text, values, rows = caption_of(scanning)
    return Step(scanning, (EditCaption(question_id=scanning.question_id, text=text, values=values, rows=rows),))


def code_expiring(state: states.Scanning, event: CodeExpiring, context: RuleContext) -> Step:
    """A code is renewed before it expires while the person is active; a code that is open on a phone stays."""
    is_wanted = state.touched and state.stage is states.PhoneStage.WAITING and state.method in context.methods
    if event.attempt != state.attempt or not is_wanted:
        return Step(state)
    return new_code(state, event, context)


def code_expired(state: states.Scanning, event: CodeExpired, context: RuleContext) -> Step:
    if event.attempt != state.attempt:
        return Step(state)
    expired = states.Expired(
        account=state.account,
        question_id=context.question_id,
        identity=state.identity,
        method=state.method,
        attempt=state.attempt,
        stage=state.stage,
    )
    return Step(expired, (in_place(prompt(expired)),))


# The result


def attempt_failed(state: states.Scanning, event: AttemptFailed, context: RuleContext) -> Step:
    if event.attempt != state.attempt:
        return Step(state)
    closed = ClosedCode(Picture.FAILED, "stamp.failed", method_values(state))
    if event.reason is Reason.QUOTA and state.identity is not None:
        return ask_below_code(quota_full(state, state.identity, state.attempt, context, is_scanned=True), closed)
    # The day of a provider's own limit ends at midnight in Beijing.
    until = next_beijing_day(context.now) if event.reason is Reason.TOO_MANY else None
    return ask_below_code(failed(state, event.reason, context, until), closed)


def attempt_passed(state: State, event: AttemptPassed, context: RuleContext) -> Step:
    """A success is reported in every state, because a lost outcome is the worst bug."""
    if event.account != state.account:
        values = {"account": mask_account(event.account), "mark": mark(event.simulated)}
        return Step(state, (SendText("misc.passed_elsewhere", values),))
    verified = states.Verified(
        account=event.account,
        question_id=context.question_id,
        method=event.method,
        attempt=event.attempt,
        at=context.now,
        simulated=event.simulated,
    )
    if isinstance(state, states.Scanning):
        values = {**method_values(state), "mark": mark(event.simulated)}
        return ask_below_code(verified, ClosedCode(Picture.VERIFIED, "stamp.verified", values))
    return ask(verified)


def attempt_passed_before(state: states.Verified, event: AttemptPassed, context: RuleContext) -> Step:
    """A state without an attempt comes from the store, before the notice: the person has not seen the success yet."""
    if event.account != state.account:
        return attempt_passed(state, event, context)
    if state.attempt:
        return Step(state)
    return ask(replace(state, question_id=context.question_id, attempt=event.attempt, simulated=event.simulated))


def try_again(state: states.Failed, _: Event, context: RuleContext) -> Step:
    return open_attempt(state, state.method, context, RecordAnswer("failed.done", method_values(state)))


def shown_again(state: states.Verified, _: Event, context: RuleContext) -> Step:
    return ask(replace(state, question_id=context.question_id))


def verified_stays(state: states.Verified, _: Event, __: RuleContext) -> Step:
    return Step(state, (SendText("verified.stays"),))


def _link_ended(context: RuleContext) -> Step:
    idle = states.Idle(account=context.own_account, question_id=context.question_id)
    return Step(idle, (prompt(idle, "link.ended"),))


def _verified(state: states.Attempting, method: Method, context: RuleContext) -> states.Verified:
    return states.Verified(
        account=state.account, question_id=context.question_id, method=method, attempt=state.attempt, at=context.now
    )
