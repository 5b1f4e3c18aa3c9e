"""Plays dialogues that are written as transcripts: `>>` is an event, `<<` an effect, `==` the state it leads to.

`>> /start` is a command, `>> [qq]` a button of the question on the screen, `>> old [qq]` a button of an earlier
question, `>> (photo)` a message that is not a text, `>> privacy: erase` a button of a side message. `>> core: attempt
passed` is an event of the current attempt, in the words of the event's class, and `>> other: code expired` one of
another attempt. `>> link: ACCOUNT` is a valid link, followed by its method, its language and `verified`; `>> bad link`
is an invalid one, `>> method link: face` one that suggests a method. Anything else is typed. A transcript holds when
its `>>` lines, played again, give the same lines.
"""

import re
from collections.abc import Callable
from textwrap import dedent

from msgspec.structs import replace

from bot.flow.effects import (
    LANGUAGES,
    AskQuestion,
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
    QuotaChecked,
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
from tests.bot.flow.samples import ACCOUNT, FOREIGN_ATTEMPT, LATER, LINK, NAME, QUESTION_ID, context_at
from tests.fakes import NUMBER
from verification.attempts import AttemptId, Method, Reason
from verification.ids import Account

IDLE = Idle(account=ACCOUNT, question_id=QUESTION_ID)
TO_NAME = "/start\n[personal]\n[agree]"
TO_NUMBER = f"{TO_NAME}\n{NAME}"
TO_CONFIRM = f"{TO_NUMBER}\n{NUMBER}"
TO_OPENING = f"{TO_CONFIRM}\n[wechat]"
TO_CODE = f"{TO_OPENING}\ncore: attempt opened"


def holds(transcript: str, start: State = IDLE) -> State:
    """Play a transcript and compare it; gives the state at its end."""
    expected = dedent(transcript).strip()
    played, state = play(re.findall(r"^>> ?(.*)$", expected, re.MULTILINE), start)
    assert played == expected
    return state


def after(lines: str, start: State = IDLE) -> State:
    """The state to which a few lines lead, written as after `>>`."""
    return play(dedent(lines).strip().splitlines(), start)[1]


def play(lines: list[str], start: State) -> tuple[str, State]:
    state, played, attempt, method = start, list[str](), FOREIGN_ATTEMPT, None
    for turn, line in enumerate(lines, 1):
        attempt = state.attempt if isinstance(state, Attempting) else attempt
        step = advance(state, event_of(line, state, attempt), replace(context_at(turn), suggested_method=method))
        method = next((effect.method for effect in step.effects if isinstance(effect, SetSuggestedMethod)), method)
        played += [f">> {line}", *(f"<< {shown(effect)}" for effect in step.effects), *_arrow(state, step)]
        state = step.state
    return "\n".join(played), state


def _arrow(before: State, step: Step) -> list[str]:
    return [] if type(step.state) is type(before) else [f"== {type(step.state).__name__}"]


def event_of(line: str, state: State, attempt: AttemptId) -> Event:
    """The event of a `>>` line."""
    if found := re.fullmatch(r"/(\w+) ?(.*)", line):
        return Commanded(Command(found[1]), found[2])
    if found := re.fullmatch(r"(old )?\[(\w+)\]", line):
        return Tapped(choice=found[2], question_id="m-earlier" if found[1] else state.question_id)
    if found := re.fullmatch(r"\((\w+)\)", line):
        return Sent(MessageKind(found[1]))
    if found := re.fullmatch(r"(faq|language|privacy): (\S+)", line):
        return SideTapped(side=SideMessage(found[1]), choice=found[2], question_id=state.question_id)
    if found := re.fullmatch(r"(core|other): (\w+ \w+) ?(\S*)", line):
        return _core_event(found[2], found[3], attempt if found[1] == "core" else FOREIGN_ATTEMPT)
    return _by_link(line) or Said(line)


def _by_link(line: str) -> Event | None:
    kind, _, rest = line.partition(": ")
    match kind, rest.split():
        case "link", [account, *words]:
            return _link_accepted(Account(account), words)
        case "method link", [method]:
            return MethodSuggested(Method(method))
        case "bad link", []:
            return LinkRejected()
        case _:
            return None


def _link_accepted(account: Account, words: list[str]) -> Event:
    method = next((Method(word) for word in words if word in set(Method)), None)
    language = next((word for word in words if word in LANGUAGES), None)
    return LinkAccepted(
        account, method, language, VerificationRecord(Method.QQ, LATER) if "verified" in words else None
    )


def _core_event(label: str, detail: str, attempt: AttemptId) -> Event:
    events: dict[str, Callable[[], Event]] = {
        "attempt opened": lambda: AttemptOpened(attempt=attempt, link=LINK, match_code="42", expires_at=LATER),
        "attempt refused": lambda: AttemptRefused(attempt, AttemptRefusal(detail)),
        "quota checked": lambda: QuotaChecked(is_full=detail == "full"),
        "attempt progressed": lambda: AttemptProgressed(attempt, PhoneStage(detail), LATER),
        "code expiring": lambda: CodeExpiring(attempt),
        "code expired": lambda: CodeExpired(attempt),
        "attempt passed": lambda: AttemptPassed(attempt, Account(detail or ACCOUNT), Method.WECHAT),
        "attempt failed": lambda: AttemptFailed(attempt, Reason(detail)),
        "reask requested": ReaskRequested,
    }
    return events[label]()


def shown(effect: Effect) -> str:
    """An effect as a `<<` line shows it."""
    facts = (getattr(effect, name, None) for name in ("picture", "text", "method", "kind", "language", "topic"))
    words = [type(effect).__name__, *(str(fact) for fact in facts if fact)]
    if note := getattr(effect, "note", None):
        words.append(f"+ {note}")
    if isinstance(effect, ShowCode | ReplaceCodeWithPicture) and effect.in_place:
        words.append("in place")
    if isinstance(effect, AskQuestion) and (closed := effect.closed_code) is not None:
        words.append(f"closing {closed.picture} {closed.text}")
    if isinstance(effect, ShowFaq):
        words += [f"or {topic}" for topic in effect.others] + ["unanswered"] * effect.unanswered
    if isinstance(effect, ShowRecords) and effect.ask_erase:
        words.append("before erasing")
    return " ".join(words)
