"""What people write in place of a button's own words, at every kind of step."""

import pytest
from msgspec.structs import replace

from bot.flow import states
from bot.flow.effects import (
    AskQuestion,
    CancelAttempt,
    DeleteUserMessage,
    RecordAnswer,
    SendText,
    ShowCode,
    ShowFaq,
    StopReminders,
)
from bot.flow.events import AttemptOpened, Choice, Command, Said, Tapped
from bot.flow.machine import advance, offered_choices, row_for_event
from bot.flow.prompts import prompt
from bot.flow.rows import RuleContext, Step
from tests.bot.flow.samples import CONTEXT, LATER, ONE_OF_EACH, label, scanning
from tests.bot.flow.transcript import TO_CONFIRM, TO_NAME, TO_NUMBER, after
from tests.each_case import each_case
from verification.attempts import Method

OF_KIND: dict[type[states.State], states.State] = {type(state): state for state in ONE_OF_EACH}

MEANT: list[tuple[type[states.State], str, Choice | Command]] = [
    (states.AgreeingFace, "不同意", Choice.OTHER_METHOD),
    (states.AgreeingFace, "还是用微信吧", Choice.OTHER_METHOD),
    (states.Scanning, "我名字填错了", Choice.OTHER_METHOD),
    (states.Scanning, "改用 QQ", Choice.OTHER_METHOD),
    (states.Scanning, "二維碼過期了", Choice.NEW_CODE),
    (states.Confirming, "没问题，用微信", Choice.WECHAT),
    (states.Confirming, "资料没错，刷脸", Choice.FACE),
    (states.Confirming, "all correct, QQ please", Choice.QQ),
    (states.Confirming, "随便", Choice.CONFIRM),
    (states.Agreeing, "好吧", Choice.AGREE),
    (states.AgreeingFace, "好吧", Choice.AGREE),
    (states.Failed, "重新试试", Choice.TRY_AGAIN),
    (states.Expired, "好的", Choice.NEW_CODE),
    (states.Expired, "刷脸吧", Choice.OTHER_METHOD),
    (states.Failed, "继续", Choice.TRY_AGAIN),
    (states.Failed, "给我一个新码", Choice.TRY_AGAIN),
    (states.Failed, "用QQ试试", Choice.OTHER_METHOD),
    (states.Failed, "身份证号填错了", Choice.CHANGE_DATA),
    (states.Failed, "我要申诉", Choice.DISPUTE),
    (states.Confirming, "不对", Choice.CHANGE_DATA),
    (states.CheckingName, "就是这个名字", Choice.NAME_RIGHT),
    (states.CheckingName, "对的", Choice.NAME_RIGHT),
    (states.CheckingName, "好的", Choice.NAME_RIGHT),
    (states.ReadingInvitation, "对的", Choice.MINE),
    (states.Confirming, "对的，没问题", Choice.CONFIRM),
    (states.Idle, "你好，我要认证", Choice.BEGIN),
    (states.ChoosingType, "I am an individual", Choice.PERSONAL),
    (states.ChoosingType, "just me", Choice.PERSONAL),
    (states.Agreeing, "sure, go ahead", Choice.AGREE),
    (states.Agreeing, "I do not agree", Choice.NOT_NOW),
    (states.Confirming, "everything is correct", Choice.CONFIRM),
    (states.Confirming, "any of them", Choice.CONFIRM),
    (states.Failed, "my name was wrong", Choice.CHANGE_DATA),
    (states.Expired, "give me another one", Choice.NEW_CODE),
    (states.QuotaFull, "another number", Choice.CHANGE_NUMBER),
    (states.CheckingName, "我打错了", Choice.NAME_WRONG),
    (states.ChangingName, "算了不改了", Command.BACK),
    (states.AskingNumber, "delete my data, please", Command.PRIVACY),
    (states.Confirming, "名字好像打错了", Choice.CHANGE_NAME),
    (states.Confirming, "名字應該是打錯了", Choice.CHANGE_NAME),
    (states.Confirming, "I think my name is wrong", Choice.CHANGE_NAME),
    (states.Confirming, "可能号码填错了", Choice.CHANGE_NUMBER),
    (states.Confirming, "it seems the ID number is wrong", Choice.CHANGE_NUMBER),
    (states.Confirming, "好像有点不对", Choice.CHANGE_DATA),
    (states.CheckingName, "好像不太对", Choice.NAME_WRONG),
    (states.Scanning, "二维码好像过期了", Choice.NEW_CODE),
    (states.Failed, "maybe this is wrong", Choice.DISPUTE),
    (states.Verified, "把我的资料删了", Command.PRIVACY),
    (states.Idle, "English please", Command.LANGUAGE),
    (states.Agreeing, "我已阅读并同意", Choice.AGREE),
    (states.Agreeing, "看過了，同意", Choice.AGREE),
    (states.Agreeing, "我同意，继续", Choice.AGREE),
    (states.Agreeing, "没意见", Choice.AGREE),
    (states.Agreeing, "确定", Choice.AGREE),
    (states.Agreeing, "ok fine", Choice.AGREE),
    (states.Agreeing, "I accept the terms", Choice.AGREE),
    (states.Agreeing, "yes I agree, let's continue", Choice.AGREE),
    (states.Agreeing, "不太想同意", Choice.NOT_NOW),
    (states.Agreeing, "拒绝授权", Choice.NOT_NOW),
    (states.Agreeing, "let me think", Choice.NOT_NOW),
    (states.CheckingName, "名字没错", Choice.NAME_RIGHT),
    (states.CheckingName, "是我本人", Choice.NAME_RIGHT),
    (states.CheckingName, "当然", Choice.NAME_RIGHT),
    (states.CheckingName, "correct, go on", Choice.NAME_RIGHT),
    (states.CheckingName, "that's my real name", Choice.NAME_RIGHT),
    (states.Confirming, "没毛病", Choice.CONFIRM),
    (states.Confirming, "姓名没错，号码没错", Choice.CONFIRM),
    (states.Confirming, "everything looks good", Choice.CONFIRM),
    (states.Confirming, "姓名没错用QQ", Choice.QQ),
    (states.Confirming, "没毛病，刷脸", Choice.FACE),
    (states.Confirming, "信息没错，第二个", Choice.QQ),
    (states.Confirming, "WeChat please, data is fine", Choice.WECHAT),
    (states.Confirming, "刷脸快，刷脸", Choice.FACE),
    (states.Confirming, "I prefer QQ", Choice.QQ),
    (states.Confirming, "用wx", Choice.WECHAT),
    (states.Confirming, "改一下", Choice.CHANGE_DATA),
    (states.Confirming, "I made a mistake in the number", Choice.CHANGE_NUMBER),
    (states.Confirming, "回去改名字", Choice.CHANGE_NAME),
    (states.Expired, "再给我发一次", Choice.NEW_CODE),
    (states.Expired, "刚才没来得及扫", Choice.NEW_CODE),
    (states.Expired, "用微信", Choice.NEW_CODE),
    (states.Expired, "新的二维码", Choice.NEW_CODE),
    (states.Expired, "不要了", Choice.CANCEL),
    (states.Failed, "再弄一次", Choice.TRY_AGAIN),
    (states.Failed, "try once more", Choice.TRY_AGAIN),
    (states.Failed, "用微信再试", Choice.TRY_AGAIN),
    (states.Failed, "资料没错啊", Choice.DISPUTE),
    (states.Failed, "明明是我", Choice.DISPUTE),
    (states.QuotaFull, "弄好了", Choice.FREED),
    (states.QuotaFull, "我注销了一个账号", Choice.FREED),
    (states.QuotaFull, "I closed an account", Choice.FREED),
    (states.QuotaFull, "try again", Choice.FREED),
    (states.CheckingName, "yup", Choice.NAME_RIGHT),
    (states.Confirming, "second option", Choice.QQ),
    (states.Agreeing, "I do not consent", Choice.NOT_NOW),
    (states.Agreeing, "absolutely not", Choice.NOT_NOW),
    (states.AgreeingFace, "不刷", Choice.OTHER_METHOD),
    (states.AgreeingFace, "不要了", Choice.OTHER_METHOD),
    (states.ReadingInvitation, "yeah that's mine", Choice.MINE),
    (states.ReadingInvitation, "这是我老公的号", Choice.NOT_MINE),
    (states.CheckingName, "少打了一个字", Choice.NAME_WRONG),
    (states.CheckingName, "incorrect", Choice.NAME_WRONG),
    (states.CheckingName, "没写错", Choice.NAME_RIGHT),
    (states.CheckingName, "correct my name", Choice.NAME_WRONG),
    (states.Agreeing, "我同意处理我的个人信息", Choice.AGREE),
    (states.Scanning, "二维码已经过期了", Choice.NEW_CODE),
    (states.Scanning, "already expired", Choice.NEW_CODE),
    (states.Scanning, "换种方式，不用QQ", Choice.OTHER_METHOD),
    (states.Scanning, "我要退出了", Command.CANCEL),
    (states.Scanning, "just cancel", Command.CANCEL),
    (states.Scanning, "go back now", Command.BACK),
    (states.AskingName, "不用了，谢谢", Command.CANCEL),
    (states.Confirming, "请修改", Choice.CHANGE_DATA),
    (states.Confirming, "just wechat", Choice.WECHAT),
    (states.Confirming, "姓名对的", Choice.CONFIRM),
    (states.Confirming, "the name is correct", Choice.CONFIRM),
    (states.Confirming, "姓名", Choice.CHANGE_NAME),
    (states.Confirming, "correct my name", Choice.CHANGE_NAME),
    (states.Confirming, "人脸吧，没银行卡", Choice.FACE),
    (states.Confirming, "微信吧 我绑了卡", Choice.WECHAT),
    (states.Confirming, "use qq instead of wechat", Choice.QQ),
    (states.Confirming, "qq算了 微信", Choice.WECHAT),
    (states.Failed, "我弄错了", Choice.CHANGE_DATA),
    (states.QuotaFull, "取消了一个", Choice.FREED),
    (states.ChangingName, "same", Command.BACK),
    (states.Confirming, "I only have QQ", Choice.QQ),
    (states.Scanning, "send me a new code", Choice.NEW_CODE),
    (states.Failed, "this can't be right", Choice.DISPUTE),
    (states.ChoosingType, "it's my own account", Choice.PERSONAL),
    (states.ChoosingType, "我要做个人认证", Choice.PERSONAL),
    (states.ChoosingType, "您好！我要办理个人实名认证，谢谢", Choice.PERSONAL),
    (states.ChoosingType, "我要个人实名认证，用微信", Choice.PERSONAL),
    (states.ChoosingType, "personal, please continue", Choice.PERSONAL),
    (states.ChoosingType, "我要办企业认证", Choice.ENTERPRISE),
    (states.Agreeing, "我愿意", Choice.AGREE),
    (states.Agreeing, "y", Choice.AGREE),
    (states.Agreeing, "我同意你们处理我的信息", Choice.AGREE),
    (states.Confirming, "微信二维码", Choice.WECHAT),
    (states.Confirming, "人脸验证", Choice.FACE),
    (states.ReadingInvitation, "my account", Choice.MINE),
    (states.ReadingInvitation, "不认识这个账号", Choice.NOT_MINE),
    (states.ReadingEnterprise, "选错了", Command.BACK),
    (states.ChoosingType, "it's for me", Choice.PERSONAL),
    (states.ChoosingType, "business account", Choice.ENTERPRISE),
]


