"""The document of the protocol of a provider over HTTP, and a way to hold calls to it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema_rs

from verification.providers.http import HttpCall

DOCUMENT: dict[str, Any] = json.loads(
    (Path(__file__).parents[1] / "docs" / "operators" / "provider-openapi.json").read_text("utf-8")
)
SESSIONS: dict[str, Any] = DOCUMENT["paths"]["/sessions/{id}"]
SCHEMAS: dict[str, Any] = DOCUMENT["components"]["schemas"]
CALLBACK: dict[str, Any] = SESSIONS["put"]["callbacks"]["news"]["{$request.body#/callback}"]["post"]


def check_body(described: Mapping[str, Any], body: bytes) -> None:
    """Refuse a body that is not as its request or answer is described; where none is described, it may be any."""
    if "content" in described:
        schema = described["content"]["application/json"]["schema"]
        jsonschema_rs.validator_for({**schema, "components": DOCUMENT["components"]}).validate(json.loads(body))


def check_signature_headers(headers: Mapping[str, str]) -> None:
    """Refuse headers that are not as they are described."""
    for parameter in DOCUMENT["components"]["parameters"].values():
        jsonschema_rs.validate(parameter["schema"], headers[parameter["name"]])


def documented(call: HttpCall) -> HttpCall:
    """A client whose calls, and the answers to them, are held to the document."""

    async def checked(verb: str, url: str, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
        operation = SESSIONS[verb.lower()]
        check_signature_headers(headers)
        check_body(operation.get("requestBody", {}), body)
        status, answer = await call(verb, url, headers, body)
        assert headers["webhook-id"] == url.rpartition("/")[2]
        check_body(operation["responses"].get(str(status), operation["responses"]["default"]), answer)
        return status, answer

    return checked
