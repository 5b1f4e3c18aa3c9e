"""Rules for the name and the ID number, up to their confirmation.

A text at one of these steps is read as the answer, in the person's own words: with labels around it, or name and number
together. What is no answer is answered itself, and the step stays. A text that may be a name, but is none likely, is
asked back: some people's names look like words.
"""

import re
from collections.abc import Mapping

from msgspec.structs import replace

from bot.flow import states
from bot.flow.effects import DeleteUserMessage, RecordAnswer, TopicButton, UrlButton
from bot.flow.events import Choice, Event, FormSent, Said
from bot.flow.prompts import short_prompt
from bot.flow.rows import RuleContext, Step
from bot.flow.rules.common import (
    answer_from_faq,
    answer_wish,
    ask,
    check_quota,
    choosing_method,
    confirming,
    count_unanswered,
)
from bot.flow.typed_input import Remark, is_question, is_why, match_choice, names_choice, without_card_facts
from verification.identity import Identity, Name, NameProblem, Number, read_name, read_number, split_number
from verification.numbers import NumberProblem, other_documents

NameStep = states.AskingName | states.ChangingName | states.CheckingName
NumberStep = states.AskingNumber | states.ChangingNumber

_NO_NUMBER = (NumberProblem.EMPTY, NumberProblem.CHARACTERS, NumberProblem.OTHER_DOCUMENT)
"""Problems of a text without a number of 18 digits."""
_WHY_ASKED = "notice"
"""The topic of the FAQ that says why name and number are asked for."""
_SHORTEST_SENTENCE = 4
"""Characters. A shorter text that is no question may be a name that the FAQ happens to know."""
NAME_TO_CHECK = "form.check_name"
"""The key of what the form says of a name that is no likely one."""
ELSEWHERE = (NumberProblem.PERMIT, NumberProblem.FOREIGNER, NumberProblem.OTHER_DOCUMENT)
"""Documents that the international site verifies."""


def name_said(state: NameStep, event: Said, context: RuleContext) -> Step:
    number, rest = split_number(event.text, context.now.date())
    text = event.text if number in _NO_NUMBER or not rest.strip() else rest
    name = _read_name(text, context)
    if isinstance(name, Name) and (_is_likely(name, context) or _was_asked_back(state, name)):
        return _named(state, name, number, context)
    if wish := answer_wish(state, event.text, context, DeleteUserMessage()):
        return wish
    known = number if isinstance(number, Number) else None
    if said := _name_in_sentence(text, context):
        return ask(_checking_name(state, said, known, context), DeleteUserMessage(with_panel=True))
    if answer := _answer_instead(state, event.text, context):
        return answer
    if isinstance(name, Name) and not context.words.is_sentence(event.text):
        return ask(_checking_name(state, name, known, context), DeleteUserMessage(with_panel=True))
    return _name_refused(state, name, number)


def name_right(state: states.CheckingName, _: Event, context: RuleContext) -> Step:
    step = _named(state, state.name, state.number, context)
    done = RecordAnswer("check_name.done", {"name": state.name.masked})
    return Step(step.state, (done, *(effect for effect in step.effects if not isinstance(effect, DeleteUserMessage))))


def number_said(state: NumberStep, event: Said, context: RuleContext) -> Step:
    number, rest = split_number(event.text, context.now.date())
    if is_question(event.text) and (answer := answer_from_faq(state, event.text, context, DeleteUserMessage())):
        return answer
    if isinstance(number, Number):
        name = _read_name(rest, context)
        if not (isinstance(name, Name) and _is_likely(name, context)):
            name = state.name if isinstance(state, states.AskingNumber) else state.identity.name
        return _identified(state, Identity(name, number), context)
    if number not in _NO_NUMBER:
        return _number_refused(state, number)
    return (
        answer_wish(state, event.text, context, DeleteUserMessage())
        or _name_instead(state, event.text, context)
        or _answer_instead(state, event.text, context)
        or _number_refused(state, number)
    )


