"""Photos and documents: recompression, limits, file ids."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator

import pytest
import qrcode
from PIL import Image

from tests.playground.simulator import TOKEN, RunningPlayground, running_playground

LINK = "http://127.0.0.1:8080/s/6Fj3kQ9wZ0aXbY7tRr2mVd"


@pytest.fixture
async def simulator() -> AsyncIterator[RunningPlayground]:
    async with running_playground() as simulator:
        yield simulator


def picture(width: int, height: int, mode: str = "RGB") -> bytes:
    out = io.BytesIO()
    Image.new(mode, (width, height)).save(out, "PNG")
    return out.getvalue()


def qr_picture(text: str) -> bytes:
    out = io.BytesIO()
    qrcode.make(text).save(out)
    return out.getvalue()


async def test_a_photo_becomes_a_jpeg_of_at_most_1280(simulator: RunningPlayground) -> None:
    user = await simulator.person()

    reply = await simulator.upload(
        "sendPhoto", chat_id=user, photo=picture(2560, 1280), caption="<b>扫码</b>", parse_mode="HTML"
    )

    largest = reply["result"]["photo"][-1]
    assert (largest["width"], largest["height"]) == (1280, 640)
    assert reply["result"]["caption_entities"] == [{"type": "bold", "offset": 0, "length": 2}]
    found = await simulator.result("getFile", file_id=largest["file_id"])
    async with simulator.http.get(f"{simulator.url}/file/bot{TOKEN}/{found['file_path']}") as answer:
        assert Image.open(io.BytesIO(await answer.read())).format == "JPEG"
    async with simulator.http.get(f"{simulator.url}/file/bot1:wrong/{found['file_path']}") as answer:
        assert answer.status == 404


async def test_a_qr_code_survives_the_recompression(simulator: RunningPlayground) -> None:
    user = await simulator.person()
    reply = await simulator.upload("sendPhoto", chat_id=user, photo=qr_picture(LINK))

    file_id = reply["result"]["photo"][-1]["file_id"]

    assert await simulator.sim(f"/files/{file_id}/qr", "GET") == {"text": LINK}


async def test_a_picture_without_a_qr_code_has_no_text(simulator: RunningPlayground) -> None:
    user = await simulator.person()
    reply = await simulator.upload("sendPhoto", chat_id=user, photo=picture(100, 100, "RGBA"))

    assert await simulator.sim(f"/files/{reply['result']['photo'][-1]['file_id']}/qr", "GET") == {"text": None}


@pytest.mark.parametrize(
    ("content", "refusal"),
    [
        (b"", "file must be non-empty"),
        (b"not a picture", "IMAGE_PROCESS_FAILED"),
        (picture(9000, 1001, "1"), "PHOTO_INVALID_DIMENSIONS"),
        (picture(2100, 100, "1"), "PHOTO_INVALID_DIMENSIONS"),
    ],
)
async def test_an_invalid_photo_is_refused(simulator: RunningPlayground, content: bytes, refusal: str) -> None:
    user = await simulator.person()

    reply = await simulator.upload("sendPhoto", chat_id=user, photo=content)

    assert reply["description"] == f"Bad Request: {refusal}"


async def test_a_caption_is_limited_to_1024(simulator: RunningPlayground) -> None:
    user = await simulator.person()

    reply = await simulator.upload("sendPhoto", chat_id=user, photo=picture(10, 10), caption="王" * 1025)

    assert reply["description"] == "Bad Request: message caption is too long"


async def test_a_photo_is_replaced_within_its_message(simulator: RunningPlayground) -> None:
    user = await simulator.person()
    sent = (await simulator.upload("sendPhoto", chat_id=user, photo=qr_picture(LINK)))["result"]
    media = '{"type":"photo","media":"attach://fresh","caption":"新的二维码","show_caption_above_media":true}'

    reply = await simulator.upload(
        "editMessageMedia", chat_id=user, message_id=sent["message_id"], media=media, fresh=qr_picture(LINK + "2")
    )

    assert reply["result"]["caption"] == "新的二维码"
    assert reply["result"]["show_caption_above_media"] is True
    assert await simulator.sim(f"/files/{reply['result']['photo'][-1]['file_id']}/qr", "GET") == {"text": LINK + "2"}


async def test_a_photo_is_added_to_a_text_but_not_to_a_forced_reply(simulator: RunningPlayground) -> None:
    user = await simulator.person()
    media = '{"type":"photo","media":"attach://fresh","caption":"二维码"}'
    replies = []
    for markup in ({}, {"reply_markup": {"force_reply": True}}):
        sent = await simulator.result("sendMessage", chat_id=user, text="选一种方式", **markup)
        replies.append(
            await simulator.upload(
                "editMessageMedia", chat_id=user, message_id=sent["message_id"], media=media, fresh=qr_picture(LINK)
            )
        )

    assert [replies[0]["result"].get(name) for name in ("text", "caption")] == [None, "二维码"]
    assert replies[1]["description"] == "Bad Request: message can't be edited"


async def test_a_file_id_can_be_sent_again(simulator: RunningPlayground) -> None:
    user = await simulator.person()
    photo = (await simulator.upload("sendPhoto", chat_id=user, photo=picture(600, 600)))["result"]["photo"]
    document = (await simulator.upload("sendDocument", chat_id=user, document=b"a,b\n"))["result"]["document"]

    again = await simulator.result("sendPhoto", chat_id=user, photo=photo[0]["file_id"])
    twice = await simulator.result("sendDocument", chat_id=user, document=document["file_id"])

    assert again["photo"] == photo
    assert twice["document"]["file_name"] == "document.bin"
    assert await simulator.refusal("sendPhoto", chat_id=user, photo=document["file_id"]) == (
        "Bad Request: can't use file of type Document as Photo"
    )