@pytest.mark.parametrize(("kind", "text", "meant"), MEANT)
def test_own_words_mean_what_the_button_does(kind: type[states.State], text: str, meant: Choice | Command) -> None:
    row = row_for_event(OF_KIND[kind], Said(text))

    assert row is not None
    assert row.trigger == meant


SWITCHED: list[tuple[type[states.State], str, Method]] = [
    (states.AgreeingFace, "还是用微信吧", Method.WECHAT),
    (states.AgreeingFace, "不想刷脸，用QQ", Method.QQ),
    (states.Scanning, "用QQ吧", Method.QQ),
    (states.Scanning, "换种方式，用QQ", Method.QQ),
    (states.Scanning, "不用微信，刷脸吧", Method.FACE),
    (states.Expired, "刷脸吧", Method.FACE),
    (states.Expired, "let me use QQ", Method.QQ),
    (states.Failed, "用QQ试试", Method.QQ),
    (states.Failed, "改用人脸識別", Method.FACE),
    (states.AgreeingFace, "不同意，用QQ", Method.QQ),
    (states.Opening, "换QQ", Method.QQ),
    (states.Opening, "太慢了，刷脸吧", Method.FACE),
    (states.Scanning, "微信扫不了换QQ", Method.QQ),
    (states.Scanning, "扫不了，换QQ", Method.QQ),
    (states.Scanning, "太慢了换QQ吧", Method.QQ),
    (states.Scanning, "没微信有QQ", Method.QQ),
    (states.Scanning, "只有QQ没有微信", Method.QQ),
    (states.Scanning, "微信QQ都不行刷脸吧", Method.FACE),
    (states.Scanning, "算了还是刷脸", Method.FACE),
    (states.Scanning, "wechat doesn't work, let me use qq", Method.QQ),
    (states.Scanning, "my wechat is broken switch to qq", Method.QQ),
    (states.Failed, "换QQ再试一次", Method.QQ),
    (states.Failed, "微信不通过换刷脸", Method.FACE),
]


