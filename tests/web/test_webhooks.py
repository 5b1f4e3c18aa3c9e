"""Telegram's door: only with the secret, and 200 only for what is kept."""

import pytest

from tests.web.app_fixture import WebFixture
from web.app import TelegramRoute

SECRET = "a-secret-of-telegram"
HEADERS = {"X-Telegram-Bot-Api-Secret-Token": SECRET}


class FakeUpdateSink:
    def __init__(self, *, keeps: bool = True) -> None:
        self.taken: list[bytes] = []
        self.keeps = keeps

    async def take(self, update: bytes) -> bool:
        self.taken.append(update)
        return self.keeps


def house_with(inbox: FakeUpdateSink) -> WebFixture:
    return WebFixture(telegram=TelegramRoute(SECRET, inbox.take))


async def test_an_update_with_the_secret_is_taken() -> None:
    inbox = FakeUpdateSink()

    answer = await house_with(inbox).phone("x").post("/telegram", content=b'{"update_id":1}', headers=HEADERS)

    assert answer.status_code == 200
    assert inbox.taken == [b'{"update_id":1}']


@pytest.mark.parametrize("headers", [{}, {"X-Telegram-Bot-Api-Secret-Token": "wrong"}])
async def test_without_the_secret_nothing_is_taken(headers: dict[str, str]) -> None:
    inbox = FakeUpdateSink()

    answer = await house_with(inbox).phone("x").post("/telegram", content=b"{}", headers=headers)

    assert answer.status_code == 403
    assert not inbox.taken


async def test_a_secret_that_is_not_ascii_is_just_wrong() -> None:
    headers = {b"X-Telegram-Bot-Api-Secret-Token": b"\xff\xfe"}

    answer = await house_with(FakeUpdateSink()).phone("x").post("/telegram", content=b"{}", headers=headers)

    assert answer.status_code == 403


async def test_inv06_an_update_larger_than_any_is_taken_as_unreadable_or_it_would_come_again_for_a_day() -> None:
    inbox = FakeUpdateSink()

    answer = await house_with(inbox).phone("x").post("/telegram", content=b"x" * (1024 * 1024 + 1), headers=HEADERS)

    assert answer.status_code == 200
    assert inbox.taken == [b""]


async def test_an_update_that_is_not_kept_is_asked_for_again() -> None:
    answer = await house_with(FakeUpdateSink(keeps=False)).phone("x").post("/telegram", content=b"{}", headers=HEADERS)

    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    assert not answer.content


async def test_a_failure_behind_the_door_asks_for_the_update_again_and_tells_nothing() -> None:
    async def broken(update: bytes) -> bool:
        raise RuntimeError(update.decode())

    house = WebFixture(telegram=TelegramRoute(SECRET, broken))

    answer = await house.phone("x").post("/telegram", content=b"{}", headers=HEADERS)

    assert answer.status_code == 503
    assert not answer.content


async def test_without_a_webhook_there_is_no_door() -> None:
    answer = await WebFixture().phone("x").post("/telegram", content=b"{}", headers=HEADERS)

    assert answer.status_code == 404


def test_a_webhook_without_a_secret_is_refused_at_the_start() -> None:
    with pytest.raises(ValueError, match="secret"):
        WebFixture(telegram=TelegramRoute("", FakeUpdateSink().take))


def test_the_secret_is_not_printed() -> None:
    assert SECRET not in repr(TelegramRoute(SECRET, FakeUpdateSink().take))
