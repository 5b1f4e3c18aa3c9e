"""Events while a code is on the screen, as transcripts."""

import pytest
from msgspec.structs import replace

from bot.content.catalogue import LANGUAGES, load
from bot.flow import states
from bot.flow.effects import (
    CancelAttempt,
    CopyLinkButton,
    EditCaption,
    OpenAttempt,
    OpenLinkButton,
    SendText,
    ShowCode,
    ShowCodeButton,
    TextKey,
)
from bot.flow.events import (
    AttemptOpened,
    AttemptProgressed,
    CodeExpiring,
    Command,
    Commanded,
    Said,
    SideMessage,
    SideTapped,
)
from bot.flow.machine import advance
from bot.flow.prompts import caption_of, prompt
from bot.flow.states import PhoneStage
from tests.bot.flow.effect_texts import buttons
from tests.bot.flow.samples import (
    ATTEMPT,
    CONTEXT,
    LATER,
    LINK,
    expired,
    failed,
    opening,
    scanning,
)
from tests.bot.flow.transcript import TO_CODE, after, holds
from verification.attempts import Method, ProviderApp, Reason

CATALOGUE = load(days=30)


def test_the_code_is_made_for_its_attempt_and_shows_what_the_phone_shows() -> None:
    step = advance(opening(), AttemptOpened(attempt=ATTEMPT, link=LINK, match_code="42", expires_at=LATER), CONTEXT)

    assert step.state == replace(scanning(), since=CONTEXT.now)
    assert buttons(prompt(scanning()))[3:5] == [CopyLinkButton(LINK), OpenLinkButton(LINK)]


@pytest.mark.parametrize(
    ("method", "app", "steps"),
    [
        (Method.FACE, ProviderApp.WECHAT, "face"),
        (Method.FACE, None, "face"),
        (Method.FACE, ProviderApp.ALIPAY, "in_alipay"),
        (Method.QQ, ProviderApp.ANY, "in_any"),
    ],
)
def test_the_caption_names_the_app_that_the_provider_needs(method: Method, app: ProviderApp | None, steps: str) -> None:
    opened = AttemptOpened(attempt=ATTEMPT, link=LINK, match_code="42", expires_at=LATER, app=app)
    (code,) = advance(opening(method), opened, CONTEXT).effects

    assert isinstance(code, ShowCode)
    assert code.values["steps"] == TextKey(f"scan.elsewhere.{steps}")


@pytest.mark.parametrize("stage", [PhoneStage.OPENED, PhoneStage.CONFIRMING])
def test_the_link_is_no_longer_offered_after_it_was_opened(stage: PhoneStage) -> None:
    (caption,) = advance(scanning(), AttemptProgressed(ATTEMPT, stage, LATER), CONTEXT).effects

    assert isinstance(caption, EditCaption)
    assert not [button for button in buttons(caption) if isinstance(button, CopyLinkButton | OpenLinkButton)]


def test_late_news_of_an_earlier_stage_does_not_lead_back() -> None:
    for late in (PhoneStage.WAITING, PhoneStage.OPENED):
        step = advance(scanning(stage=PhoneStage.CONFIRMING), AttemptProgressed(ATTEMPT, late, LATER), CONTEXT)

        assert step.state == scanning(stage=PhoneStage.CONFIRMING)
        assert step.effects == ()


def test_any_text_or_message_keeps_the_code_on_the_screen() -> None:
    state = holds(
        """
        >> 然后呢
        << SendText scan.said
        << CountQuestion
        >> 王小明
        << DeleteUserMessage
        << SendText scan.said
        >> (photo)
        << DeleteUserMessage
        << SendText sent.photo
        >> (voice)
        << SendText sent.voice
        >> /status
        << SendText status.scan.waiting
        >> /start
        << ShowCode scan.waiting + misc.resumed
        >> old [new_code]
        << ShowToast misc.closed_question
        << RemoveButtons
        """,
        after(TO_CODE),
    )

    assert isinstance(state, states.Scanning)
    assert state.touched


def test_an_expiring_code_is_renewed_only_for_an_active_person() -> None:
    holds(
        """
        >> other: code expiring
        >> core: code expiring
        >> 在吗
        << SendText scan.remark
        >> core: code expiring
        << CancelAttempt
        << ShowChatAction
        << OpenAttempt wechat
        == Opening
        >> core: attempt opened
        << ShowCode scan.waiting in place
        == Scanning
        >> core: code expiring
        """,
        after(TO_CODE),
    )


