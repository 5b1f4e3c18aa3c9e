"""Lists every transition of the dialogue: which rule answers which event in which state, and where it may lead.

`on` is a transition on an event, `on_choice` on a button's choice; `always` holds in every state that has no transition
of its own. `machine.advance` applies the table; the exhaustive test, the diagram and the keyboards' test read it.
"""

from bot.flow.events import (
    AttemptFailed,
    AttemptOpened,
    AttemptPassed,
    AttemptProgressed,
    AttemptRefused,
    Choice,
    CodeExpired,
    CodeExpiring,
    Command,
    FormSent,
    LinkAccepted,
    LinkRejected,
    MethodSuggested,
    QuotaChecked,
    ReaskRequested,
    ReminderDue,
    Said,
    Sent,
    SideTapped,
    Throttled,
)
from bot.flow.rows import Row, always, on, on_choice, on_former_choice
from bot.flow.rules import anytime, details, dispute, entry, links, quota, reminding, scan
from bot.flow.states import (
    Agreeing,
    AgreeingFace,
    AskingName,
    AskingNumber,
    ChangingName,
    ChangingNumber,
    CheckingName,
    ChoosingType,
    Confirming,
    Expired,
    Failed,
    Idle,
    Opening,
    QuotaFull,
    ReadingEnterprise,
    ReadingInvitation,
    ReadingOverseas,
    Scanning,
    StateBase,
    Verified,
)

RETURNABLE: tuple[type[StateBase], ...] = (
    *(Idle, ChoosingType, ReadingEnterprise, ReadingOverseas, Agreeing, AskingName, AskingNumber, ChangingName),
    *(CheckingName, ChangingNumber, Confirming, AgreeingFace, Expired, Failed, QuotaFull, Verified),
)
"""The states to which an invitation may return; it cancels a live code, so no state that waits for one is here."""

