"""What must hold once all faults are over and everything has come to rest."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from bot.flow import states
from bot.flow.effects import AskQuestion, SendText
from bot.flow.events import (
    AttemptFailed,
    AttemptPassed,
    AttemptRefusal,
    AttemptRefused,
    Choice,
    CodeExpired,
    Commanded,
    Said,
    Tapped,
)
from bot.flow.machine import choices
from playground.world.records import Message
from tests.simulation.journeys import funnel_errors
from tests.simulation.ledger import CommittedTurn, is_asked_again
from tests.simulation.people import NAMES, SimulatedUser, buttons
from verification.attempts import LIVE_STATUSES, AttemptStatus

if TYPE_CHECKING:
    from tests.simulation.story import Story

DELETABLE_FOR = 47 * 3600
_FAILED = ("failed.ask",)
RESULTS = {("verified.ask", "misc.passed_elsewhere"): "🎉", _FAILED: "😕"}
_OPEN = "SELECT count(*) FROM notices WHERE settled = 0"
_OWED = "SELECT count(*) FROM dialogues WHERE shown < revision AND blocked = 0"
_DELETIONS = "SELECT count(*) FROM litter"
_LIVE = "SELECT count(*) FROM attempts WHERE status IN ('reserved', 'waiting', 'opened', 'confirming')"
_OVER_QUOTA = "SELECT count(*) FROM places GROUP BY identity_index HAVING count(*) > 3"


def pending_work(story: "Story") -> str:
    """What is still pending; empty when all is at rest."""
    if not story.machine.up:
        return "the program does not run"
    if story.world.updates.pending():
        return f"{len(story.world.updates.pending())} updates wait"
    for what, question in (("notices", _OPEN), ("answers owed", _OWED), ("messages to delete", _DELETIONS)):
        if count := _count(story, question):
            return f"{count} {what}"
    return ""


def check_chats(story: "Story") -> list[str]:
    """What is wrong after every user sent /status."""
    return [wrong for guest in story.guests for wrong in _chat(story, guest)]


def check_final_state(story: "Story") -> list[str]:
    """What is wrong after every code has expired as well."""
    wrong = [f"{_count(story, _LIVE)} attempts live for ever"] if _count(story, _LIVE) else []
    wrong += ["a number has more than three places"] if story.ledger.disk.run(_OVER_QUOTA) else []
    return [
        *wrong,
        *_news(story),
        *funnel_errors(story.ledger),
        *(wrong for guest in story.guests for wrong in _results(story, guest)),
    ]


def _chat(story: "Story", guest: SimulatedUser) -> Iterator[str]:
    state = story.ledger.states.get(guest.person)
    if state is None:
        yield f"{guest.person}: has no dialogue"
        return
    if max((message.id for message in guest.bot_messages()), default=0) < guest.written[-1]:
        yield f"{guest.person}: /status is not answered"
    armed = [message for message in guest.waiting_messages() if (guest.id, message.id) not in story.ledger.lost]
    armed = [message for message in armed if not _too_old(story, message)]
    if len(armed) > 1:
        yield f"{guest.person}: {len(armed)} questions wait for an answer in {type(state).__name__}"
    yield from _question(guest, state)
    yield from _secrets(story, guest)


def _question(guest: SimulatedUser, state: states.State) -> Iterator[str]:
    """The state's question can be answered in the chat."""
    offered = set(choices(type(state)))
    if offered:
        on_screen = [_offered(message, state.question_id) for message in guest.waiting_messages()]
        if not any(offer and offer <= offered for offer in on_screen):
            yield f"{guest.person}: no button for {type(state).__name__}"
    elif not isinstance(state, states.Opening | states.Verified) and guest.wanted() is None:
        yield f"{guest.person}: nothing asks for what {type(state).__name__} waits for"


def _offered(message: Message, mark: str) -> set[Choice]:
    data = [button.value.split(":") for button in buttons(message) if button.value.startswith("q:")]
    return {Choice(choice) for _, choice, its_mark in data if its_mark == mark}


