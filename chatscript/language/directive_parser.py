"""Parses the lines that begin with @: directives and the phone."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

from chatscript.coverage import COVERAGE_VARIABLE
from chatscript.language import steps
from chatscript.language.blocks import ScriptBlock, nearest_hint
from chatscript.language.lexer import parse_expected_text, parse_text
from chatscript.language.patterns import SourceLocation
from chatscript.language.steps import AnyStep, BotSetting
from playground.phone.apps import Gesture, PhoneApp
from playground.world.membership import ROLES

FAULT_KINDS = ("401", "403", "429", "500", "502", "lost", "drop", "slow", "garbage")

_DURATION = re.compile(r"(?:\d+(?:\.\d+)?[smhd])+")
_SPAN = re.compile(r"(\d+(?:\.\d+)?)([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_SETTING = re.compile(r"(?P<name>[A-Z_][A-Z0-9_]*)=")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z0-9]+)*", re.IGNORECASE)
RESERVED_SETTINGS = frozenset({"BOT_TOKEN", "BOT_API_URL", "DATA_DIR", "CLOCK_OFFSET_FILE", COVERAGE_VARIABLE})


ANY_ORDER, INCLUDE = "@any-order", "@include"  # parsed elsewhere


def parse_directive(block: ScriptBlock) -> AnyStep | BotSetting:
    """Parse one block. Raises `SyntaxProblem`."""
    reader = _PARSERS.get(block.mark)
    if reader is None:
        raise block.line.problem(f"unknown directive {block.mark}{nearest_hint(block.mark, DIRECTIVES)}")
    block.require_no_indented()
    return reader(block)


def _without_argument(step: Callable[[SourceLocation, str], AnyStep]) -> Callable[[ScriptBlock], AnyStep]:
    def read(block: ScriptBlock) -> AnyStep:
        if block.body.text:
            raise block.body.problem(f"expected nothing after {block.mark}")
        return step(block.line.location, block.source)

    return read


def _parse_language(block: ScriptBlock) -> AnyStep:
    code = block.require_body("a language such as zh-hans or en")
    if not _LANGUAGE.fullmatch(code.text):
        raise code.problem("expected a language code such as zh-hans or en")
    return steps.SwitchLanguage(block.line.location, block.source, code.text.lower(), block.mark == "@lang")


def _parse_person(block: ScriptBlock) -> AnyStep:
    return steps.SwitchPerson(block.line.location, block.source, block.require_body("a name").text)


def _parse_wait(block: ScriptBlock) -> steps.AdvanceClock:
    span = block.require_body("a time such as 90s, 10m, 2h or 1d")
    if not _DURATION.fullmatch(span.text):
        raise span.problem("expected a time such as 90s, 10m, 1h30m or 1d")
    seconds = sum(float(number) * _SECONDS[unit] for number, unit in _SPAN.findall(span.text))
    return steps.AdvanceClock(block.line.location, block.source, seconds)


def _parse_fault(block: ScriptBlock) -> AnyStep:
    arguments = block.require_body("METHOD KIND [times] [retry=SECONDS]").text.split()
    retry = [int(word[6:]) for word in arguments if re.fullmatch(r"retry=\d+", word)]
    arguments = [word for word in arguments if not re.fullmatch(r"retry=\d+", word)]
    if not 2 <= len(arguments) <= 3 or len(retry) > 1:
        raise block.body.problem("expected METHOD KIND [times] [retry=SECONDS], such as sendPhoto 429 2")
    method, kind, times = arguments[0], arguments[1], arguments[2] if len(arguments) > 2 else "1"
    if kind not in FAULT_KINDS:
        offset = block.body.text.index(kind, len(method))
        raise block.body.problem(f"unknown fault {kind}: expected one of {', '.join(FAULT_KINDS)}", offset)
    if not times.isdecimal() or int(times) < 1:
        raise block.body.problem("expected how many calls fail, such as 2", block.body.text.rindex(times))
    return steps.InjectFault(block.line.location, block.source, method, kind, int(times), retry[0] if retry else None)


def _parse_setting(block: ScriptBlock) -> BotSetting:
    found = _SETTING.match(block.require_body("NAME=VALUE").text)
    if found is None:
        raise block.body.problem("expected NAME=VALUE, the name in capitals")
    if found["name"] in RESERVED_SETTINGS:
        raise block.body.problem(f"{found['name']} is set by the runner for every case")
    return BotSetting(found["name"], parse_text(block.body.subspan(found.end()), wild=False))


def _parse_state(block: ScriptBlock) -> AnyStep:
    return steps.ExpectState(block.line.location, block.source, block.require_body("a state, as the bot names it").text)


def _parse_scan(block: ScriptBlock) -> AnyStep:
    argument = block.require_body(f"an app: {', '.join(PhoneApp)}")
    name, _, rest = argument.text.partition(" ")
    if name not in list(PhoneApp):
        raise argument.problem(f"unknown app {name}: expected one of {', '.join(PhoneApp)}")
    address = parse_text(argument.subspan(len(name)), wild=False) if rest.strip() else None
    return steps.OpenInApp(block.line.location, block.source, PhoneApp(name), address)


def _parse_gesture(block: ScriptBlock) -> AnyStep:
    label = parse_text(block.require_body("the label of a control on the page"))
    return steps.PhoneGesture(block.line.location, block.source, Gesture(block.mark[1:]), label)


def _parse_page(block: ScriptBlock) -> AnyStep:
    text = parse_expected_text(block.require_body("a text or /regex/"))
    return steps.ExpectPageText(block.line.location, block.source, text, absent=block.mark.endswith("!"))


def _parse_status(block: ScriptBlock) -> AnyStep:
    code = block.require_body("a status such as 200 or 404")
    if not re.fullmatch(r"[1-5]\d\d", code.text):
        raise code.problem("expected a status such as 200 or 404")
    return steps.ExpectPageStatus(block.line.location, block.source, int(code.text))


def _parse_reaction(block: ScriptBlock) -> AnyStep:
    emoji = parse_text(block.body) if block.body.text else None
    return steps.ExpectMark(block.line.location, block.source, steps.MarkKind.REACTED, emoji)


def _parse_group(block: ScriptBlock) -> AnyStep:
    channel = block.mark == "@channel"
    return steps.SwitchToGroup(block.line.location, block.source, title=block.body.text, channel=channel)


def _parse_role(block: ScriptBlock) -> AnyStep:
    role = block.require_body(f"a role: {', '.join(ROLES)}")
    if role.text not in ROLES:
        raise role.problem(f"expected one of {', '.join(ROLES)}{nearest_hint(role.text, ROLES)}")
    return steps.ChangeRole(block.line.location, block.source, role.text, bot=block.mark == "@bot-role")


def _parse_patience(block: ScriptBlock) -> AnyStep:
    wait = _parse_wait(block)
    return steps.SetPatience(wait.location, wait.source, wait.seconds)


_ME = {"name": "first_name", "last_name": "last_name", "username": "username", "phone": "phone_number"}
_FACT = re.compile(r'(?P<name>\w+)=(?:"(?P<quoted>[^"]*)"|(?P<plain>\S*))\s*')


def _parse_me(block: ScriptBlock) -> AnyStep:
    span = block.require_body("name=…, last_name=…, username=… or phone=…")
    facts: dict[str, str] = {}
    position = 0
    while found := _FACT.match(span.text, position):
        if found["name"] not in _ME:
            raise span.problem(f"unknown fact {found['name']}: expected one of {', '.join(_ME)}", position)
        facts[_ME[found["name"]]] = found["plain"] if found["quoted"] is None else found["quoted"]
        position = found.end()
    if position < len(span.text):
        raise span.problem("expected name=value, with quotes around a value with spaces", position)
    return steps.ChangePerson(block.line.location, block.source, facts)


_PARSERS: dict[str, Callable[[ScriptBlock], AnyStep | BotSetting]] = {
    "@lang": _parse_language,
    "@texts": _parse_language,
    "@user": _parse_person,
    "@group": _parse_group,
    "@channel": _parse_group,
    "@role": _parse_role,
    "@bot-role": _parse_role,
    "@private": _without_argument(steps.SwitchToPrivateChat),
    "@block": _without_argument(partial(steps.SetBlocked, blocked=True)),
    "@unblock": _without_argument(partial(steps.SetBlocked, blocked=False)),
    "@left": _without_argument(steps.ExpectLeft),
    "@reacted": _parse_reaction,
    "@pinned": _without_argument(partial(steps.ExpectMark, kind=steps.MarkKind.PINNED)),
    "@unpinned": _without_argument(partial(steps.ExpectMark, kind=steps.MarkKind.UNPINNED)),
    "@me": _parse_me,
    "@patience": _parse_patience,
    "@wait": _parse_wait,
    "@crash": _without_argument(steps.CrashBot),
    "@duplicate": _without_argument(steps.DuplicateUpdate),
    "@fail": _parse_fault,
    "@set": _parse_setting,
    "@expect-state": _parse_state,
    "@scan": _parse_scan,
    "@press": _parse_gesture,
    "@tick": _parse_gesture,
    "@choose": _parse_gesture,
    "@page": _parse_page,
    "@page!": _parse_page,
    "@status": _parse_status,
    "@reload": _without_argument(steps.ReloadPage),
}
DIRECTIVES = frozenset([*_PARSERS, ANY_ORDER, INCLUDE])
