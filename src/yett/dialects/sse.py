"""Server-sent events (WHATWG HTML, section 9.2), sans-io: bytes in at any cut, whole events out as the bytes they came in.

An event ends at an empty line; lines end in LF, CRLF or CR. Events are handed out raw, terminator included, so that an
event nobody needs to change is passed on as it was.
"""

from __future__ import annotations

import re

_END = re.compile(rb"(?:\r\n|\n|\r(?!\n)){2}")
_LINE = re.compile(rb"\r\n|\n|\r")


class EventTooLarge(ValueError):
    """An event grew past the limit without ending."""


class Splitter:
    """`feed(data)` returns the events that this data completes. Keeps at most `limit` bytes of an unfinished event."""

    __slots__ = ("_kept", "limit")

    def __init__(self, limit: int = 1 << 20) -> None:
        self._kept = bytearray()
        self.limit = limit

    @property
    def waiting(self) -> bool:
        """Whether an event has begun and not ended."""
        return bool(self._kept)

    def feed(self, data: bytes) -> list[bytes]:
        """Raises EventTooLarge."""
        # What nearly every chunk is: one or more whole events with plain line feeds.
        if not self._kept and b"\r" not in data and data.endswith(b"\n\n"):
            if len(data) > 2 and data.find(b"\n") == len(data) - 2:  # one event of one line
                return [data]
            return [event + b"\n\n" for event in data.split(b"\n\n") if event.strip(b"\n")]
        return self._feed_slowly(data)

    def _feed_slowly(self, data: bytes) -> list[bytes]:
        kept = self._kept
        # Look again only at the last bytes of what was kept: a drip of single bytes stays linear.
        start = max(0, len(kept) - 3)
        kept += data
        events = []
        at = 0
        while (match := _END.search(kept, max(start, at))) is not None:
            # A CR at the very end may be half of a CRLF: wait for what follows.
            if match.end() == len(kept) and kept.endswith(b"\r"):
                break
            if kept[at : match.start()].strip(b"\r\n"):
                events.append(bytes(kept[at : match.end()]))
            at = match.end()
        del kept[:at]
        if len(kept) > self.limit:
            raise EventTooLarge(f"an event exceeds {self.limit} bytes")
        return events

    def finish(self) -> bytes:
        """What is left when the stream has ended; a well-behaved stream leaves nothing."""
        kept = bytes(self._kept)
        self._kept.clear()
        return kept


def data_of(event: bytes) -> bytes | None:
    """The payload of an event: its `data` lines joined with LF; None when it has none (a comment, a bare `event:`)."""
    if event.startswith(b"data: ") and event.find(b"\n") == len(event) - 2:
        return event[6:-2]
    lines = []
    for line in _LINE.split(event):
        if line.startswith(b"data:"):
            lines.append(line[6:] if line.startswith(b"data: ") else line[5:])
        elif line == b"data":
            lines.append(b"")
    return b"\n".join(lines) if lines else None


def event_of(payload: bytes) -> bytes:
    """An event with this payload, which must not contain line breaks."""
    return b"data: %b\n\n" % payload
