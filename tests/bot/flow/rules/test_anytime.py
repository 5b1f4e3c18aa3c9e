"""What may happen in every state, as transcripts."""

import pytest
from msgspec.structs import replace

from bot.content import vocabulary
from bot.flow.effects import (
    AskQuestion,
    CancelAttempt,
    CountQuestion,
    DeleteUserMessage,
    EditSideMessage,
    EraseRecords,
    ReplaceCodeWithPicture,
    SendExport,
    SendText,
    SetLanguage,
    ShowChatAction,
    ShowCode,
    ShowFaq,
    ShowLanguages,
    ShowRecords,
)
from bot.flow.events import Command, Commanded, MessageKind, ReaskRequested, Sent, SideMessage, SideTapped, Throttled
from bot.flow.machine import advance
from bot.flow.prompts import prompt
from bot.flow.states import Attempting, Expired, Idle, Opening, Scanning, State, Verified
from tests.bot.flow.effect_texts import choices_in, exposed, visible
from tests.bot.flow.samples import ACCOUNT, CONTEXT, ONE_OF_EACH, QUESTION_ID, label, scanning, verified
from tests.bot.flow.transcript import after, holds
from tests.each_case import each_case
from tests.reliability import Proof

PAYLOADS = (
    "AbCdEfGhIjKlMnOpQrStUvWx",
    "used-or-expired-or-somebody-elses",
    "x" * 64,
    "x" * 4096,
    "{0} <b>%s</b>",
    "../../etc/passwd",
    "' OR 1=1 --",
    "\x00\u202e",
    "一个令牌",
    "11010519491231002X",
)

in_each_state = each_case("state", ONE_OF_EACH, label)


@in_each_state
def test_start_shows_the_step_again_and_never_loses_it(state: State) -> None:
    step = advance(state, Commanded(Command.START), CONTEXT)

    if not isinstance(state, Idle):
        assert type(step.state) is type(state)
    assert isinstance(visible(step)[0], AskQuestion | ShowCode | ReplaceCodeWithPicture | ShowChatAction)


@in_each_state
def test_inv14_any_payload_of_start_changes_nothing(state: State, proof: Proof) -> None:
    plain = advance(state, Commanded(Command.START), CONTEXT)
    for payload in PAYLOADS:
        step = advance(state, Commanded(Command.START, payload), CONTEXT)

        assert step.state == plain.state, payload
        assert [effect for effect in step.effects if effect != DeleteUserMessage()] == list(plain.effects), payload
    proof(cases=len(PAYLOADS))


@in_each_state
def test_inv14_an_unknown_topic_leads_to_the_list_and_changes_nothing(state: State) -> None:
    step = advance(state, Commanded(Command.FAQ, "no_such_topic"), CONTEXT)

    assert replace(step.state, touched=False) == state if isinstance(step.state, Scanning) else step.state == state
    assert exposed(step) == [ShowFaq(unanswered=True), CountQuestion("")]


@in_each_state
def test_a_throttled_person_is_asked_to_slow_down_and_keeps_the_step(state: State) -> None:
    step = advance(state, Throttled(), CONTEXT)

    assert type(step.state) is type(state)
    assert visible(step)
    assert "misc.slow_down" in str(step.effects)


@in_each_state
def test_a_reask_repeats_the_current_question(state: State) -> None:
    step = advance(state, ReaskRequested(), CONTEXT)

    assert step.state == state
    assert step.effects[0] == prompt(state)


@in_each_state
@pytest.mark.parametrize("command", [Command.STATUS, Command.HELP, Command.PRIVACY, Command.LANGUAGE, Command.FAQ])
def test_a_side_command_keeps_the_question(state: State, command: Command) -> None:
    step = advance(state, Commanded(command), CONTEXT)

    assert type(step.state) is type(state)
    assert step.state.question_id == state.question_id


