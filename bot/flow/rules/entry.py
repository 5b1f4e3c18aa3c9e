"""Rules from the welcome to the consent."""

from bot.flow import states
from bot.flow.effects import RecordAnswer, RecordConsent
from bot.flow.events import Event, MessageKind, Said, Sent
from bot.flow.prompts import ABROAD_CONSENT, CONSENT, CONSENT_VERSION, short_prompt
from bot.flow.rows import RuleContext, Step
from bot.flow.rules.common import answer_from_faq, answer_wish, ask, count_unanswered, delete_unwanted
from bot.flow.typed_input import is_question


def welcomed(state: states.Idle, _: Event, context: RuleContext) -> Step:
    return ask(states.ChoosingType(account=state.account, question_id=context.question_id))


def welcomed_again(state: states.ChoosingType, _: Event, __: RuleContext) -> Step:
    """The welcome needs no note that the person is back."""
    return ask(state)


def first_words(state: states.Idle, event: Said, context: RuleContext) -> Step:
    """A person who begins with a question or a wish gets an answer first; any other text is a greeting."""
    if answer := answer_wish(state, event.text, context):
        return answer
    answer = answer_from_faq(state, event.text, context) if is_question(event.text) else None
    welcome = welcomed(state, event, context)
    return answer or Step(welcome.state, (*welcome.effects, *count_unanswered(state, event.text)))


def greeted(state: states.Idle, event: Sent, context: RuleContext) -> Step:
    """A sticker, too, begins the dialogue; an edited text is an old message and begins nothing."""
    if event.kind is MessageKind.EDITED:
        return Step(state, (*delete_unwanted(event), short_prompt(state, f"sent.{event.kind}")))
    return ask(states.ChoosingType(account=state.account, question_id=context.question_id), *delete_unwanted(event))


def nothing_to_cancel(state: states.Idle, _: Event, context: RuleContext) -> Step:
    return ask(states.Idle(account=state.account, question_id=context.question_id))


def personal_chosen(state: states.StateBase, _: Event, context: RuleContext) -> Step:
    return ask(states.Agreeing(account=state.account, question_id=context.question_id), RecordAnswer("type.done"))


def enterprise_chosen(state: states.ChoosingType, _: Event, context: RuleContext) -> Step:
    return ask(states.ReadingEnterprise(account=state.account, question_id=context.question_id))


def overseas_chosen(state: states.ChoosingType, _: Event, context: RuleContext) -> Step:
    return ask(states.ReadingOverseas(account=state.account, question_id=context.question_id))


def back_to_type(state: states.StateBase, _: Event, context: RuleContext) -> Step:
    return ask(states.ChoosingType(account=state.account, question_id=context.question_id))


# Consent


def agreed(state: states.Agreeing, _: Event, context: RuleContext) -> Step:
    asking = states.AskingName(account=state.account, question_id=context.question_id)
    return ask(
        asking,
        RecordConsent(kind=CONSENT, version=CONSENT_VERSION),
        RecordConsent(kind=ABROAD_CONSENT, version=CONSENT_VERSION),
        RecordAnswer("consent.done", {"at": context.now}, stays=True),
    )


def not_agreed(state: states.Agreeing, _: Event, context: RuleContext) -> Step:
    choosing = states.ChoosingType(account=state.account, question_id=context.question_id)
    return Step(choosing, (short_prompt(choosing, "consent.declined"),))


def back_to_consent(state: states.AskingName, _: Event, context: RuleContext) -> Step:
    return ask(states.Agreeing(account=state.account, question_id=context.question_id))
