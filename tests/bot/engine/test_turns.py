"""One turn's transaction: what its effects leave in the store, and what the core's answers mean to the dialogue."""

from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from msgspec.structs import replace

from bot.engine.messages import BotBlocked, Envelope, MessageRef, Turn
from bot.engine.turns import RunnerConfig, TurnCommitter, refusal_of
from bot.flow import codec
from bot.flow.effects import (
    AskQuestion,
    CheckQuota,
    Effect,
    OpenAttempt,
    RecordConsent,
    RecordDispute,
    SendExport,
    SendText,
    SetLanguage,
    SetSuggestedMethod,
    ShowRecords,
)
from bot.flow.events import (
    AttemptRefusal,
    AttemptRefused,
    Command,
    Commanded,
    Event,
    QuotaChecked,
    SideMessage,
    SideTapped,
)
from bot.flow.rows import RuleContext, Step
from bot.flow.states import Scanning, State, Verified
from storage import SqlStore
from tests.bot.engine.runner_fixture import ANNA, BERT, LoopClock, assemble, virtual_store
from tests.bot.engine.test_loops import in_virtual_time, scanning
from tests.fakes import NOON, NUMBER, OTHER_NUMBER, FakeClock, FakeProvider, make_attempt, make_deps, make_identity
from tests.open_unit import open_unit
from tests.simulation.disk import SimulatedDisk
from verification.attempts import AttemptId, AttemptStatus, Method, Passed, ProviderApp, Reason
from verification.core import Core
from verification.dialogue_store import Consent
from verification.errors import (
    AlreadyVerified,
    AttemptOver,
    MethodOff,
    QuotaReached,
    RequestRefused,
    TooManyAttempts,
)
from verification.ids import Account, Actor, own_account
from verification.support.store import AuditEntry, Dispute

ATTEMPT, OWN, OTHER = AttemptId("attempt-0a1b2c3d4e5f"), own_account(ANNA), Account("cloud:200056789")
START = Commanded(Command.START)
LATER = NOON + timedelta(hours=3)
RULE_CONTEXT = RuleContext(NOON, "f" * 32)


@dataclass
class ScriptedDialogue:
    """Commits turns whose steps have these effects, and notes what the dialogue is given."""

    store: SqlStore
    effects: tuple[Effect, ...] = ()
    after_answer: tuple[Effect, ...] = ()
    language: str = "zh"
    states: list[State] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    rule_contexts: list[RuleContext] = field(default_factory=list)

    def advance(self, state: State, event: Event, rule_context: RuleContext) -> Step:
        self.states.append(state)
        self.events.append(event)
        self.rule_contexts.append(rule_context)
        return Step(state, self.effects if len(self.events) == 1 else self.after_answer)

    async def commit(self, envelope: Envelope | None = None) -> Turn:
        providers = {Method.WECHAT: FakeProvider()}
        deps = make_deps(FakeClock())
        core = Core(self.store, providers, deps, ttl=timedelta(minutes=10))
        config = RunnerConfig(lambda: RULE_CONTEXT, language=self.language, advance=self.advance)
        committer = TurnCommitter(self.store, core, config, lambda _: False)
        turn = await committer.commit(envelope or Envelope(ANNA, START, None))
        assert turn is not None
        return turn


async def take_slots(store: SqlStore, *accounts: Account, simulated: bool = False, number: str = NUMBER) -> None:
    async with open_unit(store, ANNA) as unit:
        for account in accounts:
            attempt = make_attempt(f"of {account}", account, method=Method.QQ)
            await unit.take_slot(attempt, make_identity(number), LATER, simulated=simulated)


@pytest.mark.parametrize(
    ("error", "refused"),
    [
        (QuotaReached(), AttemptRefused(ATTEMPT, AttemptRefusal.QUOTA)),
        (MethodOff(), AttemptRefused(ATTEMPT, AttemptRefusal.METHOD_OFF)),
        (AlreadyVerified(), AttemptRefused(ATTEMPT, AttemptRefusal.VERIFIED)),
        (TooManyAttempts(LATER), AttemptRefused(ATTEMPT, AttemptRefusal.TOO_MANY, LATER)),
        (TooManyAttempts(LATER, is_overall=True), AttemptRefused(ATTEMPT, AttemptRefusal.BUSY, LATER)),
        (AttemptOver(), AttemptRefused(ATTEMPT, AttemptRefusal.OVER)),
    ],
)
def test_each_refusal_of_the_core_has_its_meaning(error: RequestRefused, refused: AttemptRefused) -> None:
    assert refusal_of(ATTEMPT, error) == refused


@in_virtual_time
async def test_a_consent_is_recorded_with_whose_it_is_and_what_was_read_and_when(disk: SimulatedDisk) -> None:
    store = await virtual_store(disk)
    await ScriptedDialogue(store, (RecordConsent(kind="face", version="v7"),)).commit(
        Envelope(ANNA, START, None, language="en")
    )
    async with open_unit(store, ANNA) as unit:
        records = await unit.records(ANNA)

    assert records.consents == [
        Consent(person=ANNA, account=OWN, kind="face", version="v7", language="en", at=NOON),
    ]


