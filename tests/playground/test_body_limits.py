"""Nobody can send the playground more than it takes, whatever the headers say."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.playground.simulator import TOKEN, running_playground

MEBI = 1024 * 1024


async def endless(size: int) -> AsyncIterator[bytes]:
    yield b'--x\r\nContent-Disposition: form-data; name="document"; filename="a"\r\n\r\n'
    for _ in range(size // MEBI + 1):
        yield b"x" * MEBI


@pytest.mark.parametrize(
    ("path", "size", "kind"),
    [
        ("/sim/users", 16 * MEBI, "application/json"),
        (f"/bot{TOKEN}/sendMessage", 50 * MEBI, "application/json"),
        (f"/bot{TOKEN}/sendDocument", 50 * MEBI, "multipart/form-data; boundary=x"),
        ("/phone/qq/http/127.0.0.1:1/", MEBI, "application/x-www-form-urlencoded"),
    ],
)
async def test_a_body_without_a_length_is_counted(path: str, size: int, kind: str) -> None:
    async with running_playground() as stand:
        try:
            async with stand.http.post(stand.url + path, data=endless(size), headers={"Content-Type": kind}) as answer:
                status, told = answer.status, await answer.json()
        except OSError:  # the answer came before all was sent, and the rest was cut off
            return

    assert (status, told["description"]) == (413, "Request Entity Too Large")


async def test_a_form_that_cannot_be_read_is_refused_as_everything_else() -> None:
    async with running_playground() as stand:
        headers = {"Content-Type": "multipart/form-data; boundary=x"}
        async with stand.http.post(f"{stand.url}/bot{TOKEN}/sendMessage", data=b"nonsense", headers=headers) as answer:
            told = await answer.json()

    assert (answer.status, told["ok"], told["description"]) == (400, False, "Bad Request: can't parse the form")
