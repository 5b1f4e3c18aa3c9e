"""Coming by a link: to the account it was made for, with a way that it suggests, or to nothing.

An invitation changes nothing of what was under way until the person says that the account is theirs.
"""

from dataclasses import replace

from bot.flow import codec, states
from bot.flow.effects import Ask, Discard, Drop, Effect, Settle, Speak, Suggest, Tell, Topic, Url
from bot.flow.events import Event, Invited, Passed, Resumed, Standing, Suggested, Uninvited
from bot.flow.prompts import again, prompt
from bot.flow.rows import Moment, Step
from bot.flow.rules import scan
from bot.flow.rules.common import ask, choosing, touched
from bot.flow.states import State
from verification.attempts import AttemptId, Method
from verification.identity import mask_account

_NOTHING_TO_LOSE = (
    states.Idle,
    states.ChoosingType,
    states.ReadingEnterprise,
    states.ReadingOverseas,
    states.Verified,
)


def invited(state: State, event: Invited, moment: Moment) -> Step:
    """The message with the link is a secret of this chat, and does not stay in it."""
    if event.standing is not None:
        step = _done_already(state, event.account, event.standing, moment)
    elif event.account == state.account:
        step = _shown(state, moment, "link.same")
        step = Step(step.state, (*_remembered(event.method), *step.effects))
    else:
        step = _asked_whose(state, event, moment)
    spoken = (Speak(event.language),) if event.language is not None else ()
    return Step(step.state, (*spoken, Discard(), *step.effects))


def uninvited(state: State, _: Uninvited, __: Moment) -> Step:
    """The same words for every reason: a link tells nothing to whoever it was not made for."""
    return Step(touched(state), (Discard(), again(state, "link.unusable")))


def suggested(state: State, event: Suggested, moment: Moment) -> Step:
    """A way is only suggested: its link begins nothing."""
    if isinstance(state, states.ChoosingMethod):
        return ask(replace(state, suggested=event.method), *_remembered(event.method))
    chosen = isinstance(state, states.AgreeingFace | states.Attempting | states.Verified)
    step = _shown(state, moment, None if chosen else f"link.way.{event.method}")
    return Step(step.state, (*_remembered(event.method), *step.effects))


# The invitation


def accepted(state: states.ReadingInvitation, _: Event, moment: Moment) -> Step:
    agreeing = states.Agreeing(account=state.account, mark=moment.mark)
    settled = Settle("invitation.done", {"account": mask_account(state.account)})
    return ask(agreeing, *_remembered(state.suggested), settled)


def refused(state: states.ReadingInvitation, _: Event, moment: Moment) -> Step:
    former = replace(codec.load(state.former), mark=moment.mark)
    return Step(former, (prompt(former, "invitation.refused"),))


def enterprise_explained(state: states.ReadingInvitation, _: Event, __: Moment) -> Step:
    return _explained(state, "enterprise", "enterprise")


def overseas_explained(state: states.ReadingInvitation, _: Event, __: Moment) -> Step:
    return _explained(state, "overseas", "international")


def passed_meanwhile(state: states.ReadingInvitation, event: Passed, moment: Moment) -> Step:
    """What is verified by now must not come back as a step of the way."""
    step = scan.passed(state, event, moment)
    if not isinstance(step.state, states.ReadingInvitation) or codec.load(state.former).account != event.account:
        return step
    verified = states.Verified(
        account=event.account, mark=moment.mark, method=event.method, attempt=event.attempt, at=moment.now
    )
    return Step(replace(step.state, former=codec.dump(verified)), step.effects)


def _asked_whose(state: State, event: Invited, moment: Moment) -> Step:
    former, left = state, tuple[Effect, ...]()
    if isinstance(state, states.Opening | states.Scanning):
        # The code must not live on where nobody sees it.
        former, left = choosing(state, moment), (Drop(state.attempt),)
    set_aside = state.former if isinstance(state, states.ReadingInvitation) else codec.dump(former)
    invitation = states.ReadingInvitation(
        account=event.account, mark=moment.mark, former=set_aside, suggested=event.method
    )
    return ask(invitation, *left)


def _done_already(state: State, account: str, standing: Standing, moment: Moment) -> Step:
    if account != state.account and not isinstance(state, _NOTHING_TO_LOSE):
        return Step(touched(state), (Tell("link.verified", {"account": mask_account(account)}),))
    if isinstance(state, states.Verified) and account == state.account:
        return ask(replace(state, mark=moment.mark))
    left = (Drop(state.attempt),) if isinstance(state, states.Attempting) else ()
    verified = states.Verified(
        account=account, mark=moment.mark, method=standing.method, attempt=AttemptId(""), at=standing.at
    )
    return ask(verified, *left)


def _explained(state: states.ReadingInvitation, what: str, page: str) -> Step:
    """The question stays: whose account it is comes before everything else."""
    question = again(state, f"{what}.ask")
    more = ((Url(page),), (Topic(what),))
    return Step(state, (replace(question, rows=(*more, *question.rows)) if isinstance(question, Ask) else question,))


def _shown(state: State, moment: Moment, note: str | None) -> Step:
    """The step at hand, as /start shows it."""
    match state:
        case states.Idle():
            shown: State = states.ChoosingType(account=state.account, mark=moment.mark)
        case states.Opening():
            return scan.opening_resumed(state, Resumed(), moment)
        case states.Scanning():
            shown = replace(state, touched=True, mark=moment.mark)
        case states.Verified():
            shown = replace(state, mark=moment.mark)
        case _:
            shown = state
    return Step(shown, (prompt(shown, note),))


def _remembered(way: Method | None) -> tuple[Effect, ...]:
    return () if way is None else (Suggest(way),)
