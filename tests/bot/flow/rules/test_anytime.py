"""What may happen in any state, as transcripts."""

from dataclasses import replace

import pytest

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
from bot.flow.states import Attempting, Expired, Idle, Opening, Scanning, State
from tests.bot.flow.effect_texts import picks, visible
from tests.bot.flow.samples import ACCOUNT, MARK, MOMENT, ONE_OF_EACH, label, scanning, verified
from tests.bot.flow.transcript import after, holds
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

in_each_state = pytest.mark.parametrize("state", [pytest.param(state, id=label(state)) for state in ONE_OF_EACH])


@in_each_state
def test_start_shows_the_step_again_and_never_loses_it(state: State) -> None:
    step = advance(state, Commanded(Command.START), MOMENT)

    if not isinstance(state, Idle):
        assert type(step.state) is type(state)
    assert isinstance(visible(step)[0], AskQuestion | ShowCode | ReplaceCodeWithPicture | ShowChatAction)


@in_each_state
def test_inv14_whatever_stands_behind_start_changes_nothing(state: State, proof: Proof) -> None:
    plain = advance(state, Commanded(Command.START), MOMENT)
    for payload in PAYLOADS:
        step = advance(state, Commanded(Command.START, payload), MOMENT)

        assert step.state == plain.state, payload
        assert [effect for effect in step.effects if effect != DeleteUserMessage()] == list(plain.effects), payload
    proof(cases=len(PAYLOADS))


@in_each_state
def test_inv14_a_topic_nobody_wrote_leads_to_the_list_and_changes_nothing(state: State) -> None:
    step = advance(state, Commanded(Command.FAQ, "no_such_topic"), MOMENT)

    assert replace(step.state, touched=False) == state if isinstance(step.state, Scanning) else step.state == state
    assert step.effects == (ShowFaq(unanswered=True), CountQuestion(""))


@in_each_state
def test_whoever_floods_hears_so_and_keeps_the_step(state: State) -> None:
    step = advance(state, Throttled(), MOMENT)

    assert type(step.state) is type(state)
    assert visible(step)
    assert "misc.slow_down" in str(step.effects)


@in_each_state
def test_what_may_never_have_arrived_is_said_again(state: State) -> None:
    step = advance(state, ReaskRequested(), MOMENT)

    assert step.state == state
    assert step.effects[0] == prompt(state)


@in_each_state
@pytest.mark.parametrize("command", [Command.STATUS, Command.HELP, Command.PRIVACY, Command.LANGUAGE, Command.FAQ])
def test_a_look_at_something_else_keeps_the_question(state: State, command: Command) -> None:
    step = advance(state, Commanded(command), MOMENT)

    assert type(step.state) is type(state)
    assert step.state.question_id == state.question_id


@in_each_state
def test_each_state_tells_its_own_progress(state: State) -> None:
    (told,) = advance(state, Commanded(Command.STATUS), MOMENT).effects
    if isinstance(state, Expired):
        assert told == prompt(state)  # the card says that the code has expired, and brings its buttons with it
        return

    assert isinstance(told, AskQuestion | SendText)
    assert "status." in (told.note or "" if isinstance(told, AskQuestion) else told.text)


ASKING = [state for state in ONE_OF_EACH if not isinstance(state, Idle | Opening)]
"""All but those that welcome whatever comes, and that say the code is being made."""


@pytest.mark.parametrize("kind", MessageKind)
@pytest.mark.parametrize("state", [pytest.param(state, id=label(state)) for state in ASKING])
def test_what_is_no_text_is_answered_in_words_of_its_own(state: State, kind: MessageKind) -> None:
    step = advance(state, Sent(kind), MOMENT)
    (reply,) = visible(step)

    assert f"sent.{kind}" in (getattr(reply, "note", None), getattr(reply, "text", None))
    assert type(step.state) is type(state)


def test_pictures_and_files_leave_the_chat_and_stickers_stay() -> None:
    asking = after("/start\n[personal]\n[agree]")

    deleted = {kind for kind in MessageKind if len(advance(asking, Sent(kind), MOMENT).effects) == 2}

    assert deleted == {
        MessageKind.PHOTO,
        MessageKind.FILE,
        MessageKind.CONTACT,
        MessageKind.FORWARDED,
        MessageKind.EDITED,
    }


def test_an_unknown_command_and_help_stand_beside_the_question() -> None:
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
def test_buttons_of_the_faq_are_parsed_never_trusted(choice: str, shown: ShowFaq) -> None:
    assert advance(scanning(), SideTapped(side=SideMessage.FAQ, choice=choice), MOMENT).effects == (shown,)


# Languages


@pytest.mark.parametrize("language", ["zh", "en"])
@in_each_state
def test_a_chosen_language_is_kept_and_the_question_put_in_it(state: State, language: str) -> None:
    step = advance(state, SideTapped(side=SideMessage.LANGUAGE, choice=language), MOMENT)

    assert step.effects[:2] == (SetLanguage(language), EditSideMessage("language.done"))
    assert len(step.effects) == 3
    assert picks(step.effects[2]) == picks(prompt(state))


def test_a_language_nobody_wrote_texts_in_is_not_chosen() -> None:
    for choice in ("choose", "fr", "", "zh "):
        assert advance(verified(), SideTapped(side=SideMessage.LANGUAGE, choice=choice), MOMENT).effects == (
            ShowLanguages(),
        )


# What is kept about a person


def test_what_is_kept_is_shown_exported_and_kept_when_asked_so() -> None:
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
def test_erasing_stops_everything_and_leaves_nothing(state: State) -> None:
    step = advance(state, SideTapped(side=SideMessage.PRIVACY, choice="erase_now", question_id=MARK), MOMENT)

    assert step.state == Idle(account=MOMENT.own_account, question_id=MOMENT.question_id)
    assert EraseRecords(MOMENT.own_account) in step.effects
    assert [effect for effect in step.effects if isinstance(effect, CancelAttempt)] == (
        [CancelAttempt(state.attempt)] if isinstance(state, Attempting) else []
    )


@in_each_state
@pytest.mark.parametrize("mark", ["", "m-earlier"])
def test_an_old_button_erases_nothing(state: State, mark: str) -> None:
    step = advance(state, SideTapped(side=SideMessage.PRIVACY, choice="erase_now", question_id=mark), MOMENT)

    assert step.state == state
    assert not [effect for effect in step.effects if isinstance(effect, EraseRecords)]


def test_records_and_exports_are_those_of_the_account() -> None:
    assert advance(scanning(), SideTapped(side=SideMessage.PRIVACY, choice="export"), MOMENT).effects == (
        SendExport(ACCOUNT),
    )
    assert advance(scanning(), SideTapped(side=SideMessage.PRIVACY, choice="erase"), MOMENT).effects == (
        ShowRecords(MARK, ACCOUNT, ask_erase=True),
    )


def test_a_look_aside_shows_that_somebody_is_there() -> None:
    for side, choice in ((SideMessage.FAQ, "open"), (SideMessage.LANGUAGE, "en"), (SideMessage.LANGUAGE, "choose")):
        state = advance(scanning(), SideTapped(side=side, choice=choice), MOMENT).state

        assert isinstance(state, Scanning)
        assert state.touched


def test_an_erased_account_that_is_verified_is_not_asked_to_begin_again() -> None:
    step = advance(verified(), SideTapped(side=SideMessage.PRIVACY, choice="erase_now", question_id=MARK), MOMENT)

    assert step.effects == (EraseRecords(ACCOUNT), EditSideMessage("privacy.erased"))