@pytest.mark.parametrize(("kind", "text", "method"), SWITCHED)
def test_another_method_that_the_person_names_is_taken_without_a_further_question(
    kind: type[states.State], text: str, method: Method
) -> None:
    before = OF_KIND[kind]
    step = advance(before, Said(text), CONTEXT)

    if method is Method.FACE:
        assert isinstance(step.state, states.AgreeingFace)
    else:
        assert isinstance(step.state, states.Opening)
        assert step.state.method is method
        assert step.state.is_below is isinstance(before, states.Opening | states.Scanning | states.Expired)
    assert isinstance(before, states.Identified | states.Attempting)
    assert step.state.identity == before.identity
    ended = [effect.attempt for effect in step.effects if isinstance(effect, CancelAttempt)]
    assert ended == ([before.attempt] if isinstance(before, states.Opening | states.Scanning) else [])
    records = [effect.text for effect in step.effects if isinstance(effect, RecordAnswer)]
    assert records == (["failed.done"] if kind is states.Failed else [])


def test_a_new_code_comes_below_the_words_that_wish_for_it_and_in_place_of_the_code_whose_button_is_pressed() -> None:
    said = advance(scanning(), Said("换个新码"), CONTEXT).state
    pressed = advance(scanning(), Tapped(choice=Choice.NEW_CODE, question_id=scanning().question_id), CONTEXT).state

    assert isinstance(said, states.Opening)
    assert isinstance(pressed, states.Opening)
    assert [_opened(said).in_place, _opened(pressed).in_place] == [False, True]


