"""Samples of every kind of state and event, for the exhaustive tests."""

from collections.abc import Iterator
from datetime import timedelta
from enum import Enum
from typing import get_args

from msgspec.structs import fields, replace

from bot.content import vocabulary
from bot.flow import codec, states, typed_words
from bot.flow.events import (
    AttemptFailed,
    AttemptOpened,
    AttemptPassed,
    AttemptProgressed,
    AttemptRefusal,
    AttemptRefused,
    Choice,
    CodeExpired,
    CodeExpiring,
    Command,
    Commanded,
    Event,
    FormSent,
    LinkAccepted,
    LinkRejected,
    MessageKind,
    MethodSuggested,
    QuotaChecked,
    ReaskRequested,
    ReminderDue,
    Said,
    Sent,
    SideMessage,
    SideTapped,
    Tapped,
    Throttled,
    VerificationRecord,
)
from bot.flow.rows import RuleContext
from bot.flow.states import PhoneStage, State
from tests.fakes import NOON, NUMBER, OTHER_NUMBER, make_identity
from verification.attempts import AttemptId, Method, Reason
from verification.identity import Identity, Name, Number
from verification.ids import Account

ACCOUNT = Account("telegram:100012345")
FOREIGN_ACCOUNT = Account("cloud:200056789")
NAME = "王小明"
OTHER_NAME = "阿依古丽·买买提"
ODD_NAME = "高兴"
"""A name that looks like a word."""
SECRETS = (NAME, NUMBER, OTHER_NAME, OTHER_NUMBER)
QUESTION_ID = "m-current"
ATTEMPT = AttemptId("attempt-current")
FOREIGN_ATTEMPT = AttemptId("attempt-foreign")
LINK = "https://verify.example.com/s/Zm9vYmFyYmF6cXV4Zm9vYg"


def topics_in(text: str) -> tuple[str, ...]:
    """A search in an FAQ of four topics."""
    words = {"how_many": "几个账号", "three_accounts": "账号满", "overseas": "overseas", "icp": "icp"}
    return tuple(topic for topic, word in words.items() if word in text)


CONTEXT = RuleContext(
    now=NOON,
    fresh_id="0123456789abcdef0123456789abcdef",
    topics_in=topics_in,
    words=vocabulary.load(),
    own_account=ACCOUNT,
)
LATER = NOON + timedelta(minutes=10)

STATE_KINDS: tuple[type[State], ...] = get_args(State)
EVENT_KINDS: tuple[type[Event], ...] = get_args(Event)


# States


def state_samples() -> Iterator[State]:
    """States of every class, with all methods, stages and reasons, touched and untouched."""
    person = make_identity()
    for plain in (states.Idle, states.ChoosingType, states.ReadingEnterprise, states.ReadingOverseas, states.Agreeing):
        yield plain(account=ACCOUNT, question_id=QUESTION_ID)
    yield invitation(states.Idle(account=ACCOUNT, question_id="m-former"))
    yield invitation(states.Confirming(account=ACCOUNT, question_id="m-former", identity=person), Method.QQ)
    yield invitation(states.AskingName(account=Account("cloud:200011111"), question_id="m-former"))
    yield invitation(failed(Reason.BUSY))
    yield states.AskingName(account=ACCOUNT, question_id=QUESTION_ID)
    yield states.CheckingName(account=ACCOUNT, question_id=QUESTION_ID, name=Name(ODD_NAME))
    yield states.CheckingName(account=ACCOUNT, question_id=QUESTION_ID, name=Name(ODD_NAME), number=Number(NUMBER))
    yield states.CheckingName(account=ACCOUNT, question_id=QUESTION_ID, name=Name(ODD_NAME), identity=person)
    for name in (NAME, OTHER_NAME, "李"):
        yield states.AskingNumber(account=ACCOUNT, question_id=QUESTION_ID, name=Name(name))
    yield states.ChangingName(account=ACCOUNT, question_id=QUESTION_ID, identity=person)
    yield states.ChangingNumber(account=ACCOUNT, question_id=QUESTION_ID, identity=person)
    yield states.Confirming(account=ACCOUNT, question_id=QUESTION_ID, identity=person)
    yield states.Confirming(
        account=FOREIGN_ACCOUNT, question_id=QUESTION_ID, identity=make_identity(OTHER_NUMBER, OTHER_NAME)
    )
    yield states.Confirming(account=ACCOUNT, question_id=QUESTION_ID, identity=person, is_checked=True)
    yield states.Confirming(account=FOREIGN_ACCOUNT, question_id=QUESTION_ID, identity=person, suggested=Method.FACE)
    yield states.Confirming(account=ACCOUNT, question_id=QUESTION_ID, identity=person, suggested=Method.QQ)
    yield states.Confirming(account=ACCOUNT, question_id=QUESTION_ID, identity=private_identity())
    yield states.ChangingName(account=ACCOUNT, question_id=QUESTION_ID, identity=private_identity())
    yield states.AgreeingFace(account=ACCOUNT, question_id=QUESTION_ID, identity=person)
    yield quota_full()
    yield quota_full(is_scanned=True)
    for method in Method:
        yield from _attempts(method)


