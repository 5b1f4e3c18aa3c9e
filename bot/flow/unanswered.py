"""Redacts questions that the FAQ does not answer, so that they can be stored to improve the FAQ.

Losing a question is better than storing something about a person. A text that may hold a name is not stored at all. Of
any other text only a question is stored, without numbers, addresses and user names of any kind.
"""

import re
import unicodedata

from bot.flow import codec, states
from bot.flow.states import State
from bot.flow.typed_input import is_question

_TYPED = states.AskingName | states.CheckingName | states.AskingNumber | states.ChangingName | states.ChangingNumber
"""The steps that read a name or a number."""
_LONGEST = 80
_REDACTED = "•"
_NAMING = re.compile(
    r"我叫|我是|我的?名字|我姓|姓名|名字[叫是为]|本人|叫做|my name|name is|\bi\s*am\b|\bi['’]m\b|\bcall(ed)? me\b",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"\S*://\S*|[A-Za-z0-9._%+-]*@\s*[\w.-]+|\b[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+(?:[/?#]\S*)?")
_NUMBER = re.compile(r"[(+#]*\d(?:[\s().+/-]*\d)*|(?:[零〇一二两三四五六七八九幺壹贰叁肆伍陆柒捌玖]\s*){3,}")
_TOKEN = re.compile(rf"[A-Za-z_-]*{_REDACTED}[A-Za-z_{_REDACTED}-]*")
_GAPS = re.compile(rf"{_REDACTED}(?:\s*{_REDACTED})+")


def redact_question(text: str, state: State) -> str | None:
    """What may be stored of a question that no topic answers, at most 80 characters; None for nothing."""
    if isinstance(state, states.ReadingInvitation):
        state = codec.load(state.former)
    if isinstance(state, _TYPED):
        return None
    plain = " ".join(_visible(text).split())
    if _NAMING.search(plain):
        return None
    plain = _ADDRESS.sub(_REDACTED, _remove_name(plain, state))
    plain = _GAPS.sub(_REDACTED, _TOKEN.sub(_REDACTED, _NUMBER.sub(_REDACTED, plain))).strip()[:_LONGEST]
    return plain if is_question(plain) and sum(map(str.isalpha, plain)) > 1 else None


def _visible(text: str) -> str:
    # NFKC first, because a number has many spellings; then control characters, which are invisible or reverse the text.
    folded = unicodedata.normalize("NFKC", text[: 4 * _LONGEST])
    return "".join(each if unicodedata.category(each)[0] != "C" else " " for each in folded)


def _remove_name(text: str, state: State) -> str:
    identity = states.typed_identity(state)
    if identity is None:
        return text
    whole = [letter for letter in identity.name.plain if letter.isalpha()]
    parts = [part for part in re.split(r"[\W_]+", identity.name.plain) if len(part) > 1]
    spaced = [r"[\W_]*".join(map(re.escape, letters)) for letters in (whole, *parts)]
    return re.sub("|".join(spaced), _REDACTED, text, flags=re.IGNORECASE)
