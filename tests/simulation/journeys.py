"""Compares the funnel with what the simulation saw: each step of each journey is counted once, also after crashes."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from bot.flow import events, states
from bot.flow.effects import EraseRecords
from verification.attempts import Method, Reason
from verification.support.funnel import METHOD_STEPS, STEPS, FunnelStep

if TYPE_CHECKING:
    from tests.simulation.ledger import CommitChecker, CommittedTurn

_COUNTED = "SELECT step, method, reason, sum(count) FROM funnel GROUP BY step, method, reason"
_NEWS = (
    events.ReaskRequested
    | events.ReminderDue
    | events.AttemptOpened
    | events.AttemptRefused
    | events.QuotaChecked
    | events.AttemptProgressed
    | events.CodeExpiring
    | events.CodeExpired
    | events.AttemptPassed
    | events.AttemptFailed
)
_PASSED = {
    (states.Confirming, states.Opening): FunnelStep.CONFIRMED,
    (states.Confirming, states.AgreeingFace): FunnelStep.CONFIRMED,
    # A network identity needs no typed step.
    (states.Agreeing, states.Opening): FunnelStep.CONFIRMED,
    (states.Agreeing, states.AskingName): FunnelStep.AGREED,
}

Cell = tuple[str, str, str]
Seen = dict[Method | None, FunnelStep]
"""The furthest step of a journey, in total and by each method."""


def funnel_errors(ledger: "CommitChecker") -> list[str]:
    """What the funnel counts and the simulation did not see, or the other way round."""
    counted = {(step, method, reason): int(count) for step, method, reason, count in ledger.disk.run(_COUNTED)}
    seen = Counter(_cells(ledger.turns))
    return [
        f"the funnel has {counted.get(cell, 0)} of {cell}, {seen[cell]} were seen"
        for cell in sorted({*counted, *seen})
        if counted.get(cell, 0) != seen[cell]
    ]


def _cells(turns: Sequence["CommittedTurn"]) -> Iterator[Cell]:
    under_way: dict[tuple[str, str], Seen] = {}
    over: list[Seen] = []
    reminded: set[str] = set()
    for turn in turns:
        if any(isinstance(effect, EraseRecords) for effect in turn.step.effects):
            over += [under_way.pop(key) for key in list(under_way) if key[0] == turn.person]
            reminded.discard(turn.person)
            continue
        key = (turn.person, _account(turn))
        if key not in under_way and _begins(turn):
            under_way[key] = {None: FunnelStep.OPENED}
        if key in under_way:
            _note(under_way[key], *_step(turn))
            yield from _failure(turn)
            yield from _reminder(turn, is_awaited=turn.person in reminded)
        if _is_reminder(turn):
            reminded.add(turn.person)
        elif _comes_back(turn):
            reminded.discard(turn.person)
    for seen in (*over, *under_way.values()):
        for method, furthest in seen.items():
            steps = STEPS[: STEPS.index(furthest) + 1]
            yield from ((step, method or "", "") for step in steps if method is None or step in METHOD_STEPS)


def _reminder(turn: "CommittedTurn", *, is_awaited: bool) -> Iterator[Cell]:
    if _is_reminder(turn):
        yield FunnelStep.REMINDED, "", ""
    elif is_awaited and _comes_back(turn):
        yield FunnelStep.RETURNED, "", ""


def _is_reminder(turn: "CommittedTurn") -> bool:
    return isinstance(turn.event, events.ReminderDue) and bool(turn.step.effects)


def _comes_back(turn: "CommittedTurn") -> bool:
    return not isinstance(turn.event, _NEWS) or isinstance(turn.step.state, states.Idle | states.Verified)


def _begins(turn: "CommittedTurn") -> bool:
    # A broken link brings nobody to the account of the chat.
    return not isinstance(turn.event, _NEWS | events.LinkRejected) and not isinstance(turn.step.state, states.Verified)


def _account(turn: "CommittedTurn") -> str:
    return turn.event.account if isinstance(turn.event, events.AttemptPassed) else turn.step.state.account


def _step(turn: "CommittedTurn") -> tuple[FunnelStep, Method | None]:
    match turn.before, turn.event, turn.step.state:
        case _, events.AttemptPassed(method=method), _:
            return FunnelStep.VERIFIED, method
        # News of a replaced code says nothing of the present one.
        case _, events.AttemptProgressed(attempt=attempt), states.Scanning(method=method, attempt=shown) if (
            attempt == shown
        ):
            return FunnelStep.PHONE, method
        case states.Opening(), events.AttemptOpened(), states.Scanning(method=method):
            return FunnelStep.SHOWN, method
        case before, _, after:
            started = FunnelStep.STARTED if isinstance(after, states.Agreeing) else FunnelStep.OPENED
            return _PASSED.get((type(before), type(after)), started), None


def _note(seen: Seen, step: FunnelStep, method: Method | None) -> None:
    for way in {None, method}:
        if way not in seen or STEPS.index(seen[way]) < STEPS.index(step):
            seen[way] = step


def _failure(turn: "CommittedTurn") -> Iterator[Cell]:
    match turn.event, turn.before, turn.step.state:
        case events.AttemptFailed(), states.Scanning(method=method), states.Failed(reason=reason):
            yield _failed(method, reason)
        case events.AttemptRefused(), states.Opening(method=method), states.Failed(reason=reason):
            yield _failed(method, reason)

        case events.AttemptFailed(), states.Scanning(method=method), states.QuotaFull():
            yield _failed(method, Reason.QUOTA)
        case events.AttemptRefused(), states.Opening(method=method), states.QuotaFull():
            yield _failed(method, Reason.QUOTA)
        case events.QuotaChecked(), states.Confirming(), states.QuotaFull():
            yield "", "", Reason.QUOTA


def _failed(method: Method, reason: Reason) -> Cell:
    return "", method, reason
