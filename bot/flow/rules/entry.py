"""Rules from the welcome to the confirmed identity: type, consent, name, number."""

from dataclasses import replace

from bot.flow import states
from bot.flow.effects import AskQuestion, DeleteUserMessage, Effect, RecordAnswer, RecordConsent, TopicButton, UrlButton
from bot.flow.events import Choice, Event, MessageKind, Said, Sent
from bot.flow.prompts import CONSENT, CONSENT_VERSION, short_prompt
from bot.flow.rows import RuleContext, Step
from bot.flow.rules.common import (
    answer_from_faq,
    answer_instead_of_input,
    ask,
    choosing_method,
    count_unanswered,
    delete_unwanted,
)
from bot.flow.typed_input import is_question, match_choice
from verification.identity import Identity, Name, Number, read_name, read_number
from verification.ids import Account
from verification.numbers import NumberProblem


def welcomed(state: states.Idle, _: Event, context: RuleContext) -> Step:
    return ask(states.ChoosingType(account=state.account, question_id=context.question_id))


def welcomed_again(state: states.ChoosingType, _: Event, __: RuleContext) -> Step:
    """The welcome needs no note that the person is back."""
    return ask(state)


def first_words(state: states.Idle, event: Said, context: RuleContext) -> Step:
    """A person who begins with a question gets its answer first; any other text is a greeting."""
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
        RecordAnswer("consent.done", {"at": context.now}, stays=True),
    )


def not_agreed(state: states.Agreeing, _: Event, context: RuleContext) -> Step:
    choosing = states.ChoosingType(account=state.account, question_id=context.question_id)
    return Step(choosing, (short_prompt(choosing, "consent.declined"),))


def back_to_consent(state: states.AskingName, _: Event, context: RuleContext) -> Step:
    return ask(states.Agreeing(account=state.account, question_id=context.question_id))


# Name and number


_NOT_NAMES = (Choice.BEGIN, Choice.PERSONAL, Choice.AGREE)
"""A late answer to an earlier question, such as "agree", is not taken as a name."""


def name_said(state: states.AskingName, event: Said, context: RuleContext) -> Step:
    if match_choice(event.text, _NOT_NAMES) is not None:
        return Step(state, (DeleteUserMessage(with_panel=True), short_prompt(state, "problem.name.answer")))
    name = read_name(event.text)
    if answer := answer_instead_of_input(state, event.text, context, may_be_meant=isinstance(name, Name)):
        return answer
    if not isinstance(name, Name):
        return Step(state, (DeleteUserMessage(with_panel=True), short_prompt(state, f"problem.name.{name}")))
    asking = states.AskingNumber(account=state.account, question_id=context.question_id, name=name)
    return ask(asking, DeleteUserMessage(with_panel=True))


def number_said(state: states.AskingNumber, event: Said, context: RuleContext) -> Step:
    number = read_number(event.text, context.now.date())
    if answer := answer_instead_of_input(state, event.text, context, may_be_meant=isinstance(number, Number)):
        return answer
    if not isinstance(number, Number):
        return Step(state, (DeleteUserMessage(with_panel=True), *_number_refused(state, number)))
    return _identified(state.account, Identity(state.name, number), context)


def back_to_name(state: states.AskingNumber, _: Event, context: RuleContext) -> Step:
    return ask(states.AskingName(account=state.account, question_id=context.question_id))


def confirmed(state: states.Confirming, _: Event, context: RuleContext) -> Step:
    values = {"name": state.identity.name.masked, "number": state.identity.number.masked}
    return ask(choosing_method(state, context), RecordAnswer("confirm.done", values))


def name_wrong(state: states.Confirming, _: Event, context: RuleContext) -> Step:
    return ask(states.ChangingName(account=state.account, question_id=context.question_id, identity=state.identity))


def number_wrong(state: states.Confirming, _: Event, context: RuleContext) -> Step:
    return ask(states.ChangingNumber(account=state.account, question_id=context.question_id, identity=state.identity))


def other_name_said(state: states.ChangingName, event: Said, context: RuleContext) -> Step:
    name = read_name(event.text)
    if answer := answer_instead_of_input(state, event.text, context, may_be_meant=isinstance(name, Name)):
        return answer
    if not isinstance(name, Name):
        return Step(state, (DeleteUserMessage(with_panel=True), short_prompt(state, f"problem.name.{name}")))
    return _identified(state.account, replace(state.identity, name=name), context)


def other_number_said(state: states.ChangingNumber, event: Said, context: RuleContext) -> Step:
    number = read_number(event.text, context.now.date())
    if answer := answer_instead_of_input(state, event.text, context, may_be_meant=isinstance(number, Number)):
        return answer
    if not isinstance(number, Number):
        return Step(state, (DeleteUserMessage(with_panel=True), *_number_refused(state, number)))
    return _identified(state.account, replace(state.identity, number=number), context)


def back_to_confirm(state: states.Identified, _: Event, context: RuleContext) -> Step:
    return ask(states.Confirming(account=state.account, question_id=context.question_id, identity=state.identity))


def _identified(account: Account, identity: Identity, context: RuleContext) -> Step:
    return ask(
        states.Confirming(account=account, question_id=context.question_id, identity=identity),
        DeleteUserMessage(with_panel=True),
    )


def _number_refused(state: states.AskingNumber | states.ChangingNumber, problem: NumberProblem) -> tuple[Effect, ...]:
    question = short_prompt(state, f"problem.number.{problem}")
    if problem in (NumberProblem.PERMIT, NumberProblem.FOREIGNER) and isinstance(question, AskQuestion):
        question = replace(question, rows=((UrlButton("international"),), (TopicButton("overseas"),), *question.rows))
    return (question,)
