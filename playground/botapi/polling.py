"""getUpdates and the webhook's settings."""

from __future__ import annotations

import re
from typing import Any

from playground.botapi.fields import Fields
from playground.world.api_errors import bad_request, too_many_requests
from playground.world.records import Json
from playground.world.webhook_delivery import Hook
from playground.world.world import World

MOST_UPDATES = 100
MOST_CONNECTIONS = 100
_SECRET = re.compile(r"[A-Za-z0-9_-]{0,256}")


async def get_updates(world: World, fields: Fields) -> list[Json]:
    """Return the updates that wait, or wait for one."""
    world.updates.allow(_allowed(fields))
    updates = await world.updates.poll(
        offset=fields.integer("offset"),
        limit=min(max(fields.integer("limit", MOST_UPDATES), 1), MOST_UPDATES),
        seconds=max(fields.integer("timeout"), 0),
    )
    return [update.wire() for update in updates]


async def set_webhook(world: World, fields: Fields) -> bool:
    """Deliver updates to an address from now on; an empty address ends that."""
    url = fields.text("url").strip()
    if url and not world.hook.change():
        raise too_many_requests(1)
    if fields.flag("drop_pending_updates"):
        world.updates.drop_all()
    if not url:
        world.hook.clear()
        return True
    if not url.startswith(("http://", "https://")):
        raise bad_request("invalid webhook URL specified")
    secret = fields.text("secret_token")
    if not _SECRET.fullmatch(secret):
        raise bad_request("secret token contains unallowed characters")
    world.updates.allow(_allowed(fields))
    world.hook.use(Hook(url, secret, min(max(fields.integer("max_connections", 40), 1), MOST_CONNECTIONS)))
    return True


async def delete_webhook(world: World, fields: Fields) -> bool:
    """Go back to getUpdates."""
    if fields.flag("drop_pending_updates"):
        world.updates.drop_all()
    world.hook.clear()
    return True


async def get_webhook_info(world: World, fields: Fields) -> Json:
    """Tell how the delivery goes."""
    return {**world.hook.info(), "pending_update_count": len(world.updates.waiting())} | (
        {"allowed_updates": world.updates.allowed} if world.updates.allowed else {}
    )


def _allowed(fields: Fields) -> list[str] | None:
    given: Any = fields.json("allowed_updates", "allowed_updates")
    if given is None:
        return None
    if not isinstance(given, list) or not all(isinstance(kind, str) for kind in given):
        raise bad_request("expected an Array of String as allowed_updates")
    return given
