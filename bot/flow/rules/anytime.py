"""What may happen in any state: leaving, commands, side messages, and what is no answer to the question."""

from bot.flow import states
from bot.flow.effects import (
    LANGUAGES,
    Count,
    Disarm,
    Drop,
    Erase,
    Export,
    Rewrite,
    ShowFaq,
    ShowLanguages,
    ShowRecords,
    Speak,
    Tell,
    Toast,
    Topic,
    Url,
)
from bot.flow.events import Browsed, Commanded, Event, Hurried, Resumed, Said, Sent, Side
from bot.flow.prompts import again, prompt
from bot.flow.rows import Moment, Step
from bot.flow.rules.common import answered, holds_secret, in_place, in_vain, touched, unwanted
from bot.flow.states import State
from bot.flow.typed_input import asks
from bot.flow.unanswered import kept_of


def cancelled(state: states.Known, _: Event, moment: Moment) -> Step:
    idle = states.Idle(account=state.account, mark=moment.mark)
    return Step(idle, (prompt(idle, "misc.cancelled"),))


def attempt_cancelled(state: states.Attempting, event: Event, moment: Moment) -> Step:
    step = cancelled(state, event, moment)
    return Step(step.state, (*step.effects, Drop(state.attempt)))


# In every state


def resumed_by_hand(state: State, _: Commanded, __: Moment) -> Step:
    return Step(state, (prompt(state, "misc.resumed"),))


def resumed(state: State, _: Resumed, __: Moment) -> Step:
    return Step(state, (prompt(state),))


def hurried(state: State, _: Hurried, __: Moment) -> Step:
    return Step(touched(state), (again(state, "misc.slow_down"),))


def status(state: State, _: Commanded, __: Moment) -> Step:
    return Step(state, (again(state, f"status.{_step_of(state)}"),))


def nowhere_back(state: State, _: Commanded, __: Moment) -> Step:
    return Step(state, (again(state, "misc.nowhere_back"),))


def faq(state: State, event: Commanded, moment: Moment) -> Step:
    if not event.words:
        return Step(touched(state), (ShowFaq(),))
    missed = Step(touched(state), (ShowFaq(missed=True), Count("", kept_of(event.words, state))))
    return answered(state, event.words, moment) or missed


def help_asked(state: State, _: Commanded, __: Moment) -> Step:
    return Step(touched(state), (Tell("misc.help", rows=((Topic(),), (Url("console"),))),))


def language_asked(state: State, event: Commanded, __: Moment) -> Step:
    if event.words in LANGUAGES:
        return Step(touched(state), (Speak(event.words), Tell("language.done"), in_place(prompt(state))))
    return Step(touched(state), (ShowLanguages(),))


def privacy_asked(state: State, _: Commanded, __: Moment) -> Step:
    return Step(touched(state), (ShowRecords(state.mark, state.account),))


def unknown_command(state: State, _: Commanded, __: Moment) -> Step:
    return Step(touched(state), (Tell("misc.unknown_command"),))


def browsed(state: State, event: Browsed, moment: Moment) -> Step:
    if event.side is Side.FAQ:
        return Step(touched(state), (_faq_of(state, event.choice),))
    if event.side is Side.LANGUAGE:
        return _language_chosen(state, event.choice)
    return _privacy_chosen(state, event, moment)


def said_otherwise(state: State, event: Said, moment: Moment) -> Step:
    """What is no answer may be a question: then it is answered, and the step's own question stays as it is."""
    if asks(event.text):
        unanswered = Step(state, (again(state, "misc.no_answer"), *in_vain(state, event.text)))
    else:
        unanswered = Step(state, (again(state, "misc.not_understood"),))
    return answered(state, event.text, moment) or unanswered


def not_a_text(state: State, event: Sent, _: Moment) -> Step:
    return Step(state, (*unwanted(event), again(state, f"sent.{event.kind}")))


def nothing(state: State, _: Event, __: Moment) -> Step:
    return Step(state)


def closed(state: State) -> Step:
    """A button of a question that is closed, copied or forged: nothing happens, and it says so."""
    return Step(state, (Toast("misc.closed_question"), Disarm()))


def _topic(state: State, words: str) -> str:
    # Whatever stands behind the command is passed on, but for what nobody may see again.
    return "" if holds_secret(state, words) else words


def _faq_of(state: State, choice: str) -> ShowFaq:
    verb, _, what = choice.partition(".")
    if verb == "list":
        return ShowFaq(page=int(what) if what.isdecimal() and len(what) < 4 else 0, in_place=True)
    return ShowFaq(_topic(state, what), in_place=verb == "show")


def _language_chosen(state: State, language: str) -> Step:
    if language not in LANGUAGES:
        return Step(touched(state), (ShowLanguages(),))
    return Step(touched(state), (Speak(language), Rewrite("language.done"), in_place(prompt(state))))


def _privacy_chosen(state: State, event: Browsed, moment: Moment) -> Step:
    match event.choice:
        case "export":
            return Step(state, (Export(state.account),))
        case "erase":
            return Step(state, (ShowRecords(state.mark, state.account, ask_erase=True),))
        case "keep":
            return Step(state, (Rewrite("privacy.kept"),))
        case "erase_now" if event.mark == state.mark:
            return _erased(state, moment)
        case _:
            return closed(state)


def _erased(state: State, moment: Moment) -> Step:
    """Nothing is left but the place of a verified account, which is not asked to begin again.

    Of an account that a link brought, only what this person did goes: others may be at it too.
    """
    idle = states.Idle(account=moment.own, mark=moment.mark)
    question = () if isinstance(state, states.Verified) else (prompt(idle),)
    left = (Drop(state.attempt),) if isinstance(state, states.Attempting) else ()
    return Step(idle, (Erase(moment.own), Rewrite("privacy.erased"), *question, *left))


_STEP_OF: dict[type[State], str] = {
    states.Idle: "idle",
    states.ChoosingType: "type",
    states.ReadingEnterprise: "type",
    states.ReadingOverseas: "type",
    states.ReadingInvitation: "type",
    states.Agreeing: "consent",
    states.AskingName: "name",
    states.AskingNumber: "number",
    states.ChangingName: "confirm",
    states.ChangingNumber: "confirm",
    states.Confirming: "confirm",
    states.ChoosingMethod: "method",
    states.AgreeingFace: "method",
    states.Opening: "opening",
    states.Failed: "failed",
    states.Verified: "verified",
}


def _step_of(state: State) -> str:
    if isinstance(state, states.Failed) and state.until is not None:
        return "later"
    return _STEP_OF[type(state)]
