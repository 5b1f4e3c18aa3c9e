"""A refusal is disputed in one tap."""

import pytest

from bot.flow import states
from bot.flow.effects import RecordDispute, SendText, UrlButton
from bot.flow.events import Choice, Tapped
from bot.flow.machine import advance
from tests.bot.flow.effect_texts import strings
from tests.bot.flow.samples import CONTEXT, SECRETS, failed, quota_full
from verification.attempts import Method, Reason, reference_code


@pytest.mark.parametrize(
    ("state", "reason", "method"),
    [
        (failed(Reason.MISMATCH, Method.QQ), Reason.MISMATCH, Method.QQ),
        (failed(Reason.TOO_MANY), Reason.TOO_MANY, Method.WECHAT),
        (quota_full(), Reason.QUOTA, None),
    ],
)
def test_one_tap_gives_a_case_number_and_a_summary_without_personal_data(
    state: states.Failed | states.QuotaFull, reason: Reason, method: Method | None
) -> None:
    tap = Tapped(choice=Choice.DISPUTE, question_id=state.question_id)
    step = advance(state, tap, CONTEXT)
    record, summary = step.effects

    assert record == RecordDispute(state.attempt, reason, method)
    assert isinstance(summary, SendText)
    assert summary.values["ticket"] == reference_code(state.attempt)
    assert summary.rows == ((UrlButton("operator"),),)
    assert not [text for text in strings(summary) for secret in SECRETS if secret in text]
    # The result stands and its buttons go on working; a second tap says the same.
    assert step.state == state
    assert advance(step.state, tap, CONTEXT) == step