def _opened(state: states.Opening) -> ShowCode:
    event = AttemptOpened(attempt=state.attempt, link="https://example.org/v/a", match_code="42", expires_at=LATER)
    [code] = advance(state, event, CONTEXT).effects
    assert isinstance(code, ShowCode)
    return code


@pytest.mark.parametrize(
    "text",
    [
        *("换种方式", "不想用微信", "我名字填错了", "别的方法", "不扫码"),
        *("没有QQ也没有微信", "QQ也没有微信也没有", "没有微信、QQ", "没有微信QQ", "微信QQ都没有"),
    ],
)
def test_who_names_no_other_method_is_offered_them(text: str) -> None:
    assert isinstance(advance(scanning(), Said(text), CONTEXT).state, states.Confirming)


def test_who_wants_another_method_while_a_code_is_made_is_offered_them_and_who_names_the_same_waits() -> None:
    state = OF_KIND[states.Opening]

    assert isinstance(advance(state, Said("换种方式"), CONTEXT).state, states.Confirming)
    for text in ("微信", "用微信吧", "QQ扫了", "1"):
        assert advance(state, Said(text), CONTEXT).state == state


def test_a_number_is_a_position_also_where_a_method_is_in_use() -> None:
    assert isinstance(advance(scanning(Method.QQ), Said("2"), CONTEXT).state, states.Confirming)


