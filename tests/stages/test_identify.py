"""Who is calling: one way in, and a reason for everybody else that does not repeat what they sent."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from cryptography.x509 import DNSName
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.certificates import HOUR, Certifier, Pair
from tests.identity.test_dpop import THUMBPRINT, proof
from tests.identity.test_forwarded import binary, element
from tests.issuing import NOW, Authority
from tests.scene import CONFIGURATION, POLICIES, Trust, post
from tests.stages.conftest import SECRET_KEY, Compiled, caller_of, keyed

from yett.cli.system import SystemClock
from yett.config.snapshot import Snapshot, with_directories
from yett.errors import CODES, Refusal
from yett.identity.forwarded import CLIENT_CERT, XFCC
from yett.identity.issuer import Workload
from yett.identity.jws import read_keys
from yett.identity.proxies import Proxy
from yett.identity.x509 import Authority as Vouching
from yett.identity.x509 import Client, thumbprint
from yett.model.call import Inbound
from yett.model.caller import Caller
from yett.policy.memo import Memo
from yett.scim.directory import Changes, Directory, Person, Rules, place_of
from yett.stages.identify import MAX_CREDENTIAL, REFUSED_SECONDS, check, identify


def known(snapshot: Snapshot, inbound: Inbound, trust: Trust | None = None, now: float = 100.0) -> Caller:
    return asyncio.run(identify(inbound, snapshot, trust or Trust(), now))


def refused(snapshot: Snapshot, authorization: bytes | None, now: float = 100.0) -> Refusal:
    headers = {} if authorization is None else {b"authorization": authorization}
    with pytest.raises(Refusal) as caught:
        known(snapshot, post(b"", headers), now=now)
    assert caught.value.status == 401
    return caught.value


def test_a_key_is_its_caller(snapshot: Snapshot) -> None:
    for scheme in (b"Bearer ", b"bearer ", b"BEARER  "):
        caller = known(snapshot, post(b"", {b"authorization": scheme + SECRET_KEY.encode()}))
        assert (caller.id, caller.team, caller.tenant, caller.assurance) == ("key_1", "research", "default", 0)


@pytest.mark.parametrize(
    ("authorization", "expected"),
    [
        (None, "missing_key"),
        (b"", "malformed_key"),
        (b"Bearer", "malformed_key"),
        (b"Bearer ", "malformed_key"),
        (b"Basic " + SECRET_KEY.encode(), "malformed_key"),
        (SECRET_KEY.encode(), "malformed_key"),
        (b"Bearer sk-something-else", "malformed_key"),
        (b"Bearer \xff\xfe", "malformed_key"),
        (b"Bearer " + SECRET_KEY[:-1].encode(), "malformed_key"),
        (b"Bearer " + b"x" * (MAX_CREDENTIAL + 1), "malformed_key"),
        # two fields of the same name arrive joined (RFC 9110 section 5.3)
        (b"Bearer %b, Bearer %b" % (SECRET_KEY.encode(), SECRET_KEY.encode()), "malformed_key"),
        (b"Bearer ytk_live_" + b"0" * 43 + b"_" + b"0" * 6, "malformed_key"),
    ],
)
def test_everybody_else_is_told_why(snapshot: Snapshot, authorization: bytes | None, expected: str) -> None:
    refusal = refused(snapshot, authorization)
    assert refusal.code == expected
    sent = (authorization or b"").partition(b" ")[2].decode("latin-1")
    assert not sent or sent not in str(refusal)


def test_a_well_formed_key_that_nobody_issued(snapshot: Snapshot) -> None:
    assert refused(replace(snapshot, callers={}), b"Bearer " + SECRET_KEY.encode()).code == "invalid_key"


@pytest.mark.parametrize(
    ("fields", "now", "expected"),
    [
        ({"revoked": 100}, 99.9, ""),
        ({"revoked": 100}, 100.0, "revoked_key"),
        ({"expires": 100}, 99.9, ""),
        ({"expires": 100}, 100.0, "expired_key"),
        ({"revoked": 50, "expires": 50}, 100.0, "revoked_key"),
        ({}, 1e12, ""),
    ],
)
def test_times(snapshot: Snapshot, fields: dict[str, int], now: float, expected: str) -> None:
    keys = keyed(snapshot, **fields)
    caller = caller_of(keys)
    if expected:
        assert refused(keys, b"Bearer " + SECRET_KEY.encode(), now).code == expected
        with pytest.raises(Refusal) as caught:
            check(caller.credential, keys, now)
        assert caught.value.code == expected
    else:
        check(caller.credential, keys, now)


def test_a_key_that_is_no_longer_there_was_revoked(snapshot: Snapshot) -> None:
    with pytest.raises(Refusal) as caught:
        check(caller_of(snapshot).credential, replace(snapshot, keys={}), 100.0)
    assert caught.value.code == "revoked_key"


@given(st.binary(max_size=80))
def test_nothing_else_gets_in(value: bytes) -> None:
    empty = Nobody()
    with pytest.raises(Refusal) as caught:
        known(empty, post(b"", {b"authorization": value}))  # type: ignore[arg-type]
    assert CODES[caught.value.code].status == 401


class Nobody:
    """As much of a snapshot as it takes to know nobody."""

    def __init__(self) -> None:
        self.pepper = b"p"
        self.callers: dict[bytes, object] = {}
        self.issuers: dict[str, object] = {}


# ---- tokens -------------------------------------------------------------------------------------------------------

ISSUERS = """
[identity.issuers.corp]
issuer = "https://idp.example"
audiences = ["yett"]
algorithms = ["Ed25519"]
team = "research"
team_claim = "team"
labels = { env = "prod" }
models = ["fast"]

