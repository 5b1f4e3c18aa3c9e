"""Recognises what a person types instead of pressing a button or giving a command.

Words are compared without case, spaces, punctuation and emoji, so a button's own label always matches. A number means
the button at that position. The word lists are grammar; they are never shown.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Protocol, runtime_checkable

from bot.flow.events import Choice, Command


class Remark(StrEnum):
    """What a text that answers no question wants."""

    HUMAN = "human"
    THANKS = "thanks"
    GREETING = "greeting"
    WAIT = "wait"
    HELP = "help"
    BUTTON = "button"


SMALL_TALK = frozenset({Remark.GREETING, Remark.THANKS, Remark.WAIT})
"""Remarks that get a kind word, and the step stays."""


@runtime_checkable
class WordLists(Protocol):
    """What word lists say about a text; every method is pure."""

    def without_labels(self, text: str) -> str:
        """A text without the labels, polite words and signs around its answer."""

    def remark(self, text: str) -> Remark | None:
        """What a text that is no answer wants, if the lists know it."""

    def is_likely_name(self, name: str) -> bool:
        """Whether a cleaned text is so probably a name that nobody needs to be asked."""


class NoWordLists:
    """Takes every text as it stands."""

    def without_labels(self, text: str) -> str:
        """The text."""
        return text

    def remark(self, _: str) -> Remark | None:
        """Nothing."""
        return None

    def is_likely_name(self, _: str) -> bool:
        """Yes."""
        return True


def _mistake_words(hanzi: str, latin: str) -> str:
    """The ways to say that something typed is wrong or is to be changed, by its names in hanzi and in English."""
    wishes = "改{0} 改下{0} 改一下{0} 修改{0} 更改{0} 重填{0} 重新填{0} 重新输入{0} 我要改{0} 我想改{0}"
    mistakes = "{0}错 {0}错了 {0}不对 {0}有误"
    typed = "{0}V错 {0}V错了 我{0}V错了 我把{0}V错了 V错{0} V错{0}了 我V错{0}了"
    english = (
        "{0} change{0} changemy{0} changethe{0} edit{0} editmy{0} fixmy{0} correctmy{0} wrong{0} {0}wrong {0}iswrong "
        "my{0}iswrong the{0}iswrong typoinmy{0} typointhe{0} mistakeinmy{0} iwanttochangemy{0} imistypedmy{0}"
    )
    ways = " ".join((wishes, mistakes, *(typed.replace("V", verb) for verb in "填写打输弄")))
    words = ((ways, hanzi), (english, latin))
    return " ".join(pattern.format(thing) for pattern, things in words for thing in things.split())


_CHOICES: Mapping[Choice, str] = {
    Choice.BEGIN: "开始认证 开始 重新开始 认证 实名认证 我要认证 begin start startverification verify",
    Choice.PERSONAL: "个人认证 个人 本人 个人实名认证 personal person individual personalverification",
    Choice.MINE: "这是我的账号个人认证 这是我的账号 是我的账号 是我的 个人认证 个人 是 是的 "
    "mine yes thisismyaccount itismine personal thisismyaccountgoon",
    Choice.NOT_MINE: "这不是我的账号 不是我的账号 不是我的 不是 no notmine notmyaccount thisisnotmyaccount",
    Choice.ENTERPRISE: "企业认证 企业 公司 企业实名认证 enterprise company business",
    Choice.OVERSEAS: "港澳台及海外 港澳台 海外 境外 香港 澳门 台湾 港澳台及境外 国际站 "
    "overseas hongkong macau taiwan hkmacautaiwanoverseas",
    Choice.AGREE: "同意 同意并继续 我同意 好 好的 可以 agree iagree yes ok agreeandcontinue",
    Choice.NOT_NOW: "暂不 暂不同意 不同意 先不 no notnow disagree idisagree",
    Choice.NAME_RIGHT: "是我的姓名 是的 是 对 没错 确认 yes yesthatsmyname thatsmyname right correct",
    Choice.NAME_WRONG: "不是重新输入 不是 不对 重新输入 重填 no notypeitagain notmyname wrong",
    Choice.CONFIRM: "好 好的 可以 确认 确认无误 无误 没错 对 是 是的 confirm yes correct right allcorrect ok",
    Choice.CHANGE_NAME: _mistake_words("姓名 名字 名", "name") + " 姓名 typo",
    Choice.CHANGE_NUMBER: _mistake_words("号码 身份证 身份证号 身份证号码 证号", "number idnumber id")
    + " 号码 身份证号",
    Choice.WECHAT: "微信 微信扫码 微信扫码认证 微信认证 wechat wechatscan weixin",
    Choice.QQ: "qq qq扫码 qq扫码认证 qq认证 qqscan",
    Choice.FACE: "人脸 人脸识别 人脸识别认证 刷脸 face facerecognition",
    Choice.NETID: "网号 网证 用网号 用网号认证 网号认证 netid networkidentity usemynetworkidentity",
    Choice.NEW_CODE: "换个新码 新码 换码 刷新 换二维码 重新获取 newcode refresh getanewcode",
    Choice.OTHER_METHOD: (
        "换种方式 换方式 其他方式 换一种 改用其他方式 otherway anotherway anothermethod othermethod useadifferentway "
        "useanotherway useanothermethod"
    ),
    Choice.TRY_AGAIN: "再试一次 重试 再来一次 再试 tryagain retry again",
    Choice.CHANGE_DATA: "修改资料 改资料 修改信息 changedata editdata changemydata changedetails",
    Choice.FREED: "已腾出名额继续 已腾出名额 腾出名额了 腾出来了 已经腾出来了 继续 ifreedaplace freed continue",
    Choice.DISPUTE: "对结果有异议 有异议 结果不对 这不对 不服 弄错了 thisiswrong wrong idisagree disagree",
    Choice.BACK: "返回 上一步 后退 返回上一步 back goback",
    Choice.CANCEL: "取消 取消认证 退出 算了 cancel quit stop",
}

_COMMANDS: Mapping[Command, str] = {
    Command.START: "开始 start",
    Command.STATUS: "状态 进度 查询进度 status progress",
    Command.BACK: "返回 上一步 不改了 back tokeepit keepit",
    Command.CANCEL: "取消 退出 撤回 撤回同意 cancel",
    Command.FAQ: "常见问题 问题 faq questions",
    Command.HELP: "帮助 怎么用 help",
    Command.LANGUAGE: "语言 切换语言 language 中文 english 英文",
    Command.PRIVACY: "隐私 我的数据 privacy mydata",
    Command.HUMAN: "人工 转人工 轉人工 人工客服 转人工客服 轉人工客服 客服 投诉 投訴 我要投诉 "
    "联系人工 联系客服 human agent talktoahuman",
}

_LINKS: Mapping[str, str] = {
    "enterprise": "企业实名认证指引 企业认证指引 enterpriseguide",
    "international": "前往国际站 去国际站 国际站 internationalsite",
    "find_accounts": "查找名下账号 查找账号 findmyaccounts",
    "console": "打开控制台 控制台 opentheconsole openconsole console",
}
"""The words of buttons that open a page, by the page's key."""

