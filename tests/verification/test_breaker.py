"""The circuit breaker, and a provider behind it."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from tests.contracts.test_provider_polling import FakeRemoteProvider
from tests.fakes import FakeClock, make_attempt, make_identity
from verification.attempts import Attempt, AttemptId, Passed, ProviderApp
from verification.breaker import FAILURES, FIRST_REST, LONGEST_REST, Breaker
from verification.errors import AttemptNotServed, ProviderMisconfigured, ProviderUnavailable
from verification.ports import PhoneRedirect, ProviderAnswer
from verification.providers.guarded import GuardedProvider


def rested(clock: FakeClock) -> Breaker:
    """A breaker that has just opened."""
    breaker = Breaker(clock)
    for _ in range(FAILURES):
        assert breaker.admit()
        breaker.failed()
    return breaker


def test_failures_in_a_row_open_it_and_a_success_between_them_does_not() -> None:
    breaker = Breaker(FakeClock())
    for _ in range(FAILURES - 1):
        breaker.failed()
    breaker.succeeded()
    for _ in range(FAILURES - 1):
        breaker.failed()

    assert breaker.admit()
    breaker.failed()
    assert breaker.is_resting
    assert not breaker.admit()


def test_after_the_rest_one_call_is_let_through_and_its_success_ends_everything() -> None:
    clock = FakeClock()
    breaker = rested(clock)
    clock.now += FIRST_REST - timedelta(microseconds=1)
    early = breaker.admit()
    clock.now += timedelta(microseconds=1)

    assert [early, breaker.admit(), breaker.admit()] == [False, True, False]
    breaker.succeeded()
    assert [breaker.admit(), breaker.admit()] == [True, True]
    breaker.failed()
    assert not breaker.is_resting


def test_each_rest_is_twice_as_long_up_to_a_limit() -> None:
    clock = FakeClock()
    breaker, rests = rested(clock), []
    for _ in range(6):
        start = clock.now
        while breaker.is_resting:
            clock.now += timedelta(seconds=10)
        rests.append((clock.now - start).total_seconds())
        assert breaker.admit()
        breaker.failed()

    assert rests == [30, 60, 120, 240, 300, 300]


def test_the_failure_of_a_call_that_began_before_the_rest_changes_nothing() -> None:
    clock = FakeClock()
    breaker = rested(clock)
    breaker.failed()
    clock.now += FIRST_REST

    assert breaker.admit()


@pytest.mark.parametrize(("back", "is_resting"), [(FIRST_REST, True), (LONGEST_REST, False)])
def test_a_clock_that_is_set_back_makes_no_rest_endless(back: timedelta, is_resting: bool) -> None:
    clock = FakeClock()
    breaker = rested(clock)
    clock.now -= back

    assert breaker.is_resting is is_resting


class RemoteProvider(FakeRemoteProvider):
    """Makes a phone's address, and reads callbacks."""

    @property
    def phone_origins(self) -> frozenset[str]:
        return frozenset({"https://verify.example.org"})

    async def leave(self, attempt: Attempt, client: Mapping[str, str]) -> PhoneRedirect:
        return PhoneRedirect("https://verify.example.org/a1", "state")

    def read_callback(self, headers: Mapping[str, str], body: bytes) -> AttemptId | None:
        return AttemptId(body.decode())


async def poll(provider: GuardedProvider, attempt: Attempt) -> str:
    try:
        return str((await provider.poll(attempt)).news)
    except ProviderUnavailable as error:
        return str(error)


async def test_a_provider_that_fails_is_left_alone_and_then_tried_once() -> None:
    clock, remote, attempt = FakeClock(), RemoteProvider(unavailable=True, out_of_order=True), make_attempt()
    breaker = Breaker(clock)
    provider = GuardedProvider(remote, breaker, clock)
    for _ in range(FAILURES + 3):
        await poll(provider, attempt)
    with pytest.raises(ProviderUnavailable, match="rests"):
        await provider.open(attempt.id, make_identity(), "")

    assert (len(remote.polls), remote.opened) == (FAILURES, [])

    clock.now += FIRST_REST
    remote.unavailable, remote.answer = False, Passed()
    assert [await poll(provider, attempt), breaker.is_resting] == ["Passed()", False]
    remote.out_of_order = False
    assert (await provider.open(attempt.id, make_identity(), "")).provider_state == "page-of-a1"


async def test_an_attempt_whose_time_is_over_is_asked_about_while_the_provider_rests() -> None:
    clock, remote = FakeClock(), RemoteProvider(answer=Passed())
    provider = GuardedProvider(remote, rested(clock), clock)

    assert await poll(provider, make_attempt(expires_at=clock.now + timedelta(seconds=1))) == "it rests after failures"
    assert await poll(provider, make_attempt(expires_at=clock.now)) == "Passed()"


async def test_a_call_that_is_cut_off_counts_as_a_failure() -> None:
    clock = FakeClock()
    breaker = rested(clock)
    provider = GuardedProvider(RemoteProvider(barrier=asyncio.Barrier(2)), breaker, clock)
    clock.now += FIRST_REST
    call = asyncio.ensure_future(provider.poll(make_attempt()))
    await asyncio.sleep(0)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    clock.now += FIRST_REST * 2

    assert breaker.admit()


async def test_everything_else_is_the_providers_own_also_while_it_rests() -> None:
    clock = FakeClock()
    provider = GuardedProvider(RemoteProvider(), rested(clock), clock)

    assert (await provider.leave(make_attempt(), {})).url == "https://verify.example.org/a1"
    assert provider.read_callback({}, b"a1") == "a1"
    assert provider.phone_origins == {"https://verify.example.org"}
    assert (provider.app, provider.simulated) == (ProviderApp.WECHAT, False)


@dataclass
class FailingProvider(RemoteProvider):
    """Raises the error of its next poll."""

    error: Exception = field(default_factory=lambda: ProviderMisconfigured("no key"))

    async def poll(self, attempt: Attempt, *, returned: bool = False) -> ProviderAnswer:
        raise self.error


async def test_a_provider_that_the_operator_must_mend_rests_at_once_and_for_the_longest_time() -> None:
    clock = FakeClock()
    breaker = Breaker(clock)
    await poll(GuardedProvider(FailingProvider(), breaker, clock), make_attempt())

    clock.now += LONGEST_REST - timedelta(seconds=1)
    assert not breaker.admit()
    clock.now += timedelta(seconds=1)
    assert breaker.admit()


async def test_what_one_attempt_cannot_have_says_nothing_about_the_provider() -> None:
    clock = FakeClock()
    breaker = Breaker(clock)
    provider = GuardedProvider(FailingProvider(error=AttemptNotServed("a long name")), breaker, clock)
    for _ in range(FAILURES + 1):
        assert await poll(provider, make_attempt()) == "a long name"
    assert not breaker.is_resting

    rests = rested(clock)
    clock.now += FIRST_REST
    probed = GuardedProvider(FailingProvider(error=AttemptNotServed("a long name")), rests, clock)
    for _ in range(2):
        # The one call after a rest was about such an attempt: the next one is tried.
        assert await poll(probed, make_attempt()) == "a long name"
    assert rests.admit()


async def test_a_poll_is_told_that_the_phone_came_back() -> None:
    remote, clock = RemoteProvider(), FakeClock()
    await GuardedProvider(remote, Breaker(clock), clock).poll(make_attempt(), returned=True)

    assert remote.returned == [True]
