"""What must be true when everything is quiet, whatever happened before: of the books, and of what people saw.

Each finding begins with the number of the invariant it breaks; no finding is what every run must come to.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from tests.crash.conversation import DONE, came, came_unmarked, is_clean
from tests.crash.database_view import DatabaseView
from tests.simulator_fixture import ChatUser, Json
from verification.attempts import STATUS_TRANSITIONS, AttemptStatus
from verification.support.funnel import STEPS

_ALWAYS = (
    (
        "09 an account has two live attempts",
        "SELECT count(*) - count(DISTINCT account) FROM attempts"
        " WHERE status IN ('reserved', 'waiting', 'opened', 'confirming')",
    ),
    (
        "15 a number has more than three places",
        "SELECT count(*) FROM (SELECT 1 FROM places GROUP BY identity_index HAVING count(*) > 3) AS full_numbers",
    ),
    ("16 an account holds two places", "SELECT count(*) - count(DISTINCT account) FROM places"),
    (
        "17 a success and a place are not of one transaction",
        "SELECT count(*) FROM attempts AS a FULL OUTER JOIN places AS p ON p.attempt = a.id"
        " WHERE (a.status = 'succeeded') <> (p.attempt IS NOT NULL) OR a.id IS NULL",
    ),
)
_WHEN_QUIET = (
    ("02 a notice stays untold", "SELECT count(*) FROM notices WHERE settled = 0"),
    ("22 an answer stays owed", "SELECT count(*) FROM dialogues WHERE shown < revision"),
    ("40 a message stays to be deleted", "SELECT count(*) FROM litter"),
)
_EVENTS = "SELECT event_id FROM seen_events UNION SELECT event_id FROM dead_updates"


@dataclass(slots=True)
class TransitionChecker:
    """How the attempts of one database moved from look to look."""

    _known: dict[str, AttemptStatus] = field(default_factory=dict)

    async def check(self, books: DatabaseView) -> list[str]:
        """Find moves that no attempt can make."""
        rows = await books.rows("SELECT id, status FROM attempts")
        now = {str(name): AttemptStatus(status) for name, status in rows}
        found = [
            f"07 an attempt moved from {self._known[name]} to {status}"
            for name, status in now.items()
            if name in self._known and status not in _reachable(self._known[name])
        ]
        self._known = now
        return found


def _reachable(status: AttemptStatus) -> Collection[AttemptStatus]:
    reached = {status}
    while more := {move for place in reached for move in STATUS_TRANSITIONS[place]} - reached:
        reached |= more
    return reached


async def check_invariants(books: DatabaseView) -> list[str]:
    """Find what a database breaks, whoever writes to it or has just died of writing."""
    found = await _nonzero(books, _ALWAYS)
    if (sound := await books.integrity()) != "ok":
        found.append(f"28 the file is not whole: {sound}")
    return found


async def check_database(books: DatabaseView, confirmed: Iterable[int]) -> list[str]:
    """Find what a database breaks, once it is quiet; `confirmed` are the updates the bot took from Telegram."""
    found = [*await check_invariants(books), *await _nonzero(books, _WHEN_QUIET)]
    kept = {event for (event,) in await books.rows(_EVENTS)}
    lost = [number for number in confirmed if f"telegram:{number}" not in kept]
    return found + [f"01 update {number} was confirmed and is not in the books" for number in lost]


def with_buttons(guest: ChatUser) -> list[Json]:
    """The messages that wait for a press, oldest first."""
    return [message for message in guest.waiting_messages() if message.get("markup") != "force"]


async def press_stale_buttons(guest: ChatUser) -> None:
    """Press a button of every message that a death left behind: nobody knew of it before, and now it is disarmed."""
    for message in with_buttons(guest)[:-1]:
        data = [button["data"] for row in message["buttons"] for button in row if "data" in button]
        await guest.press_raw(message["id"], data[0])


async def check_verified(books: DatabaseView, guest: ChatUser, *, doubt: bool) -> list[str]:
    """Find what is wrong with somebody who went all the way; only after a doubt they may be told twice."""
    account = f"telegram:{guest.id}"
    places = [row for row in await books.rows("SELECT account FROM places") if row == (account,)]
    told = came(guest, DONE)
    found = {
        f"16 verified {len(places)} times": len(places) != 1,
        f"22 the result was told {told} times": not 1 <= told <= 1 + doubt,
        "22 the result was told twice without a word about it": came_unmarked(guest, DONE) > 1,
        f"40 a name or number stands in the chat\n{guest.transcript()}": not is_clean(guest),
        f"09 {len(with_buttons(guest))} questions wait\n{guest.transcript()}": len(with_buttons(guest)) > 1,
    }
    return [what for what, wrong in found.items() if wrong]


async def check_funnel(books: DatabaseView) -> list[str]:
    """Find what was counted wrong when one person has gone all the way: each step of theirs stands there once."""
    rows = await books.rows("SELECT step, sum(count) FROM funnel WHERE method = '' AND reason = '' GROUP BY step")
    counted = {str(step): int(count) for step, count in rows}
    return [
        f"03 the funnel has {counted.get(step, 0)} of {step}, one went there"
        for step in STEPS
        if counted.get(step) != 1
    ]


def check_action(now: Mapping[str, int], before: Mapping[str, int], sign: str, *, doubt: bool) -> list[str]:
    """Find what was asked again: messages with each sign, now and before an act that ends with `sign`."""
    found = []
    for asked, count in now.items():
        fresh = count - before[asked]
        if asked != sign and fresh:
            found.append(f"08 asked again: {asked}")
        elif fresh > 1 + doubt:
            found.append(f"03 said {fresh} times: {asked}")
    return found


async def _nonzero(books: DatabaseView, counts: Iterable[tuple[str, str]]) -> list[str]:
    return [name for name, statement in counts if (await books.rows(statement))[0][0]]
