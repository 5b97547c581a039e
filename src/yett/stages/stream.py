"""Review a streamed reply while it passes: hold back what may still become a finding, pass on everything else as it came.

Each piece of text in each event belongs to a channel: one choice's content, one tool call's arguments. A channel has its
own detector window. An event leaves when all its text has been released; if none of it was changed, its bytes leave as
they came. An event whose text is released in part is split only when that shows the caller words and repeats nothing.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from typing import Any

import msgspec

from yett.detectors.engine import Scanner
from yett.detectors.mask import marker, mask, matches
from yett.detectors.window import Released, Window
from yett.dialects import sse
from yett.dialects.openai_chat import DONE, usage_of
from yett.model.finding import Finding
from yett.model.usage import Usage

Channel = tuple[object, ...]
Judge = Callable[[frozenset[str]], tuple[str, ...]]  # kinds found so far -> selectors to redact; raises Refusal

MAX_CHANNELS = 1024  # an upstream that opens more is filling our memory
MAX_NESTING = 32

# Not the model's words: repeated in every chunk, or fixed vocabulary.
_ENVELOPE = frozenset(
    "id object created model system_fingerprint service_tier obfuscation role type index finish_reason logprobs usage".split()
)
_decode = msgspec.json.Decoder().decode


class BrokenStreamError(Exception):
    """The upstream's stream is not what it should be; `outcome` is what the attempt records."""

    def __init__(self, outcome: str) -> None:
        super().__init__(outcome)
        self.outcome = outcome


class _Event:
    __slots__ = ("changed", "document", "open", "raw", "slots")

    def __init__(self, raw: bytes, document: dict[str, Any]) -> None:
        self.raw = raw
        self.document = document
        self.slots: list[_Slot] = []
        self.open = 0
        self.changed = False


class _Slot:
    """One string of an event that is waiting for its release: `left` characters to go, `out` so far."""

    __slots__ = ("container", "event", "key", "left", "out")

    def __init__(self, event: _Event, container: Any, key: Any, length: int) -> None:
        self.event = event
        self.container = container
        self.key = key
        self.left = length
        self.out = ""


class _Track:
    """One channel: its window, and the slots whose text the window still holds."""

    __slots__ = ("channel", "masked", "queue", "window")

    def __init__(self, channel: Channel, window: Window) -> None:
        self.channel = channel
        self.window = window
        self.masked = ""  # the kind of finding that the last settled character was part of
        self.queue: deque[_Slot] = deque()


