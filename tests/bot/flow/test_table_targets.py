"""The table's own lists, enumerated: every target that a row names is reached, and every list of states is whole."""

from bot.flow import codec, states
from bot.flow.effects import CancelAttempt, SetLanguage
from bot.flow.events import (
    Choice,
    Command,
    Commanded,
    LinkAccepted,
    MessageKind,
    Said,
    Sent,
    Tapped,
    VerificationRecord,
)
from bot.flow.machine import advance, choices, row_for_event
from bot.flow.rows import Row
from bot.flow.states import StateBase
from bot.flow.table import RETURNABLE, TABLE
from tests.bot.flow.effect_texts import deletes
from tests.bot.flow.samples import (
    CONTEXT,
    FOREIGN_ACCOUNT,
    QUESTION_ID,
    STATE_KINDS,
    STATES,
    all_quick_steps,
    label,
)
from tests.each_case import each_case
from verification.attempts import Method
from verification.ids import Account

in_each_state = each_case("state", STATES, label)

CHOICES: dict[type[StateBase], str] = {
    states.Idle: "begin",
    states.ChoosingType: "personal enterprise overseas",
    states.ReadingEnterprise: "personal back",
    states.ReadingOverseas: "personal back",
    states.ReadingInvitation: "mine not_mine enterprise overseas",
    states.Agreeing: "agree not_now netid",
    states.AskingName: "back cancel",
    states.CheckingName: "name_right name_wrong",
    states.AskingNumber: "back cancel",
    states.ChangingName: "back cancel",
    states.ChangingNumber: "back cancel",
    states.Confirming: "wechat qq face change_name change_number cancel",
    states.AgreeingFace: "agree other_way cancel",
    states.Opening: "",
    states.Scanning: "new_code other_way cancel",
    states.Expired: "new_code other_way cancel",
    states.Failed: "try_again other_way change_data cancel dispute",
    states.QuotaFull: "change_number freed cancel dispute",
    states.Verified: "",
}

BACK: dict[type[StateBase], type[StateBase]] = {
    states.ReadingEnterprise: states.ChoosingType,
    states.ReadingOverseas: states.ChoosingType,
    states.Agreeing: states.ChoosingType,
    states.AskingName: states.Agreeing,
    states.CheckingName: states.AskingName,
    states.AskingNumber: states.AskingName,
    states.ChangingName: states.Confirming,
    states.ChangingNumber: states.Confirming,
    states.Confirming: states.ChangingNumber,
    states.AgreeingFace: states.Confirming,
    states.Opening: states.Confirming,
    states.Scanning: states.Confirming,
    states.Expired: states.Confirming,
    states.Failed: states.Confirming,
    states.QuotaFull: states.ChangingNumber,
}
"""Where /back leads; from any other state nowhere, or to what an invitation interrupted."""

STAYS_ON_CANCEL = (states.Verified, states.ReadingInvitation)


def test_the_choices_of_each_state_are_these() -> None:
    assert {kind: " ".join(choices(kind)) for kind in STATE_KINDS} == CHOICES


def test_an_invitation_leads_back_to_every_state_in_which_nobody_waits_for_a_code() -> None:
    assert set(RETURNABLE) == set(STATE_KINDS) - {states.Opening, states.Scanning, states.ReadingInvitation}
    assert len(RETURNABLE) == len(set(RETURNABLE))


def test_every_target_that_a_row_names_is_reached() -> None:
    reached = set[tuple[int, type[StateBase]]]()
    places = {id(row): place for place, row in enumerate(TABLE)}
    for state, event, step in all_quick_steps():
        row = row_for_event(state, event)
        if row is not None:
            reached.add((places[id(row)], type(step.state)))
    named = {(place, target) for place, row in enumerate(TABLE) for target in row.targets if _is_led_to(row, target)}

    assert named - reached == set()


def _is_led_to(row: Row, target: type[StateBase]) -> bool:
    """The first target of a row is its own state, in which a rule may stay or not; the formers are tried below."""
    return target is not row.state and target not in RETURNABLE[1:] * (set(RETURNABLE) <= set(row.targets))


@in_each_state
def test_back_leads_to_the_step_before(state: states.State) -> None:
    if isinstance(state, states.ReadingInvitation):
        expected: type[StateBase] = type(codec.load(state.former))
    else:
        expected = BACK.get(type(state), type(state))
    if isinstance(state, states.Confirming) and state.is_checked:
        expected = states.Confirming
    if isinstance(state, states.CheckingName) and state.identity is not None:
        expected = states.ChangingName
    if isinstance(state, states.Attempting) and state.identity is None:
        expected = states.Agreeing
    step = advance(state, Commanded(Command.BACK), CONTEXT)

    assert type(step.state) is expected
    if isinstance(state, states.Identified) and isinstance(step.state, states.Identified):
        assert step.state.identity == state.identity


