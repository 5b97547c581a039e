"""A token exchange from form to token, and what the token is then good for, on the real pipeline."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from msgspec.structs import replace
from tests.certificates import Certifier, Pair
from tests.identity.test_dpop import proof
from tests.identity.test_forwarded import binary
from tests.issuing import Authority
from tests.scene import CONFIGURATION, NOW, Reply, Scene, chat, get, key, post

from yett.config.snapshot import with_fences
from yett.identity import jws
from yett.identity.exchange import GRANT
from yett.identity.x509 import thumbprint
from yett.model.call import Inbound
from yett.model.fence import Fence
from yett.model.key import Limits
from yett.model.record import Proof
from yett.stages.exchange import LONGEST_PURPOSE, MOST_SCOPES
from yett.stages.understand import SURFACES

TYPE = "urn:ietf:params:oauth:token-type:access_token"
CORP = Authority()
TASKS = """
[identity.tasks]
issuer = "https://yett.example"

[identity.issuers.corp]
issuer = "https://idp.example"
audiences = ["yett"]
algorithms = ["Ed25519"]
team = "research"
"""


@pytest.fixture
def scene(tmp_path: Path) -> Any:
    limited = key(limits=Limits(rpm=3))
    with Scene(tmp_path / "scene", configuration=CONFIGURATION + TASKS, keys={"limited": limited}) as scene:
        scene.trust.known["corp"] = jws.read_keys(CORP.document())
        yield scene


def form(subject: str, **fields: str) -> Inbound:
    usual = {"grant_type": GRANT, "subject_token": subject, "subject_token_type": TYPE}
    body = urlencode({name: value for name, value in {**usual, **fields}.items() if value is not None})
    return replace(post(body.encode()), path="/oauth/token")


def bearing(inbound: Inbound, token: str) -> Inbound:
    return replace(inbound, headers={b"authorization": b"Bearer " + token.encode()})


async def exchanged(scene: Scene, subject: str, actor: str = "", **fields: str) -> str:
    reply = await scene.call(bearing(form(subject, **fields), actor or subject))
    assert reply.status == 200, reply.body
    assert (reply.headers["cache-control"], reply.json["token_type"]) == ("no-store", "Bearer")
    return str(reply.json["access_token"])


def claims(token: str) -> dict[str, Any]:
    return dict(jws.take_apart(token.encode()).claims)


async def test_a_key_becomes_a_task(scene: Scene) -> None:
    ada = scene.secrets["ada"]
    token = await exchanged(scene, ada, scope="m:fast", purpose="report", expires_in="60", budget="0.5usd")
    found = claims(token)
    assert (found["sub"], found["scope"], found["tctx"], found["exp"]) == (
        "key_ada",
        "m:fast",
        {"purpose": "report"},
        NOW + 60,
    )
    issued = scene.outcome()
    assert (issued.action, issued.caller) == ("ExchangeToken", "key_ada")
    assert issued.notes == (f"issued {found['jti']} for key_ada, task {found['txn']}, depth 0",)
    journal = b"".join(path.read_bytes() for path in (scene.folder / "audit").rglob("*.jsonl"))
    assert ada.encode() not in journal
    assert token.encode() not in journal
    reply = await scene.call(bearing(chat("hello"), token))
    assert reply.status == 200
    record = scene.outcome(reply)
    assert (record.caller, record.team) == ("key_ada", "research")
    assert record.proof == Proof("task", "service", 0, "https://yett.example", found["jti"], found["txn"])
    elsewhere = replace(
        bearing(chat("hello"), token), headers={**bearing(chat(), token).headers, b"x-yett-task": b"other"}
    )
    again = await scene.call(elsewhere)
    assert again.headers["x-yett-task"] == reply.headers["x-yett-task"]  # the token says which task it is
    assert (await scene.call(bearing(chat("hello", model="free"), token))).code == "policy_denied"
    scene.clock.time += 61
    assert (await scene.call(bearing(chat("hello"), token))).code == "expired_token"


def spoil(scene: Scene) -> None:
    """What lives cannot be written down any more."""
    scene.gate.allowance.close()  # type: ignore[attr-defined]
    (scene.folder / "tokens.live").unlink()
    (scene.folder / "tokens.live").mkdir()


async def test_tokens_with_a_budget_are_bounded_for_who_really_asks(tmp_path: Path) -> None:
    text = CONFIGURATION + TASKS.replace("[identity.issuers", "max_live = 2\n\n[identity.issuers", 1)
    with Scene(tmp_path / "scene", configuration=text, keys={"acme": key(tenant="acme"), "bob": key()}) as scene:
        scene.trust.known["corp"] = jws.read_keys(CORP.document())
        ada, bob, person = scene.secrets["ada"], scene.secrets["bob"], CORP.token().decode()
        first = await exchanged(scene, ada, budget="0.5usd", expires_in="60")
        scene.clock.time += 30
        await exchanged(scene, first, budget="0.1usd", expires_in="60")
        refused = await scene.call(bearing(form(ada, budget="0.5usd"), ada))
        assert (refused.code, refused.headers["retry-after"]) == ("task_tokens_exceeded", str(60 - 30 + 660))
        await exchanged(scene, ada)  # without a budget it takes up nothing
        await exchanged(scene, scene.secrets["acme"], budget="0.5usd")
        # who acts for somebody asks on its own account, with that token as well, and not on the subject's
        acting = await exchanged(scene, person, bob, budget="0.5usd")
        await exchanged(scene, acting, budget="0.1usd")
        assert (await scene.call(bearing(form(acting, budget="0.1usd"), acting))).code == "task_tokens_exceeded"
        await exchanged(scene, person, budget="0.5usd")
        scene.clock.time += 690
        await exchanged(scene, ada, budget="0.5usd")
        spoil(scene)
        assert (await scene.call(bearing(form(ada, budget="0.5usd"), ada))).code == "internal_error"


async def test_an_agent_acts_for_a_person(scene: Scene) -> None:
    person = CORP.token().decode()
    token = await exchanged(scene, person, scene.secrets["ada"])
    assert (claims(token)["sub"], claims(token)["act"]) == ("corp/ada", {"sub": "key_ada"})
    reply = await scene.call(bearing(chat("hello"), token))
    proof = scene.outcome(reply).proof
    assert proof is not None
    assert (proof.kind, proof.assurance, proof.actors) == ("user", 0, ("key_ada",))


async def test_only_whom_the_subjects_token_names_may_act(scene: Scene) -> None:
    bob = CORP.token(sub="bob", jti="t2").decode()
    ada = CORP.token(may_act={"sub": "bob"}).decode()
    assert claims(await exchanged(scene, ada, bob))["act"] == {"sub": "corp/bob"}
    for handed_on in (ada, await exchanged(scene, ada), await exchanged(scene, ada, bob)):
        reply = await scene.call(bearing(form(handed_on), scene.secrets["ada"]))
        assert (reply.status, reply.code, reply.json["error"]) == (403, "delegation_refused", "invalid_grant")
    assert (await scene.call(bearing(chat("hello"), ada))).status == 200  # by itself it is as good as any


async def test_it_ends_with_what_it_was_exchanged_for(scene: Scene) -> None:
    token = await exchanged(scene, CORP.token().decode(), scene.secrets["ada"])
    snapshot = scene.live.current
    assert (await scene.call(bearing(chat("hello"), token))).status == 200
    for name in (
        "team:default/research",
        "key:key_ada",
        "user:default/corp/ada",
        f"task:default/{claims(token)['txn']}",
    ):
        scene.live.current = with_fences(snapshot, (Fence(name, 1, int(NOW)),))
        assert (await scene.call(bearing(chat("hello"), token))).code == "fenced"
    scene.live.current = replace(snapshot, issuers={url: i for url, i in snapshot.issuers.items() if i.name == "yett"})
    assert (await scene.call(bearing(chat("hello"), token))).code == "unknown_issuer"
    scene.live.current = snapshot
    scene.issue("ada", key(revoked=1))
    assert (await scene.call(bearing(chat("hello"), token))).code == "revoked_key"


async def test_limits_of_the_key_go_on_counting(scene: Scene) -> None:
    token = await exchanged(scene, scene.secrets["limited"])
    assert [(await scene.call(bearing(chat("hello"), token))).status for _ in range(3)] == [200, 200, 429]
    assert (await scene.call(chat("hello"), "limited")).status == 429


async def test_a_budget_holds_for_all_that_follows_from_it(scene: Scene) -> None:
    first = await exchanged(scene, scene.secrets["ada"], budget="0.009usd")
    second = await exchanged(scene, first)
    assert (await scene.call(bearing(chat("hello"), second))).status == 200
    assert (await scene.call(bearing(chat("hello", max_tokens=5000), second))).code == "budget_exceeded"
    assert (await scene.call(bearing(chat("hello", max_tokens=5000), first))).code == "budget_exceeded"
    assert (await scene.call(chat("hello", max_tokens=5000))).status == 200


async def test_a_token_whose_team_is_gone(scene: Scene) -> None:
    token = await exchanged(scene, scene.secrets["ada"])
    scene.live.current = replace(scene.live.current, teams={})
    assert (await scene.call(bearing(chat("hello"), token))).code == "unacceptable_token"


async def test_policy_decides_who_may_exchange(tmp_path: Path) -> None:
    policies = '@id("all-but") permit (principal, action, resource) unless { action == Action::"ExchangeToken" };'
    with Scene(tmp_path / "scene", configuration=CONFIGURATION + TASKS, policies=policies) as scene:
        reply = await scene.call(form(scene.secrets["ada"]))
        assert (reply.status, reply.code, reply.json["error"]) == (403, "policy_denied", "access_denied")


async def test_where_no_tokens_are_issued(tmp_path: Path) -> None:
    with Scene(tmp_path / "scene") as scene:
        reply: Reply = await scene.call(form(scene.secrets["ada"]))
        assert (reply.status, reply.code) == (404, "exchange_unavailable")


WELL_KNOWN = "/.well-known/oauth-authorization-server"


async def test_whoever_asks_learns_what_verifies_a_token(scene: Scene) -> None:
    token = jws.take_apart((await exchanged(scene, scene.secrets["ada"])).encode())
    reply = await scene.call(get("/.well-known/jwks.json"), "")
    assert (reply.status, reply.headers["cache-control"]) == (200, "public, max-age=300")
    jws.verify(token, "Ed25519", jws.read_keys(reply.body))
    record = scene.outcome(reply)
    assert (record.surface, record.outcome, record.caller) == ("oauth_keys", "ok", "")
    assert (await scene.call(replace(get("/.well-known/jwks.json"), method="HEAD"), "")).status == 200
    reply = await scene.call(get(WELL_KNOWN), "")
    assert (reply.status, scene.outcome(reply).surface) == (200, "oauth_metadata")
    assert reply.json["token_endpoint"] == "https://yett.example/oauth/token"
    assert reply.json["jwks_uri"] == "https://yett.example/.well-known/jwks.json"
    assert reply.json["tls_client_certificate_bound_access_tokens"] is False  # nobody is asked for one
    assert "ES256" in reply.json["dpop_signing_alg_values_supported"]


async def test_nothing_else_is_answered_to_whoever_asks(scene: Scene) -> None:
    for path in (
        "/.well-known/",
        "/.well-known/openid-configuration",
        f"{WELL_KNOWN}/other",
        "/.well-known/jwks.json/",
    ):
        assert (await scene.call(get(path), "")).code == "not_found"
    assert (await scene.call(replace(get("/.well-known/jwks.json"), method="POST"), "")).code == "not_found"
    for surface in SURFACES:
        inbound = replace(get(surface.path + "x" * surface.path.endswith("/")), method=surface.method)
        assert (await scene.call(inbound, "")).code == "missing_key"


async def test_what_is_published_is_recorded_or_not_given(scene: Scene) -> None:
    scene.journal.close()
    reply = await scene.call(get(WELL_KNOWN), "")
    assert (reply.status, reply.code) == (503, "audit_unavailable")


async def test_metadata_of_an_issuer_with_a_path(tmp_path: Path) -> None:
    """Its path comes last (RFC 8414 section 3.1); what is below the path, a proxy in front has taken it off."""
    tasks = TASKS.replace("https://yett.example", "https://example.org/gate/")
    with Scene(tmp_path / "scene", configuration=CONFIGURATION + tasks) as scene:
        reply = await scene.call(get(f"{WELL_KNOWN}/gate"), "")
        assert reply.json["issuer"] == "https://example.org/gate/"
        assert reply.json["token_endpoint"] == "https://example.org/gate/oauth/token"


async def test_nothing_is_published_where_no_tokens_are_issued(tmp_path: Path) -> None:
    with Scene(tmp_path / "scene") as scene:
        for path in (WELL_KNOWN, "/.well-known/jwks.json"):
            assert (await scene.call(get(path), "")).code == "not_found"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"grant_type": "client_credentials"}, "unsupported_grant"),
        ({"subject_token": None}, "invalid_request"),
        ({"subject_token_type": "urn:ietf:params:oauth:token-type:saml2"}, "invalid_request"),
        ({"requested_token_type": "urn:ietf:params:oauth:token-type:refresh_token"}, "invalid_request"),
        ({"actor_token": "x"}, "invalid_request"),
        ({"resource": "x"}, "invalid_request"),
        ({"audience": "https://other.example"}, "invalid_request"),
        ({"scope": "m:x " * (MOST_SCOPES + 1)}, "invalid_request"),
        ({"scope": "everything"}, "invalid_scope"),
        ({"purpose": "x" * (LONGEST_PURPOSE + 1)}, "invalid_request"),
        ({"purpose": "a\nb"}, "invalid_request"),
        ({"expires_in": "-5"}, "invalid_request"),
        ({"expires_in": "1e3"}, "invalid_request"),
        ({"budget": "lots"}, "invalid_request"),
        ({"subject_token": "ytk_live_nonsense"}, "malformed_key"),
        ({"subject_token": CORP.token(aud="other").decode()}, "wrong_audience"),
        ({"subject_token": CORP.sign(CORP.claims(), alg="none").decode()}, "algorithm_refused"),
    ],
)
async def test_what_gets_no_token(scene: Scene, fields: dict[str, Any], code: str) -> None:
    reply = await scene.call(form(**{"subject": scene.secrets["ada"], **fields}))
    assert reply.code == code
    assert "access_token" not in reply.json
    assert scene.outcome(reply).code == code


async def test_a_subject_that_is_fenced_off_is_handed_to_nobody(scene: Scene) -> None:
    scene.live.current = with_fences(scene.live.current, (Fence("user:default/corp/ada", 1, int(NOW)),))
    assert (await scene.call(form(CORP.token().decode()))).code == "fenced"


async def test_an_audience_of_ones_own_is_fine(scene: Scene) -> None:
    assert await exchanged(scene, scene.secrets["ada"], audience="https://yett.example", requested_token_type=TYPE)


async def test_a_token_of_another_type_is_no_task(scene: Scene) -> None:
    token = await exchanged(scene, scene.secrets["ada"])
    other = scene.signing.sign(claims(token), "at+jwt").decode()
    assert (await scene.call(bearing(chat("hello"), other))).code == "unacceptable_token"
    assert json.loads(scene.signing.document)["keys"][0]["alg"] == "Ed25519"


async def test_a_token_is_bound_to_the_key_that_was_shown(scene: Scene) -> None:
    def showing(inbound: Inbound, token: str, scheme: str = "DPoP", **claims: Any) -> Inbound:
        held = proof(token.encode(), htu=f"https://yett.example{inbound.path}", **claims)
        return replace(
            inbound, headers={b"authorization": f"{scheme} {token}".encode(), b"host": b"yett.example", b"dpop": held}
        )

    ada = scene.secrets["ada"]
    reply = await scene.call(showing(form(ada), ada, "Bearer", jti="1"))
    token = str(reply.json["access_token"])
    assert (reply.json["token_type"], set(claims(token)["cnf"])) == ("DPoP", {"jkt"})
    assert (await scene.call(bearing(chat("hello"), token))).code == "proof_required"
    assert (await scene.call(showing(chat("hello"), token, jti="2"))).status == 200
    assert (await scene.call(showing(chat("hello"), token, jti="2"))).code == "replayed_proof"
    # nobody else gets an unbound one for it; its holder gets one that is bound to the same key
    assert (await scene.call(form(token))).code == "proof_required"
    again = await scene.call(showing(form(token), token, jti="3"))
    assert claims(str(again.json["access_token"]))["cnf"] == claims(token)["cnf"]


# ---- bound to a certificate ----

HOME = Certifier("home", at=NOW)
AGENT = "spiffe://example.org/ns/agent"
MESH = """
[identity.trust_domains."example.org"]
x509_bundle_file = "home.pem"
workloads = [{ path = "/", team = "research", kind = "agent" }]
"""


@pytest.fixture
def mutual(tmp_path: Path) -> Any:
    tls = """
