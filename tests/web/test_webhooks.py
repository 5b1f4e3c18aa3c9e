"""Telegram's webhook: only with the secret, and 200 only for updates that are stored."""

import pytest

from tests.web.app_fixture import WebFixture
from web.app import TelegramRoute

SECRET = "a-secret-of-telegram"
HEADERS = {"X-Telegram-Bot-Api-Secret-Token": SECRET}


class FakeUpdateSink:
    def __init__(self, *, keeps: bool = True) -> None:
        self.taken: list[bytes] = []
        self.stores = keeps

    async def take(self, update: bytes) -> bool:
        self.taken.append(update)
        return self.stores


def web_app_with(inbox: FakeUpdateSink) -> WebFixture:
    return WebFixture(telegram=TelegramRoute(SECRET, inbox.take))


async def test_an_update_with_the_secret_is_accepted() -> None:
    inbox = FakeUpdateSink()

    answer = await web_app_with(inbox).phone("x").post("/telegram", content=b'{"update_id":1}', headers=HEADERS)

    assert answer.status_code == 200
    assert inbox.taken == [b'{"update_id":1}']


@pytest.mark.parametrize("headers", [{}, {"X-Telegram-Bot-Api-Secret-Token": "wrong"}])
async def test_an_update_without_the_secret_is_refused(headers: dict[str, str]) -> None:
    inbox = FakeUpdateSink()

    answer = await web_app_with(inbox).phone("x").post("/telegram", content=b"{}", headers=headers)

    assert answer.status_code == 403
    assert not inbox.taken


async def test_a_secret_that_is_not_ascii_is_wrong() -> None:
    headers = {b"X-Telegram-Bot-Api-Secret-Token": b"\xff\xfe"}

    answer = await web_app_with(FakeUpdateSink()).phone("x").post("/telegram", content=b"{}", headers=headers)

    assert answer.status_code == 403


async def test_inv06_an_oversized_update_is_accepted_as_unreadable_so_that_telegram_does_not_repeat_it() -> None:
    inbox = FakeUpdateSink()

    answer = await web_app_with(inbox).phone("x").post("/telegram", content=b"x" * (1024 * 1024 + 1), headers=HEADERS)

    assert answer.status_code == 200
    assert inbox.taken == [b""]


async def test_an_update_that_is_not_stored_gets_503() -> None:
    answer = (
        await web_app_with(FakeUpdateSink(keeps=False)).phone("x").post("/telegram", content=b"{}", headers=HEADERS)
    )

    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    assert not answer.content


async def test_an_error_in_the_webhook_gets_503_without_detail() -> None:
    async def broken(update: bytes) -> bool:
        raise RuntimeError(update.decode())

    web_app = WebFixture(telegram=TelegramRoute(SECRET, broken))

    answer = await web_app.phone("x").post("/telegram", content=b"{}", headers=HEADERS)

    assert answer.status_code == 503
    assert not answer.content


async def test_without_a_webhook_there_is_no_address_for_it() -> None:
    answer = await WebFixture().phone("x").post("/telegram", content=b"{}", headers=HEADERS)

    assert answer.status_code == 404


def test_a_webhook_without_a_secret_is_refused_at_the_start() -> None:
    with pytest.raises(ValueError, match="secret"):
        WebFixture(telegram=TelegramRoute("", FakeUpdateSink().take))


def test_the_secret_is_not_printed() -> None:
    assert SECRET not in repr(TelegramRoute(SECRET, FakeUpdateSink().take))
