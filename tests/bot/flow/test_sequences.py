"""The dialogue keeps its promises in any sequence of actions of a person, the core and the network."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from msgspec.structs import replace

from bot.flow import codec, states
from bot.flow.effects import CancelAttempt, CheckQuota, OpenAttempt, SetSuggestedMethod
from bot.flow.events import (
    AttemptOpened,
    AttemptPassed,
    AttemptRefusal,
    AttemptRefused,
    Choice,
    Command,
    Commanded,
    Event,
    LinkAccepted,
    LinkRejected,
    MessageKind,
    MethodSuggested,
    QuotaChecked,
    ReaskRequested,
    Said,
    Sent,
    SideMessage,
    SideTapped,
    Tapped,
    VerificationRecord,
)
from bot.flow.machine import advance, choices, offered_choices
from bot.flow.rules.common import touched
from bot.flow.states import (
    Attempting,
    Expired,
    Failed,
    Opening,
    PhoneStage,
    ReadingInvitation,
    Scanning,
    State,
    Verified,
)
from tests.bot.flow.effect_texts import exposed, strings
from tests.bot.flow.fake_core import FakeCore
from tests.bot.flow.samples import ACCOUNT, BROWSING, NAME, OTHER_NAME, SECRETS, context_at, texts
from tests.bot.flow.state_order import LEAVING, is_quota_freed, meaning, step_of
from tests.fakes import NUMBER, OTHER_NUMBER
from verification.attempts import TYPED_METHODS, AttemptId, Method, Reason
from verification.ids import Account

WANTED: dict[type[State], str] = {
    states.AskingName: NAME,
    states.ChangingName: OTHER_NAME,
    states.AskingNumber: NUMBER,
    states.ChangingNumber: OTHER_NUMBER,
}
LINKED = (Account("cloud:200056789"), Account("cloud:200011111"))
ANSWERS = st.sampled_from([NAME, OTHER_NAME, NUMBER, OTHER_NUMBER, "810000199408230021", "你好", "1", "2", "3"])


class DialogueMachine(RuleBasedStateMachine):
    """One dialogue, its core, and the messages between them, which may be late, repeated and out of order."""

    def __init__(self) -> None:
        super().__init__()
        self.core = FakeCore()
        self.state: State = states.Idle(account=ACCOUNT, question_id=context_at(0).question_id)
        self.question_ids = {self.state.question_id}
        self.requests: list[OpenAttempt] = []
        self.answers: list[Event] = []
        self.requested: set[AttemptId] = set()
        self.left_to_expire: set[AttemptId] = set()
        self.suggested_method: Method | None = None
        self.turn = 0

    @initialize(steps=st.integers(0, 10))
    def begins_anywhere(self, steps: int) -> None:
        for _ in range(steps):
            self.goes_on()

    # What a person does

    @rule(text=ANSWERS | st.sampled_from(list(texts())) | st.text(max_size=30))
    def says(self, text: str) -> None:
        self.meets(Said(text))

    @precondition(lambda self: bool(choices(type(self.state))))
    @rule(data=st.data(), typed=st.booleans())
    def chooses(self, data: st.DataObject, typed: bool) -> None:
        offered = offered_choices(self.state)
        choice = data.draw(st.sampled_from(offered))
        self.meets(
            Said(str(offered.index(choice) + 1)) if typed else Tapped(choice=choice, question_id=self.state.question_id)
        )

    @rule()
    def goes_on(self) -> None:
        """Answer the question; without this rule most sequences would stay in the first states."""
        if isinstance(self.state, Opening):
            self.the_core_answers()
        elif type(self.state) in WANTED:
            self.meets(Said(WANTED[type(self.state)]))
        elif buttons := choices(type(self.state)):
            self.meets(Tapped(choice=buttons[0], question_id=self.state.question_id))

    @rule()
    def asks_for_another_method(self) -> None:
        self.meets(Said("换种方式"))

    @rule(choice=st.sampled_from(list(Choice)), data=st.data())
    def presses_an_old_button(self, choice: Choice, data: st.DataObject) -> None:
        old = data.draw(st.sampled_from(sorted(self.question_ids - {self.state.question_id}) or ["m-never"]))
        before = self.state
        self.meets(Tapped(choice=choice, question_id=old))
        self.meets(SideTapped(side=SideMessage.PRIVACY, choice="erase_now", question_id=old))
        assert self.state == before

    @rule(command=st.sampled_from(list(Command)), arguments=st.sampled_from(["", "icp", NUMBER]))
    def commands(self, command: Command, arguments: str) -> None:
        self.meets(Commanded(command, arguments))

    @rule(kind=st.sampled_from(list(MessageKind)))
    def sends(self, kind: MessageKind) -> None:
        self.meets(Sent(kind))

    @rule(side=st.sampled_from(list(SideMessage)), choice=st.sampled_from(BROWSING))
    def browses(self, side: SideMessage, choice: str) -> None:
        self.meets(SideTapped(side=side, choice=choice, question_id=self.state.question_id))

    @rule(account=st.sampled_from((ACCOUNT, *LINKED)), method=st.none() | st.sampled_from(TYPED_METHODS))
    def comes_by_a_link(self, account: Account, method: Method | None) -> None:
        self.core.revoked.discard(account)
        before = self.state
        record = VerificationRecord(Method.QQ, context_at(0).now) if account in self.core.verified else None
        self.meets(LinkAccepted(account, method, verified=record))
        if isinstance(self.state, ReadingInvitation) and not isinstance(before, Opening | Scanning | ReadingInvitation):
            assert codec.load(self.state.former) == before

    @rule()
    def comes_by_an_invalid_link(self) -> None:
        before = self.state
        self.meets(LinkRejected())
        assert self.state in (before, touched(before))

    @rule(method=st.sampled_from(TYPED_METHODS))
    def comes_by_a_link_to_a_method(self, method: Method) -> None:
        self.meets(MethodSuggested(method))
        assert self.suggested_method is method

    @rule(account=st.sampled_from(LINKED))
    def a_link_is_revoked(self, account: Account) -> None:
        self.core.revoke_link(account)

    # What the network does

    def the_core_answers(self) -> None:
        while self.requests or self.answers:
            self.an_answer_arrives() if self.answers else self.a_request_arrives()

    @precondition(lambda self: self.requests and not self.answers)
    @rule()
    def a_request_arrives(self) -> None:
        self.answers.append(self.core.open(self.requests.pop(0)))

    @precondition(lambda self: self.answers)
    @rule()
    def an_answer_arrives(self) -> None:
        self.meets(self.answers.pop(0))

    @precondition(lambda self: self.core.news)
    @rule(data=st.data(), repeated=st.booleans())
    def news_arrives(self, data: st.DataObject, repeated: bool) -> None:
        news = data.draw(st.sampled_from(self.core.news))
        if not repeated:
            self.core.news.remove(news)
        before = self.state
        self.meets(news)
        if isinstance(news, AttemptPassed) and news.account == before.account:
            assert isinstance(self.state, Verified)

    @rule()
    def the_process_crashes(self) -> None:
        """Requests and answers in transit are lost; at the next start the saved question is asked again."""
        self.left_to_expire |= {answer.attempt for answer in self.answers if isinstance(answer, AttemptOpened)}
        self.requests.clear()
        self.answers.clear()
        self.state = codec.load(codec.dump(self.state))
        self.meets(ReaskRequested())

    # What the core and the phone do

    @precondition(lambda self: self.core.live)
    @rule(stage=st.sampled_from([PhoneStage.OPENED, PhoneStage.CONFIRMING]))
    def the_phone_goes_on(self, stage: PhoneStage) -> None:
        self.core.progress(self.core.live[0], stage)

    @precondition(lambda self: self.core.live)
    @rule(reason=st.none() | st.sampled_from(list(Reason)))
    def the_provider_judges(self, reason: Reason | None) -> None:
        self.core.judge(self.core.live[0], reason)

    @precondition(lambda self: self.core.live)
    @rule(over=st.booleans())
    def time_passes(self, over: bool) -> None:
        attempt = self.core.live[0]
        self.core.expire(attempt) if over else self.core.announce_expiry(attempt)

    @rule(full=st.booleans(), down=st.booleans())
    def the_provider_changes(self, full: bool, down: bool) -> None:
        self.core.full, self.core.down = full, down

    # What must hold at every turn

    def meets(self, event: Event) -> None:
        self.turn += 1
        before, step = (
            self.state,
            advance(self.state, event, replace(context_at(self.turn), suggested_method=self.suggested_method)),
        )
        self.state = step.state

        assert not [text for text in strings(tuple(exposed(step))) for secret in SECRETS if secret in text]
        if not isinstance(event, LinkAccepted) and not isinstance(before, ReadingInvitation):
            self.repeats_no_completed_step(before, event)
        self.returns_to_the_former_state(before, event)
        self.keeps_the_identity(before, event)
        self.gives_each_question_an_id(before)
        for effect in step.effects:
            if isinstance(effect, OpenAttempt):
                self.asks_for_its_own_attempt(effect, before)
                self.requests.append(effect)
            if isinstance(effect, CheckQuota):
                self.meets(QuotaChecked(self.core.full))
            if isinstance(effect, SetSuggestedMethod):
                self.suggested_method = effect.method
            if isinstance(effect, CancelAttempt):
                # Saved in the same transaction as the state, so it is never in transit.
                self.core.end(effect.attempt)

    def repeats_no_completed_step(self, before: State, event: Event) -> None:
        erased = isinstance(event, SideTapped) and event.choice == "erase_now"
        if isinstance(before, Verified) and not erased:
            assert isinstance(self.state, Verified)
            assert replace(self.state, question_id=before.question_id, attempt=before.attempt) == before
        if step_of(self.state) < step_of(before):
            excused = erased or self.is_revocation(event) or is_quota_freed(event)
            assert excused or isinstance(event, Tapped | Said | Commanded)
            assert excused or meaning(before, event) in LEAVING or self.is_new_name(before, event)

    def is_new_name(self, before: State, event: Event) -> bool:
        return (
            isinstance(before, states.AskingNumber)
            and isinstance(event, Said)
            and isinstance(self.state, states.AskingName | states.CheckingName)
        )

    def is_revocation(self, event: Event) -> bool:
        return isinstance(event, AttemptRefused) and event.refusal is AttemptRefusal.UNBOUND

    def returns_to_the_former_state(self, before: State, event: Event) -> None:
        if not isinstance(before, ReadingInvitation) or (
            isinstance(event, Tapped) and event.question_id != before.question_id
        ):
            return
        if meaning(before, event) in {Choice.NOT_MINE, Command.BACK, Command.CANCEL}:
            assert replace(self.state, question_id="") == replace(codec.load(before.former), question_id="")

    def keeps_the_identity(self, before: State, event: Event) -> None:
        old, new = (states.typed_identity(state) for state in (before, self.state))
        if old is None or new is None or (isinstance(event, Said) and NAME in event.text and NUMBER in event.text):
            return
        if isinstance(before, states.ChangingName):
            assert new.number == old.number
        elif isinstance(before, states.ChangingNumber):
            assert new.name == old.name
        else:
            assert new == old

    def gives_each_question_an_id(self, before: State) -> None:
        shown = isinstance(before, Opening) and isinstance(self.state, Scanning)
        if type(self.state) is not type(before):
            assert shown or self.state.question_id not in self.question_ids
        assert not shown or self.state.question_id == before.question_id
        self.question_ids.add(self.state.question_id)

    def asks_for_its_own_attempt(self, request: OpenAttempt, before: State) -> None:
        assert isinstance(self.state, Opening)
        assert request == OpenAttempt(self.state.attempt, self.state.account, self.state.identity, self.state.method)
        is_repeated = isinstance(before, Opening) and before.attempt == request.attempt
        assert is_repeated or request.attempt not in self.requested
        self.requested.add(request.attempt)

    @invariant()
    def a_dialogue_is_saved_whole(self) -> None:
        assert codec.load(codec.dump(self.state)) == self.state

    @invariant()
    def a_state_without_identity_saves_no_secret(self) -> None:
        innermost = codec.load(self.state.former) if isinstance(self.state, ReadingInvitation) else self.state
        if not (states.typed_identity(innermost) or isinstance(innermost, states.AskingNumber | states.CheckingName)):
            assert not [secret for secret in SECRETS if secret in codec.dump(self.state)]

    @invariant()
    def a_code_on_the_screen_is_that_of_its_attempt(self) -> None:
        assert not isinstance(self.state, Scanning) or self.state.link.endswith(self.state.attempt)

    @invariant()
    def an_attempt_shown_as_ended_has_ended(self) -> None:
        if isinstance(self.state, Expired | Failed) and not self.answers:
            assert self.state.attempt not in self.core.live

    @invariant()
    def at_most_one_attempt_of_an_account_is_live(self) -> None:
        accounts = [self.core.attempts[attempt].account for attempt in self.core.live]
        assert len(accounts) == len(set(accounts))

    @invariant()
    def no_live_code_is_unknown_to_the_dialogue(self) -> None:
        if not self.requests and not self.answers:
            mine = {self.state.attempt} if isinstance(self.state, Attempting) else set()
            assert set(self.core.live) <= mine | self.left_to_expire


class ManyDialogues(DialogueMachine):
    """More of the same."""


DialogueMachine.TestCase.settings = settings(max_examples=25, stateful_step_count=50, deadline=None)
ManyDialogues.TestCase.settings = settings(max_examples=300, stateful_step_count=50, deadline=None)
TestDialogues = DialogueMachine.TestCase
TestManyDialogues = pytest.mark.slow("fuzz")(ManyDialogues.TestCase)
