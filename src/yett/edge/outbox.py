"""Outbox: what leaves during one turn of the loop, in any direction, leaves together at the turn's end.

A send wakes its receiver. On a gateway with many calls in progress that costs more than the send itself, unless the receiver is
still at what it was sent a moment before: sends one right after the other find it awake. A call that is alone does not wait.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sized

MOST = 65_536  # bytes that wait for one receiver; more goes at once, so that its transport can say when it is full


class Outbox:
    """`calls` are those in progress. Use on one event loop."""

    __slots__ = ("_calls", "_loop", "_waiting")

    def __init__(self, calls: Sized = ()) -> None:
        self._loop = asyncio.get_running_loop()
        self._calls = calls
        self._waiting: list[Share] = []

    def add(self, share: Share) -> bool:
        """Whether it may wait for the end of the turn; it is then flushed."""
        if len(self._calls) < 2:
            return False
        if not self._waiting:
            self._loop.call_soon(self._flush)
        self._waiting.append(share)
        return True

    def _flush(self) -> None:
        waiting, self._waiting = self._waiting, []
        for share in waiting:
            share.flush()


class Share:
    """What waits for one transport, in the order in which it was written. Whoever closes a transport in an orderly way flushes
    it first; what waits for one that is closed is dropped, as the transport itself would."""

    __slots__ = ("_outbox", "_size", "_transport", "waiting")

    def __init__(self, transport: asyncio.WriteTransport, outbox: Outbox) -> None:
        self._transport = transport
        self._outbox = outbox
        self._size = 0
        self.waiting: list[bytes] = []

    def write(self, data: bytes) -> None:
        waiting = self.waiting
        if waiting:
            waiting.append(data)
            self._size += len(data)
            if self._size > MOST:
                self.flush()
        elif len(data) <= MOST and self._outbox.add(self):
            waiting.append(data)
            self._size = len(data)
        else:
            self._transport.write(data)

    def flush(self) -> None:
        if not self.waiting:
            return  # it went on its own, meanwhile
        waiting, self.waiting = self.waiting, []
        if not self._transport.is_closing():
            self._transport.write(waiting[0] if len(waiting) == 1 else b"".join(waiting))
