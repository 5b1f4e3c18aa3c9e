"""Rows to records and back: times as microseconds, secrets sealed for the row they stand in."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from storage.database import Row, Value
from storage.sealing import Indexed, Sealing
from verification.attempts import Attempt, AttemptId, Method, Reason, Status
from verification.identity import Identity, Name, Number
from verification.keeping import Consent, Dialogue, Litter, PastAttempt, Person
from verification.limits import Try
from verification.ports import Due, News, Notice, Place
from verification.results import Result

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)


def ticks(moment: datetime) -> int:
    """An aware time as whole microseconds; a naive one raises `TypeError`."""
    return (moment - _EPOCH) // _TICK


def moment(ticks: int) -> datetime:
    """The UTC time these microseconds mean."""
    return _EPOCH + ticks * _TICK


def attempt_values(attempt: Attempt, sealing: Sealing) -> tuple[Value, ...]:
    """The values of `SAVE_ATTEMPT`."""
    return (
        attempt.id,
        attempt.account,
        attempt.contact,
        attempt.method,
        attempt.status,
        attempt.match_code,
        ticks(attempt.created_at),
        ticks(attempt.expires_at),
        sealing.index(Indexed.TOKEN, attempt.token),
        sealing.seal(_secrets(attempt), _secrets_place(attempt.id)),
        attempt.reason,
        int(attempt.fading),
    )


def attempt(row: Row, sealing: Sealing) -> Attempt:
    """Read an attempt."""
    identifier, account, contact, method, status, match_code, created_at, expires_at, sealed, reason, fading = row
    kept = json.loads(sealing.open(sealed, _secrets_place(identifier)))
    return Attempt(
        id=AttemptId(identifier),
        account=account,
        contact=contact,
        method=Method(method),
        status=Status(status),
        match_code=match_code,
        created_at=moment(created_at),
        expires_at=moment(expires_at),
        identity=Identity(Name(kept["name"]), Number(kept["number"])) if "number" in kept else None,
        token=kept["token"],
        page=kept["page"],
        reason=_reason(reason),
        fading=bool(fading),
    )


def due(rows: Sequence[Row]) -> Sequence[Due]:
    """Read attempts whose time is up or nearly so."""
    return [Due(AttemptId(identifier), moment(expires_at), bool(fading)) for identifier, expires_at, fading in rows]


def past_attempt(row: Row) -> PastAttempt:
    """Read what a person may see of an attempt."""
    account, method, status, reason, created_at = row
    return PastAttempt(account, method, status, reason, moment(created_at))


def place(row: Row) -> Place:
    """Read a taken place."""
    account, method, taken_at = row
    return Place(account, Method(method), moment(taken_at))


def one_try(row: Row, own: tuple[bytes, bytes, bytes]) -> Try:
    """Read a try, compared with the account, contact and number of the one that is asked for."""
    _, tried_at, account, contact, number, asked = row
    return Try(
        at=moment(tried_at),
        number=bytes(number).hex(),
        asked=bool(asked),
        same_account=account == own[0],
        same_person=contact == own[1],
        same_number=number == own[2],
    )


def notice(row: Row) -> Notice:
    """Read a notice."""
    identifier, contact, news, attempt_id, account, method, status, reason, expires_at = row
    return Notice(
        id=identifier,
        contact=contact,
        news=News(news),
        attempt=AttemptId(attempt_id),
        account=account,
        method=Method(method),
        status=Status(status),
        reason=_reason(reason),
        expires_at=moment(expires_at),
    )


def result(row: Row) -> Result:
    """Read a result that is owed."""
    identifier, attempt_id, account, method, status, reason, simulated, judged_at, tries = row
    return Result(
        id=identifier,
        attempt=AttemptId(attempt_id),
        account=account,
        method=Method(method),
        status=Status(status),
        reason=_reason(reason),
        simulated=bool(simulated),
        at=moment(judged_at),
        tries=tries,
    )


def dialogue(row: Row, sealing: Sealing) -> Dialogue:
    """Read a dialogue."""
    person, text, language, revision, shown, sealed_panel, blocked = row
    return Dialogue(
        person=Person(person),
        text=sealing.open(text, dialogue_place(person, "text")),
        language=language,
        revision=revision,
        shown=shown,
        panel=panel(person, sealed_panel, sealing),
        blocked=bool(blocked),
    )


def panel(person: str, sealed: bytes | None, sealing: Sealing) -> str:
    """Read a dialogue's panel; none was shown yet where there is none."""
    return "" if sealed is None else sealing.open(sealed, dialogue_place(person, "panel"))


def consent(row: Row) -> Consent:
    """Read a consent."""
    person, account, kind, version, language, agreed_at = row
    return Consent(Person(person), account, kind, version, language, moment(agreed_at))


def litter(rows: Sequence[Row]) -> Sequence[Litter]:
    """Read messages that still have to vanish."""
    return [Litter(Person(person), message_id, moment(written_at)) for person, message_id, written_at in rows]


def sealed_place(table: str, row: str, column: str) -> str:
    """Where a sealed value stands."""
    return f"{table}:{row}:{column}"


def dialogue_place(person: str, column: str) -> str:
    """Where a dialogue's sealed column stands."""
    return sealed_place("dialogues", person, column)


def dead_update_place(event_id: str) -> str:
    """Where a buried update stands."""
    return sealed_place("dead_updates", event_id, "raw")


def _secrets_place(attempt_id: str) -> str:
    return sealed_place("attempts", attempt_id, "secrets")


def _secrets(attempt: Attempt) -> str:
    kept = {"token": attempt.token, "page": attempt.page}
    if attempt.identity is not None:
        kept |= {"name": attempt.identity.name.plain, "number": attempt.identity.number.plain}
    return json.dumps(kept)


def _reason(word: str | None) -> Reason | None:
    return None if word is None else Reason(word)