def test_a_position_of_before_a_method_was_off_means_nothing() -> None:
    state = OF_KIND[states.Confirming]
    context = replace(CONTEXT, methods=(Method.WECHAT, Method.FACE))
    step = advance(state, Said(str(len(offered_choices(state)))), context)

    assert step.state == state
    assert [effect.note for effect in step.effects if isinstance(effect, AskQuestion)] == ["misc.not_understood"]


def test_a_method_that_is_off_is_not_taken_by_its_name() -> None:
    context = replace(CONTEXT, methods=(Method.WECHAT, Method.FACE))

    assert not isinstance(advance(scanning(), Said("用QQ吧"), context).state, states.Opening)


UNSURE = (
    "可能同意",
    "我觉得可以",
    "应该是我的账号",
    "好像是的",
    "好像没错",
    "maybe yes",
    "I think so",
    "也许算了",
    "可能用微信",
)


@each_case("state", ONE_OF_EACH, label)
def test_a_doubtful_text_agrees_to_nothing_and_ends_nothing(state: states.State) -> None:
    for text in UNSURE:
        row = row_for_event(state, Said(text))

        assert row is not None, text
        assert row.trigger is Said, text


CONSENTS = (states.Agreeing, states.AgreeingFace)
NO_CONSENTS = (
    *("可是", "好的，可是", "好是好", "可以是可以", "行行好", "同意条款", "你们同意", "同意收集", "我看过同意条款"),
    *("please accept", "I read the consent", "terms of consent", "all good thanks", "fine, thanks", "yes, but not now"),
    *("继续", "下一步", "已阅读", "知道了", "我了解了", "刷脸吧", "go on", "let's go", "I have read it"),
    *(
        "好的知道了",
        "当然看过",
        "确认已阅读",
        "好的看完了",
        "ok I read this",
        "alright I understood the terms",
        "都行",
        "行了",
        "好了",
    ),
    *(
        "同意？",
        "可以?!",
        "yes?😊",
        "1？",
        "行不行",
        "第一个没问题",
        "the first one only",
        "you first",
        "just a second",
    ),
    *("同意微信", "同意，QQ扫码", "agree to QQ", "微信没问题"),
)


@pytest.mark.parametrize("kind", CONSENTS)
@pytest.mark.parametrize("text", NO_CONSENTS)
def test_who_asks_goes_on_has_read_or_means_something_else_has_not_agreed(kind: type[states.State], text: str) -> None:
    row = row_for_event(OF_KIND[kind], Said(text))

    assert row is not None
    assert row.trigger is not Choice.AGREE


KEEPS_CODE = (
    *(
        "no change",
        "same",
        "不换了",
        "I'll get back to you",
        "我回去试试",
        "never mind, scanned",
        "算了我扫一下",
        "算了就这样吧",
    ),
    *(
        "it says cancel",
        "it says qq",
        "现在要刷脸",
        "又要刷脸",
        "这是新的",
        "this is the new code",
        "要是过期了",
        "has it expired",
    ),
    *(
        "取消？",
        "退出?",
        "换码？",
        "QQ？",
        "返回？",
        "expired?",
        "没有QQ",
        "不用QQ",
        "不想刷脸",
        "不刷脸",
        "我没QQ 用微信",
        "不是QQ是微信",
        "微信不想用QQ",
        "不是没有微信",
    ),
    *(
        "还是微信吧没装QQ",
        "用QQ扫的",
        "刚刚用QQ扫的",
        "我已经用QQ了",
        "我取消了",
        "不用了 已经好了",
        "点了返回",
        "我改好了",
    ),
    *(
        "I'm back",
        "just a second",
        "I already have a new code",
        "没有微信二维码",
        "I haven't scanned the WeChat code",
        "一直换新码",
    ),
)


@pytest.mark.parametrize("text", KEEPS_CODE)
def test_a_question_a_report_or_words_about_another_method_do_not_end_a_code(text: str) -> None:
    step = advance(scanning(), Said(text), CONTEXT)

    assert isinstance(step.state, states.Scanning)
    assert step.state.attempt == scanning().attempt
    assert not [effect for effect in step.effects if isinstance(effect, CancelAttempt)]


