"""Each state's own question, so that whatever was lost on the way can be asked again."""

from collections.abc import Callable
from dataclasses import replace

from bot.flow import states
from bot.flow.effects import (
    Ask,
    Busy,
    CopyLink,
    Hour,
    Languages,
    Left,
    OpenHere,
    Pick,
    Reply,
    Rows,
    ShowCode,
    Stamp,
    Tell,
    Topic,
    Url,
    Values,
    Word,
)
from bot.flow.effects import Picture as Card
from bot.flow.events import Choice
from bot.flow.states import Scanning, Stage, State
from verification.attempts import Reason, code_of
from verification.identity import mask_account

CONSENT = "identity"
FACE_CONSENT = "face"
CONSENT_VERSION = "2026-11-23"
"""Changes whenever the sentences a person agrees to change in meaning."""


def prompt(state: State, note: str | None = None) -> Reply:
    """The question of a state, whole; `note` is said above it."""
    question = _PROMPTS[type(state)](state)
    if note is not None and isinstance(question, Ask | ShowCode):
        return replace(question, note=note)
    return question


def again(state: State, note: str) -> Reply:
    """The question of a state in few words, for somebody who has just read it; a code on the screen stays there."""
    question = prompt(state, note)
    return replace(question, text=f"{question.text}_again") if isinstance(question, Ask) else Tell(note)


def suggested_first(state: State, offered: tuple[Choice, ...]) -> tuple[Choice, ...]:
    """What a state offers; a way that a link suggests comes first."""
    way = state.suggested if isinstance(state, states.ChoosingMethod) else None
    return offered if way is None else tuple(sorted(offered, key=lambda choice: choice.value != way.value))


def caption_of(state: Scanning) -> tuple[str, Values, Rows]:
    """What stands under a code, and its buttons."""
    values: Values = {
        **_account(state),
        "code": state.match_code,
        **deadline(state),
        "steps": Word(f"scan.steps.{state.method}"),
        "method": Word(f"method.{state.method}"),
    }
    if state.stage is Stage.WAITING:
        rows: Rows = (
            (Pick(Choice.NEW_CODE), Pick(Choice.OTHER_WAY)),
            (CopyLink(state.link), OpenHere(state.link)),
            (Topic("blank_page"),),
            (Pick(Choice.CANCEL),),
        )
    else:
        rows = ((Pick(Choice.NEW_CODE), Pick(Choice.OTHER_WAY)), (Topic("blank_page"),), (Pick(Choice.CANCEL),))
    return f"scan.{state.stage}", values, rows


def deadline(state: Scanning) -> Values:
    """Until when a code is good, and how long that is."""
    return {"until": Hour(state.expires_at), "left": Left(state.expires_at)}


def method_values(state: states.Attempting | states.Verified) -> Values:
    """What texts about an attempt may name; its code is what a person reads out to support."""
    return {**_account(state), "method": Word(f"method.{state.method}"), "ticket": code_of(state.attempt)}


def _account(state: states.Known) -> Values:
    return {"account": mask_account(state.account)}


def _identity(state: states.Identified) -> Values:
    return {**_account(state), "name": state.identity.name.masked, "number": state.identity.number.masked}


def _idle(state: states.Idle) -> Reply:
    rows: Rows = ((Pick(Choice.BEGIN),), (Topic(), Languages()))
    return Ask(state.mark, "idle.ask", _account(state), rows)


def _type(state: states.ChoosingType) -> Reply:
    rows: Rows = (
        (Pick(Choice.PERSONAL),),
        (Pick(Choice.ENTERPRISE), Pick(Choice.OVERSEAS)),
        (Topic(), Languages()),
    )
    return Ask(state.mark, "type.ask", {**_account(state), "facts": Word("type.facts")}, rows)


def _enterprise(state: states.ReadingEnterprise) -> Reply:
    rows: Rows = ((Url("enterprise"),), (Topic("enterprise"),), (Pick(Choice.PERSONAL), Pick(Choice.BACK)))
    return Ask(state.mark, "enterprise.ask", _account(state), rows)


def _overseas(state: states.ReadingOverseas) -> Reply:
    rows: Rows = (
        (Url("international"),),
        (Topic("overseas"),),
        (Pick(Choice.PERSONAL), Pick(Choice.BACK)),
    )
    return Ask(state.mark, "overseas.ask", _account(state), rows)


def _invitation(state: states.ReadingInvitation) -> Reply:
    rows: Rows = (
        (Pick(Choice.MINE),),
        (Pick(Choice.NOT_MINE),),
        (Pick(Choice.ENTERPRISE), Pick(Choice.OVERSEAS)),
        (Topic(), Languages()),
    )
    return Ask(state.mark, "invitation.ask", {**_account(state), "facts": Word("type.facts")}, rows)


