"""Maps rows to records and back: times as microseconds, secrets sealed for their row."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from storage.database import Row, Value
from storage.encryption.sealing import AssociatedData, IndexKind, Sealing
from storage.errors import DecryptionFailed
from verification.attempts import VERDICT_STATUSES, Attempt, AttemptId, AttemptStatus, Method, Reason
from verification.callers.store import CallerRequest
from verification.dialogue_store import Consent, Dialogue, PastAttempt, PendingDeletion
from verification.identity import Identity, Name, Number
from verification.ids import Account, Actor, Contact, FrontEnd, PersonId, front_end_of
from verification.invitations import Link, LinkId
from verification.limits import RateLimitRecord
from verification.ports import DueAttempt, Notice, NoticeKind, QuotaSlot
from verification.result_outbox import OutgoingResult
from verification.support.funnel import DurationCount, FunnelCount, FunnelIncrement, FunnelQuery, FunnelStep
from verification.support.store import AttemptSummary, AuditEntry, Dispute, UnansweredQuestion

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
LATEST = 2**63 - 1
"""Later than any time in the store."""


def to_micros(moment: datetime) -> int:
    """An aware time as whole microseconds since 1970; raises `TypeError` for a naive one."""
    return (moment - _EPOCH) // _MICROSECOND


def from_micros(micros: int) -> datetime:
    """The UTC time of these microseconds since 1970."""
    return _EPOCH + micros * _MICROSECOND


def attempt_values(attempt: Attempt, sealing: Sealing) -> tuple[Value, ...]:
    """The values of `SAVE_ATTEMPT`."""
    return (
        attempt.id,
        attempt.account,
        attempt.contact,
        attempt.method,
        attempt.status,
        attempt.match_code,
        to_micros(attempt.created_at),
        to_micros(attempt.expires_at),
        sealing.index(IndexKind.TOKEN, attempt.token),
        sealing.seal(_secrets(attempt), _secrets_aad(attempt.id)),
        attempt.reason,
        int(attempt.expiry_announced),
    )


def read_attempt(row: Row, sealing: Sealing) -> Attempt:
    """Read an attempt."""
    (
        identifier,
        account,
        contact,
        method,
        status,
        match_code,
        created_at,
        expires_at,
        sealed,
        reason,
        expiry_announced,
    ) = row
    secret_fields = msgspec.json.decode(sealing.open(sealed, _secrets_aad(identifier)))
    return Attempt(
        id=AttemptId(identifier),
        account=Account(account),
        contact=Contact(contact),
        method=Method(method),
        status=AttemptStatus(status),
        match_code=match_code,
        created_at=from_micros(created_at),
        expires_at=from_micros(expires_at),
        identity=Identity(Name(secret_fields["name"]), Number(secret_fields["number"]))
        if "number" in secret_fields
        else None,
        token=secret_fields["token"],
        provider_state=secret_fields["page"],
        reason=_reason(reason),
        expiry_announced=bool(expiry_announced),
    )


def read_due_attempts(rows: Sequence[Row]) -> Sequence[DueAttempt]:
    """Read attempts that have expired or soon will."""
    return [
        DueAttempt(
            AttemptId(identifier),
            Method(method),
            AttemptStatus(status),
            from_micros(expires_at),
            expiry_announced=bool(expiry_announced),
        )
        for identifier, method, status, expires_at, expiry_announced in rows
    ]


def read_past_attempt(row: Row) -> PastAttempt:
    """Read what a person may see of an attempt."""
    account, method, status, reason, created_at = row
    return PastAttempt(
        account=Account(account), method=method, status=status, reason=reason, created_at=from_micros(created_at)
    )


def read_quota_slot(row: Row) -> QuotaSlot:
    """Read a taken quota slot."""
    account, method, taken_at, simulated = row
    return QuotaSlot(Account(account), Method(method), from_micros(taken_at), bool(simulated))


def read_rate_limit_record(row: Row, own: tuple[bytes, bytes, bytes]) -> RateLimitRecord:
    """Read a rate limit record, compared with the account, contact and number of the requested attempt."""
    _, tried_at, account, contact, number, asked = row
    return RateLimitRecord(
        at=from_micros(tried_at),
        number=bytes(number).hex(),
        provider_called=bool(asked),
        same_account=account == own[0],
        same_person=contact == own[1],
        same_number=number == own[2],
    )


def read_notice(row: Row) -> Notice:
    """Read a notice."""
    identifier, contact, kind, attempt_id, account, method, status, reason, expires_at, simulated = row
    return Notice(
        id=identifier,
        contact=Contact(contact),
        kind=NoticeKind(kind),
        attempt=AttemptId(attempt_id),
        account=Account(account),
        method=Method(method),
        status=AttemptStatus(status),
        reason=_reason(reason),
        expires_at=from_micros(expires_at),
        simulated=bool(simulated),
    )


def result_values(attempt: Attempt, now: datetime, *, simulated: bool) -> tuple[Value, ...]:
    """The values of `POST_RESULT`: a verdict, or other news of the attempt."""
    is_verdict = attempt.status in VERDICT_STATUSES
    return (
        attempt.id if is_verdict else f"{attempt.id}:{attempt.status}",
        attempt.account,
        attempt.method,
        attempt.status,
        attempt.reason,
        int(simulated),
        to_micros(now),
        front_end_of(attempt.contact),
        None if is_verdict else "pending",
    )


def read_result(row: Row) -> OutgoingResult:
    """Read an undelivered result."""
    identifier, key, account, method, status, reason, simulated, judged_at, front_end, tries = row
    return OutgoingResult(
        id=identifier,
        attempt=AttemptId(key.partition(":")[0]),
        account=Account(account),
        method=Method(method),
        status=AttemptStatus(status),
        reason=_reason(reason),
        simulated=bool(simulated),
        at=from_micros(judged_at),
        front_end=FrontEnd(front_end),
        tries=tries,
    )


def read_dialogue(row: Row, sealing: Sealing) -> Dialogue:
    """Read a dialogue."""
    person, text, language, revision, shown, sealed_panel, blocked = row
    return Dialogue(
        person=PersonId(person),
        text=sealing.open(text, dialogue_aad(person, "text")),
        language=language,
        revision=revision,
        shown=shown,
        panel=read_panel(person, sealed_panel, sealing),
        blocked=bool(blocked),
    )


def read_panel(person: PersonId, sealed: bytes | None, sealing: Sealing) -> str:
    """Read a dialogue's panel; empty when none was shown yet."""
    return "" if sealed is None else sealing.open(sealed, dialogue_aad(person, "panel"))


