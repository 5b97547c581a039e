"""Proofs that do not hold, each put to a real gateway: what its sender is told, what the journal has, and what neither of them says."""

from __future__ import annotations

import http.client
import json
import re
import socket
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from msgspec import Struct
from tests.certificates import Certifier, Pair, client
from tests.identity.test_dpop import HOLDER, PUBLIC, THUMBPRINT
from tests.identity.test_forwarded import binary, element
from tests.issuer_server import documents
from tests.issuing import Authority, b64
from tests.scenes.conftest import HEAD, provider_toml, simulated
from tests.scenes.harness import Gateway, arrived, free_ports, models_toml, request_body, until

from yett.cli.system import SystemClock
from yett.config.virtual_key import mint
from yett.identity import dpop
from yett.identity.x509 import thumbprint
from yett.simulator.server import Simulator

CORP, MESH = Authority("https://idp.example"), Authority("https://spire.example")
FOREIGN = Authority("https://idp.example", "k9")  # says that it is CORP
AWAY, WEAK = Authority("https://away.example"), Authority("https://weak.example", algorithm="RS256")
HOME, PARTNER, STRANGER = Certifier("home"), Certifier("partner"), Certifier("stranger")
AGENT, EDGE = "spiffe://example.org/ns/agent", "spiffe://example.org/edge/envoy"
SVID, PROXY, GATE = HOME.svid(AGENT), HOME.svid(EDGE), HOME.host("localhost")
XFCC = "x-forwarded-client-cert"
SETTINGS = """
[gateway.tls]
certificate_file = "cert.pem"
private_key = "file:key.pem"
clients = "optional"

[identity.tasks]
issuer = "https://yett.example"
max_depth = 2

[identity.issuers.corp]
issuer = "https://idp.example"
jwks_url = "http://127.0.0.1:{keys}/jwks"
audiences = ["yett"]
algorithms = ["Ed25519"]
team = "research"
require = { sub = ["ada"] }

[identity.issuers.weak]
issuer = "https://weak.example"
jwks_file = "weak.json"
audiences = ["yett"]
team = "research"

[identity.issuers.away]
issuer = "https://away.example"
jwks_url = "http://127.0.0.1:{closed}/jwks"
audiences = ["yett"]
algorithms = ["Ed25519"]
team = "research"

[identity.trust_domains."example.org"]
bundle_file = "mesh.json"
x509_bundle_file = "home.pem"
audiences = ["yett"]
algorithms = ["Ed25519"]
workloads = [{ path = "/ns", team = "research", kind = "agent" }]

[identity.trust_domains."partner.example"]
x509_bundle_file = "partner.pem"
workloads = [{ path = "/", team = "research" }]

[identity.proxies.edge]
spiffe_id = "spiffe://example.org/edge/envoy"
trust_domains = ["example.org"]

[identity.proxies.mesh]
spiffe_id = "spiffe://example.org/edge/mesh"
header = "x-forwarded-client-cert"
trust_domains = ["example.org"]
"""


class Told(Struct, frozen=True):
    """One answer."""

    status: int
    code: str
    challenges: tuple[str, ...]
    body: bytes
    call: str


class Port:
    """A caller's connection, which is kept."""

    def __init__(self, gateway: Gateway, own: Pair | None = None) -> None:
        plain = socket.create_connection(("127.0.0.1", gateway.port), 20)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._line = http.client.HTTPConnection("localhost")
        self._line.sock = client(HOME, own).wrap_socket(plain, server_hostname="localhost")

    def close(self) -> None:
        self._line.close()

    def ask(self, body: bytes, path: str, method: str, headers: list[tuple[str, str]]) -> Told:
        self._line.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        for name, value in (("host", "localhost"), ("content-length", str(len(body))), *headers):
            self._line.putheader(name, value)
        self._line.endheaders(body)
        answer = self._line.getresponse()
        raw = answer.read()
        found = json.loads(raw)
        error = found.get("error")
        code = error["code"] if isinstance(error, dict) else found.get("yett", {}).get("code", "")
        challenges = tuple(value for name, value in answer.getheaders() if name == "www-authenticate")
        return Told(answer.status, code, challenges, raw, dict(answer.getheaders())["x-yett-request-id"])