def _name_instead(state: NumberStep, text: str, context: RuleContext) -> Step | None:
    """What becomes of a name, or of the wish to change it, where the number is asked; None for any other text."""
    if match_choice(text, (Choice.CHANGE_NAME,), by_position=False):
        return ask(_asking_name(state, context), DeleteUserMessage(with_panel=True))
    if other_documents.are_named(text):
        return None
    name = _read_name(text, context)
    if not isinstance(name, Name) or not _is_likely(name, context):
        found = _name_in_sentence(text, context)
        return ask(_checking_name(state, found, None, context), DeleteUserMessage(with_panel=True)) if found else None
    known = state.name if isinstance(state, states.AskingNumber) else state.identity.name
    if name.plain == known.plain:
        return Step(state, (DeleteUserMessage(with_panel=True), short_prompt(state, "problem.number.name")))
    return ask(_checking_name(state, name, None, context), DeleteUserMessage(with_panel=True))


def form_sent(state: NameStep | NumberStep, event: FormSent, context: RuleContext) -> Step:
    """The form answers the question whose button opened it, and no later one."""
    if event.question_id != state.question_id:
        return Step(state)
    return _identified(state, event.identity, context)


def read_form(name: str, number: str, context: RuleContext, *, is_checked: bool) -> Identity | Mapping[str, str]:
    """Read the fields of the private form as the chat reads them; returns the key of what is wrong with each field.

    A name that is no likely one is asked back, unless the person has checked it (`is_checked`).
    """
    found_name, found_number = _read_name(name, context), read_number(number, context.now.date())
    problems: dict[str, str] = {}
    if isinstance(found_name, NameProblem):
        problems["name"] = f"problem.name.{found_name}"
    elif not (is_checked or _is_likely(found_name, context)):
        problems["name"] = NAME_TO_CHECK
    if isinstance(found_number, NumberProblem):
        problems["number"] = f"problem.number.{found_number}"
    if problems or isinstance(found_name, NameProblem) or isinstance(found_number, NumberProblem):
        return problems
    return Identity(replace(found_name, is_confidential=True), found_number)


def back_to_name(
    state: states.CheckingName | states.AskingNumber | states.Confirming, _: Event, context: RuleContext
) -> Step:
    return ask(_asking_name(state, context))


def number_wrong(state: states.Identified, _: Event, context: RuleContext) -> Step:
    return ask(states.ChangingNumber(account=state.account, question_id=context.question_id, identity=state.identity))


def data_wrong(state: states.Confirming, _: Event, __: RuleContext) -> Step:
    """The person says that something is wrong, and not what."""
    return Step(state, (short_prompt(state, "confirm.which"),))


def back_to_confirm(state: states.Identified | states.Failed, _: Event, context: RuleContext) -> Step:
    if state.identity is None:
        return ask(choosing_method(state, context))
    return ask(confirming(state, state.identity, context))


def back_from_confirm(state: states.Confirming, event: Event, context: RuleContext) -> Step:
    """Back from the choice of another method is the check of the data; back from that is the number."""
    return (back_to_confirm if state.is_checked else number_wrong)(state, event, context)


def _read_name(text: str, context: RuleContext) -> Name | NameProblem:
    """The name in a text; labels around it are taken off, unless the whole text is likely a name."""
    text = without_card_facts(text)
    whole = read_name(text)
    if isinstance(whole, Name) and context.words.is_likely_name(whole.plain):
        return whole
    bare = context.words.without_labels(text)
    return read_name(bare) if bare else whole


def _name_in_sentence(text: str, context: RuleContext) -> Name | None:
    """The only likely name among the parts of a text that is neither a question nor a wish.

    Of a name in hanzi and the same in Latin letters, the first stands on the card.
    """
    if is_question(text) or context.words.remark(text):
        return None
    parts = [read_name(part) for part in context.words.parts(text)]
    names = [part for part in parts if isinstance(part, Name) and _is_likely(part, context)]
    names = [name for name in names if not name.plain.isascii()] or names
    return names[0] if len(names) == 1 else None


def _is_likely(name: Name, context: RuleContext) -> bool:
    """A name in Latin letters is no likely one when the FAQ knows it: few people have one on their card."""
    is_topic = name.plain.isascii() and context.topics_in(name.plain)
    return context.words.is_likely_name(name.plain) and not is_topic


def _was_asked_back(state: NameStep, name: Name) -> bool:
    return isinstance(state, states.CheckingName) and state.name == name


def _former(state: NameStep | NumberStep | states.Confirming) -> Identity | None:
    return None if isinstance(state, states.AskingName | states.AskingNumber) else state.identity


def _asking_name(
    state: NameStep | NumberStep | states.Confirming, context: RuleContext
) -> states.AskingName | states.ChangingName:
    if (identity := _former(state)) is None:
        return states.AskingName(account=state.account, question_id=context.question_id)
    return states.ChangingName(account=state.account, question_id=context.question_id, identity=identity)


