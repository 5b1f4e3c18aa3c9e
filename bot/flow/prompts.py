"""Builds each state's own question, so that a reply that was lost can be replaced by asking again."""

from collections.abc import Callable

from msgspec.structs import replace

from bot.flow import states
from bot.flow.effects import (
    AskQuestion,
    Button,
    ChoiceButton,
    ClockTime,
    CopyLinkButton,
    FormButton,
    LanguagesButton,
    OpenLinkButton,
    RemainingTime,
    ReplaceCodeWithPicture,
    Reply,
    Rows,
    SendText,
    Sensitive,
    ShowChatAction,
    ShowCode,
    ShowCodeButton,
    TextKey,
    TopicButton,
    UrlButton,
    Value,
    Values,
)
from bot.flow.effects import Picture as Card
from bot.flow.events import Choice
from bot.flow.states import PhoneStage, Scanning, State
from verification.attempts import APP_OF_METHOD, Method, Reason, reference_code
from verification.identity import mask_account

CONSENT = "identity"
ABROAD_CONSENT = "abroad"
FACE_CONSENT = "face"
NETID_CONSENT = "netid"
CONSENT_VERSION = "2026-11-30"
"""Change it whenever the sentences that a person agrees to change in meaning."""


CODE_AGAIN: Rows = ((ShowCodeButton(),),)
"""The way back to the code, under every text that points at it."""

_FORM: Rows = ((FormButton(),),)
"""Name and number may be typed on a page of ours instead."""

_AFTER_CONSENT = (
    states.AskingName
    | states.CheckingName
    | states.AskingNumber
    | states.Identified
    | states.Attempting
    | states.ReadingInvitation
)
"""The states whose questions show the record of the consent; an invitation may interrupt any of them."""


def prompt(state: State, note: str | None = None) -> Reply:
    """The full question of a state; `note` is the key of a text above it."""
    question = _PROMPTS[type(state)](state)
    if isinstance(question, AskQuestion) and isinstance(state, _AFTER_CONSENT):
        question = replace(question, keeps_record=True)
    if note is not None and isinstance(question, AskQuestion | ShowCode):
        return replace(question, note=note)
    return question


def short_prompt(state: State, note: str) -> AskQuestion | SendText:
    """The question of a state in few words, for a person who has just read it; a code on the screen stays."""
    question = prompt(state, note)
    if not isinstance(question, AskQuestion):
        return SendText(note)
    return replace(question, text=f"{question.text}_again", is_short=True)


def suggested_first(state: State, offered: tuple[Choice, ...]) -> tuple[Choice, ...]:
    """The choices of a state; what is most likely to succeed comes first."""
    match state:
        case states.Confirming(suggested=Method() as method):
            first = Choice(method.value)
        case states.Failed(reason=Reason.NO_PHOTO):
            first = Choice.OTHER_METHOD
        case _:
            return offered
    return tuple(sorted(offered, key=lambda choice: choice is not first))


def caption_of(state: Scanning) -> tuple[str, Values, Rows]:
    """The caption of a code, as text key, values and buttons."""
    values: Values = {
        **_account(state),
        "code": state.match_code,
        **deadline(state),
        "mark": TextKey("test_mark_short") if state.simulated else "",
        "steps": TextKey(_steps(state)),
        "method": TextKey(f"method.{state.method}"),
    }
    changes = (ChoiceButton(Choice.NEW_CODE), ChoiceButton(Choice.OTHER_METHOD), ChoiceButton(Choice.CANCEL))
    if state.stage is PhoneStage.WAITING:
        one_phone = TopicButton("one_phone", "button.one_phone")
        help_row: tuple[Button, ...] = (CopyLinkButton(state.link), OpenLinkButton(state.link), one_phone)
    else:
        help_row = (TopicButton("blank_page"),)
    return f"scan.{state.stage}", values, (changes, help_row)


def _steps(state: Scanning) -> str:
    """The key of what to do on the phone: on simulated pages, at the method's usual app, or in the provider's own."""
    if state.simulated:
        return f"scan.steps.{state.method}"
    usual = state.app is None or state.app is APP_OF_METHOD[state.method]
    return f"scan.elsewhere.{state.method}" if usual else f"scan.elsewhere.in_{state.app}"


def deadline(state: Scanning) -> Values:
    """When a code expires, and how much time remains."""
    return {"until": ClockTime(state.expires_at), "left": RemainingTime(state.expires_at)}


def mark(simulated: bool) -> Value:  # noqa: FBT001 - it is the one thing that a mark is about
    """What stands above a text about an attempt whose provider proves nothing; empty for a real provider."""
    return TextKey("test_mark") if simulated else ""


def method_values(state: states.Attempting | states.Verified) -> Values:
    """The values of texts about an attempt; `ticket` is the reference code that a person gives to support.

    `details` says what became of name and number; a network identity needs none.
    """
    details = "deleted" if isinstance(state, states.Verified) else "kept"
    return {
        **_account(state),
        "method": TextKey(f"method.{state.method}"),
        "ticket": reference_code(state.attempt),
        "details": TextKey(f"details.{details if state.method.takes_identity else 'none'}"),
    }