def read_consent(row: Row) -> Consent:
    """Read a consent."""
    person, account, kind, version, language, agreed_at = row
    return Consent(
        person=PersonId(person),
        account=Account(account),
        kind=kind,
        version=version,
        language=language,
        at=from_micros(agreed_at),
    )


def read_pending_deletions(rows: Sequence[Row]) -> Sequence[PendingDeletion]:
    """Read messages that are still to be deleted."""
    return [
        PendingDeletion(PersonId(person), message_id, from_micros(written_at))
        for person, message_id, written_at in rows
    ]


def link_values(link: Link) -> tuple[Value, ...]:
    """The values of `ADD_LINK`."""
    times = (to_micros(link.made_at), to_micros(link.expires_at))
    return (link.id, link.account, link.campaign, link.made_by, *times, link.method, link.language)


def read_link(row: Row) -> Link:
    """Read a link."""
    identifier, account, campaign, made_by, made_at, expires_at, method, language, person, *rest = row
    opened, revoked, verified, expired = rest
    return Link(
        id=LinkId(identifier),
        account=Account(account),
        campaign=campaign,
        made_by=Actor(made_by),
        made_at=from_micros(made_at),
        expires_at=from_micros(expires_at),
        method=None if method is None else Method(method),
        language=language,
        person=None if person is None else PersonId(person),
        opened_at=_optional_time(opened),
        revoked_at=_optional_time(revoked),
        verified=bool(verified),
        expired=bool(expired),
    )


def read_attempt_summary(row: Row, sealing: Sealing | None = None) -> AttemptSummary:
    """Read an attempt as support may see it; with `sealing`, its masked name and number too."""
    identifier, account, contact, method, status, reason, created_at, expires_at, *sealed = row
    name, number = _masked(identifier, sealed[0], sealing) if sealing is not None else ("", "")
    return AttemptSummary(
        id=AttemptId(identifier),
        account=Account(account),
        contact=Contact(contact),
        method=Method(method),
        status=AttemptStatus(status),
        reason=_reason(reason),
        created_at=from_micros(created_at),
        expires_at=from_micros(expires_at),
        name=name,
        number=number,
    )


def read_dispute(row: Row) -> Dispute:
    """Read a dispute."""
    attempt, reason, method, disputed_at = row
    return Dispute(
        attempt=AttemptId(attempt),
        reason=Reason(reason),
        method=None if method is None else Method(method),
        at=from_micros(disputed_at),
    )


