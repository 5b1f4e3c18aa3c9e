"""ID numbers as people write them: in a sentence, with labels, beside a name, or of another document."""

import re
import string
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.each_case import each_case
from verification.identity import Number, read_number, split_number
from verification.numbers import NumberProblem, check_number

TODAY = date(2026, 11, 23)
NUMBER = "11010519491231002X"
OTHER = "440524188001010014"

IN_A_TEXT = [
    "身份证号：11010519491231002X。",
    "（11010519491231002X）",
    "【11010519491231002x】",
    "号码是11010519491231002X",
    "王小明 11010519491231002X",
    "11010519491231002X 王小明",
    "王小明,11010519491231002X",
    "王小明\n11010519491231002X",
    "姓名：王小明\n身份证号：110105 19491231 002X",
    "身份證字號：１１０１０５１９４９１２３１００２Ｘ",
    "ID: 11010519491231002X",
    "ID11010519491231002X",
    "my id number is 11010519491231002x, thanks",
    "my ID no. is 110105-19491231-002X.",
    "手机 13800138000，身份证 11010519491231002X",
    "13800138000 11010519491231002X",
    "11010519491231002X 13800138000",
    "11010519491231002X 再发一次 11010519491231002x",
    "错的 110105194912310021 对的 11010519491231002X",
    "身份证：١١٠١٠٥١٩٤٩١٢٣١٠٠٢X",
    "您好，我的身份证号码是：110105194912\ufe0d31002X，谢谢！",
    "身份证号码11010519491231002X请查收",
    "110105.19491231.002X",
    "110105/19491231/002X",
    "一一〇一〇五 一九四九一二三一 〇〇二X",
    "壹壹零壹零伍壹玖肆玖壹貳叁壹零零贰叉",
    "11010519491231002叉",
    "11010519491231002，大写X",
    "1101O5194912310O2X",
    "ll010519491231002x",
]

PROBLEMS = [
    ("身份证号：110105194912310021", NumberProblem.CHECK_DIGIT),
    ("身份证 1101051949123", NumberProblem.LENGTH),
    ("号码：110105491231002", NumberProblem.OLD_FORM),
    ("号码 810000199408230021", NumberProblem.PERMIT),
    ("证件号 CHN110101900101", NumberProblem.FOREIGNER),
    (f"{NUMBER}和{OTHER}", NumberProblem.SEVERAL),
    (f"{OTHER} 110101199003077838", NumberProblem.SEVERAL),
    ("我的号码", NumberProblem.CHARACTERS),
    ("等一下，找身份证", NumberProblem.CHARACTERS),
    ("没带身份证", NumberProblem.CHARACTERS),
    ("windows11", NumberProblem.CHARACTERS),
    ("OOOOOOOOOOO123456X", NumberProblem.CHARACTERS),
]

OTHER_DOCUMENTS = """
E12345678 | e12345678 | E 12345678 | G12345678 | EA1234567 | D12345678 | PE1234567 | 护照E12345678
護照號碼 E12345678 | 护照号：E12345678 | my passport number is G1234567 | C01X00T47 | AB123C456 | M12345678
H1234567800 | h12345678 | 回乡证H12345678 | 回鄉證 M12345678 | A123456(7) | A123456（7） | AB123456(A)
1234567(8) | 5123456(0) | A123456789 | 12345678(A) | 0123456789(B) | 台胞证12345678 | 臺胞證：12345678
台胞证号 0123456789 | 港澳通行证C12345678 | 通行证 CB1234567 | 我只有护照 | 我只有護照 | 用护照
没有身份证，只有护照 | 我没有身份证 | 我沒有身份證 | 我没有大陆身份证 | 无身份证 | 我是香港人 | 我是澳门人
我是澳門人 | 我是台湾人 | 我是臺灣人 | 港澳居民来往内地通行证 | 台湾居民来往大陆通行证 | 港澳居民居住證
我是外国人 | 我是外國人 | 外籍 | 华侨 | 我有绿卡 | 中国绿卡 | 永久居留身份证 | 外国人永久居留证 | 旅行证
居住证 | 回乡证 | 军官证 | 户口本 | 户口簿行吗 | 驾驶证 | 驾照 | 我人在国外，没身份证 | 港籍 | 台籍
持港澳通行证 | 身份證明書 | passport | I only have a passport | passports only | I'm from Hong Kong
hongkong | HKID | I am from Macau | Macao resident | I am Taiwanese | I'm a foreigner | foreign passport
residence permit | permanent resident card | green card | travel permit | travel document
home return permit | I don't have a Chinese ID | I have no ID card | no id | without a resident id | expat
"""


@pytest.mark.parametrize("text", IN_A_TEXT)
def test_the_only_valid_number_in_a_text_is_the_number(text: str) -> None:
    assert read_number(text, TODAY) == Number(NUMBER)


@pytest.mark.parametrize(("text", "problem"), PROBLEMS)
def test_a_text_without_a_valid_number_gives_the_problem_of_the_number_in_it(text: str, problem: NumberProblem) -> None:
    assert read_number(text, TODAY) is problem


@each_case("text", re.split(r" \| |\n", OTHER_DOCUMENTS.strip()))
def test_another_document_is_recognised(text: str) -> None:
    assert read_number(text, TODAY) is NumberProblem.OTHER_DOCUMENT


def test_the_rest_of_a_text_does_not_hold_the_number() -> None:
    assert split_number("王小明 11010519491231002x", TODAY)[1].strip() == "王小明"
    assert [text for text in IN_A_TEXT if "1949" in split_number(text, TODAY)[1]] == []


@given(text=st.text(string.digits + "xX -", max_size=40))
def test_a_text_of_digits_alone_is_judged_as_the_number_that_it_is(text: str) -> None:
    """Only a number that stands whole inside a longer text of digits is found in addition."""
    judged, read = check_number(text, TODAY), read_number(text, TODAY)

    if judged not in (NumberProblem.LENGTH, NumberProblem.CHARACTERS):
        assert read == (judged if isinstance(judged, NumberProblem) else Number(judged))


@given(text=st.text(max_size=450))
def test_no_text_ever_raises(text: str) -> None:
    assert isinstance(read_number(text, TODAY), Number | NumberProblem)
