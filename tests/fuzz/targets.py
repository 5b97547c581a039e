"""What is fuzzed: each target takes any bytes, and raises only when something is wrong.

`make fuzz` drives these with coverage-guided mutation (atheris) and keeps what reaches new code; `test_corpus.py` replays what was
kept. An input that a target must refuse is refused with the error that the code documents: everything else is a finding.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from functools import cache, partial

import msgspec

from yett.detectors.engine import Scanner
from yett.detectors.injection.model import InjectionModel
from yett.detectors.inspector import Inspector
from yett.detectors.mask import mask
from yett.detectors.shelf import SHELF
from yett.detectors.window import Window
from yett.dialects import openai_chat, patch, sse, strict_json
from yett.dialects.leaves import UNPATCHABLE, Leaves
from yett.edge import aws, google, grants
from yett.errors import Refusal
from yett.identity import dpop, jws, spiffe
from yett.model.call import Inbound
from yett.model.finding import Finding
from yett.model.route import AssumedRole, Secret, ServiceAccount
from yett.model.segment import ORIGINS, Segment
from yett.model.substitute import Substitute
from yett.redaction.known import Known
from yett.redaction.mint import Mint, task_key
from yett.redaction.restore import Allowance, Restorer
from yett.redaction.tokenise import LONGEST_VALUE, Tokeniser
from yett.redaction.ways import Ways
from yett.scim import filter as scim_filter
from yett.scim import patch as scim_patch
from yett.scim import resource
from yett.scim.errors import ScimError
from yett.scim.schema import GROUPS, USERS
from yett.stages import exchange
from yett.stages.stream import BrokenStreamError, StreamReview
from yett.stages.stream_findings import StreamFindings

Target = Callable[[bytes], None]


@cache
def scanner() -> Scanner:
    return Scanner(SHELF)


@cache
def inspector() -> Inspector:
    return Inspector(scanner(), InjectionModel.load())


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape").encode("utf-8", "replace").decode()


def _cuts(data: bytes) -> tuple[int, bytes]:
    """A size of chunks from the first byte, and the rest."""
    return (data[0] % 32 + 1, data[1:]) if data else (1, b"")


def _chunks(data: bytes, size: int) -> Iterator[bytes]:
    for at in range(0, len(data), size):
        yield data[at : at + size]


def _within(findings: tuple[Finding, ...], text: str) -> None:
    assert all(0 <= finding.start < finding.end <= len(text) for finding in findings), findings
    mask(text, findings)


def json_body(data: bytes) -> None:
    """Two ways to read a body agree, and every string of it can be found again in the bytes."""
    try:
        value = strict_json.loads(data)
    except Refusal as refusal:
        assert refusal.code in ("invalid_json", "duplicate_key", "json_too_deep"), refusal.code
        with contextlib.suppress(Refusal):
            strict_json.decode(data)
        return
    try:
        assert json.dumps(strict_json.decode(data)) == json.dumps(value)
        leaves = Leaves()
        leaves.walk(value, "other")
    except Refusal as refusal:
        assert refusal.code == "json_too_deep", refusal.code
        return
    texts = {s.index: "x" for s in leaves.segments if s.index != UNPATCHABLE}
    edited = strict_json.loads(patch.apply(data, patch.strings(data, texts)))
    again = Leaves()
    again.walk(edited, "other")
    assert [s.text for s in again.segments if s.index != UNPATCHABLE] == ["x"] * len(texts)
    flat = strict_json.flat(data, b"\x00\n")
    if flat is not None:
        for segment in leaves.segments:
            if segment.index != UNPATCHABLE:
                assert b"\x00\n" + segment.text.encode() + b"\x00\n" in flat


def chat_request(data: bytes) -> None:
    """A body that is understood has the same text by units as whole, and leaves with nothing but its model changed."""
    try:
        openai_chat.understand(data)
    except Refusal as refusal:
        assert refusal.code in ("invalid_json", "duplicate_key", "json_too_deep", "invalid_request"), refusal.code
        return
    segments = openai_chat.segments(data)
    units = [openai_chat.unit_segments(*unit) for unit in openai_chat.units(data)]
    assert [(s.text, s.role) for unit in units for s in unit] == [(s.text, s.role) for s in segments]
    sent = json.loads(openai_chat.prepare(data, model="other", cap=5))
    assert sent.pop("model") == "other"
    before = json.loads(data)
    for name in ("model", "max_tokens", "max_completion_tokens"):
        before.pop(name, None)
        sent.pop(name, None)
    assert sent == before


def chat_reply(data: bytes) -> None:
    """What is no reply is refused; what is one can be redacted everywhere."""
    try:
        openai_chat.read_reply(data)
        segments = openai_chat.reply_segments(data)
    except Refusal:
        return
    texts = {s.index: "x" for s in segments if s.index != UNPATCHABLE}
    json.loads(openai_chat.redact_reply(data, texts))


def events(data: bytes) -> None:
    """However a stream of events is cut, the same events come out."""
    size, data = _cuts(data)
    whole, pieces = sse.Splitter(), sse.Splitter()
    expected = whole.feed(data)
    found = [event for chunk in _chunks(data, size) for event in pieces.feed(chunk)]
    # An empty line too many belongs to the event before it or after it, and to neither's content.
    assert [event.strip(b"\r\n") for event in found] == [event.strip(b"\r\n") for event in expected]
    for event in expected:
        sse.data_of(event)


def stream(data: bytes) -> None:
    """However a reply's stream is cut, the caller gets the same words, or the same refusal."""
    size, data = _cuts(data)
    outcomes = []
    for step in (max(1, len(data)), size):
        review = StreamReview(scanner(), StreamFindings(lambda _: ("*",)), want_usage=True, keep="", limit=1 << 20)
        out, error = b"", ""
        try:
            for chunk in _chunks(data, step):
                out += review.feed(chunk)
            out += review.finish_all()
        except BrokenStreamError as broken:
            error = broken.outcome
        outcomes.append((error, sorted(review.found.counted.items()), review.received))
        assert b"ghp_1a2B3c4D5e6F7g8H9i0J1k2L3m4N5o6P7q8R" not in out
    assert outcomes[0] == outcomes[1] or outcomes[0][0]