def caller_request_values(request: CallerRequest) -> tuple[Value, ...]:
    """The values of `ADD_CALLER_REQUEST`."""
    return (
        request.request_index,
        request.fields_index,
        request.attempt,
        request.front_end,
        request.account,
        request.language,
        to_micros(request.at),
    )


def read_caller_request(row: Row) -> CallerRequest:
    """Read a request of an API caller."""
    request_index, fields_index, attempt, front_end, account, language, requested_at = row
    return CallerRequest(
        request_index=bytes(request_index),
        fields_index=bytes(fields_index),
        attempt=AttemptId(attempt),
        front_end=FrontEnd(front_end),
        account=Account(account),
        language=language,
        at=from_micros(requested_at),
    )


def increment_values(increment: FunnelIncrement) -> tuple[str, ...]:
    """The values of `ADD_FUNNEL_COUNT`."""
    return (*_cohort(increment), increment.method or "", increment.step or "", increment.reason or "")


def duration_values(increment: FunnelIncrement) -> tuple[str | int, ...]:
    """The values of `ADD_FUNNEL_DURATION`."""
    return (*_cohort(increment), increment.method or "", increment.step or "", increment.bucket or 0)


def query_values(query: FunnelQuery) -> tuple[Value, ...]:
    """The values of the conditions that a query selects its journeys by."""
    filters = [value for value in (query.campaign, query.language) if value is not None]
    return (query.since.isoformat(), query.until.isoformat(), *filters)


def read_count(row: Row) -> FunnelCount:
    """Read a funnel count."""
    group, step, method, reason, count = row
    return FunnelCount(group, FunnelStep(step) if step else None, _method(method), _reason(reason or None), int(count))


def read_duration_count(row: Row) -> DurationCount:
    """Read a count of durations."""
    group, step, method, bucket, count = row
    return DurationCount(group=group, step=FunnelStep(step), method=_method(method), bucket=bucket, count=int(count))


def read_unanswered_question(row: Row, sealing: Sealing) -> UnansweredQuestion:
    """Read an unanswered question."""
    identifier, sealed, asked_at = row
    return UnansweredQuestion(
        id=identifier, text=sealing.open(sealed, unanswered_aad(identifier)), at=from_micros(asked_at)
    )


def read_audit_entry(row: Row) -> AuditEntry:
    """Read an audit entry."""
    actor, action, subject, used_at = row
    return AuditEntry(actor=Actor(actor), action=action, subject=subject, at=from_micros(used_at))


def associated_data(*, table: str, row: str, column: str) -> AssociatedData:
    """The associated data that binds a sealed value to its row and column."""
    return AssociatedData(f"{table}:{row}:{column}")


def dialogue_aad(person: PersonId, column: str) -> AssociatedData:
    """The associated data of a dialogue's sealed column."""
    return associated_data(table="dialogues", row=person, column=column)


def dead_letter_aad(event_id: str) -> AssociatedData:
    """The associated data of a dead letter."""
    return associated_data(table="dead_updates", row=event_id, column="raw")


def unanswered_aad(row: str) -> AssociatedData:
    """The associated data of an unanswered question."""
    return associated_data(table="missed", row=row, column="text")


def _secrets_aad(attempt_id: str) -> AssociatedData:
    return associated_data(table="attempts", row=attempt_id, column="secrets")


def _secrets(attempt: Attempt) -> str:
    secret_fields = {"token": attempt.token, "page": attempt.provider_state}
    if attempt.identity is not None:
        secret_fields |= {"name": attempt.identity.name.plain, "number": attempt.identity.number.plain}
    return msgspec.json.encode(secret_fields).decode()


def _reason(text: str | None) -> Reason | None:
    return None if text is None else Reason(text)


def _optional_time(micros: int | None) -> datetime | None:
    return None if micros is None else from_micros(micros)


def _method(text: str) -> Method | None:
    return Method(text) if text else None


def _cohort(increment: FunnelIncrement) -> tuple[str, str, str]:
    return increment.cohort.day.isoformat(), increment.cohort.campaign, increment.cohort.language


def _masked(identifier: str, sealed: bytes, sealing: Sealing) -> tuple[str, str]:
    try:
        secret_fields = msgspec.json.decode(sealing.open(sealed, _secrets_aad(identifier)))
    except DecryptionFailed:
        # Support needs the rest of a damaged attempt all the more.
        return "", ""
    return (
        (Name(secret_fields["name"]).masked, Number(secret_fields["number"]).masked)
        if "number" in secret_fields
        else ("", "")
    )