def _consent(state: states.Agreeing) -> Reply:
    rows: Rows = ((Pick(Choice.AGREE), Pick(Choice.NOT_NOW)), (Topic("notice"),))
    return Ask(state.mark, "consent.ask", _account(state), rows)


def _name(state: states.AskingName) -> Reply:
    return Ask(state.mark, "name.ask", _account(state), placeholder="name.placeholder")


def _number(state: states.AskingNumber) -> Reply:
    values: Values = {**_account(state), "name": state.name.masked}
    return Ask(state.mark, "number.ask", values, placeholder="number.placeholder")


def _other_name(state: states.ChangingName) -> Reply:
    return Ask(state.mark, "other_name.ask", _identity(state), placeholder="name.placeholder")


def _other_number(state: states.ChangingNumber) -> Reply:
    return Ask(state.mark, "other_number.ask", _identity(state), placeholder="number.placeholder")


def _confirm(state: states.Confirming) -> Reply:
    rows: Rows = (
        (Pick(Choice.CONFIRM),),
        (Pick(Choice.CHANGE_NAME), Pick(Choice.CHANGE_NUMBER)),
        (Topic("icp"),),
        (Pick(Choice.CANCEL),),
    )
    return Ask(state.mark, "confirm.ask", _identity(state), rows)


def _method(state: states.ChoosingMethod) -> Reply:
    ways: Rows = tuple((Pick(way),) for way in suggested_first(state, (Choice.WECHAT, Choice.QQ, Choice.FACE)))
    rows: Rows = (*ways, (Topic("which_way"),), (Pick(Choice.BACK), Pick(Choice.CANCEL)))
    if state.suggested is None:
        return Ask(state.mark, "method.ask", _account(state), rows)
    values: Values = {**_account(state), "method": Word(f"method.{state.suggested}")}
    return Ask(state.mark, "method.ask", values, rows, "method.suggested")


def _face_consent(state: states.AgreeingFace) -> Reply:
    rows: Rows = ((Pick(Choice.AGREE), Pick(Choice.OTHER_WAY)), (Topic("notice"),), (Pick(Choice.CANCEL),))
    return Ask(state.mark, "face_consent.ask", _account(state), rows)


def _opening(_: states.Opening) -> Reply:
    return Busy()


def _scan(state: Scanning) -> Reply:
    text, values, rows = caption_of(state)
    return ShowCode(state.mark, state.link, text, values, rows)


def _expired(state: states.Expired) -> Reply:
    rows: Rows = ((Pick(Choice.NEW_CODE), Pick(Choice.OTHER_WAY)), (Pick(Choice.CANCEL),))
    return Stamp(state.mark, Card.EXPIRED, "expired.ask", method_values(state), rows, in_place=False)


_TOPIC_OF = {
    Reason.QUOTA: "three_accounts",
    Reason.NO_CARD: "bank_card",
    Reason.DECLINED: "unknown_code",
    Reason.MISMATCH: "data_error",
    Reason.FACE_COVERED: "face_fails",
    Reason.FACE_DIFFERS: "face_fails",
    Reason.FACE_OUT_OF_FRAME: "face_fails",
}


def _failed(state: states.Failed) -> Reply:
    topic = Topic(_TOPIC_OF.get(state.reason, ""))
    rows: Rows = (
        (Pick(Choice.TRY_AGAIN), Pick(Choice.OTHER_WAY)),
        (Pick(Choice.CHANGE_DATA), Pick(Choice.CANCEL)),
    )
    values = {**method_values(state), "reason": Word(f"reason.{state.reason}")}
    if state.until is not None:
        # No other way would help here, but there is another place.
        return Ask(state.mark, "failed.later", {**values, "until": state.until}, ((Url("console"),), *rows))
    # What to do about a full number stands in the FAQ: trying again comes after that.
    rows = ((topic,), *rows) if state.reason is Reason.QUOTA else (*rows, (topic,))
    return Ask(state.mark, "failed.ask", values, rows)


def _verified(state: states.Verified) -> Reply:
    rows: Rows = ((Url("console"),), (Topic("change"),), (Topic("icp"), Topic()))
    return Ask(state.mark, "verified.ask", {**method_values(state), "at": state.at}, rows)


# Each question takes its own state; the table is read with that very type.
_PROMPTS: dict[type[State], Callable[..., Reply]] = {
    states.Idle: _idle,
    states.ChoosingType: _type,
    states.ReadingEnterprise: _enterprise,
    states.ReadingOverseas: _overseas,
    states.ReadingInvitation: _invitation,
    states.Agreeing: _consent,
    states.AskingName: _name,
    states.AskingNumber: _number,
    states.ChangingName: _other_name,
    states.ChangingNumber: _other_number,
    states.Confirming: _confirm,
    states.ChoosingMethod: _method,
    states.AgreeingFace: _face_consent,
    states.Opening: _opening,
    states.Scanning: _scan,
    states.Expired: _expired,
    states.Failed: _failed,
    states.Verified: _verified,
}
