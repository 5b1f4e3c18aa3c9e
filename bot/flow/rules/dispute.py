"""The rule for a person who says that the end of an attempt is wrong."""

from bot.flow import states
from bot.flow.effects import RecordDispute, SendText, TextKey, UrlButton, Values
from bot.flow.events import Event
from bot.flow.rows import RuleContext, Step
from bot.flow.states import State
from verification.attempts import Reason, reference_code
from verification.identity import mask_account


def failure_disputed(state: states.Failed, _: Event, __: RuleContext) -> Step:
    return _disputed(state, RecordDispute(state.attempt, state.reason, state.method), f"method.{state.method}")


def quota_disputed(state: states.QuotaFull, _: Event, __: RuleContext) -> Step:
    return _disputed(state, RecordDispute(state.attempt, Reason.QUOTA, None), "dispute.quota")


def _disputed(state: State, record: RecordDispute, about: str) -> Step:
    """The case number is the reference code of the attempt, so pressing again gives the same one."""
    values: Values = {
        "ticket": reference_code(record.attempt),
        "account": mask_account(state.account),
        "about": TextKey(about),
        "reason": TextKey(f"staff.reason.{record.reason}"),
    }
    return Step(state, (record, SendText("dispute.done", values, ((UrlButton("operator"),),))))