def private_identity() -> Identity:
    """Name and number as the private form gives them."""
    return Identity(Name(NAME, is_confidential=True), Number(NUMBER))


def invitation(former: State, method: Method | None = None) -> states.ReadingInvitation:
    return states.ReadingInvitation(
        account=FOREIGN_ACCOUNT, question_id=QUESTION_ID, former=codec.dump(former), suggested=method
    )


def identity_for(method: Method) -> Identity | None:
    """What is typed for a method."""
    return make_identity() if method.takes_identity else None


def scanning(
    method: Method = Method.WECHAT, stage: PhoneStage = PhoneStage.WAITING, touched: bool = False
) -> states.Scanning:
    return states.Scanning(
        account=ACCOUNT,
        question_id=QUESTION_ID,
        identity=identity_for(method),
        method=method,
        attempt=ATTEMPT,
        link=LINK,
        match_code="42",
        expires_at=LATER,
        stage=stage,
        touched=touched,
    )


def failed(reason: Reason, method: Method = Method.WECHAT) -> states.Failed:
    until = LATER if reason in (Reason.TOO_MANY, Reason.BUSY) else None
    return states.Failed(
        account=ACCOUNT,
        question_id=QUESTION_ID,
        identity=identity_for(method),
        method=method,
        attempt=ATTEMPT,
        reason=reason,
        until=until,
    )


def quota_full(*, is_scanned: bool = False) -> states.QuotaFull:
    return states.QuotaFull(
        account=ACCOUNT, question_id=QUESTION_ID, identity=make_identity(), attempt=ATTEMPT, is_scanned=is_scanned
    )


def verified(method: Method = Method.WECHAT, attempt: AttemptId = ATTEMPT) -> states.Verified:
    return states.Verified(account=ACCOUNT, question_id=QUESTION_ID, method=method, attempt=attempt, at=NOON)


def opening(method: Method = Method.WECHAT) -> states.Opening:
    return states.Opening(
        account=ACCOUNT, question_id=QUESTION_ID, identity=identity_for(method), method=method, attempt=ATTEMPT
    )


def expired(method: Method = Method.WECHAT) -> states.Expired:
    return states.Expired(
        account=ACCOUNT, question_id=QUESTION_ID, identity=identity_for(method), method=method, attempt=ATTEMPT
    )


_NETID_REASONS = (Reason.DECLINED, Reason.QUOTA, Reason.UNFINISHED, Reason.UNAVAILABLE, Reason.BUSY, Reason.TOO_MANY)
"""Three accounts used up is an ending of its own where a number is typed."""


def _attempts(method: Method) -> Iterator[State]:
    yield opening(method)
    for stage in PhoneStage:
        for touched in (False, True):
            yield scanning(method, stage, touched)
    yield expired(method)
    for reason in _NETID_REASONS if method is Method.NETID else Reason:
        if reason is not Reason.QUOTA or method is Method.NETID:
            yield failed(reason, method)
    yield verified(method)
    # A success that the dialogue learned from the store: the state has no attempt.
    yield verified(method, AttemptId(""))


STATES = tuple(state_samples())
ONE_OF_EACH = tuple({type(state): state for state in reversed(STATES)}.values())


