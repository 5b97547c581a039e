"""Google Model Armor (docs.cloud.google.com/model-armor/reference/rest): sanitizeUserPrompt and sanitizeModelResponse.

`resource` is the template's whole name, `projects/…/locations/…/templates/…`; the key is an OAuth access token, which is short
lived: keep it in a file that something renews, and write `key = "file:…"`. A filter that was skipped, as the service does with
texts that are too long for it, makes the verdict incomplete.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from urllib.parse import quote

from msgspec import Struct, field

from yett.guardrails.categories import INJECTION, LINK, MODERATION, OTHER, PERSONAL, kind_of, slug
from yett.guardrails.kind import JSON, Asked, Kind, Piece, Signal, Verdict, decoded, encoded, located
from yett.model.guardrail import Guardrail

_MATCH = "MATCH_FOUND"
_SUCCESS = "SUCCESS"
_CONFIDENCE = {"LOW_AND_ABOVE": 0.4, "LOW": 0.4, "MEDIUM_AND_ABOVE": 0.7, "MEDIUM": 0.7, "HIGH": 0.95}


class _Result(Struct, frozen=True, rename="camel"):
    """What the filters' results have in common."""

    match_state: str = ""
    confidence_level: str = ""


class _Rai(Struct, frozen=True, rename="camel"):
    rai_filter_type_results: dict[str, _Result] = field(default_factory=dict)


class _Range(Struct, frozen=True):
    start: int = 0
    end: int = 0


class _Location(Struct, frozen=True, rename="camel"):
    codepoint_range: _Range | None = None


class _Info(Struct, frozen=True, rename="camel"):
    info_type: str = ""
    location: _Location = _Location()


class _Inspection(Struct, frozen=True, rename="camel"):
    match_state: str = ""
    findings: list[_Info] = field(default_factory=list)


class _Deidentified(Struct, frozen=True, rename="camel"):
    match_state: str = ""
    info_types: list[str] = field(default_factory=list)


class _Sdp(Struct, frozen=True, rename="camel"):
    inspect_result: _Inspection | None = None
    deidentify_result: _Deidentified | None = None


class _Uri(Struct, frozen=True):
    uri: str = ""


class _Uris(Struct, frozen=True, rename="camel"):
    match_state: str = ""
    malicious_uri_matched_items: list[_Uri] = field(default_factory=list)


class _Filter(Struct, frozen=True, rename="camel"):
    rai_filter_result: _Rai | None = None
    pi_and_jailbreak_filter_result: _Result | None = None
    malicious_uri_filter_result: _Uris | None = None
    csam_filter_filter_result: _Result | None = None
    sdp_filter_result: _Sdp | None = None


class _Sanitization(Struct, frozen=True, rename="camel"):
    filter_match_state: str
    invocation_result: str = ""
    filter_results: dict[str, _Filter] = field(default_factory=dict)


class _Reply(Struct, frozen=True, rename="camel"):
    sanitization_result: _Sanitization


def ask(guardrail: Guardrail, side: str, pieces: Sequence[Piece], now: float) -> tuple[Asked, ...]:
    verb, part = (
        ("sanitizeUserPrompt", "userPromptData")
        if side == "request"
        else ("sanitizeModelResponse", "modelResponseData")
    )
    path = f"/v1/{quote(guardrail.resource, safe='/')}:{verb}"
    return tuple([Asked(path, JSON, encoded({part: {"text": piece.text}}), (piece,)) for piece in pieces])


def read(guardrail: Guardrail, asked: Asked, body: bytes) -> Verdict:
    result = decoded(body, _Reply).sanitization_result
    piece = asked.pieces[0]
    signals = [signal for one in result.filter_results.values() for signal in _signals(guardrail, piece, one)]
    if result.filter_match_state == _MATCH and not any(signal.flagged for signal in signals):
        signals.append(Signal(OTHER, "match-found", 0, 1.0, True))
    return Verdict(tuple(signals), complete=result.invocation_result == _SUCCESS)


def _signals(guardrail: Guardrail, piece: Piece, one: _Filter) -> Iterator[Signal]:
    if one.rai_filter_result is not None:
        for name, result in one.rai_filter_result.rai_filter_type_results.items():
            yield _graded(guardrail, slug(name), result)
    if one.pi_and_jailbreak_filter_result is not None:
        yield _graded(guardrail, "pi-and-jailbreak", one.pi_and_jailbreak_filter_result)
    if one.csam_filter_filter_result is not None:
        yield _graded(guardrail, "csam", one.csam_filter_filter_result)
    uris = one.malicious_uri_filter_result
    if uris is not None and uris.match_state == _MATCH:
        for item in dict.fromkeys(uris.malicious_uri_matched_items or [_Uri()]):
            for start, end in located(piece, item.uri) or ((0, 0),):
                yield Signal(LINK, "malicious-uri", 0, 1.0, True, start, end)
    if one.sdp_filter_result is not None:
        yield from _personal(guardrail, piece, one.sdp_filter_result)


def _graded(guardrail: Guardrail, label: str, result: _Result) -> Signal:
    found = result.match_state == _MATCH
    score = _CONFIDENCE.get(result.confidence_level, 1.0) if found else 0.0
    kind = kind_of(guardrail, label)
    return Signal(kind, label, 0, score, guardrail.flags(kind, score, found))


def _personal(guardrail: Guardrail, piece: Piece, result: _Sdp) -> Iterator[Signal]:
    inspected, changed = result.inspect_result, result.deidentify_result
    if inspected is not None and inspected.match_state == _MATCH:
        for info in inspected.findings or [_Info()]:
            label, where = slug(info.info_type), info.location.codepoint_range or _Range()
            inside = 0 <= where.start < where.end <= len(piece.text)
            span = (where.start, where.end) if inside else (0, 0)
            yield Signal(guardrail.kinds.get(label, PERSONAL), label, 0, 1.0, True, *span)
    if changed is not None and changed.match_state == _MATCH:  # it has found something, and does not say where
        for name in changed.info_types or [""]:
            label = slug(name)
            yield Signal(guardrail.kinds.get(label, PERSONAL), label, 0, 1.0, True)


MODEL_ARMOR = Kind(
    name="model_armor",
    base_url="https://modelarmor.{region}.rep.googleapis.com",
    needs=("key", "region", "resource"),
    batch=1,
    longest=10_000,
    reports=(*MODERATION, OTHER, INJECTION, PERSONAL, LINK),
    ask=ask,
    read=read,
)
