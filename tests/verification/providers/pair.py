"""A provider of ours and the vendor's server in one process, with one attempt between them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from msgspec.structs import replace

from tests.fakes import FakeClock, make_identity
from verification.attempts import Attempt
from verification.ports import PollableProvider
from verification.providers.counts import ProviderCounts
from verification.providers.http import HttpCall

BACK = "https://bot.example.org/v/token/back"

P = TypeVar("P", bound=PollableProvider)
S = TypeVar("S")


@dataclass
class Pair(Generic[P, S]):
    """The provider, the server, and the attempt as it is stored."""

    ours: P
    server: S
    clock: FakeClock
    counts: ProviderCounts
    call: HttpCall
    attempt: Attempt

    async def open(self) -> None:
        session = await self.ours.open(self.attempt.id, make_identity(), BACK)
        self.attempt = replace(self.attempt, provider_state=session.provider_state)

    async def poll(self, *, returned: bool = False) -> object:
        """Poll as the poller does: what is to be remembered is stored."""
        answer = await self.ours.poll(self.attempt, returned=returned)
        if answer.provider_state is not None:
            self.attempt = replace(self.attempt, provider_state=answer.provider_state)
        return answer.news


def answering(answer: bytes) -> HttpCall:
    """A client of a server that always answers this."""

    async def call(verb: str, url: str, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
        return 200, answer

    return call
