"""Callers by a certificate: of the connection, or passed on by a proxy that is known."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.x509 import DNSName
from msgspec.structs import replace
from tests.certificates import HOUR, Certifier, Pair
from tests.identity.test_dpop import THUMBPRINT, proof
from tests.identity.test_forwarded import binary, element
from tests.scene import Trust, post
from tests.stages.callers import CORP, bearer, known

from yett.cli.system import SystemClock
from yett.config.snapshot import Snapshot
from yett.errors import Refusal
from yett.identity.forwarded import CLIENT_CERT, XFCC
from yett.identity.issuer import Workload
from yett.identity.proxies import Proxy
from yett.identity.x509 import Authority as Vouching
from yett.identity.x509 import Client, thumbprint
from yett.model.call import Inbound
from yett.policy.memo import Memo
from yett.stages.identify import check

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
