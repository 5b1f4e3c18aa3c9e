"""What Telegram says of a Mini App's user counts only with Telegram's signature for this bot, and for a day."""

import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest

from bot.private_form import user_of

TOKEN = "1000:a-token-for-tests"
NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
FACTS = {
    "query_id": "AAHdF6IQAAAAAN0XohDhrOrc",
    "user": json.dumps({"id": 100012345, "first_name": "王 & 小明"}, ensure_ascii=False),
    "auth_date": str(int(NOW.timestamp()) - 60),
    "signature": "another one, of Telegram's own key",
}


def signed(facts: dict[str, str], token: str = TOKEN) -> str:
    """Sign as the page describes it, step by step."""
    lines = "\n".join(sorted(f"{key}={value}" for key, value in facts.items()))
    secret = hmac.new(b"WebAppData", token.encode(), hashlib.sha256).digest()
    return urlencode({**facts, "hash": hmac.new(secret, lines.encode(), hashlib.sha256).hexdigest()})


def test_a_signed_statement_names_its_user() -> None:
    assert user_of(signed(FACTS), TOKEN, NOW) == 100012345


def test_it_counts_for_a_day() -> None:
    at = datetime.fromtimestamp(int(FACTS["auth_date"]), UTC)

    assert user_of(signed(FACTS), TOKEN, at + timedelta(hours=24)) == 100012345
    assert user_of(signed(FACTS), TOKEN, at + timedelta(hours=24, seconds=1)) is None


@pytest.mark.parametrize(
    "statement",
    [
        signed(FACTS, TOKEN.replace("1", "2")),
        signed(FACTS).replace("100012345", "100012346"),
        signed(FACTS).replace("hash=", "hash=0"),
        urlencode(FACTS),
        signed({key: value for key, value in FACTS.items() if key != "auth_date"}),
        signed({**FACTS, "auth_date": "yesterday"}),
        signed({**FACTS, "user": "no JSON"}),
        signed({**FACTS, "user": "[]"}),
        signed({**FACTS, "user": '{"id": "100012345"}'}),
        signed({key: value for key, value in FACTS.items() if key != "user"}),
        signed(FACTS) + "&hash=\u738b",
        "hash",
        "&&&",
        "x" * 10_000,
    ],
)
def test_nothing_else_names_anybody(statement: str) -> None:
    assert user_of(statement, TOKEN, NOW) is None
