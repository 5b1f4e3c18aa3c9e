"""Functions that several rules share."""

from datetime import datetime

from msgspec.structs import replace

from bot.flow import codec, states
from bot.flow.effects import (
    AskQuestion,
    CheckQuota,
    ClosedCode,
    CountQuestion,
    DeleteUserMessage,
    Effect,
    ReplaceCodeWithPicture,
    Reply,
    SendText,
    ShowChatAction,
    ShowCode,
    ShowFaq,
    StopReminders,
    UrlButton,
)
from bot.flow.events import MessageKind, Sent
from bot.flow.prompts import prompt, short_prompt
from bot.flow.rows import RuleContext, Step
from bot.flow.states import State
from bot.flow.typed_input import SMALL_TALK, Remark, is_against_reminders, is_question, match_link
from bot.flow.unanswered import redact_question
from verification.attempts import AttemptId, Method, Reason
from verification.identity import Identity, has_number_digits
from verification.ids import Account


def ask(state: State, *before: Effect) -> Step:
    return Step(state, (*before, prompt(state)))


def ask_below_code(state: State, closed: ClosedCode, note: str | None = None, *after: Effect) -> Step:
    """Ask below the code, which becomes a picture after that, with the record of the consent: a result comes first."""
    question = prompt(state, note)
    below = replace(question, closed_code=closed, keeps_record=False) if isinstance(question, AskQuestion) else question
    return Step(state, (below, *after))


def in_place(question: Reply) -> Reply:
    """The question as a change of the message that shows the code; a question without a code stays as it is."""
    return replace(question, in_place=True) if isinstance(question, ShowCode | ReplaceCodeWithPicture) else question


def open_attempt(
    state: states.StateBase, method: Method, context: RuleContext, *before: Effect, is_below: bool = False
) -> Step:
    opening = states.Opening(
        account=state.account,
        question_id=context.question_id,
        identity=states.typed_identity(state),
        method=method,
        attempt=new_attempt_id(context),
        since=context.now,
        is_below=is_below,
    )
    return Step(opening, (*before, ShowChatAction()))


def new_attempt_id(context: RuleContext) -> AttemptId:
    """The id of the attempt that a turn asks for; the core's answer in the same turn finds it again."""
    return AttemptId(f"attempt-{context.fresh_id}")


def choosing_method(state: states.StateBase, context: RuleContext) -> states.Confirming | states.Agreeing:
    """The choice of a method for an identity that the person has confirmed; without one, the consent to typing it."""
    identity = states.typed_identity(state)
    if identity is None:
        return states.Agreeing(account=state.account, question_id=context.question_id)
    return states.Confirming(
        account=state.account,
        question_id=context.question_id,
        identity=identity,
        suggested=context.suggested_method,
        is_checked=True,
    )


def confirming(state: states.StateBase, identity: Identity, context: RuleContext) -> states.Confirming:
    """The check of an identity that the person has not confirmed yet."""
    return states.Confirming(
        account=state.account,
        question_id=context.question_id,
        identity=identity,
        suggested=context.suggested_method,
    )


def check_quota(account: Account, identity: Identity, context: RuleContext) -> CheckQuota:
    return CheckQuota(new_attempt_id(context), account, identity)


def holds_secret(state: State, text: str) -> bool:
    """Whether a text must be deleted in any state: it has as many digits as a number, or the person's name."""
    match state:
        case states.AskingNumber() | states.CheckingName():
            known = state.name.plain in text
        case states.Identified(identity=identity) | states.Attempting(identity=Identity() as identity):
            known = identity.name.plain in text
        case states.ReadingInvitation():
            known = holds_secret(codec.load(state.former), text)
        case _:
            known = False
    return known or has_number_digits(text)


def delete_unwanted(event: Sent) -> tuple[Effect, ...]:
    """Delete what may show an ID card or hold its number: pictures, files, contacts, forwarded and edited messages."""
    stays = event.kind in (MessageKind.STICKER, MessageKind.VOICE, MessageKind.LOCATION, MessageKind.OTHER)
    return () if stays else (DeleteUserMessage(),)


def answer_from_faq(state: State, text: str, context: RuleContext, *before: Effect) -> Step | None:
    """The FAQ's answer to a question in the person's own words; the state stays. None when the FAQ has no answer.

    A person who has not begun yet is also asked whether to begin.
    """
    topics = context.topics_in(text)
    if not topics:
        return None
    best, *others = topics
    question = (prompt(state),) if isinstance(state, states.Idle) else ()
    return Step(touched(state), (*before, ShowFaq(best, others=tuple(others)), *question, CountQuestion(best)))


def count_unanswered(state: State, text: str) -> tuple[Effect, ...]:
    """Count a question that no topic answers; a text that is not a question is not counted."""
    return (CountQuestion("", redact_question(text, state)),) if is_question(text) else ()


HUMAN = "human"
"""The topic under which a wish to talk to a human is counted."""


UNHELPFUL = "unhelpful"
"""The verb of the button below an answer that did not help; such answers are counted as `unhelpful:TOPIC`."""


def human_contact(state: State, *before: Effect) -> Step:
    """How to reach the people behind the bot, with the question of the state."""
    question, contact = short_prompt(state, "misc.human"), ((UrlButton("operator"),),)
    question = replace(question, rows=(*contact, *question.rows))
    return Step(touched(state), (*before, question, CountQuestion(HUMAN)))


def answer_wish(state: State, text: str, context: RuleContext, *before: Effect) -> Step | None:
    """What a text wishes beside the step: a page, no more reminders, a human; the state stays. None for other texts."""
    if link := match_link(text):
        return Step(touched(state), (*before, SendText("link.here", rows=((UrlButton(link),),))))
    if is_against_reminders(text):
        return Step(touched(state), (*before, StopReminders(), SendText("reminder.off")))
    return human_contact(state, *before) if context.words.remark(text) is Remark.HUMAN else None


def answer_own_words(state: State, text: str, context: RuleContext) -> Step | None:
    """The answer to the words of a button, a wish for a human, a question, or small talk; the state stays.

    None for anything else. The FAQ does not know what a button's word means.
    """
    remark = context.words.remark(text)
    is_answered = remark is not Remark.BUTTON or is_question(text)
    if answer := answer_wish(state, text, context) or (is_answered and answer_from_faq(state, text, context)):
        return answer
    if remark in SMALL_TALK:
        section = "verified" if isinstance(state, states.Verified) and remark is Remark.THANKS else "misc"
        return Step(touched(state), (short_prompt(state, f"{section}.{remark}"),))
    return None


def touched(state: State) -> State:
    return replace(state, touched=True) if isinstance(state, states.Scanning) else state


def quota_full(
    state: states.StateBase, identity: Identity, attempt: AttemptId, context: RuleContext, *, is_scanned: bool = False
) -> states.QuotaFull:
    return states.QuotaFull(
        account=state.account,
        question_id=context.question_id,
        identity=identity,
        attempt=attempt,
        is_scanned=is_scanned,
    )


def failed(
    state: states.Attempting, reason: Reason, context: RuleContext, until: datetime | None = None
) -> states.Failed:
    return states.Failed(
        account=state.account,
        question_id=context.question_id,
        identity=state.identity,
        method=state.method,
        attempt=state.attempt,
        reason=reason,
        until=until,
    )
