"""watch: an answer against what is known of its request, while it passes: whether it gives the system prompt away, whether values
that came in leave by another door, how sure the model was and how much of the answer stands in what it was given.

Nothing of this needs the text to be held back; what is found is put to policy like every other finding.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Sequence
from hashlib import sha256

from yett.config.snapshot import Snapshot
from yett.detectors.detector import SEPARATOR
from yett.detectors.exfiltration.leak import Overlap, Prompt
from yett.detectors.exfiltration.taint import Taint, TaintedStream
from yett.detectors.quality import Confidence, Groundedness, Sources
from yett.dialects import openai_chat, strict_json
from yett.model.call import Call
from yett.model.finding import Finding
from yett.model.segment import Segment
from yett.policy.schema import QUALITY
from yett.stages.inspect import Seen

LEAK, TAINT = "exfiltration.system-prompt", "exfiltration.taint"
_SAID = frozenset(("assistant", "refusal", "reasoning", "annotation"))
_WORD = 64  # characters; what is longer is a sentence, of a script without spaces
_VALUES = frozenset(("secret", "pii"))
_SEPARATOR = SEPARATOR.encode()


def watch_for(snapshot: Snapshot, tenant: str, call: Call, seen: Seen) -> Watch | None:
    """What an answer to this call is watched for; None when nobody asks or nothing is there to be watched for."""
    asked = snapshot.policy.mentions("exfiltration")
    quality = snapshot.settings.inspection.quality or not snapshot.policy.reads.isdisjoint(QUALITY)
    if not asked and not quality:
        return None
    prompt = _prompt(snapshot, tenant, call.instructions) if asked and call.instructions else None
    taint = _taint(snapshot, tenant, seen) if asked and seen.findings else None
    sources = None
    if quality:
        sources = Sources(segment.text for segment in seen.segments or openai_chat.segments(call.body))
    if prompt is None and taint is None and sources is None:
        return None
    return Watch(prompt, taint, sources)


def _prompt(snapshot: Snapshot, tenant: str, texts: tuple[str, ...]) -> Prompt | None:
    """Prepared once for all calls that have it; None when it has too few words to be given away."""
    key = (tenant, sha256("\0".join(texts).encode("utf-8", "surrogatepass")).digest())
    prompt = snapshot.prompts.get(key)
    if prompt is None:
        prompt = Prompt(texts)
        snapshot.prompts.put(key, prompt)
    return prompt if prompt.shingles else None


def _taint(snapshot: Snapshot, tenant: str, seen: Seen) -> Taint | None:
    values = [finding for finding in seen.findings if finding.family in _VALUES]
    if not values:
        return None
    taint = Taint(hmac.digest(snapshot.pepper, tenant.encode(), "sha256"))
    for finding in values:
        taint.enter(finding.kind, seen.segments[finding.segment].text[finding.start : finding.end])
    return taint


class Watch:
    """One answer, whole or in pieces. A `channel` is one text of it: the content of a choice, the arguments of a tool call."""

    __slots__ = ("_begun", "_confidence", "_grounds", "_overlaps", "_prompt", "_sources", "_taint", "_tainted")

    def __init__(self, prompt: Prompt | None, taint: Taint | None, sources: Sources | None) -> None:
        self._prompt = prompt
        self._taint = taint
        self._sources = sources
        self._overlaps: dict[object, Overlap] = {}
        self._tainted: dict[object, TaintedStream] = {}
        self._grounds: dict[object, Groundedness] = {}
        # One word so far: an id or a name of the protocol, or the first of a sentence.
        self._begun: dict[object, str] = {}
        self._confidence = Confidence()

    def nothing_in(self, body: bytes) -> bool:
        """Whether an answer has nothing that is watched for, as far as that can be told from its bytes, without taking it apart.
        So it is with nearly all."""
        if self._taint is not None or self._sources is not None or self._prompt is None:
            return False
        flat = strict_json.flat(body, _SEPARATOR)  # each text in it stands whole and by itself
        return flat is not None and self._prompt.absent(flat.decode())

    def fresh(self) -> Watch:
        """For another attempt at an answer."""
        return Watch(self._prompt, self._taint, self._sources)

    def feed(self, channel: object, text: str, *, arguments: bool) -> tuple[str, ...]:
        """The next piece of a text; the kinds of what it completes."""
        found: list[str] = []
        if arguments:
            if self._taint is not None:
                stream = self._tainted.get(channel)
                if stream is None:
                    stream = self._tainted[channel] = TaintedStream(self._taint)
                if stream.feed(text):
                    found.append(TAINT)
        elif self._sources is not None:
            self._ground(self._sources, channel, text)
        if self._prompt is not None:
            overlap = self._overlaps.get(channel)
            if overlap is None:
                overlap = self._overlaps[channel] = Overlap(self._prompt)
            known = overlap.leaked
            overlap.feed(text)
            if overlap.leaked and not known:
                found.append(LEAK)
        return tuple(found)

    def _ground(self, sources: Sources, channel: object, text: str) -> None:
        grounds = self._grounds.get(channel)
        if grounds is None:
            text = self._begun.pop(channel, "") + text
            if " " not in text and len(text) <= _WORD:
                self._begun[channel] = text
                return
            grounds = self._grounds[channel] = Groundedness(sources)
        grounds.feed(text)

    def finish(self) -> tuple[str, ...]:
        """The answer is over; the kinds of what its last words complete."""
        found = False
        for overlap in self._overlaps.values():
            known = overlap.leaked
            overlap.finish()
            found = found or (overlap.leaked and not known)
        for grounds in self._grounds.values():
            grounds.finish()
        return (LEAK,) if found else ()

    def sure(self, logprobs: object) -> None:
        """The log-probabilities of a choice, or of a piece of it."""
        self._confidence.add(logprobs)

    def whole(self, segments: Sequence[Segment]) -> tuple[Finding, ...]:
        """The findings in an answer that is there as a whole."""
        found: list[Finding] = []
        for place, segment in enumerate(segments):
            arguments = segment.role == "arguments"
            if not arguments and segment.role not in _SAID:
                continue
            if arguments and self._taint is not None:
                found += [
                    Finding(TAINT, place, one.start, one.end, f"taint:{one.kind}>{one.form}")
                    for one in self._taint.check(segment.text)
                ]
            kinds = self.feed(place, segment.text, arguments=arguments)
            overlap = self._overlaps.get(place)
            if LEAK in kinds or (overlap is not None and not overlap.leaked and _leaks(overlap)):
                share = overlap.share if overlap is not None else 1.0
                found.append(Finding(LEAK, place, 0, len(segment.text), "system-prompt-overlap", round(share, 4)))
        self.finish()
        return tuple(found)

    @property
    def scores(self) -> dict[str, float]:
        """`confidence` (mean probability of a token) and `groundedness` (share of claims that the request knows), 0.0 to 1.0, where
        they can be told."""
        scores: dict[str, float] = {}
        if self._sources is not None and (mean := self._confidence.mean) is not None:
            scores["confidence"] = round(mean, 4)
            scores["least_confidence"] = round(self._confidence.least, 4)
        if (grounded := _grounded(self._grounds.values())) is not None:
            scores["groundedness"] = round(grounded, 4)
        return scores


def _leaks(overlap: Overlap) -> bool:
    overlap.finish()
    return overlap.leaked


def _grounded(all_grounds: Iterable[Groundedness]) -> float | None:
    claims = missing = 0
    for grounds in all_grounds:
        claims += grounds.claims
        missing += sum(grounds.missing.values())
    return 1.0 - missing / claims if claims else None
