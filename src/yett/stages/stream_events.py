"""The events of a streamed reply, while text of theirs waits for its release: when each leaves, and as what.

An event leaves when all its text has been settled; if none of it was changed, its bytes leave as they came. An event whose text is
settled in part is split only when that shows the caller words and repeats nothing.
"""

from __future__ import annotations

from collections import deque
from typing import Any

import msgspec

from yett.dialects import sse
from yett.dialects.openai_chat import drop_logprobs

_decode = msgspec.json.Decoder().decode


class Event:
    """One event as it `arrived`, the how manieth of its stream, with the slots of its text that had to wait."""

    __slots__ = ("arrived", "changed", "document", "open", "raw", "slots")

    def __init__(self, raw: bytes, document: dict[str, Any] | None, arrived: int) -> None:
        self.arrived = arrived
        self.raw = raw
        self.document = document  # None: its frame is known, and that it has one slot
        self.slots: list[Slot] = []
        self.open = 0  # slots with characters to go
        self.changed = False

    def taken_apart(self) -> dict[str, Any]:
        if self.document is None:
            self.document = _decode(self.raw[6:-2])
            self.slots[0].container = self.document["choices"][0]["delta"]
        return self.document

    def rewritten(self) -> bytes:
        """With the text that was settled, and without the token probabilities, which would spell out what was there before."""
        document = self.taken_apart()
        for slot in self.slots:
            slot.container[slot.key] = slot.out
        drop_logprobs(document)
        return sse.event_of(msgspec.json.encode(document))


class Slot:
    """One string of an event that is waiting for its release: `left` characters to go, `out` so far."""

    __slots__ = ("container", "event", "key", "left", "out")

    def __init__(self, event: Event, container: Any, key: Any, length: int) -> None:
        self.event = event
        self.container = container
        self.key = key
        self.left = length
        self.out = ""


Waiting = deque[Slot]  # of one channel, in the order in which they came


class Departures:
    """What may go to the caller now is in `out`."""

    __slots__ = ("moved", "out")

    def __init__(self) -> None:
        self.out: list[bytes] = []
        self.moved: list[Event] = []  # that have had text settled and were not shown since

    def settle(self, waiting: Waiting, text: str, length: int, *, masked: bool) -> None:
        """`length` characters of the original are settled; `text` is they themselves, or what replaces them: a marker, a value."""
        while length and waiting:
            slot = waiting[0]
            self.moved.append(slot.event)
            take = min(length, slot.left)
            if masked:
                slot.out += text  # the marker goes where the match began
                text = ""
                slot.event.changed = True
            elif take == len(text):
                slot.out += text
                text = ""
            else:
                slot.out += text[:take]
                text = text[take:]
            slot.left -= take
            length -= take
            if not slot.left:
                waiting.popleft()
                slot.event.open -= 1

    def let_go(self, waiting: Waiting, length: int) -> None:
        """The last of what waits is not a part of any text any more."""
        while length:
            slot = waiting[-1]
            take = min(length, slot.left)
            slot.left -= take
            length -= take
            slot.event.changed = True
            self.moved.append(slot.event)
            if not slot.left:
                waiting.pop()
                slot.event.open -= 1

    def show_moved(self, but: Event | None = None) -> None:
        """Show the events whose text has moved, in the order in which they came. The others, of which there may be thousands
        while a long match goes on, are not looked at."""
        moved, self.moved = self.moved, []
        if len(moved) > 1:
            moved = sorted(set(moved), key=_arrival)
        for event in moved:
            if event is not but:
                self.show(event)

    def show(self, event: Event) -> None:
        """As much of an event as may be shown."""
        if event.open:
            self._split(event)
        else:
            self.out.append(event.rewritten() if event.changed else event.raw)

    def _split(self, event: Event) -> None:
        """Show the settled part of an event's text now, if it is words and the event carries nothing else."""
        if len(event.slots) != 1 or not (slot := event.slots[0]).out.strip():
            return
        event.taken_apart()
        if type(slot.container) is not dict or len(slot.container) != 1:
            return  # a tool call's id would be repeated, and SDKs concatenate what is repeated
        event.changed = True
        self.out.append(event.rewritten())
        slot.out = ""


def _arrival(event: Event) -> int:
    return event.arrived
