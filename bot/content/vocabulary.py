"""Understands typed texts by the word lists in words.toml, as pure functions of a text.

A text is compared as the FAQ search compares it: without case and signs, traditional characters as simplified ones.
Whether a text is likely a name is judged generously where it begins with a surname, and strictly elsewhere: the wrong
answer costs one more question, because an unlikely name is asked back and never refused.
"""

import re
import tomllib
import unicodedata
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from bot.content.search import normalize, simplify
from bot.flow.typed_input import Remark, is_button_word

_WORDS = Path(__file__).with_name("words.toml")
_HAN = "〇\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_HAN_NAME = f"[{_HAN}]+(?:·[{_HAN}]+)*"
_LATIN_NAME = re.compile(r"[^\W\d_]+(?:[ \-'’·]+[^\W\d_]+)*")
_SIGN_CATEGORIES = frozenset("PSZ")
"""Punctuation, symbols such as emoji, and spaces; not invisible signs, which the person is told of."""
_DESCRIPTION = "⿰⿱⿲⿳⿴⿵⿶⿷⿸⿹⿺⿻"
"""These are symbols, too, and write a hanzi by its parts."""
_BREAKS = re.compile(f"[,，.。;；:：!！?？()（）【】\n]|(?<=[a-z]) +(?=[{_HAN}])", re.IGNORECASE)
"""Where a sentence may break before or after a name; not at a space, because some names have one."""
_PARTICLES = re.compile("[啊呀哦喔哈啦呗的了嘛]+$")
_BEFORE_NAME = re.compile("^[那就是填写用叫姓]+")
_IN_TWO_PARTS = re.compile(r"^[我俺]?姓(?!名)氏?[:： ]*(\w{1,2}?)[\s,，;；]*(?:名字?叫?|叫)[:： ]*(?:\1)?(\w{1,3})$")
_SURNAME_FIRST = re.compile(r"^([a-z]+) ?, ?([a-z]+(?: [a-z]+)?)$", re.IGNORECASE)
"""As "Li, Lei" is written in English."""
_TITLES = re.compile("[\u4e00-\u9fff](总|哥|姐|叔|姨|婶|嫂|老板|阿姨|大爷|大妈|大叔|大哥|大姐|主任|医生|律师)$")
_LAUGH = re.compile(r"([哈呵嘿嘻啊嗯哦额呃])\1{2,}")
_NO_LAST = frozenset("了的过着")
_SENTENCE_BEGINNINGS = frozenset("都全那有能别")
"""Surnames that begin a sentence more often than a name."""
_PLACES = re.compile("[市县]|[省区]$")
"""Of an address, which somebody typed behind the name."""
_SHORT = 4
"""A longer name without a dot is likely only when all its characters write sounds."""
_IN_NAMES = frozenset("在有能会再更本才")
"""Characters that are seldom in names, but not after a surname."""


