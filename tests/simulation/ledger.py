"""Checks every commit at the moment it happens.

It watches from outside: the statements of each transaction, the steps of the dialogue within it, and the calls that
reached Telegram. What must hold after every commit is here; what must hold once all is quiet is in `rest`.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.flow import machine, states
from bot.flow.effects import AskQuestion, OpenAttempt
from bot.flow.events import (
    AttemptRefusal,
    AttemptRefused,
    Event,
    LinkAccepted,
    QuotaChecked,
    ReaskRequested,
    SideTapped,
)
from bot.flow.rows import RuleContext, Step
from bot.flow.states import State
from playground.world.update_queue import Update
from playground.world.world import World
from storage import statements as sql
from storage import support_statements as desk
from storage.database import Value
from tests.bot.flow.state_order import LEAVING, is_quota_freed, meaning, step_of
from tests.simulation.disk import Commit, SimulatedDisk
from tests.simulation.fault_schedule import CallFault
from tests.simulation.telegram import TelegramCall
from tests.simulation.vendor_network import VendorNetwork
from verification.attempts import (
    LIVE_STATUSES,
    ON_PHONE_STATUSES,
    STATUS_TRANSITIONS,
    AttemptId,
    AttemptStatus,
    Method,
)
from verification.ports import MAX_ACCOUNTS, NoticeKind

_SENDING = {"sendMessage", "sendPhoto", "sendDocument"}
_ERASE_ATTEMPTS = sql.delete("attempts", sql.ERASE_OF_ACCOUNT["attempts"])
_ERASE_DIALOGUE = sql.delete("dialogues", sql.ERASE_OF_PERSON["dialogues"])
_TRIES_IN_A_SILENCE = 15
_LIVE_WITHOUT_LINK = f"""
SELECT id, contact, account FROM attempts WHERE {sql.LIVE} AND account <> contact AND NOT EXISTS (
    SELECT 1 FROM links WHERE person = contact AND links.account = attempts.account AND revoked_at IS NULL
)
"""  # noqa: S608 - our own constants
_KEPT = {"message", "edited_message", "callback_query"}


@dataclass(frozen=True, slots=True)
class CommittedTurn:
    """A committed turn of a dialogue."""

    person: str
    event_id: str | None
    before: State
    event: Event
    step: Step


class CommitChecker:
    """Everything that a story committed, and what is wrong with it."""

    def __init__(self, world: World, vendor: VendorNetwork | None = None) -> None:
        self._world = world
        self._vendor = vendor
        self._methods = tuple(Method)
        self.disk = SimulatedDisk(self._committed)
        self.wrong: list[str] = []
        self.turns: list[CommittedTurn] = []
        self.states: dict[str, State] = {}
        self.attempts: dict[AttemptId, AttemptStatus] = {}
        self.owners: dict[AttemptId, str] = {}
        self.contacts: dict[AttemptId, str] = {}
        self.announced: set[AttemptId] = set()
        self.erased: set[AttemptId] = set()
        self.handled: set[str] = set()
        self.dead_letters: set[str] = set()
        self.numbers: dict[AttemptId, str] = {}
        self.verified: defaultdict[str, set[str]] = defaultdict(set)
        self.bound: dict[str, str] = {}
        self.revoked: set[str] = set()
        self.lost: set[tuple[int, int]] = set()
        self.faults: defaultdict[int, int] = defaultdict(int)
        self.updates_of: defaultdict[tuple[int, int], set[str]] = defaultdict(set)
        self._unconfirmed: defaultdict[int, list[int]] = defaultdict(list)

    # Reports to it

    def advance(self, state: State, event: Event, moment: RuleContext) -> Step:
        """Take a step of the dialogue, and note it in the open transaction."""
        self._methods = moment.methods
        step = machine.advance(state, event, moment)
        self.disk.open.steps.append((state, event, step))
        return step

    def heard(self, call: TelegramCall) -> None:
        """Note the outcome of a call."""
        if call.chat is None:
            return
        unheard = call.fault is not None and call.fault is not CallFault.SLOW
        # A call is repeated until it is answered.
        self.faults[call.chat] += _TRIES_IN_A_SILENCE if call.fault is CallFault.TOO_MANY_LONG else unheard
        if call.message is None:
            return
        if unheard and (call.done or call.method == "editMessageReplyMarkup"):
            self.lost.add((call.chat, call.message))
        elif call.done and call.method in _SENDING:
            self._unconfirmed[call.chat].append(call.message)

    def confirmed(self, offset: int) -> None:
        """Note that Telegram forgets all earlier updates."""
        for update in self._world.updates.pending():
            if update.id < offset:
                self.taken(update)

    def taken(self, update: Update) -> None:
        """Note that Telegram forgets an update: by now it must be handled, or a dead letter."""
        mine = update.kind in _KEPT and update.body.get("chat", {}).get("type", "private") == "private"
        if mine and f"telegram:{update.id}" not in self.kept:
            self.wrong.append(f"update {update.id} was confirmed and is in no table")

    def brought(self, update: Mapping[str, Any]) -> None:
        """Note which update tells of which message."""
        message = update.get("message") or {}
        if "message_id" in message:
            self.updates_of[message["chat"]["id"], message["message_id"]].add(f"telegram:{update['update_id']}")

    @property
    def kept(self) -> set[str]:
        """What was handled, or stored as a dead letter."""
        return self.handled | self.dead_letters

    def process_died(self) -> None:
        """Note that only recorded messages are known after a crash."""
        self.lost |= {(chat, message) for chat, sent in self._unconfirmed.items() for message in sent}
        self._unconfirmed.clear()

    # Checks

    def _committed(self, commit: Commit) -> None:
        self.wrong += self._judged(commit)

    def _judged(self, commit: Commit) -> Iterator[str]:
        yield from self._events(commit)
        yield from self._attempts(commit)
        ended = (done for done in commit.of(sql.POST_NOTICE) if done.values[1] == NoticeKind.ENDED)
        self.announced |= {AttemptId(str(done.values[2])) for done in ended}
        for written in (sql.MARK_SHOWN, sql.MARK_BLOCKED):
            for done in commit.of(written):
                self._unconfirmed.pop(chat_of(str(done.values[0])), None)
        for done in commit.of(_ERASE_ATTEMPTS):
            person, own = done.values
            self.erased |= {attempt for attempt, contact in self.contacts.items() if contact == person}
            self.erased |= {attempt for attempt, owner in self.owners.items() if owner == own}
        for done in commit.of(_ERASE_DIALOGUE):
            self.states.pop(str(done.values[0]), None)
        yield from self._steps(commit)
        yield from self._links(commit)

    def _links(self, commit: Commit) -> Iterator[str]:
        """A link belongs to one person for good, and nothing of a revoked one stays valid."""
        for done in commit.of(desk.OPEN_LINK):
            link, person = str(done.values[0]), str(done.values[1])
            if done.rows and self.bound.setdefault(link, person) != person:
                yield f"link {link} opened to {person}, and belongs to {self.bound[link]}"
            if done.rows and link in self.revoked:
                yield f"link {link} opened to {person}, and was taken back"
        self.revoked |= {str(done.values[0]) for done in commit.of(desk.REVOKE) if done.rows}
        if any(commit.of(desk.REVOKE)):
            for attempt, person, account in self.disk.run(_LIVE_WITHOUT_LINK):
                # What is only reserved, or just opened, is checked once more before it is shown.
                if isinstance(self.states.get(person), states.Scanning):
                    yield f"{attempt} of {person} lives on for {account}, whose link was taken back"

    def _events(self, commit: Commit) -> Iterator[str]:
        self.dead_letters |= {str(done.values[0]) for done in commit.of(sql.STORE_DEAD_LETTER)}
        for done in commit.of(sql.MARK_SEEN):
            event_id, fresh = str(done.values[0]), bool(done.rows)
            if not fresh and commit.steps:
                yield f"{event_id} was seen before and is handled again"
            if fresh and event_id in self.handled:
                yield f"{event_id} is seen for the first time twice"
            if fresh:
                self.handled.add(event_id)

    def _attempts(self, commit: Commit) -> Iterator[str]:
        for done in commit.of(sql.SAVE_ATTEMPT):
            attempt, account, status = (
                AttemptId(str(done.values[0])),
                str(done.values[1]),
                AttemptStatus(str(done.values[4])),
            )
            before = self.attempts.get(attempt)
            if before is None and status is not AttemptStatus.RESERVED:
                yield f"{attempt} begins as {status}"
            if before is not None and status is not before and status not in STATUS_TRANSITIONS[before]:
                yield f"{attempt} went from {before} to {status}"
            if attempt in self.erased:
                yield f"{attempt} was erased and is back"
            self.attempts[attempt], self.owners[attempt] = status, account
            self.contacts[attempt] = str(done.values[2])
            if status is AttemptStatus.SUCCEEDED and before is not status:
                yield from self._passed(attempt, account)
            if self._vendor is not None and done.values[3] == Method.FACE and before is not status:
                yield from self._judged_by(self._vendor, attempt, before, done.values[8])

    def _judged_by(
        self, vendor: VendorNetwork, attempt: AttemptId, before: AttemptStatus | None, token_index: Value
    ) -> Iterator[str]:
        """Nothing is granted that the vendor did not prove, and no proof that it told of is lost."""
        status = self.attempts[attempt]
        if status is AttemptStatus.SUCCEEDED and not vendor.has_proven(token_index, self.numbers[attempt]):
            yield f"{attempt} succeeded, and the vendor proved nothing"
        is_lost = before in ON_PHONE_STATUSES and vendor.was_last_told_of_a_pass(token_index)
        if status is AttemptStatus.EXPIRED and is_lost:
            yield f"{attempt} expired although the vendor told of a pass"

    def _passed(self, attempt: AttemptId, account: str) -> Iterator[str]:
        # The simulated network identity of a person is the same at every visit.
        accounts = self.verified[self.numbers.get(attempt, self.contacts[attempt])]
        accounts.add(account)
        if len(accounts) > MAX_ACCOUNTS:
            yield f"{len(accounts)} accounts are verified with one number"
        if not self.disk.run(sql.SLOT_OF, account):
            yield f"{account} is verified and holds no place"

    def _steps(self, commit: Commit) -> Iterator[str]:
        saved = list(commit.of(sql.SAVE_DIALOGUE))
        turns = _turns(commit.steps)
        if len(saved) != len(turns):
            yield f"{len(turns)} turns were taken, {len(saved)} saved"
            return
        events = [str(done.values[0]) for done in commit.of(sql.MARK_SEEN)]
        events += [f"notice:{done.values[0]!s}" for done in commit.of(sql.SETTLE_NOTICE)] or [""]
        for done, steps in zip(saved, turns, strict=True):
            for before, event, step in steps:
                turn = CommittedTurn(str(done.values[0]), events[0] or None, before, event, step)
                yield from self._turn(turn)

    def _turn(self, turn: CommittedTurn) -> Iterator[str]:
        known = self.states.get(turn.person)
        self.turns.append(turn)
        self.states[turn.person] = turn.step.state
        for effect in turn.step.effects:
            if isinstance(effect, OpenAttempt) and effect.identity is not None:
                self.numbers[effect.attempt] = effect.identity.number.plain
        before, after = type(turn.before), type(turn.step.state)
        place_seen = isinstance(known, states.Idle) and before is states.Verified
        if known is not None and known != turn.before and not place_seen:
            yield f"{turn.person}: {type(known).__name__} was committed, {before.__name__} was loaded"
        yield from self._shown(turn)
        row = machine.row_for_event(turn.before, turn.event, self._methods)
        if after is not before and (row is None or after not in row.targets) and not _is_off(turn):
            yield f"{turn.person}: no way leads from {before.__name__} to {after.__name__}"
        if step_of(turn.step.state) < step_of(turn.before) and not _left(turn, self._methods):
            yield f"{turn.person}: {after.__name__} is asked again after {before.__name__}"

    def _shown(self, turn: CommittedTurn) -> Iterator[str]:
        """A code for an account that is not the person's own is shown only while a link binds them."""
        state = turn.step.state
        if not isinstance(state, states.Scanning) or state.account == turn.person:
            return
        if self.attempts.get(state.attempt) in LIVE_STATUSES and not self.disk.run(
            desk.IS_BOUND, turn.person, state.account
        ):
            yield f"{turn.person}: a code for {state.account} is shown, to which no link binds them"


