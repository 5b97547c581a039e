"""Amazon Bedrock Guardrails (docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ApplyGuardrail.html).

`resource` is the guardrail's id or ARN, `version` its version. Signed with SigV4 when there is an access key; without one the
key is a Bedrock API key, sent as a bearer token. What a guardrail would do (block, anonymise) is not done here: what it
detected becomes findings, also where it is configured to detect only.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from urllib.parse import quote, urlsplit

from msgspec import Struct, field

from yett.guardrails.categories import (
    BLOCKLIST,
    INJECTION,
    MODERATION,
    OTHER,
    PERSONAL,
    TOPIC,
    kind_of,
    slug,
)
from yett.guardrails.kind import JSON, Asked, Kind, Piece, Signal, Verdict, decoded, encoded, located
from yett.guardrails.sigv4 import Credentials, authority, signed
from yett.model.guardrail import Guardrail

_CONFIDENCE = {"LOW": 0.4, "MEDIUM": 0.7, "HIGH": 0.95}
_NONE = frozenset(("", "NONE"))


class _Match(Struct, frozen=True):
    """What the policies' entries have in common. `detected` is missing in answers of older guardrails."""

    action: str = ""
    detected: bool | None = None
    type: str = ""
    name: str = ""
    match: str = ""
    confidence: str = ""

    @property
    def found(self) -> bool:
        return self.action not in _NONE if self.detected is None else self.detected


class _Topics(Struct, frozen=True):
    topics: list[_Match] = field(default_factory=list)


class _Content(Struct, frozen=True):
    filters: list[_Match] = field(default_factory=list)


class _Words(Struct, frozen=True, rename="camel"):
    custom_words: list[_Match] = field(default_factory=list)
    managed_word_lists: list[_Match] = field(default_factory=list)


class _Sensitive(Struct, frozen=True, rename="camel"):
    pii_entities: list[_Match] = field(default_factory=list)
    regexes: list[_Match] = field(default_factory=list)


class _Assessment(Struct, frozen=True, rename="camel"):
    topic_policy: _Topics = _Topics()
    content_policy: _Content = _Content()
    word_policy: _Words = _Words()
    sensitive_information_policy: _Sensitive = _Sensitive()


class _Characters(Struct, frozen=True):
    guarded: int = 0
    total: int = 0


class _Coverage(Struct, frozen=True, rename="camel"):
    text_characters: _Characters = _Characters()


class _Reply(Struct, frozen=True, rename="camel"):
    action: str
    assessments: list[_Assessment]
    guardrail_coverage: _Coverage = _Coverage()


def ask(guardrail: Guardrail, side: str, pieces: Sequence[Piece], now: float) -> tuple[Asked, ...]:
    path = (
        f"/guardrail/{quote(guardrail.resource, safe='')}/version/{quote(guardrail.version or 'DRAFT', safe='')}/apply"
    )
    return tuple([_asked(guardrail, side, piece, path, now) for piece in pieces])


def _asked(guardrail: Guardrail, side: str, piece: Piece, path: str, now: float) -> Asked:
    source = "INPUT" if side == "request" else "OUTPUT"
    body = encoded({"source": source, "content": [{"text": {"text": piece.text}}], "outputScope": "FULL"})
    if guardrail.access_key is None:
        return Asked(path, JSON, body, (piece,))
    base_url = guardrail.provider.base_url
    credentials = Credentials(guardrail.access_key, guardrail.provider.keys[0], guardrail.session_token)
    fields = signed(
        credentials,
        "POST",
        (authority(base_url), urlsplit(base_url).path.rstrip("/") + path),
        {name.decode(): value.decode() for name, value in JSON},
        body,
        (guardrail.region, "bedrock"),
        now,
    )
    headers = tuple([(name.encode(), value.encode()) for name, value in fields.items()])
    return Asked(path, headers, body, (piece,), bearer=False)


def read(guardrail: Guardrail, asked: Asked, body: bytes) -> Verdict:
    reply = decoded(body, _Reply)
    piece = asked.pieces[0]
    signals = [signal for part in reply.assessments for signal in _signals(guardrail, piece, part)]
    if reply.action not in _NONE and not any(signal.flagged for signal in signals):
        signals.append(Signal(OTHER, "intervened", 0, 1.0, True))
    covered = reply.guardrail_coverage.text_characters
    return Verdict(tuple(signals), complete=covered.guarded >= covered.total)


def _signals(guardrail: Guardrail, piece: Piece, part: _Assessment) -> Iterator[Signal]:
    for filtered in part.content_policy.filters:
        label = slug(filtered.type)
        kind, score = kind_of(guardrail, label), _CONFIDENCE.get(filtered.confidence, 0.0)
        yield Signal(kind, label, 0, score, guardrail.flags(kind, score, filtered.found))
    for topic in part.topic_policy.topics:
        label = slug(topic.name)
        kind, score = guardrail.kinds.get(label, TOPIC), 1.0 if topic.found else 0.0
        yield Signal(kind, label, 0, score, topic.found)
    words = [(word, slug("custom-word"), BLOCKLIST) for word in part.word_policy.custom_words]
    words += [
        (word, slug(word.type), kind_of(guardrail, slug(word.type))) for word in part.word_policy.managed_word_lists
    ]
    sensitive = part.sensitive_information_policy
    words += [(entity, slug(entity.type), PERSONAL) for entity in sensitive.pii_entities]
    words += [(regex, slug(regex.name), PERSONAL) for regex in sensitive.regexes]
    for match, label, otherwise in dict.fromkeys(words):  # the same word again is the same places again
        if match.found:
            kind = guardrail.kinds.get(label, otherwise)
            for start, end in located(piece, match.match) or ((0, 0),):
                yield Signal(kind, label, 0, 1.0, True, start, end)


BEDROCK_GUARDRAILS = Kind(
    name="bedrock_guardrails",
    base_url="https://bedrock-runtime.{region}.amazonaws.com",
    needs=("key", "region", "resource"),
    batch=1,
    longest=10_000,
    reports=(*MODERATION, OTHER, BLOCKLIST, TOPIC, PERSONAL, INJECTION),
    ask=ask,
    read=read,
)
