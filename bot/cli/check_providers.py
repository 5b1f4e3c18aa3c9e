"""Checks the services behind the methods: whether they answer, and whether they know the operator's account."""

from urllib.parse import urlsplit

from bot.cli.report import Finding, ok, problem
from bot.clock import Clock
from bot.http_client import http_client
from bot.providers import faceid_client
from bot.settings import Settings
from verification.providers.addresses import is_loopback
from verification.providers.tencent.diagnosis import find_problem


async def check_providers(settings: Settings) -> list[Finding]:
    """Ask each service one question that costs nothing and changes nothing."""
    if "tencent" not in settings.providers.values():
        return []
    url = settings.tencent_endpoint
    async with http_client(loopback_only=is_loopback(urlsplit(url).hostname or "")) as call:
        found = await find_problem(faceid_client(settings, call, Clock(settings.clock_offset_file).now))
    if found is not None:
        return [problem(f"PROVIDER_FACE: {found}")]
    return [ok("PROVIDER_FACE: FaceID answers, and knows the key and the rule")]
