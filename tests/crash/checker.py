"""What must be true once the bot is quiet, of the database and of the chats, whatever happened before.

Each finding begins with the number of the broken invariant; a correct run has no findings.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from tests.crash.conversation import DONE, came, came_unmarked, is_clean
from tests.crash.database_view import DatabaseView
from tests.simulator_fixture import ChatUser
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
    ("02 a notice stays unsent", "SELECT count(*) FROM notices WHERE settled = 0"),
    ("22 an answer stays pending", "SELECT count(*) FROM dialogues WHERE shown < revision"),
    ("40 a message stays to be deleted", "SELECT count(*) FROM litter"),
)
_EVENTS = "SELECT event_id FROM seen_events UNION SELECT event_id FROM dead_updates"


@dataclass(slots=True)
class TransitionChecker:
    """How the attempts of one database changed from check to check."""

    _known: dict[str, AttemptStatus] = field(default_factory=dict)

    async def check(self, database: DatabaseView) -> list[str]:
        """Find transitions that no attempt can make."""
        rows = await database.rows("SELECT id, status FROM attempts")
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
    while more := {move for state in reached for move in STATUS_TRANSITIONS[state]} - reached:
        reached |= more
    return reached


async def check_invariants(database: DatabaseView) -> list[str]:
    """Find broken invariants, even while a program writes or has just crashed."""
    found = await _nonzero(database, _ALWAYS)
    if (sound := await database.integrity()) != "ok":
        found.append(f"28 the file is not whole: {sound}")
    return found


async def check_database(database: DatabaseView, confirmed: Iterable[int]) -> list[str]:
    """Find broken invariants of a quiet database; `confirmed` are the updates that the bot confirmed to Telegram."""
    found = [*await check_invariants(database), *await _nonzero(database, _WHEN_QUIET)]
    kept = {event for (event,) in await database.rows(_EVENTS)}
    lost = [number for number in confirmed if f"telegram:{number}" not in kept]
    return found + [f"01 update {number} was confirmed and is not in the database" for number in lost]


async def press_stale_buttons(guest: ChatUser) -> None:
    """Press a button of every message that a crash left behind, so that the bot removes its buttons."""
    for message in guest.waiting_messages()[:-1]:
        data = [button["data"] for row in message["buttons"] for button in row if "data" in button]
        await guest.press_raw(message["id"], data[0])


async def check_verified(database: DatabaseView, guest: ChatUser, *, doubt: bool) -> list[str]:
    """Find what is wrong with a verified user; only if delivery was doubtful may the result come twice."""
    account = f"telegram:{guest.id}"
    places = [row for row in await database.rows("SELECT account FROM places") if row == (account,)]
    told = came(guest, DONE)
    found = {
        f"16 verified {len(places)} times": len(places) != 1,
        f"22 the result was told {told} times": not 1 <= told <= 1 + doubt,
        "22 the result was told twice without a word about it": came_unmarked(guest, DONE) > 1,
        f"40 a name or number stands in the chat\n{guest.transcript()}": not is_clean(guest),
        f"09 {len(guest.waiting_messages())} questions wait\n{guest.transcript()}": len(guest.waiting_messages()) > 1,
    }
    return [what for what, wrong in found.items() if wrong]


async def check_funnel(database: DatabaseView) -> list[str]:
    """Find wrong counts in the funnel of one verified user: each step is counted once."""
    rows = await database.rows("SELECT step, sum(count) FROM funnel WHERE method = '' AND reason = '' GROUP BY step")
    counted = {str(step): int(count) for step, count in rows}
    return [
        f"03 the funnel has {counted.get(step, 0)} of {step}, one went there"
        for step in STEPS
        if counted.get(step) != 1
    ]


def check_action(now: Mapping[str, int], before: Mapping[str, int], reply_text: str, *, doubt: bool) -> list[str]:
    """Find questions asked again: counts of each reply, now and before an action that ends with `reply_text`."""
    found = []
    for asked, count in now.items():
        fresh = count - before[asked]
        if asked != reply_text and fresh:
            found.append(f"08 asked again: {asked}")
        elif fresh > 1 + doubt:
            found.append(f"03 said {fresh} times: {asked}")
    return found


async def _nonzero(database: DatabaseView, counts: Iterable[tuple[str, str]]) -> list[str]:
    return [name for name, statement in counts if (await database.rows(statement))[0][0]]
