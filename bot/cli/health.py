"""Asks the running program on this machine whether it is ready, for health checks of containers."""

import json
from http.client import HTTPConnection, HTTPException
from typing import Any

from bot.cli.report import Say
from bot.settings import BadSetting, load
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


def _ask(host: str, port: int) -> tuple[int, dict[str, Any]]:
    connection = HTTPConnection(host, port, timeout=_SECONDS)
    try:
        connection.request("GET", "/readyz")
        response = connection.getresponse()
        answer = json.loads(response.read())
        if not isinstance(answer, dict):
            raise HTTPException("not an answer of /readyz")
        return response.status, answer
    finally:
        connection.close()