def _account(state: states.StateBase) -> Values:
    return {"account": mask_account(state.account)}


def _identity(state: states.Identified) -> Values:
    return {**_account(state), "name": state.identity.name.masked, "number": state.identity.number.masked}


def _idle(state: states.Idle) -> Reply:
    rows: Rows = ((ChoiceButton(Choice.BEGIN),), (TopicButton(), LanguagesButton()))
    return AskQuestion(question_id=state.question_id, text="idle.ask", values=_account(state), rows=rows)


def _type(state: states.ChoosingType) -> Reply:
    rows: Rows = (
        (ChoiceButton(Choice.PERSONAL),),
        (ChoiceButton(Choice.ENTERPRISE), ChoiceButton(Choice.OVERSEAS)),
        (TopicButton(), LanguagesButton()),
    )
    return AskQuestion(
        question_id=state.question_id,
        text="type.ask",
        values={**_account(state), "facts": TextKey("type.facts")},
        rows=rows,
    )


def _enterprise(state: states.ReadingEnterprise) -> Reply:
    rows: Rows = (
        (UrlButton("enterprise"),),
        (TopicButton("enterprise"),),
        (ChoiceButton(Choice.PERSONAL), ChoiceButton(Choice.BACK)),
    )
    return AskQuestion(question_id=state.question_id, text="enterprise.ask", values=_account(state), rows=rows)


def _overseas(state: states.ReadingOverseas) -> Reply:
    rows: Rows = (
        (UrlButton("international"),),
        (TopicButton("overseas"),),
        (ChoiceButton(Choice.PERSONAL), ChoiceButton(Choice.BACK)),
    )
    return AskQuestion(question_id=state.question_id, text="overseas.ask", values=_account(state), rows=rows)


def _invitation(state: states.ReadingInvitation) -> Reply:
    rows: Rows = (
        (ChoiceButton(Choice.MINE),),
        (ChoiceButton(Choice.NOT_MINE),),
        (ChoiceButton(Choice.ENTERPRISE), ChoiceButton(Choice.OVERSEAS)),
        (TopicButton(), LanguagesButton()),
    )
    return AskQuestion(
        question_id=state.question_id,
        text="invitation.ask",
        values={**_account(state), "facts": TextKey("type.facts")},
        rows=rows,
    )


def _consent(state: states.Agreeing) -> Reply:
    rows: Rows = (
        (ChoiceButton(Choice.AGREE), ChoiceButton(Choice.NOT_NOW)),
        (ChoiceButton(Choice.NETID),),
        (TopicButton("notice"),),
    )
    return AskQuestion(question_id=state.question_id, text="consent.ask", values=_account(state), rows=rows)


def _name(state: states.AskingName) -> Reply:
    return _typed(state, "name.ask", _account(state))


def _checking_name(state: states.CheckingName) -> Reply:
    rows: Rows = ((ChoiceButton(Choice.NAME_RIGHT),), (ChoiceButton(Choice.NAME_WRONG),), *_FORM)
    values: Values = {**_account(state), "name": Sensitive(state.name.plain)}
    return AskQuestion(question_id=state.question_id, text="check_name.ask", values=values, rows=rows)


def _number(state: states.AskingNumber) -> Reply:
    return _typed(state, "number.ask", {**_account(state), "name": state.name.masked})


def _other_name(state: states.ChangingName) -> Reply:
    return _typed(state, "other_name.ask", _identity(state))


def _other_number(state: states.ChangingNumber) -> Reply:
    return _typed(state, "other_number.ask", _identity(state))


def _typed(state: states.AsksForText, text: str, values: Values) -> Reply:
    rows: Rows = (*_FORM, (ChoiceButton(Choice.BACK), ChoiceButton(Choice.CANCEL)))
    return AskQuestion(question_id=state.question_id, text=text, values=values, rows=rows)


def _confirm(state: states.Confirming) -> Reply:
    methods = suggested_first(state, (Choice.WECHAT, Choice.QQ, Choice.FACE))
    rows: Rows = (
        *((ChoiceButton(method),) for method in methods),
        (ChoiceButton(Choice.CHANGE_NAME), ChoiceButton(Choice.CHANGE_NUMBER)),
        (TopicButton("which_way", "button.which_way"), TopicButton("icp", "button.icp"), ChoiceButton(Choice.CANCEL)),
    )
    values, is_confidential = _identity(state), state.identity.name.is_confidential
    if not (state.is_checked or is_confidential):
        # The check digit finds a mistyped number; nothing but the person finds a mistyped name.
        values = {**values, "name": Sensitive(state.identity.name.plain)}
    if state.suggested is not None:
        values = {**values, "method": TextKey(f"method.{state.suggested}")}
    private_note = "confirm.private" if is_confidential and not state.is_checked else None
    note = private_note if state.suggested is None else "method.suggested"
    return AskQuestion(question_id=state.question_id, text="confirm.ask", values=values, rows=rows, note=note)


