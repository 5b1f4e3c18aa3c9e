"""Asks the running program on this machine whether it is ready, for health checks of containers."""

import json
import re
from http.client import HTTPConnection, HTTPException
from typing import Any

from bot.cli.report import Say
from bot.settings import BadSetting, Settings, load
from verification.errors import describe_error

_SECONDS = 5
_ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}


def check_health(say: Say) -> int:
    """Say in one line whether `/readyz` of the program with these settings is ready; gives the exit status."""
    try:
        settings = load()
    except BadSetting as error:
        say(str(error))
        return 1
    if not settings.port:
        say("PORT: 0 is any free port, so the running program cannot be found")
        return 1
    try:
        status, answer = _ask(_ANY_ADDRESS.get(settings.host, settings.host), settings.port)
    except (OSError, HTTPException, ValueError) as error:
        say(f"not ready: no answer from {settings.host}:{settings.port} ({describe_error(error)})")
        return 1
    reasons = answer.get("reasons", {})
    say("ready" if status == 200 else "not ready: " + "; ".join(f"{part}: {why}" for part, why in reasons.items()))
    return 0 if status == 200 else 1


def resting_methods(settings: Settings) -> list[str] | None:
    """The methods whose provider rests in the running program; None when no program answers or none can rest."""
    try:
        port = settings.metrics_port or settings.port
        key = settings.metrics_key.get_secret_value() if settings.metrics_key else ""
        _, metrics = _get(_ANY_ADDRESS.get(settings.host, settings.host), port, "/metrics", key)
    except (OSError, HTTPException):
        return None
    found = dict(
        re.findall(r'^bot_provider_resting\{method="(\w+)"\} (\S+)$', metrics.decode(errors="replace"), re.MULTILINE)
    )
    return [method for method, value in found.items() if value == "1.0"] if found else None


def _ask(host: str, port: int) -> tuple[int, dict[str, Any]]:
    status, body = _get(host, port, "/readyz")
    answer = json.loads(body)
    if not isinstance(answer, dict):
        raise HTTPException("not an answer of /readyz")
    return status, answer


def _get(host: str, port: int, path: str, key: str = "") -> tuple[int, bytes]:
    connection = HTTPConnection(host, port, timeout=_SECONDS)
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    try:
        connection.request("GET", path, headers=headers)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()