NO_CHOICES: list[tuple[type[states.State], str]] = [
    (states.CheckingName, "right?"),
    (states.Confirming, "微信？"),
    (states.Confirming, "微信就算了"),
    (states.Confirming, "要是用微信"),
    (states.Confirming, "不改了"),
    (states.Confirming, "给我微信"),
    (states.Failed, "再试一次还是这样"),
    (states.CheckingName, "改成对的"),
    (states.CheckingName, "I want to use my real name"),
    (states.ReadingInvitation, "朋友给我的"),
    (states.ReadingInvitation, "是吧"),
    (states.Confirming, "没有QQ，不想用微信"),
    (states.Confirming, "不想刷脸也不想用微信"),
    (states.Confirming, "名字填好了"),
    (states.Confirming, "one second"),
    (states.Confirming, "第一个没错"),
    (states.Failed, "好的谢谢"),
    (states.Failed, "好了"),
    (states.Failed, "this is my second try"),
    (states.Expired, "好谢谢"),
    (states.QuotaFull, "第三个"),
    (states.AgreeingFace, "没有QQ"),
]


@pytest.mark.parametrize(("kind", "text"), NO_CHOICES)
def test_words_that_only_sound_like_a_choice_choose_nothing(kind: type[states.State], text: str) -> None:
    row = row_for_event(OF_KIND[kind], Said(text))

    assert row is not None
    assert row.trigger is Said


@pytest.mark.parametrize("kind", [states.Failed, states.Expired])
def test_who_names_the_method_of_before_is_offered_the_others_when_it_is_off(kind: type[states.State]) -> None:
    context = replace(CONTEXT, methods=(Method.QQ, Method.FACE))

    assert isinstance(advance(OF_KIND[kind], Said("微信"), context).state, states.Confirming)


@pytest.mark.parametrize("text", ["打不开微信", "用不了微信", "不能用微信", "微信不行"])
def test_trouble_with_the_method_in_use_is_no_wish_for_it(text: str) -> None:
    assert not isinstance(advance(after(TO_CONFIRM), Said(text), CONTEXT).state, states.Opening)


@pytest.mark.parametrize("kind", [states.Verified, states.ReadingEnterprise, states.ReadingOverseas])
@pytest.mark.parametrize("text", ["好的", "知道了", "ok", "嗯嗯", "👍"])
def test_who_takes_note_is_told_nothing_of_a_misunderstanding(kind: type[states.State], text: str) -> None:
    step = advance(OF_KIND[kind], Said(text), CONTEXT)

    assert step.state == OF_KIND[kind]
    assert [effect.note for effect in step.effects if isinstance(effect, AskQuestion)] == [None]


@pytest.mark.parametrize("text", ["二维码在哪", "？", "对结果有异议"])
def test_a_question_or_another_wish_is_no_taking_note(text: str) -> None:
    step = advance(OF_KIND[states.Verified], Said(text), CONTEXT)

    assert [effect.note for effect in step.effects if isinstance(effect, AskQuestion)] != [None]


@pytest.mark.parametrize("kind", [states.Failed, states.QuotaFull, states.Verified])
@pytest.mark.parametrize(
    "text",
    [
        "为什么",
        "为什么呀？",
        "是什么原因",
        "怎么回事",
        "why?",
        "為什麼",
        "怎么办",
        "那接下来怎么办",
        "然后呢",
        "what now?",
    ],
)
def test_who_asks_why_or_what_now_is_told_it_again(kind: type[states.State], text: str) -> None:
    state = OF_KIND[kind]

    assert advance(state, Said(text), CONTEXT) == Step(state, (prompt(state),))


def test_a_question_in_the_words_of_a_button_is_answered_where_the_button_is_not() -> None:
    context = replace(CONTEXT, topics_in=lambda _: ("blank_page",))

    assert ShowFaq("blank_page") in advance(OF_KIND[states.Agreeing], Said("二维码在哪"), context).effects


@each_case("state", ONE_OF_EACH, label)
def test_a_greeting_agrees_to_nothing(state: states.State) -> None:
    row = row_for_event(state, Said("你好"))

    assert row is not None
    assert row.trigger is Said


