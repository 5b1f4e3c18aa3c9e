"""Only what identifies no person is stored of a question that no topic answers."""

import pytest

from bot.flow import states
from bot.flow.events import Said
from bot.flow.states import State
from bot.flow.unanswered import redact_question
from tests.bot.flow.samples import (
    ACCOUNT,
    OTHER_NAME,
    QUESTION_ID,
    QUICK_EVENTS,
    QUICK_STATES,
    SECRETS,
    invitation,
    scanning,
)
from tests.fakes import NUMBER, OTHER_NUMBER, make_identity
from verification.identity import Name

IDLE = states.Idle(account=ACCOUNT, question_id=QUESTION_ID)
OF_ANOTHER = states.Confirming(
    account=ACCOUNT, question_id=QUESTION_ID, identity=make_identity(OTHER_NUMBER, OTHER_NAME)
)


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("可以开发票吗？", "可以开发票吗?"),
        ("  怎么\n充值 \t呢", "怎么 充值 呢"),
        ("Do you accept passports?", "Do you accept passports?"),
        ("好吗", "好吗"),
        ("能绑定 138-0013-8000 吗", "能绑定 • 吗"),
        ("能绑定 +86 138 0013 8000 吗", "能绑定 • 吗"),
        ("能绑定１３８００１３８０００吗", "能绑定•吗"),
        ("能绑定١٣٨٠٠١٣٨٠٠٠吗", "能绑定•吗"),
        ("能绑定一三八零零一三八零零零吗", "能绑定•吗"),
        ("能绑定①③⑧吗", "能绑定•吗"),
        ("一个人两张卡可以吗", "一个人两张卡可以吗"),
        ("护照 E12345678 能用吗", "护照 • 能用吗"),
        ("微信号 wxid_ab12cd 能用吗", "微信号 • 能用吗"),
        (f"{NUMBER} 怎么过不了", "• 怎么过不了"),
        ("发到 wang.xiaoming@example.com 可以吗", "发到 • 可以吗"),
        ("发给 @wangxiaoming 可以吗", "发给 • 可以吗"),
        ("发给 @王小明 可以吗", "发给 • 可以吗"),
        ("看 https://example.com/u/1?token=abc 对吗", "看 • 对吗"),
        ("看 t.me/wangxiaoming 对吗", "看 • 对吗"),
        ("看 example.com.cn/a 和 10.0.0.1 对吗", "看 • 和 • 对吗"),
    ],
)
def test_numbers_addresses_and_handles_are_left_out(text: str, redacted: str) -> None:
    assert redact_question(text, IDLE) == redacted


@pytest.mark.parametrize(
    "text",
    [
        "你好",
        "",
        "？",
        "吗",
        "???!",
        "13800138000?",
        "发给@wangxiaoming可以吗",
        "我叫王小明，能认证吗",
        "我是李雷，怎么办",
        "姓名王小明怎么改",
        "我的名字是韩梅梅对吗",
        "本人韩梅梅能用吗",
        "My name is Li Lei, what now?",
        "I am Li Lei, what now?",
        "I’m Li Lei, what now?",
    ],
)
def test_a_text_that_asks_nothing_or_may_name_a_person_is_not_stored(text: str) -> None:
    assert redact_question(text, IDLE) is None


@pytest.mark.parametrize(
    "state",
    [
        states.AskingName(account=ACCOUNT, question_id=QUESTION_ID),
        states.AskingNumber(account=ACCOUNT, question_id=QUESTION_ID, name=Name("王小明")),
        states.ChangingName(account=ACCOUNT, question_id=QUESTION_ID, identity=make_identity()),
        states.ChangingNumber(account=ACCOUNT, question_id=QUESTION_ID, identity=make_identity()),
    ],
)
def test_nothing_is_stored_where_a_name_or_a_number_is_expected(state: State) -> None:
    assert redact_question("可以开发票吗？", state) is None


@pytest.mark.parametrize("name", ["王小明", "王 小 明", "王·小·明", "王。小\u200b明"])
def test_the_known_name_is_redacted_in_any_spacing(name: str) -> None:
    assert redact_question(f"{name}能开发票吗", scanning()) == "•能开发票吗"


@pytest.mark.parametrize("name", [OTHER_NAME, "阿依古丽买买提", "阿依古丽", "买买提", "阿依古丽 买买提"])
def test_the_parts_of_a_longer_name_are_redacted_too(name: str) -> None:
    redacted = redact_question(f"{name}能开发票吗", OF_ANOTHER)

    assert redacted == "•能开发票吗"


def test_the_name_of_the_state_before_an_invitation_is_redacted_too() -> None:
    assert redact_question("王小明能开发票吗", invitation(scanning())) == "•能开发票吗"
    assert (
        redact_question("可以开发票吗？", invitation(states.AskingName(account=ACCOUNT, question_id=QUESTION_ID)))
        is None
    )


def test_a_long_question_is_cut() -> None:
    redacted = redact_question("为什么" + "很" * 500, IDLE)

    assert redacted is not None
    assert len(redacted) == 80


def test_of_a_question_320_characters_are_read() -> None:
    assert redact_question("好吗".rjust(320), IDLE) == "好吗"
    assert redact_question("好吗".rjust(321), IDLE) is None


def test_no_invisible_or_direction_character_is_stored() -> None:
    assert redact_question("\u202e为什么\u200b不行\x00\ud800吗", IDLE) == "为什么 不行 吗"


def test_inv38_no_known_name_and_no_digit_is_stored_of_any_text_in_any_state() -> None:
    quick_texts = [event.text for event in QUICK_EVENTS if isinstance(event, Said)]
    for state in QUICK_STATES:
        for text in quick_texts:
            redacted = redact_question(f"{text} 怎么办？", state) or ""
            assert not any(character.isdigit() for character in redacted)
            if isinstance(state, states.Identified):
                assert state.identity.name.plain not in redacted
            assert not [secret for secret in SECRETS if secret.isascii() and secret in redacted]
