"""Links in the dialogue, over a real store: who may open them, when, and what becomes of what they began."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest

from bot.engine.messages import Envelope, MessageRef
from bot.engine.notices import NoticeDispatcher
from bot.flow import codec, states
from bot.flow.effects import AskQuestion, DeleteUserMessage, ReplaceCodeWithPicture, Reply, SendText, ShowCode
from bot.flow.events import Choice, Command, Commanded, LinkOpened, Said, SideMessage, SideTapped
from tests.bot.engine.runner_fixture import ANNA, BERT, RunnerFixture, runner_fixture
from tests.fakes import TELEGRAM, make_sealing
from tests.open_unit import open_unit
from tests.reliability import Proof
from tests.simulator_fixture import NAME, NUMBER
from verification.attempts import Method, Passed
from verification.ids import Account, Actor, PersonId, contact_of, own_account
from verification.invitations import Link, LinkId, link_token
from verification.support.service import LinkRequest, SupportService

ACCOUNT, OTHER = Account("cloud:200056789"), Account("cloud:200011111")


@dataclass
class SupportFixture:
    """A program, and support beside it."""

    desk: RunnerFixture
    support: SupportService
    notices: NoticeDispatcher
    made: list[Link] = field(default_factory=list)

    async def link(
        self, account: Account = ACCOUNT, method: Method | None = None, language: str | None = None
    ) -> LinkOpened:
        """Make a link for an account, and give what opens it."""
        order = LinkRequest(
            account=account, idempotency_key=f"order {len(self.made)}", method=method, language=language
        )
        made = await self.support.create_link(Actor("telegram:7"), order)
        self.made.append(made.link)
        return LinkOpened(made.token)

    async def revoke(self) -> Link | None:
        """Take the last link back, and let the news of it be told."""
        revoked = await self.support.revoke(Actor("telegram:7"), self.made[-1].id)
        await self.notices.dispatch_batch()
        assert await self.desk.runner.wait_until_idle(10)
        return revoked

    async def state(self, person: PersonId = ANNA) -> states.State:
        async with open_unit(self.desk.store, person) as unit:
            kept = await unit.dialogue(person)
        assert kept is not None
        return codec.load(kept.text)

    def said(self, person: PersonId = ANNA) -> list[str]:
        """What a person was told, by its keys, with what stood above it."""
        replies = [reply for to, reply in self.desk.chat.shown if to == person]
        return [words for reply in replies for words in _words(reply)]

    async def until_code(self, link: LinkOpened, person: PersonId = ANNA) -> None:
        await self.desk.send_event(link, person)
        for choice in (Choice.MINE, Choice.AGREE):
            await self.desk.taps(choice, person)
        await self.desk.send_event(Said(NAME), person)
        await self.desk.send_event(Said(NUMBER), person)
        await self.desk.taps(Choice.WECHAT, person)


def _words(reply: Reply) -> list[str]:
    match reply:
        case AskQuestion() | ShowCode():
            return [word for word in (reply.note, reply.text) if word]
        case SendText() | ReplaceCodeWithPicture():
            return [reply.text]
        case _:
            return []


@asynccontextmanager
async def support_fixture(folder: Path, *, showing: bool = True) -> AsyncIterator[SupportFixture]:
    async with runner_fixture(folder, showing=showing) as desk:
        support = SupportService(desk.store, desk.clock, timedelta(minutes=30))
        yield SupportFixture(desk, support, NoticeDispatcher(desk.store, desk.core, desk.runner, desk.clock))


async def test_the_first_who_opens_a_link_verifies_its_account_and_the_message_with_it_goes(tmp_path: Path) -> None:
    async with support_fixture(tmp_path) as at:
        await at.until_code(await at.link())
        async with open_unit(at.desk.store, "look") as unit:
            live = await unit.live_attempt(ACCOUNT)
        discarded = [reply for _, reply in at.desk.chat.shown if isinstance(reply, DeleteUserMessage)]

    assert live is not None
    assert (live.account, live.contact) == (ACCOUNT, contact_of(ANNA))
    assert at.said()[0] == "invitation.ask"
    assert at.said()[-1] == "scan.waiting"
    assert len(discarded) == 3


async def test_a_link_opens_to_the_same_person_again_and_resumes(tmp_path: Path) -> None:
    async with support_fixture(tmp_path) as at:
        link = await at.link()
        await at.desk.send_event(link)
        await at.desk.taps(Choice.MINE)
        at.desk.clock.advance(hours=5)
        await at.desk.send_event(link)

        assert at.said() == ["invitation.ask", "consent.ask", "link.same", "consent.ask"]


async def unusable(at: SupportFixture, name: str) -> LinkOpened:
    """A link that does not open to Anna, for one reason or another."""
    link = await at.link()
    match name:
        case "foreign":
            await at.desk.send_event(link, BERT)
        case "expired":
            at.desk.clock.advance(minutes=31)
        case "revoked":
            await at.revoke()
        case "unknown":
            link = LinkOpened(link_token(LinkId("0123456789abcdef"), make_sealing().index))
        case "forged":
            link = LinkOpened(link.token[:-4] + ("AAAA" if link.token[-4:] != "AAAA" else "BBBB"))
        case "over-long":
            link = LinkOpened(link.token * 100)
        case "bad":
            link = LinkOpened("%s{0}<b>王小明")
    return link


REASONS = ("foreign", "expired", "revoked", "unknown", "forged", "over-long", "bad")


@pytest.mark.parametrize("reason", REASONS)
async def test_inv14_a_link_that_does_not_open_says_the_same_and_changes_nothing(
    tmp_path: Path, reason: str, proof: Proof
) -> None:
    async with support_fixture(tmp_path) as at:
        link = await unusable(at, reason)
        await at.desk.send_event(link)
        fresh = at.said()
        await at.desk.send_event(Commanded(Command.START))
        await at.desk.taps(Choice.PERSONAL)
        await at.desk.taps(Choice.AGREE)
        await at.desk.send_event(Said(NAME))
        before, said = await at.state(), len(at.said())
        await at.desk.send_event(link)

        assert fresh == ["link.unusable", "idle.ask_again"]
        assert at.said()[said:] == ["link.unusable", "number.ask_again"]
        assert await at.state() == before
    proof(cases=2)


async def test_of_two_who_open_a_link_at_once_one_is_invited_and_the_other_told_that_it_cannot_be_used(
    tmp_path: Path,
) -> None:
    async with support_fixture(tmp_path) as at:
        link = await at.link()
        await asyncio.gather(at.desk.send_event(link, ANNA), at.desk.send_event(link, BERT))

        assert sorted([at.said(ANNA), at.said(BERT)]) == [["invitation.ask"], ["link.unusable", "idle.ask_again"]]


async def test_a_link_delivered_ten_times_opens_once(tmp_path: Path) -> None:
    async with support_fixture(tmp_path) as at:
        link = await at.link()
        await asyncio.gather(*(at.desk.send_event(link, event_id="update:1") for _ in range(10)))

        assert at.said() == ["invitation.ask"]


async def test_an_invitation_that_was_committed_and_never_shown_is_shown_at_the_next_start(tmp_path: Path) -> None:
    async with support_fixture(tmp_path, showing=False) as dead:
        await dead.desk.runner.handle(Envelope(ANNA, await dead.link(), "update:1", MessageRef(7)))
        left = await dead.desk.store.pending_deletions(TELEGRAM, 10)
    async with support_fixture(tmp_path) as at:
        await at.desk.runner.resume_pending()
        assert await at.desk.runner.wait_until_idle(10)

        assert at.said() == ["invitation.ask"]
        assert [litter.message_id for litter in left] == [7]


async def test_a_revoked_link_begins_nothing_any_more(tmp_path: Path) -> None:
    async with support_fixture(tmp_path) as at:
        await at.desk.send_event(await at.link())
        await at.desk.taps(Choice.MINE)
        await at.revoke()
        await at.desk.taps(Choice.AGREE)
        await at.desk.send_event(Said(NAME))
        await at.desk.send_event(Said(NUMBER))
        await at.desk.taps(Choice.QQ)
        state = await at.state()

        assert at.desk.provider.opened == []
        assert at.said()[-2:] == ["link.ended", "idle.ask"]
        assert (type(state), state.account) == (states.Idle, own_account(ANNA))


async def test_a_code_on_the_screen_dies_with_its_link_and_its_person_is_told(tmp_path: Path) -> None:
    async with support_fixture(tmp_path) as at:
        await at.until_code(await at.link())
        await at.revoke()
        async with open_unit(at.desk.store, "look") as unit:
            live = await unit.live_attempt(ACCOUNT)
        state = await at.state()

        assert live is None
        assert at.said()[-2:] == ["link.ended", "idle.ask"]
        assert (type(state), state.account) == (states.Idle, own_account(ANNA))


async def test_a_link_that_is_taken_back_while_its_code_is_made_leaves_none(tmp_path: Path) -> None:
    async with support_fixture(tmp_path) as at:
        link = await at.link()
        at.desk.provider.before_answer = lambda: at.support.revoke(Actor("telegram:7"), at.made[-1].id)
        await at.until_code(link)
        async with open_unit(at.desk.store, "look") as unit:
            live = await unit.live_attempt(ACCOUNT)

        assert live is None
        assert at.said()[-2:] == ["link.ended", "idle.ask"]


async def test_a_link_taken_back_leaves_what_another_link_still_allows(tmp_path: Path) -> None:
    async with support_fixture(tmp_path) as at:
        await at.desk.send_event(await at.link())
        await at.until_code(await at.link())
        await at.revoke()

        assert isinstance(await at.state(), states.Scanning)


async def test_when_another_chat_goes_on_with_the_account_the_code_of_the_first_is_told_to_be_over(
    tmp_path: Path,
) -> None:
    async with support_fixture(tmp_path) as at:
        await at.until_code(await at.link())
        await at.until_code(await at.link(), BERT)
        await at.notices.dispatch_batch()
        assert await at.desk.runner.wait_until_idle(10)

        assert at.said(ANNA)[-1] == "expired.ask"
        assert isinstance(await at.state(BERT), states.Scanning)


@pytest.mark.parametrize("simulated", [True, False])
async def test_an_account_that_is_verified_by_now_is_said_to_be(tmp_path: Path, simulated: bool) -> None:
    async with support_fixture(tmp_path) as at:
        at.desk.provider.simulated = simulated
        await at.until_code(await at.link())
        state = await at.state()
        assert isinstance(state, states.Scanning)
        await at.desk.core.complete(state.attempt, Passed())
        await at.desk.send_event(await at.link(), BERT)

        found = await at.state(BERT)
        assert at.said(BERT) == ["verified.ask"]
        assert isinstance(found, states.Verified)
        assert (found.account, found.method, found.simulated) == (ACCOUNT, Method.WECHAT, simulated)


async def test_what_a_link_suggests_is_kept_until_the_ways_are_offered(tmp_path: Path) -> None:
    async with support_fixture(tmp_path) as at:
        await at.desk.send_event(await at.link(method=Method.FACE))
        for choice in (Choice.MINE, Choice.AGREE):
            await at.desk.taps(choice)
        await at.desk.send_event(Said(NAME))
        await at.desk.send_event(Said(NUMBER))

        assert at.said()[-2:] == ["method.suggested", "confirm.ask"]


@pytest.mark.parametrize(("known", "language"), [(False, "en"), (True, "zh")])
async def test_a_links_language_is_for_those_who_have_not_spoken_here_yet(
    tmp_path: Path, known: bool, language: str
) -> None:
    async with support_fixture(tmp_path) as at:
        if known:
            await at.desk.send_event(Commanded(Command.START))
        await at.desk.send_event(await at.link(language="en"))

        assert at.desk.chat.views[-1].language == language


async def test_erasing_forgets_the_link_and_what_this_person_did_and_nothing_of_others(tmp_path: Path) -> None:
    async with support_fixture(tmp_path) as at:
        await at.until_code(await at.link())
        link = await at.link()
        await at.desk.send_event(link, BERT)
        async with open_unit(at.desk.store, "look") as unit:
            before = await unit.records(BERT)
        await at.desk.send_event(
            SideTapped(side=SideMessage.PRIVACY, choice="erase_now", question_id=(await at.state(BERT)).question_id),
            BERT,
        )
        async with open_unit(at.desk.store, "look") as unit:
            after, of_anna = await unit.records(BERT), await unit.live_attempt(ACCOUNT)
        await at.desk.send_event(link, BERT)

        assert [bond.account for bond in before.link_bindings] == [ACCOUNT]
        assert list(after.link_bindings) == []
        assert of_anna is not None
        assert (await at.state(BERT)).account == own_account(BERT)
        assert at.said(BERT)[-2:] == ["link.unusable", "idle.ask_again"]


async def test_inv38_a_token_is_in_no_log_and_on_no_button(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with support_fixture(tmp_path) as at:
        link = await at.link()
        for person in (ANNA, BERT):
            await at.desk.send_event(link, person)
        envelope = Envelope(ANNA, link, "update:1")

        written = f"{caplog.text} {at.desk.chat.shown} {at.desk.chat.views} {envelope} {await at.state()}"
        assert [part for part in (link.token, link.token[-22:]) if part in written] == []
