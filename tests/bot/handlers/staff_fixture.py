"""A person's chat on the simulator with a `ReplySender`; the panel is carried from reply to reply as in a queue."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from telegram import Bot

from bot.content import catalogue as texts
from bot.engine.messages import MessageRef, ReplyContext, TurnKind
from bot.flow.effects import Reply
from bot.handlers.api.transport import BotApiRequest
from bot.handlers.incoming import person_of
from bot.handlers.outgoing import ReplySender
from tests.simulator_fixture import TOKEN, ChatUser, Simulator, simulator
from verification.dialogue_store import PersonRecords
from verification.ids import PersonId

CATALOGUE = texts.load(days=30, test=True)


@dataclass
class SenderFixture:
    """Shows replies to one person."""

    guest: ChatUser
    outgoing: ReplySender
    scheduled_deletions: list[tuple[PersonId, int]]
    bot: Bot
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
        after_crash: bool = False,
    ) -> None:
        person = person_of(self.guest.id)
        kind = TurnKind.REASK if after_crash else TurnKind.ANSWER
        context = ReplyContext(person, self.language, self.panel, origin or MessageRef(), records, kind)
        self.panel = await self.outgoing.deliver(reply, context)

    async def pressed(self, message: int, data: str = "q:x:y") -> MessageRef:
        """Press a button of a message; gives the press as the bot would see it."""
        answer = await self.simulator.sim(
            f"/chats/{self.guest.id}/messages/{message}/tap", user=self.guest.id, data=data
        )
        return MessageRef(message, answer["query"])


@asynccontextmanager
async def sender_fixture() -> AsyncIterator[SenderFixture]:
    """A chat that a person has opened, without a running bot."""
    async with simulator() as telegram:
        request = BotApiRequest()
        bot = Bot(
            TOKEN,
            f"{telegram.url}/bot",
            f"{telegram.url}/file/bot",
            request=request,
            get_updates_request=BotApiRequest(),
        )
        async with bot:
            guest = await telegram.new_user()
            await guest.says("/start")
            deletions: list[tuple[PersonId, int]] = []

            async def schedule_deletion(person: PersonId, message: int) -> None:
                deletions.append((person, message))

            yield SenderFixture(guest, ReplySender(bot, CATALOGUE, schedule_deletion), deletions, bot)