def _turns(steps: Sequence[tuple[State, Event, Step]]) -> Sequence[Sequence[tuple[State, Event, Step]]]:
    """The steps by turn: what the core answers at once takes a second step in its turn."""
    turns: list[list[tuple[State, Event, Step]]] = []
    for step in steps:
        if turns and isinstance(step[1], AttemptRefused | QuotaChecked):
            turns[-1].append(step)
        else:
            turns.append([step])
    return turns


def chat_of(person: str) -> int:
    """The chat of a dialogue."""
    return int(person.partition(":")[2])


def is_asked_again(turn: CommittedTurn) -> bool:
    """Whether a turn repeats a question because its answer may not have arrived; while a code is made there is none."""
    return isinstance(turn.event, ReaskRequested) and not isinstance(turn.step.state, states.Opening)


def _is_off(turn: CommittedTurn) -> bool:
    """Whether a turn answers a choice or a link whose method is off, which the table does not know."""
    notes = {effect.note for effect in turn.step.effects if isinstance(effect, AskQuestion)}
    return not notes.isdisjoint(("method.off", "link.method_off"))


def _left(turn: CommittedTurn, methods: tuple[Method, ...]) -> bool:
    erased = isinstance(turn.event, SideTapped) and turn.event.choice == "erase_now"
    unbound = isinstance(turn.event, AttemptRefused) and turn.event.refusal is AttemptRefusal.UNBOUND
    by_link = isinstance(turn.event, LinkAccepted) or isinstance(turn.before, states.ReadingInvitation)
    is_chosen = meaning(turn.before, turn.event, methods) in LEAVING or _is_off(turn)
    return erased or unbound or by_link or is_quota_freed(turn.event) or is_chosen
