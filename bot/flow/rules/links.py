"""Rules for links: an invitation to an account, a link that suggests a method, and a link that is not valid.

An invitation keeps the former state until the person says that the account is theirs.
"""

from msgspec.structs import replace

from bot.flow import codec, states
from bot.flow.effects import (
    AskQuestion,
    CancelAttempt,
    DeleteUserMessage,
    Effect,
    RecordAnswer,
    SendText,
    SetLanguage,
    SetSuggestedMethod,
    TopicButton,
    UrlButton,
)
from bot.flow.events import (
    AttemptPassed,
    Event,
    LinkAccepted,
    LinkRejected,
    MethodSuggested,
    ReaskRequested,
    VerificationRecord,
)
from bot.flow.offers import current_state
from bot.flow.prompts import mark, prompt, short_prompt
from bot.flow.rows import RuleContext, Step
from bot.flow.rules import scan
from bot.flow.rules.common import ask, choosing_method, touched
from bot.flow.states import State
from verification.attempts import AttemptId, Method
from verification.identity import mask_account
from verification.ids import Account

_WITHOUT_PROGRESS = (
    states.Idle,
    states.ChoosingType,
    states.ReadingEnterprise,
    states.ReadingOverseas,
    states.Verified,
)


def link_accepted(state: State, event: LinkAccepted, context: RuleContext) -> Step:
    """The message with the link is deleted, because the link is a secret between the sender and this person."""
    if event.verified is not None:
        step = _already_verified(state, event.account, event.verified, context)
    elif event.account == state.account:
        step = show_step(state, context, "link.same")
        step = Step(step.state, (*_remember_method(event.method), *step.effects))
    else:
        step = _ask_whose_account(state, event, context)
    language = (SetLanguage(event.language),) if event.language is not None else ()
    return Step(step.state, (*language, DeleteUserMessage(), *step.effects))


def link_rejected(state: State, _: LinkRejected, __: RuleContext) -> Step:
    """The reply is the same for every reason, so that a link reveals nothing to a person it was not made for."""
    return Step(touched(state), (DeleteUserMessage(), short_prompt(state, "link.unusable")))


def method_suggested(state: State, event: MethodSuggested, context: RuleContext) -> Step:
    """The link only suggests a method; it opens no attempt."""
    if isinstance(state, states.Confirming):
        return ask(replace(state, suggested=event.method), *_remember_method(event.method))
    is_chosen = isinstance(state, states.AgreeingFace | states.Attempting | states.Verified)
    step = show_step(state, context, None if is_chosen else f"link.way.{event.method}")
    return Step(step.state, (*_remember_method(event.method), *step.effects))


def method_off_suggested(state: State, context: RuleContext) -> Step:
    """The link suggests a method that is off: the person goes on and chooses another one."""
    return show_step(current_state(state, context.methods), context, "link.method_off")


# The invitation


def invitation_accepted(state: states.ReadingInvitation, _: Event, context: RuleContext) -> Step:
    agreeing = states.Agreeing(account=state.account, question_id=context.question_id)
    answer = RecordAnswer("invitation.done", {"account": mask_account(state.account)})
    return ask(agreeing, *_remember_method(state.suggested), answer)


def invitation_refused(state: states.ReadingInvitation, _: Event, context: RuleContext) -> Step:
    former = current_state(replace(codec.load(state.former), question_id=context.question_id), context.methods)
    return Step(former, (prompt(former, "invitation.refused"),))


def enterprise_explained(state: states.ReadingInvitation, _: Event, __: RuleContext) -> Step:
    return _explained(state, "enterprise", page="enterprise")


def overseas_explained(state: states.ReadingInvitation, _: Event, __: RuleContext) -> Step:
    return _explained(state, "overseas", page="international")


def passed_meanwhile(state: states.ReadingInvitation, event: AttemptPassed, context: RuleContext) -> Step:
    """The account of the former state is verified now, so the dialogue must not return to an earlier step of it."""
    step = scan.attempt_passed(state, event, context)
    if not isinstance(step.state, states.ReadingInvitation) or codec.load(state.former).account != event.account:
        return step
    verified = states.Verified(
        account=event.account,
        question_id=context.question_id,
        method=event.method,
        attempt=event.attempt,
        at=context.now,
        simulated=event.simulated,
    )
    return Step(replace(step.state, former=codec.dump(verified)), step.effects)


def _ask_whose_account(state: State, event: LinkAccepted, context: RuleContext) -> Step:
    former, cancel = state, tuple[Effect, ...]()
    if isinstance(state, states.Opening | states.Scanning):
        # A code that is no longer on the screen must not stay valid.
        former, cancel = choosing_method(state, context), (CancelAttempt(state.attempt),)
    former_text = state.former if isinstance(state, states.ReadingInvitation) else codec.dump(former)
    invitation = states.ReadingInvitation(
        account=event.account, question_id=context.question_id, former=former_text, suggested=event.method
    )
    return ask(invitation, *cancel)


def _already_verified(state: State, account: Account, record: VerificationRecord, context: RuleContext) -> Step:
    if account != state.account and not isinstance(state, _WITHOUT_PROGRESS):
        values = {"account": mask_account(account), "mark": mark(record.simulated)}
        return Step(touched(state), (SendText("link.verified", values),))
    if isinstance(state, states.Verified) and account == state.account:
        return ask(replace(state, question_id=context.question_id))
    cancel = (CancelAttempt(state.attempt),) if isinstance(state, states.Attempting) else ()
    verified = states.Verified(
        account=account,
        question_id=context.question_id,
        method=record.method,
        attempt=AttemptId(""),
        at=record.at,
        simulated=record.simulated,
    )
    return ask(verified, *cancel)


def _explained(state: states.ReadingInvitation, topic: str, *, page: str) -> Step:
    """The question of the invitation stays, because it must be answered first."""
    question = short_prompt(state, f"{topic}.ask")
    more = ((UrlButton(page),), (TopicButton(topic),))
    return Step(
        state, (replace(question, rows=(*more, *question.rows)) if isinstance(question, AskQuestion) else question,)
    )


def show_step(state: State, context: RuleContext, note: str | None = None) -> Step:
    """The current step, shown in full."""
    match state:
        case states.Idle():
            shown: State = states.ChoosingType(account=state.account, question_id=context.question_id)
        case states.Opening():
            return scan.opening_resumed(state, ReaskRequested(), context)
        case states.Scanning():
            shown = replace(state, touched=True, question_id=context.question_id)
        case states.Verified():
            shown = replace(state, question_id=context.question_id)
        case _:
            shown = state
    return Step(shown, (prompt(shown, note),))


def _remember_method(method: Method | None) -> tuple[Effect, ...]:
    return () if method is None else (SetSuggestedMethod(method),)