TABLE: tuple[Row, ...] = (
    # Welcome and type
    on_choice(Idle, Choice.BEGIN, entry.welcomed, ChoosingType),
    on(Idle, Command.START, entry.welcomed, ChoosingType),
    on(Idle, Said, entry.first_words, ChoosingType),
    on(Idle, Sent, entry.greeted, ChoosingType),
    on(Idle, Command.CANCEL, entry.nothing_to_cancel),
    on(ChoosingType, Command.START, entry.welcomed_again),
    on_choice(ChoosingType, Choice.PERSONAL, entry.personal_chosen, Agreeing),
    on_choice(ChoosingType, Choice.ENTERPRISE, entry.enterprise_chosen, ReadingEnterprise),
    on_choice(ChoosingType, Choice.OVERSEAS, entry.overseas_chosen, ReadingOverseas),
    on_choice(ReadingEnterprise, Choice.PERSONAL, entry.personal_chosen, Agreeing),
    on_choice(ReadingEnterprise, Choice.BACK, entry.back_to_type, ChoosingType),
    on_choice(ReadingOverseas, Choice.PERSONAL, entry.personal_chosen, Agreeing),
    on_choice(ReadingOverseas, Choice.BACK, entry.back_to_type, ChoosingType),
    # The invitation by a link
    on_choice(ReadingInvitation, Choice.MINE, links.invitation_accepted, Agreeing),
    on_choice(ReadingInvitation, Choice.NOT_MINE, links.invitation_refused, *RETURNABLE),
    on_choice(ReadingInvitation, Choice.ENTERPRISE, links.enterprise_explained),
    on_choice(ReadingInvitation, Choice.OVERSEAS, links.overseas_explained),
    on(ReadingInvitation, Command.BACK, links.invitation_refused, *RETURNABLE),
    on(ReadingInvitation, Command.CANCEL, links.invitation_refused, *RETURNABLE),
    on(ReadingInvitation, AttemptPassed, links.passed_meanwhile, Verified),
    # Consent
    on_choice(Agreeing, Choice.AGREE, entry.agreed, AskingName),
    on_choice(Agreeing, Choice.NOT_NOW, entry.not_agreed, ChoosingType),
    on_choice(Agreeing, Choice.NETID, scan.netid_agreed, Opening),
    on(Agreeing, Command.BACK, entry.back_to_type, ChoosingType),
    # Name and number
    on(AskingName, Said, details.name_said, AskingNumber, Confirming, CheckingName),
    on_choice(AskingName, Choice.BACK, entry.back_to_consent, Agreeing),
    on_choice(CheckingName, Choice.NAME_RIGHT, details.name_right, AskingNumber, Confirming),
    on_choice(CheckingName, Choice.NAME_WRONG, details.back_to_name, AskingName, ChangingName),
    on(CheckingName, Said, details.name_said, AskingNumber, Confirming),
    on(CheckingName, Command.BACK, details.back_to_name, AskingName, ChangingName),
    on(AskingNumber, Said, details.number_said, Confirming, AskingName, CheckingName),
    on_choice(AskingNumber, Choice.BACK, details.back_to_name, AskingName),
    # The data and the method
    on_choice(Confirming, Choice.WECHAT, scan.wechat_chosen, Opening),
    on_choice(Confirming, Choice.QQ, scan.qq_chosen, Opening),
    on_choice(Confirming, Choice.FACE, scan.face_chosen, AgreeingFace),
    on_choice(Confirming, Choice.CHANGE_NAME, details.back_to_name, ChangingName),
    on_choice(Confirming, Choice.CHANGE_NUMBER, details.number_wrong, ChangingNumber),
    on_former_choice(Confirming, Choice.CONFIRM, scan.confirmed, Opening, AgreeingFace),
    on_former_choice(Confirming, Choice.CHANGE_DATA, details.data_wrong),
    on_former_choice(Confirming, Choice.BACK, details.back_from_confirm, ChangingNumber),
    on(ChangingName, Said, details.name_said, Confirming, CheckingName),
    on_choice(ChangingName, Choice.BACK, details.back_to_confirm, Confirming),
    on(ChangingNumber, Said, details.number_said, Confirming, ChangingName, CheckingName),
    on_choice(ChangingNumber, Choice.BACK, details.back_to_confirm, Confirming),
    # The private form answers the steps that read text
    *(
        on(state, FormSent, details.form_sent, Confirming)
        for state in (AskingName, CheckingName, AskingNumber, ChangingName, ChangingNumber)
    ),
    # The separate consent
    on_choice(AgreeingFace, Choice.AGREE, scan.face_agreed, Opening),
    on_choice(AgreeingFace, Choice.OTHER_METHOD, scan.other_method_chosen, Confirming, Opening),
    on(AgreeingFace, Command.BACK, scan.other_method_chosen, Confirming),
    # The code
    on(Opening, AttemptOpened, scan.attempt_opened, Scanning),
    on(Opening, AttemptRefused, scan.attempt_refused, Failed, QuotaFull, Verified, Idle),
    on(Opening, ReaskRequested, scan.opening_resumed),
    on(Opening, Said, scan.said_while_opening),
    on(Opening, Sent, scan.still_opening),
    on(Opening, Command.START, scan.opening_resumed),
    on(Opening, Command.STATUS, scan.opening_status),
    on(Opening, Command.BACK, scan.attempt_left, Confirming, Agreeing),
    on_choice(Scanning, Choice.NEW_CODE, scan.new_code, Opening),
    on_choice(Scanning, Choice.OTHER_METHOD, scan.attempt_left, Confirming, Agreeing, Opening, AgreeingFace),
    on(Scanning, Command.BACK, scan.attempt_left, Confirming, Agreeing),
    on(Scanning, Command.START, scan.code_shown_again),
    on(Scanning, Command.STATUS, scan.scanning_status),
    on(Scanning, Said, scan.said_while_scanning),
    on(Scanning, Sent, scan.sent_while_scanning),
    on(Scanning, AttemptProgressed, scan.attempt_progressed),
    on(Scanning, CodeExpiring, scan.code_expiring, Opening),
    on(Scanning, CodeExpired, scan.code_expired, Expired),
    on(Scanning, AttemptFailed, scan.attempt_failed, Failed, QuotaFull),
    on(Scanning, AttemptRefused, scan.link_revoked, Idle),
    on_choice(Expired, Choice.NEW_CODE, scan.new_code, Opening),
    on_choice(Expired, Choice.OTHER_METHOD, scan.other_method_chosen, Confirming, Agreeing, Opening, AgreeingFace),
    on(Expired, Command.BACK, scan.other_method_chosen, Confirming, Agreeing),
    on(Expired, Command.STATUS, anytime.asked_to_resume),
    # The result
    on_choice(Failed, Choice.TRY_AGAIN, scan.try_again, Opening),
    on_choice(Failed, Choice.OTHER_METHOD, scan.other_method_chosen, Confirming, Agreeing, Opening, AgreeingFace),
    on_choice(Failed, Choice.CHANGE_DATA, details.back_to_confirm, Confirming, Agreeing),
    on(Failed, Command.BACK, scan.other_method_chosen, Confirming, Agreeing),
    # Three accounts used up
    on(Confirming, QuotaChecked, quota.quota_checked, QuotaFull),
    on(QuotaFull, QuotaChecked, quota.quota_checked_again, Confirming),
    on_choice(QuotaFull, Choice.CHANGE_NUMBER, details.number_wrong, ChangingNumber),
    on_choice(QuotaFull, Choice.FREED, quota.place_freed),
    on(QuotaFull, Command.BACK, details.number_wrong, ChangingNumber),
    # Verified
    on(Verified, Command.START, scan.shown_again),
    on(Verified, Command.CANCEL, scan.verified_stays),
    on(Verified, Command.BACK, scan.verified_stays),
    on(Verified, AttemptPassed, scan.attempt_passed_before),
    # Cancelling, in every state that offers it
    *(
        on_choice(state, Choice.CANCEL, anytime.cancelled, Idle)
        for state in (Confirming, AgreeingFace, QuotaFull, AskingName, AskingNumber, ChangingName, ChangingNumber)
    ),
    *(on_choice(state, Choice.CANCEL, anytime.attempt_cancelled, Idle) for state in (Scanning, Expired, Failed)),
    on(Opening, Command.CANCEL, anytime.attempt_cancelled, Idle),
    # Disputing
    on_choice(Failed, Choice.DISPUTE, dispute.failure_disputed),
    on_choice(QuotaFull, Choice.DISPUTE, dispute.quota_disputed),
    # In every state
    always(Command.START, anytime.asked_to_resume),
    always(Command.STATUS, anytime.status),
    always(Command.BACK, anytime.nowhere_back),
    always(Command.CANCEL, anytime.cancelled, Idle),
    always(Command.FAQ, anytime.faq),
    always(Command.HELP, anytime.help_asked),
    always(Command.LANGUAGE, anytime.language_asked),
    always(Command.PRIVACY, anytime.privacy_asked),
    always(Command.HUMAN, anytime.human_asked),
    always(Command.UNKNOWN, anytime.unknown_command),
    always(LinkAccepted, links.link_accepted, ReadingInvitation, ChoosingType, Verified),
    always(LinkRejected, links.link_rejected),
    always(MethodSuggested, links.method_suggested, ChoosingType),
    always(SideTapped, anytime.side_tapped, Idle, ChoosingType),
    always(Said, anytime.text_not_expected),
    always(FormSent, anytime.ignored),
    always(Sent, anytime.not_a_text),
    always(Throttled, anytime.throttled),
    always(ReaskRequested, anytime.question_reasked),
    always(ReminderDue, reminding.reminded),
    always(AttemptPassed, scan.attempt_passed, Verified),
    always(AttemptOpened, scan.unexpected_attempt_opened),
    always(AttemptRefused, anytime.ignored),
    always(QuotaChecked, anytime.ignored),
    always(AttemptProgressed, anytime.ignored),
    always(CodeExpiring, anytime.ignored),
    always(CodeExpired, anytime.ignored),
    always(AttemptFailed, anytime.ignored),
)
