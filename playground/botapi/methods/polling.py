"""The methods getUpdates, setWebhook, deleteWebhook and getWebhookInfo."""

from __future__ import annotations

import re
from typing import Any

from playground.botapi.fields import CallFields
from playground.world.errors import bad_request, too_many_requests
from playground.world.records import Json
from playground.world.webhook import WebhookTarget
from playground.world.world import World

MAX_UPDATES = 100
MAX_CONNECTIONS = 100
_SECRET = re.compile(r"[A-Za-z0-9_-]{0,256}")


async def get_updates(world: World, fields: CallFields) -> list[Json]:
    """Return the pending updates, or wait for the first."""
    world.updates.set_allowed_kinds(_allowed(fields))
    updates = await world.updates.poll(
        offset=fields.integer("offset"),
        limit=min(max(fields.integer("limit", MAX_UPDATES), 1), MAX_UPDATES),
        seconds=max(fields.integer("timeout"), 0),
    )
    return [update.to_json() for update in updates]


async def set_webhook(world: World, fields: CallFields) -> bool:
    """Deliver updates to an address from now on. An empty address deletes the webhook."""
    url = fields.text("url").strip()
    if url and not world.webhook.try_change():
        raise too_many_requests(1)
    if fields.flag("drop_pending_updates"):
        world.updates.drop_all()
    if not url:
        world.webhook.clear_target()
        return True
    if not url.startswith(("http://", "https://")):
        raise bad_request("invalid webhook URL specified")
    secret = fields.text("secret_token")
    if not _SECRET.fullmatch(secret):
        raise bad_request("secret token contains unallowed characters")
    world.updates.set_allowed_kinds(_allowed(fields))
    world.webhook.set_target(
        WebhookTarget(url, secret, min(max(fields.integer("max_connections", 40), 1), MAX_CONNECTIONS))
    )
    return True


async def delete_webhook(world: World, fields: CallFields) -> bool:
    """Delete the webhook; the bot polls again."""
    if fields.flag("drop_pending_updates"):
        world.updates.drop_all()
    world.webhook.clear_target()
    return True


async def get_webhook_info(world: World, fields: CallFields) -> Json:
    """Return the state of the delivery."""
    return {**world.webhook.info(), "pending_update_count": len(world.updates.pending())} | (
        {"allowed_updates": world.updates.allowed_kinds} if world.updates.allowed_kinds else {}
    )


def _allowed(fields: CallFields) -> list[str] | None:
    given: Any = fields.json("allowed_updates", "allowed_updates")
    if given is None:
        return None
    if not isinstance(given, list) or not all(isinstance(kind, str) for kind in given):
        raise bad_request("expected an Array of String as allowed_updates")
    return given
