"""A core and the mail between it and a dialogue, small enough to hold in the head.

It keeps the promises of `verification.core` that the dialogue builds on: a new attempt replaces the one before it only
when it is opened, an attempt ends once, and asking again for one that lives gives the same answer.
"""

from dataclasses import dataclass, field, replace

from bot.flow.effects import Begin
from bot.flow.events import Declined, Event, Faded, Lapsed, Opened, Passed, Progressed, Refusal, Rejected
from bot.flow.states import Stage
from tests.bot.flow.samples import LATER
from verification.attempts import AttemptId, Method, Reason


@dataclass(frozen=True)
class Kept:
    """An attempt as this core keeps it."""

    account: str
    method: Method
    stage: Stage = Stage.WAITING
    live: bool = True


@dataclass
class TinyCore:
    """One person's attempts; `news` waits to be told, in whatever order the test tells it.

    `unbound` are accounts whose links were taken back.
    """

    full: bool = False
    down: bool = False
    verified: set[str] = field(default_factory=set)
    unbound: set[str] = field(default_factory=set)
    attempts: dict[AttemptId, Kept] = field(default_factory=dict)
    news: list[Event] = field(default_factory=list)

    @property
    def live(self) -> list[AttemptId]:
        return [attempt for attempt, kept in self.attempts.items() if kept.live]

    def begin(self, begin: Begin) -> Event:
        """Open an attempt, or say why not."""
        refusal = self._refusal(begin)
        return Declined(begin.attempt, refusal) if refusal else self._opened(begin)

    def drop(self, attempt: AttemptId) -> None:
        """End an attempt that is given up; one that is not known, or over, stays as it is."""
        if attempt in self.attempts:
            self.attempts[attempt] = replace(self.attempts[attempt], live=False)

    def progress(self, attempt: AttemptId, stage: Stage) -> None:
        if list(Stage).index(stage) > list(Stage).index(self.attempts[attempt].stage):
            self.attempts[attempt] = replace(self.attempts[attempt], stage=stage)
            self.news.append(Progressed(attempt, stage, LATER))

    def fade(self, attempt: AttemptId) -> None:
        self.news.append(Faded(attempt))

    def expire(self, attempt: AttemptId) -> None:
        self.drop(attempt)
        self.news.append(Lapsed(attempt))

    def judge(self, attempt: AttemptId, reason: Reason | None) -> None:
        self.drop(attempt)
        if reason is None and not self.full:
            self.verified.add(self.attempts[attempt].account)
            self.news.append(Passed(attempt, self.attempts[attempt].account, self.attempts[attempt].method))
        else:
            self.news.append(Rejected(attempt, reason or Reason.QUOTA))

    def take_back(self, account: str) -> None:
        """Let the links of an account bind nobody any more."""
        self.unbound.add(account)
        for attempt in [attempt for attempt in self.live if self.attempts[attempt].account == account]:
            self.expire(attempt)

    def _refusal(self, begin: Begin) -> Refusal | None:
        if begin.account in self.unbound:
            return Refusal.UNBOUND
        known = self.attempts.get(begin.attempt)
        if known is not None:
            return None if known.live else Refusal.OVER
        if begin.account in self.verified:
            return Refusal.VERIFIED
        return Refusal.QUOTA if self.full else None

    def _opened(self, begin: Begin) -> Event:
        for other in set(self.live) - {begin.attempt}:
            if self.attempts[other].account == begin.account:
                self.drop(other)
        if self.down and begin.attempt not in self.attempts:
            self.attempts[begin.attempt] = Kept(begin.account, begin.method, live=False)
            return Declined(begin.attempt, Refusal.UNAVAILABLE)
        self.attempts.setdefault(begin.attempt, Kept(begin.account, begin.method))
        return Opened(begin.attempt, f"https://verify.example.com/s/{begin.attempt}", "42", LATER)