class World:
    """A gateway, and connections to it: one for each certificate."""

    def __init__(self, gateway: Gateway, asked: list[str]) -> None:
        self.gateway = gateway
        self.asked = asked  # of CORP's keys
        self.sent: set[str] = set()  # whatever nobody may repeat
        self._ports: dict[str, Port] = {}

    def send(
        self,
        *headers: tuple[str, str],
        own: Pair | None = None,
        path: str = "/v1/chat/completions",
        body: bytes = b"",
    ) -> Told:
        name = "" if own is None else str(own.certificate.serial_number)
        if name not in self._ports:
            self._ports[name] = Port(self.gateway, own)
        for _, value in headers:
            self.sent.update(word for word in re.split(r"[\s.,;:\"]", value) if len(word) > 30)
        method = "GET" if path == "/v1/models" else "POST"
        sent = body or (request_body("plain", "Hello") if path == "/v1/chat/completions" else b"")
        return self._ports[name].ask(sent, path, method, list(headers))

    def hang_up(self) -> None:
        for port in self._ports.values():
            port.close()

    def exchange(self, token: str, subject: str = "", own: Pair | None = None, **fields: str) -> Told:
        form = {
            "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
            "subject_token": subject or token,
            "subject_token_type": "urn:ietf:params:oauth:token-type:access_token",
            **fields,
        }
        headers = (bearer(token),) if token else ()
        return self.send(*headers, own=own, path="/oauth/token", body=urlencode(form).encode())


