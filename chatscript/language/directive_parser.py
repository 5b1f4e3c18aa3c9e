"""Reads the lines that begin with @: what happens around the chat, and the phone."""

from __future__ import annotations

import re
from collections.abc import Callable

from chatscript.language import steps
from chatscript.language.blocks import Block, did_you_mean
from chatscript.language.lexer import text, wanted
from chatscript.language.patterns import Place
from chatscript.language.steps import AnyStep, Setting
from playground.phone.apps import App, Control

FAULTS = ("401", "403", "429", "500", "502", "lost", "drop", "slow", "garbage")


_DURATION = re.compile(r"(?:\d+(?:\.\d+)?[smhd])+")
_SPAN = re.compile(r"(\d+(?:\.\d+)?)([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_SETTING = re.compile(r"(?P<name>[A-Z_][A-Z0-9_]*)=")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z0-9]+)*", re.IGNORECASE)
PLAYER_SETS = frozenset({"BOT_TOKEN", "BOT_API_URL", "DATA_DIR", "CLOCK_OFFSET_FILE", "COVERAGE_FILE"})


def directive(block: Block) -> AnyStep | Setting:
    """Read one; raises `Wrong`."""
    reader = _DIRECTIVES.get(block.mark)
    if reader is None:
        raise block.line.wrong(f"unknown directive {block.mark}{did_you_mean(block.mark, _DIRECTIVES)}")
    block.nothing_below()
    return reader(block)


def _alone(made: Callable[[Place, str], AnyStep]) -> Callable[[Block], AnyStep]:
    def read(block: Block) -> AnyStep:
        if block.body.text:
            raise block.body.wrong(f"expected nothing after {block.mark}")
        return made(block.line.place, block.source)

    return read


def _language(block: Block) -> AnyStep:
    code = block.needs("a language such as zh-hans or en")
    if not _LANGUAGE.fullmatch(code.text):
        raise code.wrong("expected a language code such as zh-hans or en")
    return steps.Language(block.line.place, block.source, code.text.lower(), block.mark == "@lang")


def _person(block: Block) -> AnyStep:
    return steps.Person(block.line.place, block.source, block.needs("a name").text)


def _block(block: Block) -> AnyStep:
    if block.body.text:
        raise block.body.wrong(f"expected nothing after {block.mark}")
    return steps.Block(block.line.place, block.source, blocked=block.mark == "@block")


def _wait(block: Block) -> AnyStep:
    span = block.needs("a time such as 90s, 10m, 2h or 1d")
    if not _DURATION.fullmatch(span.text):
        raise span.wrong("expected a time such as 90s, 10m, 1h30m or 1d")
    seconds = sum(float(number) * _SECONDS[unit] for number, unit in _SPAN.findall(span.text))
    return steps.Wait(block.line.place, block.source, seconds)


def _fail(block: Block) -> AnyStep:
    words = block.needs("METHOD KIND [times] [retry=SECONDS]").text.split()
    retry = [int(word[6:]) for word in words if re.fullmatch(r"retry=\d+", word)]
    words = [word for word in words if not re.fullmatch(r"retry=\d+", word)]
    if not 2 <= len(words) <= 3 or len(retry) > 1:
        raise block.body.wrong("expected METHOD KIND [times] [retry=SECONDS], such as sendPhoto 429 2")
    method, kind, times = words[0], words[1], words[2] if len(words) > 2 else "1"
    if kind not in FAULTS:
        offset = block.body.text.index(kind, len(method))
        raise block.body.wrong(f"unknown fault {kind}: expected one of {', '.join(FAULTS)}", offset)
    if not times.isdecimal() or int(times) < 1:
        raise block.body.wrong("expected how many calls fail, such as 2", block.body.text.rindex(times))
    return steps.Fail(block.line.place, block.source, method, kind, int(times), retry[0] if retry else None)


def _set(block: Block) -> Setting:
    found = _SETTING.match(block.needs("NAME=VALUE").text)
    if found is None:
        raise block.body.wrong("expected NAME=VALUE, the name in capitals")
    if found["name"] in PLAYER_SETS:
        raise block.body.wrong(f"{found['name']} is set by the player for every case")
    return Setting(found["name"], text(block.body.cut(found.end()), wild=False))


def _state(block: Block) -> AnyStep:
    return steps.State(block.line.place, block.source, block.needs("a state, as the bot names it").text)


def _scan(block: Block) -> AnyStep:
    words = block.needs(f"an app: {', '.join(App)}")
    name, _, rest = words.text.partition(" ")
    if name not in list(App):
        raise words.wrong(f"unknown app {name}: expected one of {', '.join(App)}")
    address = text(words.cut(len(name)), wild=False) if rest.strip() else None
    return steps.Scan(block.line.place, block.source, App(name), address)


def _touch(block: Block) -> AnyStep:
    label = text(block.needs("the label of a control on the page"))
    return steps.Touch(block.line.place, block.source, Control(block.mark[1:]), label)


def _page(block: Block) -> AnyStep:
    words = wanted(block.needs("a text or /regex/"))
    return steps.Page(block.line.place, block.source, words, absent=block.mark.endswith("!"))


def _status(block: Block) -> AnyStep:
    code = block.needs("a status such as 200 or 404")
    if not re.fullmatch(r"[1-5]\d\d", code.text):
        raise code.wrong("expected a status such as 200 or 404")
    return steps.Status(block.line.place, block.source, int(code.text))


_DIRECTIVES: dict[str, Callable[[Block], AnyStep | Setting]] = {
    "@lang": _language,
    "@texts": _language,
    "@user": _person,
    "@group": _alone(steps.Group),
    "@private": _alone(steps.Private),
    "@block": _block,
    "@unblock": _block,
    "@left": _alone(steps.Leave),
    "@wait": _wait,
    "@crash": _alone(steps.Crash),
    "@duplicate": _alone(steps.Duplicate),
    "@fail": _fail,
    "@set": _set,
    "@expect-state": _state,
    "@scan": _scan,
    "@press": _touch,
    "@tick": _touch,
    "@choose": _touch,
    "@page": _page,
    "@page!": _page,
    "@status": _status,
    "@reload": _alone(steps.Reload),
}