class Vocabulary:
    """The word lists, and what they say about a text."""

    def __init__(self, lists: Mapping[str, Any]) -> None:
        names, labels = lists["names"], lists["labels"]
        self._labels = tuple(sorted(labels["words"], key=len, reverse=True))
        self._polite = tuple(sorted(labels["polite"], key=len, reverse=True))
        self._surnames = frozenset("".join(names["surnames"].split()))
        self._compound_surnames = tuple(names["compound_surnames"])
        self._sounds = frozenset("".join(names["sounds"].split()))
        self._telling = _any_of(names["telling"])
        self._labels_of_hanzi = _any_of(label for label in self._labels if not label.isascii() and len(label) > 1)
        self._seldom = frozenset(names["seldom"])
        self._words = frozenset(names["words"])
        self._english = frozenset(names["english"].split())
        self._remarks = {
            Remark(kind): (frozenset(map(normalize, found["whole"])), _any_of(map(normalize, found.get("parts", ()))))
            for kind, found in lists["remarks"].items()
        }

    def without_labels(self, text: str) -> str:
        """A text without the labels, polite words and signs around its answer."""
        plain, before = _IN_TWO_PARTS.sub(r"\1\2", _strip_signs(text)), ""
        if (found := _SURNAME_FIRST.match(plain)) and not self._english & set(plain.lower().replace(",", " ").split()):
            plain = f"{found[1]} {found[2]}"
        while plain != before:
            before = plain
            plain = _without_first(plain, self._labels, _ends_label)
            plain = _without_first(plain, self._polite, _ends_word)
            plain = _without_last(plain, self._labels, _ends_label)
            plain = _without_last(plain, self._polite, _ends_word)
        return plain

    def parts(self, text: str) -> tuple[str, ...]:
        """The parts of a text between its signs and labels, of which one may be a name."""
        pieces = [piece for sentence in _BREAKS.split(text) for piece in self._labels_of_hanzi.split(sentence)]
        return tuple(_PARTICLES.sub("", _BEFORE_NAME.sub("", self.without_labels(piece))) for piece in pieces)

    def is_sentence(self, text: str) -> bool:
        """Whether a text is so long, and says so much, that nobody can be called so."""
        plain = simplify(text)
        if re.search(f"[{_HAN}]", plain):
            said = {*"".join(self._telling.findall(plain)), *self._seldom & set(plain)} - self._sounds
            return "·" not in plain and len(plain) > _SHORT and bool(said)
        words = re.findall(r"[\w'’]+", plain.lower())
        return len(words) > 2 and sum(word in self._english for word in words) > 1 and not plain.istitle()

    def remark(self, text: str) -> Remark | None:
        """What a text that is no answer wants, if the lists know it."""
        plain = normalize(text)
        bare = _PARTICLES.sub("", plain)
        for kind, (whole, parts) in self._remarks.items():
            if plain in whole or bare in whole or parts.search(plain):
                return kind
        return Remark.BUTTON if is_button_word(text) else None

    def is_likely_name(self, name: str) -> bool:
        """Whether a cleaned text is so probably a name that nobody needs to be asked."""
        plain = simplify(name)
        if re.fullmatch(_HAN_NAME, plain):
            return self._is_likely_han(plain, is_rare=_is_rare(name))
        return bool(_LATIN_NAME.fullmatch(plain)) and plain.isascii() and self._is_likely_latin(plain.split())

    def _is_likely_han(self, name: str, *, is_rare: bool) -> bool:
        letters = name.replace("·", "")
        if len(letters) == 1 or name in self._words or self._telling.search(letters):
            return False
        begins_sentence = name[0] in _SENTENCE_BEGINNINGS and len(name) > 2 and not self._sounds >= set(letters)
        if begins_sentence or _is_unlike_name(name):
            return False
        if "·" in name:
            if _PLACES.search(name):
                return False
            is_by_sound = self._sounds >= set(letters)
            return (is_by_sound or not self._seldom & set(letters)) and not self._words & set(name.split("·"))
        if is_rare and len(letters) <= _SHORT:
            return True
        return self._begins_with_surname(name) or (
            self._sounds >= set(letters) and (len(letters) >= _SHORT or not self._seldom & set(letters))
        )

    def _begins_with_surname(self, name: str) -> bool:
        if name.startswith(self._compound_surnames) and 3 <= len(name) <= 5:
            return not self._seldom & set(name[2:])
        if name[0] not in self._surnames or name[1] in self._seldom - _IN_NAMES:
            return False
        if len(name) == _SHORT:
            # The surnames of both parents, or a name of three characters.
            return name[1] in self._surnames and not self._seldom & set(name)
        return len(name) <= 3

    def _is_likely_latin(self, words: list[str]) -> bool:
        common = sum(word.lower() in self._english for word in words)
        is_written_as_name = len(words) > 1 and all(word[0].isupper() for word in words)
        is_labelled = words[0].lower() in self._labels
        return is_written_as_name and not is_labelled and common < 2 and self.remark(" ".join(words)) is None


@cache
def load(path: Path = _WORDS) -> Vocabulary:
    """Read the word lists."""
    return Vocabulary(tomllib.loads(path.read_text(encoding="utf-8")))


def _is_unlike_name(name: str) -> bool:
    """Whether a text has the form of something else: a title, a laugh, the end of a sentence."""
    return name[-1] in _NO_LAST or bool(_TITLES.search(name) or _LAUGH.fullmatch(name))


def _any_of(parts: Iterable[str]) -> re.Pattern[str]:
    """A pattern for any of some texts; one in Latin letters begins with a word. No texts match nothing."""
    written = [rf"\b{re.escape(part)}" if part.isascii() else re.escape(part) for part in parts]
    return re.compile("|".join(written) or "(?!)")


def _is_rare(name: str) -> bool:
    """Whether a character is in neither of the character sets of everyday writing: then it is from a name."""
    return not all(_encodes(each, "gb2312") or _encodes(each, "big5") for each in name if each != "·")


def _encodes(character: str, encoding: str) -> bool:
    try:
        character.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def _strip_signs(text: str) -> str:
    """A text without the signs at its ends."""
    kept = [place for place, each in enumerate(text) if not _is_sign(each)]
    return text[kept[0] : kept[-1] + 1] if kept else ""


def _is_sign(character: str) -> bool:
    is_sign = character.isspace() or unicodedata.category(character)[0] in _SIGN_CATEGORIES
    return is_sign and character not in _DESCRIPTION


def _ends_label(label: str, neighbour: str) -> bool:
    """A label of letters ends where the word ends; a label of hanzi may touch the answer."""
    return not label.isascii() or not neighbour.isalnum()


def _ends_word(_: str, neighbour: str) -> bool:
    return not neighbour.isalnum()


def _without_first(text: str, words: Collection[str], ends: Callable[[str, str], bool]) -> str:
    folded = _folded(text)
    for word in words:
        if folded.startswith(word) and (len(text) == len(word) or ends(word, text[len(word)])):
            return _strip_signs(text[len(word) :])
    return text


def _without_last(text: str, words: Collection[str], ends: Callable[[str, str], bool]) -> str:
    folded = _folded(text)
    for word in words:
        if folded.endswith(word) and (len(text) == len(word) or ends(word, text[-len(word) - 1])):
            return _strip_signs(text[: -len(word)])
    return text


def _folded(text: str) -> str:
    """A text for comparison, of the same length."""
    return simplify("".join(each.lower() if len(each.lower()) == 1 else each for each in text))
