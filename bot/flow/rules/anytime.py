"""Rules for what may happen in every state: cancelling, commands, side messages, and input that answers no question."""

from msgspec.structs import replace

from bot.flow import states
from bot.flow.effects import (
    LANGUAGES,
    CancelAttempt,
    CountQuestion,
    EditSideMessage,
    EraseRecords,
    RemoveButtons,
    SendExport,
    SendText,
    SetLanguage,
    ShowFaq,
    ShowLanguages,
    ShowRecords,
    ShowToast,
    TopicButton,
    UrlButton,
)
from bot.flow.events import Choice, Commanded, Event, ReaskRequested, Said, Sent, SideMessage, SideTapped, Throttled
from bot.flow.prompts import prompt, short_prompt
from bot.flow.rows import RuleContext, Step
from bot.flow.rules.common import (
    UNHELPFUL,
    answer_from_faq,
    answer_own_words,
    ask,
    count_unanswered,
    delete_unwanted,
    holds_secret,
    human_contact,
    in_place,
    touched,
)
from bot.flow.rules.links import show_step
from bot.flow.rules.reminding import reminders_stopped
from bot.flow.states import State
from bot.flow.typed_input import Remark, is_button_word, is_question, is_what_next, is_why, match_choice, normalize
from bot.flow.unanswered import redact_question

_NOTHING_ASKED = states.ReadingEnterprise | states.ReadingOverseas | states.Verified
"""The states in which a person may only take note."""


def cancelled(state: states.StateBase, _: Event, context: RuleContext) -> Step:
    idle = states.Idle(account=state.account, question_id=context.question_id)
    return Step(idle, (prompt(idle, "misc.cancelled"),))


def attempt_cancelled(state: states.Attempting, event: Event, context: RuleContext) -> Step:
    step = cancelled(state, event, context)
    return Step(step.state, (*step.effects, CancelAttempt(state.attempt)))


# In every state


def asked_to_resume(state: State, _: Commanded, __: RuleContext) -> Step:
    return Step(state, (prompt(state, "misc.resumed"),))


def question_reasked(state: State, _: ReaskRequested, __: RuleContext) -> Step:
    return ask(state)


def throttled(state: State, _: Throttled, __: RuleContext) -> Step:
    return Step(touched(state), (short_prompt(state, "misc.slow_down"),))


def status(state: State, _: Commanded, __: RuleContext) -> Step:
    return Step(state, (short_prompt(state, f"status.{_step_of(state)}"),))


def nowhere_back(state: State, _: Commanded, __: RuleContext) -> Step:
    return Step(state, (short_prompt(state, "misc.nowhere_back"),))


def faq(state: State, event: Commanded, context: RuleContext) -> Step:
    if not event.arguments:
        return Step(touched(state), (ShowFaq(),))
    if context.words.remark(event.arguments) is Remark.HUMAN:
        return human_contact(state)
    unanswered = Step(
        touched(state), (ShowFaq(unanswered=True), CountQuestion("", redact_question(event.arguments, state)))
    )
    return answer_from_faq(state, event.arguments, context) or unanswered


def help_asked(state: State, _: Commanded, __: RuleContext) -> Step:
    return Step(touched(state), (SendText("misc.help", rows=((TopicButton(),), (UrlButton("console"),))),))


def human_asked(state: State, _: Commanded, __: RuleContext) -> Step:
    return human_contact(state)


def language_asked(state: State, event: Commanded, __: RuleContext) -> Step:
    if event.arguments in LANGUAGES:
        return Step(touched(state), (SetLanguage(event.arguments), SendText("language.done"), in_place(prompt(state))))
    return Step(touched(state), (ShowLanguages(),))


def privacy_asked(state: State, _: Commanded, __: RuleContext) -> Step:
    return Step(touched(state), (ShowRecords(state.question_id, state.account),))


def unknown_command(state: State, _: Commanded, __: RuleContext) -> Step:
    return Step(touched(state), (SendText("misc.unknown_command"),))


def side_tapped(state: State, event: SideTapped, context: RuleContext) -> Step:
    if event.side is SideMessage.FAQ:
        return _faq_chosen(state, event.choice, context)
    if event.side is SideMessage.CODE:
        return show_step(state, context)
    if event.side is SideMessage.REMINDER:
        return reminders_stopped(state, event, context)
    if event.side is SideMessage.LANGUAGE:
        return _language_chosen(state, event.choice)
    return _privacy_chosen(state, event, context)