@in_each_state
def test_each_state_reports_its_own_progress(state: State) -> None:
    (reply,) = exposed(advance(state, Commanded(Command.STATUS), CONTEXT))
    if isinstance(state, Expired):
        assert reply == prompt(state)  # the picture itself says that the code has expired, and it has buttons
        return

    assert isinstance(reply, AskQuestion | SendText)
    assert "status." in (reply.note or "" if isinstance(reply, AskQuestion) else reply.text)


ASKING = [state for state in ONE_OF_EACH if not isinstance(state, Idle | Opening)]
"""All states but Idle, which welcomes any message, and Opening, which replies that the code is being prepared."""


@pytest.mark.parametrize("kind", MessageKind)
@each_case("state", ASKING, label)
def test_a_message_that_is_not_a_text_gets_its_own_reply(state: State, kind: MessageKind) -> None:
    step = advance(state, Sent(kind), CONTEXT)
    (reply,) = visible(step)

    assert f"sent.{kind}" in (getattr(reply, "note", None), getattr(reply, "text", None))
    assert type(step.state) is type(state)


def test_pictures_and_files_are_deleted_and_stickers_stay() -> None:
    asking = after("/start\n[personal]\n[agree]")

    deleted = {kind for kind in MessageKind if len(advance(asking, Sent(kind), CONTEXT).effects) == 2}

    assert deleted == {
        MessageKind.PHOTO,
        MessageKind.FILE,
        MessageKind.CONTACT,
        MessageKind.FORWARDED,
        MessageKind.EDITED,
    }


def test_an_unknown_command_and_help_keep_the_question() -> None:
    holds(
        """
        >> /unknown
        << SendText misc.unknown_command
        >> /help
        << SendText misc.help
        >> 帮助
        << SendText misc.help
        """,
        after("/start"),
    )


# The FAQ


def test_the_faq_is_a_message_of_its_own() -> None:
    holds(
        """
        >> /faq
        << ShowFaq
        >> /faq overseas
        << ShowFaq overseas
        << CountQuestion overseas
        >> faq: open.icp
        << ShowFaq icp
        >> 常见问题
        << ShowFaq
        """,
        after("/start"),
    )


@pytest.mark.parametrize(
    ("choice", "shown"),
    [
        ("open", ShowFaq()),
        ("open.icp", ShowFaq("icp")),
        ("show.icp", ShowFaq("icp", in_place=True)),
        ("list.0", ShowFaq(in_place=True)),
        ("list.2", ShowFaq(page=2, in_place=True)),
        ("list.9999", ShowFaq(in_place=True)),
        ("list.-1", ShowFaq(in_place=True)),
        ("list.²", ShowFaq(in_place=True)),
        ("list", ShowFaq(in_place=True)),
        ("", ShowFaq()),
    ],
)
def test_the_data_of_an_faq_button_are_checked(choice: str, shown: ShowFaq) -> None:
    assert advance(scanning(), SideTapped(side=SideMessage.FAQ, choice=choice), CONTEXT).effects == (shown,)


def test_an_answer_that_did_not_help_is_counted_and_leads_to_the_other_topics() -> None:
    context = replace(CONTEXT, topics_in=lambda text: ("icp",) if text == "icp" else ())

    step = advance(scanning(), SideTapped(side=SideMessage.FAQ, choice="unhelpful.icp"), context)

    assert step.effects == (ShowFaq(unhelpful=True), CountQuestion("unhelpful:icp"))


def test_a_forged_topic_that_did_not_help_is_not_counted() -> None:
    context = replace(CONTEXT, topics_in=lambda _: ("icp",))

    for choice in ("unhelpful.forged", "unhelpful.", "unhelpful"):
        (shown,) = advance(scanning(), SideTapped(side=SideMessage.FAQ, choice=choice), context).effects
        assert isinstance(shown, ShowFaq)
        assert not shown.unhelpful


def test_a_wish_for_a_human_behind_the_faq_command_leads_to_the_contact() -> None:
    context = replace(CONTEXT, words=vocabulary.load())

    step = advance(scanning(), Commanded(Command.FAQ, "怎么联系人工"), context)

    assert CountQuestion("human") in step.effects