@in_virtual_time
async def test_a_dispute_is_recorded_with_its_attempt_reason_and_method(disk: SimulatedDisk) -> None:
    store = await virtual_store(disk)
    await ScriptedDialogue(store, (RecordDispute(ATTEMPT, Reason.NO_CARD, Method.QQ),)).commit()
    async with store.support_unit(AuditEntry(actor=Actor("test"), action="look", subject="", at=NOON)) as unit:
        disputes = await unit.disputes("0a1b2c3d")

    assert disputes == [Dispute(attempt=ATTEMPT, reason=Reason.NO_CARD, method=Method.QQ, at=NOON)]


@in_virtual_time
async def test_a_language_is_that_of_the_dialogue_or_of_the_client_or_of_the_settings(disk: SimulatedDisk) -> None:
    store = await virtual_store(disk)
    by_setting = await ScriptedDialogue(store, language="en").commit()
    async with open_unit(store, ANNA) as unit:
        await unit.erase(ANNA, OWN)
    by_client = await ScriptedDialogue(store, language="en").commit(Envelope(ANNA, START, None, language="zh"))
    kept = await ScriptedDialogue(store, language="en").commit(Envelope(ANNA, START, None, language="en"))
    chosen = await ScriptedDialogue(store, (SetLanguage("en"),)).commit()

    assert [turn.context.language for turn in (by_setting, by_client, kept, chosen)] == ["en", "zh", "zh", "en"]


@in_virtual_time
async def test_a_reply_knows_what_was_pressed_and_where_the_panel_is(disk: SimulatedDisk) -> None:
    store = await virtual_store(disk)
    await ScriptedDialogue(store).commit()
    await store.mark_shown(ANNA, 1, "panel 9")
    turn = await ScriptedDialogue(store).commit(Envelope(ANNA, START, None, MessageRef(8, "query")))

    assert (turn.revision, turn.context.person, turn.context.panel) == (2, ANNA, "panel 9")
    assert turn.context.origin == MessageRef(8, "query")


@in_virtual_time
async def test_a_person_who_is_verified_meanwhile_finds_that_out(disk: SimulatedDisk) -> None:
    store = await virtual_store(disk)
    found = []
    for simulated, number in ((True, NUMBER), (False, OTHER_NUMBER)):
        await take_slots(store, OWN, simulated=simulated, number=number)
        dialogue = ScriptedDialogue(store)
        await dialogue.commit()
        found.append(dialogue.states[0])
        async with open_unit(store, ANNA) as unit:
            await unit.erase(ANNA, OWN)
            await unit.free_slot(OWN)

    assert found == [
        Verified(
            account=OWN,
            question_id=RULE_CONTEXT.question_id,
            method=Method.QQ,
            attempt=AttemptId(""),
            at=LATER,
            simulated=simulated,
        )
        for simulated in (True, False)
    ]


@pytest.mark.parametrize(
    ("slots", "is_full"), [(("cloud:1", "cloud:2", "cloud:3"), True), (("cloud:1", "cloud:2", OWN), False)]
)
def test_the_dialogue_is_told_whether_a_number_has_an_account_left(slots: tuple[str, ...], is_full: bool) -> None:
    @in_virtual_time
    async def told(disk: SimulatedDisk) -> None:
        store = await virtual_store(disk)
        await take_slots(store, *map(Account, slots))
        dialogue = ScriptedDialogue(store, (CheckQuota(ATTEMPT, OWN, make_identity()),))
        turn = await dialogue.commit()

        assert dialogue.events == [START, QuotaChecked(is_full)]
        assert turn.effects == ()

    told()


def question(text: str) -> AskQuestion:
    return AskQuestion(question_id="q", text=text)


@pytest.mark.parametrize(
    ("after_answer", "shown"),
    [
        ((), (SendText("misc.help"), question("confirm.ask"))),
        ((SendText("misc.done"),), (SendText("misc.help"), question("confirm.ask"), SendText("misc.done"))),
        ((question("quota.ask"),), (SendText("misc.help"), question("quota.ask"))),
    ],
)
def test_a_question_after_the_answer_of_the_core_takes_the_place_of_the_one_before(
    after_answer: tuple[Effect, ...], shown: tuple[Effect, ...]
) -> None:
    @in_virtual_time
    async def committed(disk: SimulatedDisk) -> None:
        effects = (SendText("misc.help"), CheckQuota(ATTEMPT, OWN, make_identity()), question("confirm.ask"))
        turn = await ScriptedDialogue(await virtual_store(disk), effects, after_answer).commit()

        assert turn.effects == shown

    committed()


