"""From `[identity]` to the issuers that tokens are held against."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from tests.certificates import Certifier

from yett.config import identity
from yett.config.decoding import decode
from yett.config.identity_checks import check_identity
from yett.config.lines import locate
from yett.config.reader import parse
from yett.config.reading import Reading
from yett.config.settings import Settings
from yett.config.tenants import tenants
from yett.errors import Mistake
from yett.identity import issuer as issuers
from yett.identity.jws import Header, Signed

TEXT = """
[teams.research]

[identity.issuers.corp]
issuer = "https://idp.example/realm/"
audiences = ["yett"]
types = ["application/at+jwt", "JWT"]
team = "research"
tenant = "acme"
ca_file = "ca.pem"
require = { org = ["acme"] }

[identity.issuers.k8s]
issuer = "kubernetes"
audiences = ["yett"]
jwks_url = "https://k8s.example:6443/openid/v1/jwks"
team_claim = "/kubernetes.io/namespace"
tenant_claim = "t"
tenants = ["one", "two"]

[identity.issuers.ci]
issuer = "ci"
audiences = ["yett"]
jwks_file = "keys.json"
team = "research"

[identity.trust_domains."example.org"]
bundle_url = "https://spire.example/bundle"
tenant = "mesh"
audiences = ["yett"]
workloads = [{ path = "/", team = "research" }, { path = "/ns/a", team = "research", kind = "agent", labels = { b = "c" } }]
"""


def test_issuers(tmp_path: Path) -> None:
    for name in ("ca.pem", "keys.json"):
        (tmp_path / name).write_text("x")
    reading = parse(TEXT, tmp_path / "yett.toml", {})
    assert reading.mistakes == ()
    corp, k8s, ci, mesh = identity.issuers(reading)
    assert (corp.source.url, corp.source.discovery) == (
        "https://idp.example/realm/.well-known/openid-configuration",
        True,
    )
    assert corp.source.provider is not None
    assert (corp.source.provider.base_url, corp.source.provider.ca_file) == (
        "https://idp.example",
        str(tmp_path / "ca.pem"),
    )
    assert (corp.types, corp.required) == ({"at+jwt", "jwt"}, (("org", frozenset(("acme",))),))
    assert (corp.tenant.fixed, corp.team.fixed, corp.kind.fixed) == ("acme", "research", "user")
    assert (k8s.source.url, k8s.source.discovery) == ("https://k8s.example:6443/openid/v1/jwks", False)
    assert (k8s.tenant.claim, k8s.tenant.fixed, k8s.tenants) == ("t", "", {"one", "two"})
    assert (ci.source.file, ci.source.provider) == (str(tmp_path / "keys.json"), None)
    assert (mesh.url, mesh.credential, mesh.workloads[0].path) == ("spiffe://example.org", "svid", "/ns/a")
    assert tenants(reading.settings) == {"default", "acme", "one", "two", "mesh"}


CERTIFICATES = """
[teams.research]

[identity.trust_domains."example.org"]
x509_bundle_file = "bundle.pem"
tenant = "mesh"
workloads = [{ path = "/", team = "research" }, { path = "/ns/a", team = "research", kind = "agent" }]

[identity.client_cas.corp]
ca_file = "corp.pem"
tenant = "acme"
clients = [{ name = "dns:Reports.example", team = "research", labels = { b = "c" } }]
"""


def test_authorities(tmp_path: Path) -> None:
    mesh, corp = Certifier("mesh"), Certifier("corp")
    (tmp_path / "bundle.pem").write_bytes(mesh.pem + corp.pem)
    (tmp_path / "corp.pem").write_bytes(corp.pem)
    reading = parse(CERTIFICATES, tmp_path / "yett.toml", {})
    assert reading.mistakes == ()
    assert identity.issuers(reading) == ()  # no tokens without their keys
    found = identity.authorities(reading, [])
    assert list(found) == ["x509:example.org", "ca:corp"]
    assert found["x509:example.org"].anchors == (mesh.certificate, corp.certificate)
    assert [each.path for each in found["x509:example.org"].workloads] == ["/ns/a", "/"]
    (client,) = found["ca:corp"].clients
    assert (client.sort, client.name, client.labels) == ("dns", "reports.example", (("b", "c"),))
    assert tenants(reading.settings) == {"default", "mesh", "acme"}


def test_authorities_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "corp.pem").write_text("nothing")
    reading = parse(CERTIFICATES, tmp_path / "yett.toml", {})
    found: list[Mistake] = list(reading.mistakes)
    assert identity.authorities(reading, found) == {}
    assert [(mistake.line, mistake.message.partition(": ")[0]) for mistake in found] == [
        (5, 'identity.trust_domains."example.org".x509_bundle_file'),
        (10, "identity.client_cas.corp.ca_file"),
    ]


PROXIES = (
    CERTIFICATES
    + """