_CODE = (
    "复制链接 在本机打开 再显示一次二维码 二维码 二维码在哪 二维码呢 在哪 在哪里 码呢 "
    "copylink openonthisphone openhere showthecodeagain qrcode code wheresthecode whereisthecode"
)
"""Words of a person who looks for the code or for the buttons below it."""

_FORM = "在网页上填不发到聊天里 在网页上填 在网页上填写 网页填写 useawebpagenotthechat useawebpage webpage"
"""Words of the button that opens the private form."""

_ASKING = re.compile(
    "[?？]|吗|嗎|呢|怎[么麼样樣]|如何|[为為][什何]|什[么麼]|多久|多[长長]时间|几[个個次天]|幾[個次天]|多少|哪|能不能|可不可以|是不是|有没有|要不要|会不会"
    r"|\b(how|what|why|when|where|which|who)\b|^(can|could|do|does|is|are|must|should|will)\b",
    re.IGNORECASE,
)
_CHOICE_WORDS = {(choice, word) for choice, words in _CHOICES.items() for word in words.split()}
_WORDS_OF_CHOICES = {word for _, word in _CHOICE_WORDS}
_COMMAND_OF_WORD = {word: command for command, words in _COMMANDS.items() for word in words.split()}
_LINK_OF_WORD = {word: link for link, words in _LINKS.items() for word in words.split()}
_CODE_WORDS = frozenset(_CODE.split())
_FORM_WORDS = frozenset(_FORM.split())
_LONGEST = 40


def normalize(text: str) -> str:
    """A text reduced to what is compared: its letters and digits, case-folded, at most 40 characters."""
    folded = unicodedata.normalize("NFKC", text[: 4 * _LONGEST]).casefold()
    return "".join(character for character in folded if character.isalnum())[:_LONGEST]


def match_choice(text: str, offered: Sequence[Choice], *, by_position: bool = True) -> Choice | None:
    """The offered choice that a text means, if any; with `by_position` a number means a position, from one."""
    word = normalize(text)
    if by_position and word.isascii() and word.isdigit() and 0 < int(word) <= len(offered):
        return offered[int(word) - 1]
    return next((choice for choice in offered if (choice, word) in _CHOICE_WORDS), None)


def is_button_word(text: str) -> bool:
    """Whether a text is a word of any button, also of one that is not offered."""
    return normalize(text) in _WORDS_OF_CHOICES | _FORM_WORDS or is_about_code(text)


def is_question(text: str) -> bool:
    """Whether a text looks like a question."""
    return _ASKING.search(text.strip()) is not None


def match_link(text: str) -> str | None:
    """The page whose button a text names, if any."""
    return _LINK_OF_WORD.get(normalize(text))


def is_about_code(text: str) -> bool:
    """Whether a text asks where the code is, or names a button below it."""
    return normalize(text) in _CODE_WORDS


def match_command(text: str) -> Command | None:
    """The command that a text means, if any, with or without a leading slash."""
    return _COMMAND_OF_WORD.get(normalize(text))
