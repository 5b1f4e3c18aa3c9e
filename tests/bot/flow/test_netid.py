"""The network identity in the dialogue: chosen at the consent, without a name and a number, and off without a trace."""

import pytest
from msgspec.structs import replace

from bot.content.catalogue import LANGUAGES, load
from bot.flow import codec, states
from bot.flow import effects as e
from bot.flow.events import (
    AttemptFailed,
    AttemptRefusal,
    AttemptRefused,
    Choice,
    Command,
    Commanded,
    MethodSuggested,
    Said,
    Tapped,
)
from bot.flow.machine import advance, offered_choices
from bot.flow.prompts import ABROAD_CONSENT, NETID_CONSENT, prompt
from tests.bot.flow.effect_texts import texts_in
from tests.bot.flow.samples import ACCOUNT, ATTEMPT, CONTEXT, QUESTION_ID, STATES, failed, opening, scanning
from verification.attempts import TYPED_METHODS, Method, Reason

AGREEING = states.Agreeing(account=ACCOUNT, question_id=QUESTION_ID)
OFF = replace(CONTEXT, methods=TYPED_METHODS)


@pytest.mark.parametrize("event", [Tapped(choice="netid", question_id=QUESTION_ID), Said("网号认证"), Said("3")])
def test_choosing_it_is_agreeing_to_it_and_opens_an_attempt_without_an_identity(event: Tapped | Said) -> None:
    step = advance(AGREEING, event, CONTEXT)
    consents = [effect.kind for effect in step.effects if isinstance(effect, e.RecordConsent)]
    opened = [(effect.identity, effect.method) for effect in step.effects if isinstance(effect, e.OpenAttempt)]

    assert isinstance(step.state, states.Opening)
    assert consents == [NETID_CONSENT, ABROAD_CONSENT]
    assert opened == [(None, Method.NETID)]


@pytest.mark.parametrize("event", [Tapped(choice="netid", question_id=QUESTION_ID), Said("3")])
def test_where_it_is_off_it_is_not_offered_and_an_old_button_leads_to_the_consent(event: Tapped | Said) -> None:
    step = advance(AGREEING, event, OFF)

    assert offered_choices(AGREEING, TYPED_METHODS) == (Choice.AGREE, Choice.NOT_NOW)
    assert isinstance(step.state, states.Agreeing)
    assert not [effect for effect in step.effects if isinstance(effect, e.OpenAttempt)]


@pytest.mark.parametrize("state", [scanning(Method.NETID), failed(Reason.DECLINED, Method.NETID)])
def test_another_method_begins_with_the_consent(state: states.State) -> None:
    step = advance(state, Tapped(choice=Choice.OTHER_METHOD, question_id=QUESTION_ID), CONTEXT)

    assert isinstance(step.state, states.Agreeing)


def test_after_a_failure_there_are_no_data_to_change_and_a_forged_button_changes_none() -> None:
    state = failed(Reason.DECLINED, Method.NETID)

    assert Choice.CHANGE_DATA not in offered_choices(state)
    step = advance(state, Tapped(choice=Choice.CHANGE_DATA, question_id=QUESTION_ID), CONTEXT)
    assert isinstance(step.state, states.Agreeing)


def test_an_attempt_whose_method_was_switched_off_leads_to_the_consent() -> None:
    step = advance(opening(Method.NETID), AttemptRefused(ATTEMPT, AttemptRefusal.METHOD_OFF), OFF)

    assert isinstance(step.state, states.Agreeing)
    assert e.CancelAttempt(ATTEMPT) in step.effects


def test_three_accounts_used_up_are_told_after_the_scan_because_only_the_verdict_names_the_person() -> None:
    step = advance(scanning(Method.NETID), AttemptFailed(ATTEMPT, Reason.QUOTA), CONTEXT)
    asked = [effect for effect in step.effects if isinstance(effect, e.AskQuestion)]

    assert isinstance(step.state, states.Failed)
    assert not [effect for effect in step.effects if isinstance(effect, e.CheckQuota)]
    assert [question.values["reason"] for question in asked] == [e.TextKey("reason.quota")]
    assert codec.load(codec.dump(step.state)) == step.state


def test_no_link_suggests_it() -> None:
    step = advance(AGREEING, MethodSuggested(Method.NETID), CONTEXT)
    suggested = replace(CONTEXT, suggested_method=Method.NETID)
    choosing = advance(scanning(), Tapped(choice=Choice.OTHER_METHOD, question_id=QUESTION_ID), suggested).state

    assert not [effect for effect in step.effects if isinstance(effect, e.SetSuggestedMethod)]
    assert isinstance(choosing, states.Confirming)
    assert choosing.suggested is None


def test_no_text_says_that_details_are_kept_or_deleted_which_nobody_typed() -> None:
    catalogue, methods = load(days=30), set()
    claims = [catalogue.text(language, f"details.{claim}") for language in LANGUAGES for claim in ("kept", "deleted")]
    for state in STATES:
        shown = (prompt(state), *advance(state, Commanded(Command.STATUS), CONTEXT).effects)
        for key, values in (text for effect in shown for text in texts_in(effect)):
            texts = [catalogue.text(language, key, values) for language in LANGUAGES]
            if any(claim in text for claim in claims for text in texts):
                methods.add(getattr(state, "method", None))

    assert methods == set(TYPED_METHODS)
