"""Where each row of the vendor's guide is told: at its moment, in both languages."""

from collections.abc import Mapping

import pytest

from bot.content.catalogue import LANGUAGES, load
from bot.flow import states
from bot.flow.effects import AskQuestion, ShowCode, TopicButton, UrlButton
from bot.flow.prompts import prompt
from bot.flow.states import PhoneStage, State
from tests.bot.flow.effect_texts import buttons, texts_in
from tests.bot.flow.samples import ACCOUNT, ATTEMPT, QUESTION_ID, failed, quota_full, scanning
from tests.fakes import NOON, make_identity
from verification.attempts import Method, Reason
from verification.identity import Name

CATALOGUE = load(days=30)

WELCOME = states.ChoosingType(account=ACCOUNT, question_id=QUESTION_ID)
NAME = states.AskingName(account=ACCOUNT, question_id=QUESTION_ID)
NUMBER = states.AskingNumber(account=ACCOUNT, question_id=QUESTION_ID, name=Name("王小明"))
CONFIRM = states.Confirming(account=ACCOUNT, question_id=QUESTION_ID, identity=make_identity())
VERIFIED = states.Verified(account=ACCOUNT, question_id=QUESTION_ID, method=Method.QQ, attempt=ATTEMPT, at=NOON)
ENTERPRISE = states.ReadingEnterprise(account=ACCOUNT, question_id=QUESTION_ID)
OVERSEAS = states.ReadingOverseas(account=ACCOUNT, question_id=QUESTION_ID)


def code(method: Method) -> State:
    return scanning(method, PhoneStage.WAITING)


TOLD: list[tuple[str, State, Mapping[str, str]]] = [
    (
        "G1",
        WELCOME,
        {"zh": "归你本人所有 个人类 企业类 增值税专用发票", "en": "belong personal enterprise VAT"},
    ),
    ("G1", VERIFIED, {"zh": "归你本人所有 企业类活动 增值税专用发票", "en": "belong enterprise VAT"}),
    ("G2", WELCOME, {"zh": "最多认证 3 个账号", "en": "3 accounts"}),
    ("G2", quota_full(), {"zh": "3 个", "en": "3"}),
    ("G4", WELCOME, {"zh": "ICP 备案", "en": "ICP filing"}),
    ("G4", CONFIRM, {"zh": "ICP 备案 主体名称 无法备案", "en": "ICP filing refused"}),
    ("G4", VERIFIED, {"zh": "ICP 备案", "en": "ICP filing"}),
    ("G5", CONFIRM, {"zh": "微信扫码 QQ 人脸识别 银行卡", "en": "WeChat QQ Face bank card"}),
    ("G6", WELCOME, {"zh": "378/17985", "en": "378/17985"}),
    ("G8", NAME, {"zh": "姓名", "en": "name"}),
    ("G8", NUMBER, {"zh": "身份证号", "en": "ID number"}),
    ("G8", CONFIRM, {"zh": "姓名 身份证号", "en": "Name ID number"}),
]

STEPS = {
    ("G9", "wechat"): "银行卡 前往授权 微信支付 授权验证",
    ("G10", "qq"): "银行卡",
    ("G11", "qq"): "立即绑定银行卡",
    ("G12", "face"): "微信 快速验证 协议 下一步",
}


def shown(state: State, language: str) -> str:
    return "\n".join(CATALOGUE.text(language, key, values) for key, values in texts_in(prompt(state)))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("row", "state", "words"), TOLD)
def test_a_row_of_the_guide_is_told_at_its_moment(
    row: str, state: State, words: Mapping[str, str], language: str
) -> None:
    text = shown(state, language)

    assert [word for word in words[language].split() if word not in text] == [], row


@pytest.mark.parametrize(("row", "method"), STEPS)
def test_the_steps_on_the_phone_are_told_with_the_code(row: str, method: str) -> None:
    text = CATALOGUE.text("zh", f"scan.steps.{method}")

    assert [word for word in STEPS[row, method].split() if word not in text] == []
    assert isinstance(prompt(code(Method(method))), ShowCode)


def test_other_kinds_of_people_are_led_to_their_pages_from_the_welcome() -> None:
    """G3, G14 and G15."""
    overseas, enterprise = prompt(OVERSEAS), prompt(ENTERPRISE)

    assert {UrlButton("international"), TopicButton("overseas")} <= set(buttons(overseas))
    assert {UrlButton("enterprise"), TopicButton("enterprise")} <= set(buttons(enterprise))
    assert TopicButton("three_accounts") in buttons(prompt(quota_full()))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_path_in_the_console_is_told_by_help(language: str) -> None:
    """G7."""
    words = {"zh": "账号信息 基本信息 认证状态 个人认证", "en": "account information basic"}[language]

    assert [word for word in words.split() if word not in CATALOGUE.text(language, "misc.help")] == []


@pytest.mark.parametrize(
    "reason", [Reason.FACE_COVERED, Reason.FACE_DIFFERS, Reason.MISMATCH, Reason.FACE_OUT_OF_FRAME]
)
def test_each_reason_why_face_recognition_fails_is_told_with_what_to_do(reason: Reason) -> None:
    """G13."""
    question = prompt(failed(reason, Method.FACE))

    assert isinstance(question, AskQuestion)
    assert "怎么办" in shown(failed(reason, Method.FACE), "zh")


def test_each_step_has_a_picture_or_shows_its_stage() -> None:
    """G16: the chat shows the code, and the caption follows the stages on the phone."""
    assert isinstance(prompt(code(Method.WECHAT)), ShowCode)
    assert {shown(scanning(stage=stage), "zh").splitlines()[0] for stage in PhoneStage} == {
        f"{title}（微信扫码）"
        for title in ("📷 <b>4/4 · 用手机扫码</b>", "📱 <b>已在手机上打开</b>", "📱 <b>正在手机上确认</b>")
    }