[identity.proxies.edge]
spiffe_id = "spiffe://example.org/edge"
trust_domains = ["example.org"]
client_cas = ["corp"]

[identity.proxies.lb]
ca = "corp"
name = "dns:LB.example"
header = "x-forwarded-client-cert"
client_cas = ["corp"]
"""
)


def test_proxies(tmp_path: Path) -> None:
    settings = parse(PROXIES, tmp_path / "yett.toml", {}).settings
    edge, lb = identity.proxies(settings).values()
    assert (edge.url, edge.id, edge.spiffe_id, edge.authority) == (
        "proxy:edge",
        "spiffe://example.org/edge",
        "spiffe://example.org/edge",
        "x509:example.org",
    )
    assert (edge.header, edge.authorities, edge.fence) == (
        "client-cert",
        {"x509:example.org", "ca:corp"},
        "service:mesh/spiffe://example.org/edge",
    )
    assert (lb.id, lb.sort, lb.value, lb.spiffe_id) == ("corp/dns:lb.example", "dns", "lb.example", "")
    assert (lb.header, lb.authorities, lb.fence) == (
        "x-forwarded-client-cert",
        {"ca:corp"},
        "service:acme/corp/dns:lb.example",
    )


def test_transmitters_of_events(tmp_path: Path) -> None:
    text = '[receivers.a]\nissuer = "https://idp.example/tenant/1/"\naudiences = ["x"]\n'
    reading = parse(
        text + text.replace(".a]", ".b]") + 'jwks_url = "https://keys.example/k"\n', tmp_path / "yett.toml", {}
    )
    assert reading.mistakes == ()
    one, two = (identity.transmitter(name, each, reading) for name, each in reading.settings.receivers.items())
    assert one.source.url == "https://idp.example/.well-known/ssf-configuration/tenant/1"
    assert (one.source.discovery, one.name) == (True, "receivers/a")
    assert (two.source.url, two.source.discovery) == ("https://keys.example/k", False)


# ---- docs/identity.md: what it shows is a configuration, and its issuers take the tokens that it shows them with ----------------


PAGE = (Path(__file__).parents[2] / "docs" / "identity.md").read_text()


def merged(into: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    for name, value in more.items():
        into[name] = merged(into.get(name, {}), value) if isinstance(value, dict) else value
    return into


def shown() -> Settings:
    whole: dict[str, Any] = {"teams": {"research": {}, "support": {}}}
    for block in re.findall(r"^```toml\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL):
        merged(whole, tomllib.loads(block))
    settings, problems = decode(Settings, whole)
    assert [*problems, *check_identity(settings)] == []
    return settings


def read(name: str, claims: dict[str, Any], typ: str) -> issuers.Subject:
    reading = Reading("yett.toml", Path(), shown(), {}, (), locate(""))
    found = next(one for one in identity.issuers(reading) if one.name == name)
    whole = {"iss": found.url, "aud": "yett", "iat": 1000, "exp": 1300, **claims}
    issuers.check(found, Signed(Header("RS256", typ=typ), whole, b"", b""), 1001.0)
    return issuers.subject(found, whole)


def test_the_page_is_a_configuration() -> None:
    settings = shown()
    assert {"corp", "cluster", "ci"} <= set(settings.identity.issuers)
    assert {"edge", "lb"} <= set(settings.identity.proxies)


def test_a_job_of_github_actions() -> None:
    claims = {"sub": "repo:acme/app:ref:refs/heads/main", "repository": "acme/app", "repository_owner": "acme"}
    caller = read("ci", claims, "JWT")
    assert (caller.id, caller.team, caller.kind) == ("ci/repo:acme/app:ref:refs/heads/main", "research", "service")
    assert caller.labels == (("repository", "acme/app"),)


def test_a_service_account_of_kubernetes() -> None:
    claims = {
        "aud": ["yett"],
        "sub": "system:serviceaccount:prod:summaries",
        "kubernetes.io": {"namespace": "prod", "serviceaccount": {"name": "summaries", "uid": "u"}},
    }
    caller = read("cluster", claims, "")
    assert (caller.id, caller.team) == ("cluster/system:serviceaccount:prod:summaries", "support")


def test_a_workload() -> None:
    caller = read("prod.example.org", {"sub": "spiffe://prod.example.org/ns/agents/helper"}, "JWT")
    assert (caller.id, caller.team, caller.kind) == ("spiffe://prod.example.org/ns/agents/helper", "research", "agent")