# Languages


@pytest.mark.parametrize("language", ["zh", "en"])
@in_each_state
def test_a_chosen_language_is_stored_and_the_question_is_asked_in_it(state: State, language: str) -> None:
    step = advance(state, SideTapped(side=SideMessage.LANGUAGE, choice=language), CONTEXT)

    assert step.effects[:2] == (SetLanguage(language), EditSideMessage("language.done"))
    assert len(exposed(step)) == 3
    assert choices_in(step.effects[2]) == choices_in(prompt(state))


def test_a_language_without_texts_is_not_set() -> None:
    for choice in ("choose", "fr", "", "zh "):
        assert advance(verified(), SideTapped(side=SideMessage.LANGUAGE, choice=choice), CONTEXT).effects == (
            ShowLanguages(),
        )


# What is stored about a person


def test_stored_data_is_shown_and_exported_and_stays_when_the_person_declines() -> None:
    holds(
        """
        >> /privacy
        << ShowRecords
        >> privacy: export
        << SendExport
        >> privacy: erase
        << ShowRecords before erasing
        >> privacy: keep
        << EditSideMessage privacy.kept
        >> privacy: no_such_thing
        << ShowToast misc.closed_question
        << RemoveButtons
        """,
        scanning(),
    )


def test_a_language_may_be_named_with_the_command() -> None:
    holds(
        """
        >> /language en
        << SetLanguage en
        << SendText language.done
        << ShowCode scan.waiting in place
        >> /language fr
        << ShowLanguages
        """,
        scanning(),
    )


@in_each_state
def test_erasing_ends_the_dialogue_and_its_attempt(state: State) -> None:
    step = advance(state, SideTapped(side=SideMessage.PRIVACY, choice="erase_now", question_id=QUESTION_ID), CONTEXT)

    assert step.state == Idle(account=CONTEXT.own_account, question_id=CONTEXT.question_id)
    question = () if isinstance(state, Verified) else (prompt(step.state),)
    cancel = (CancelAttempt(state.attempt),) if isinstance(state, Attempting) else ()
    assert step.effects == (
        EraseRecords(CONTEXT.own_account),
        EditSideMessage("privacy.erased"),
        *question,
        *cancel,
    )


@in_each_state
@pytest.mark.parametrize("question_id", ["", "m-earlier"])
def test_an_old_button_erases_nothing(state: State, question_id: str) -> None:
    step = advance(state, SideTapped(side=SideMessage.PRIVACY, choice="erase_now", question_id=question_id), CONTEXT)

    assert step.state == state
    assert not [effect for effect in step.effects if isinstance(effect, EraseRecords)]


def test_records_and_exports_are_those_of_the_account() -> None:
    assert advance(scanning(), SideTapped(side=SideMessage.PRIVACY, choice="export"), CONTEXT).effects == (
        SendExport(ACCOUNT),
    )
    assert advance(scanning(), SideTapped(side=SideMessage.PRIVACY, choice="erase"), CONTEXT).effects == (
        ShowRecords(QUESTION_ID, ACCOUNT, ask_erase=True),
    )


def test_a_side_button_marks_the_person_as_active() -> None:
    for side, choice in ((SideMessage.FAQ, "open"), (SideMessage.LANGUAGE, "en"), (SideMessage.LANGUAGE, "choose")):
        state = advance(scanning(), SideTapped(side=side, choice=choice), CONTEXT).state

        assert isinstance(state, Scanning)
        assert state.touched


def test_an_erased_account_that_is_verified_is_not_asked_to_begin_again() -> None:
    step = advance(
        verified(), SideTapped(side=SideMessage.PRIVACY, choice="erase_now", question_id=QUESTION_ID), CONTEXT
    )

    assert step.effects == (EraseRecords(ACCOUNT), EditSideMessage("privacy.erased"))