class StreamReview:
    """`feed` takes upstream bytes and returns the bytes that may go to the caller now."""

    def __init__(self, scanner: Scanner | None, judge: Judge, *, want_usage: bool, keep: str, limit: int) -> None:
        self._scanner = scanner
        self._judge = judge
        self._want_usage = want_usage
        self._splitter = sse.Splitter()
        self._tracks: dict[Channel, _Track] = {}
        self._pending: list[_Event] = []
        self._out: list[bytes] = []
        self._selectors: tuple[str, ...] = ()
        self._kinds: frozenset[str] = frozenset()
        self._keep = keep  # what the record keeps of the text: "", "full", "redacted"
        self._limit = limit  # characters
        self.texts: dict[str, list[str]] = {}  # by channel
        self.findings: Counter[tuple[str, str]] = Counter()  # (kind, action)
        self.usage: Usage | None = None
        self.finish: list[str] = []
        self.characters = 0  # of model text that came in; the estimate when no usage comes
        self.done = False  # the terminator was seen
        self.failed = False  # the upstream reported an error in-band

    def feed(self, data: bytes) -> bytes:
        """Raises BrokenStreamError, and Refusal when policy forbids releasing what was found."""
        if self.done:
            return b""  # nothing counts after the terminator
        out = self._out = []
        try:
            for event in self._splitter.feed(data):
                self._event(event)
        except sse.EventTooLarge:
            raise BrokenStreamError("garbage") from None
        return out[0] if len(out) == 1 else b"".join(out)

    def finish_all(self) -> bytes:
        """End every window and release what was held; the stream is over, well or not."""
        self._out = []
        self._flush(())
        self._emit_all()
        return b"".join(self._out)

    def _event(self, raw: bytes) -> None:
        payload = sse.data_of(raw)
        if payload is None:
            self._out.append(b":\n\n")  # a keep-alive; whatever else the comment said was not inspected
            return
        if payload == b"[DONE]":
            self._flush(())
            self._emit_all()
            self.done = True  # the pipeline writes the terminator itself, after the late metadata
            return
        try:
            document = _decode(payload)
        except (msgspec.DecodeError, RecursionError):
            raise BrokenStreamError("garbage") from None
        if type(document) is not dict:
            raise BrokenStreamError("garbage")
        if not raw.startswith(b"data: "):
            raw = sse.event_of(msgspec.json.encode(document))  # drop `event:`, `id:` and comment lines: not inspected
        self._document(raw, document)

    def _document(self, raw: bytes, document: dict[str, Any]) -> None:
        event = _Event(raw, document)
        choices = document.get("choices")
        ended: list[Channel] = []
        if "error" in document:
            self.failed = True
        if (usage := usage_of(document.get("usage"))) is not None:
            self.usage = usage
            if not choices and not self._want_usage:
                return  # Yett asked for it, the caller did not
        for name, value in document.items():
            if name == "choices" and type(value) is list:
                ended = self._choices(event, value)
            else:
                self._visit(event, document, name, value, ("",))
        for channel in ended:
            self._flush(channel)
        if event.open:
            self._pending.append(event)
        elif not self._pending and not event.changed:
            self._out.append(event.raw)
            return
        else:
            self._pending.append(event)
        self._emit()

    def _choices(self, event: _Event, choices: list[Any]) -> list[Channel]:
        """Feed every choice; the channels of those that end with this event."""
        ended = []
        for position, choice in enumerate(choices):
            if type(choice) is dict:
                channel: Channel = (_place(choice, position),)
                self._collect(event, choice, channel)
                if type(choice.get("finish_reason")) is str:
                    self.finish.append(choice["finish_reason"])
                    ended.append(channel)
        return ended

    def _collect(self, event: _Event, node: Any, channel: Channel) -> None:
        """Feed every string below `node` to its channel's window."""
        if len(channel) > MAX_NESTING:
            raise BrokenStreamError("garbage")
        for key, value in node.items() if type(node) is dict else enumerate(node):
            self._visit(event, node, key, value, channel)

    def _visit(self, event: _Event, container: Any, key: Any, value: Any, channel: Channel) -> None:
        kind = type(value)
        if key in _ENVELOPE:
            return
        if kind is str:
            if value:
                self._feed(event, container, key, value, (*channel, key))
        elif kind is dict or kind is list:
            # A list's items say which one they continue by `index` (tool_calls); else their position does.
            place = _place(value, key) if kind is dict and type(key) is int else key
            self._collect(event, value, (*channel, place))

    def _feed(self, event: _Event, container: Any, key: Any, text: str, channel: Channel) -> None:
        self.characters += len(text)
        if self.characters > self._limit:
            raise BrokenStreamError("too_large")
        if self._scanner is None:
            self._note_text(channel, text)
            return
        track = self._tracks.get(channel)
        if track is None:
            if len(self._tracks) >= MAX_CHANNELS:
                raise BrokenStreamError("garbage")
            track = self._tracks[channel] = _Track(channel, Window(self._scanner))
        released = track.window.feed(text)
        if not track.queue and not released.findings and len(released.text) == len(text):
            if self._keep:
                self._note_text(channel, text)
            return  # nothing waited, nothing waits: the event's bytes can go as they are
        slot = _Slot(event, container, key, len(text))
        event.slots.append(slot)
        event.open += 1
        track.queue.append(slot)
        self._release(track, released)

    def _note_text(self, channel: Channel, text: str) -> None:
        if self._keep and text:
            self.texts.setdefault("/".join(map(str, channel)), []).append(text)

    def _release(self, track: _Track, released: Released) -> None:
        """Hand released text to the slots that wait for it, in order, with what must be redacted replaced."""
        text = released.text
        if self._keep:
            self._note_text(track.channel, text if self._keep == "full" else mask(text, released.findings))
        at = 0
        for finding in released.findings:
            if not self._note(finding):
                continue
            if finding.start < at:
                continue  # inside a span that is already masked
            if finding.start > at:
                self._advance(track, text[at : finding.start], finding.start - at, masked=False)
                track.masked = ""
            # A very long match is reported as findings that touch: one marker for all of them.
            joined = finding.start == at and track.masked == finding.kind
            self._advance(track, "" if joined else marker(finding.kind), finding.end - finding.start, masked=True)
            track.masked = finding.kind
            at = finding.end
        if at < len(text):
            self._advance(track, text[at:], len(text) - at, masked=False)
            track.masked = ""

    def _note(self, finding: Finding) -> bool:
        """Count the finding; True when it must be redacted. New kinds are put before policy first."""
        if finding.kind not in self._kinds:
            self._kinds |= {finding.kind, finding.family}
            self._selectors = self._judge(self._kinds)
        redact = any(matches(finding.kind, selector) for selector in self._selectors)
        self.findings[finding.kind, "redacted" if redact else "noted"] += 1
        return redact

    def _advance(self, track: _Track, text: str, length: int, *, masked: bool) -> None:
        """`length` characters of the original are settled; `text` is they themselves, or the marker that replaces them."""
        queue = track.queue
        while length and queue:
            slot = queue[0]
            take = min(length, slot.left)
            if masked:
                slot.out += text  # the marker goes where the match began
                text = ""
                slot.event.changed = True
            else:
                slot.out += text[:take]
                text = text[take:]
            slot.left -= take
            length -= take
            if not slot.left:
                queue.popleft()
                slot.event.open -= 1

    def _flush(self, channel: Channel) -> None:
        """End the windows of a choice (of all, for the empty channel): nothing can follow that would complete a match."""
        for key, track in self._tracks.items():
            if key[: len(channel)] == channel:
                self._release(track, track.window.finish())

    def _emit(self) -> None:
        """Send every pending event whose text is settled; order holds within each channel by construction."""
        waiting = []
        for event in self._pending:
            if event.open:
                self._split(event)
                waiting.append(event)
            else:
                self._out.append(_rewritten(event) if event.changed else event.raw)
        self._pending = waiting

    def _emit_all(self) -> None:
        self._emit()
        self._tracks.clear()

    def _split(self, event: _Event) -> None:
        """Show the settled part of an event's text now, if it is words and the event carries nothing else."""
        if len(event.slots) != 1 or not (slot := event.slots[0]).out.strip():
            return
        if type(slot.container) is not dict or len(slot.container) != 1:
            return  # a tool call's id would be repeated, and SDKs concatenate what is repeated
        event.changed = True
        self._out.append(_rewritten(event))
        slot.out = ""


def _place(item: dict[str, Any], position: int) -> int:
    index = item.get("index")
    return index if type(index) is int else position


def _rewritten(event: _Event) -> bytes:
    for slot in event.slots:
        slot.container[slot.key] = slot.out
    for choice in event.document.get("choices") or ():
        if type(choice) is dict and choice.get("logprobs") is not None:
            choice["logprobs"] = None  # they would spell out what was redacted
    return sse.event_of(msgspec.json.encode(event.document))


__all__ = ["DONE", "BrokenStreamError", "StreamReview"]