def quick_states() -> Iterator[State]:
    """One state of each class, and one for each other value of a field; of a method and of free text one is enough."""
    seen = set[tuple[object, ...]]()
    for state in STATES:
        values = ((field.name, getattr(state, field.name)) for field in fields(state) if field.name != "method")
        facts = {
            (type(state), name, value if isinstance(value, Enum | bool) else value is None) for name, value in values
        }
        if not facts <= seen:
            yield state
        seen |= facts


QUICK_STATES = tuple(quick_states())


def label(state: State) -> str:
    """A state in a test's id, with the fields that distinguish states of one class."""
    facts = (getattr(state, name, None) for name in ("method", "stage", "reason", "touched"))
    return "-".join([type(state).__name__, *(str(fact) for fact in facts if fact is not None)])


# Events

GARBAGE = (
    "",
    " ",
    "\n\n",
    "x" * 4096,
    "王" * 4096,
    "9" * 4096,
    "王" * 51,
    "🙂" * 100,
    "👨‍👩‍👧‍👦",
    "1️⃣",
    "<b>王小明</b>",
    "<script>alert(1)</script>",
    "&lt;&amp;",
    "'; DROP TABLE dialogues; --",
    "{0}",
    "{account}",
    "{test.__class__}",
    "%s%n",
    "../../etc/passwd",
    "\u202e取消",
    "\u200b",
    "王\u200b小明",
    "\u2066李雷\u2069",
    "\x00",
    "\ud800",
    "ﷺ" * 50,
    "Ⅷ",
    "²",
    "①",
    "-1",
    "0",
    "1.5",
    "99",
    "9" * 40,
    "٣",
    "/",
    "/start@another_bot",
    "𠮷野家",
    "王⿱龙天",
    "hello",
)
PEOPLE = (
    NAME,
    " 王 小 明 ",
    OTHER_NAME,
    "阿依古丽•买买提",
    "我叫王小明",
    ODD_NAME,
    "我是香港人",
    NUMBER,
    NUMBER.lower(),
    "１１０１０５-19491231-002ｘ",
    OTHER_NUMBER,
    f"{NAME} {NUMBER}",
    f"{NUMBER} {OTHER_NUMBER}",
    "E12345678",
    "我只有护照",
    "810000199408230021",
    "830000199201300022",
    "932682198501010017",
    "911124198108030024",
    "440111199001010000",
    "110105194912310021",
    "110105491231002",
    "1101051949123",
    "110105194902300020",
    "110105209901010020",
    "00000019900101000X",
)
QUESTIONS = (
    "一个身份证能认证几个账号？",
    "一个身份证能认证几个账号",
    "how does icp work here",
    "账号满了",
    "怎么办",
    "why?",
    "为什么要姓名",
    "is this safe",
    f"{NAME}的身份证 {NUMBER} 能认证几个账号？",
)
DIGITS = tuple(str(digit) for digit in range(1, 10))
UNKNOWN_CHOICES = ("", "no_such_choice", "BEGIN", "begin ", "q", "{0}", NAME, NUMBER, "\ud800", "x" * 64)
BROWSING = (
    "",
    "open",
    "open.overseas",
    "open.no_such_topic",
    "show.icp",
    "show.",
    "list.0",
    "list.1",
    "list.999",
    "list.9999",
    "list.-1",
    "list.²",
    "list.",
    "list.x",
    "zh",
    "en",
    "fr",
    "choose",
    "export",
    "erase",
    "keep",
    "erase_now",
    "erase_later",
    "{0}",
    "..",
    f"open.{NUMBER}",
    f"show.{NAME}{NUMBER}",
)


def words_of(meant: Choice | Command) -> tuple[str, ...]:
    """The words that the grammar lists for a choice or a command."""
    listed = typed_words.CHOICES.get(meant, "") if isinstance(meant, Choice) else typed_words.COMMANDS.get(meant, "")
    return tuple(listed.split())


REMARKS = ("客服在吗", "你好", "谢谢你", "等一下", "不知道怎么填", "下一步", "别再提醒我", "刚才已经填过了")


def texts() -> Iterator[str]:
    yield from (*REMARKS, *GARBAGE, *PEOPLE, *QUESTIONS, *DIGITS)
    for choice in Choice:
        yield from (choice, *words_of(choice))
    for command in Command:
        yield from (command, f"/{command}", *words_of(command))