[gateway.tls]
certificate_file = "gate.pem"
private_key = "file:gate-key.pem"
clients = "optional"
"""
    gate = HOME.host("localhost")
    files = {"home.pem": HOME.pem, "gate.pem": gate.pem, "gate-key.pem": gate.key_pem}
    folder = tmp_path / "scene"
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    with Scene(folder, configuration=CONFIGURATION + TASKS + MESH + tls) as scene:
        scene.trust.known["corp"] = jws.read_keys(CORP.document())
        yield scene


def over(pair: Pair, inbound: Inbound, token: str = "", **headers: bytes) -> Inbound:
    """Comes over this certificate, with or without a token."""
    fields = {b"authorization": f"Bearer {token}".encode()} if token else {}
    return replace(inbound, headers=fields | {b"host": b"yett.example"}, certificates=(pair.der,))


def cnf(reply: Reply) -> Any:
    assert reply.status == 200, reply.body
    return claims(str(reply.json["access_token"])).get("cnf")


async def test_a_token_is_bound_to_the_certificate_that_it_was_asked_for_over(mutual: Scene) -> None:
    own, renewed, ada = HOME.svid(AGENT), HOME.svid(AGENT), CORP.token().decode()
    bound = {"x5t#S256": thumbprint(own.der)}
    reply = await mutual.call(over(own, form(ada)), "")  # who acts is known by its certificate
    token = str(reply.json["access_token"])
    assert (cnf(reply), reply.json["token_type"], claims(token)["act"]) == (bound, "Bearer", {"sub": AGENT})
    assert (await mutual.call(over(own, chat("hello"), token))).status == 200
    assert (await mutual.call(bearing(chat("hello"), token))).code == "certificate_required"
    assert (await mutual.call(over(renewed, chat("hello"), token))).code == "wrong_certificate"
    # as is one for a token that came over it, and whatever follows from that
    assert cnf(await mutual.call(over(own, form(ada), ada))) == bound
    assert cnf(await mutual.call(over(own, form(token), token))) == bound
    assert cnf(await mutual.call(over(own, form(token)), "")) == bound
    for inbound in (form(token), over(renewed, form(token)), over(renewed, form(token), ada)):
        assert (await mutual.call(inbound, "" if inbound.certificates else "ada")).code == "certificate_required"
    # but never a bearer token, whoever asks
    for inbound in (over(own, form(token, bind="none"), token), over(own, form(token, bind="none"))):
        assert (await mutual.call(inbound, "")).code == "invalid_request"
    assert (await mutual.call(over(own, form(token, bind="none"), ada))).code == "invalid_request"


async def test_what_a_token_is_bound_to_can_be_asked_for(mutual: Scene) -> None:
    own, ada = HOME.svid(AGENT), CORP.token().decode()
    assert (await mutual.call(get(WELL_KNOWN), "")).json["tls_client_certificate_bound_access_tokens"] is True
    assert cnf(await mutual.call(over(own, form(ada, bind="none")), "")) is None
    assert cnf(await mutual.call(over(own, form(ada, bind="certificate"), ada))) == {"x5t#S256": thumbprint(own.der)}
    assert (await mutual.call(bearing(form(ada, bind="certificate"), ada))).code == "certificate_required"
    assert (await mutual.call(over(own, form(ada, bind="key"), ada))).code == "proof_required"
    assert (await mutual.call(over(own, form(ada, bind="everything"), ada))).code == "invalid_request"

    def showing(jti: str, **fields: str) -> Inbound:
        inbound = over(own, form(ada, **fields), ada)
        held = proof(ada.encode(), htu="https://yett.example/oauth/token", jti=jti)
        return replace(inbound, headers={**inbound.headers, b"dpop": held})

    assert set(cnf(await mutual.call(showing("1")))) == {"jkt"}
    assert set(cnf(await mutual.call(showing("2", bind="certificate")))) == {"x5t#S256"}
    assert cnf(await mutual.call(showing("3", bind="none"))) is None


async def test_no_token_is_bound_to_what_may_be_a_proxys_certificate(mutual: Scene) -> None:
    own, ada = HOME.svid(AGENT), CORP.token().decode()

    def through(**fields: str) -> Inbound:
        inbound = over(own, form(ada, **fields), ada)
        return replace(inbound, headers={**inbound.headers, b"client-cert": binary(own.der)})

    assert cnf(await mutual.call(through())) is None
    assert (await mutual.call(through(bind="certificate"))).code == "untrusted_proxy"
    late = HOME.svid(AGENT, ends=-5)
    assert (await mutual.call(over(late, form(ada), ada))).code == "expired_certificate"