@pytest.fixture(scope="module")
def world(provider: Simulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("refused")
    with documents({"/jwks": CORP.document()}) as idp:
        settings = SETTINGS.replace("{keys}", str(idp.port)).replace("{closed}", str(free_ports(1)[0]))
        gateway = Gateway(
            folder, HEAD + settings + provider_toml(provider, "cloud") + models_toml(simulated({"plain": ""}))
        )
        for name, content in {
            "cert.pem": GATE.pem,
            "key.pem": GATE.key_pem,
            "home.pem": HOME.pem,
            "partner.pem": PARTNER.pem,
            "mesh.json": MESH.document(),
            "weak.json": WEAK.document(),
        }.items():
            (folder / name).write_bytes(content)
        gateway.start()
        until(lambda: idp.asked, what="the issuer's keys")
        made = World(gateway, idp.asked)
        yield made
        made.hang_up()
        gateway.close()
        gateway.verified()


def now() -> float:
    return SystemClock.now()


def bearer(token: bytes | str) -> tuple[str, str]:
    return "authorization", f"Bearer {token if isinstance(token, str) else token.decode()}"


def corp(**claims: Any) -> bytes:
    return CORP.token(now(), **claims)


def signed(authority: Authority = CORP, claims: dict[str, Any] | bytes | None = None, **header: Any) -> bytes:
    return authority.sign(CORP.claims(now()) if claims is None else claims, **header)


def svid(sub: str, authority: Authority = MESH) -> bytes:
    at = int(now())
    return authority.sign({"sub": sub, "aud": ["yett"], "iat": at, "exp": at + 300}, typ="JWT")


def unsigned(algorithm: str) -> bytes:
    return b64({"alg": algorithm, "typ": "at+jwt"}) + b"." + b64(CORP.claims(now())) + b"."


def possession(token: bytes, jti: str, **claims: Any) -> tuple[str, str]:
    usual = {
        "jti": jti,
        "htm": "POST",
        "htu": "https://localhost/v1/chat/completions",
        "iat": int(now()),
        "ath": dpop.hashed(token).decode(),
    }
    return "dpop", HOLDER.sign({**usual, **claims}, typ="dpop+jwt", jwk=PUBLIC, kid=None).decode()


def bound() -> bytes:
    return corp(cnf={"jkt": THUMBPRINT})


def tied(pair: Pair = SVID) -> bytes:
    return corp(cnf={"x5t#S256": thumbprint(pair.der)})


def held(token: bytes) -> tuple[str, str]:
    return "authorization", f"DPoP {token.decode()}"


def cert(pair: Pair) -> tuple[str, str]:
    return "client-cert", binary(pair.der).decode()


def envoy(pair: Pair, **fields: str | None) -> tuple[str, str]:
    return XFCC, element(pair, **{"By": "spiffe://example.org/edge/mesh", **fields}).decode()


# What is sent, beside with which certificate; and what is answered. Made when it is sent: tokens are about the present.
Sent = Callable[[], tuple[tuple[str, str], ...]]
TOKENS: dict[str, tuple[Sent, str]] = {
    "expired": (lambda: (bearer(corp(exp=now() - 31)),), "expired_token"),
    "not-yet-valid": (lambda: (bearer(corp(nbf=now() + 60)),), "token_not_yet_valid"),
    "of-tomorrow": (lambda: (bearer(corp(iat=now() + 31.5, exp=now() + 300)),), "token_not_yet_valid"),  # a clock that is ahead
    "good-for-years": (lambda: (bearer(corp(exp=now() + 2**28)),), "unacceptable_token"),
    "wrong-audience": (lambda: (bearer(corp(aud="https://other.example")),), "wrong_audience"),
    "no-audience": (lambda: (bearer(corp(aud=None)),), "wrong_audience"),
    "wrong-issuer": (lambda: (bearer(corp(iss="https://idp.example/")),), "unknown_issuer"),
    "nobodys": (lambda: (bearer(corp(iss="https://evil.example")),), "unknown_issuer"),
    "wrong-claim": (lambda: (bearer(corp(sub="eve")),), "unacceptable_token"),
    "wrong-type": (lambda: (bearer(signed(typ="secevent+jwt")),), "unacceptable_token"),
    "alg-none": (lambda: (bearer(unsigned("none")),), "algorithm_refused"),
    "alg-none-in-capitals": (lambda: (bearer(unsigned("NONE")),), "algorithm_refused"),
    "alg-confused": (lambda: (bearer(signed(alg="HS256")),), "algorithm_refused"),  # with a public key as its secret
    "alg-of-another": (lambda: (bearer(signed(WEAK, WEAK.claims(now()), alg="PS256")),), "algorithm_refused"),
    "key-in-the-header": (lambda: (bearer(signed(FOREIGN, jwk=FOREIGN.jwk("k9"), kid=None)),), "invalid_signature"),
    "key-elsewhere": (lambda: (bearer(signed(FOREIGN, jku="https://evil.example/jwks", kid="k1")),), "invalid_signature"),
    "forged": (lambda: (bearer(signed(FOREIGN, kid="k1")),), "invalid_signature"),
    "unknown-key": (lambda: (bearer(signed(FOREIGN)),), "unknown_signing_key"),
    "changed": (lambda: (bearer(corp()[:-4] + b"AAAA"),), "invalid_signature"),
    "extended": (lambda: (bearer(signed(crit=["b64"], b64=False)),), "malformed_token"),
    "encrypted": (lambda: (bearer(b".".join([b64(b"x" * 40)] * 5)),), "malformed_token"),
    "giant": (lambda: (bearer(corp(groups=["g" * 50] * 150)),), "token_too_large"),
    "deeply-nested": (lambda: (bearer(b64({"alg": "Ed25519"}) + b"." + b64(b"[" * 5000) + b".AA"),), "malformed_token"),
    "said-twice": (
        lambda: (bearer(signed(CORP, json.dumps(CORP.claims(now()))[:-1].encode() + b',"sub":"ada"}')),), "malformed_token",
    ),
    "another-trust-domain": (lambda: (bearer(svid("spiffe://partner.example/a")),), "unknown_issuer"),
    "its-key-for-another": (lambda: (bearer(svid(AGENT, CORP)),), "invalid_signature"),
    "another-workload": (lambda: (bearer(svid("spiffe://example.org/other")),), "unacceptable_token"),
    "bound-and-bare": (lambda: (bearer(bound()),), "proof_required"),
    "bound-otherwise": (lambda: (bearer(corp(cnf={"x5t": "x"})),), "unacceptable_token"),
    "bound-twice": (lambda: (bearer(corp(cnf={"jkt": THUMBPRINT, "x5t#S256": "x"})),), "unacceptable_token"),
    "bound-to-a-certificate": (lambda: (bearer(tied()),), "certificate_required"),
    "bound-to-one-that-anybody-writes": (lambda: (bearer(tied()), cert(SVID)), "certificate_required"),
    "proof-of-another-key": (lambda: (held(t := corp(cnf={"jkt": "x" * 43})), possession(t, "j1")), "invalid_proof"),
    "proof-of-another-minute": (lambda: (held(t := bound()), possession(t, "j2", iat=now() - 61)), "invalid_proof"),
    "proof-for-another-place": (lambda: (held(t := bound()), possession(t, "j3", htu="https://x/")), "invalid_proof"),
    "proof-for-another-token": (lambda: (held(bound()), possession(b"a.b.c", "j4")), "invalid_proof"),
    "issuer-away": (lambda: (bearer(AWAY.token(now())),), "issuer_unavailable"),
    "nothing": (lambda: (), "missing_key"),
    "no-key": (lambda: (bearer("sk-of-a-provider-1234567890"),), "malformed_key"),
    "nobodys-key": (lambda: (bearer(mint(b"n" * 32)),), "invalid_key"),
    "two-credentials": (lambda: (bearer(corp()), bearer(corp(jti="t2"))), "malformed_token"),
}  # fmt: skip
CERTIFICATES: dict[str, tuple[Pair | None, Sent, str]] = {
    "vouching-for-another-domain": (PARTNER.svid(AGENT), lambda: (), "invalid_certificate"),
    "of-no-workload": (HOME.svid("spiffe://example.org/other"), lambda: (), "unacceptable_certificate"),
    "two-ids": (HOME.svid(AGENT, AGENT + "/b"), lambda: (), "invalid_certificate"),
    "forged-by-anybody": (None, lambda: (cert(SVID),), "untrusted_proxy"),
    "forged-by-anybody-as-envoy": (None, lambda: (envoy(SVID),), "untrusted_proxy"),
    "forged-by-another-caller": (HOME.svid(AGENT + "/b"), lambda: (cert(SVID),), "untrusted_proxy"),
    "forged-by-another-domains-proxy": (PARTNER.svid("spiffe://partner.example/edge/envoy"), lambda: (cert(SVID),), "untrusted_proxy"),
    "forged-by-a-proxys-namesake": (PARTNER.svid(EDGE), lambda: (cert(SVID),), "invalid_certificate"),
    "twice": (PROXY, lambda: (cert(SVID), cert(SVID)), "malformed_forward"),
    "in-the-wrong-field": (PROXY, lambda: (envoy(SVID),), "missing_key"),
    "of-a-stranger": (PROXY, lambda: (cert(STRANGER.svid(AGENT)),), "invalid_certificate"),
    "of-a-domain-it-does-not-speak-for": (PROXY, lambda: (cert(PARTNER.svid("spiffe://partner.example/a")),), "unacceptable_certificate"),
    "expired-behind-a-proxy": (PROXY, lambda: (cert(HOME.svid(AGENT, ends=-5)),), "expired_certificate"),
    "a-proxy-behind-a-proxy": (PROXY, lambda: (cert(PROXY),), "unacceptable_certificate"),
    "a-proxy-for-itself": (PROXY, lambda: (), "missing_key"),
    "envoy-twice": (HOME.svid("spiffe://example.org/edge/mesh"), lambda: (envoy(SVID), envoy(SVID)), "malformed_forward"),
    "envoy-appends": (
        HOME.svid("spiffe://example.org/edge/mesh"), lambda: ((XFCC, f"{envoy(SVID)[1]},{envoy(SVID)[1]}"),), "malformed_forward",
    ),
    "envoy-passes-on": (HOME.svid("spiffe://example.org/edge/mesh"), lambda: (envoy(SVID, By=EDGE),), "malformed_forward"),
    "bound-to-another": (HOME.svid(AGENT + "/b"), lambda: (bearer(tied()),), "wrong_certificate"),
    "bound-to-that-of-the-same-key": (HOME.svid(AGENT), lambda: (bearer(tied()),), "wrong_certificate"),
    "bound-to-one-that-another-passes-on": (HOME.svid(AGENT + "/b"), lambda: (bearer(tied()), cert(SVID)), "untrusted_proxy"),
    "bound-to-none-that-its-proxy-tells-of": (PROXY, lambda: (bearer(tied()),), "certificate_required"),
    "bound-to-its-proxys": (PROXY, lambda: (bearer(tied(PROXY)),), "certificate_required"),
    "bound-to-another-behind-its-proxy": (PROXY, lambda: (bearer(tied()), cert(HOME.svid(AGENT))), "wrong_certificate"),
    "bound-to-two-behind-its-proxy": (PROXY, lambda: (bearer(tied()), cert(SVID), cert(SVID)), "malformed_forward"),
    "proof-beside-a-certificate": (SVID, lambda: (possession(b"", "j5"),), "invalid_proof"),
}  # fmt: skip
UNASKED = {
    "missing_key", "invalid_certificate", "unacceptable_certificate", "expired_certificate", "untrusted_proxy", "malformed_forward",
}  # fmt: skip
PROOFS = {
    "proof_required": "invalid_token",
    "invalid_proof": "invalid_dpop_proof",
    "replayed_proof": "invalid_dpop_proof",
}


def check(world: World, told: Told, code: str) -> None:
    """The answer, its challenge, and the record."""
    assert told.code == code, told.body
    assert told.status == (503 if code == "issuer_unavailable" else 401)
    if told.status == 503:
        assert told.challenges == ()
    elif code in UNASKED:
        assert [each.partition(" ")[0] for each in told.challenges] == ["Bearer", "DPoP"]
        assert "error" not in "".join(told.challenges)
    elif code in PROOFS:
        (challenge,) = told.challenges
        assert challenge.startswith(f'DPoP realm="yett", error="{PROOFS[code]}", error_description="')
        assert 'algs="' in challenge
    else:
        (challenge,) = told.challenges
        assert challenge.startswith('Bearer realm="yett", error="invalid_token", error_description="')
    whole = told.body.decode() + "".join(told.challenges)
    assert [word for word in world.sent if word in whole] == []
    record = world.gateway.outcome(told.call)
    assert (record["code"], record["status"]) == (code, told.status)
    assert record["outcome"] == ("failed" if code == "issuer_unavailable" else "refused")
    assert not record.get("caller")
    assert "proof" not in record


@pytest.mark.parametrize("name", TOKENS)
def test_a_token_that_does_not_hold(world: World, name: str) -> None:
    made, code = TOKENS[name]
    for path in ("/v1/chat/completions", "/v1/models", "/oauth/token"):
        sent = made()
        told = world.send(*sent, path=path)
        if code == "invalid_proof" or path == "/v1/chat/completions":
            check(world, told, code)
        else:
            assert (told.code, told.status, bool(told.challenges)) == (
                code,
                *((503, False) if told.status == 503 else (401, True)),
            )


@pytest.mark.parametrize("name", CERTIFICATES)
def test_a_certificate_that_does_not_hold(world: World, name: str) -> None:
    own, made, code = CERTIFICATES[name]
    check(world, world.send(*made(), own=own), code)


def test_a_token_is_good_over_the_certificate_that_it_is_bound_to(world: World) -> None:
    assert world.send(bearer(tied()), own=SVID).status == 200
    assert world.send(bearer(tied()), cert(SVID), own=PROXY).status == 200


def test_a_task_token_is_good_over_the_certificate_that_it_was_asked_for_over(world: World) -> None:
    told = world.exchange("", corp(jti="tied").decode(), own=SVID)
    token = json.loads(told.body)["access_token"]
    assert world.send(bearer(token), own=SVID).status == 200
    check(world, world.send(bearer(token), own=HOME.svid(AGENT)), "wrong_certificate")  # renewed
    check(world, world.send(bearer(token)), "certificate_required")  # stolen
    check(world, world.send(bearer(token), cert(SVID)), "certificate_required")


def test_clocks_may_differ_by_half_a_minute(world: World) -> None:
    assert world.send(bearer(corp(iat=now() + 20, nbf=now() + 20, exp=now() + 300))).status == 200
    assert world.send(bearer(corp(iat=now() - 300, exp=now() - 20))).status == 200


def test_a_storm_of_unknown_keys_reaches_the_issuer_at_most_once(world: World) -> None:
    before = len(world.asked)
    for number in range(60):
        assert world.send(bearer(signed(kid=f"storm-{number}"))).code == "unknown_signing_key"
    assert len(world.asked) - before <= 1
    assert world.send(bearer(corp())).status == 200  # and everybody else is served


def test_a_proof_of_possession_is_good_once(world: World) -> None:
    token = bound()
    proof = possession(token, "once")
    assert world.send(held(token), proof).status == 200
    check_replay = world.send(held(token), proof)
    assert (check_replay.status, check_replay.code) == (401, "replayed_proof")
    assert 'error="invalid_dpop_proof"' in check_replay.challenges[0]
    record = world.gateway.outcome(check_replay.call)
    assert (record["outcome"], record["code"]) == ("refused", "replayed_proof")


def test_tasks_are_not_handed_on_for_ever(world: World) -> None:
    token = corp().decode()
    for _ in range(3):
        told = world.exchange(token)
        assert told.status == 200, told.body
        token = json.loads(told.body)["access_token"]
        world.sent.add(token.rpartition(".")[2])
    told = world.exchange(token)
    assert (told.status, told.code) == (403, "delegation_too_deep")
    assert world.gateway.outcome(told.call)["code"] == "delegation_too_deep"
    actor = world.exchange(corp().decode(), actor_token=token, actor_token_type="x")
    assert (actor.status, actor.code) == (400, "invalid_request")  # nobody says for whom else he acts


def test_each_request_on_a_proxys_connection_is_of_whom_it_names(world: World) -> None:
    one, two = SVID, HOME.svid(AGENT + "/two")
    for pair, id in ((one, AGENT), (two, AGENT + "/two"), (one, AGENT)):
        told = world.send(cert(pair), own=PROXY)
        assert told.status == 200, told.body
        record = world.gateway.outcome(told.call)
        assert record["caller"] == id
        proof = record["proof"]
        assert (proof["credential"], proof["assurance"], proof["through"]) == ("forwarded", 2, "edge")
    assert world.send(own=PROXY).code == "missing_key"  # what was shown before is over
    told = world.send(own=SVID)  # the same certificate on a connection of its own proves more
    assert world.gateway.outcome(told.call)["proof"]["assurance"] == 3


def test_nothing_that_names_a_caller_reaches_a_provider(world: World, provider: Simulator) -> None:
    named = (
        "forwarded",
        "x-forwarded-for",
        "x-forwarded-user",
        "x-yett-caller",
        "x-yett-task",
        "x-remote-user",
        "via",
        "cookie",
        "dpop",
    )
    headers = [cert(SVID), envoy(SVID), *[(name, "somebody") for name in named if name != "dpop"]]
    sent = world.send(*headers, own=PROXY, body=request_body("plain", "through a proxy"))
    assert sent.status == 200, sent.body
    token = bound()
    sent = world.send(held(token), possession(token, "up"), *headers, body=request_body("plain", "from anybody"))
    assert sent.status == 200, sent.body
    for text in ("through a proxy", "from anybody"):
        request = arrived(provider, text).request
        found = {name.lower() for name, _ in request.headers}
        assert found <= {
            "host",
            "authorization",
            "content-type",
            "content-length",
            "accept",
            "accept-encoding",
            "user-agent",
        }
        assert request.bearer == "sk-provider-0001"
        whole = " ".join(value for _, value in request.headers)
        assert [word for word in (*world.sent, "somebody") if word in whole] == []


def test_neither_journal_nor_log_has_what_was_sent(world: World) -> None:
    for headers in ((bearer(corp()),), (bearer(signed(FOREIGN)),), (cert(SVID),)):
        world.send(*headers, own=PROXY)
    kept = b"".join(path.read_bytes() for path in sorted(world.gateway.audit.rglob("*")) if path.is_file())
    assert world.sent
    assert [word for word in world.sent if word.encode() in kept or word in world.gateway.log] == []
