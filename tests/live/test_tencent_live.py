"""Tencent FaceID itself, where the environment has an account: a flow is started and read, which costs nothing."""

import os
from datetime import UTC, datetime

import pytest

from bot.http_client import http_client
from bot.providers import faceid_client
from bot.settings import load
from tests.fakes import make_attempt, make_identity
from verification.attempts import AttemptId, AttemptStatus
from verification.ports import ProviderAnswer
from verification.providers.addresses import allowed_phone_url
from verification.providers.counts import ProviderCounts
from verification.providers.tencent.diagnosis import find_problem
from verification.providers.tencent.provider import TencentFaceProvider

NEEDED = ("TENCENT_SECRET_ID", "TENCENT_SECRET_KEY", "TENCENT_RULE_ID")

pytestmark = pytest.mark.skipif(
    not all(os.environ.get(name) for name in NEEDED), reason=f"needs an account at Tencent Cloud: {', '.join(NEEDED)}"
)


def now() -> datetime:
    return datetime.now(UTC)


async def test_a_flow_is_started_and_has_no_result_yet() -> None:
    settings = load()
    async with http_client(loopback_only=False) as call:
        client = faceid_client(settings, call, now)
        assert await find_problem(client) is None
        ours = TencentFaceProvider(client, settings.tencent_endpoint, now, ProviderCounts())
        session = await ours.open(AttemptId("live-1"), make_identity(), "https://bot.example.org/v/token/back")
        attempt = make_attempt("live-1", status=AttemptStatus.OPENED, provider_state=session.provider_state)

        assert allowed_phone_url((await ours.leave(attempt, {})).url, ours.phone_origins)
        assert await ours.poll(attempt) == ProviderAnswer(AttemptStatus.OPENED)
