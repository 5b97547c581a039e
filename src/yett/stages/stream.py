"""Review a streamed reply while it passes: hold back what may still become a finding, pass on everything else as it came.

Each piece of text in each event belongs to a channel: one choice's content, one tool call's arguments. A channel has its
own detector window, which releases text when nothing that follows could make it part of a finding. What is found is put to policy
(`stream_findings`), and each event leaves when its text is settled (`stream_events`). What stands beside the text, an id or a name, is
whole in its event and is looked at there, once for all events that repeat it.

Nearly all events of a stream differ in one text only. Where one has the same bytes around it as one before, it need not be
taken apart to know that: see `dialects.frame`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec

from yett.detectors.engine import Scanner
from yett.detectors.mask import marker, mask, place, quoted
from yett.detectors.window import Released, SpacedWindow, Window
from yett.dialects import sse, strict_json
from yett.dialects.escapes import Escapes
from yett.dialects.frame import Frame, frame_of
from yett.dialects.leaves import COMMON_NAMES, ROLE_OF
from yett.dialects.openai_chat import CALLS, ENVELOPE, place_of, usage_of
from yett.errors import Refusal
from yett.model.finding import Finding
from yett.model.usage import Usage
from yett.redaction.restore import Piece, Restorer
from yett.stages.restore import Restoration
from yett.stages.stream_events import Departures, Event, Slot, Waiting
from yett.stages.stream_findings import StreamFindings
from yett.stages.watch import Watch

Channel = tuple[object, ...]
Enough = Callable[[], bool]  # whether to stop behind this event

MAX_CHANNELS = 1024  # an upstream that opens more is filling our memory
MAX_NESTING = 32
FRAMES = 32  # events of a stream that are looked at for a frame: one of the first has one, or none has

_WATCHED = frozenset(("content", "arguments"))
_UNREAD = frozenset(
    ("logprobs", "obfuscation", "usage")
)  # spells out the text, and goes where that changes; noise; numbers
_KNOWN = COMMON_NAMES | ENVELOPE
_SHORTEST = 12  # characters of a value beside the text that may be more than a word of the protocol
_LONGEST = 256  # of one that is remembered: ids are shorter
_decode = msgspec.json.Decoder().decode


class BrokenStreamError(Exception):
    """The upstream's stream is not what it should be; `outcome` is what the attempt records."""

    def __init__(self, outcome: str) -> None:
        super().__init__(outcome)
        self.outcome = outcome


class _Json:
    """A channel that is JSON: where in it what comes stands, and what has been released."""

    __slots__ = ("coming", "released")

    def __init__(self) -> None:
        self.coming = Escapes()
        self.released = Escapes()


class _Track:
    """One channel: its window, and the slots whose text the window still holds."""

    __slots__ = ("at", "json", "kept", "masked", "queue", "restorer", "role", "window")

    def __init__(
        self, window: Window | SpacedWindow | None, restorer: Restorer | None, role: str, *, json: bool
    ) -> None:
        self.role = role
        self.json = _Json() if json else None
        self.at = 0  # characters that have been released
        self.window = window  # None: the stream is not inspected
        self.restorer = restorer  # None: nothing is put back
        self.kept: list[str] = []  # for the record
        self.masked = ""  # the kind of finding that the last settled character was part of
        self.queue: Waiting = deque()