@pytest.mark.parametrize(
    ("method", "text"),
    [
        *(
            (Method.WECHAT, "还是微信"),
            (Method.WECHAT, "QQ扫了"),
            (Method.WECHAT, "用QQ扫完了"),
            (Method.QQ, "微信扫好了"),
        ),
        *((Method.FACE, "用微信"), (Method.FACE, "刷脸"), (Method.FACE, "用微信扫了")),
    ],
)
def test_the_method_in_use_or_the_app_that_scans_it_does_not_end_the_attempt(method: Method, text: str) -> None:
    assert advance(scanning(method), Said(text), CONTEXT).state == replace(scanning(method), touched=True)


@pytest.mark.parametrize("state", [scanning(Method.QQ), replace(OF_KIND[states.Opening], method=Method.QQ)], ids=label)
def test_the_app_of_another_method_is_no_method_in_use(state: states.State) -> None:
    taken = advance(state, Said("用微信吧"), CONTEXT).state

    assert isinstance(taken, states.Opening)
    assert taken.method is Method.WECHAT


def test_a_person_who_says_that_something_is_wrong_is_asked_what() -> None:
    step = advance(after(TO_CONFIRM), Said("填错了"), CONTEXT)

    assert step.state == after(TO_CONFIRM)
    assert [effect.note for effect in step.effects if isinstance(effect, AskQuestion)] == ["confirm.which"]


@pytest.mark.parametrize("text", ["我扫完了", "done", "好了"])
def test_a_person_who_has_scanned_is_told_what_is_known_and_not_answered_from_the_faq(text: str) -> None:
    context = replace(CONTEXT, topics_in=lambda _: ("how_many",))

    assert [type(effect) for effect in advance(scanning(), Said(text), context).effects] == [SendText]


@pytest.mark.parametrize("text", ["码在哪", "再发一次二维码", "where is the QR code", "看不到图片"])
def test_a_person_who_misses_the_code_gets_it_again(text: str) -> None:
    assert any(isinstance(effect, ShowCode) for effect in advance(scanning(), Said(text), CONTEXT).effects)


@each_case("state", ONE_OF_EACH, label)
def test_reminders_are_stopped_in_words_in_every_state_and_the_step_stays(state: states.State) -> None:
    for text in ("不再提醒", "别再提醒我了", "不要再發消息", "stop reminding me", "unsubscribe"):
        step = advance(state, Said(text), CONTEXT)

        assert StopReminders() in step.effects, text
        assert SendText("reminder.off") in step.effects, text
        assert type(step.state) is type(state), text


@pytest.mark.parametrize("where", [TO_NAME, TO_NUMBER])
@pytest.mark.parametrize(
    "text",
    [
        "李雷 (Li Lei)",
        "Li Lei（李雷）",
        "不是，我叫李雷",
        "我名字打错了应该是李雷",
        "李雷（身份证上的名字）",
        "李雷呀",
        "the name is 李雷",
    ],
)
def test_a_name_in_a_sentence_is_asked_back(where: str, text: str) -> None:
    state = advance(after(where), Said(text), CONTEXT).state

    assert isinstance(state, states.CheckingName)
    assert state.name.plain == "李雷"


@pytest.mark.parametrize("text", ["名字好像打错了", "我的名字可能写错了", "I think my name is wrong"])
def test_who_doubts_the_name_where_the_number_is_asked_goes_back_to_it(text: str) -> None:
    step = advance(after(TO_NUMBER), Said(text), CONTEXT)

    assert isinstance(step.state, states.AskingName)
    assert DeleteUserMessage(with_panel=True) in step.effects


@pytest.mark.parametrize(
    "text",
    [
        "李雷😊",
        "就叫李雷",
        "姓：李 名：雷",
        "我姓李 名雷",
        "俺叫李雷",
        "李雷 是我的名字",
        "李雷 男 汉",
        "我姓李，叫李雷",
    ],
)
def test_signs_and_labels_around_a_name_are_no_part_of_it(text: str) -> None:
    state = advance(after(TO_NAME), Said(text), CONTEXT).state

    assert isinstance(state, states.AskingNumber)
    assert state.name.plain == "李雷"