[identity.trust_domains."example.org"]
audiences = ["yett"]
bundle_file = "bundle.json"
algorithms = ["Ed25519"]
workloads = [{ path = "/ns/prod", team = "research", kind = "agent" }]
"""
CORP, MESH = Authority(), Authority("spiffe://example.org")


@pytest.fixture
def issuing(compiled: Compiled) -> Snapshot:
    """A snapshot with two issuers, and no memory of tokens."""
    base = compiled(
        POLICIES,
        CONFIGURATION.replace("[teams.research]", '[teams.research]\nlabels = { env = "dev", tier = "1" }') + ISSUERS,
    )
    return replace(base, proven=Memo(8), unproven=Memo(8))


@pytest.fixture
def trust() -> Trust:
    trust = Trust()
    trust.known = {"corp": read_keys(CORP.document()), "example.org": read_keys(MESH.document())}
    return trust


def bearer(token: bytes) -> Inbound:
    return post(b"", {b"authorization": b"Bearer " + token})


def code(snapshot: Snapshot, trust: Trust, token: bytes, now: float = NOW) -> str:
    with pytest.raises(Refusal) as caught:
        known(snapshot, bearer(token), trust, now)
    for part in token.split(b"."):
        assert not part or part.decode("latin-1") not in str(caught.value)
    return caught.value.code


def test_a_token_is_its_caller(issuing: Snapshot, trust: Trust) -> None:
    caller = known(issuing, bearer(CORP.token()), trust, NOW)
    assert (caller.id, caller.name, caller.team, caller.tenant, caller.kind) == (
        "corp/ada",
        "ada",
        "research",
        "default",
        "user",
    )
    assert (caller.assurance, caller.labels) == (2, (("env", "prod"), ("tier", "1")))
    credential = caller.credential
    assert (credential.kind, credential.issuer, credential.id, credential.models) == ("oidc", "corp", "t1", ("fast",))
    assert (credential.issued, credential.expires) == (NOW, NOW + 300)
    assert credential.fences == ("tenant:default", "team:default/research", "user:default/corp/ada")


def test_a_workload_is_its_caller(issuing: Snapshot, trust: Trust) -> None:
    id = "spiffe://example.org/ns/prod/helper"
    caller = known(issuing, bearer(MESH.sign(MESH.claims(iss=None, sub=id, jti=None), typ="JWT")), trust, NOW)
    assert (caller.id, caller.name, caller.kind, caller.assurance) == (id, "helper", "agent", 2)
    assert (caller.credential.kind, caller.credential.issuer) == ("svid", "example.org")
    assert caller.credential.id.startswith("sha256:")


def test_a_token_is_verified_once(issuing: Snapshot, trust: Trust) -> None:
    token = CORP.token()
    first = known(issuing, bearer(token), trust, NOW)
    assert known(issuing, bearer(token), trust, NOW + 300) is first
    assert code(issuing, trust, token, NOW + 330) == "expired_token"
    trust.known = {"corp": read_keys(Authority("https://idp.example", "k2").document())}
    assert known(issuing, bearer(token), trust, NOW) is first  # nobody has said that the keys are others
    trust.generation += 1
    assert code(issuing, trust, token) == "unknown_signing_key"


def test_equal_callers_are_alike_and_others_are_not(issuing: Snapshot, trust: Trust) -> None:
    def like(**claims: Any) -> str:
        return known(issuing, bearer(CORP.token(**claims)), trust, NOW).like

    assert like() == like(jti="t2", exp=NOW + 60)
    assert len({like(), like(sub="bob"), like(team="banned")}) == 3


def test_a_key_that_is_not_known_may_be_new(issuing: Snapshot, trust: Trust) -> None:
    rotated = Authority("https://idp.example", "k1", "k2")
    token = rotated.sign(rotated.claims(), "k2")
    trust.soon = {"corp": read_keys(rotated.document())}
    assert known(issuing, bearer(token), trust, NOW).id == "corp/ada"
    assert trust.asked == ["corp"]
    unknown = rotated.sign(rotated.claims(), "k2", kid="k3")
    assert code(issuing, trust, unknown) == "unknown_signing_key"
    assert code(issuing, trust, unknown) == "unknown_signing_key"  # which may change, so that it is not remembered
    assert trust.asked == ["corp"] * 3


def test_an_issuer_that_cannot_be_asked(issuing: Snapshot) -> None:
    away = Trust()
    with pytest.raises(Refusal) as caught:
        known(issuing, bearer(CORP.token()), away, NOW)
    assert (caught.value.code, caught.value.status, caught.value.retry) == ("issuer_unavailable", 503, True)
    away.known = {"corp": read_keys(CORP.document())}
    assert known(issuing, bearer(CORP.token()), away, NOW).id == "corp/ada"


@pytest.mark.parametrize(
    ("token", "expected"),
    [
        (CORP.token(exp=NOW - 60, iat=NOW - 300), "expired_token"),
        (CORP.token(nbf=NOW + 60), "token_not_yet_valid"),
        (CORP.token(aud="other"), "wrong_audience"),
        (CORP.token(iss="https://other.example"), "unknown_issuer"),
        (CORP.token(team="nobody"), "unacceptable_token"),
        (CORP.token(cnf={"x5t#S256": ""}), "unacceptable_token"),
        (CORP.token(cnf={"x5t#S256": ["x"]}), "unacceptable_token"),
        (CORP.token(cnf={"x5t#S256": "x", "jkt": "x"}), "unacceptable_token"),  # which of them?
        (CORP.token(cnf={"x5t": "x"}), "unacceptable_token"),
        (CORP.token(cnf=["x5t#S256"]), "unacceptable_token"),
        (CORP.token(cnf={"jkt": "x", "jwk": {}}), "unacceptable_token"),
        (CORP.token(cnf={"jkt": ""}), "unacceptable_token"),
        (CORP.sign(CORP.claims(), alg="none"), "algorithm_refused"),
        (CORP.sign(CORP.claims(), alg="HS256"), "algorithm_refused"),
        (CORP.token()[:-9] + b"A" * 9, "invalid_signature"),
        (MESH.sign(CORP.claims()), "invalid_signature"),
        (b"ey.ey.ey", "malformed_token"),
        (b"sk-proj.5", "malformed_token"),
        (CORP.token(pad="x" * 9000), "token_too_large"),
    ],
)
def test_tokens_that_get_nobody_in(issuing: Snapshot, trust: Trust, token: bytes, expected: str) -> None:
    assert code(issuing, trust, token) == expected
    assert code(issuing, trust, token) == expected  # remembered or not
    assert trust.asked == []


def test_garbage_is_looked_at_once_a_minute(issuing: Snapshot, trust: Trust) -> None:
    garbage = CORP.token()[:-9] + b"A" * 9
    assert code(issuing, trust, garbage) == "invalid_signature"
    trust.known = {}  # whoever looks again finds no keys
    assert code(issuing, trust, garbage) == "invalid_signature"
    assert code(issuing, trust, garbage, NOW + REFUSED_SECONDS + 1) == "issuer_unavailable"
    trust.generation += 1
    assert code(issuing, trust, garbage) == "issuer_unavailable"


def test_without_issuers_there_are_no_tokens(snapshot: Snapshot, trust: Trust) -> None:
    assert code(snapshot, trust, CORP.token()) == "malformed_key"


def test_a_call_goes_on_when_its_token_expires_but_not_when_its_issuer_is_gone(issuing: Snapshot, trust: Trust) -> None:
    credential = known(issuing, bearer(CORP.token()), trust, NOW).credential
    check(credential, issuing, NOW + 9999)
    with pytest.raises(Refusal) as caught:
        check(credential, replace(issuing, issuers={}), NOW)
    assert caught.value.code == "unknown_issuer"


def test_a_key_gets_in_beside_issuers(issuing: Snapshot, trust: Trust) -> None:
    assert known(keyed(issuing), bearer(SECRET_KEY.encode()), trust).id == "key_1"
    with pytest.raises(Refusal) as caught:
        known(issuing, bearer(b"x" * (MAX_CREDENTIAL + 1)), trust)
    assert caught.value.code == "malformed_key"


# ---- possession ---------------------------------------------------------------------------------------------------


def showing(token: bytes, proof: bytes | None, scheme: bytes = b"DPoP") -> Inbound:
    headers = {b"authorization": scheme + b" " + token, b"host": b"yett.example"}
    return post(b"", headers if proof is None else {**headers, b"dpop": proof})


def test_a_bound_token_needs_its_key_for_every_call(issuing: Snapshot, trust: Trust) -> None:
    token = CORP.token(cnf={"jkt": THUMBPRINT})
    caller = known(issuing, showing(token, proof(token)), trust, NOW)
    assert (caller.id, caller.credential.shown) == ("corp/ada", THUMBPRINT)
    other = CORP.token(cnf={"jkt": "another"}, jti="t2")
    for inbound, expected in (
        (showing(token, proof(token)), "replayed_proof"),
        (showing(token, None), "proof_required"),
        (showing(token, None, b"Bearer"), "proof_required"),
        (showing(token, proof(token, jti="p2"), b"Bearer"), "proof_required"),
        (showing(token, proof(CORP.token(), jti="p3")), "invalid_proof"),
        (showing(token, proof(token, jti="p4", iat=NOW - 90)), "invalid_proof"),
        (showing(other, proof(other, jti="p5")), "invalid_proof"),
        (showing(CORP.token(), None), "proof_required"),
    ):
        with pytest.raises(Refusal) as caught:
            known(issuing, inbound, trust, NOW)
        assert (caught.value.code, caught.value.status) == (expected, 401)
    assert known(issuing, showing(token, proof(token, jti="p6")), trust, NOW).credential.shown


def test_a_key_may_be_shown_with_a_token_that_is_not_bound(issuing: Snapshot, trust: Trust) -> None:
    token = CORP.token()
    assert known(issuing, showing(token, proof(token), b"Bearer"), trust, NOW).credential.shown == THUMBPRINT
    with pytest.raises(Refusal) as caught:
        known(issuing, showing(token, b"nonsense", b"Bearer"), trust, NOW)
    assert caught.value.code == "invalid_proof"


# ---- certificates -------------------------------------------------------------------------------------------------

HOME = Certifier("home")
AGENT = "spiffe://example.org/ns/prod/helper"
HERE = SystemClock().now()


@pytest.fixture
def vouched(issuing: Snapshot) -> Snapshot:
    workloads = (Workload("/ns/prod", "research", "agent"),)
    authority = Vouching("example.org", "x509:example.org", (HOME.certificate,), workloads=workloads, models=("fast",))
    return replace(issuing, authorities={authority.url: authority}, proven=Memo(8))


def shown(pair: Pair, **headers: bytes) -> Inbound:
    fields = {name.encode(): value for name, value in headers.items()}
    return replace(post(b"", fields), headers=fields, certificates=(pair.der,))


def test_a_certificate_is_its_caller(vouched: Snapshot) -> None:
    pair = HOME.svid(AGENT)
    caller = known(vouched, shown(pair), now=HERE)
    assert (caller.id, caller.team, caller.kind, caller.assurance) == (AGENT, "research", "agent", 3)
    credential = caller.credential
    assert (credential.kind, credential.issuer, credential.models) == ("mtls", "example.org", ("fast",))
    assert credential.fences == ("tenant:default", "team:default/research", f"agent:default/{AGENT}")
    assert credential.expires == int(pair.certificate.not_valid_after_utc.timestamp())
    assert known(vouched, shown(pair), now=HERE) is caller  # verified once
    with pytest.raises(Refusal, match="expired"):
        known(vouched, shown(pair), now=HERE + 7200)


def test_a_certificate_is_judged_by_the_configuration_of_the_call(vouched: Snapshot) -> None:
    pair = HOME.svid(AGENT)
    caller = known(vouched, shown(pair), now=HERE)
    check(caller.credential, vouched, HERE)
    without = replace(vouched, authorities={}, proven=Memo(8))
    with pytest.raises(Refusal) as caught:
        check(caller.credential, without, HERE)
    assert caught.value.code == "unknown_issuer"
    with pytest.raises(Refusal) as caught:
        known(without, shown(pair), now=HERE)
    assert caught.value.code == "unacceptable_certificate"


def test_who_sends_a_token_is_not_its_certificate(vouched: Snapshot, trust: Trust) -> None:
    pair = HOME.svid(AGENT)
    now = HERE
    token = CORP.token(now)
    both = shown(pair, authorization=b"Bearer " + token)
    caller = known(vouched, both, trust, now)
    assert (caller.id, caller.assurance, caller.credential.kind) == ("corp/ada", 2, "oidc")
    with pytest.raises(Refusal) as caught:  # a token that does not hold is not made up for
        known(vouched, shown(pair, authorization=b"Bearer x"), trust, now)
    assert caught.value.code == "malformed_key"


def test_a_certificate_is_no_token(vouched: Snapshot, trust: Trust) -> None:
    pair = HOME.svid(AGENT)
    known(vouched, shown(pair), now=HERE)
    trust.generation = 0  # that of certificates
    with pytest.raises(Refusal) as caught:
        known(vouched, bearer(pair.der + b"."), trust, HERE)
    assert caught.value.status == 401
    with pytest.raises(Refusal) as caught:
        known(vouched, bearer(pair.der), trust, HERE)
    assert caught.value.status == 401


def test_no_proof_goes_with_a_certificate(vouched: Snapshot) -> None:
    with pytest.raises(Refusal) as caught:
        known(vouched, shown(HOME.svid(AGENT), dpop=b"x"), now=HERE)
    assert caught.value.code == "invalid_proof"


def test_headers_about_certificates_are_nobodys_proof(vouched: Snapshot, trust: Trust) -> None:
    pair = HOME.svid(AGENT)
    for forged in ({b"client-cert": binary(pair.der)}, {b"x-forwarded-client-cert": f"URI={AGENT}".encode()}):
        # with no certificate of its own, and with one: it could be a proxy that somebody forgot to pin
        for inbound in (replace(post(b""), headers=forged), replace(shown(pair), headers=forged)):
            assert denied(vouched, inbound) == "untrusted_proxy"
        named = {**forged, b"authorization": b"Bearer " + CORP.token(HERE)}
        assert known(vouched, replace(post(b""), headers=named), trust, HERE).id == "corp/ada"


def over(pair: Pair | None, bound_to: Pair | bytes, **headers: bytes) -> Inbound:
    """A token that is bound to one certificate, over a connection with another, the same, or none."""
    der = bound_to if isinstance(bound_to, bytes) else bound_to.der
    fields = {name.replace("_", "-").encode(): value for name, value in headers.items()}
    fields[b"authorization"] = b"Bearer " + CORP.token(HERE, cnf={"x5t#S256": thumbprint(der)})
    return replace(post(b"", fields), headers=fields, certificates=(pair.der,) if pair is not None else ())


def test_a_token_that_is_bound_to_a_certificate_comes_over_that_very_one(issuing: Snapshot, trust: Trust) -> None:
    own = STRANGER.svid("spiffe://elsewhere.example/a")  # nobody here vouches for it: the token's issuer does
    renewed = STRANGER.svid("spiffe://elsewhere.example/a")  # of the same key and name
    assert own.key is renewed.key
    caller = known(issuing, over(own, own), trust, HERE)
    assert (caller.id, caller.assurance, caller.credential.kind) == ("corp/ada", 2, "oidc")
    assert caller.credential.shown_certificate == caller.credential.bound_certificate == thumbprint(own.der)
    assert known(issuing, over(own, own), trust, HERE) == caller
    for inbound, expected in (
        (over(None, own), "certificate_required"),
        (over(renewed, own), "wrong_certificate"),
        (over(own, b"something"), "wrong_certificate"),
        (over(None, own, client_cert=binary(own.der)), "certificate_required"),  # anybody can write that
        (over(own, own, client_cert=binary(own.der)), "untrusted_proxy"),
        (over(late := STRANGER.svid(AGENT, ends=-HOUR), late), "expired_certificate"),
        (replace(over(own, b"no certificate"), certificates=(b"no certificate",)), "invalid_certificate"),
    ):
        with pytest.raises(Refusal) as caught:
            known(issuing, inbound, trust, HERE)
        assert (caught.value.code, caught.value.status) == (expected, 401)


def test_both_a_certificate_and_a_key_may_be_shown(issuing: Snapshot, trust: Trust) -> None:
    own = STRANGER.svid("spiffe://elsewhere.example/a")
    inbound = over(own, own, host=b"yett.example")
    token = inbound.headers[b"authorization"].removeprefix(b"Bearer ")
    inbound.headers[b"dpop"] = proof(token, iat=int(HERE))
    credential = known(issuing, inbound, trust, HERE).credential
    assert (credential.shown, credential.shown_certificate) == (THUMBPRINT, thumbprint(own.der))


# ---- certificates that a proxy passes on --------------------------------------------------------------------------


EDGE = "spiffe://example.org/edge/envoy"
PARTNER, CORPORATE, STRANGER = Certifier("partner"), Certifier("corporate"), Certifier("stranger")


def pinned(name: str = "edge", **fields: Any) -> Proxy:
    usual: dict[str, Any] = {
        "id": EDGE,
        "sort": "uri",
        "value": EDGE,
        "authority": "x509:example.org",
        "header": CLIENT_CERT,
        "authorities": frozenset(("x509:example.org", "ca:corporate")),
    }
    return Proxy(name, f"proxy:{name}", **{**usual, **fields})


@pytest.fixture
def edged(vouched: Snapshot) -> Snapshot:
    everywhere = (Workload("/", "research", "agent"),)
    clients = (Client("dns", "*.jobs.example", "research", "service"),)
    authorities = (
        vouched.authorities["x509:example.org"],
        Vouching("partner.example", "x509:partner.example", (PARTNER.certificate,), workloads=everywhere),
        Vouching("corporate", "ca:corporate", (CORPORATE.certificate,), clients=clients),
    )
    lone = pinned(
        "lone", id="corporate/dns:lb.example", sort="dns", value="lb.example", authority="ca:corporate", header=XFCC
    )
    return replace(
        vouched,
        authorities={each.url: each for each in authorities},
        proxies={each.url: each for each in (pinned(), lone)},
        proven=Memo(32),
    )


PROXY = HOME.svid(EDGE, ends=9 * HOUR)


def passed(pair: Pair | bytes, by: Pair = PROXY, **more: bytes) -> Inbound:
    value = pair if isinstance(pair, bytes) else binary(pair.der)
    fields = {b"client-cert": value, **{name.replace("_", "-").encode(): each for name, each in more.items()}}
    return replace(shown(by), headers=fields)


def denied(snapshot: Snapshot, inbound: Inbound, now: float = HERE) -> str:
    with pytest.raises(Refusal) as caught:
        known(snapshot, inbound, now=now)
    assert caught.value.status == 401
    return caught.value.code


def test_a_proxy_tells_whose_certificate_it_saw(edged: Snapshot) -> None:
    pair = HOME.svid(AGENT)
    caller = known(edged, passed(pair), now=HERE)
    assert (caller.id, caller.team, caller.kind, caller.assurance) == (AGENT, "research", "agent", 2)
    credential = caller.credential
    assert (credential.kind, credential.issuer, credential.through) == ("forwarded", "example.org", "edge")
    assert credential.origins == ("x509:example.org", "proxy:edge")
    assert credential.fences[-1] == f"service:default/{EDGE}"
    assert known(edged, passed(pair), now=HERE) is caller  # verified once
    assert denied(edged, passed(pair), HERE + 2 * HOUR) == "expired_certificate"
    check(credential, edged, HERE)
    with pytest.raises(Refusal) as caught:  # taken out of yett.toml
        check(credential, replace(edged, proxies={}), HERE)
    assert caught.value.code == "unknown_issuer"
    # shown to the gateway itself it proves more, and is decided on by itself
    direct = known(edged, shown(pair), now=HERE)
    assert (direct.id, direct.assurance) == (AGENT, 3)
    assert direct.like != caller.like


def test_a_proxy_that_is_known_by_another_name_than_a_spiffe_id(edged: Snapshot) -> None:
    lone, job = CORPORATE.host("lb.example"), CORPORATE.host("one.jobs.example")
    inbound = replace(shown(lone), headers={b"x-forwarded-client-cert": element(job, By="spiffe://else/where")})
    caller = known(edged, inbound, now=HERE)
    assert (caller.id, caller.credential.through) == ("corporate/dns:one.jobs.example", "lone")
    # the same name under another authority is another holder
    assert denied(edged, replace(inbound, certificates=(STRANGER.host("lb.example").der,))) == "untrusted_proxy"
    late = CORPORATE.issue("lb.example", [DNSName("lb.example")], ends=-HOUR)
    assert denied(edged, replace(inbound, certificates=(late.der,))) == "expired_certificate"


def test_each_request_of_a_proxy_is_somebody_elses(edged: Snapshot) -> None:
    one, two = HOME.svid(AGENT), HOME.svid(AGENT + "/two")
    inbounds = [passed(one), passed(two), passed(one)]
    assert [known(edged, inbound, now=HERE).id for inbound in inbounds] == [AGENT, AGENT + "/two", AGENT]
    # nor does what was proven for one request hold for the next, or for the proxy
    assert denied(edged, shown(PROXY)) == "missing_key"
    assert denied(edged, replace(shown(PROXY), headers={b"x-forwarded-client-cert": element(one)})) == "missing_key"
    # what a proxy has seen is not what another, or a caller, can show
    known(edged, shown(one), now=HERE)
    assert denied(edged, passed(two, by=one)) == "untrusted_proxy"


@pytest.mark.parametrize(
    ("inbound", "expected"),
    [
        (passed(HOME.svid(AGENT), by=HOME.svid(AGENT)), "untrusted_proxy"),  # another client of the same authority
        (passed(HOME.svid(AGENT), by=HOME.svid(EDGE + "/below")), "untrusted_proxy"),
        (passed(HOME.svid(AGENT), by=PARTNER.svid("spiffe://partner.example/edge/envoy")), "untrusted_proxy"),
        (passed(HOME.svid(AGENT), by=PARTNER.svid(EDGE)), "invalid_certificate"),  # for a name that is not its own
        (passed(HOME.svid(AGENT), by=HOME.svid(EDGE, AGENT)), "invalid_certificate"),
        (passed(HOME.svid(AGENT), by=HOME.svid(EDGE, ends=-HOUR)), "expired_certificate"),
        (passed(STRANGER.svid(AGENT)), "invalid_certificate"),
        (passed(PARTNER.svid("spiffe://partner.example/a")), "unacceptable_certificate"),  # none that it speaks for
        (passed(HOME.svid("spiffe://example.org/other")), "unacceptable_certificate"),
        (passed(HOME.svid(AGENT, ends=-HOUR)), "expired_certificate"),
        (passed(PROXY), "unacceptable_certificate"),  # a proxy behind a proxy
        (passed(binary(b"nothing")), "invalid_certificate"),
        (passed(binary(PROXY.der) + b", " + binary(HOME.svid(AGENT).der)), "malformed_forward"),
        (passed(HOME.svid(AGENT), dpop=b"x"), "invalid_proof"),
    ],
)  # fmt: skip
def test_nobody_else_is_told_of(edged: Snapshot, inbound: Inbound, expected: str) -> None:
    assert denied(edged, inbound) == expected
    assert denied(edged, inbound) == expected  # nothing of it is remembered as good


def test_a_connection_outlives_the_certificate_of_its_proxy(edged: Snapshot) -> None:
    inbound = passed(HOME.svid(AGENT, ends=9 * HOUR), by=HOME.svid(EDGE))
    known(edged, inbound, now=HERE)
    assert denied(edged, inbound, HERE + 2 * HOUR) == "expired_certificate"


def test_who_sends_a_token_through_a_proxy_is_its_holder(edged: Snapshot, trust: Trust) -> None:
    inbound = passed(HOME.svid(AGENT), authorization=b"Bearer " + CORP.token(HERE))
    caller = known(edged, inbound, trust, HERE)
    assert (caller.id, caller.credential.kind, caller.credential.through) == ("corp/ada", "oidc", "")


def test_a_proxy_tells_that_a_bound_token_came_over_its_certificate(edged: Snapshot, trust: Trust) -> None:
    own, other = HOME.svid(AGENT), HOME.svid(AGENT + "/two")

    def bound(pair: Pair, **headers: bytes) -> Inbound:
        return over(PROXY, pair, **headers)

    caller = known(edged, bound(own, client_cert=binary(own.der)), trust, HERE)
    assert (caller.id, caller.credential.shown_certificate) == ("corp/ada", thumbprint(own.der))
    assert (caller.credential.kind, caller.credential.through, caller.assurance) == ("oidc", "edge", 2)
    assert caller.credential.fences[-1] == f"service:default/{EDGE}"  # it is its word that is believed
    with pytest.raises(Refusal):
        check(caller.credential, replace(edged, proxies={}), HERE)
    direct = known(edged, over(own, own), trust, HERE).credential
    assert (direct.through, direct.fences[-1]) == ("", "user:default/corp/ada")
    away = PARTNER.svid("spiffe://partner.example/a")
    for inbound, expected in (
        (bound(own, client_cert=binary(other.der)), "wrong_certificate"),
        (bound(own), "certificate_required"),
        (bound(PROXY), "certificate_required"),  # the proxy's own stands for nobody
        (bound(PROXY, client_cert=binary(PROXY.der)), "unacceptable_certificate"),
        (bound(away, client_cert=binary(away.der)), "unacceptable_certificate"),  # of none that it speaks for
        (bound(own, client_cert=binary(own.der) + b", " + binary(own.der)), "malformed_forward"),
        (bound(own, x_forwarded_client_cert=element(own)), "certificate_required"),  # not what this proxy writes
        (over(other, own, client_cert=binary(own.der)), "untrusted_proxy"),
    ):
        with pytest.raises(Refusal) as caught:
            known(edged, inbound, trust, HERE)
        assert (caught.value.code, caught.value.status) == (expected, 401)


# ---- directories ----------------------------------------------------------------------------------------------------

RULES = Rules("entra", "default", "userName", (("ml", "research"),), (("unit", place_of("department")),))


def person(**more: Any) -> Person:
    return replace(Person("u1", "ada", active=True, team="research", labels=(("unit", "Engines"),)), **more)


def become(directory: Directory, *people: Person, removed: tuple[str, ...] = ()) -> None:
    directory.take(Changes(people, removed, (1, ""), 1, complete=True))


@pytest.fixture
def directory() -> Directory:
    made = Directory(RULES)
    become(made, person())
    return made


@pytest.fixture
def listing(issuing: Snapshot, directory: Directory) -> Snapshot:
    """Callers of `corp` have to be in a directory."""
    corp = replace(issuing.issuers["https://idp.example"], directory="entra")
    issuers = {**issuing.issuers, corp.url: corp}
    return with_directories(replace(issuing, issuers=issuers, rules={"entra": RULES}), [directory])


def test_a_user_of_a_directory_has_its_team_and_labels(listing: Snapshot, trust: Trust) -> None:
    caller = known(listing, bearer(CORP.token()), trust, NOW)
    assert (caller.id, caller.team) == ("corp/ada", "research")
    assert ("unit", "Engines") in caller.labels
    assert caller.credential.origins == ("https://idp.example", "directory:entra/u1/research")
    assert known(listing, bearer(CORP.token()), trust, NOW) is caller, "remembered"


def test_a_change_of_the_directory_ends_what_was_remembered(
    listing: Snapshot, trust: Trust, directory: Directory
) -> None:
    caller = known(listing, bearer(CORP.token()), trust, NOW)
    become(directory, person(labels=()))
    assert ("unit", "Engines") not in known(listing, bearer(CORP.token()), trust, NOW).labels
    check(caller.credential, listing, NOW)  # what has begun goes on: the team is the same
    for changed, expected in (
        ((person(active=False),), "deactivated_user"),
        ((person(team=""),), "not_provisioned"),
        ((person(match="eve"),), "not_provisioned"),
        ((person(), person(id="u2")), "not_provisioned"),  # nobody can say which of them it is
    ):
        become(directory, *changed)
        assert code(listing, trust, CORP.token()) == expected
    become(directory, person(), removed=("u2",))
    become(directory, person(team="sales"))
    with pytest.raises(Refusal) as caught:
        check(caller.credential, listing, NOW)
    assert caught.value.code == "not_provisioned"
    become(directory, removed=("u1",))
    assert code(listing, trust, CORP.token()) == "not_provisioned"


def test_a_directory_that_is_read_by_other_rules_is_waited_for(
    listing: Snapshot, trust: Trust, directory: Directory
) -> None:
    caller = known(listing, bearer(CORP.token()), trust, NOW)
    other = with_directories(replace(listing, rules={"entra": replace(RULES, teams=())}), [directory])
    for snapshot in (other, replace(other, proven=Memo(8))):
        assert code(snapshot, trust, CORP.token()) == "directory_unavailable"
    with pytest.raises(Refusal):
        check(caller.credential, other, NOW)


def test_a_token_that_names_nobody_in_the_directory(listing: Snapshot, trust: Trust) -> None:
    corp = replace(listing.issuers["https://idp.example"], directory_claim="oid")
    other = replace(listing, issuers={**listing.issuers, corp.url: corp})
    for claims in ({}, {"oid": ["ada", "eve"]}, {"oid": ""}, {"oid": "x" * 256}):
        assert code(other, trust, CORP.token(**claims)) == "unacceptable_token"
    assert known(other, bearer(CORP.token(oid="ADA")), trust, NOW).team == "research"