def events_of_a_person() -> Iterator[Event]:
    """Everything that a person, or a person who forges buttons, may do."""
    yield from (Said(text) for text in texts())
    for command in Command:
        yield from (
            Commanded(command, arguments) for arguments in ("", "icp", "no_such_topic", "{0}", NUMBER, "x" * 4096)
        )
    for choice in (*Choice, *UNKNOWN_CHOICES):
        yield from (
            Tapped(choice=choice, question_id=question)
            for question in (QUESTION_ID, "m-earlier", "", QUESTION_ID.upper())
        )
    for side in SideMessage:
        for choice in BROWSING:
            yield from (
                SideTapped(side=side, choice=choice, question_id=question)
                for question in (QUESTION_ID, "m-earlier", "")
            )
    yield from map(Sent, MessageKind)


def events_of_the_core() -> Iterator[Event]:
    """Every answer and notice of the core, for the state's attempt and for another."""
    yield from map(QuotaChecked, (False, True))
    for attempt in (ATTEMPT, FOREIGN_ATTEMPT):
        yield AttemptOpened(attempt=attempt, link=LINK, match_code="42", expires_at=LATER)
        yield AttemptOpened(attempt=attempt, link=LINK, match_code="42", expires_at=LATER, simulated=True)
        yield from (AttemptRefused(attempt, refusal) for refusal in AttemptRefusal)
        yield from (
            AttemptRefused(attempt, refusal, LATER) for refusal in (AttemptRefusal.TOO_MANY, AttemptRefusal.BUSY)
        )
        yield from (AttemptProgressed(attempt, stage, LATER) for stage in PhoneStage)
        yield CodeExpiring(attempt)
        yield CodeExpired(attempt)
        for account in (ACCOUNT, FOREIGN_ACCOUNT):
            yield from (AttemptPassed(attempt, account, method) for method in Method)
            yield AttemptPassed(attempt, account, Method.QQ, simulated=True)
        yield from (AttemptFailed(attempt, reason) for reason in Reason)


def events_of_links() -> Iterator[Event]:
    """Every event that a link may cause."""
    yield LinkRejected()
    yield from map(MethodSuggested, Method)
    for account in (ACCOUNT, FOREIGN_ACCOUNT, Account("cloud:200011111")):
        yield LinkAccepted(account)
        yield LinkAccepted(account, Method.FACE, "en")
        yield LinkAccepted(account, verified=VerificationRecord(Method.QQ, NOON))


LINK_EVENTS = tuple(events_of_links())
PERSONAL_EVENTS = tuple(events_of_a_person())
CORE_EVENTS = tuple(events_of_the_core())
FORM_EVENTS = tuple(
    FormSent(question_id=question, identity=private_identity()) for question in (QUESTION_ID, "m-earlier")
)
"""Answered by the page, not in the chat, where they come too late."""
EVENTS = (*PERSONAL_EVENTS, *LINK_EVENTS, *FORM_EVENTS, *CORE_EVENTS, Throttled(), ReaskRequested(), ReminderDue())


def quick_events() -> Iterator[Event]:
    """Every event, but one word for each choice and command, and of buttons those of the question and of another."""
    words = [words_of(meant) for meant in (*Choice, *Command)]
    # The international site alone answers with a link where its choice is not offered.
    kept = {"国际站", *REMARKS, *PEOPLE, *QUESTIONS, *Choice, *Command, *(first for first, *_ in filter(None, words))}
    left_out = {word for _, *others in filter(None, words) for word in others} - kept
    for event in EVENTS:
        match event:
            case Said(text) if text in left_out:
                continue
            case SideTapped(question_id=question) if question != QUESTION_ID:
                continue
            case Tapped(question_id=question) if question not in (QUESTION_ID, "m-earlier"):
                continue
            case _:
                yield event


QUICK_EVENTS = tuple(quick_events())


def context_at(turn: int) -> RuleContext:
    """The context of a turn: one minute after the last, with an id whose first ten characters are unique."""
    return replace(CONTEXT, now=NOON + timedelta(minutes=turn), fresh_id=f"{turn:010}-{'0' * 21}")
