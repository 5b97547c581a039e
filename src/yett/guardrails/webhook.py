"""A service of your own: documented JSON both ways, signed as Standard Webhooks are (standardwebhooks.com).

POST {base_url}
webhook-id, webhook-timestamp, webhook-signature: v1,base64(HMAC-SHA256(key, id "." timestamp "." body))
{"version": 1, "guardrail": "mine", "side": "request", "texts": [{"text": "…", "role": "user"}]}

{"findings": [{"text": 0, "kind": "moderation.hate", "score": 0.9, "start": 4, "end": 9}],
 "scores": [{"text": 0, "name": "toxicity", "score": 0.9}]}
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterator, Sequence

from msgspec import Struct, field

from yett.guardrails.categories import KINDS, OTHER, slug
from yett.guardrails.kind import JSON, Asked, Kind, Piece, Signal, UnreadableError, Verdict, bounded, decoded, encoded
from yett.model.guardrail import Guardrail

_MOST = 1000  # findings of one answer
SCORES = ("injection", "toxicity", "harm")  # that it may give


class _Finding(Struct, frozen=True):
    kind: str
    text: int = 0
    score: float = 1.0
    start: int = 0
    end: int = 0


class _Score(Struct, frozen=True):
    name: str
    score: float
    text: int = 0


class _Reply(Struct, frozen=True):
    findings: list[_Finding]
    scores: list[_Score] = field(default_factory=list)


def ask(guardrail: Guardrail, side: str, pieces: Sequence[Piece], now: float) -> tuple[Asked, ...]:
    texts = [{"text": piece.text, "role": piece.role} for piece in pieces]
    body = encoded({"version": 1, "guardrail": guardrail.id, "side": side, "texts": texts})
    stamp = str(int(now))
    identity = f"msg_{hashlib.blake2b(body, digest_size=16, person=stamp.encode()[-16:]).hexdigest()}"
    signature = sign(guardrail.provider.keys[0].reveal(), identity, stamp, body)
    headers = (
        *JSON,
        (b"webhook-id", identity.encode()),
        (b"webhook-timestamp", stamp.encode()),
        (b"webhook-signature", signature.encode()),
    )
    return (Asked("", headers, body, tuple(pieces), bearer=False),)


def sign(key: str, identity: str, stamp: str, body: bytes) -> str:
    """The signature field. A key `whsec_…` is base64, as that specification has it; any other is taken as it is."""
    raw = key.encode()
    if key.startswith("whsec_"):
        try:
            raw = base64.b64decode(key.removeprefix("whsec_"), validate=True)
        except binascii.Error:
            raw = key.encode()
    digest = hmac.digest(raw, f"{identity}.{stamp}.".encode() + body, "sha256")
    return f"v1,{base64.b64encode(digest).decode()}"


def read(guardrail: Guardrail, asked: Asked, body: bytes) -> Verdict:
    reply = decoded(body, _Reply)
    if len(reply.findings) > _MOST or len(reply.scores) > _MOST:
        raise UnreadableError("there are too many findings")
    return Verdict((*_found(guardrail, asked.pieces, reply.findings), *_scored(asked.pieces, reply.scores)))


def _found(guardrail: Guardrail, pieces: Sequence[Piece], findings: Sequence[_Finding]) -> Iterator[Signal]:
    for finding in findings:
        if not 0 <= finding.text < len(pieces):
            raise UnreadableError("a finding is in a text that was not asked about")
        label = slug(finding.kind)
        kind = guardrail.kinds.get(label) or (finding.kind if finding.kind in KINDS else OTHER)
        whole = not 0 <= finding.start < finding.end <= len(pieces[finding.text].text)
        span = (0, 0) if whole else (finding.start, finding.end)
        score = bounded(finding.score)
        yield Signal(kind, label, finding.text, score, guardrail.flags(kind, score, True), *span)


def _scored(pieces: Sequence[Piece], scores: Sequence[_Score]) -> Iterator[Signal]:
    for score in scores:
        if score.name not in SCORES or not 0 <= score.text < len(pieces):
            raise UnreadableError("a score is of a text that was not asked about, or has an unknown name")
        yield Signal(f"score.{score.name}", score.name, score.text, bounded(score.score), False)


WEBHOOK = Kind(
    name="webhook",
    needs=("base_url", "key"),
    batch=64,
    longest=100_000,
    reports=KINDS,
    ask=ask,
    read=read,
)
