"""Review a streamed reply while it passes: hold back what may still become a finding, pass on everything else as it came.

Each piece of text in each event belongs to a channel: one choice's content, one tool call's arguments. A channel has its
own detector window. An event leaves when all its text has been released; if none of it was changed, its bytes leave as
they came. An event whose text is released in part is split only when that shows the caller words and repeats nothing.

Nearly all events of a stream differ in one text only. Where one has the same bytes around it as one before, it need not be
taken apart to know that: see `dialects.frame`.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec

from yett.detectors.engine import Scanner
from yett.detectors.mask import marker, mask, matches, place
from yett.detectors.window import Released, Window
from yett.dialects import sse, strict_json
from yett.dialects.frame import Frame, frame_of
from yett.dialects.leaves import ROLE_OF
from yett.dialects.openai_chat import CALLS, DONE, ENVELOPE, drop_logprobs, place_of, usage_of
from yett.errors import Refusal
from yett.model.finding import Finding
from yett.model.usage import Usage
from yett.redaction.restore import Piece, Restorer
from yett.stages.evidence import Witness
from yett.stages.restore import Restoration
from yett.stages.watch import TAINT, Watch

Channel = tuple[object, ...]
Suppressed = Callable[[Finding, str, str], str]  # a finding in a text of a role -> what suppresses it, "" for nothing
Enough = Callable[[], bool]  # whether to stop behind this event
Judge = Callable[[frozenset[str]], tuple[str, ...]]  # kinds found so far -> selectors to redact; raises Refusal

MAX_CHANNELS = 1024  # an upstream that opens more is filling our memory
MAX_NESTING = 32
FRAMES = 32  # events of a stream that are looked at for a frame: one of the first has one, or none has

_WATCHED = frozenset(("content", "arguments"))
_decode = msgspec.json.Decoder().decode


class BrokenStreamError(Exception):
    """The upstream's stream is not what it should be; `outcome` is what the attempt records."""

    def __init__(self, outcome: str) -> None:
        super().__init__(outcome)
        self.outcome = outcome


class _Event:
    __slots__ = ("arrived", "changed", "document", "open", "raw", "slots")

    def __init__(self, raw: bytes, document: dict[str, Any] | None, arrived: int) -> None:
        self.arrived = arrived
        self.raw = raw
        self.document = document  # None: its frame is known, and that it has one slot
        self.slots: list[_Slot] = []
        self.open = 0
        self.changed = False

    def taken_apart(self) -> dict[str, Any]:
        if self.document is None:
            self.document = _decode(self.raw[6:-2])
            self.slots[0].container = self.document["choices"][0]["delta"]
        return self.document


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

    __slots__ = ("at", "kept", "masked", "queue", "restorer", "role", "window")

    def __init__(self, window: Window | None, restorer: Restorer | None, role: str) -> None:
        self.role = role
        self.at = 0  # characters that have been released
        self.window = window  # None: the stream is not inspected
        self.restorer = restorer  # None: nothing is put back
        self.kept: list[str] = []  # for the record
        self.masked = ""  # the kind of finding that the last settled character was part of
        self.queue: deque[_Slot] = deque()


