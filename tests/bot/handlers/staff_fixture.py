"""Somebody's chat and whoever writes into it: `Outgoing` over a stand-in, with the panel kept as a lane keeps it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from telegram import Bot

from bot.content import catalogue as texts
from bot.engine.messages import MessageRef, ReplyContext, TurnKind
from bot.flow.effects import Reply
from bot.handlers.api.transport import AiohttpRequest
from bot.handlers.incoming import person_of
from bot.handlers.outgoing import ReplySender
from tests.simulator_fixture import TOKEN, ChatUser, Simulator, simulator
from verification.dialogue_store import Person, PersonRecords

CATALOGUE = texts.load(days=30, test=True)


@dataclass
class SenderFixture:
    """Shows replies to one guest."""

    guest: ChatUser
    outgoing: ReplySender
    scheduled_deletions: list[tuple[Person, int]]
    language: str = "zh"
    panel: str = ""

    @property
    def simulator(self) -> Simulator:
        return self.guest.simulator

    async def show(
        self,
        reply: Reply,
        origin: MessageRef | None = None,
        records: PersonRecords | None = None,
        *,
        again: bool = False,
    ) -> None:
        kind = TurnKind.REASK if again else TurnKind.ANSWER
        context = ReplyContext(
            person_of(self.guest.id), self.language, self.panel, origin or MessageRef(), records, kind
        )
        self.panel = await self.outgoing.deliver(reply, context)

    async def pressed(self, message: int, data: str = "q:x:y") -> MessageRef:
        """Let the guest press something, and take the press as the bot would."""
        answer = await self.simulator.sim(
            f"/chats/{self.guest.id}/messages/{message}/tap", user=self.guest.id, data=data
        )
        return MessageRef(message, answer["query"])


@asynccontextmanager
async def sender_fixture() -> AsyncIterator[SenderFixture]:
    """A chat that somebody has opened, without a bot behind it."""
    async with simulator() as place:
        request = AiohttpRequest()
        bot = Bot(
            TOKEN, f"{place.url}/bot", f"{place.url}/file/bot", request=request, get_updates_request=AiohttpRequest()
        )
        async with bot:
            guest = await place.new_user()
            await guest.says("/start")
            left: list[tuple[Person, int]] = []

            async def leave(person: Person, message: int) -> None:
                left.append((person, message))

            yield SenderFixture(guest, ReplySender(bot, CATALOGUE, leave), left)