def patterns(data: bytes) -> None:
    """Findings lie within their text, and a text that has none is clean."""
    text = _text(data)
    found = scanner().scan_text(text)
    _within(found, text)
    if scanner().clean(b"\x00\n" + text.encode() + b"\x00\n"):
        assert not found


def window(data: bytes) -> None:
    """However a text is cut, what is released is the text, and the findings are those of the whole."""
    size, data = _cuts(data)
    text = _text(data)
    cut = Window(scanner())
    released = [cut.feed(text[at : at + size]) for at in range(0, len(text), size)]
    released.append(cut.finish())
    assert "".join(piece.text for piece in released) == text
    found, base = [], 0
    for piece in released:
        found += [(f.kind, base + f.start, base + f.end) for f in piece.findings]
        base += len(piece.text)
    assert found == [(f.kind, f.start, f.end) for f in scanner().scan_text(text)]


def whole_text(data: bytes) -> None:
    """The tiers that normalise, decode and score: findings within the text, scores between 0 and 1, twice the same."""
    role = ORIGINS[data[0] % len(ORIGINS)] if data else "user"
    text = _text(data[1:])
    found = inspector().text(text, role)
    _within(found.findings, text)
    assert all(0.0 <= score <= 1.0 for score in found.scores.values())
    assert inspector().text(text, role) == found


SUBSTITUTES = Known(
    Substitute(kind, shown, Secret(value))
    for kind, shown, value in (
        ("pii.email", "EMAIL_7Q2MKDB3", "ada@example.org"),
        ("pii.phone", "PHONE_BCDPHPH2", "+44 20 7946 0018"),
        ("pii.name", "NAME_7Q2MKDB4", 'Ada "The\\Countess"\nLovelace'),
        ("pii.card", "4000 0012 3456 7899", "4111 1111 1111 1111"),
        ("pii.email", "u23bcd@redacted.example", "bo@example.net"),
    )
)


def restored(data: bytes) -> None:
    """However an answer is cut, the same values come back in the same places, and what was JSON still is."""
    size, data = _cuts(data)
    text = _text(data)
    for as_json in (False, True):
        whole = Restorer(SUBSTITUTES, Allowance(1 << 20), json=as_json).whole(text)
        cut = Restorer(SUBSTITUTES, Allowance(1 << 20), json=as_json)
        pieces = [piece for at in range(0, len(text), size) for piece in cut.feed(text[at : at + size])] + cut.finish()
        assert "".join(piece.text for piece in pieces) == whole
        assert sum(piece.length for piece in pieces) == len(text)
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return
    json.loads(whole)


