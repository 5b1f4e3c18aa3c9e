"""Rules for the ending in which three accounts are verified with the number: it is told before a method is chosen."""

from msgspec.structs import replace

from bot.flow import states
from bot.flow.events import Event, QuotaChecked
from bot.flow.prompts import prompt
from bot.flow.rows import RuleContext, Step
from bot.flow.rules.common import ask, check_quota, confirming, new_attempt_id, quota_full


def quota_checked(state: states.Confirming, event: QuotaChecked, context: RuleContext) -> Step:
    return ask(quota_full(state, state.identity, new_attempt_id(context), context)) if event.is_full else Step(state)


def place_freed(state: states.QuotaFull, _: Event, context: RuleContext) -> Step:
    """The answer of the core decides what is shown."""
    return Step(state, (check_quota(state.account, state.identity, context),))


def quota_checked_again(state: states.QuotaFull, event: QuotaChecked, context: RuleContext) -> Step:
    if not event.is_full:
        return ask(confirming(state, state.identity, context))
    asking = replace(state, question_id=context.question_id)
    return Step(asking, (prompt(asking, "quota.still_full"),))
