"""A body over the limit is refused, whether or not its headers state the length."""

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
    async with running_playground() as simulator:
        try:
            async with simulator.http.post(
                simulator.url + path, data=endless(size), headers={"Content-Type": kind}
            ) as answer:
                status, reply = answer.status, await answer.json()
        except OSError:  # the answer came before the whole body was sent
            return

    assert (status, reply["description"]) == (413, "Request Entity Too Large")


async def test_an_unreadable_form_is_refused_as_a_call_is() -> None:
    async with running_playground() as simulator:
        headers = {"Content-Type": "multipart/form-data; boundary=x"}
        async with simulator.http.post(
            f"{simulator.url}/bot{TOKEN}/sendMessage", data=b"nonsense", headers=headers
        ) as answer:
            reply = await answer.json()

    assert (answer.status, reply["ok"], reply["description"]) == (400, False, "Bad Request: can't parse the form")
