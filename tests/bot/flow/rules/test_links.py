"""Links: to an account, to a method, and invalid ones."""

import pytest

from bot.flow import codec, states
from bot.flow.effects import (
    AskQuestion,
    CancelAttempt,
    DeleteUserMessage,
    SendText,
    ShowCode,
    TopicButton,
    UrlButton,
)
from bot.flow.events import AttemptPassed, Choice, LinkAccepted, LinkRejected, MethodSuggested, Said
from bot.flow.machine import advance, offered_choices
from bot.flow.prompts import prompt
from bot.flow.states import State
from tests.bot.flow.effect_texts import buttons, choices_in, visible
from tests.bot.flow.samples import ACCOUNT, ATTEMPT, CONTEXT, FOREIGN_ACCOUNT, NAME, ONE_OF_EACH, STATES, label
from tests.bot.flow.transcript import TO_CODE, TO_CONFIRM, TO_NUMBER, TO_OPENING, after, holds
from tests.each_case import each_case
from verification.attempts import Method

LINK = f"link: {FOREIGN_ACCOUNT}"
INVITED = after(LINK)
in_each_state = each_case("state", STATES, label)


# The invitation


def test_a_person_with_a_link_is_asked_whose_account_it_is_and_verifies_it() -> None:
    state = holds(
        f"""
        >> {LINK} face en
        << SetLanguage en
        << DeleteUserMessage
        << AskQuestion invitation.ask
        == ReadingInvitation
        >> [mine]
        << SetSuggestedMethod face
        << RecordAnswer invitation.done
        << AskQuestion consent.ask
        == Agreeing
        """
    )

    assert state.account == FOREIGN_ACCOUNT


def test_a_person_who_says_that_the_account_is_not_theirs_returns_to_the_former_step() -> None:
    before = after(TO_CONFIRM)
    state = holds(
        f"""
        >> {LINK}
        << DeleteUserMessage
        << AskQuestion invitation.ask
        == ReadingInvitation
        >> 不是我的账号
        << AskQuestion confirm.ask + invitation.refused
        == Confirming
        """,
        before,
    )

    assert isinstance(before, states.Confirming)
    assert isinstance(state, states.Confirming)
    assert (state.account, state.identity) == (before.account, before.identity)


@pytest.mark.parametrize("word", ["/back", "/cancel", "取消", "返回", "[not_mine]", "2"])
def test_an_invitation_can_be_left_in_any_words(word: str) -> None:
    assert type(after(f"{LINK}\n{word}", after(TO_NUMBER))) is states.AskingNumber


@pytest.mark.parametrize("path", [TO_OPENING, TO_CODE])
def test_a_code_for_the_former_account_ends_when_the_invitation_is_shown_and_its_data_stay(path: str) -> None:
    before = after(path)
    assert isinstance(before, states.Attempting)

    step = advance(before, LinkAccepted(FOREIGN_ACCOUNT), CONTEXT)
    back = after("[not_mine]", step.state)

    assert CancelAttempt(before.attempt) in step.effects
    assert isinstance(back, states.Confirming)
    assert back.identity == before.identity


def test_a_second_invitation_keeps_the_state_before_the_first() -> None:
    state = holds(
        """
        >> link: cloud:200011111
        << DeleteUserMessage
        << AskQuestion invitation.ask
        >> [not_mine]
        << AskQuestion number.ask + invitation.refused
        == AskingNumber
        """,
        after(LINK, after(TO_NUMBER)),
    )

    assert state.account == ACCOUNT


def test_other_types_are_explained_and_the_question_whose_account_it_is_stays() -> None:
    holds(
        """
        >> [enterprise]
        << AskQuestion invitation.ask_again + enterprise.ask
        >> 海外
        << AskQuestion invitation.ask_again + overseas.ask
        >> 个人
        << RecordAnswer invitation.done
        << AskQuestion consent.ask
        == Agreeing
        """,
        INVITED,
    )


@pytest.mark.parametrize(
    ("words", "page", "topic"), [("企业", "enterprise", "enterprise"), ("海外", "international", "overseas")]
)
def test_an_explained_type_offers_its_page_and_its_topic(words: str, page: str, topic: str) -> None:
    [question] = advance(INVITED, Said(words), CONTEXT).effects

    assert buttons(question)[:2] == [UrlButton(page), TopicButton(topic)]


def test_a_name_known_before_the_invitation_is_deleted_from_the_chat() -> None:
    step = advance(after(LINK, after(TO_NUMBER)), Said(f"{NAME} 是我"), CONTEXT)

    assert DeleteUserMessage() in step.effects


def test_a_success_of_the_former_account_is_reported_and_the_former_state_becomes_verified() -> None:
    holds(
        f"""
        >> other: attempt passed {ACCOUNT}
        << SendText misc.passed_elsewhere
        >> [not_mine]
        << AskQuestion verified.ask + invitation.refused
        == Verified
        """,
        after(LINK, after(TO_CODE)),
    )


def test_a_success_of_the_account_of_the_link_is_reported() -> None:
    holds(
        f"""
        >> other: attempt passed {FOREIGN_ACCOUNT}
        << AskQuestion verified.ask
        == Verified
        """,
        INVITED,
    )