def _secrets(story: "Story", guest: SimulatedUser) -> Iterator[str]:
    """The chat shows no number, and no name that was typed where a name was asked for."""
    typed = {turn.event_id for turn in story.ledger.turns if _takes_a_name(turn.before)}
    for id in guest.written:
        message = story.world.message(guest.id, id)
        came_as = story.ledger.updates_of[guest.id, id] & story.ledger.kept
        if message is None or not came_as or _too_old(story, message):
            continue
        if sum(letter.isdigit() for letter in message.text) >= 15:
            yield f"{guest.person}: a number stands in the chat"
        if any(made.token in message.text for made in story.links):
            yield f"{guest.person}: the token of a link stands in the chat"
        if came_as & typed and message.text in NAMES:
            yield f"{guest.person}: a name stands in the chat"


def _takes_a_name(state: states.State) -> bool:
    return isinstance(state, states.AskingName | states.CheckingName | states.ChangingName)


def _news(story: "Story") -> Iterator[str]:
    """Every end of an attempt reached its dialogue, once."""
    told = Counter(
        turn.event.attempt
        for turn in story.ledger.turns
        if isinstance(turn.event, AttemptPassed | AttemptFailed | CodeExpired)
        # The end of a code whose link was revoked; not the core's own answer to a turn that asks for a code.
        or (
            isinstance(turn.event, AttemptRefused)
            and turn.event.refusal is AttemptRefusal.UNBOUND
            and (turn.event_id or "").startswith("notice:")
        )
    )
    for attempt, status in story.ledger.attempts.items():
        if status in LIVE_STATUSES:
            yield f"{attempt} is still {status}"
        if attempt in story.ledger.erased:
            continue
        ended = status in (AttemptStatus.SUCCEEDED, AttemptStatus.FAILED, AttemptStatus.EXPIRED)
        if told[attempt] != (ended or attempt in story.ledger.announced):
            yield f"{attempt} ended as {status}, which was told {told[attempt]} times"


def _results(story: "Story", guest: SimulatedUser) -> Iterator[str]:
    """The chat shows a result, repeated only on request or where its delivery was doubtful."""
    turns = [turn for turn in story.ledger.turns if turn.person == guest.person]
    said = [event for event in story.world.log.after(0, guest.id) if event["kind"] in ("message", "edit")]
    for keys, sign in RESULTS.items():
        effects = [effect for turn in turns for effect in turn.step.effects]
        wanted = sum(isinstance(effect, AskQuestion | SendText) and effect.text in keys for effect in effects)
        showing = [event["kind"] for event in said if event["from"] == "bot" and sign in event["message"]["text"]]
        shown = showing.count("message")
        if shown > wanted:
            yield f"{guest.person}: {sign} was shown {shown} times, {wanted} were due"
        due = wanted - (_left_at_once(turns) if keys == _FAILED else 0)
        if due > 0 and not showing and not guest.times_blocked:
            yield f"{guest.person}: {sign} was never shown"
    repeated = sum(is_asked_again(turn) for turn in turns)
    reasons = (
        story.ledger.faults[guest.id]
        + 2 * (story.fault_schedule.database_faults + guest.times_blocked)
        + story.machine.starts
        - 1
    )
    if repeated > reasons:
        yield f"{guest.person}: asked again {repeated} times for {reasons} reasons"


def _left_at_once(turns: Sequence[CommittedTurn]) -> int:
    """How many failures the person went on from in their next turn: a crash between the two leaves no word to say."""
    return sum(
        isinstance(turn.step.state, states.Failed)
        and not isinstance(following.step.state, states.Failed)
        and isinstance(following.event, Said | Tapped | Commanded)
        for turn, following in pairwise(turns)
    )


def _too_old(story: "Story", message: Message) -> bool:
    return story.world.clock() - message.date > DELETABLE_FOR


def _count(story: "Story", question: str) -> int:
    return int(story.ledger.disk.run(question)[0][0])
