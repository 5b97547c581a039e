"""What must hold of a token whose signature is good, and what it says about its caller."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

import pytest
from msgspec.structs import replace
from tests.issuing import NOW, Authority

from yett.errors import Refusal
from yett.identity import jws
from yett.identity.issuer import Issuer, Rule, Source, Subject, Workload, by_url, check, find, issuer_of, subject
from yett.model.route import Provider, Timeouts

AUTHORITY = Authority()
CORP = Issuer(
    name="corp",
    credential="oidc",
    url=AUTHORITY.url,
    source=Source(),
    audiences=frozenset(("yett", "gate")),
    algorithms=frozenset(("Ed25519",)),
    types=frozenset(("at+jwt", "")),
    team=Rule(fixed="research"),
)
MESH = replace(
    CORP,
    name="example.org",
    credential="svid",
    url="spiffe://example.org",
    workloads=(
        Workload("/ns/prod/sa", "support", "agent", (("env", "prod"),)),
        Workload("/ns", "research", "service"),
    ),
)


def token(*, typ: str | None = "at+jwt", **claims: Any) -> jws.Signed:
    return jws.take_apart(AUTHORITY.sign(AUTHORITY.claims(**claims), typ=typ))


def told(issuer: Issuer, signed: jws.Signed, now: float = NOW) -> tuple[str, str]:
    """Code and message of the refusal."""
    with pytest.raises(Refusal) as caught:  # noqa: PT012 - either of them
        check(issuer, signed, now)
        subject(issuer, signed.claims)
    assert caught.value.status == 401
    return caught.value.code, str(caught.value)


def read(issuer: Issuer, **claims: Any) -> Subject:
    signed = token(**claims)
    check(issuer, signed, NOW)
    return subject(issuer, signed.claims)


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ({"exp": NOW - 31, "iat": NOW - 300}, "expired_token"),
        ({"exp": None}, "unacceptable_token"),
        ({"exp": "soon"}, "unacceptable_token"),
        ({"exp": True}, "unacceptable_token"),
        ({"exp": -1}, "unacceptable_token"),
        ({"exp": 2**60}, "unacceptable_token"),
        ({"iat": NOW + 31}, "token_not_yet_valid"),
        ({"nbf": NOW + 31}, "token_not_yet_valid"),
        ({"nbf": "never"}, "unacceptable_token"),
        ({"exp": NOW + 86_500}, "unacceptable_token"),
        ({"iat": None, "exp": NOW + 86_500}, "unacceptable_token"),
        ({"aud": "other"}, "wrong_audience"),
        ({"aud": None}, "wrong_audience"),
        ({"aud": ["other", 5]}, "wrong_audience"),
        ({"aud": {"yett": 1}}, "wrong_audience"),
        ({"typ": "JWT"}, "unacceptable_token"),
        ({"typ": "dpop+jwt"}, "unacceptable_token"),
        ({"sub": None}, "unacceptable_token"),
        ({"sub": ""}, "unacceptable_token"),
        ({"sub": 5}, "unacceptable_token"),
        ({"sub": "a\nb"}, "unacceptable_token"),
        ({"sub": "a" * 256}, "unacceptable_token"),
    ],
)
def test_what_does_not_hold(claims: dict[str, Any], expected: str) -> None:
    assert told(CORP, token(**claims))[0] == expected


@pytest.mark.parametrize(
    "claims",
    [
        {},
        {"exp": NOW - 29, "iat": NOW - 300},
        {"iat": NOW + 29, "nbf": NOW + 29},
        {"iat": None},
        {"exp": NOW + 0.5},
        {"aud": ["other", "gate"]},
        {"typ": "application/AT+JWT"},
        {"typ": None},
    ],
)
def test_what_holds(claims: dict[str, Any]) -> None:
    assert read(CORP, **claims).id == "corp/ada"


def test_required_claims() -> None:
    ci = replace(CORP, required=(("org", frozenset(("acme",))), ("/kubernetes.io/ns", frozenset(("a", "b")))))
    assert read(ci, org="acme", **{"kubernetes.io": {"ns": "b"}}).team == "research"
    for claims in (
        {},
        {"org": "acme"},
        {"org": "acme", "kubernetes.io": "b"},
        {"org": "other", "kubernetes.io": {"ns": "a"}},
    ):
        code, message = told(ci, token(**claims))
        assert code == "unacceptable_token"
        assert '"org"' in message or '"/kubernetes.io/ns"' in message


def test_a_claim_may_be_what_a_json_pointer_leads_to() -> None:
    claims = {"a": {"b/c": {"d~": 1}}, "/": 2}
    assert find(claims, "/a/b~1c/d~0") == 1
    assert find(claims, "/a/x/y") is None
    assert find(claims, "a") == {"b/c": {"d~": 1}}


def test_facts_come_from_claims_or_are_fixed() -> None:
    plain = read(CORP)
    assert (plain.tenant, plain.team, plain.kind, plain.name, plain.labels) == (
        "default",
        "research",
        "user",
        "ada",
        (),
    )
    assert (plain.issued, plain.expires) == (NOW, NOW + 300)
    rich = replace(
        CORP,
        tenant=Rule("org"),
        tenants=frozenset(("acme", "other")),
        team=Rule("groups", "support", MappingProxyType({"g-1": "research", "g-2": "legal"})),
        kind=Rule("type", "service"),
        name_claim="email",
        labels=(("env", "dev"), ("tier", "1")),
        label_claims=(("env", "environment"), ("site", "site")),
    )
    found = read(
        rich,
        org="acme",
        groups=["g-2", "g-1"],
        type="agent",
        email="ada@acme.example",
        environment="prod",
        site=["a", "b"],
    )
    assert (found.tenant, found.team, found.kind, found.name) == ("acme", "research", "agent", "ada@acme.example")
    assert found.labels == (("env", "prod"), ("tier", "1"))
    fallback = read(rich, org="acme", email="a\x00b", environment=True, site="x" * 65)
    assert (fallback.team, fallback.kind, fallback.name) == ("support", "service", "ada")
    assert fallback.labels == (("env", "true"), ("tier", "1"))
    assert read(rich, org="acme", type=None, environment=3).labels[0] == ("env", "3")


@pytest.mark.parametrize(
    ("changed", "claims", "word"),
    [
        ({"tenant": Rule("org"), "tenants": frozenset(("acme",))}, {"org": "evil"}, '"org"'),
        ({"tenant": Rule("org"), "tenants": frozenset(("acme",))}, {}, '"org"'),
        ({"team": Rule("team")}, {}, '"team"'),
        ({"team": Rule("team")}, {"team": ["a", "b"]}, '"team"'),
        ({"team": Rule("team", "", MappingProxyType({"x": "research"}))}, {"team": "y"}, '"team"'),
        ({"kind": Rule("type")}, {"type": "root"}, '"type"'),
    ],
)
def test_claims_that_say_nothing_known(changed: dict[str, Any], claims: dict[str, Any], word: str) -> None:
    code, message = told(replace(CORP, **changed), token(**claims))
    assert code == "unacceptable_token"
    assert word in message
    assert "evil" not in message


def test_a_workload_is_known_by_its_path() -> None:
    agent = read(MESH, sub="spiffe://example.org/ns/prod/sa/helper")
    assert (agent.id, agent.name) == ("spiffe://example.org/ns/prod/sa/helper", "helper")
    assert (agent.team, agent.kind, agent.labels) == ("support", "agent", (("env", "prod"),))
    assert read(MESH, sub="spiffe://example.org/ns/prod/sa").kind == "agent"
    assert read(MESH, sub="spiffe://example.org/ns/prod/sax").kind == "service"
    everyone = replace(MESH, workloads=(Workload("/", "research", "service"),))
    assert read(everyone, sub="spiffe://example.org/anything/at/all").team == "research"
    for sub in ("spiffe://example.org/other", "spiffe://other.org/ns", "spiffe://example.org/ns/../x", "ada"):
        assert told(MESH, token(sub=sub))[0] == "unacceptable_token"


def test_whom_a_token_is_from() -> None:
    issuers = by_url((CORP, MESH))
    assert issuer_of(token(), issuers) is CORP
    assert issuer_of(token(sub="spiffe://example.org/ns"), issuers) is CORP  # its keys are the ones it is held against
    assert issuer_of(token(iss=None, sub="spiffe://example.org/ns"), issuers) is MESH
    assert issuer_of(token(iss="https://spire", sub="spiffe://example.org"), issuers) is MESH
    for claims in ({"iss": "https://other"}, {"iss": None, "sub": None}, {"iss": 5, "sub": "spiffe://other.org/ns"}):
        with pytest.raises(Refusal) as caught:
            issuer_of(token(**claims), issuers)
        assert caught.value.code == "unknown_issuer"


def test_keys_of_an_address_are_those_of_whoever_answers_there() -> None:
    """Asked with other certificates, or for something else, it is another source."""
    provider = Provider("issuer/a", "issuer", "", (), (), Timeouts(1, 1, 1, 1))
    plain = Source(url="https://a/k", provider=provider)
    others = (
        Source(url="https://a/k2", provider=provider),
        Source(url="https://a/k", provider=provider, discovery=True),
        Source(url="https://a/k", provider=replace(provider, ca_file="/ca.pem")),
    )
    assert len({each.kept_as for each in (plain, *others)}) == 4
    assert Source(file="keys.json").kept_as == Source(file="other.json").kept_as  # files are not kept