class StreamReview:
    """`feed` takes upstream bytes and returns the bytes that may go to the caller now."""

    def __init__(
        self,
        scanner: Scanner | None,
        judge: Judge,
        *,
        want_usage: bool,
        keep: str,
        limit: int,
        restoration: Restoration | None = None,
        watch: Watch | None = None,
        suppressed: Suppressed | None = None,
        witness: Witness | None = None,
    ) -> None:
        self._scanner = scanner
        self._judge = judge
        self._want_usage = want_usage
        self._splitter = sse.Splitter()
        self._tracks: dict[Channel, _Track] = {}
        self._arrived = 0  # events
        self._frame: Frame | None = None  # of the latest event that has one
        self._frames = FRAMES  # events that may still be looked at for another
        self._moved: list[_Event] = []  # that have had text settled and were not shown since
        self._out: list[bytes] = []
        self._selectors: tuple[str, ...] = ()
        self._kinds: frozenset[str] = frozenset()
        self._keep = keep  # what the record keeps of the text: "", "full", "redacted"
        self._limit = limit  # bytes
        self._restoration = restoration
        self._watch = watch
        self._suppressed = suppressed
        self._witness = witness
        self._tools: dict[Channel, str] = {}  # names of the tools that are called
        self.findings: Counter[tuple[str, str]] = Counter()  # (kind, action)
        self.suppressed: Counter[str] = Counter()  # findings that the operator does not want to see, by what says so
        self.usage: Usage | None = None
        self.finish: list[str] = []
        self.characters = 0
        self.received = 0  # bytes of the model's text that came in; the estimate when no usage comes
        self.rest = b""  # of what was fed: what comes behind the event that was enough
        self.done = False  # the terminator was seen
        self.failed = False  # the upstream reported an error in-band

    def feed(self, data: bytes, enough: Enough | None = None) -> bytes:
        """Where it is `enough`, what is left is in `rest`, to be fed again. Raises BrokenStreamError, and Refusal when policy forbids releasing what was found."""
        if self.done:
            return b""  # nothing counts after the terminator
        out = self._out = []
        self.rest = b""
        try:
            events = self._splitter.feed(data)
            for number, event in enumerate(events, 1):
                if not self._event(event):
                    break
                if enough is not None and enough():
                    self.rest = b"".join(events[number:]) + self._splitter.finish()
                    break
        except sse.EventTooLarge:
            raise BrokenStreamError("garbage") from None
        return out[0] if len(out) == 1 else b"".join(out)

    def finish_all(self) -> bytes:
        """End every window and release what was held; the stream is over, well or not."""
        self._out = []
        self._flush(())
        self._emit()
        return b"".join(self._out)

    def _event(self, raw: bytes) -> bool:
        """False for the terminator, after which nothing counts."""
        if self._frame is not None and (text := self._frame.text(raw)):
            self._framed(self._frame, raw, text)
            return True
        payload = sse.data_of(raw)
        if payload is None:
            self._out.append(b":\n\n")  # a keep-alive; whatever else the comment said was not inspected
            return True
        if payload == b"[DONE]":
            if self._watch is not None:
                self._notice(self._watch.finish())
            self._flush(())
            self._emit()
            self.done = True  # the pipeline writes the terminator itself, after the late metadata
            return False
        try:
            document = _decode(payload)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise BrokenStreamError("garbage") from None
        if type(document) is not dict:
            raise BrokenStreamError("garbage")
        if (
            len(raw) != len(payload) + 8
            or not raw.startswith(b"data: ")
            or not strict_json.is_certain(payload, document)
        ):
            # More than `data: …` and an empty line: `event:`, `id:` and comment lines were not inspected. Nor was the first of
            # two texts with one name, which the caller's parser may take.
            raw = sse.event_of(msgspec.json.encode(document))
        self._document(raw, document)
        if self._frames:
            self._frames -= 1
            self._frame = frame_of(raw, document) or self._frame
        return True

    def _framed(self, frame: Frame, raw: bytes, text: str) -> None:
        """An event of which all but the text is known: as `_document`."""
        self._arrived += 1
        channel = frame.channel
        waiting = self._taken(channel, text)
        if waiting is None:
            self._out.append(raw)
            return
        event = _Event(raw, None, self._arrived)
        self._wait(event, None, channel[-1], text, channel, waiting)
        if self._moved:
            self._emit(but=event)
        self._show(event)

    def _document(self, raw: bytes, document: dict[str, Any]) -> None:
        self._arrived += 1
        event = _Event(raw, document, self._arrived)
        usage = document.get("usage")
        if usage is not None and (used := usage_of(usage)) is not None:
            self.usage = used
            if not document.get("choices") and not self._want_usage:
                return  # Yett asked for it, the caller did not
        ended: list[Channel] = []
        for name, value in document.items():
            if name == "choices" and type(value) is list:
                self._choices(event, value, ended)
            elif name not in ENVELOPE:
                self._collect(event, document, (name,), ("",))
                self.failed = self.failed or name == "error"
        for channel in ended:
            self._flush(channel)
        if self._moved:
            self._emit(but=event)
        self._show(event)

    def _choices(self, event: _Event, choices: list[Any], ended: list[Channel]) -> None:
        """Feed every choice; `ended` gets the channels of those that end with this event."""
        for position, choice in enumerate(choices):
            if type(choice) is dict:
                index = choice.get("index")
                channel: Channel = (index if type(index) is int else position,)
                if self._watch is not None and (logprobs := choice.get("logprobs")) is not None:
                    self._watch.sure(logprobs)
                self._collect(event, choice, choice, channel)
                reason = choice.get("finish_reason")
                if type(reason) is str:
                    self.finish.append(reason)
                    ended.append(channel)

    def _collect(self, event: _Event, node: Any, keys: Iterable[Any], channel: Channel) -> None:
        """Feed every string below these `keys` of `node` to its channel's window."""
        if len(channel) > MAX_NESTING:
            raise BrokenStreamError("garbage")
        for key in keys:
            value = node[key]
            if value is None or key in ENVELOPE:
                continue
            kind = type(value)
            if kind is str:
                if value:
                    self._feed(event, node, key, value, (*channel, key))
            elif kind is dict:
                # A list's items say which one they continue by `index` (tool_calls); else their position does.
                index = value.get("index") if type(key) is int else None
                self._collect(event, value, value, (*channel, index if type(index) is int else key))
            elif kind is list:
                self._collect(event, value, range(len(value)), (*channel, key))

    def _feed(self, event: _Event, container: Any, key: Any, text: str, channel: Channel) -> None:
        waiting = self._taken(channel, text)
        if waiting is not None:
            self._wait(event, container, key, text, channel, waiting)

    def _taken(self, channel: Channel, text: str) -> Released | None:
        """The next piece of a channel. None: nothing waited and nothing waits, so that the event's bytes can go as they are."""
        size = len(text) if text.isascii() else len(text.encode(errors="surrogatepass"))
        self.received += size
        self.characters += len(text)
        if self.received > self._limit:
            raise BrokenStreamError("too_large")
        track = self._tracks.get(channel)
        if track is None:
            track = self._begin(channel)
        name = channel[-1]
        if self._watch is not None and name in _WATCHED:
            kinds = self._watch.feed(channel, text, arguments=name == "arguments")
            if kinds:
                self._notice(kinds)
        if name == "name":
            self._tools[channel[:-1]] = self._tools.get(channel[:-1], "") + text
        if track.window is None and track.restorer is None:
            if self._keep:
                track.kept.append(text)
            return None
        released = Released(text) if track.window is None else track.window.feed(text)
        if not track.queue and not released.findings and len(released.text) == len(text) and track.restorer is None:
            track.at += len(text)
            if self._keep:
                track.kept.append(text)
            return None
        return released

    def _wait(self, event: _Event, container: Any, key: Any, text: str, channel: Channel, released: Released) -> None:
        """A piece that is not released yet, or not as it came, and what it has released."""
        track = self._tracks[channel]
        slot = _Slot(event, container, key, len(text))
        event.slots.append(slot)
        event.open += 1
        track.queue.append(slot)
        self._release(track, released)

    def _begin(self, channel: Channel) -> _Track:
        if len(self._tracks) >= MAX_CHANNELS:
            raise BrokenStreamError("garbage")
        window = Window(self._scanner) if self._scanner else None
        restorer = None
        if self._restoration is not None:
            restorer = self._restoration.reader(place_of(channel), self._tools.get(channel[:-1], ""))
        track = self._tracks[channel] = _Track(window, restorer, role_of(channel))
        return track

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds and families that were found, and the families by what they were found in."""
        return self._kinds

    @property
    def tools(self) -> Iterable[str]:
        """Names of the tools that the model calls."""
        return {name for channel, name in self._tools.items() if not CALLS.isdisjoint(channel)}

    @property
    def texts(self) -> dict[str, str]:
        """What was released, by channel, as the record keeps it."""
        return {
            "/".join(map(str, channel)): "".join(track.kept) for channel, track in self._tracks.items() if track.kept
        }

    def _release(self, track: _Track, released: Released) -> None:
        """Hand released text to the slots that wait for it, in order, with what must be redacted replaced."""
        text = released.text
        if self._keep and text:
            track.kept.append(text if self._keep == "full" or not released.findings else mask(text, released.findings))
        at = 0
        for finding in sorted(released.findings, key=place) if len(released.findings) > 1 else released.findings:
            if self._suppressed is not None and (name := self._suppressed(finding, text, track.role)):
                self.suppressed[name] += 1
                continue
            self._tell(finding, text, track.role, track.at)
            if not self._note(finding, track.role) or finding.end <= at:
                continue  # not to be redacted, or inside a span that is already masked
            if finding.start > at:
                self._pass(track, text[at : finding.start])
                at, track.masked = finding.start, ""
            if track.restorer is not None:
                self._put_back(track, track.restorer.finish())  # no token goes on behind a marker
            # As in `mask`: one marker for spans that overlap, and for the touching pieces of one very long match.
            shown = ""
            if finding.start == at and track.masked != finding.kind:
                shown, track.masked = marker(finding.kind), finding.kind
            self._advance(track, shown, finding.end - at, masked=True)
            at = finding.end
        if at < len(text):
            self._pass(track, text[at:])
            track.masked = ""
        track.at += len(text)

    def _pass(self, track: _Track, text: str) -> None:
        """Text that may be shown, with what is to be put back into it."""
        if track.restorer is None:
            self._advance(track, text, len(text), masked=False)
        else:
            self._put_back(track, track.restorer.feed(text))

    def _put_back(self, track: _Track, pieces: Iterable[Piece]) -> None:
        for piece in pieces:
            self._advance(track, piece.text, piece.length, masked=piece.restored)

    def _tell(self, finding: Finding, text: str, role: str, at: int) -> None:
        if self._witness is not None:
            self._witness.note(finding, text, role, at=at)

    def _note(self, finding: Finding, role: str) -> bool:
        """Count the finding; True when it must be redacted."""
        redact = self._redacts(finding.kind, role)
        self.findings[finding.kind, "redacted" if redact else "noted"] += 1
        return redact

    def _redacts(self, kind: str, role: str) -> bool:
        """Whether policy has this kind redacted; a new one, or one in another place, is put before it first. Raises Refusal; then it is
        counted."""
        family = kind.partition(".")[0]
        if kind not in self._kinds or f"{family}@{role}" not in self._kinds:
            self._kinds |= {kind, family, f"{family}@{role}"}
            try:
                self._selectors = self._judge(self._kinds)
            except Refusal:
                self.findings[kind, "blocked"] += 1
                raise
        return any(matches(kind, selector) for selector in self._selectors)

    def _notice(self, kinds: Iterable[str]) -> None:
        """Count what is said by the answer as a whole. It has no place from which it could be cut, so to redact it is to end it.
        Raises Refusal."""
        for kind in kinds:
            self._tell(Finding(kind, 0, 0, 0, kind.partition(".")[2]), "", "assistant", 0)
            if self._redacts(kind, "arguments" if kind == TAINT else "assistant"):
                self.findings[kind, "blocked"] += 1
                raise Refusal("reply_blocked", f"{kind} cannot be cut out of a stream.")
            self.findings[kind, "noted"] += 1

    def _advance(self, track: _Track, text: str, length: int, *, masked: bool) -> None:
        """`length` characters of the original are settled; `text` is they themselves, or what replaces them: a marker, a value."""
        queue = track.queue
        while length and queue:
            slot = queue[0]
            self._moved.append(slot.event)
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
                queue.popleft()
                slot.event.open -= 1

    def _flush(self, channel: Channel) -> None:
        """End the windows of a choice (of all, for the empty channel): nothing can follow that would complete a match."""
        for key, track in self._tracks.items():
            if key[: len(channel)] == channel:
                if track.window is not None:
                    self._release(track, track.window.finish())
                if track.restorer is not None:
                    self._put_back(track, track.restorer.finish())

    def _emit(self, but: _Event | None = None) -> None:
        """Show the events whose text has moved, in the order in which they came. The others, of which there may be thousands
        while a long match goes on, are not looked at."""
        moved, self._moved = self._moved, []
        if len(moved) > 1:
            moved = sorted(set(moved), key=_arrival)
        for event in moved:
            if event is not but:
                self._show(event)

    def _show(self, event: _Event) -> None:
        if event.open:
            self._split(event)
        else:
            self._out.append(_rewritten(event) if event.changed else event.raw)

    def _split(self, event: _Event) -> None:
        """Show the settled part of an event's text now, if it is words and the event carries nothing else."""
        if len(event.slots) != 1 or not (slot := event.slots[0]).out.strip():
            return
        event.taken_apart()
        if type(slot.container) is not dict or len(slot.container) != 1:
            return  # a tool call's id would be repeated, and SDKs concatenate what is repeated
        event.changed = True
        self._out.append(_rewritten(event))
        slot.out = ""


def role_of(channel: Sequence[object]) -> str:
    """Who wrote the text of a channel, or what it is."""
    return next((ROLE_OF[name] for name in reversed(channel) if name in ROLE_OF), "assistant")


def _arrival(event: _Event) -> int:
    return event.arrived


def _rewritten(event: _Event) -> bytes:
    document = event.taken_apart()
    for slot in event.slots:
        slot.container[slot.key] = slot.out
    drop_logprobs(document)
    return sse.event_of(msgspec.json.encode(document))


__all__ = ["DONE", "BrokenStreamError", "StreamReview"]