def exchanged(data: bytes) -> None:
    """Whatever a caller writes beside its values, tokens and surrogates comes back as it was."""
    text = _text(data[1:])
    ways = (
        Ways(tokenize=("pii",), surrogate=("pii.card", "pii.email")) if data[:1] < b"\x80" else Ways(tokenize=("pii",))
    )
    findings = tuple(f for f in scanner().scan_text(text) if f.family == "pii")
    tokeniser = Tokeniser(Mint(task_key(b"pepper", "", "", "")), ways, lambda _: ())
    segments = [Segment(text, "user", 0)]
    out = tokeniser.texts(segments, findings).get(0, text)
    longest = max((f.end - f.start for f in findings), default=0)
    if longest <= LONGEST_VALUE:
        assert Restorer(tokeniser.known, Allowance(1 << 24)).whole(out) == text


def credential(data: bytes) -> None:
    """Tokens, proofs of possession, sets of keys, forms of a token exchange."""
    for read in (
        lambda: jws.verify(jws.take_apart(data), "Ed25519", ()),
        lambda: dpop.check(data, "POST", "yett.example", "/", b"token", 0.0),
        lambda: exchange.read(Inbound("POST", "/oauth/token", "", {}, data, "", 0.0)),
    ):
        with contextlib.suppress(Refusal):
            read()
    with contextlib.suppress(ValueError):
        assert jws.read_keys(data)
    with contextlib.suppress(ValueError):
        domain, path = spiffe.parse(data.decode("latin-1"))
        assert f"spiffe://{domain}{path}".encode("latin-1") == data


def granted(data: bytes) -> None:
    """What token endpoints answer: a token that fits into a header and lives, or a reason that says nothing of what came."""
    status = 200 if data[:1] < b"\xf0" else 403
    account, role = ServiceAccount("", (), 900), AssumedRole("", "", "eu-west-1", 900)
    for answer in (grants.answer, partial(google.answer, account, now=0.0), partial(aws.answer, role, now=0.0)):
        with contextlib.suppress(grants.TokenTrouble):
            token = answer(status, data[1:])
            assert grants.usable(token.secret.reveal(), 1 << 16)
            assert 0 < token.seconds <= 86_400


KEPT = {
    "userName": "ada",
    "active": True,
    "name": {"givenName": "Ada"},
    "emails": [{"type": "work", "value": "a@x", "primary": True}],
}


def provisioned(data: bytes) -> None:
    """Filters, resources and patches of an identity provider: what is kept of them can be sent again, and changes nothing then."""
    kind = GROUPS if data[:1] > b"\x80" else USERS
    with contextlib.suppress(ScimError):
        filter = scim_filter.parse(_text(data[1:]), kind)
        assert scim_filter.holds(filter, KEPT) in {True, False}
    try:
        body = msgspec.json.decode(data[1:])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return
    stamp = resource.Stamp("u1", "2026-11-21T00:00:00Z", "2026-11-21T00:00:00Z", 1)
    before = KEPT if kind is USERS else {"displayName": "ML"}
    with contextlib.suppress(ScimError):
        kept = resource.read(kind, body)
        assert resource.read(kind, resource.whole(kind, kept, stamp, "", {})) == kept
    with contextlib.suppress(ScimError):
        kept, steps = scim_patch.patch(kind, before, scim_patch.read(body))
        assert resource.read(kind, resource.whole(kind, kept, stamp, "", {})) == kept
        assert scim_patch.left(steps, frozenset("ab")) is not None
        resource.chosen(kind, resource.whole(kind, kept, stamp, "", {}), _text(data[1:40]), "")
    with contextlib.suppress(ScimError):
        resource.member_ids(body)


TARGETS: dict[str, Target] = {
    target.__name__: target
    for target in (
        json_body,
        chat_request,
        chat_reply,
        events,
        stream,
        patterns,
        window,
        whole_text,
        restored,
        exchanged,
        credential,
        granted,
        provisioned,
    )
}
