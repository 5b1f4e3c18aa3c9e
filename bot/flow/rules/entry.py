"""From the welcome to confirmed data: type, consent, name, number."""

from dataclasses import replace

from bot.flow import states
from bot.flow.effects import Ask, Discard, Effect, Record, Settle, Topic, Url
from bot.flow.events import Choice, Event, Kind, Said, Sent
from bot.flow.prompts import CONSENT, CONSENT_VERSION, again
from bot.flow.rows import Moment, Step
from bot.flow.rules.common import answered, answered_instead, ask, choosing, in_vain, unwanted
from bot.flow.typed_input import asks, choice_in
from verification.identity import Identity, Name, Number, read_name, read_number
from verification.numbers import NumberProblem


def welcomed(state: states.Idle, _: Event, moment: Moment) -> Step:
    return ask(states.ChoosingType(account=state.account, mark=moment.mark))


def welcomed_again(state: states.ChoosingType, _: Event, __: Moment) -> Step:
    """The welcome is itself the word for somebody who is back."""
    return ask(state)


def first_words(state: states.Idle, event: Said, moment: Moment) -> Step:
    """Whoever begins with a question gets its answer first; any other word is a greeting."""
    answer = answered(state, event.text, moment) if asks(event.text) else None
    welcome = welcomed(state, event, moment)
    return answer or Step(welcome.state, (*welcome.effects, *in_vain(state, event.text)))


def greeted(state: states.Idle, event: Sent, moment: Moment) -> Step:
    """Whoever begins with a sticker is welcome; an edited text is an old one, and begins nothing."""
    if event.kind is Kind.EDITED:
        return Step(state, (*unwanted(event), again(state, f"sent.{event.kind}")))
    return ask(states.ChoosingType(account=state.account, mark=moment.mark), *unwanted(event))


def nothing_to_cancel(state: states.Idle, _: Event, moment: Moment) -> Step:
    return ask(states.Idle(account=state.account, mark=moment.mark))


def personal_chosen(state: states.Known, _: Event, moment: Moment) -> Step:
    return ask(states.Agreeing(account=state.account, mark=moment.mark), Settle("type.done"))


def enterprise_chosen(state: states.ChoosingType, _: Event, moment: Moment) -> Step:
    return ask(states.ReadingEnterprise(account=state.account, mark=moment.mark))


def overseas_chosen(state: states.ChoosingType, _: Event, moment: Moment) -> Step:
    return ask(states.ReadingOverseas(account=state.account, mark=moment.mark))


def back_to_type(state: states.Known, _: Event, moment: Moment) -> Step:
    return ask(states.ChoosingType(account=state.account, mark=moment.mark))


# Consent


def agreed(state: states.Agreeing, _: Event, moment: Moment) -> Step:
    asking = states.AskingName(account=state.account, mark=moment.mark)
    return ask(asking, Record(CONSENT, CONSENT_VERSION), Settle("consent.done", {"at": moment.now}))


def not_agreed(state: states.Agreeing, _: Event, moment: Moment) -> Step:
    choosing = states.ChoosingType(account=state.account, mark=moment.mark)
    return Step(choosing, (again(choosing, "consent.declined"),))


def back_to_consent(state: states.AskingName, _: Event, moment: Moment) -> Step:
    return ask(states.Agreeing(account=state.account, mark=moment.mark))


# Name and number


_NO_NAMES = (Choice.BEGIN, Choice.PERSONAL, Choice.AGREE)
"""Who answers the question before the last must not become "Yes" by name."""


def name_said(state: states.AskingName, event: Said, moment: Moment) -> Step:
    if choice_in(event.text, _NO_NAMES) is not None:
        return Step(state, (Discard(), again(state, "problem.name.answer")))
    name = read_name(event.text)
    if answer := answered_instead(state, event.text, moment, may_be_meant=isinstance(name, Name)):
        return answer
    if not isinstance(name, Name):
        return Step(state, (Discard(), again(state, f"problem.name.{name}")))
    asking = states.AskingNumber(account=state.account, mark=moment.mark, name=name)
    return ask(asking, Discard())


def number_said(state: states.AskingNumber, event: Said, moment: Moment) -> Step:
    number = read_number(event.text, moment.now.date())
    if answer := answered_instead(state, event.text, moment, may_be_meant=isinstance(number, Number)):
        return answer
    if not isinstance(number, Number):
        return Step(state, (Discard(), *_number_refused(state, number)))
    return _identified(state.account, Identity(state.name, number), moment)


def back_to_name(state: states.AskingNumber, _: Event, moment: Moment) -> Step:
    return ask(states.AskingName(account=state.account, mark=moment.mark))


def confirmed(state: states.Confirming, _: Event, moment: Moment) -> Step:
    values = {"name": state.identity.name.masked, "number": state.identity.number.masked}
    return ask(choosing(state, moment), Settle("confirm.done", values))


def name_wrong(state: states.Confirming, _: Event, moment: Moment) -> Step:
    return ask(states.ChangingName(account=state.account, mark=moment.mark, identity=state.identity))


def number_wrong(state: states.Confirming, _: Event, moment: Moment) -> Step:
    return ask(states.ChangingNumber(account=state.account, mark=moment.mark, identity=state.identity))


def other_name_said(state: states.ChangingName, event: Said, moment: Moment) -> Step:
    name = read_name(event.text)
    if answer := answered_instead(state, event.text, moment, may_be_meant=isinstance(name, Name)):
        return answer
    if not isinstance(name, Name):
        return Step(state, (Discard(), again(state, f"problem.name.{name}")))
    return _identified(state.account, replace(state.identity, name=name), moment)


def other_number_said(state: states.ChangingNumber, event: Said, moment: Moment) -> Step:
    number = read_number(event.text, moment.now.date())
    if answer := answered_instead(state, event.text, moment, may_be_meant=isinstance(number, Number)):
        return answer
    if not isinstance(number, Number):
        return Step(state, (Discard(), *_number_refused(state, number)))
    return _identified(state.account, replace(state.identity, number=number), moment)


def back_to_confirm(state: states.Identified, _: Event, moment: Moment) -> Step:
    return ask(states.Confirming(account=state.account, mark=moment.mark, identity=state.identity))


def _identified(account: str, identity: Identity, moment: Moment) -> Step:
    return ask(states.Confirming(account=account, mark=moment.mark, identity=identity), Discard())


def _number_refused(state: states.AskingNumber | states.ChangingNumber, problem: NumberProblem) -> tuple[Effect, ...]:
    question = again(state, f"problem.number.{problem}")
    if problem in (NumberProblem.PERMIT, NumberProblem.FOREIGNER) and isinstance(question, Ask):
        question = replace(question, rows=((Url("international"),), (Topic("overseas"),), *question.rows))
    return (question,)
