"""What every provider with pages of its own promises, each against a strict server of its vendor's kind."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
from msgspec.structs import replace

from bot.http_client import http_client
from tests.alipay_server import AlipayFault, alipay_server
from tests.faceid_server import FaceIdFault, faceid_server
from tests.fakes import FakeClock, make_attempt, make_identity
from tests.provider_server import ProviderFault, provider
from tests.verification.providers import test_alipay, test_tencent_provider
from verification.attempts import Attempt, AttemptStatus, Method, Passed, Reason, Rejected
from verification.errors import ProviderUnavailable
from verification.ports import PollableProvider
from verification.providers.addresses import allowed_phone_url
from verification.providers.counts import ProviderCounts
from verification.providers.http import HttpCall

BACK = "https://bot.example.org/v/token/back"


@dataclass
class Vendor:
    """A provider of ours, and what its vendor may do."""

    ours: PollableProvider
    passes: Callable[[], object]
    fails: Callable[[], object]
    is_away: Callable[[], object]


@asynccontextmanager
async def http_vendor(call: HttpCall, clock: FakeClock) -> AsyncIterator[Vendor]:
    async with provider() as server:
        states = server.states
        yield Vendor(
            server.http(call, clock, Method.FACE),
            lambda: states.update({"a1": {"state": "passed"}}),
            lambda: states.update({"a1": {"state": "failed", "reason": "face_unclear"}}),
            lambda: server.troubles.extend([ProviderFault.BROKEN] * 3),
        )


@asynccontextmanager
async def tencent_vendor(call: HttpCall, clock: FakeClock) -> AsyncIterator[Vendor]:
    async with faceid_server(clock) as server:
        yield Vendor(
            test_tencent_provider.make_provider(server.base, call, clock),
            server.pass_,
            lambda: server.show(1002),
            lambda: server.faults.extend([FaceIdFault.BROKEN] * 3),
        )


@asynccontextmanager
async def alipay_vendor(call: HttpCall, clock: FakeClock) -> AsyncIterator[Vendor]:
    async with alipay_server(clock) as server:
        yield Vendor(
            test_alipay.make_provider(server.gateway, call, clock, ProviderCounts()),
            lambda: server.last.answer.update({"passed": "T"}),
            lambda: server.last.answer.update({"passed": "F", "fail_reason": "Z1147"}),
            lambda: server.faults.extend([AlipayFault.BROKEN] * 3),
        )


VENDORS = {"http": http_vendor, "tencent": tencent_vendor, "alipay": alipay_vendor}


@pytest.fixture(params=VENDORS)
async def vendor(request: pytest.FixtureRequest) -> AsyncIterator[Vendor]:
    async with http_client(loopback_only=True) as call, VENDORS[request.param](call, FakeClock()) as made:
        yield made


async def opened(vendor: Vendor) -> Attempt:
    session = await vendor.ours.open(make_attempt().id, make_identity(), BACK)
    return make_attempt(method=Method.FACE, status=AttemptStatus.OPENED, provider_state=session.provider_state)


async def test_what_is_remembered_of_a_session_is_short_and_in_no_repr(vendor: Vendor) -> None:
    attempt = await opened(vendor)

    assert 0 < len(attempt.provider_state) <= 2048
    assert attempt.provider_state not in repr(attempt)
    assert not vendor.ours.simulated


async def test_opening_again_is_harmless(vendor: Vendor) -> None:
    await opened(vendor)
    attempt = await opened(vendor)
    vendor.passes()

    assert (await vendor.ours.poll(attempt)).news == Passed()


async def test_a_phone_goes_to_a_listed_origin_and_the_state_stays_usable(vendor: Vendor) -> None:
    attempt = await opened(vendor)
    for agent in ("Mozilla/5.0", "Mozilla/5.0 MicroMessenger/8.0", "Mozilla/5.0 AlipayClient/10.6"):
        redirect = await vendor.ours.leave(attempt, {"user-agent": agent})
        assert allowed_phone_url(redirect.url, vendor.ours.phone_origins) == redirect.url
        assert redirect.url not in repr(redirect)
        attempt = replace(attempt, provider_state=redirect.provider_state)
    vendor.passes()

    assert (await vendor.ours.poll(attempt)).news == Passed()


async def test_before_the_person_has_done_anything_there_is_no_verdict(vendor: Vendor) -> None:
    attempt = await opened(vendor)

    for returned in (False, True):
        assert isinstance((await vendor.ours.poll(attempt, returned=returned)).news, AttemptStatus)


async def test_a_pass_is_a_pass_as_often_as_it_is_asked_for(vendor: Vendor) -> None:
    attempt = await opened(vendor)
    vendor.passes()

    for _ in range(3):
        assert (await vendor.ours.poll(attempt)).news == Passed()
    ended = replace(attempt, status=AttemptStatus.SUCCEEDED, identity=None)
    assert (await vendor.ours.poll(ended)).news == Passed()


async def test_a_failure_is_one_when_the_person_has_come_back(vendor: Vendor) -> None:
    attempt = await opened(vendor)
    vendor.fails()

    assert (await vendor.ours.poll(attempt, returned=True)).news == Rejected(Reason.FACE_UNCLEAR)


async def test_a_vendor_that_is_away_is_unavailable_and_the_next_call_counts(vendor: Vendor) -> None:
    attempt = await opened(vendor)
    vendor.passes()
    vendor.is_away()
    for _ in range(3):
        with pytest.raises(ProviderUnavailable):
            await vendor.ours.poll(attempt)
    assert (await vendor.ours.poll(attempt)).news == Passed()

    vendor.is_away()
    with pytest.raises(ProviderUnavailable):
        await opened(vendor)
    await opened(vendor)