@in_each_state
def test_cancel_leads_out_of_every_state_that_is_not_an_end_and_gives_its_attempt_up(state: states.State) -> None:
    step = advance(state, Commanded(Command.CANCEL), CONTEXT)
    given_up = [effect for effect in step.effects if isinstance(effect, CancelAttempt)]

    if not isinstance(state, STAYS_ON_CANCEL):
        assert step.state == states.Idle(account=state.account, question_id=CONTEXT.question_id)
    assert given_up == ([CancelAttempt(state.attempt)] if isinstance(state, states.Attempting) else [])


@in_each_state
def test_an_invitation_interrupts_every_state_and_gives_it_back(state: states.State) -> None:
    third = Account("cloud:200099999")
    asked = advance(state, LinkAccepted(third), CONTEXT)
    assert isinstance(asked.state, states.ReadingInvitation)
    assert (asked.state.account, asked.state.suggested) == (third, None)
    waits = isinstance(state, states.Opening | states.Scanning)
    given_up = [effect for effect in asked.effects if isinstance(effect, CancelAttempt)]
    assert given_up == ([CancelAttempt(state.attempt)] if waits and isinstance(state, states.Attempting) else [])
    back = advance(asked.state, Tapped(choice=Choice.NOT_MINE, question_id=CONTEXT.question_id), CONTEXT).state

    if isinstance(state, states.ReadingInvitation):
        # An invitation is no step to come back to: what it interrupted is.
        expected: type[StateBase] = type(codec.load(state.former))
    else:
        is_typed = states.typed_identity(state) is not None
        expected = (states.Confirming if is_typed else states.Agreeing) if waits else type(state)
    assert type(back) is expected
    former = codec.load(state.former) if isinstance(state, states.ReadingInvitation) else state
    assert (back.account, back.question_id) == (former.account, CONTEXT.question_id)


NOTHING_TO_LOSE = (
    states.Idle,
    states.ChoosingType,
    states.ReadingEnterprise,
    states.ReadingOverseas,
    states.Verified,
)


@in_each_state
def test_a_verified_account_of_a_link_takes_the_place_only_of_what_may_be_lost(state: states.State) -> None:
    third = Account("cloud:200099999")
    event = LinkAccepted(third, verified=VerificationRecord(Method.QQ, CONTEXT.now))
    step = advance(state, event, CONTEXT)

    if isinstance(state, NOTHING_TO_LOSE):
        assert isinstance(step.state, states.Verified)
        assert (step.state.account, step.state.method, step.state.at) == (third, Method.QQ, CONTEXT.now)
    else:
        assert type(step.state) is type(state)
        assert step.state.account == state.account
    assert deletes(step.effects)
    assert not any(isinstance(effect, CancelAttempt) for effect in step.effects)


@in_each_state
def test_a_link_to_the_own_account_that_is_verified_ends_what_was_under_way(state: states.State) -> None:
    event = LinkAccepted(state.account, verified=VerificationRecord(Method.QQ, CONTEXT.now))
    step = advance(state, event, CONTEXT)
    given_up = [effect for effect in step.effects if isinstance(effect, CancelAttempt)]

    assert isinstance(step.state, states.Verified)
    assert step.state.account == state.account
    assert given_up == ([CancelAttempt(state.attempt)] if isinstance(state, states.Attempting) else [])


@in_each_state
def test_a_link_s_language_is_kept_only_where_it_names_one(state: states.State) -> None:
    for language in (None, "zh", "en"):
        step = advance(state, LinkAccepted(FOREIGN_ACCOUNT, language=language), CONTEXT)
        spoken = [effect for effect in step.effects if isinstance(effect, SetLanguage)]

        assert spoken == ([] if language is None else [SetLanguage(language)])


DELETED_KINDS = {MessageKind.PHOTO, MessageKind.CONTACT, MessageKind.FILE, MessageKind.FORWARDED, MessageKind.EDITED}


@in_each_state
def test_a_message_that_may_show_a_card_leaves_the_chat_in_every_state(state: states.State) -> None:
    deleted = {kind for kind in MessageKind if deletes(advance(state, Sent(kind), CONTEXT).effects)}

    assert deleted == (set(MessageKind) if isinstance(state, states.Opening) else DELETED_KINDS)


@in_each_state
def test_a_text_with_fifteen_digits_leaves_the_chat_in_every_state(state: states.State) -> None:
    typed = (states.AskingName, states.CheckingName, states.AskingNumber, states.ChangingName, states.ChangingNumber)
    for digits in (14, 15, 16, 18):
        effects = advance(state, Said("号码 " + "7" * digits), CONTEXT).effects

        assert deletes(effects) is (digits >= 15 or isinstance(state, (*typed, states.Opening))), digits


def test_the_samples_carry_the_mark_that_buttons_are_checked_against() -> None:
    assert {state.question_id for state in STATES} == {QUESTION_ID}
