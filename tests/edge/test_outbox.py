"""What leaves in one turn of the loop leaves at its end, and in order."""

from __future__ import annotations

import asyncio

from yett.edge.outbox import MOST, Outbox, Share


class Wire(asyncio.WriteTransport):
    def __init__(self) -> None:
        super().__init__()
        self.sent: list[bytes] = []
        self.closing = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.sent.append(bytes(data))

    def is_closing(self) -> bool:
        return self.closing


async def test_a_call_that_is_alone_does_not_wait() -> None:
    wire = Wire()
    share = Share(wire, Outbox({1}))
    share.write(b"head")
    share.write(b"body")
    assert wire.sent == [b"head", b"body"]


async def test_among_others_everything_for_one_receiver_leaves_at_once() -> None:
    outbox = Outbox({1, 2})
    first, second = Wire(), Wire()
    one, other = Share(first, outbox), Share(second, outbox)
    one.write(b"head")
    other.write(b"x")
    one.write(b"body")
    assert first.sent == second.sent == []
    await asyncio.sleep(0)
    assert first.sent == [b"headbody"]
    assert second.sent == [b"x"]
    one.write(b"again")
    await asyncio.sleep(0)
    assert first.sent == [b"headbody", b"again"]


async def test_much_does_not_wait_so_that_the_transport_can_say_that_it_is_full() -> None:
    wire = Wire()
    share = Share(wire, Outbox({1, 2}))
    share.write(b"a" * MOST + b"b")
    assert len(wire.sent) == 1
    share.write(b"c")
    assert len(wire.sent) == 1
    share.write(b"d" * MOST)
    assert wire.sent[1] == b"c" + b"d" * MOST
    await asyncio.sleep(0)
    assert len(wire.sent) == 2


async def test_flushed_early_nothing_leaves_twice() -> None:
    wire = Wire()
    share = Share(wire, Outbox({1, 2}))
    share.write(b"last words")
    share.flush()
    await asyncio.sleep(0)
    assert wire.sent == [b"last words"]


async def test_what_waits_for_a_closed_transport_is_dropped() -> None:
    wire = Wire()
    share = Share(wire, Outbox({1, 2}))
    share.write(b"too late")
    wire.closing = True
    await asyncio.sleep(0)
    assert wire.sent == []
    assert not share.waiting
