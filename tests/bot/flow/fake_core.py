"""A core and the mail between it and a dialogue, small enough to hold in the head.

It keeps the promises of `verification.core` that the dialogue builds on: a new attempt replaces the one before it only
when it is opened, an attempt ends once, and asking again for one that lives gives the same answer.
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
    """An attempt as this core keeps it."""

    account: Account
    method: Method
    stage: PhoneStage = PhoneStage.WAITING
    live: bool = True


@dataclass
class FakeCore:
    """One person's attempts; `news` waits to be told, in whatever order the test tells it.

    `unbound` are accounts whose links were taken back.
    """

    full: bool = False
    down: bool = False
    verified: set[str] = field(default_factory=set)
    unbound: set[str] = field(default_factory=set)
    attempts: dict[AttemptId, FakeAttempt] = field(default_factory=dict)
    news: list[Event] = field(default_factory=list)

    @property
    def live(self) -> list[AttemptId]:
        return [attempt for attempt, kept in self.attempts.items() if kept.live]

    def begin(self, begin: OpenAttempt) -> Event:
        """Open an attempt, or say why not."""
        refusal = self._refusal(begin)
        return AttemptRefused(begin.attempt, refusal) if refusal else self._opened(begin)

    def drop(self, attempt: AttemptId) -> None:
        """End an attempt that is given up; one that is not known, or over, stays as it is."""
        if attempt in self.attempts:
            self.attempts[attempt] = replace(self.attempts[attempt], live=False)

    def progress(self, attempt: AttemptId, stage: PhoneStage) -> None:
        if list(PhoneStage).index(stage) > list(PhoneStage).index(self.attempts[attempt].stage):
            self.attempts[attempt] = replace(self.attempts[attempt], stage=stage)
            self.news.append(AttemptProgressed(attempt, stage, LATER))

    def announce_expiry(self, attempt: AttemptId) -> None:
        self.news.append(CodeExpiring(attempt))

    def expire(self, attempt: AttemptId) -> None:
        self.drop(attempt)
        self.news.append(CodeExpired(attempt))

    def judge(self, attempt: AttemptId, reason: Reason | None) -> None:
        self.drop(attempt)
        if reason is None and not self.full:
            self.verified.add(self.attempts[attempt].account)
            self.news.append(AttemptPassed(attempt, self.attempts[attempt].account, self.attempts[attempt].method))
        else:
            self.news.append(AttemptFailed(attempt, reason or Reason.QUOTA))

    def revoke_link(self, account: Account) -> None:
        """Let the links of an account bind nobody any more."""
        self.unbound.add(account)
        for attempt in [attempt for attempt in self.live if self.attempts[attempt].account == account]:
            self.expire(attempt)

    def _refusal(self, begin: OpenAttempt) -> AttemptRefusal | None:
        if begin.account in self.unbound:
            return AttemptRefusal.UNBOUND
        known = self.attempts.get(begin.attempt)
        if known is not None:
            return None if known.live else AttemptRefusal.OVER
        if begin.account in self.verified:
            return AttemptRefusal.VERIFIED
        return AttemptRefusal.QUOTA if self.full else None

    def _opened(self, begin: OpenAttempt) -> Event:
        for other in set(self.live) - {begin.attempt}:
            if self.attempts[other].account == begin.account:
                self.drop(other)
        if self.down and begin.attempt not in self.attempts:
            self.attempts[begin.attempt] = FakeAttempt(begin.account, begin.method, live=False)
            return AttemptRefused(begin.attempt, AttemptRefusal.UNAVAILABLE)
        self.attempts.setdefault(begin.attempt, FakeAttempt(begin.account, begin.method))
        return AttemptOpened(
            attempt=begin.attempt,
            link=f"https://verify.example.com/s/{begin.attempt}",
            match_code="42",
            expires_at=LATER,
        )