def _checking_name(
    state: NameStep | NumberStep, name: Name, number: Number | None, context: RuleContext
) -> states.CheckingName:
    return states.CheckingName(
        account=state.account, question_id=context.question_id, name=name, number=number, identity=_former(state)
    )


def _named(state: NameStep, name: Name, number: Number | NumberProblem | None, context: RuleContext) -> Step:
    former = _former(state)
    if isinstance(number, Number):
        return _identified(state, Identity(name, number), context)
    if former is not None:
        return _identified(state, replace(former, name=name), context)
    asking = states.AskingNumber(account=state.account, question_id=context.question_id, name=name)
    if number is None or number in _NO_NUMBER:
        return ask(asking, DeleteUserMessage(with_panel=True))
    return _number_refused(asking, number)


def _identified(state: states.StateBase, identity: Identity, context: RuleContext) -> Step:
    step = ask(confirming(state, identity, context), DeleteUserMessage(with_panel=True))
    match state:
        case states.ChangingName(identity=former) | states.CheckingName(identity=Identity() as former):
            was_asked = former.number == identity.number
        case _:
            was_asked = False
    return step if was_asked else Step(step.state, (*step.effects, check_quota(state.account, identity, context)))


def _name_refused(state: NameStep, name: Name | NameProblem, number: Number | NumberProblem) -> Step:
    """The reply to a text that cannot be a name, or is a sentence."""
    if isinstance(name, NameProblem) and number is NumberProblem.OTHER_DOCUMENT:
        return _led_elsewhere(state, number)
    problem = name if isinstance(name, NameProblem) else "sentence"
    return Step(state, (DeleteUserMessage(with_panel=True), short_prompt(state, f"problem.name.{problem}")))


def _number_refused(state: NumberStep, problem: NumberProblem) -> Step:
    if problem in ELSEWHERE:
        return _led_elsewhere(state, problem)
    return Step(state, (DeleteUserMessage(with_panel=True), short_prompt(state, f"problem.number.{problem}")))


def _led_elsewhere(state: NameStep | NumberStep, problem: NumberProblem) -> Step:
    question = short_prompt(state, f"problem.number.{problem}")
    question = replace(question, rows=((UrlButton("international"),), (TopicButton("overseas"),), *question.rows))
    return Step(state, (DeleteUserMessage(with_panel=True), question))


def _answer_instead(state: NameStep | NumberStep, text: str, context: RuleContext) -> Step | None:
    """The answer to a question or small talk at a step that reads text. None for anything else."""
    asked = _WHY_ASKED if is_why(text) else text
    if is_question(text) and (answer := answer_from_faq(state, asked, context, DeleteUserMessage())):
        return answer
    if other_documents.are_named(text):
        return _led_elsewhere(state, NumberProblem.OTHER_DOCUMENT)
    if noted := _noted(state, context.words.remark(text)):
        return noted
    if is_question(text) and not _may_be_name(state, text):
        return Step(
            state,
            (DeleteUserMessage(with_panel=True), short_prompt(state, "misc.no_answer"), *count_unanswered(state, text)),
        )
    is_sentence = isinstance(state, NumberStep) or len(text.strip()) >= _SHORTEST_SENTENCE
    if is_sentence and (answer := answer_from_faq(state, text, context, DeleteUserMessage())):
        return answer
    return _noted(state, Remark.BUTTON) if names_choice(text) else None


def _may_be_name(state: NameStep | NumberStep, text: str) -> bool:
    """Whether a question without an answer is so short that somebody may be called so: it is asked back as a name."""
    is_short = len(text.strip()) <= _SHORTEST_SENTENCE and text.strip().isalpha()
    return isinstance(state, NameStep) and is_short and not is_question(re.sub("哪|如何", "", text))


def _noted(state: NameStep | NumberStep, remark: Remark | None) -> Step | None:
    section = "number" if isinstance(state, NumberStep) else "name"
    match remark:
        case Remark.HELP | Remark.BUTTON:
            note = f"problem.{section}.{remark}"
        case Remark.GREETING | Remark.THANKS | Remark.WAIT:
            note = f"misc.{remark}"
        case _:
            return None
    return Step(state, (DeleteUserMessage(with_panel=True), short_prompt(state, note)))