def text_not_expected(state: State, event: Said, context: RuleContext) -> Step:
    """A text that is not expected may be a question: then the FAQ answers it, and the state's own question stays."""
    if isinstance(state, states.Failed | states.QuotaFull | states.Verified) and _asks_again(event.text):
        return ask(state)
    if isinstance(state, _NOTHING_ASKED) and _takes_note(event.text, context):
        return Step(state, (replace(short_prompt(state, "misc.not_understood"), note=None),))
    if is_question(event.text):
        unanswered = Step(state, (short_prompt(state, "misc.no_answer"), *count_unanswered(state, event.text)))
    else:
        unanswered = Step(state, (short_prompt(state, "misc.not_understood"),))
    return answer_own_words(state, event.text, context) or unanswered


def _asks_again(text: str) -> bool:
    return is_why(text) or is_what_next(text)


def _takes_note(text: str, context: RuleContext) -> bool:
    """Whether a text says "good", "I see", or nothing but a picture; no other word of a button."""
    if is_question(text):
        return False
    is_button = is_button_word(text) and not match_choice(text, (Choice.AGREE, Choice.CONFIRM), by_position=False)
    return not normalize(text) or (context.words.remark(text) is Remark.BUTTON and not is_button)


def not_a_text(state: State, event: Sent, _: RuleContext) -> Step:
    return Step(state, (*delete_unwanted(event), short_prompt(state, f"sent.{event.kind}")))


def ignored(state: State, _: Event, __: RuleContext) -> Step:
    return Step(state)


def stale_button(state: State) -> Step:
    """A button of a closed question, or a copied or forged one: nothing changes, and a toast says so."""
    return Step(state, (ShowToast("misc.closed_question"), RemoveButtons()))


def _safe_topic(state: State, topic: str) -> str:
    # A forged button may carry a secret of the person in place of a topic; the effect must not repeat it.
    return "" if holds_secret(state, topic) else topic


def _faq_chosen(state: State, choice: str, context: RuleContext) -> Step:
    verb, _, topic = choice.partition(".")
    # Only the id of a topic finds itself; anything else is a forged button.
    if verb == UNHELPFUL and context.topics_in(topic) == (topic,):
        return Step(touched(state), (ShowFaq(unhelpful=True), CountQuestion(f"{UNHELPFUL}:{topic}")))
    return Step(touched(state), (_faq_of(state, choice),))


def _faq_of(state: State, choice: str) -> ShowFaq:
    verb, _, argument = choice.partition(".")
    if verb == "list":
        return ShowFaq(page=int(argument) if argument.isdecimal() and len(argument) < 4 else 0, in_place=True)
    return ShowFaq(_safe_topic(state, argument), in_place=verb == "show")


def _language_chosen(state: State, language: str) -> Step:
    if language not in LANGUAGES:
        return Step(touched(state), (ShowLanguages(),))
    return Step(touched(state), (SetLanguage(language), EditSideMessage("language.done"), in_place(prompt(state))))


def _privacy_chosen(state: State, event: SideTapped, context: RuleContext) -> Step:
    match event.choice:
        case "export":
            return Step(state, (SendExport(state.account),))
        case "erase":
            return Step(state, (ShowRecords(state.question_id, state.account, ask_erase=True),))
        case "keep":
            return Step(state, (EditSideMessage("privacy.kept"),))
        case "erase_now" if event.question_id == state.question_id:
            return _erased(state, context)
        case _:
            return stale_button(state)


def _erased(state: State, context: RuleContext) -> Step:
    """Only the quota slot of a verified account stays; a person who is verified is not asked to begin again.

    For an account of a link, only this person's own records are erased, because other people may use the account too.
    """
    idle = states.Idle(account=context.own_account, question_id=context.question_id)
    question = () if isinstance(state, states.Verified) else (prompt(idle),)
    cancel = (CancelAttempt(state.attempt),) if isinstance(state, states.Attempting) else ()
    return Step(idle, (EraseRecords(context.own_account), EditSideMessage("privacy.erased"), *question, *cancel))


_STEP_OF: dict[type[State], str] = {
    states.Idle: "idle",
    states.ChoosingType: "type",
    states.ReadingEnterprise: "type",
    states.ReadingOverseas: "type",
    states.ReadingInvitation: "type",
    states.Agreeing: "consent",
    states.AskingName: "name",
    states.CheckingName: "name",
    states.AskingNumber: "number",
    states.ChangingName: "confirm",
    states.ChangingNumber: "confirm",
    states.Confirming: "confirm",
    states.AgreeingFace: "confirm",
    states.Failed: "failed",
    states.QuotaFull: "quota",
    states.Verified: "verified",
}


def _step_of(state: State) -> str:
    if isinstance(state, states.Failed) and state.until is not None:
        return "later"
    return _STEP_OF[type(state)]