class StreamReview:
    """`feed` takes upstream bytes and returns the bytes that may go to the caller now."""

    def __init__(
        self,
        scanner: Scanner | None,
        found: StreamFindings,
        *,
        want_usage: bool,
        keep: str,
        limit: int,
        restoration: Restoration | None = None,
        watch: Watch | None = None,
    ) -> None:
        self._scanner = scanner
        self._want_usage = want_usage
        self._splitter = sse.Splitter()
        self._tracks: dict[Channel, _Track] = {}
        self._arrived = 0  # events
        self._frame: Frame | None = None  # of the latest event that has one
        self._frames = FRAMES  # events that may still be looked at for another
        self._departures = Departures()
        self._out = self._departures.out
        self._keep = keep  # what the record keeps of the text: "", "full", "redacted"
        self._limit = limit  # bytes
        self._restoration = restoration
        self._watch = watch
        self._tools: dict[Channel, str] = {}  # names of the tools that are called
        self._beside: set[str] = set()  # names and values beside the text in which nothing is
        self.found = found
        self.usage: Usage | None = None
        self.finish: list[str] = []
        self.characters = 0
        self.received = 0  # bytes of the model's text that came in; the estimate when no usage comes
        self.rest = b""  # of what was fed: what comes behind the event that was enough
        self.done = False  # the terminator was seen
        self.failed = False  # the upstream reported an error in-band

    def feed(self, data: bytes, enough: Enough | None = None, free: int = 0) -> bytes:
        """Where it is `enough`, what is left is in `rest`, to be fed again; it is not asked before so many bytes of text are
        `received`. Raises BrokenStreamError, and Refusal when policy forbids releasing what was found."""
        if self.done:
            return b""  # nothing counts after the terminator
        out = self._out
        out.clear()
        self.rest = b""
        if (
            self._frame is not None
            and not self._splitter.waiting
            and (enough is None or self.received + len(data) <= free)
            and (texts := self._frame.texts(data))
        ):
            if len(texts) == 1:
                self._framed(self._frame, data, texts[0])
            else:
                self._several(self._frame, data, texts)
            return out[0] if len(out) == 1 else b"".join(out)
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
        self._out.clear()
        self._flush(())
        self._departures.show_moved()
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
                self.found.notice(self._watch.finish())
            self._flush(())
            self._departures.show_moved()
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
        event = Event(raw, None, self._arrived)
        self._wait(event, None, channel[-1], text, channel, waiting)
        if self._departures.moved:
            self._departures.show_moved(but=event)
        self._departures.show(event)

    def _several(self, frame: Frame, data: bytes, texts: list[str]) -> None:
        """Events that came in one read, of which all but the text is known: as `_framed` of each, looked at in one go."""
        channel, first = frame.channel, self._arrived + 1
        self._arrived += len(texts)
        released = self._taken(channel, "".join(texts))
        if released is None:
            self._out.append(data)
            return
        track = self._tracks[channel]
        due = sum(slot.left for slot in track.queue)
        passed = 0
        if not released.findings and track.restorer is None and due < len(released.text):
            # Nothing is to be changed: what waited leaves, then the events that are released whole, as they came.
            self._release(track, Released(released.text[:due]))
            self._departures.show_moved()
            spare = len(released.text) - due
            while passed < len(texts) and len(texts[passed]) <= spare:
                spare -= len(texts[passed])
                passed += 1
            whole = "".join(texts[:passed])
            size = len(whole.encode()) + passed * (len(frame.before) + len(frame.behind))
            self._out.append(data[:size])
            track.at += len(whole)
            if self._keep:
                track.kept.append(whole)
            track.masked = ""
            released = Released(released.text[due + len(whole) :])
        for number, text in enumerate(texts[passed:], passed):
            raw = frame.before + text.encode() + frame.behind
            self._queue(Event(raw, None, first + number), None, channel[-1], len(text), track)
        self._release(track, released)
        self._departures.show_moved()

    def _document(self, raw: bytes, document: dict[str, Any]) -> None:
        self._arrived += 1
        event = Event(raw, document, self._arrived)
        usage = document.get("usage")
        if usage is not None and (used := usage_of(usage)) is not None:
            self.usage = used
            if not document.get("choices") and not self._want_usage:
                return  # Yett asked for it, the caller did not
        ended: list[Channel] = []
        for name, value in document.items():
            if name == "choices" and type(value) is list:
                self._choices(event, value, ended)
            elif name in ENVELOPE and type(value) is str:
                self._clean(event, document, name, value)
            else:
                self._collect(event, document, (name,), ("",))
                self.failed = self.failed or name == "error"
        for channel in ended:
            self._flush(channel)
        if self._departures.moved:
            self._departures.show_moved(but=event)
        self._departures.show(event)

    def _choices(self, event: Event, choices: list[Any], ended: list[Channel]) -> None:
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

    def _collect(self, event: Event, node: Any, keys: Iterable[Any], channel: Channel) -> None:
        """Feed every string below these `keys` of `node` to its channel's window."""
        if len(channel) > MAX_NESTING:
            raise BrokenStreamError("garbage")
        for key in keys:
            value = node[key]
            if key not in _KNOWN and type(key) is str and (found := self._standing(key)):
                raise Refusal("reply_blocked", f"{found[0].kind} is the name of a field, where it cannot be redacted.")
            if value is None or key in _UNREAD:
                continue
            kind = type(value)
            if kind is str:
                if key in ENVELOPE:
                    self._clean(event, node, key, value)
                elif value:
                    self._feed(event, node, key, value, (*channel, key))
            elif kind is dict:
                # A list's items say which one they continue by `index` (tool_calls); else their position does.
                index = value.get("index") if type(key) is int else None
                self._collect(event, value, value, (*channel, index if type(index) is int else key))
            elif kind is list:
                self._collect(event, value, range(len(value)), (*channel, key))

    def _standing(self, text: str) -> list[Finding]:
        """What must not stay in a text that is whole. Raises Refusal."""
        if self._scanner is None or len(text) < _SHORTEST or text in self._beside:
            return []
        found = [f for f in self._scanner.scan_text(text) if self.found.to_redact(f, text, "other", 0)]
        if not found and len(self._beside) < MAX_CHANNELS and len(text) <= _LONGEST:
            self._beside.add(text)
        return found

    def _clean(self, event: Event, container: Any, key: Any, value: str) -> None:
        """Redact what an event has beside its text. Later events may repeat it, so none has a frame that is known."""
        if found := self._standing(value):
            container[key] = mask(value, found)
            event.changed = True
            self._frame, self._frames = None, 0

    def _feed(self, event: Event, container: Any, key: Any, text: str, channel: Channel) -> None:
        track = self._tracks.get(channel) or self._begin(channel)
        if track.json is not None:
            self._feed_json(event, container, key, text, channel, track, track.json)
            return
        waiting = self._taken(channel, text)
        if waiting is not None:
            self._wait(event, container, key, text, channel, waiting)

    def _feed_json(
        self, event: Event, container: Any, key: Any, text: str, channel: Channel, track: _Track, json: _Json
    ) -> None:
        """Arguments: what is escaped without need is looked at, and goes on, as what it means. The event of an escape that is not over
        waits for what comes next."""
        escapes = json.coming
        before = escapes.held
        plain = own = escapes.feed(text)
        if before and plain.startswith(before):
            own = plain[len(before) :]
        elif before and plain:
            self._departures.let_go(track.queue, len(before))
        own += escapes.held if own or not before else text
        if own != text:
            container[key] = own
            event.changed = True
        released = self._taken(channel, plain)
        if released is not None:
            self._queue(event, container, key, len(own), track)
            self._release(track, released)
            return
        json.released.feed(plain)
        if escapes.held:
            self._queue(event, container, key, len(escapes.held), track).out = plain

    def _taken(self, channel: Channel, text: str) -> Released | None:
        """The next piece of a channel. None: nothing waited and nothing waits, so that the event's bytes can go as they are."""
        size = len(text) if text.isascii() else len(text.encode(errors="surrogatepass"))
        self.received += size
        self.characters += len(text)
        if self.received > self._limit:
            raise BrokenStreamError("too_large")
        track = self._tracks[channel]
        name = channel[-1]
        if self._watch is not None and name in _WATCHED:
            kinds = self._watch.feed(channel, text, arguments=name == "arguments")
            if kinds:
                self.found.notice(kinds)
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

    def _wait(self, event: Event, container: Any, key: Any, text: str, channel: Channel, released: Released) -> None:
        """A piece that is not released yet, or not as it came, and what it has released."""
        track = self._tracks[channel]
        self._queue(event, container, key, len(text), track)
        self._release(track, released)

    def _queue(self, event: Event, container: Any, key: Any, length: int, track: _Track) -> Slot:
        slot = Slot(event, container, key, length)
        event.slots.append(slot)
        event.open += 1
        track.queue.append(slot)
        return slot

    def _begin(self, channel: Channel) -> _Track:
        if len(self._tracks) >= MAX_CHANNELS:
            raise BrokenStreamError("garbage")
        json = channel[-1] == "arguments"
        window: Window | SpacedWindow | None = None
        if self._scanner is not None:
            window = SpacedWindow(self._scanner) if json else Window(self._scanner)
        restorer = None
        if self._restoration is not None:
            restorer = self._restoration.reader(place_of(channel), self._tools.get(channel[:-1], ""))
        track = self._tracks[channel] = _Track(
            window,
            restorer,
            role_of(channel),
            json=json and (window is not None or restorer is not None),
        )
        return track

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
        at = told = 0
        for finding in sorted(released.findings, key=place) if len(released.findings) > 1 else released.findings:
            if not self.found.to_redact(finding, text, track.role, track.at) or finding.end <= at:
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
                if track.json is not None:
                    track.json.released.feed(text[told:at])
                    told = at
                    shown = quoted(finding.kind) if track.json.released.bare else shown
            self._departures.settle(track.queue, shown, finding.end - at, masked=True)
            at = finding.end
        if at < len(text):
            self._pass(track, text[at:])
            track.masked = ""
        if track.json is not None:
            track.json.released.feed(text[told:])
        track.at += len(text)

    def _pass(self, track: _Track, text: str) -> None:
        """Text that may be shown, with what is to be put back into it."""
        if track.restorer is None:
            self._departures.settle(track.queue, text, len(text), masked=False)
        else:
            self._put_back(track, track.restorer.feed(text))

    def _put_back(self, track: _Track, pieces: Iterable[Piece]) -> None:
        for piece in pieces:
            self._departures.settle(track.queue, piece.text, piece.length, masked=piece.restored)

    def _flush(self, channel: Channel) -> None:
        """End the windows of a choice (of all, for the empty channel): nothing can follow that would complete a match."""
        for key, track in self._tracks.items():
            if key[: len(channel)] == channel:
                if track.json is not None and (rest := track.json.coming.rest()):
                    self._release(track, Released(rest) if track.window is None else track.window.feed(rest))
                if track.window is not None:
                    self._release(track, track.window.finish())
                if track.restorer is not None:
                    self._put_back(track, track.restorer.finish())


def role_of(channel: Sequence[object]) -> str:
    """Who wrote the text of a channel, or what it is."""
    return next((ROLE_OF[name] for name in reversed(channel) if name in ROLE_OF), "assistant")
