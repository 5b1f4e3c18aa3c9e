"""A minimal core, with the news that it has for a dialogue.

It keeps the promises of `verification.core` that the dialogue relies on: a new attempt replaces the one before it only
when it is opened, an attempt ends once, and a repeated request for a live attempt gets the same answer.
"""

from dataclasses import dataclass, field, replace

from bot.flow.effects import OpenAttempt
from bot.flow.events import (
    AttemptFailed,
    AttemptOpened,
    AttemptPassed,
    AttemptProgressed,
    AttemptRefusal,
    AttemptRefused,
    CodeExpired,
    CodeExpiring,
    Event,
)
from bot.flow.states import PhoneStage
from tests.bot.flow.samples import LATER
from verification.attempts import AttemptId, Method, Reason
from verification.ids import Account


@dataclass(frozen=True)
class FakeAttempt:
    """An attempt in this core."""

    account: Account
    method: Method
    stage: PhoneStage = PhoneStage.WAITING
    live: bool = True


@dataclass
class FakeCore:
    """One person's attempts; the test delivers `news` in the order it likes.

    `revoked` are the accounts whose links were revoked. With `full` every ID number has its three accounts; with
    `down` the provider opens nothing.
    """

    full: bool = False
    down: bool = False
    verified: set[str] = field(default_factory=set)
    revoked: set[str] = field(default_factory=set)
    attempts: dict[AttemptId, FakeAttempt] = field(default_factory=dict)
    news: list[Event] = field(default_factory=list)

    @property
    def live(self) -> list[AttemptId]:
        return [attempt for attempt, known in self.attempts.items() if known.live]

    def open(self, request: OpenAttempt) -> Event:
        """Open an attempt, or refuse it with a reason."""
        refusal = self._refusal(request)
        return AttemptRefused(request.attempt, refusal) if refusal else self._opened(request)

    def end(self, attempt: AttemptId) -> None:
        """End an attempt; an attempt that is unknown or ended stays as it is."""
        if attempt in self.attempts:
            self.attempts[attempt] = replace(self.attempts[attempt], live=False)

    def progress(self, attempt: AttemptId, stage: PhoneStage) -> None:
        if list(PhoneStage).index(stage) > list(PhoneStage).index(self.attempts[attempt].stage):
            self.attempts[attempt] = replace(self.attempts[attempt], stage=stage)
            self.news.append(AttemptProgressed(attempt, stage, LATER))

    def announce_expiry(self, attempt: AttemptId) -> None:
        self.news.append(CodeExpiring(attempt))

    def expire(self, attempt: AttemptId) -> None:
        self.end(attempt)
        self.news.append(CodeExpired(attempt))

    def judge(self, attempt: AttemptId, reason: Reason | None) -> None:
        self.end(attempt)
        if reason is None and not self.full:
            self.verified.add(self.attempts[attempt].account)
            self.news.append(AttemptPassed(attempt, self.attempts[attempt].account, self.attempts[attempt].method))
        else:
            self.news.append(AttemptFailed(attempt, reason or Reason.QUOTA))

    def revoke_link(self, account: Account) -> None:
        """Revoke every link of an account."""
        self.revoked.add(account)
        for attempt in [attempt for attempt in self.live if self.attempts[attempt].account == account]:
            self.expire(attempt)

    def _refusal(self, request: OpenAttempt) -> AttemptRefusal | None:
        if request.account in self.revoked:
            return AttemptRefusal.UNBOUND
        known = self.attempts.get(request.attempt)
        if known is not None:
            return None if known.live else AttemptRefusal.OVER
        if request.account in self.verified:
            return AttemptRefusal.VERIFIED
        return AttemptRefusal.QUOTA if self.full else None

    def _opened(self, request: OpenAttempt) -> Event:
        for other in set(self.live) - {request.attempt}:
            if self.attempts[other].account == request.account:
                self.end(other)
        if self.down and request.attempt not in self.attempts:
            self.attempts[request.attempt] = FakeAttempt(request.account, request.method, live=False)
            return AttemptRefused(request.attempt, AttemptRefusal.UNAVAILABLE)
        self.attempts.setdefault(request.attempt, FakeAttempt(request.account, request.method))
        return AttemptOpened(
            attempt=request.attempt,
            link=f"https://verify.example.com/s/{request.attempt}",
            match_code="42",
            expires_at=LATER,
        )
