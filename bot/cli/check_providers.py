"""Checks the services behind the methods: whether they answer, and whether they know the operator's account."""

from urllib.parse import urlsplit

from bot.cli.report import Finding, ok, problem
from bot.clock import Clock
from bot.http_client import http_client
from bot.providers import alipay_client, faceid_client
from bot.settings import Settings
from verification.providers.addresses import is_loopback
from verification.providers.alipay import diagnosis as alipay
from verification.providers.tencent import diagnosis as tencent


async def check_providers(settings: Settings) -> list[Finding]:
    """Ask the vendor's service one question that costs nothing and changes nothing."""
    clock = Clock(settings.clock_offset_file).now
    servers = {"tencent": settings.tencent_endpoint, "alipay": settings.alipay_gateway}
    kind = settings.provider_face
    if kind not in servers:
        return []
    async with http_client(loopback_only=is_loopback(urlsplit(servers[kind]).hostname or "")) as call:
        if kind == "tencent":
            name, wrong = "FaceID", await tencent.find_problem(faceid_client(settings, call, clock))
        else:
            name, wrong = "Alipay", await alipay.find_problem(alipay_client(settings, call, clock))
    return [
        ok(f"PROVIDER_FACE: {name} answers, and knows the account")
        if wrong is None
        else problem(f"PROVIDER_FACE: {wrong}")
    ]
