"""What follows from security events, and what is not believed."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace
from tests.issuing import NOW, Authority

from yett.identity.events import (
    CREDENTIAL_CHANGE,
    MOST_BYTES,
    SESSION_REVOKED,
    EventError,
    Revocation,
    Transmitter,
    read,
)
from yett.identity.jws import read_keys

IDP = Authority("https://idp.example")
KEYS = read_keys(IDP.document())
OKTA = Transmitter(
    name="okta",
    issuer="https://idp.example",
    audiences=frozenset({"https://yett.example/events"}),
    algorithms=frozenset({"Ed25519"}),
    tenants=("default",),
    kinds=("user",),
    prefix="okta/",
    url="https://idp.example/oauth",
)
ADA = {"format": "iss_sub", "iss": "https://idp.example/oauth", "sub": "ada"}


def event(kind: str = SESSION_REVOKED, subject: Any = ADA, header: dict[str, Any] | None = None, **more: Any) -> bytes:
    claims: dict[str, Any] = {
        "iss": "https://idp.example",
        "aud": "https://yett.example/events",
        "iat": NOW - 5,
        "jti": "event-1",
        "sub_id": subject,
        "events": {kind: {"event_timestamp": NOW - 10}},
    }
    claims = {name: value for name, value in {**claims, **more}.items() if value is not None}
    return IDP.sign(claims, **{"typ": "secevent+jwt", **(header or {})})


def err(token: bytes, transmitter: Transmitter = OKTA) -> str:
    with pytest.raises(EventError) as caught:
        read(transmitter, token, KEYS, NOW)
    assert str(caught.value)
    return caught.value.err


def names(subject: Any, transmitter: Transmitter = OKTA) -> tuple[str, ...]:
    return read(transmitter, event(subject=subject), KEYS, NOW).names


def test_the_end_of_sessions() -> None:
    expected = Revocation("event-1", ("user:default/okta/ada",), NOW - 10, (SESSION_REVOKED,))
    assert read(OKTA, event(), KEYS, NOW) == expected
    listed = event(
        aud=["https://else.example", "https://yett.example/events"], header={"typ": "application/secevent+jwt"}
    )
    assert read(OKTA, listed, KEYS, NOW) == expected


@pytest.mark.parametrize(
    ("change", "ends"),
    [("revoke", True), ("delete", True), ("update", True), ("create", False), (None, False), ([], False)],
)
def test_a_change_of_a_credential(change: Any, ends: bool) -> None:
    token = event(events={CREDENTIAL_CHANGE: {"change_type": change, "credential_type": "password"}})
    found = read(OKTA, token, KEYS, NOW)
    assert bool(found.names) is ends
    assert found.since == (NOW - 5 if ends else 0), "when it was issued, where it does not say when it happened"


def test_events_that_end_nothing_are_taken() -> None:
    for kind in ("https://schemas.openid.net/secevent/ssf/event-type/verification", "urn:example:else"):
        assert read(OKTA, event(kind, subject=None), KEYS, NOW).names == ()


@pytest.mark.parametrize("moment", [NOW + 30, "soon", -5, None, True])
def test_nothing_ends_in_the_future(moment: Any) -> None:
    found = read(OKTA, event(events={SESSION_REVOKED: {"event_timestamp": moment}}), KEYS, NOW)
    assert found.since <= NOW


def test_subjects() -> None:
    ada = ("user:default/okta/ada",)
    assert names({"format": "opaque", "id": "ada"}) == ada
    assert names({"format": "email", "email": "ada@example.org"}) == ("user:default/okta/ada@example.org",)
    assert names({"format": "account", "uri": "acct:ada@example.org"}) == ("user:default/okta/acct:ada@example.org",)
    several = {
        "format": "aliases",
        "identifiers": [ADA, {"format": "opaque", "id": "a"}, ADA, {"format": "aliases"}, "x"],
    }
    assert names(several) == ("user:default/okta/a", "user:default/okta/ada")
    session = {"format": "opaque", "id": "s-1"}
    assert names({"format": "complex", "user": ADA, "session": session}) == ada
    assert names({"user": ADA, "session": session}) == ada
    many = {"format": "aliases", "identifiers": [{"format": "opaque", "id": str(n)} for n in range(50)]}
    assert len(names(many)) == 8
    wide = replace(OKTA, tenants=("a", "b"), kinds=("user", "agent"), prefix="")
    assert names(ADA, wide) == ("agent:a/ada", "agent:b/ada", "user:a/ada", "user:b/ada")
    old = event(subject=None, events={SESSION_REVOKED: {"subject": ADA, "event_timestamp": NOW - 10}})
    assert read(OKTA, old, KEYS, NOW).names == ada, "where drafts of CAEP had it"


@pytest.mark.parametrize(
    "subject",
    [
        None,
        "ada",
        {},
        {"format": "opaque"},
        {"format": "opaque", "id": 5},
        {"format": "opaque", "id": ""},
        {"format": "opaque", "id": "x" * 256},
        {"format": "opaque", "id": "a\nb"},
        {"format": "phone_number", "phone_number": "+1"},
        {"format": ["opaque"]},
        {"format": "aliases"},
        {"format": "complex", "session": {"format": "opaque", "id": "s"}},
        {"format": "complex", "user": {"format": "complex", "user": ADA}},
        {**ADA, "iss": "https://evil.example"},
    ],
)
def test_a_subject_that_nobody_is_known_by_is_told(subject: Any) -> None:
    assert err(event(subject=subject)) == "invalid_request"


def test_what_is_not_believed() -> None:
    good = event()
    assert err(b"x" * (MOST_BYTES + 1)) == err(b"a.b") == "invalid_request"
    assert err(event(header={"typ": "JWT"})) == err(event(header={"typ": "at+jwt"})) == "invalid_request"
    assert err(good[:-9] + b"A" * 9) == "invalid_key"
    assert err(event(header={"alg": "none"})) == err(event(header={"kid": "k9"})) == "invalid_key"
    assert err(good, replace(OKTA, algorithms=frozenset({"RS256"}))) == "invalid_key"
    assert err(event(iss="https://evil.example")) == err(event(iss=None)) == "invalid_issuer"
    assert (
        err(event(aud="https://else.example")) == err(event(aud=None)) == err(event(aud=[{}, 5])) == "invalid_audience"
    )


@pytest.mark.parametrize(
    "claims",
    [
        {"jti": None}, {"jti": ""}, {"jti": 5}, {"jti": "x" * 256},
        {"iat": None}, {"iat": "now"}, {"iat": NOW - 86_401}, {"iat": NOW + 61},
        {"events": None}, {"events": {}}, {"events": [SESSION_REVOKED]}, {"events": {SESSION_REVOKED: "yes"}},
    ],
)  # fmt: skip
def test_what_is_missing_or_out_of_time(claims: dict[str, Any]) -> None:
    assert err(event(**claims)) == "invalid_request"
