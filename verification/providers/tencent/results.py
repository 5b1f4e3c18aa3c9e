"""Reads `Text` of GetDetectInfoEnhanced: how the flow went, and whether a pass is the one that was asked for.

Every field may be null or missing, and of any type. A pass counts only when liveness and comparison both passed, and
when nothing in it names another number, name or attempt.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from verification.attempts import Attempt, Reason
from verification.identity import clean_name
from verification.providers.tencent.codes import (
    ALREADY_DONE,
    COVERED_TAG,
    FLOW_CODES,
    NO_TRIES_LEFT,
    NOT_FINISHED,
    PASSED,
)
from verification.record import Record

_OWN_LIBRARY = "业务方自有库"
"""The comparison was with a photo from the operator's own library, which proves nothing about the police's record."""

_PICTURE_REASONS = frozenset({Reason.FACE_UNCLEAR, Reason.FACE_DIFFERS, Reason.FACE_OUT_OF_FRAME})
"""A tag explains these. It does not explain why the police's record has no such person."""


class NotFinished(Record):
    """No result yet; `has_tries` says that the person has begun the check."""

    has_tries: bool = False


class FlowPassed(Record):
    """The person passed, with our number, name and attempt."""


class ForeignPass(Record):
    """A pass that proves nothing about our person; `field` is the name of the field that differs."""

    field: str


class FlowFailed(Record):
    """The result at this time: `code`, after that many tries; `reason` is None for an unknown code."""

    code: int | str
    tries: int
    reason: Reason | None


FlowResult = NotFinished | FlowPassed | ForeignPass | FlowFailed


def read_text(text: object, attempt: Attempt) -> FlowResult:
    """Read the answer's `Text`."""
    fields = text if isinstance(text, Mapping) else {}
    tries = _tries(fields)
    codes = [_code(fields.get(name)) for name in ("ErrCode", "LiveStatus", "Comparestatus")]
    if codes[0] in (None, NOT_FINISHED, ALREADY_DONE):
        return NotFinished(has_tries=bool(tries))
    failing = next((code for code in codes if code is not None and code != PASSED), None)
    if failing is not None:
        explaining = _last_code(tries) if failing == NO_TRIES_LEFT else failing
        return FlowFailed(failing, len(tries), _reason(explaining, fields.get("LivenessInfoTag")))
    if None in codes or not _names_somebody(fields):
        # It may be complete at the next poll; until then nothing is proven.
        return NotFinished(has_tries=True)
    foreign = _foreign_field(fields, attempt)
    return FlowPassed() if foreign is None else ForeignPass(foreign)


def charged_tries(text: object) -> int:
    """How many comparisons of a flow the vendor charges for."""
    tries = _tries(text if isinstance(text, Mapping) else {})
    return sum(isinstance(each, Mapping) and each.get("IsNeedCharge") is True for each in tries)


def _tries(fields: Mapping[str, Any]) -> Sequence[object]:
    detail = fields.get("LivenessDetail")
    return detail if isinstance(detail, list) else []


def _code(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _last_code(tries: Sequence[object]) -> int:
    last = tries[-1] if tries else None
    code = _code(last.get("Errcode")) if isinstance(last, Mapping) else None
    return code if code is not None and code in FLOW_CODES else NO_TRIES_LEFT


def _reason(code: int, tags: object) -> Reason | None:
    reason = FLOW_CODES.get(code)
    if reason in _PICTURE_REASONS and isinstance(tags, list) and tags:
        return Reason.FACE_COVERED if COVERED_TAG in tags else Reason.FACE_UNCLEAR
    return reason


def _names_somebody(fields: Mapping[str, Any]) -> bool:
    """Whether at least one field ties the pass to the attempt; with all of them null it would be anybody's."""
    return any(isinstance(fields.get(name), str) for name in ("Extra", "IdCard"))


def _foreign_field(fields: Mapping[str, Any], attempt: Attempt) -> str | None:
    """The first field that names another attempt, number, name or kind of proof; null fields say nothing."""
    expected = {"Extra": str(attempt.id)}
    if attempt.identity is not None:
        expected |= {"IdCard": attempt.identity.number.plain, "Name": attempt.identity.name.plain}
    found = {"Extra": fields.get("Extra"), "IdCard": _upper(fields.get("IdCard")), "Name": _name(fields.get("Name"))}
    for name, value in expected.items():
        if found[name] not in (None, value):
            return name
    return "CompareLibType" if str(fields.get("CompareLibType")).startswith(_OWN_LIBRARY) else None


def _upper(number: object) -> object:
    return number.upper() if isinstance(number, str) else number


def _name(name: object) -> object:
    return clean_name(name) if isinstance(name, str) else name