@pytest.mark.parametrize("stage", [PhoneStage.OPENED, PhoneStage.CONFIRMING])
def test_a_code_that_is_open_on_a_phone_is_not_renewed(stage: PhoneStage) -> None:
    state = scanning(stage=stage, touched=True)

    assert advance(state, CodeExpiring(ATTEMPT), CONTEXT).state == state


@pytest.mark.parametrize("command", sorted(set(Command) - {Command.BACK, Command.CANCEL}))
def test_any_command_marks_the_person_as_active(command: Command) -> None:
    state = advance(scanning(), Commanded(command), CONTEXT).state

    assert isinstance(state, states.Scanning)
    assert state.touched


def test_an_expired_code_is_replaced_by_a_picture_and_renewed_with_one_press() -> None:
    holds(
        """
        >> other: code expired
        >> core: code expired
        << ReplaceCodeWithPicture expired expired.ask in place
        == Expired
        >> 怎么办
        << SendText misc.no_answer
        << CountQuestion
        >> /status
        << ReplaceCodeWithPicture expired expired.ask
        >> /start
        << ReplaceCodeWithPicture expired expired.ask
        >> [new_code]
        << CancelAttempt
        << ShowChatAction
        << OpenAttempt wechat
        == Opening
        >> core: attempt opened
        << ShowCode scan.waiting in place
        == Scanning
        """,
        after(TO_CODE),
    )


def test_a_new_code_and_another_method_cancel_the_old_code() -> None:
    renewed = advance(scanning(), Said("换个新码"), CONTEXT)
    left = advance(scanning(), Said("换种方式"), CONTEXT)
    cancelled = advance(scanning(), Said("算了"), CONTEXT)

    for step in (renewed, left, cancelled):
        assert CancelAttempt(ATTEMPT) in step.effects
    assert renewed.effects.index(CancelAttempt(ATTEMPT)) < len(renewed.effects) - 1
    assert isinstance(renewed.effects[-1], OpenAttempt)
    assert renewed.effects[-1].attempt != ATTEMPT


@pytest.mark.parametrize("state", [expired(), failed(Reason.MISMATCH)])
def test_another_method_keeps_the_identity(state: states.State) -> None:
    for leaving in ("[other_way]", "/back"):
        holds(
            f"""
            >> {leaving}
            << AskQuestion confirm.ask
            == Confirming
            """,
            state,
        )


def test_every_text_that_points_at_the_code_has_a_button_that_shows_it_again() -> None:
    for event in (Said("你好"), Said("然后呢"), Commanded(Command.STATUS)):
        (hint,) = (effect for effect in advance(scanning(), event, CONTEXT).effects if isinstance(effect, SendText))

        assert buttons(hint) == [ShowCodeButton()]


def test_the_button_shows_the_code_again_with_fresh_buttons() -> None:
    step = advance(scanning(), SideTapped(side=SideMessage.CODE, choice="show"), CONTEXT)

    assert isinstance(step.state, states.Scanning)
    assert step.state.question_id != scanning().question_id
    assert step.effects == (prompt(step.state),)


@pytest.mark.parametrize("words", ["在哪", "二维码", "where is the code", "Show the code again"])
def test_words_for_the_code_show_it_again(words: str) -> None:
    (shown,) = advance(scanning(), Said(words), CONTEXT).effects

    assert isinstance(shown, ShowCode)
    assert not shown.in_place


def test_the_button_shows_the_current_step_where_there_is_no_code_any_more() -> None:
    step = advance(expired(), SideTapped(side=SideMessage.CODE, choice="show"), CONTEXT)

    assert step.state == expired()
    assert step.effects == (prompt(expired()),)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("stage", list(PhoneStage))
@pytest.mark.parametrize("method", list(Method))
@pytest.mark.parametrize("simulated", [True, False])
def test_a_caption_has_at_most_six_lines_and_two_rows_of_buttons(
    language: str, stage: PhoneStage, method: Method, *, simulated: bool
) -> None:
    text, values, rows = caption_of(replace(scanning(method, stage), simulated=simulated))

    assert len(CATALOGUE.text(language, text, values).splitlines()) <= 6
    assert len(rows) <= 2
