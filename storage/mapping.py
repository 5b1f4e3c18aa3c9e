"""Rows to records and back: times as microseconds, secrets sealed for the row they stand in."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from storage.database import Row, Value
from storage.errors import Unsealable
from storage.sealing import Indexed, Sealing
from verification.attempts import Attempt, AttemptId, Method, Reason, Status
from verification.dialogue_store import Consent, Dialogue, Litter, PastAttempt, Person
from verification.identity import Identity, Name, Number
from verification.invitations import Link, LinkId
from verification.limits import Try
from verification.ports import Due, News, Notice, Place
from verification.result_outbox import Result
from verification.support.funnel import Counted, Step, Tally, Took, Wanted
from verification.support.store import Glimpse, Missed, Use

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


def link_values(link: Link) -> tuple[Value, ...]:
    """The values of `ADD_LINK`."""
    times = (ticks(link.made_at), ticks(link.expires_at))
    return (link.id, link.account, link.campaign, link.made_by, *times, link.method, link.language)


def link(row: Row) -> Link:
    """Read a link."""
    identifier, account, campaign, made_by, made_at, expires_at, method, language, person, opened, revoked, done = row
    return Link(
        id=LinkId(identifier),
        account=account,
        campaign=campaign,
        made_by=made_by,
        made_at=moment(made_at),
        expires_at=moment(expires_at),
        method=None if method is None else Method(method),
        language=language,
        person=person,
        opened_at=_moment(opened),
        revoked_at=_moment(revoked),
        verified=bool(done),
    )


def glimpse(row: Row, sealing: Sealing | None = None) -> Glimpse:
    """Read an attempt as support may see it; with `sealing`, its masked name and number too."""
    identifier, account, contact, method, status, reason, created_at, expires_at, *sealed = row
    name, number = _masked(identifier, sealed[0], sealing) if sealing is not None else ("", "")
    return Glimpse(
        id=AttemptId(identifier),
        account=account,
        contact=contact,
        method=Method(method),
        status=Status(status),
        reason=_reason(reason),
        created_at=moment(created_at),
        expires_at=moment(expires_at),
        name=name,
        number=number,
    )


def tally_values(tally: Tally) -> tuple[str, ...]:
    """The values of `TALLY`."""
    return (*_cohort(tally), tally.method or "", tally.step or "", tally.reason or "")


def time_values(tally: Tally) -> tuple[str | int, ...]:
    """The values of `TALLY_TIME`."""
    return (*_cohort(tally), tally.method or "", tally.step or "", tally.took or 0)


def cohorts(wanted: Wanted) -> tuple[Value, ...]:
    """The values that say which journeys a funnel is about."""
    asked = [value for value in (wanted.campaign, wanted.language) if value is not None]
    return (wanted.since.isoformat(), wanted.until.isoformat(), *asked)


def counted(row: Row) -> Counted:
    """Read a count."""
    group, step, method, reason, count = row
    return Counted(group, Step(step) if step else None, _method(method), _reason(reason or None), int(count))


def took(row: Row) -> Took:
    """Read a count of times."""
    group, step, method, of_bucket, count = row
    return Took(group, Step(step), _method(method), of_bucket, int(count))


def missed(row: Row, sealing: Sealing) -> Missed:
    """Read a question that nothing answered."""
    identifier, sealed, asked_at = row
    return Missed(identifier, sealing.open(sealed, missed_place(identifier)), moment(asked_at))


def use(row: Row) -> Use:
    """Read a use of the desk."""
    actor, action, subject, used_at = row
    return Use(actor, action, subject, moment(used_at))


def sealed_place(table: str, row: str, column: str) -> str:
    """Where a sealed value stands."""
    return f"{table}:{row}:{column}"


def dialogue_place(person: str, column: str) -> str:
    """Where a dialogue's sealed column stands."""
    return sealed_place("dialogues", person, column)


def dead_update_place(event_id: str) -> str:
    """Where a buried update stands."""
    return sealed_place("dead_updates", event_id, "raw")


def missed_place(row: str) -> str:
    """Where a question that nothing answered stands."""
    return sealed_place("missed", row, "text")


def _secrets_place(attempt_id: str) -> str:
    return sealed_place("attempts", attempt_id, "secrets")


def _secrets(attempt: Attempt) -> str:
    kept = {"token": attempt.token, "page": attempt.page}
    if attempt.identity is not None:
        kept |= {"name": attempt.identity.name.plain, "number": attempt.identity.number.plain}
    return json.dumps(kept)


def _reason(word: str | None) -> Reason | None:
    return None if word is None else Reason(word)


def _moment(ticks: int | None) -> datetime | None:
    return None if ticks is None else moment(ticks)


def _method(word: str) -> Method | None:
    return Method(word) if word else None


def _cohort(tally: Tally) -> tuple[str, str, str]:
    return tally.cohort.day.isoformat(), tally.cohort.campaign, tally.cohort.language


def _masked(identifier: str, sealed: bytes, sealing: Sealing) -> tuple[str, str]:
    try:
        kept = json.loads(sealing.open(sealed, _secrets_place(identifier)))
    except Unsealable:
        # Support sees the rest of it all the more.
        return "", ""
    return (Name(kept["name"]).masked, Number(kept["number"]).masked) if "number" in kept else ("", "")
