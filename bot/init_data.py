"""Checks what Telegram tells a Mini App of the person who opened it.

The rule: https://core.telegram.org/bots/webapps#validating-data-received-via-the-mini-app
"""

import hmac
import json
from datetime import datetime, timedelta
from urllib.parse import parse_qsl

_VALID_FOR = timedelta(hours=24)
_FIELDS = 32


def user_of(init_data: str, bot_token: str, now: datetime) -> int | None:
    """The id of the person who opened the Mini App; None when Telegram did not sign it for this bot, or long ago."""
    try:
        facts = dict(parse_qsl(init_data, strict_parsing=True, max_num_fields=_FIELDS))
        signature = facts.pop("hash")
        text = "\n".join(f"{key}={value}" for key, value in sorted(facts.items()))
        key = hmac.digest(b"WebAppData", bot_token.encode(), "sha256")
        expected = hmac.digest(key, text.encode(), "sha256").hex()
        if not hmac.compare_digest(expected.encode(), signature.encode()):
            return None
        if now.timestamp() - int(facts["auth_date"]) > _VALID_FOR.total_seconds():
            return None
        user = json.loads(facts["user"])["id"]
    except (ValueError, KeyError, TypeError):
        return None
    return user if isinstance(user, int) else None