@pytest.mark.parametrize(
    "text",
    [
        *(
            "李雷 男",
            "李雷 男性 汉族",
            "李雷-女",
            "性别男 李雷",
            "回族 李雷",
            "李雷 性別：男",
            "李雷，男，30岁",
            "李雷 男 中国",
        ),
        *("姓名李雷 性别男 证件", "李雷 male"),
    ],
)
def test_what_else_is_on_the_card_is_no_part_of_the_name(text: str) -> None:
    state = advance(after(TO_NAME), Said(text), CONTEXT).state

    assert isinstance(state, states.AskingNumber)
    assert state.name.plain == "李雷"


@pytest.mark.parametrize(
    "text", ["李哥", "张总", "哈哈哈哈", "刘老板", "李雷 北京市", "安全第一", "都骗人", "张伟的", "能跳过"]
)
def test_a_title_an_address_or_a_laugh_is_asked_back(text: str) -> None:
    assert isinstance(advance(after(TO_NAME), Said(text), CONTEXT).state, states.CheckingName)


def test_a_surname_before_a_comma_is_read_with_the_given_name() -> None:
    state = advance(after(TO_NAME), Said("Li, Lei"), CONTEXT).state

    assert isinstance(state, states.AskingNumber)
    assert state.name.plain == "Li Lei"


@pytest.mark.parametrize("text", ["怎么弄", "what should I do?"])
def test_who_asks_how_to_type_the_name_is_helped(text: str) -> None:
    context = replace(CONTEXT, topics_in=lambda asked: (asked,) if asked == "notice" else ())
    step = advance(after(TO_NAME), Said(text), context)

    assert [effect.note for effect in step.effects if isinstance(effect, AskQuestion)] == ["problem.name.help"]


@pytest.mark.parametrize("where", [TO_NAME, TO_NUMBER])
@pytest.mark.parametrize("text", ["为什么", "why?"])
def test_who_asks_why_name_or_number_is_wanted_is_told(where: str, text: str) -> None:
    context = replace(CONTEXT, topics_in=lambda asked: (asked,) if asked == "notice" else ())

    assert ShowFaq("notice") in advance(after(where), Said(text), context).effects


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("李雷男", "李雷男"),
        ("李 男", "李男"),
        ("王 小 男", "王小男"),
        ("阿依古丽 买买提 女", "阿依古丽·买买提"),
        ("Li Lei Male", "Li Lei Male"),
    ],
)
def test_a_name_that_ends_like_a_word_of_the_card_is_kept(text: str, name: str) -> None:
    state = advance(after(TO_NAME), Said(text), CONTEXT).state

    assert isinstance(state, states.AskingNumber)
    assert state.name.plain == name


def test_what_else_is_on_the_card_is_dropped_beside_a_number_too() -> None:
    state = advance(after(TO_NAME), Said("姓名李雷 性别男 身份证11010519491231002X"), CONTEXT).state

    assert isinstance(state, states.Confirming)
    assert state.identity.name.plain == "李雷"


@pytest.mark.parametrize("text", ["刚才已经填过了", "烦死了搞这么复杂", "i made a typo there"])
def test_a_sentence_is_no_name_and_the_person_is_told_so(text: str) -> None:
    step = advance(after(TO_NAME), Said(text), CONTEXT)

    assert step.state == after(TO_NAME)
    assert [effect.note for effect in step.effects if isinstance(effect, AskQuestion)] == ["problem.name.sentence"]


@pytest.mark.parametrize("text", ["户口本", "我是韩国人", "五星卡", "医保卡"])
def test_another_document_is_no_name_where_the_number_is_asked(text: str) -> None:
    step = advance(after(TO_NUMBER), Said(text), CONTEXT)

    assert step.state == after(TO_NUMBER)
    assert [effect.note for effect in step.effects if isinstance(effect, AskQuestion)] == [
        "problem.number.other_document"
    ]


def test_without_word_lists_a_text_is_read_as_it_stands() -> None:
    context = RuleContext(now=CONTEXT.now, fresh_id=CONTEXT.fresh_id)

    for text in ("烦死了搞这么复杂", "王小明"):
        state = advance(after(TO_NAME), Said(text), context).state
        assert isinstance(state, states.AskingNumber)
        assert state.name.plain == text
    # The FAQ knows this one.
    known = replace(context, topics_in=lambda _: ("icp",))
    assert isinstance(advance(after(TO_NAME), Said("icp"), known).state, states.CheckingName)