def test_cancelling_later_keeps_the_account_of_the_link() -> None:
    state = after(f"{LINK}\n[mine]\n[agree]\n/cancel")

    assert (type(state), state.account) == (states.Idle, FOREIGN_ACCOUNT)


def test_erasing_returns_to_the_persons_own_account() -> None:
    state = after(f"{LINK}\n[mine]\n[agree]\nprivacy: erase_now")

    assert (type(state), state.account) == (states.Idle, ACCOUNT)


def test_a_dialogue_whose_link_was_revoked_returns_to_the_persons_own_account() -> None:
    linked = f"{LINK}\n[mine]\n[agree]\n{NAME}\n11010519491231002X\n[qq]"
    state = holds(
        """
        >> core: attempt refused unbound
        << AskQuestion idle.ask + link.ended
        == Idle
        """,
        after(linked),
    )

    assert state.account == ACCOUNT


# The same link again, and links to verified accounts


@in_each_state
def test_a_link_to_the_current_account_shows_the_current_step(state: State) -> None:
    step = advance(state, LinkAccepted(state.account), CONTEXT)
    questions = [effect for effect in step.effects if isinstance(effect, AskQuestion | ShowCode)]

    assert step.state.account == state.account
    assert type(step.state) is (states.ChoosingType if isinstance(state, states.Idle) else type(state))
    assert {question.note for question in questions} <= {"link.same"}
    assert visible(step)


def test_a_link_to_a_verified_account_says_so_where_no_progress_is_lost() -> None:
    state = holds(
        f"""
        >> {LINK} verified
        << DeleteUserMessage
        << AskQuestion verified.ask
        == Verified
        """
    )

    assert (state.account, codec.load(codec.dump(state))) == (FOREIGN_ACCOUNT, state)


def test_a_success_that_a_link_told_before_its_notice_is_told_once_more_with_its_attempt() -> None:
    told = after(f"{LINK} verified")
    event = AttemptPassed(ATTEMPT, told.account, Method.QQ)
    step = advance(told, event, CONTEXT)

    assert isinstance(step.state, states.Verified)
    assert step.state.attempt == ATTEMPT
    assert len(step.effects) == 1


def test_a_link_to_a_verified_account_keeps_the_progress_of_another_account() -> None:
    holds(
        f"""
        >> {LINK} verified
        << DeleteUserMessage
        << SendText link.verified
        """,
        after(TO_CONFIRM),
    )


def test_a_link_to_the_current_account_verified_elsewhere_leads_to_verified() -> None:
    holds(
        f"""
        >> link: {ACCOUNT} verified
        << DeleteUserMessage
        << CancelAttempt
        << AskQuestion verified.ask
        == Verified
        """,
        after(TO_CODE),
    )


# Invalid links


@in_each_state
def test_inv14_an_invalid_link_changes_nothing_and_the_question_is_asked_again(state: State) -> None:
    step = advance(state, LinkRejected(), CONTEXT)
    replies = [effect for effect in step.effects if isinstance(effect, AskQuestion | SendText)]

    assert codec.dump(step.state).replace('"touched":true', '"touched":false') == codec.dump(state).replace(
        '"touched":true', '"touched":false'
    )
    assert DeleteUserMessage() in step.effects
    assert [getattr(effect, "note", None) or effect.text for effect in replies] == ["link.unusable"]


# Links that suggest a method


def test_a_suggested_method_is_named_at_once_and_comes_first_among_the_methods() -> None:
    state = holds(
        """
        >> method link: face
        << SetSuggestedMethod face
        << AskQuestion type.ask + link.way.face
        == ChoosingType
        >> [personal]
        << RecordAnswer type.done
        << AskQuestion consent.ask
        == Agreeing
        >> [agree]
        << RecordConsent identity
        << RecordConsent abroad
        << RecordAnswer consent.done
        << AskQuestion name.ask
        == AskingName
        >> 王小明
        << DeleteUserMessage
        << AskQuestion number.ask
        == AskingNumber
        >> 11010519491231002X
        << DeleteUserMessage
        << AskQuestion confirm.ask + method.suggested
        << CheckQuota
        == Confirming
        """
    )

    assert choices_in(prompt(state))[:3] == offered_choices(state)[:3] == (Choice.FACE, Choice.WECHAT, Choice.QQ)


def test_a_typed_number_means_the_position_on_the_screen() -> None:
    holds(
        """
        >> method link: qq
        << SetSuggestedMethod qq
        << AskQuestion confirm.ask + method.suggested
        >> 1
        << RecordAnswer confirm.done
        << ShowChatAction
        << OpenAttempt qq
        == Opening
        """,
        after(TO_CONFIRM),
    )


@each_case("state", ONE_OF_EACH, label)
def test_a_link_that_suggests_a_method_begins_nothing(state: State) -> None:
    step = advance(state, MethodSuggested(Method.QQ), CONTEXT)

    assert step.state.account == state.account
    assert type(step.state) is (states.ChoosingType if isinstance(state, states.Idle) else type(state))