@in_virtual_time
async def test_what_follows_the_answer_of_the_core_is_recorded_too(disk: SimulatedDisk) -> None:
    store = await virtual_store(disk)
    effects, after = (CheckQuota(ATTEMPT, OWN, make_identity()),), (RecordConsent(kind="face", version="v7"),)
    await ScriptedDialogue(store, effects, after).commit()
    async with open_unit(store, ANNA) as unit:
        records = await unit.records(ANNA)

    assert [consent.kind for consent in records.consents] == ["face"]


@in_virtual_time
async def test_the_rules_know_whose_dialogue_it_is_and_the_method_that_a_link_suggested(disk: SimulatedDisk) -> None:
    store = await virtual_store(disk)
    await ScriptedDialogue(store, (SetSuggestedMethod(Method.QQ),)).commit()
    dialogue = ScriptedDialogue(store, (CheckQuota(ATTEMPT, OWN, make_identity()),))
    await dialogue.commit()

    expected = replace(RULE_CONTEXT, own_account=OWN, suggested_method=Method.QQ)
    assert dialogue.rule_contexts == [expected, expected]


@pytest.mark.parametrize(
    ("account", "method", "refusal"),
    [
        (OWN, Method.WECHAT, None),
        (OTHER, Method.WECHAT, AttemptRefusal.UNBOUND),
        (OWN, Method.FACE, AttemptRefusal.METHOD_OFF),
    ],
)
def test_an_attempt_is_reserved_or_the_dialogue_is_told_why_not(
    account: Account, method: Method, refusal: AttemptRefusal | None
) -> None:
    @in_virtual_time
    async def told(disk: SimulatedDisk) -> None:
        store = await virtual_store(disk)
        request = OpenAttempt(ATTEMPT, account, make_identity(), method)
        dialogue = ScriptedDialogue(store, (request,))
        turn = await dialogue.commit()
        async with open_unit(store, ANNA) as unit:
            reserved = await unit.attempt(ATTEMPT)

        assert dialogue.events[1:] == ([] if refusal is None else [AttemptRefused(ATTEMPT, refusal)])
        assert (reserved is not None) == (refusal is None)
        assert turn.effects == ((request,) if refusal is None else ())

    told()


@pytest.mark.parametrize("simulated", [True, False])
def test_an_opened_attempt_brings_what_its_code_and_its_pages_need(simulated: bool) -> None:
    @in_virtual_time
    async def opened(disk: SimulatedDisk) -> None:
        desk = assemble(await virtual_store(disk), clock=LoopClock())
        desk.provider.simulated = simulated
        attempt = await scanning(desk)
        async with open_unit(desk.store, ANNA) as unit:
            stored, kept = await unit.attempt(attempt), await unit.dialogue(ANNA)

        assert stored is not None
        assert kept is not None
        state = codec.load(kept.text)
        assert isinstance(state, Scanning)
        assert (state.attempt, state.expires_at) == (attempt, stored.expires_at)
        assert (state.link, state.match_code) == (f"http://127.0.0.1:8080/q/{stored.token}", "42")
        assert (state.simulated, state.app) == (simulated, ProviderApp.WECHAT)

    opened()


@in_virtual_time
async def test_what_is_stored_about_a_person_is_read_when_it_is_shown_or_sent(disk: SimulatedDisk) -> None:
    desk = assemble(await virtual_store(disk), clock=LoopClock())
    attempt = await scanning(desk)
    await desk.core.complete(attempt, Passed())
    async with desk.runner.running():
        await desk.send_event(Commanded(Command.PRIVACY))
        await desk.send_event(SideTapped(side=SideMessage.PRIVACY, choice="export"))
    shown = [
        (type(reply), view.records)
        for (_, reply), view in zip(desk.chat.shown, desk.chat.views, strict=True)
        if isinstance(reply, ShowRecords | SendExport)
    ]

    assert [kind for kind, _ in shown] == [ShowRecords, SendExport]
    for _, records in shown:
        assert records is not None
        assert records.quota_slot is not None
        assert records.quota_slot.method is Method.WECHAT
        assert [past.status for past in records.attempts] == [AttemptStatus.SUCCEEDED]
        assert records.consents


@in_virtual_time
async def test_who_was_shown_no_question_or_could_not_be_shown_one_has_no_panel(disk: SimulatedDisk) -> None:
    desk = assemble(await virtual_store(disk), clock=LoopClock())
    async with desk.runner.running():
        await desk.send_event(Commanded(Command.HELP))
        desk.chat.failures = [BotBlocked()]
        await desk.send_event(START, BERT)
    async with open_unit(desk.store, ANNA) as unit:
        kept = [await unit.dialogue(person) for person in (ANNA, BERT)]

    assert [(dialogue.shown, dialogue.panel, dialogue.blocked) for dialogue in kept if dialogue] == [
        (1, "", False),
        (0, "", True),
    ]
