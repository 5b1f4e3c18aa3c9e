"""What the simulator's server writes reaches the bot whole and in few pieces."""

import asyncio

from playground.botapi.connections import JoiningTransport


class Wire(asyncio.Transport):
    """Notes what is sent, piece by piece."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[bytes] = []

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.sent.append(bytes(data))

    def close(self) -> None:
        self.sent.append(b"closed")


async def test_the_head_and_the_body_of_an_answer_are_sent_in_one_piece() -> None:
    wire = Wire()
    transport = JoiningTransport(wire)

    for _ in range(2):
        transport.write(b"head")
        transport.write(b"body")
        await asyncio.sleep(0)

    assert wire.sent == [b"headbody", b"headbody"]


async def test_an_answer_is_sent_before_its_connection_is_closed() -> None:
    wire = Wire()
    transport = JoiningTransport(wire)

    transport.write(b"answer")
    transport.close()
    await asyncio.sleep(0)

    assert wire.sent == [b"answer", b"closed"]