def _face_consent(state: states.AgreeingFace) -> Reply:
    rows: Rows = (
        (ChoiceButton(Choice.AGREE), ChoiceButton(Choice.OTHER_METHOD)),
        (TopicButton("notice"),),
        (ChoiceButton(Choice.CANCEL),),
    )
    return AskQuestion(question_id=state.question_id, text="face_consent.ask", values=_account(state), rows=rows)


def _opening(_: states.Opening) -> Reply:
    return ShowChatAction()


def _scan(state: Scanning) -> Reply:
    text, values, rows = caption_of(state)
    return ShowCode(question_id=state.question_id, link=state.link, text=text, values=values, rows=rows)


def _expired(state: states.Expired) -> Reply:
    rows: Rows = ((ChoiceButton(Choice.NEW_CODE), ChoiceButton(Choice.OTHER_METHOD)), (ChoiceButton(Choice.CANCEL),))
    return ReplaceCodeWithPicture(
        question_id=state.question_id,
        picture=Card.EXPIRED,
        text="expired.ask" if state.stage is PhoneStage.WAITING else "expired.unanswered",
        values=method_values(state),
        rows=rows,
    )


_TOPIC_OF = {
    Reason.NO_CARD: "bank_card",
    Reason.DECLINED: "unknown_code",
    Reason.MISMATCH: "data_error",
    Reason.FACE_COVERED: "face_fails",
    Reason.FACE_DIFFERS: "face_fails",
    Reason.FACE_OUT_OF_FRAME: "face_fails",
    Reason.FACE_UNCLEAR: "face_fails",
    Reason.NO_PHOTO: "which_way",
    Reason.QUOTA: "three_accounts",
}


def _failed(state: states.Failed) -> Reply:
    topic = TopicButton(_TOPIC_OF.get(state.reason, ""))
    again = (ChoiceButton(Choice.TRY_AGAIN), ChoiceButton(Choice.OTHER_METHOD))
    # Where the authority has no photo to compare with, another method is the way on.
    first = again[::-1] if state.reason is Reason.NO_PHOTO else again
    change = () if state.identity is None else (ChoiceButton(Choice.CHANGE_DATA),)
    rows: Rows = (first, (*change, ChoiceButton(Choice.CANCEL)))
    values = {**method_values(state), "reason": TextKey(f"reason.{state.reason}")}
    if state.until is not None:
        # Another method is under the same limit; the web console is the alternative.
        return AskQuestion(
            question_id=state.question_id,
            text="failed.later",
            values={**values, "until": state.until},
            rows=((UrlButton("console"),), *rows, (ChoiceButton(Choice.DISPUTE),)),
        )
    rows = (*rows, (topic,), (ChoiceButton(Choice.DISPUTE),))
    return AskQuestion(question_id=state.question_id, text="failed.ask", values=values, rows=rows)


def _quota_full(state: states.QuotaFull) -> Reply:
    """How to find the accounts comes first: until one of them is freed, nothing else helps."""
    rows: Rows = (
        (UrlButton("find_accounts"),),
        (TopicButton("three_accounts"),),
        (ChoiceButton(Choice.CHANGE_NUMBER), ChoiceButton(Choice.FREED)),
        (ChoiceButton(Choice.CANCEL), ChoiceButton(Choice.DISPUTE)),
    )
    values: Values = {
        **_account(state),
        "scanned": TextKey("quota.scanned" if state.is_scanned else "quota.not_scanned"),
        "ticket": reference_code(state.attempt),
    }
    return AskQuestion(question_id=state.question_id, text="quota.ask", values=values, rows=rows)


def _verified(state: states.Verified) -> Reply:
    rows: Rows = ((UrlButton("console"),), (TopicButton("change"),), (TopicButton("icp"), TopicButton()))
    values: Values = {**method_values(state), "at": state.at, "mark": mark(state.simulated)}
    return AskQuestion(question_id=state.question_id, text="verified.ask", values=values, rows=rows)


# Each function takes its own state's class, which is its key here.
_PROMPTS: dict[type[State], Callable[..., Reply]] = {
    states.Idle: _idle,
    states.ChoosingType: _type,
    states.ReadingEnterprise: _enterprise,
    states.ReadingOverseas: _overseas,
    states.ReadingInvitation: _invitation,
    states.Agreeing: _consent,
    states.AskingName: _name,
    states.CheckingName: _checking_name,
    states.AskingNumber: _number,
    states.ChangingName: _other_name,
    states.ChangingNumber: _other_number,
    states.Confirming: _confirm,
    states.AgreeingFace: _face_consent,
    states.Opening: _opening,
    states.Scanning: _scan,
    states.Expired: _expired,
    states.Failed: _failed,
    states.QuotaFull: _quota_full,
    states.Verified: _verified,
}
