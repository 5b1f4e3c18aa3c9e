"""Dialogues as transcripts: `>>` what happens, `<<` what is done about it, `==` where that leads.

`>> /start` is a command, `>> [qq]` a button of the question on the screen, `>> old [qq]` one of an earlier question,
`>> (photo)` something that is no text, `>> privacy: erase` a button of a side message, `>> core: passed` news of the
current attempt, `>> other: lapsed` news of another; `>> link: ACCOUNT` is a link that opens, with its way, language and
standing behind it, `>> bad link` one that does not, `>> way: face` one to a way; anything else is typed. A transcript
holds when playing its `>>` lines gives the very same lines again.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from textwrap import dedent

from bot.flow.effects import (
    LANGUAGES,
    Effect,
    ReplaceCodeWithPicture,
    SetSuggestedMethod,
    ShowCode,
    ShowFaq,
    ShowRecords,
)
from bot.flow.events import (
    AttemptFailed,
    AttemptOpened,
    AttemptPassed,
    AttemptProgressed,
    AttemptRefusal,
    AttemptRefused,
    CodeExpired,
    CodeExpiring,
    Command,
    Commanded,
    Event,
    LinkAccepted,
    LinkRejected,
    MessageKind,
    MethodSuggested,
    ReaskRequested,
    Said,
    Sent,
    SideMessage,
    SideTapped,
    Tapped,
    VerificationRecord,
)
from bot.flow.machine import advance
from bot.flow.rows import Step
from bot.flow.states import Attempting, Idle, PhoneStage, State
from tests.bot.flow.samples import ACCOUNT, FOREIGN_ATTEMPT, LATER, LINK, MARK, NAME, moment
from tests.fakes import NUMBER
from verification.attempts import AttemptId, Method, Reason
from verification.ids import Account

IDLE = Idle(account=ACCOUNT, question_id=MARK)
TO_NAME = "/start\n[personal]\n[agree]"
TO_NUMBER = f"{TO_NAME}\n{NAME}"
TO_CONFIRM = f"{TO_NUMBER}\n{NUMBER}"
TO_METHOD = f"{TO_CONFIRM}\n[confirm]"
TO_OPENING = f"{TO_METHOD}\n[wechat]"
TO_CODE = f"{TO_OPENING}\ncore: opened"


def holds(transcript: str, start: State = IDLE) -> State:
    """Play a transcript and compare; gives the state at its end."""
    told = dedent(transcript).strip()
    played, state = play(re.findall(r"^>> ?(.*)$", told, re.MULTILINE), start)
    assert played == told
    return state


def after(lines: str, start: State = IDLE) -> State:
    """The state that a few lines, as after `>>`, lead to."""
    return play(dedent(lines).strip().splitlines(), start)[1]


def play(lines: list[str], start: State) -> tuple[str, State]:
    state, played, attempt, way = start, list[str](), FOREIGN_ATTEMPT, None
    for turn, line in enumerate(lines, 1):
        attempt = state.attempt if isinstance(state, Attempting) else attempt
        step = advance(state, event_of(line, state, attempt), replace(moment(turn), suggested_method=way))
        way = next((effect.method for effect in step.effects if isinstance(effect, SetSuggestedMethod)), way)
        played += [f">> {line}", *(f"<< {shown(effect)}" for effect in step.effects), *_arrow(state, step)]
        state = step.state
    return "\n".join(played), state


def _arrow(before: State, step: Step) -> list[str]:
    return [] if type(step.state) is type(before) else [f"== {type(step.state).__name__}"]


def event_of(line: str, state: State, attempt: AttemptId) -> Event:
    """The event that a line means."""
    if found := re.fullmatch(r"/(\w+) ?(.*)", line):
        return Commanded(Command(found[1]), found[2])
    if found := re.fullmatch(r"(old )?\[(\w+)\]", line):
        return Tapped(choice=found[2], question_id="m-earlier" if found[1] else state.question_id)
    if found := re.fullmatch(r"\((\w+)\)", line):
        return Sent(MessageKind(found[1]))
    if found := re.fullmatch(r"(faq|language|privacy): (\S+)", line):
        return SideTapped(side=SideMessage(found[1]), choice=found[2], question_id=state.question_id)
    if found := re.fullmatch(r"(core|other): (\w+) ?(\S*)", line):
        return _news(found[2], found[3], attempt if found[1] == "core" else FOREIGN_ATTEMPT)
    return _by_link(line) or Said(line)


def _by_link(line: str) -> Event | None:
    what, _, rest = line.partition(": ")
    match what, rest.split():
        case "link", [account, *words]:
            return _invited(Account(account), words)
        case "way", [method]:
            return MethodSuggested(Method(method))
        case "bad link", []:
            return LinkRejected()
        case _:
            return None


def _invited(account: Account, words: list[str]) -> Event:
    method = next((Method(word) for word in words if word in set(Method)), None)
    language = next((word for word in words if word in LANGUAGES), None)
    return LinkAccepted(
        account, method, language, VerificationRecord(Method.QQ, LATER) if "verified" in words else None
    )


def _news(what: str, word: str, attempt: AttemptId) -> Event:
    news: dict[str, Callable[[], Event]] = {
        "opened": lambda: AttemptOpened(attempt=attempt, link=LINK, match_code="42", expires_at=LATER),
        "declined": lambda: AttemptRefused(attempt, AttemptRefusal(word)),
        "progressed": lambda: AttemptProgressed(attempt, PhoneStage(word), LATER),
        "faded": lambda: CodeExpiring(attempt),
        "lapsed": lambda: CodeExpired(attempt),
        "passed": lambda: AttemptPassed(attempt, Account(word or ACCOUNT), Method.WECHAT),
        "rejected": lambda: AttemptFailed(attempt, Reason(word)),
        "resumed": ReaskRequested,
    }
    return news[what]()


def shown(effect: Effect) -> str:
    """An effect in a few words."""
    facts = (getattr(effect, name, None) for name in ("picture", "text", "method", "kind", "language", "topic"))
    words = [type(effect).__name__, *(str(fact) for fact in facts if fact)]
    if note := getattr(effect, "note", None):
        words.append(f"+ {note}")
    if isinstance(effect, ShowCode | ReplaceCodeWithPicture) and effect.in_place:
        words.append("in place")
    if isinstance(effect, ShowFaq):
        words += [f"or {topic}" for topic in effect.others] + ["missed"] * effect.unanswered
    if isinstance(effect, ShowRecords) and effect.ask_erase:
        words.append("before erasing")
    return " ".join(words)
